"""FBX files that are text, as the same tree of nodes as binary ones."""

import re
from typing import Any

import numpy as np

_COMMENT = re.compile(r"^\s*;[^\n]*", re.M)
_TOKEN = re.compile(
    r'\s*(?:(?P<name>[A-Za-z_][\w|]*):|"(?P<string>[^"]*)"|\*\d+\s*\{\s*a:(?P<array>[^}]*)\}'
    r'|(?P<open>\{)|(?P<close>\})|(?P<word>[^\s,{}"]+)|,)'
)
_CLASSED = re.compile(r"^(\w+)::(.*)$", re.S)
_DEEPEST = 64
Loose = tuple[str, list[Any], list[Any]]
"""A node that is being read: name, values, inner nodes of the same kind."""


def parse_text(text: str) -> Loose:
    """The root of a text FBX file. Raises ValueError for what is none."""
    text = _COMMENT.sub("", text)
    root: Loose = ("", [], [])
    stack, last, at = [root], root, 0
    while match := _TOKEN.match(text, at):
        at = match.end()
        kind, value = match.lastgroup, match[match.lastgroup] if match.lastgroup else ""
        if kind == "name":
            last = (value, [], [])
            stack[-1][2].append(last)
        elif kind == "open":
            stack.append(last)
        elif kind == "close":
            stack.pop()
        elif kind is not None:
            last[1].append(_value(kind, value))
        if not 0 < len(stack) <= _DEEPEST:
            raise ValueError("its braces do not match")
    if text[at:].strip() or len(stack) != 1:
        raise ValueError("it ends in the middle")
    return root


def _value(kind: str, text: str) -> Any:
    if kind == "array":
        numbers = np.array(text.split(","), np.float64) if text.strip() else np.zeros(0)
        whole = bool((numbers == np.floor(numbers)).all()) and "." not in text
        return numbers.astype(np.int64) if whole else numbers
    if kind == "string":
        match = _CLASSED.match(text)
        # Binary files say "Cube\x00\x01Model" where text says "Model::Cube".
        return f"{match[2]}\x00\x01{match[1]}" if match else text
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text
