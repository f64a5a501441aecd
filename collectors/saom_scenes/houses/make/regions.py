"""Rectangles on the floor plan: what is free of a room, and the largest rectangles in it."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from saom_scenes.houses.model import Point
from saom_scenes.houses.plan import inside

Rect = tuple[float, float, float, float]
"""x0, z0, x1, z1 in metres."""
_SMALL = 1e-6


def meets(a: Rect, b: Rect) -> bool:
    """Whether two rectangles share some area."""
    return min(a[2], b[2]) - max(a[0], b[0]) > _SMALL and min(a[3], b[3]) - max(a[1], b[1]) > _SMALL


def grown(r: Rect, by: float) -> Rect:
    """A rectangle with a margin around it."""
    return r[0] - by, r[1] - by, r[2] + by, r[3] + by


def within(r: Rect, outline: Sequence[Point]) -> bool:
    """Whether a rectangle lies in a room whose walls run along x and z."""
    x0, z0, x1, z1 = r
    xs = sorted({x0, x1, *(x for x, _ in outline if x0 < x < x1)})
    zs = sorted({z0, z1, *(z for _, z in outline if z0 < z < z1)})
    middles = [((a + b) / 2, (c + d) / 2) for a, b in pairwise(xs)
               for c, d in pairwise(zs)]  # fmt: skip
    return all(inside(point, outline) for point in middles)


def free_rectangles(outline: Sequence[Point], taken: Iterable[Rect], least_m: float) -> list[Rect]:
    """All rectangles of a room that nothing taken reaches into and that cannot be larger, the largest first."""
    blocks = list(taken)
    xs = _lines([x for x, _ in outline], [v for r in blocks for v in (r[0], r[2])])
    zs = _lines([z for _, z in outline], [v for r in blocks for v in (r[1], r[3])])
    free = np.array(
        [[_is_free(((a + b) / 2, (c + d) / 2), outline, blocks) for a, b in pairwise(xs)] for c, d in pairwise(zs)],
        np.bool_,
    )
    found = [(xs[i], zs[j], xs[k], zs[m]) for j, i, m, k in _maximal(free)]
    kept = [r for r in found if min(r[2] - r[0], r[3] - r[1]) >= least_m]
    return sorted(kept, key=lambda r: (-(r[2] - r[0]) * (r[3] - r[1]), r))


def _lines(walls: Sequence[float], others: Sequence[float]) -> list[float]:
    low, high = min(walls), max(walls)
    return sorted({round(v, 4) for v in (*walls, *others) if low <= v <= high})


def _is_free(point: Point, outline: Sequence[Point], blocks: Sequence[Rect]) -> bool:
    x, z = point
    return inside(point, outline) and not any(r[0] < x < r[2] and r[1] < z < r[3] for r in blocks)


def _maximal(free: NDArray[np.bool_]) -> list[tuple[int, int, int, int]]:
    """Row and column of the first corner and of the last, exclusive, of every full block that cannot grow."""
    rows, columns = free.shape
    found = []
    for top in range(rows):
        clear = np.ones(columns, np.bool_)
        for bottom in range(top, rows):
            clear &= free[bottom]
            if not clear.any():
                break
            for left, right in _runs(clear):
                above = top > 0 and free[top - 1, left:right].all()
                below = bottom + 1 < rows and free[bottom + 1, left:right].all()
                if not above and not below:
                    found.append((top, left, bottom + 1, right))
    return found


def _runs(clear: NDArray[np.bool_]) -> list[tuple[int, int]]:
    padded = np.concatenate([[False], clear, [False]])
    changes = np.flatnonzero(padded[1:] != padded[:-1])
    return list(zip(changes[::2].tolist(), changes[1::2].tolist(), strict=True))
