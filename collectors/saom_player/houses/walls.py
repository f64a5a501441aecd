"""A house's walls as they are built: where each stands, which way it faces, and the holes in it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from saom_player.rooms.outline import WallSegment
from saom_player.scene import Structure, Vector
from saom_player.shapes.blocks import block, sides
from saom_player.shapes.mesh import Material, Mesh, Part
from saom_player.shapes.rectangles import Rectangle, cut
from saom_player.shapes.transforms import transformed
from saom_scenes.houses.model import EXTERIOR, House, Opening, Wall
from saom_scenes.houses.plan import inside

SHEET_M = 0.005
"""Every wall is a sheet, seen from its room alone, so far before the plane that it shares with the wall behind it."""
_PROBE_M = 0.05
_SQUARE = 1e-3
_ABOVE, _AHEAD = 3, 5
"""Sides of a block."""


@dataclass(frozen=True)
class WallFrame:
    """A wall's own axes: along it, up, and into the room that sees it."""

    wall: Wall
    inward: tuple[float, float]
    """x and z of a unit vector."""

    @cached_property
    def ahead(self) -> tuple[float, float]:
        """x and z of the unit vector from its start to its end."""
        a, b = self.wall.start, self.wall.end
        return (b[0] - a[0]) / self.wall.length, (b[1] - a[1]) / self.wall.length

    def matrix(self) -> NDArray[np.float64]:
        """(4, 4) from metres along, up and into the room to the world."""
        return np.array(
            [
                [self.ahead[0], 0.0, self.inward[0], self.wall.start[0]],
                [0.0, 1.0, 0.0, self.wall.base_y],
                [self.ahead[1], 0.0, self.inward[1], self.wall.start[1]],
                [0.0, 0.0, 0.0, 1.0],
            ]
        )

    def point(self, along: float, up: float, out: float = 0.0) -> Vector:
        """A point in the world."""
        x, y, z, _ = self.matrix() @ (along, up, out, 1.0)
        return float(x), float(y), float(z)

    @property
    def segment(self) -> WallSegment | None:
        """The wall as the rest of the player knows walls; None for one at an angle."""
        (x0, z0), (x1, z1) = self.wall.start, self.wall.end
        if min(abs(self.ahead[0]), abs(self.ahead[1])) > _SQUARE:
            return None
        axis = 0 if abs(self.ahead[0]) <= _SQUARE else 1
        ends = sorted((z0, z1) if axis == 0 else (x0, x1))
        return WallSegment(axis, (x0, z0)[axis], ends[0], ends[1], 1 if self.inward[axis] > 0 else -1)


def wall_frames(house: House) -> dict[str, WallFrame]:
    """The frames of all walls by id."""
    outlines = {room.room_id: room.outline for room in house.rooms}
    return {wall.wall_id: WallFrame(wall, _inward(wall, outlines)) for wall in house.walls}


def _inward(wall: Wall, outlines: dict[str, tuple[tuple[float, float], ...]]) -> tuple[float, float]:
    """To the side on which its room is; seen from outside, to that on which none is."""
    (x0, z0), (x1, z1) = wall.start, wall.end
    right = ((z1 - z0) / wall.length, (x0 - x1) / wall.length)
    middle = ((x0 + x1) / 2 + right[0] * _PROBE_M, (z0 + z1) / 2 + right[1] * _PROBE_M)
    if wall.room_id == EXTERIOR:
        is_right = not any(inside(middle, outline) for outline in outlines.values())
    else:
        is_right = inside(middle, outlines[wall.room_id])
    return right if is_right else (-right[0], -right[1])


def holes_of(frame: WallFrame, openings: Iterable[Opening], frames: dict[str, WallFrame]) -> list[Rectangle]:
    """The holes in a wall, along it and up; of those measured along the wall behind it, too."""
    holes: list[Rectangle] = []
    for opening in openings:
        if frame.wall.wall_id not in opening.walls:
            continue
        measured = frames[opening.walls[0]]
        along = []
        for value in (opening.low[0], opening.high[0]):
            x, _, z = measured.point(value, 0.0)
            offset = (x - frame.wall.start[0], z - frame.wall.start[1])
            along.append(offset[0] * frame.ahead[0] + offset[1] * frame.ahead[1])
        rise = measured.wall.base_y - frame.wall.base_y
        holes.append((min(along), opening.low[1] + rise, max(along), opening.high[1] + rise))
    return holes


def wall_structure(frame: WallFrame, holes: Sequence[Rectangle], material: Material, repeat: float) -> Structure:
    """A wall with its holes, under its own id; a little longer than it is, so that corners that jut out are shut."""
    wall = frame.wall
    pieces = cut([(-SHEET_M, 0.0, wall.length + SHEET_M, wall.height)], holes)
    seen, matrix = replace(material, one_sided=True), frame.matrix()
    parts = []
    for k, (a, bottom, b, top) in enumerate(pieces, start=1):
        sheet = sides(block((a, bottom, 0.0), (b, top, SHEET_M), seen, repeat), [_AHEAD])
        parts.append(Part(f"wall {k}", transformed(sheet, matrix)))
    return Structure(wall.wall_id, tuple(parts), object_type="Wall")


def baseboards(
    frame: WallFrame, holes: Sequence[Rectangle], material: Material, size: tuple[float, float]
) -> list[Mesh]:
    """The skirting along a wall, but for where doors are; ``size`` is its depth and its height."""
    depth, height = size
    runs = cut([(0.0, 0.0, frame.wall.length, 1.0)], [(a, 0.0, b, 1.0) for a, low, b, _ in holes if low < height])
    seen, matrix = replace(material, one_sided=True), frame.matrix()
    boards = [block((a, 0.0, SHEET_M), (b, height, SHEET_M + depth), seen) for a, _, b, _ in runs]
    return [transformed(sides(board, [_ABOVE, _AHEAD]), matrix) for board in boards]
