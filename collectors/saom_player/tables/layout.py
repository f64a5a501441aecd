"""The table of real iTHOR and RoboTHOR object placements that ships with the player (see data/derive_ithor.py)."""

import json
import lzma
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from saom_player.scene import Box, Vector

_TABLE = Path(__file__).with_name("data") / "ithor.json.xz"


@dataclass(frozen=True)
class PlacedObject:
    """One object of a real scene's metadata."""

    object_id: str
    object_type: str
    name: str
    asset_id: str
    position: Vector
    rotation_deg: Vector
    box: Box
    parents: tuple[str, ...]
    materials: tuple[str, ...]
    flags: frozenset[str]
    mass: float

    def extent(self) -> tuple[Vector, Vector]:
        """The lowest and the highest corner of the axis-aligned box around the object."""
        corners = self.box.corners()
        low, high = corners.min(0), corners.max(0)
        return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def scene_names() -> list[str]:
    """Every scene of the table: iTHOR's in the order of their numbers, then RoboTHOR's."""
    return list(_scenes())


@lru_cache(maxsize=8)
def placed_objects(scene: str) -> tuple[PlacedObject, ...]:
    """The objects of a scene, sorted by id. Raises KeyError for an unknown scene."""
    return tuple(
        PlacedObject(
            object_id=row[0],
            object_type=row[1],
            name=row[2],
            asset_id=row[3],
            position=_vector(row[4]),
            rotation_deg=_vector(row[5]),
            box=Box(_vector(row[6]), _vector(row[7]), _vector(row[8])),
            parents=tuple(row[9]),
            materials=tuple(row[10]),
            flags=frozenset(row[11]),
            mass=row[12],
        )
        for row in _scenes()[scene]
    )


@lru_cache(maxsize=1)
def _scenes() -> dict[str, list[list]]:  # type: ignore[type-arg]
    scenes: dict[str, list[list]] = json.loads(lzma.decompress(_TABLE.read_bytes()))["scenes"]  # type: ignore[type-arg]
    return scenes


def _vector(values: list[float]) -> Vector:
    return (values[0], values[1], values[2])
