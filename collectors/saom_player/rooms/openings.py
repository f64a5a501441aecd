"""Holes in a room's walls: where windows are, and where a door fits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from saom_player.rooms.outline import WallSegment, footprint, thin_axis
from saom_player.scene import Vector, WindowOpening
from saom_player.shapes.rectangles import Rectangle, grown, overlap
from saom_player.tables.layout import PlacedObject

WALL_M = 0.12
_NEAR_WALL_M = 0.45
_FRAME_M = 0.04
_PROUD_M = 0.002
"""How much higher a window's sill is than the wall under it: in one plane, their ids would mix."""
_DOOR_M = (0.9, 2.05)
_CORNER_M = 0.13


@dataclass(frozen=True)
class Hole:
    """An opening in a wall: from ``low`` to ``high`` along it, and in height."""

    wall: WallSegment
    low: float
    high: float
    bottom: float
    top: float


def wall_of(o: PlacedObject, walls: Sequence[WallSegment]) -> WallSegment | None:
    """The wall that a flat thing hangs on, or None where none is near behind or before it."""
    axis, r = thin_axis(o), footprint(o)
    middle = (r[axis] + r[axis + 2]) / 2
    near = []
    for wall in walls:
        shared = min(wall.high, r[3 - axis]) - max(wall.low, r[1 - axis])
        if wall.axis == axis and shared > 0.5 * (r[3 - axis] - r[1 - axis]) and abs(wall.at - middle) < _NEAR_WALL_M:
            near.append(wall)
    return min(near, key=lambda wall: abs(wall.at - middle), default=None)


def window_holes(
    objects: Sequence[PlacedObject], walls: Sequence[WallSegment], floor_y: float, ceiling_y: float
) -> list[Hole]:
    """The holes for all windows that are in walls; a little smaller than their frames."""
    holes = []
    for o in objects:
        wall = wall_of(o, walls) if o.object_type == "Window" else None
        if wall is None:
            continue
        low, high = o.extent()
        along = 2 if wall.axis == 0 else 0
        a, b = max(low[along] + _FRAME_M, wall.low + 0.05), min(high[along] - _FRAME_M, wall.high - 0.05)
        bottom, top = max(low[1] + _FRAME_M - _PROUD_M, floor_y + 0.05), min(high[1] - _FRAME_M, ceiling_y - 0.05)
        if b - a > 0.1 and top - bottom > 0.1:
            holes.append(Hole(wall, a, b, bottom, top))
    return holes


def door_hole(
    objects: Sequence[PlacedObject],
    walls: Sequence[WallSegment],
    windows: Sequence[Hole],
    floor_y: float,
    rng: np.random.Generator,
) -> Hole | None:
    """A place for a door where nothing stands or hangs before it: beside a light switch, if there is one."""
    in_the_way = [grown(footprint(o), 0.04) for o in objects if o.object_type != "Floor"]
    switches = [np.array(o.box.center)[[0, 2]] for o in objects if o.object_type == "LightSwitch"]
    places: list[tuple[float, Hole]] = []
    for wall in walls:
        for low in np.arange(wall.low + _CORNER_M, wall.high - _DOOR_M[0] - _CORNER_M, 0.1):
            hole = Hole(wall, float(low), float(low) + _DOOR_M[0], floor_y, floor_y + _DOOR_M[1])
            crossed = any(w.wall == wall and w.low < hole.high + 0.1 and w.high > hole.low - 0.1 for w in windows)
            if not crossed and not any(overlap(before(hole, 0.5), r) > 0 for r in in_the_way):
                r = before(hole, 0.0)
                middle = np.array([(r[0] + r[2]) / 2, (r[1] + r[3]) / 2])
                away = min((float(np.linalg.norm(middle - s)) for s in switches), default=0.0)
                places.append((round(away, 1), hole))
    if not places:
        return None
    nearest = min(away for away, _ in places)
    best = [hole for away, hole in places if away <= nearest + 0.15]
    return best[int(rng.integers(len(best)))]


def before(hole: Hole, depth: float) -> Rectangle:
    """The floor rectangle inside the room before an opening."""
    return along_wall(hole.wall, hole.low, hole.high, 0.0, depth)


def along_wall(wall: WallSegment, low: float, high: float, back: float, ahead: float) -> Rectangle:
    """The floor rectangle along a wall, from ``back`` to ``ahead`` of its face, counted into the room."""
    near, far = sorted((wall.at + wall.inward * back, wall.at + wall.inward * ahead))
    return (near, low, far, high) if wall.axis == 0 else (low, near, high, far)


def window_opening(hole: Hole) -> WindowOpening:
    """The opening as the renderer's light comes through it."""
    wall = hole.wall
    at, middle, height = wall.at - wall.inward * WALL_M / 2, (hole.low + hole.high) / 2, (hole.bottom + hole.top) / 2
    along, up = (hole.high - hole.low) / 2, (hole.top - hole.bottom) / 2
    center: Vector = (at, height, middle) if wall.axis == 0 else (middle, height, at)
    inward: Vector = (float(wall.inward), 0.0, 0.0) if wall.axis == 0 else (0.0, 0.0, float(wall.inward))
    half_u: Vector = (0.0, 0.0, along) if wall.axis == 0 else (along, 0.0, 0.0)
    return WindowOpening(center, half_u, (0.0, up, 0.0), inward)
