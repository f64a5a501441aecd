"""Unity's text assets: documents, and their fields as one flat table by Unity's own property paths.

Unity writes a small part of YAML: block mappings and lists, flow mappings of numbers and references. A full YAML parser
would take minutes for a scene. Paths are those of prefab modifications, such as "m_LocalPosition.x" and
"m_Materials.Array.data[0]".
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

_DOCUMENT = re.compile(r"^--- !u!(\d+) &(-?\d+)( stripped)?[^\n]*\n", re.M)
_REFERENCE = re.compile(r"\{fileID: (-?\d+)(?:, guid: ([0-9a-f]{32}))?")
_WRAPPED = re.compile(r",\n +(?=[\w\"'])")
_MOST_INDENT = 64


@dataclass(frozen=True)
class Reference:
    """An object: in this file where ``guid`` is "", else in the asset of that guid. ``file_id`` 0 is none."""

    file_id: int = 0
    guid: str = ""


@dataclass(frozen=True)
class Document:
    """One object of a text asset, its text not yet looked at."""

    kind: int
    """Unity's class number: 1 GameObject, 4 Transform, 23 MeshRenderer, ..."""
    file_id: int
    stripped: bool
    """It stands for an object inside a prefab instance, and has no fields of its own."""
    text: str


def documents(text: str) -> Iterator[Document]:
    """The documents of a text asset in order."""
    text = text.replace("\r\n", "\n")
    heads = list(_DOCUMENT.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)] if heads else []
    for head, end in zip(heads, ends, strict=True):
        yield Document(int(head[1]), int(head[2]), bool(head[3]), text[head.end() : end])


def fields(text: str) -> dict[str, str]:
    """A document's scalar fields by property path, without the type's name; references stay "{fileID: ...}"."""
    found: dict[str, str] = {}
    # (indent of the block's keys, the path before them, whether entries are a list's)
    blocks: list[tuple[int, str]] = [(-1, "")]
    counts: dict[str, int] = {}
    for line in _WRAPPED.sub(", ", text).split("\n"):
        content = line.lstrip(" ")
        if not content or len(line) - len(content) > _MOST_INDENT:
            continue
        indent = len(line) - len(content)
        while content.startswith("- "):
            # A list's entries may stand at their key's own indent: they belong to the key all the same.
            while len(blocks) > 1 and (
                blocks[-1][0] > indent or (blocks[-1][0] == indent and _is_entry(blocks[-1][1]))
            ):
                blocks.pop()
            owner = blocks[-1][1]
            number = counts[owner] = counts.get(owner, -1) + 1
            content = content[2:].lstrip(" ")
            blocks.append((indent, f"{owner}.Array.data[{number}]"))
            indent += 2
            if (": " not in content and not content.endswith(":")) or content.startswith("{"):
                _put(found, blocks[-1][1], content)
                content = ""
        if not content:
            continue
        key, separator, value = content.partition(":")
        if not separator:
            continue
        while len(blocks) > 1 and blocks[-1][0] >= indent:
            blocks.pop()
        path = f"{blocks[-1][1]}.{key}" if blocks[-1][1] else key
        if value.strip():
            _put(found, path, value.strip())
        else:
            blocks.append((indent, path))
            found.setdefault(path, "")
    return _without_type(found)


def _is_entry(path: str) -> bool:
    return path.endswith("]")


def _put(found: dict[str, str], path: str, value: str) -> None:
    if value.startswith("{") and not value.startswith("{fileID"):
        for item in value.strip("{} ").split(","):
            key, separator, inner = item.partition(":")
            if separator:
                found[f"{path}.{key.strip()}"] = inner.strip()
    else:
        found[path] = value


def _without_type(found: dict[str, str]) -> dict[str, str]:
    """Without the first level, "GameObject." and the like, which every path begins with."""
    return {path.partition(".")[2]: value for path, value in found.items() if "." in path}


def reference(value: str | None) -> Reference:
    """The reference that a field holds."""
    match = _REFERENCE.search(value or "")
    return Reference(int(match[1]), match[2] or "") if match else Reference()


def text_of(value: str | None) -> str:
    """A string field without its quotes."""
    value = (value or "").strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1].replace("''", "'")
    return value


def number_of(values: dict[str, str], path: str, default: float) -> float:
    """A number field; the default where it is absent or no finite number."""
    try:
        value = float(values[path])
    except (KeyError, ValueError):
        return default
    return value if math.isfinite(value) else default
