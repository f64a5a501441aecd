"""What houses are made of: the table of AI2-THOR's assets for houses that ships here (see data/derive_procthor.py)."""

import json
import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

Size = tuple[float, float, float]
Rgb = tuple[float, float, float]
ROOM_TYPES = ("Kitchen", "LivingRoom", "Bedroom", "Bathroom")
_TABLE = Path(__file__).with_name("data") / "procthor.json.xz"


@dataclass(frozen=True)
class Asset:
    """A model that a house may name."""

    asset_id: str
    object_type: str
    size: Size
    """Of its box as it comes, in metres, unturned: x to the right, y up, z ahead."""
    open_size: Size | None
    """Of its box when it is open; None for what does not open."""
    flags: frozenset[str]
    """The metadata's true booleans: "pickupable", "receptacle", "openable", ..."""
    mass: float
    materials: tuple[str, ...]
    split: str
    """ "train", "val" or "test"; "" for what all may use."""

    @property
    def comes_open(self) -> bool:
        """Whether it is open as it comes: laptops and cardboard boxes are."""
        return self.open_size == self.size and "isOpen" in object_types()[self.object_type].states


@dataclass(frozen=True)
class ObjectType:
    """Where ProcTHOR's annotations put objects of a type."""

    rooms: Mapping[str, int]
    """By room type: 2 usual, 1 possible, 0 never."""
    in_corner: bool
    at_edge: bool
    in_middle: bool
    on_floor: bool
    on_wall: bool
    many: bool
    """Whether a room may have several."""
    states: tuple[str, ...]
    """What they usually are: "isOpen", "isToggled"."""
    surface: float | None
    """The underside of what lies on it, as a share of its height; None where too little is known."""


@cache
def assets() -> dict[str, Asset]:
    """All assets by id."""
    return {
        row[0]: Asset(
            asset_id=row[0],
            object_type=row[1],
            size=_size(row[2]),
            open_size=_size(row[3]) if row[3] else None,
            flags=frozenset(row[4]),
            mass=row[5],
            materials=tuple(row[6]),
            split=row[7] or "",
        )
        for row in _table()["assets"]
    }


@cache
def assets_of(object_type: str) -> tuple[Asset, ...]:
    """The assets of a type, by id."""
    return tuple(asset for asset in assets().values() if asset.object_type == object_type)


@cache
def object_types() -> dict[str, ObjectType]:
    """All types by name."""
    found = {}
    for name, (rooms, corner, edge, middle, floor, wall, many, states, surface) in _table()["types"].items():
        by_room = dict(zip(ROOM_TYPES, rooms, strict=True))
        found[name] = ObjectType(by_room, corner, edge, middle, floor, wall, many, tuple(states), surface)
    return found


def lies_on(receptacle: str) -> dict[str, float]:
    """Types that lie on a type of receptacle, each with how often there is one, 0..1, in iTHOR's rooms."""
    found: dict[str, float] = _table()["lies_on"].get(receptacle, {})
    return found


def wall_materials() -> tuple[str, ...]:
    """Names of AI2-THOR's wall materials."""
    return tuple(_table()["wall_materials"])


def floor_materials() -> tuple[str, ...]:
    """Names of AI2-THOR's floor materials."""
    return tuple(_table()["floor_materials"])


def wall_colors() -> tuple[Rgb, ...]:
    """Paints that ProcTHOR gives to walls, sRGB in 0..1."""
    return tuple((c[0], c[1], c[2]) for c in _table()["wall_colors"])


def skyboxes() -> dict[str, str]:
    """AI2-THOR's skies by name, each with its time of day: Midday, GoldenHour or BlueHour."""
    return dict(_table()["skyboxes"])


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(lzma.decompress(_TABLE.read_bytes()))
    return table


def _size(values: list[float]) -> Size:
    return values[0], values[1], values[2]
