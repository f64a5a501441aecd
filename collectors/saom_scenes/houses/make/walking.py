"""Whether one can walk to every room of a house between its furniture, on the grid that AI2-THOR's agents walk on."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from saom_scenes.houses.make.regions import Rect
from saom_scenes.houses.model import Point

Mask = NDArray[np.bool_]
STEP_M = 0.25
"""AI2-THOR's grid."""
RADIUS_M = 0.24
"""An agent's 0.2 m, and a little."""
_FINE = 5
"""Points looked at on the way from one position to the next."""


def reached_positions(
    outlines: Sequence[Sequence[Point]], passages: Sequence[Rect], furniture: Sequence[Rect]
) -> list[int]:
    """For each room, how many positions of the grid in it belong to the largest set that can be walked between.

    ``passages`` are where an agent's middle may be in the holes between rooms, a little deeper than the walls.
    """
    points = np.array([corner for outline in outlines for corner in outline])
    low, high = np.floor(points.min(axis=0) / STEP_M), np.ceil(points.max(axis=0) / STEP_M)
    fine = STEP_M / _FINE
    xs, zs = (np.arange(int(low[k]) * _FINE, int(high[k]) * _FINE + 1, dtype=np.float64) * fine for k in (0, 1))
    rooms = [_covered(xs, zs, outline) for outline in outlines]
    free = np.zeros((len(zs), len(xs)), np.bool_)
    for floor in rooms:
        free |= floor & ~_near(~floor, round(RADIUS_M / fine))
    for r in passages:
        free |= _in(xs, zs, r)
    for x0, z0, x1, z1 in furniture:
        free &= ~_in(xs, zs, (x0 - RADIUS_M, z0 - RADIUS_M, x1 + RADIUS_M, z1 + RADIUS_M))
    largest = _largest(free)
    return [int((largest & floor[::_FINE, ::_FINE]).sum()) for floor in rooms]


def _covered(xs: NDArray[np.float64], zs: NDArray[np.float64], outline: Sequence[Point]) -> Mask:
    """(Z, X) which points lie in a polygon."""
    inside = np.zeros((len(zs), len(xs)), np.bool_)
    ends = [*outline[1:], outline[0]]
    for (x0, z0), (x1, z1) in zip(outline, ends, strict=True):
        if z0 == z1:
            continue
        between = ((z0 > zs) != (z1 > zs))[:, None]
        inside ^= between & (xs[None, :] < (x0 + (zs - z0) / (z1 - z0) * (x1 - x0))[:, None])
    return inside


def _in(xs: NDArray[np.float64], zs: NDArray[np.float64], r: Rect) -> Mask:
    x0, z0, x1, z1 = r
    return ((zs > z0) & (zs < z1))[:, None] & ((xs > x0) & (xs < x1))[None, :]


def _near(blocked: Mask, reach: int) -> Mask:
    """Points that are so many steps or fewer from a blocked one."""
    near = blocked.copy()
    for _ in range(reach):
        wide = np.pad(near, 1, constant_values=True)
        near = wide[1:-1, 1:-1] | wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:]
    return near


def _largest(free: Mask) -> Mask:
    """(J, I) which positions are in the largest set that is linked by ways that are free all along."""
    nodes = free[::_FINE, ::_FINE]
    east, north = nodes[:, :-1].copy(), nodes[:-1].copy()
    for step in range(1, _FINE + 1):
        east &= free[::_FINE, step::_FINE][:, : east.shape[1]]
        north &= free[step::_FINE, ::_FINE][: north.shape[0]]
    best: set[tuple[int, int]] = set()
    seen: set[tuple[int, int]] = set()
    for j, i in np.argwhere(nodes).tolist():
        if (j, i) not in seen:
            part = _linked((j, i), east, north)
            seen |= part
            best = max(best, part, key=len)
    largest = np.zeros_like(nodes)
    for j, i in best:
        largest[j, i] = True
    return largest


def _linked(start: tuple[int, int], east: Mask, north: Mask) -> set[tuple[int, int]]:
    """All positions that can be walked to from one."""
    found, edge = {start}, [start]
    while edge:
        j, i = edge.pop()
        near = []
        if i < east.shape[1] and east[j, i]:
            near.append((j, i + 1))
        if i and east[j, i - 1]:
            near.append((j, i - 1))
        if j < north.shape[0] and north[j, i]:
            near.append((j + 1, i))
        if j and north[j - 1, i]:
            near.append((j - 1, i))
        new = [node for node in near if node not in found]
        found.update(new)
        edge += new
    return found
