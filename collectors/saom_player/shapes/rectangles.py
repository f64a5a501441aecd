"""Rectangles on the floor plan: (x0, z0, x1, z1) in metres; cutting some out of others."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

Rectangle = tuple[float, float, float, float]
_SLIVER_M = 0.01


def cut(wholes: Sequence[Rectangle], holes: Sequence[Rectangle]) -> list[Rectangle]:
    """The union of ``wholes`` less ``holes``, as rectangles that do not overlap; slivers are dropped."""
    xs = sorted({x for r in (*wholes, *holes) for x in (r[0], r[2])})
    zs = sorted({z for r in (*wholes, *holes) for z in (r[1], r[3])})
    strips: list[Rectangle] = []
    for x0, x1 in pairwise(xs):
        strips += _column(x0, x1, zs, wholes, holes)
    return [r for r in _joined(strips) if r[2] - r[0] > _SLIVER_M and r[3] - r[1] > _SLIVER_M]


def _column(
    x0: float, x1: float, zs: Sequence[float], wholes: Sequence[Rectangle], holes: Sequence[Rectangle]
) -> list[Rectangle]:
    """The kept runs of one column of cells."""
    runs: list[Rectangle] = []
    for z0, z1 in pairwise(zs):
        x, z = (x0 + x1) / 2, (z0 + z1) / 2
        if inside(x, z, wholes) and not inside(x, z, holes):
            if runs and runs[-1][3] == z0:
                runs[-1] = (x0, runs[-1][1], x1, z1)
            else:
                runs.append((x0, z0, x1, z1))
    return runs


def _joined(strips: Iterable[Rectangle]) -> list[Rectangle]:
    """Neighbouring columns of equal runs as one rectangle."""
    joined: list[Rectangle] = []
    for strip in strips:
        for i, other in enumerate(joined):
            if other[2] == strip[0] and other[1] == strip[1] and other[3] == strip[3]:
                joined[i] = (other[0], other[1], strip[2], other[3])
                break
        else:
            joined.append(strip)
    return joined


def inside(x: float, z: float, rectangles: Iterable[Rectangle]) -> bool:
    """Whether a point lies in any of the rectangles."""
    return any(r[0] <= x <= r[2] and r[1] <= z <= r[3] for r in rectangles)


def overlap(a: Rectangle, b: Rectangle) -> float:
    """The area that two rectangles share, in square metres."""
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def area(r: Rectangle) -> float:
    """A rectangle's area in square metres."""
    return max(0.0, r[2] - r[0]) * max(0.0, r[3] - r[1])


def clipped(wholes: Iterable[Rectangle], to: Sequence[Rectangle]) -> list[Rectangle]:
    """What of ``wholes`` lies within ``to``, whose rectangles do not overlap."""
    found = []
    for a in wholes:
        for b in to:
            r = (max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3]))
            if r[2] - r[0] > _SLIVER_M and r[3] - r[1] > _SLIVER_M:
                found.append(r)
    return found


def grown(r: Rectangle, by: float) -> Rectangle:
    """A rectangle with a margin around it, or shrunk by a negative one."""
    return (r[0] - by, r[1] - by, r[2] + by, r[3] + by)
