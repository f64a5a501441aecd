"""Reading JSON without trust: every value with its path, so that an error says which one is wrong and why."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from saom_scenes.houses.model import HouseError, Vector

FURTHEST_M = 200.0
"""Houses lie within this distance of the origin: beyond it single precision shows."""


@dataclass(frozen=True)
class Field:
    """A JSON value and how to get to it: "walls[3].polygon"."""

    value: Any
    path: str = ""

    def fails(self, why: str) -> HouseError:
        """The error that this value is."""
        return HouseError(f"{self.path or 'house'}: {why}")

    def get(self, name: str) -> "Field | None":
        """A member, or None where it is missing or null."""
        if not isinstance(self.value, dict):
            raise self.fails(f"{_shown(self.value)} is no object")
        value = self.value.get(name)
        return None if value is None else Field(value, f"{self.path}.{name}" if self.path else name)

    def need(self, name: str) -> "Field":
        """A member that must be there."""
        found = self.get(name)
        if found is None:
            raise self.fails(f"'{name}' is missing")
        return found

    def items(self, name: str, most: int) -> list["Field"]:
        """The entries of a list; none where it is missing."""
        found = self.get(name)
        return [] if found is None else list(found.entries(most))

    def entries(self, most: int) -> Iterator["Field"]:
        """The entries of this list."""
        if not isinstance(self.value, list):
            raise self.fails(f"{_shown(self.value)} is no list")
        if len(self.value) > most:
            raise self.fails(f"{len(self.value)} entries are more than {most}")
        for number, value in enumerate(self.value):
            yield Field(value, f"{self.path}[{number}]")

    def text(self) -> str:
        """A string that is not empty."""
        if not isinstance(self.value, str) or not self.value:
            raise self.fails(f"{_shown(self.value)} is no text")
        if len(self.value) > 200:
            raise self.fails(f"a text of {len(self.value)} characters is too long")
        return self.value

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self.fails(f"{_shown(self.value)} is neither true nor false")
        return self.value

    def number(self, low: float = -FURTHEST_M, high: float = FURTHEST_M) -> float:
        """A finite number in a range."""
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
            raise self.fails(f"{_shown(self.value)} is no number")
        if isinstance(self.value, float) and not math.isfinite(self.value):
            raise self.fails(f"{self.value} is no number")
        if not low <= self.value <= high:
            raise self.fails(f"{_shown(self.value)} is not within {low:g} and {high:g}")
        return float(self.value)

    def vector(self, limit: float = FURTHEST_M) -> Vector:
        """x, y and z; what is missing is 0, as Unity takes it."""
        x, y, z = (0.0 if found is None else found.number(-limit, limit) for found in map(self.get, "xyz"))
        return x, y, z


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
