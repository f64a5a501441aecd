"""Polygons on the floor plan: area, inside or not, edges, and pieces that floors are made of."""

from collections.abc import Sequence
from itertools import pairwise

from saom_scenes.houses.model import Point

Quad = tuple[Point, Point, Point, Point]
_EPSILON = 1e-9


def edges(outline: Sequence[Point]) -> list[tuple[Point, Point]]:
    """The sides of a polygon that have a length."""
    return [(a, b) for a, b in pairwise([*outline, outline[0]]) if a != b]


def area_of(outline: Sequence[Point]) -> float:
    """In square metres, whichever way round the outline runs."""
    return abs(signed_area(outline))


def signed_area(outline: Sequence[Point]) -> float:
    """Positive where the outline runs counter-clockwise, seen with x to the right and z up."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise([*outline, outline[0]])) / 2


def inside(point: Point, outline: Sequence[Point]) -> bool:
    """Whether a point lies within a polygon."""
    x, z = point
    within = False
    for (x0, z0), (x1, z1) in edges(outline):
        if (z0 > z) != (z1 > z) and x < x0 + (z - z0) / (z1 - z0) * (x1 - x0):
            within = not within
    return within


def crosses_itself(outline: Sequence[Point]) -> bool:
    """Whether two sides of a polygon that are no neighbours meet."""
    sides = edges(outline)
    count = len(sides)
    return any(
        _cross(*sides[i], *sides[j])
        for i in range(count)
        for j in range(i + 2, count)
        if not (i == 0 and j == count - 1)
    )


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    def side(p: Point, q: Point, r: Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) < -_EPSILON and side(c, d, a) * side(c, d, b) < -_EPSILON


def pieces(outline: Sequence[Point]) -> list[Quad]:
    """A polygon as trapezoids between its corners' x: each as corners (x0, low), (x1, low), (x1, high), (x0, high)."""
    found: list[Quad] = []
    for x0, x1 in pairwise(sorted({x for x, _ in outline})):
        if x1 - x0 < _EPSILON:
            continue
        middle = (x0 + x1) / 2
        # Sides over this strip, by their height in its middle: from every first to every second is floor.
        over = sorted(
            (_at(a, b, middle), _at(a, b, x0), _at(a, b, x1))
            for a, b in edges(outline)
            if min(a[0], b[0]) <= x0 + _EPSILON and max(a[0], b[0]) >= x1 - _EPSILON
        )
        for (_, a0, a1), (_, b0, b1) in zip(over[::2], over[1::2], strict=False):
            found.append(((x0, a0), (x1, a1), (x1, b1), (x0, b0)))
    return found


def _at(a: Point, b: Point, x: float) -> float:
    return a[1] + (b[1] - a[1]) * (x - a[0]) / (b[0] - a[0])


def centroid(outline: Sequence[Point]) -> Point:
    """The middle of a polygon's area."""
    total = x = z = 0.0
    for a, b in pairwise([*outline, outline[0]]):
        weight = a[0] * b[1] - b[0] * a[1]
        total, x, z = total + weight, x + (a[0] + b[0]) * weight, z + (a[1] + b[1]) * weight
    return x / (3 * total), z / (3 * total)
