"""Checks an action's arguments against its handler's parameters, with AI2-THOR's error codes and messages.

As in AI2-THOR, what an action accepts is what its handler declares: names, types by annotation, defaults.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from saom_player.scene import Vector

Handler = Callable[..., Any]
"""Takes the simulation, and the action's arguments by keyword; returns the actionReturn or raises ActionError."""

EVERYWHERE = frozenset(
    "action sequenceId agentId renderImage renderObjectImage renderClassImage renderNormalsImage "
    "renderInstanceSegmentation renderSemanticSegmentation".split()
)
"""Keys that any message may hold; they are not the handler's."""


class ActionError(Exception):
    """An action failed. With one of AI2-THOR's argument codes, its client raises ValueError with this message."""

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class PartialVector:
    """A vector of which only some coordinates were given."""

    x: float | None = None
    y: float | None = None
    z: float | None = None

    def over(self, default: Vector) -> Vector:
        """The vector, with ``default``'s coordinates where it has none."""
        given = (self.x, self.y, self.z)
        x, y, z = (old if new is None else new for new, old in zip(given, default, strict=True))
        return x, y, z


def bind(action: str, handler: Handler, message: Mapping[str, Any]) -> dict[str, Any]:
    """The handler's keyword arguments from a message. Raises ActionError: InvalidArgument or MissingArguments.

    A null counts as an argument that was not given. Handlers with a ``**`` parameter take unknown arguments too.
    """
    parameters, takes_all = _parameters(handler)
    given = {key: value for key, value in message.items() if key in parameters or key not in EVERYWHERE}
    unknown = [key for key in given if key not in parameters]
    if unknown and not takes_all:
        raise ActionError(_unexpected(action, unknown, given, parameters), "InvalidArgument")
    bound = {key: value for key, value in given.items() if takes_all and key in unknown}
    for name, parameter in parameters.items():
        if given.get(name) is not None:
            bound[name] = _converted(action, parameter, given[name])
    missing = [n for n, p in parameters.items() if p.default is inspect.Parameter.empty and n not in bound]
    if missing:
        raise ActionError(
            f"action: {action} is missing the following arguments: {','.join(missing)}", "MissingArguments"
        )
    return bound


@cache
def _parameters(handler: Handler) -> tuple[dict[str, inspect.Parameter], bool]:
    """A handler's parameters but the first, by name, and whether it takes any others."""
    every = list(inspect.signature(handler).parameters.values())[1:]
    named = {p.name: p for p in every if p.kind is not inspect.Parameter.VAR_KEYWORD}
    return named, len(named) < len(every)


def _unexpected(
    action: str, unknown: list[str], given: Mapping[str, Any], parameters: Mapping[str, inspect.Parameter]
) -> str:
    expected = ", ".join(_describe(p) for p in parameters.values())
    names = ", ".join(f"'{name}'" for name in unknown)
    return (
        f'\n\tAction: "{action}" called with invalid argument{"s" if len(unknown) > 1 else ""}: {names}'
        f"\n\tExpected arguments: {expected}"
        f"\n\tYour arguments: {', '.join(repr(name) for name in given)}"
        f'\n\tValid ways to call "{action}" action:\n\t\t{action}({expected})'
    )


def _describe(parameter: inspect.Parameter) -> str:
    default = "" if parameter.default is inspect.Parameter.empty else f" = {parameter.default}"
    return f"{_type_of(parameter).__name__} {parameter.name}{default}"


def _type_of(parameter: inspect.Parameter) -> type[Any]:
    """The annotated type, without its "| None"."""
    options = [option for option in getattr(parameter.annotation, "__args__", ()) if option is not type(None)]
    is_union = type(None) in getattr(parameter.annotation, "__args__", ())
    chosen = options[0] if is_union else parameter.annotation
    kind: type[Any] = getattr(chosen, "__origin__", chosen)
    return kind


def _converted(action: str, parameter: inspect.Parameter, value: Any) -> Any:
    kind = _type_of(parameter)
    result = _CONVERSIONS[kind](value) if kind in _CONVERSIONS else value
    if result is None:
        shown = f"action: {action} has an invalid argument: {parameter.name} (=={value!r:.200})."
        raise ActionError(f"{shown} Cannot convert to: {_NAMES.get(kind, kind.__name__)}", "InvalidArgument")
    return result


def _to_float(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and abs(number) < 1e9 else None


def _to_int(value: Any) -> int | None:
    number = _to_float(value)
    return int(number) if number is not None and number == int(number) else None


def _to_bool(value: Any) -> bool | None:
    return bool(value) if isinstance(value, bool) or value in (0, 1) else None


def _to_text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _to_object(value: Any) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def _to_vector(value: Any) -> PartialVector | None:
    if not isinstance(value, dict) or not set(value) <= set("xyz"):
        return None
    numbers = {axis: _to_float(number) for axis, number in value.items() if number is not None}
    return None if None in numbers.values() else PartialVector(**numbers)


_CONVERSIONS: dict[Any, Callable[[Any], Any]] = {
    float: _to_float,
    int: _to_int,
    bool: _to_bool,
    str: _to_text,
    dict: _to_object,
    PartialVector: _to_vector,
}
_NAMES = {PartialVector: "Vector3", str: "string", dict: "object"}
