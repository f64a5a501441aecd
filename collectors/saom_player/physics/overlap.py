"""What is in the way: the triangles of all that a scene shows, asked for overlap with boxes and for what is above."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saom_player.scene import Scene
from saom_player.shapes.mesh import Part

Floats = NDArray[np.float64]
_FAR_UP = np.array([0.0, 50.0, 0.0])
_EDGE_AXES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@dataclass(frozen=True)
class Space:
    """An oriented box to be filled: centre (3,), axes as columns (3, 3), half sizes (3,), in metres."""

    center: Floats
    axes: Floats
    half: Floats

    def reach(self) -> Floats:
        """(3,) half sizes of the axis-aligned box around it."""
        return np.asarray(np.abs(self.axes) @ self.half, np.float64)

    def shrunk(self, by_m: float) -> "Space":
        """The box with every side so much further in; never inside out."""
        return Space(self.center, self.axes, np.maximum(self.half - by_m, 2e-4))


def triangles_of(parts: Iterable[Part]) -> Floats:
    """(T, 3, 3) corners of all parts."""
    return np.concatenate([np.zeros((0, 3, 3)), *(part.mesh.positions for part in parts)]).astype(np.float64)


class Obstacles:
    """The triangles of each object and structure; objects can be moved without looking at the others again."""

    def __init__(self, scene: Scene) -> None:
        self._names = [thing.object_id for thing in scene.objects]
        self._names += [f"structure {k}" for k in range(len(scene.structures))]
        self._row = {name: row for row, name in enumerate(self._names)}
        self._triangles = [triangles_of(instance.parts) for instance in scene.instances()]
        self._low = np.full((len(self._names), 3), np.inf)
        self._high = np.full((len(self._names), 3), -np.inf)
        for row in range(len(self._names)):
            self._measure(row)

    def move(self, name: str, triangles: Floats) -> None:
        """Replace an object's triangles; an unknown name is a new object."""
        if name not in self._row:
            self._row[name] = len(self._names)
            self._names.append(name)
            self._triangles.append(triangles)
            self._low, self._high = (np.concatenate([a, np.zeros((1, 3))]) for a in (self._low, self._high))
        row = self._row[name]
        self._triangles[row] = triangles
        self._measure(row)

    def overlap(self, space: Space, ignore: Collection[str] = ()) -> bool:
        """Whether any triangle reaches into a box."""
        low, high = space.center - space.reach(), space.center + space.reach()
        return any(_reaches(found, space) for found in self._near(low, high, ignore))

    def buried(self, point: Floats, ignore: Collection[str] = ()) -> bool:
        """Whether a point lies inside something solid: what is next above it is seen from within."""
        nearest, inside = np.inf, False
        for found in self._near(point, point + _FAR_UP, ignore):
            height, up = _next_above(found, point)
            if height < nearest:
                nearest, inside = height, up
        return inside

    def _near(self, low: Floats, high: Floats, ignore: Collection[str]) -> Iterable[Floats]:
        """The triangles within an axis-aligned box, of every instance that has some."""
        for row in np.flatnonzero(((self._low <= high) & (self._high >= low)).all(axis=1)):
            if self._names[row] in ignore:
                continue
            corners = self._triangles[row]
            near = (corners.min(axis=1) <= high).all(axis=1) & (corners.max(axis=1) >= low).all(axis=1)
            if near.any():
                yield corners[near]

    def _measure(self, row: int) -> None:
        corners = self._triangles[row].reshape(-1, 3)
        if len(corners):
            self._low[row], self._high[row] = corners.min(axis=0), corners.max(axis=0)
        else:
            self._low[row], self._high[row] = np.inf, -np.inf


def _reaches(triangles: Floats, space: Space) -> bool:
    """Whether a triangle of (T, 3, 3) and the box share a point: no axis separates the two."""
    local = (triangles - space.center) @ space.axes
    free = ((local.min(axis=1) > space.half) | (local.max(axis=1) < -space.half)).any(axis=1)
    local = local[~free]
    if not len(local):
        return False
    edges = np.roll(local, -1, axis=1) - local
    apart = _separates(local, np.cross(edges[:, 0], edges[:, 1]), space.half)
    for axis in _EDGE_AXES:
        for edge in range(3):
            apart |= _separates(local, np.cross(axis, edges[:, edge]), space.half)
    return bool((~apart).any())


def _separates(triangles: Floats, axis: Floats, half: Floats) -> NDArray[np.bool_]:
    """(T,) whether the axes (T, 3) have a triangle on one side of the box about the origin."""
    at = np.einsum("tik,tk->ti", triangles, axis)
    reach = np.abs(axis) @ half
    return np.asarray((at.min(axis=1) > reach) | (at.max(axis=1) < -reach))


def _next_above(triangles: Floats, point: Floats) -> tuple[float, bool]:
    """How far above a point the next triangle is (inf: none), and whether that one faces up."""
    height, up = surfaces_at(triangles, point[None, [0, 2]])
    above = np.where(height[0] > point[1], height[0], np.inf)
    if not len(above) or not np.isfinite(above).any():
        return np.inf, False
    return float(above.min() - point[1]), bool(up[int(above.argmin())])


def surfaces_at(triangles: Floats, points_xz: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """(P, T) heights at which vertical lines through (P, 2) points meet triangles, nan: not; (T,) which face up."""
    a, b, c = (triangles[:, k] for k in range(3))
    ab, ac = b - a, c - a
    twice = ab[:, 2] * ac[:, 0] - ab[:, 0] * ac[:, 2]
    safe = np.where(np.abs(twice) > 1e-12, twice, np.nan)
    from_a = points_xz[:, None] - a[None][..., [0, 2]]
    u = (from_a[..., 1] * ac[:, 0] - from_a[..., 0] * ac[:, 2]) / safe
    v = (ab[:, 2] * from_a[..., 0] - ab[:, 0] * from_a[..., 1]) / safe
    with np.errstate(invalid="ignore"):
        hit = (u >= -1e-9) & (v >= -1e-9) & (u + v <= 1 + 1e-9)
    height = np.where(hit, a[:, 1] + u * ab[:, 1] + v * ac[:, 1], np.nan)
    return height, np.asarray(twice > 0)
