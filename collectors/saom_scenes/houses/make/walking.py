"""Whether one can walk to every room of a house between its furniture: a coarse map, flooded."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from saom_scenes.houses.make.regions import Rect
from saom_scenes.houses.model import Point

CELL_M = 0.1
RADIUS_M = 0.3
"""An agent's, with what a grid of positions a quarter of a metre apart needs on top."""


def reached_cells(
    outlines: Sequence[Sequence[Point]], passages: Sequence[Rect], furniture: Sequence[Rect]
) -> list[int]:
    """For each room, how many cells of its floor belong to the largest stretch that can be walked in one go.

    ``passages`` are the holes between rooms, a little deeper than the wall on both sides.
    """
    points = np.array([corner for outline in outlines for corner in outline])
    low, high = points.min(axis=0) - CELL_M, points.max(axis=0) + CELL_M
    xs, zs = (np.arange(low[k], high[k], CELL_M) + CELL_M / 2 for k in (0, 1))
    rooms = [_covered(xs, zs, outline) for outline in outlines]
    free = np.zeros((len(zs), len(xs)), np.bool_)
    for floor in rooms:
        free |= floor & ~_near(~floor)
    for r in passages:
        free |= _in(xs, zs, r)
    for r in furniture:
        free &= ~_in(xs, zs, (r[0] - RADIUS_M, r[1] - RADIUS_M, r[2] + RADIUS_M, r[3] + RADIUS_M))
    largest = _largest(free)
    return [int((largest & floor).sum()) for floor in rooms]


def _covered(xs: NDArray[np.float64], zs: NDArray[np.float64], outline: Sequence[Point]) -> NDArray[np.bool_]:
    """(Z, X) which cells' middles lie in a polygon."""
    inside = np.zeros((len(zs), len(xs)), np.bool_)
    ends = [*outline[1:], outline[0]]
    for (x0, z0), (x1, z1) in zip(outline, ends, strict=True):
        if z0 == z1:
            continue
        between = ((z0 > zs) != (z1 > zs))[:, None]
        inside ^= between & (xs[None, :] < (x0 + (zs - z0) / (z1 - z0) * (x1 - x0))[:, None])
    return inside


def _in(xs: NDArray[np.float64], zs: NDArray[np.float64], r: Rect) -> NDArray[np.bool_]:
    x0, z0, x1, z1 = r
    return ((zs > z0) & (zs < z1))[:, None] & ((xs > x0) & (xs < x1))[None, :]


def _near(blocked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Cells within the radius of a blocked one."""
    reach = round(RADIUS_M / CELL_M)
    near = blocked.copy()
    for _ in range(reach):
        wide = np.pad(near, 1, constant_values=True)
        near = wide[1:-1, 1:-1] | wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:]
    return near


def _largest(free: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest connected part."""
    label = np.where(free, np.arange(1, free.size + 1).reshape(free.shape), 0)
    while True:
        # Along whole rows and columns at once, so that few rounds do.
        spread = label
        for axis in (0, 1):
            for step in (1, -1):
                spread = _swept(spread, free, axis, step)
        if np.array_equal(spread, label):
            break
        label = spread
    if not free.any():
        return free
    return np.asarray(label == int(np.bincount(label[free]).argmax()))


def _swept(label: NDArray[np.int64], free: NDArray[np.bool_], axis: int, step: int) -> NDArray[np.int64]:
    """The greatest label met on the way along an axis carried on until the next cell that is not free."""
    moved = np.moveaxis(label, axis, 0)[::step].copy()
    open_ = np.moveaxis(free, axis, 0)[::step]
    for k in range(1, len(moved)):
        moved[k] = np.where(open_[k], np.maximum(moved[k], moved[k - 1]), 0)
    return np.moveaxis(moved[::step], 0, axis)
