"""Light that is worked out for each picture: shadows of lamps and sun, contact shade, blurred reflections."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saom_player.render.bake import hemisphere, tangents
from saom_player.render.geometry import Triangles
from saom_player.render.light_grid import PATTERN, mean_of_three
from saom_player.render.surface import LIFT_M, Place, dot
from saom_player.render.tracing import Floats, RayTracer
from saom_player.scene import Lamp, Sun, WindowOpening

CONTACT_REACH_M = 0.28
CONTACT_RAYS = 3
_DARKEST_CONTACT = 0.2
_SUN_SPREAD = 0.012
_WEAKEST_LAMP = 0.02
_NEAREST_SQUARED = np.float32(0.15)


@dataclass(frozen=True)
class LampRay:
    """n rays to a lamp: unit ``direction`` (3, n); ``cosine`` at the surface, ``strength``, ``length`` (n,)."""

    direction: Floats
    cosine: Floats
    strength: Floats
    length: Floats


def lamp_reach_m(lamp: Lamp) -> float:
    """Beyond this distance a lamp gives nothing: its light fades out smoothly before."""
    return float(np.sqrt(max(lamp.color) / _WEAKEST_LAMP))


def toward_lamp(lamp: Lamp, place: Place, offset: Floats | None = None) -> LampRay:
    """Rays from places to the lamp's centre, or to points ``offset`` (3, n) from it."""
    ray = np.empty_like(place.point)
    for k in range(3):
        ray[k] = np.float32(lamp.position[k]) - place.point[k]
        if offset is not None:
            ray[k] += offset[k]
    squared = dot(ray, ray)
    length = np.sqrt(squared)
    ray /= np.maximum(length, np.float32(1e-4))
    cosine = np.maximum(dot(ray, place.normal), 0)
    faded = np.maximum(1 - squared / np.float32(lamp_reach_m(lamp) ** 2), 0)
    return LampRay(ray, cosine, faded * faded / (squared + _NEAREST_SQUARED), length)


def lamp_visibility(tracer: RayTracer, lamp: Lamp, place: Place, pattern: NDArray[np.intp]) -> Floats:
    """(n,) 0 or 1 along one ray to a soft lamp."""
    spots = _sphere(PATTERN) * np.float32(lamp.radius)
    ray = toward_lamp(lamp, place, spots.T.take(pattern, axis=1))
    useful = np.nonzero((ray.cosine > 0) & (ray.strength > 0))[0]
    # The lamp's own bulb and shade stand within its radius: stop short of them.
    reach = np.maximum(ray.length[useful] - np.float32(0.03 + lamp.radius), 0)
    visibility = np.zeros(len(pattern), np.float32)
    visibility[useful] = ~tracer.occluded(
        place.point.take(useful, axis=1).T, ray.direction.take(useful, axis=1).T, reach
    )
    return visibility


def _sphere(count: int) -> Floats:
    """(count, 3) points spread over the lower half of a flattened unit ball."""
    k = np.arange(count) + 0.5
    height, angle = 1 - 2 * k / count, k * np.pi * (3 - np.sqrt(5))
    ring = np.sqrt(1 - height * height)
    # Below the centre only, and flat: lamps hang just under ceilings.
    height = -np.abs(height) / 2
    # A fixed shuffle: neighbours in the pattern shall be far apart on the lamp.
    points = np.stack([ring * np.cos(angle), height, ring * np.sin(angle)], axis=1)
    return points[(np.arange(count) * 4) % count].astype(np.float32)


def contact_shade(tracer: RayTracer, place: Place, pattern: NDArray[np.intp]) -> Floats:
    """(n,) how open the nearest surroundings are, 0..1: what grounds small things on the table they stand on."""
    normal = place.normal
    first, second = tangents(normal.T)
    points = np.ascontiguousarray(place.point.T)
    directions = hemisphere(PATTERN * CONTACT_RAYS)
    openness = np.zeros(len(pattern), np.float32)
    ray = np.empty_like(points)
    for k in range(CONTACT_RAYS):
        # Ray k of every pattern entry lies in another ring of the hemisphere.
        x, y, z = directions[k * PATTERN + (np.arange(PATTERN) * 2 + k) % PATTERN].T.take(pattern, axis=1)
        for axis in range(3):
            ray[:, axis] = first[:, axis] * x + second[:, axis] * y + normal[axis] * z
        openness += tracer.distance(points, ray, CONTACT_REACH_M)
    share = openness / np.float32(CONTACT_RAYS * CONTACT_REACH_M)
    return np.asarray(_DARKEST_CONTACT + (1 - _DARKEST_CONTACT) * share, np.float32)


class SunLight:
    """The sun through a scene's windows; without windows, wherever nothing stands in its way."""

    def __init__(self, sun: Sun, windows: tuple[WindowOpening, ...]) -> None:
        direction = np.array(sun.direction, np.float64)
        direction /= np.linalg.norm(direction)
        self.direction = direction.astype(np.float32)
        self.color = np.array(sun.color, np.float32)
        self._open_air = not windows
        self._windows = [w for w in windows if float(np.dot(w.inward, direction)) < -1e-3]
        first, second = tangents(self.direction[None])
        angle = np.arange(PATTERN) * 2.399963
        radius = np.sqrt((np.arange(PATTERN) + 0.5) / PATTERN) * _SUN_SPREAD
        spread = np.cos(angle)[:, None] * first + np.sin(angle)[:, None] * second
        self._rays = (self.direction + spread * radius[:, None]).astype(np.float32)

    def may_reach(self, triangles: Triangles) -> NDArray[np.bool_]:
        """(T,) which triangles lie, with some margin, where the sun comes through a window: no others see it."""
        if self._open_air:
            return np.ones(len(triangles), np.bool_)
        corners = [triangles.positions[:, corner] for corner in range(3)]
        center = (corners[0] + corners[1] + corners[2]) * np.float32(1 / 3)
        away = [np.einsum("tk,tk->t", corner - center, corner - center) for corner in corners]
        size = np.sqrt(np.maximum(np.maximum(away[0], away[1]), away[2])) + LIFT_M
        reached = np.zeros(len(triangles), np.bool_)
        for window in self._windows:
            across, up, way, slant = self._past_window(window, center.T, self.direction[None])
            margin = (size + np.abs(way) * np.float32(2 * _SUN_SPREAD)) / slant
            reached |= (across <= margin) & (up <= margin) & (way > -margin)
        return reached

    def arrives(self, tracer: RayTracer, place: Place, pixels: NDArray[np.intp], width: int) -> Floats:
        """(n,) 0 or 1: whether the sun reaches these places, seen by pixels numbered row by row, ``width`` a row."""
        facing = np.nonzero(dot(place.normal, self.direction) > 0)[0]
        row, column = np.divmod(pixels[facing], width)
        ray = self._rays[(row % 3) * 3 + column % 3]
        point = place.point.take(facing, axis=1)
        reach = np.full(len(facing), 1e3, np.float32) if self._open_air else self._way_to_window(point, ray)
        through = np.nonzero(reach > 0)[0]
        visible = np.zeros(len(pixels), np.float32)
        visible[facing[through]] = ~tracer.occluded(point.take(through, axis=1).T, ray[through], reach[through])
        return visible

    def _way_to_window(self, point: Floats, ray: Floats) -> Floats:
        """(n,) how far a ray must be free to leave through a window; 0 where it passes none."""
        reach = np.zeros(len(ray), np.float32)
        for window in self._windows:
            across, up, way, _ = self._past_window(window, point, ray)
            # Beyond the window's plane too: its bars cast shadows.
            reach = np.where((across <= 0) & (up <= 0) & (way > 0), np.maximum(reach, way + np.float32(0.25)), reach)
        return reach

    @staticmethod
    def _past_window(window: WindowOpening, point: Floats, ray: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """How far beyond the window's sides rays (n, 3) from points (3, n) meet its plane, m, below 0 inside of them.

        Then the way there, and the cosine between rays and plane normal.
        """
        center, half_u, half_v, inward = (
            np.array(v, np.float32) for v in (window.center, window.half_u, window.half_v, window.inward)
        )
        toward = center[:, None] - point
        slant = np.minimum(ray @ inward, np.float32(-1e-3))
        way = (inward @ toward) / slant
        miss = ray.T * way - toward
        across, up = (np.abs(half @ miss) / np.linalg.norm(half) - np.linalg.norm(half) for half in (half_u, half_v))
        return across, up, way, -slant


def smooth_sun(visible: Floats, keys: NDArray[np.int32]) -> Floats:
    """(H, W) 0-or-1 sun averaged over each pixel's 3 x 3 neighbours on the same surface."""
    same_down = (keys[1:] == keys[:-1]).astype(np.float32)
    same_right = (keys[:, 1:] == keys[:, :-1]).astype(np.float32)
    smooth = visible[None]
    for _ in range(2):
        smooth = mean_of_three(mean_of_three(smooth, same_down, axis=1), same_right, axis=2)
    return np.asarray(smooth[0])
