"""A room's outline on the floor plan, found from what stands and hangs in it: the metadata has no walls.

The floor's box reaches past the walls, and an L-shaped room fills only a part of it. What hangs on a wall, or stands
with its back to one, shows where a wall is; from there the wall runs on until it would cut something beyond it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from saom_player.shapes.rectangles import Rectangle, cut, inside, overlap
from saom_player.tables.layout import PlacedObject

FLAT_ON_WALLS = {"Window", "Painting", "Mirror", "Poster", "Blinds", "LightSwitch"}
"""Things whose face is parallel to their wall; their yaw does not tell which way they face."""
_BACKED = {"LightSwitch", "HandTowelHolder", "TowelHolder", "ToiletPaperHanger", "Toilet", "Fridge"}
"""Things whose own +z looks away from the wall behind them, in AI2-THOR's models."""
_IN_WALLS = {"Floor", "Window", "Curtains", "Blinds", "Painting", "Mirror", "Poster", "LightSwitch"}
_THROUGH_WALLS = {"Window", "Blinds"}
_BEYOND_M = 0.15
"""A wall moves out by this much for things that reach into it; from things that reach further it stops."""
_CORRIDOR_M = 0.5
_BACK_TO_WALL_M = 0.4
_GAP_M = 0.03
_LOOSE_FLOOR_M = 2.0
_LARGEST_CUT = 0.5


@dataclass(frozen=True)
class WallSegment:
    """A straight piece of wall: its inner face lies at ``at`` on ``axis`` (0: x, 1: z), from ``low`` to ``high``."""

    axis: int
    at: float
    low: float
    high: float
    inward: int
    """+1 or -1: which way along the axis the room lies."""


@dataclass(frozen=True)
class _Clue:
    """Something shows a wall: at ``at`` on ``axis``, towards ``outward``, over [low, high] along the wall."""

    axis: int
    at: float
    outward: int
    low: float
    high: float


def footprint(o: PlacedObject) -> Rectangle:
    """The floor rectangle around an object."""
    low, high = o.extent()
    return (float(low[0]), float(low[2]), float(high[0]), float(high[2]))


def thin_axis(o: PlacedObject) -> int:
    """The horizontal axis (0: x, 1: z) along which an object is thinner."""
    x0, z0, x1, z1 = footprint(o)
    return 0 if x1 - x0 < z1 - z0 else 1


def outline(objects: Sequence[PlacedObject]) -> list[Rectangle]:
    """The room's floor plan as rectangles that do not overlap."""
    solids = [footprint(o) for o in objects if o.object_type not in _IN_WALLS]
    hung = [footprint(o) for o in objects if o.object_type in FLAT_ON_WALLS - _THROUGH_WALLS]
    outer = _outer(objects, [*solids, *hung])
    clues = [clue for o in objects if (clue := _clue(o, outer, solids)) is not None]
    # The deepest first: what is cut by them need not be argued about again.
    holes: list[Rectangle] = []
    for clue in clues:
        corridors = [_corridor(other) for other in clues if _deeper(other, clue) > 2 * _BEYOND_M]
        hole = _behind(clue, outer, solids, hung, corridors)
        if hole is not None:
            holes.append(hole)
    return cut([outer], holes)


def _outer(objects: Sequence[PlacedObject], held: Sequence[Rectangle]) -> Rectangle:
    """The floor's box, drawn in to what is in the room, and out to hold all of it."""
    in_walls = [_flattened(footprint(o), thin_axis(o)) for o in objects if o.object_type in _THROUGH_WALLS]
    everything = np.array([*held, *in_walls])
    around = (*everything[:, :2].min(0), *everything[:, 2:].max(0))
    floor = next((footprint(o) for o in objects if o.object_type == "Floor"), around)
    sides = []
    for side in range(4):
        sign = -1 if side < 2 else 1
        furthest, edge = sign * around[side], sign * floor[side]
        reach = furthest + _GAP_M if edge - furthest < _LOOSE_FLOOR_M else edge
        sides.append(round(sign * reach, 4))
    return (sides[0], sides[1], sides[2], sides[3])


def _flattened(r: Rectangle, axis: int) -> Rectangle:
    """A rectangle without its extent along an axis: a window reaches outside, its middle is in the wall."""
    x, z = (r[0] + r[2]) / 2, (r[1] + r[3]) / 2
    return (x, r[1], x, r[3]) if axis == 0 else (r[0], z, r[2], z)


def _clue(o: PlacedObject, outer: Rectangle, solids: Sequence[Rectangle]) -> _Clue | None:
    r = footprint(o)
    if o.object_type in _BACKED:
        turn = np.radians(o.rotation_deg[1])
        back = -np.array([np.sin(turn), np.cos(turn)])
        axis = int(np.argmax(np.abs(back)))
        outward = int(np.sign(back[axis]))
        return _Clue(axis, r[axis + 2] if outward > 0 else r[axis], outward, r[1 - axis], r[3 - axis])
    if o.object_type not in FLAT_ON_WALLS:
        return None
    axis = thin_axis(o)
    if r[axis + 2] - r[axis] > _BACK_TO_WALL_M:
        return None  # It hangs at an angle.
    middle = (r[axis] + r[axis + 2]) / 2
    found = []
    for outward in (-1, 1):
        at = middle if o.object_type in _THROUGH_WALLS else (r[axis + 2] if outward > 0 else r[axis])
        clue = _Clue(axis, at, outward, r[1 - axis], r[3 - axis])
        if not any(_reaches(s, clue) > _BEYOND_M and _meets(s, clue) for s in solids):
            found.append((_depth(clue, outer), outward, clue))
    return min(found)[2] if found else None


def _depth(clue: _Clue, outer: Rectangle) -> float:
    """How far the outer rectangle goes on behind a clue."""
    return outer[clue.axis + 2] - clue.at if clue.outward > 0 else clue.at - outer[clue.axis]


def _reaches(r: Rectangle, clue: _Clue) -> float:
    """How far a rectangle reaches beyond a clue's wall."""
    return r[clue.axis + 2] - clue.at if clue.outward > 0 else clue.at - r[clue.axis]


def _meets(r: Rectangle, clue: _Clue) -> bool:
    return min(r[3 - clue.axis], clue.high) - max(r[1 - clue.axis], clue.low) > _GAP_M


def _deeper(other: _Clue, clue: _Clue) -> float:
    """How far another clue's wall lies outside a clue's; minus infinity where they face different ways."""
    same = other.axis == clue.axis and other.outward == clue.outward
    return (other.at - clue.at) * clue.outward if same else -np.inf


def _corridor(clue: _Clue) -> Rectangle:
    """The floor before a clue's wall, which is room for sure."""
    near, far = sorted((clue.at, clue.at - clue.outward * _CORRIDOR_M))
    return (near, clue.low, far, clue.high) if clue.axis == 0 else (clue.low, near, clue.high, far)


def _behind(
    clue: _Clue,
    outer: Rectangle,
    solids: Sequence[Rectangle],
    hung: Sequence[Rectangle],
    corridors: Iterable[Rectangle],
) -> Rectangle | None:
    """What lies behind a clue's wall, out to the outer rectangle, as wide as nothing stands there."""
    if _depth(clue, outer) <= 0:
        return None
    blockers = [r for r in (*solids, *corridors) if _reaches(r, clue) > _BEYOND_M]
    if any(_meets(r, clue) for r in blockers):
        return None
    low_edge, high_edge = outer[1 - clue.axis], outer[3 - clue.axis]
    middle = (clue.low + clue.high) / 2
    low = max((r[3 - clue.axis] + _GAP_M for r in blockers if r[1 - clue.axis] < middle), default=low_edge)
    high = min((r[1 - clue.axis] - _GAP_M for r in blockers if r[3 - clue.axis] > middle), default=high_edge)
    spread = _Clue(clue.axis, clue.at, clue.outward, low, high)
    reaches = [_reaches(r, spread) for r in (*solids, *hung) if _meets(r, spread)]
    pushed = max([0.0, *(reach for reach in reaches if reach <= _BEYOND_M)])
    at = clue.at + clue.outward * pushed
    far = outer[clue.axis + 2] if clue.outward > 0 else outer[clue.axis]
    near, far = sorted((at, far))
    hole = (near, low, far, high) if clue.axis == 0 else (low, near, high, far)
    whole = (outer[2] - outer[0]) * (outer[3] - outer[1])
    return hole if 0 < overlap(hole, outer) < _LARGEST_CUT * whole else None


def wall_segments(plan: Sequence[Rectangle]) -> list[WallSegment]:
    """The walls around a floor plan, in a fixed order."""
    found = []
    for axis in (0, 1):
        lines = sorted({v for r in plan for v in (r[axis], r[axis + 2])})
        along = sorted({v for r in plan for v in (r[1 - axis], r[3 - axis])})
        for at in lines:
            for inward in (1, -1):
                runs = [
                    (a, b) for a, b in pairwise(along) if b - a > 1e-9 and _is_wall(plan, axis, at, (a + b) / 2, inward)
                ]
                found += [WallSegment(axis, at, low, high, inward) for low, high in _merged(runs)]
    return found


def _is_wall(plan: Sequence[Rectangle], axis: int, at: float, along: float, inward: int) -> bool:
    def room(offset: float) -> bool:
        point = (at + offset, along) if axis == 0 else (along, at + offset)
        return inside(point[0], point[1], plan)

    return room(inward * 1e-3) and not room(-inward * 1e-3)


def _merged(runs: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for low, high in runs:
        if merged and merged[-1][1] == low:
            merged[-1] = (merged[-1][0], high)
        else:
            merged.append((low, high))
    return merged
