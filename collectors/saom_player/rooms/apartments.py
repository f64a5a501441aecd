"""RoboTHOR's apartments: one long room, and inner walls of panels that the metadata does not have.

Each apartment comes in five variations with its walls in the same places. What hangs away from the outer walls, in all
five, shows where panels stand; a panel goes on to the next wall where that crosses no furniture of any variation and
shuts nobody in.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from saom_player.rooms.outline import WallSegment, footprint, thin_axis
from saom_player.shapes.rectangles import Rectangle, grown, overlap
from saom_player.tables.layout import PlacedObject, placed_objects

APARTMENT: Rectangle = (1.0, -4.91, 9.8, -1.0)
"""The floor of every apartment: paintings on the outer walls hang in these planes in all 75 scenes."""
PANEL_M = 0.036
PANEL_HEIGHT_M = 2.33
_SCENE = re.compile(r"FloorPlan_(Train|Val)(\d+)_([1-5])")
_OUTER_M = 0.3
_SAME_WALL_M = 0.08
_GAP_M = 1.3
_FURTHEST_M = 1.7
_BESIDE_M = 0.06
_LOWEST_M = 0.1
# A wall ends so far beyond what hangs there, or their ends would lie in one plane.
_BEYOND_M = 0.01
_CELL_M = 0.1
_RADIUS_M = 0.22
_KEPT_SHARE = 0.95
_HANG = {"Painting"}
_Line = tuple[int, float, float, float]
"""A wall's axis, where it is on that axis, and its ends along the other."""


def is_apartment(scene: str) -> bool:
    """Whether a scene is one of RoboTHOR's."""
    return _SCENE.fullmatch(scene) is not None


def panels(scene: str) -> tuple[Rectangle, ...]:
    """The floor rectangles of a RoboTHOR scene's inner walls."""
    return _panels(scene.rpartition("_")[0])


def panel_faces(rectangles: Iterable[Rectangle]) -> list[WallSegment]:
    """Both faces of each panel."""
    found = []
    for r in rectangles:
        axis = 0 if r[2] - r[0] < r[3] - r[1] else 1
        found += [WallSegment(axis, r[axis + side], r[1 - axis], r[3 - axis], 1 if side else -1) for side in (0, 2)]
    return found


@lru_cache(maxsize=4)
def _panels(apartment: str) -> tuple[Rectangle, ...]:
    variations = [placed_objects(f"{apartment}_{k}") for k in range(1, 6)]
    furniture = [[footprint(o) for o in objects if _stands(o)] for objects in variations]
    everything = [r for rectangles in furniture for r in rectangles]
    lines = _joined(sorted(_shown(o for objects in variations for o in objects)), everything)
    free = [_free(rectangles) for rectangles in furniture]
    for length, i, end, to in sorted(_extensions(lines, everything)):
        longer = [*lines[:i], _extended(lines[i], end, to), *lines[i + 1 :]]
        if length > 0 and all(_still_open(cells, lines, longer) for cells in free):
            lines = longer
    return tuple(_rectangle(line) for line in lines)


def _stands(o: PlacedObject) -> bool:
    """Whether no wall can be where an object is."""
    low, high = o.extent()
    return o.object_type not in _HANG and high[1] - low[1] > _LOWEST_M and low[1] < PANEL_HEIGHT_M


def _shown(objects: Iterable[PlacedObject]) -> Iterable[_Line]:
    """The pieces of inner wall behind what hangs there."""
    for o in objects:
        if o.object_type not in _HANG:
            continue
        axis, r = thin_axis(o), footprint(o)
        ahead = float(o.box.axes()[2 * axis, 2])
        back = r[axis] if ahead > 0 else r[axis + 2]
        if min(abs(back - APARTMENT[axis]), abs(back - APARTMENT[axis + 2])) > _OUTER_M:
            yield axis, back - np.sign(ahead) * PANEL_M / 2, r[1 - axis] - _BEYOND_M, r[3 - axis] + _BEYOND_M


def _joined(lines: Sequence[_Line], furniture: Sequence[Rectangle]) -> list[_Line]:
    """Pieces in one plane as one wall, where nothing stands between them."""
    walls: list[_Line] = []
    for axis, at, low, high in sorted(lines, key=lambda line: (line[0], line[2], line[1])):
        for i, (other_axis, other, from_, to) in enumerate(walls):
            near = axis == other_axis and abs(at - other) < _SAME_WALL_M
            between = _rectangle((axis, other, min(to, high), max(to, low)))
            if near and low < to + _GAP_M and (low < to or not _hit(between, furniture)):
                walls[i] = (axis, other, from_, max(to, high))
                break
        else:
            walls.append((axis, at, low, high))
    return walls


def _rectangle(line: _Line) -> Rectangle:
    axis, at, low, high = line
    near, far = at - PANEL_M / 2, at + PANEL_M / 2
    return (near, low, far, high) if axis == 0 else (low, near, high, far)


def _hit(r: Rectangle, furniture: Iterable[Rectangle]) -> bool:
    return any(overlap(r, other) > 1e-4 for other in furniture)


def _extensions(lines: Sequence[_Line], furniture: Sequence[Rectangle]) -> Iterable[tuple[float, int, int, float]]:
    """(length, which wall, 0 low or 1 high end, to where) of the ways in which walls could go on to the next."""
    for i, (axis, at, low, high) in enumerate(lines):
        across = [other[1] for other in lines if other[0] != axis and other[2] - _GAP_M < at < other[3] + _GAP_M]
        for end, here in enumerate((low, high)):
            ahead = [v for v in (*across, APARTMENT[1 - axis + 2 * end]) if (v > here) == bool(end)]
            to = min(ahead, key=lambda v: abs(v - here), default=here)
            way = _rectangle((axis, at, min(here, to), max(here, to)))
            if abs(to - here) < _FURTHEST_M and not _hit(grown(way, -0.01), furniture):
                yield abs(to - here), i, end, to


def _extended(line: _Line, end: int, to: float) -> _Line:
    axis, at, low, high = line
    return (axis, at, low, to) if end else (axis, at, to, high)


def _centers() -> NDArray[np.float64]:
    """(I, K, 2) points all over the floor."""
    x0, z0, x1, z1 = APARTMENT
    x, z = np.meshgrid(np.arange(x0, x1, _CELL_M), np.arange(z0, z1, _CELL_M), indexing="ij")
    return np.stack([x, z], axis=-1)


def _clear(rectangles: Iterable[Rectangle]) -> NDArray[np.bool_]:
    """(I, K) where an agent's body is in none of the rectangles."""
    points = _centers()
    clear = np.ones(points.shape[:2], np.bool_)
    for r in rectangles:
        x0, z0, x1, z1 = grown(r, _RADIUS_M)
        clear &= ~((points[..., 0] > x0) & (points[..., 0] < x1) & (points[..., 1] > z0) & (points[..., 1] < z1))
    return clear


def _free(furniture: Iterable[Rectangle]) -> NDArray[np.bool_]:
    """(I, K) where an agent fits between the furniture."""
    x0, z0, x1, z1 = APARTMENT
    walls = [(x0, z0, x0, z1), (x1, z0, x1, z1), (x0, z0, x1, z0), (x0, z1, x1, z1)]
    return _clear([*furniture, *walls])


def _still_open(free: NDArray[np.bool_], before: Sequence[_Line], after: Sequence[_Line]) -> bool:
    """Whether longer walls leave the places that can be walked between together."""
    was, now = (_largest(free & _clear(map(_rectangle, lines))) for lines in (before, after))
    shadow = int((_clear(map(_rectangle, before)) & ~_clear(map(_rectangle, after)) & free).sum())
    return now >= _KEPT_SHARE * (was - shadow)


def _largest(free: NDArray[np.bool_]) -> int:
    """How many cells the largest connected part has."""
    label = np.where(free, np.arange(1, free.size + 1).reshape(free.shape), 0)
    while True:
        wide = np.pad(label, 1)
        around = np.max([wide[1:-1, 1:-1], wide[:-2, 1:-1], wide[2:, 1:-1], wide[1:-1, :-2], wide[1:-1, 2:]], axis=0)
        spread = np.where(free, around, 0)
        if np.array_equal(spread, label):
            return int(np.bincount(label[free]).max()) if free.any() else 0
        label = spread
