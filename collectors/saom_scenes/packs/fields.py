"""Fields of a pack's JSON head, checked one by one: a wrong one is a PackError that says where it is."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from saom_scenes.packs.model import PackError

Choice = TypeVar("Choice", bound=str)
_MOST_ENTRIES = 200_000
_LARGEST = 1e6


class Fields:
    """One JSON object of the head; ``where`` names it in messages ("FloorPlan1.npz: parts 3")."""

    def __init__(self, values: Any, where: str) -> None:
        if not isinstance(values, dict):
            raise PackError(f"{where} is no JSON object")
        self._values: dict[str, Any] = values
        self._where = where

    def text(self, name: str, default: str | None = None) -> str:
        """A string."""
        value = self._get(name, default)
        if not isinstance(value, str):
            raise self._wrong(name, "a string")
        return value

    def choice(self, name: str, choices: Sequence[Choice]) -> Choice:
        """One of some strings."""
        value = self.text(name)
        for choice in choices:
            if value == choice:
                return choice
        raise self._wrong(name, f"one of {', '.join(choices)}")

    def number(self, name: str, default: float | None = None) -> float:
        """A finite number."""
        return self._number(self._get(name, default), name)

    def whole(self, name: str, default: int | None = None) -> int:
        """A whole number; arrays' indices are checked elsewhere."""
        value = self.number(name, default)
        if value != int(value):
            raise self._wrong(name, "a whole number")
        return int(value)

    def truth(self, name: str, default: bool | None = None) -> bool:
        """True or false; 0 and 1 do."""
        value = self._get(name, default)
        if value not in (True, False, 0, 1):
            raise self._wrong(name, "true or false")
        return bool(value)

    def numbers(self, name: str, count: int, default: Sequence[float] | None = None) -> tuple[float, ...]:
        """So many finite numbers."""
        value = self._get(name, default)
        if not isinstance(value, list | tuple) or len(value) < count:
            raise self._wrong(name, f"{count} numbers")
        return tuple(self._number(v, name) for v in value[:count])

    def triple(self, name: str, default: tuple[float, float, float] | None = None) -> tuple[float, float, float]:
        """Three finite numbers."""
        x, y, z = self.numbers(name, 3, default)
        return x, y, z

    def pair(self, name: str) -> tuple[float, float]:
        """Two finite numbers."""
        x, y = self.numbers(name, 2)
        return x, y

    def texts(self, name: str) -> dict[str, str]:
        """Strings by name."""
        value = self._get(name, {})
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise self._wrong(name, "strings by name")
        return {str(k): str(v) for k, v in value.items()}

    def inner(self, name: str) -> "Fields":
        """An object within this one."""
        return Fields(self._get(name, {}), f"{self._where} {name}")

    def each(self, name: str) -> Iterator["Fields"]:
        """The objects of a list."""
        for number, value in enumerate(self.list(name)):
            yield Fields(value, f"{self._where} {name} {number}")

    def list(self, name: str) -> list[Any]:
        """A list of anything."""
        value = self._get(name, [])
        if not isinstance(value, list) or len(value) > _MOST_ENTRIES:
            raise self._wrong(name, "a list")
        return value

    def _get(self, name: str, default: Any) -> Any:
        value = self._values.get(name, default)
        if value is None:
            raise PackError(f"{self._where}: it lacks {name}")
        return value

    def _number(self, value: Any, name: str) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            raise self._wrong(name, "a finite number")
        if abs(value) > _LARGEST:
            raise self._wrong(name, f"a number up to {_LARGEST:g}")
        return float(value)

    def _wrong(self, name: str, wanted: str) -> PackError:
        return PackError(f"{self._where}: {name} is {str(self._values.get(name))[:60]!r}, not {wanted}")
