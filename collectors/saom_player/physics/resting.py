"""How things come to rest: which side down, on which spot of a receptacle, and whether they would stay there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saom_player.physics.overlap import Floats, Space, surfaces_at, triangles_of
from saom_player.physics.poses import Move
from saom_player.scene import Scene, SceneObject
from saom_player.shapes.transforms import rotation

_LEVEL_SHARE = 0.9
_UPRIGHT_SHARE = 0.995
_TOUCH_M = 0.005
_EDGE_DROP_M = 0.02
_FROM_EDGE_M = 0.012
_TOUCHING_SHARE = 0.5
_GRATE_SHARE = 0.25
_GRATES = frozenset({"StoveBurner"})
_DOORS_ONLY = frozenset({"Cabinet"})
_BUILT_M = 0.02
_TRIES_WITHIN = 8
_FOOT_POINTS = 7
_FOOT_HEIGHT_SHARE = 0.12
_LIFT_M = 0.003
_SLIM_M = 0.001
_SNUG = 6.0
# What is as slim as a bat or a pen does not stay on its end.
_STEEPEST = 6.0


@dataclass(frozen=True)
class Body:
    """What moves together, stood upright about the origin: its foot's middle is at (0, 0, 0)."""

    upright: Move
    """Puts the things as they are now upright about the origin."""
    half: Floats
    """(3,) half of its size; its middle is half[1] above its foot."""
    foot: Floats
    """(2,) half of the size of what it stands on, along x and z: under a mug's handle is nothing."""
    foot_center: Floats
    """(2,) that part's middle, x and z."""

    def to(self, spot: Floats, yaw_deg: float) -> Move:
        """The motion that stands it on a spot, turned."""
        turn = rotation(y_deg=yaw_deg)
        return Move(turn @ self.upright.turn, turn @ self.upright.shift + spot)

    def space(self, spot: Floats, yaw_deg: float) -> Space:
        """What it fills there; a hair above its support, which it touches."""
        center = spot + np.array([0.0, self.half[1] + _LIFT_M / 2, 0.0])
        half = np.maximum(self.half - (_SLIM_M, _LIFT_M / 2, _SLIM_M), 2e-4)
        return Space(center, rotation(y_deg=yaw_deg), half)


@dataclass(frozen=True)
class Surface:
    """What of a receptacle faces up: triangles (T, 3, 3), their areas (T,), and the box around all of it."""

    triangles: Floats
    areas: Floats
    low: Floats
    high: Floats
    is_grate: bool

    def spot(self, rng: np.random.Generator) -> Floats:
        """(3,) a point on it, every piece of area as likely as any other; hardly ever one beyond its box."""
        for _ in range(_TRIES_WITHIN):
            at = self._anywhere(rng)
            if (at[[0, 2]] >= self.low[[0, 2]]).all() and (at[[0, 2]] <= self.high[[0, 2]]).all():
                break
        return at

    def _anywhere(self, rng: np.random.Generator) -> Floats:
        chosen = int(rng.choice(len(self.areas), p=self.areas / self.areas.sum()))
        u, v = rng.random(2)
        if u + v > 1:
            u, v = 1 - u, 1 - v
        a, b, c = self.triangles[chosen]
        return np.asarray(a + u * (b - a) + v * (c - a), np.float64)

    def is_snug(self, body: Body) -> bool:
        """Whether a body takes a good part of it: then only the middle will do."""
        extent = self.high - self.low
        return bool(extent[0] * extent[2] < _SNUG * 4 * body.foot[0] * body.foot[1])


def surface_of(scene: Scene, receptacle: SceneObject) -> Surface | None:
    """What of a receptacle things can stand on; None for one that shows nothing to stand on.

    A floor is drawn as the structure of its name. What has no geometry of its own, or only doors, is part of the
    building: then it is whatever of the building lies in the receptacle's box.
    """
    corners = receptacle.box.corners()
    low, high = corners.min(axis=0), corners.max(axis=0)
    named = [part for s in scene.structures if s.name == receptacle.object_id for part in s.parts]
    triangles, areas = _level(triangles_of(receptacle.parts or named))
    if not (receptacle.parts or named) or receptacle.object_type in _DOORS_ONLY:
        built, built_areas = _level(triangles_of(part for s in scene.structures for part in s.parts))
        more = np.array([0.0, _BUILT_M, 0.0])
        within = ((built.min(axis=1) < high + more) & (built.max(axis=1) > low - more)).all(axis=1)
        triangles = np.concatenate([triangles, built[within]])
        areas = np.concatenate([areas, built_areas[within]])
    elif len(triangles):
        points = triangles_of(receptacle.parts or named).reshape(-1, 3)
        low, high = points.min(axis=0), points.max(axis=0)
    return Surface(triangles, areas, low, high, receptacle.object_type in _GRATES) if len(triangles) else None


def _level(triangles: Floats) -> tuple[Floats, Floats]:
    """The triangles that face up, (T, 3, 3), and their areas (T,)."""
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    length = np.linalg.norm(normals, axis=1)
    level = normals[:, 1] > _LEVEL_SHARE * np.maximum(length, 1e-9)
    return triangles[level], length[level] / 2


def body_of(things: Sequence[SceneObject]) -> Body | None:
    """The first of the things with all that it carries, stood upright; None for what shows nothing."""
    corners = triangles_of(part for thing in things for part in thing.parts).reshape(-1, 3)
    if not len(corners):
        return None
    turn, size = _uprighting(things[0], flat=False)
    if size[1] > _STEEPEST * min(size[0], size[2]):
        turn, _ = _uprighting(things[0], flat=True)
    stood = corners @ turn.T
    low, high = stood.min(axis=0), stood.max(axis=0)
    middle = np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2])
    half = (high - low) / 2
    base = stood[stood[:, 1] < low[1] + max(_FOOT_HEIGHT_SHARE * 2 * half[1], 0.006)] - middle
    foot_low, foot_high = base.min(axis=0)[[0, 2]], base.max(axis=0)[[0, 2]]
    foot, foot_center = (foot_high - foot_low) / 2, (foot_high + foot_low) / 2
    return Body(Move(turn, -middle), half, np.maximum(foot, 0.004), foot_center)


def _uprighting(thing: SceneObject, flat: bool) -> tuple[Floats, Floats]:
    """(3, 3) the turn that brings the box's nearest axis to the vertical, and the size then; its shortest if it leans.

    The box then lies along x and z: equal objects come to equal bodies, wherever they were.
    """
    axes = thing.box.axes()
    up = int(np.abs(axes[1]).argmax())
    if flat or abs(axes[1, up]) < _UPRIGHT_SHARE:
        up = int(np.argmin(thing.box.size))
    vertical = axes[:, up] * (1.0 if axes[1, up] >= 0 else -1.0)
    side = axes[:, (up + 1) % 3]
    turn = np.stack([side, vertical, np.cross(side, vertical)])
    return turn, np.abs(turn @ axes) @ thing.box.size


def settled(body: Body, surface: Surface, spot: Floats, yaw_deg: float) -> Floats | None:
    """(3,) the spot at the height at which the body comes to rest on a surface there; None: it would tip or hang over.

    It rests on the highest point under its foot; enough of the foot must touch, on all four sides of its middle, and
    nothing of it or just around it may be over an edge.
    """
    turn = rotation(y_deg=yaw_deg)[np.ix_([0, 2], [0, 2])]
    margin = 0.0 if surface.is_grate else _FROM_EDGE_M
    inner, outer = _grid(body.foot), _grid(body.foot + margin)
    heights = _heights(surface.triangles, (inner + body.foot_center) @ turn.T + spot[[0, 2]], spot[1])
    if np.isnan(heights).all():
        return None
    rest = float(np.nanmax(heights))
    touching = heights > rest - _TOUCH_M
    signs = np.sign(np.round(inner, 9))
    sides = all((touching & (signs[:, k] == sign)).any() for k in (0, 1) for sign in (-1, 1))
    if not sides or touching.mean() < (_GRATE_SHARE if surface.is_grate else _TOUCHING_SHARE):
        return None
    # Round things touch in the middle and nowhere else.
    if not (surface.is_grate or touching[len(touching) // 2]):
        return None
    if not surface.is_grate:
        around = _heights(surface.triangles, (outer + body.foot_center) @ turn.T + spot[[0, 2]], spot[1])
        if np.isnan(around).any() or (around < rest - _EDGE_DROP_M).any():
            return None
    return np.array([spot[0], rest, spot[2]])


def _grid(half: Floats) -> Floats:
    """(P, 2) points over a rectangle about the origin, its edges among them."""
    along = np.linspace(-1.0, 1.0, _FOOT_POINTS)
    return np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2) * half


def _heights(triangles: Floats, points_xz: Floats, near_y: float) -> Floats:
    """(P,) the highest surface at each point that is not far from a height; nan: none."""
    low, high = points_xz.min(axis=0), points_xz.max(axis=0)
    flat = triangles[..., [0, 2]]
    close = (flat.min(axis=1) <= high).all(axis=1) & (flat.max(axis=1) >= low).all(axis=1)
    y = triangles[..., 1]
    close &= (y.min(axis=1) < near_y + _EDGE_DROP_M) & (y.max(axis=1) > near_y - 2 * _EDGE_DROP_M)
    heights, _ = surfaces_at(triangles[close], points_xz)
    heights = np.where(np.abs(heights - near_y) <= 2 * _EDGE_DROP_M, heights, np.nan)
    highest: NDArray[np.float64] = np.where(np.isnan(heights), -np.inf, heights).max(axis=1, initial=-np.inf)
    return np.where(np.isfinite(highest), highest, np.nan)
