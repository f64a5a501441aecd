"""Files of houses: one JSON object a line, plain or gzipped, as ProcTHOR-10K comes. Each house has a name of its own.

A house's name is made from its line, so the same house has one name in every file, and no other house has it. A line
is parsed only when its house is asked for.
"""

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, cast

from saom_scenes.houses.model import HouseError

PREFIX = "House_"
SPLITS = ("train", "val", "test")
_DIGITS = 12
_SAYS_SPLIT = re.compile(rb'"split"\s*:\s*"(train|val|test)"')
"""Looked for in the line as it is: thousands of houses are not parsed to choose among them."""
_LONGEST_LINE = 64 << 20
_HUNDREDTHS = {"train": 80, "val": 90}
"""Below which hundredth of all names a house whose file says nothing is in a split; the rest are test."""


def house_name(line: bytes) -> str:
    """The name of the house that a line holds."""
    return PREFIX + hashlib.sha256(line.strip()).hexdigest()[:_DIGITS]


@dataclass(frozen=True)
class _Place:
    """A house's line, counted from 1, where that starts in the unpacked file, and the split that it names."""

    line: int
    offset: int
    split: str


@dataclass(frozen=True)
class HouseFile:
    """The houses of a file, by name, in its order."""

    path: Path

    def __post_init__(self) -> None:
        """Raises HouseError for a file that is not there."""
        if not self.path.is_file():
            raise HouseError(f"{self.path}: there is no such file of houses; `saom-bench scenes generate` makes one")

    @property
    def names(self) -> tuple[str, ...]:
        """All names. Raises HouseError for a file that cannot be read, or holds no house."""
        return tuple(self._places)

    def read(self, name: str) -> dict[str, Any]:
        """A house's JSON object. Raises HouseError when there is no such house, or its line is no JSON object."""
        if name not in self._places:
            raise HouseError(f"{self.path}: it holds no house {name}")
        number = self._places[name].line
        with self._opened() as stream:
            stream.seek(self._places[name].offset)
            line = stream.readline(_LONGEST_LINE)
        try:
            data = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise HouseError(f"{self.path}: line {number} is no JSON: {error}") from error
        if not isinstance(data, dict):
            raise HouseError(f"{self.path}: line {number} is no JSON object; a house is one")
        return data

    def split_of(self, name: str) -> str:
        """The split of a house: what its metadata says, else what its file is called, else by its name."""
        said = self._places[name].split
        if said:
            return said
        stem = self.path.name.split(".")[0]
        if stem in SPLITS:
            return stem
        hundredth = int(name.removeprefix(PREFIX)[:8], 16) % 100
        return next((split for split, below in _HUNDREDTHS.items() if hundredth < below), "test")

    @cached_property
    def _places(self) -> dict[str, "_Place"]:
        """Where each house is; of a house that is there twice, its first."""
        found: dict[str, _Place] = {}
        try:
            for number, offset, line in self._lines():
                said = _SAYS_SPLIT.search(line)
                found.setdefault(house_name(line), _Place(number, offset, said[1].decode() if said else ""))
        except (OSError, EOFError, zlib.error) as error:
            raise HouseError(f"{self.path}: it cannot be read as houses ({error})") from error
        if not found:
            raise HouseError(f"{self.path}: it holds no house; each of its lines should be one as JSON")
        return found

    def _lines(self) -> Iterator[tuple[int, int, bytes]]:
        with self._opened() as stream:
            number = offset = 0
            while line := stream.readline(_LONGEST_LINE):
                number += 1
                if len(line) >= _LONGEST_LINE:
                    raise HouseError(f"{self.path}: line {number} is longer than {_LONGEST_LINE >> 20} MiB: no house")
                if line.strip():
                    yield number, offset, line
                offset += len(line)

    def _opened(self) -> BinaryIO:
        with self.path.open("rb") as stream:
            is_gzip = stream.read(2) == b"\x1f\x8b"
        return cast(BinaryIO, gzip.open(self.path, "rb")) if is_gzip else self.path.open("rb")
