"""Light that is worked out for each picture: shadows of lamps and sun, contact shade, blurred reflections."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saom_player.render.bake import hemisphere, tangents
from saom_player.render.light_grid import PATTERN, mean_of_three
from saom_player.render.surface import Place
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
    squared = ray[0] * ray[0] + ray[1] * ray[1] + ray[2] * ray[2]
    length = np.sqrt(squared)
    ray /= np.maximum(length, np.float32(1e-4))
    x, y, z = place.normal
    cosine = np.maximum(ray[0] * x + ray[1] * y + ray[2] * z, 0)
    faded = np.maximum(1 - squared / np.float32(lamp_reach_m(lamp) ** 2), 0)
    return LampRay(ray, cosine, faded * faded / (squared + _NEAREST_SQUARED), length)


def lamp_visibility(tracer: RayTracer, lamp: Lamp, place: Place, pattern: NDArray[np.intp]) -> Floats | None:
    """(n,) 0 or 1 along one ray to a soft lamp, or None where it reaches none of the places."""
    spots = _sphere(PATTERN) * np.float32(lamp.radius)
    ray = toward_lamp(lamp, place, spots[pattern].T)
    useful = np.nonzero((ray.cosine > 0) & (ray.strength > 0))[0]
    if len(useful) == 0:
        return None
    # The lamp's own bulb and shade stand within its radius: stop short of them.
    reach = np.maximum(ray.length[useful] - np.float32(0.03 + lamp.radius), 0)
    visibility = np.zeros(len(pattern), np.float32)
    visibility[useful] = ~tracer.occluded(place.point[:, useful].T, ray.direction[:, useful].T, reach)
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
    normal = np.ascontiguousarray(place.normal.T)
    first, second = tangents(normal)
    points = np.ascontiguousarray(place.point.T)
    directions = hemisphere(PATTERN * CONTACT_RAYS)
    openness = np.zeros(len(pattern), np.float32)
    for k in range(CONTACT_RAYS):
        # Ray k of every pattern entry lies in another ring of the hemisphere.
        local = directions[k * PATTERN + (pattern * 2 + k) % PATTERN]
        ray = first * local[:, :1] + second * local[:, 1:2] + normal * local[:, 2:]
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

    def arrives(self, tracer: RayTracer, place: Place, width: int) -> tuple[NDArray[np.intp], Floats]:
        """Which places (row by row, ``width`` a row) may see the sun, and 0 or 1 for each of those."""
        x, y, z = place.normal
        facing = x * self.direction[0] + y * self.direction[1] + z * self.direction[2] > 0
        index = np.nonzero(facing)[0]
        if not (self._open_air or self._windows):
            index = index[:0]
        row, column = np.divmod(index, width)
        ray = self._rays[(row % 3) * 3 + column % 3]
        point = place.point[:, index]
        reach = np.full(len(index), 1e3, np.float32) if self._open_air else self._way_to_window(point, ray)
        through = np.nonzero(reach > 0)[0]
        index = index[through]
        lit = ~tracer.occluded(point[:, through].T, ray[through], reach[through])
        return index, lit.astype(np.float32)

    def _way_to_window(self, point: Floats, ray: Floats) -> Floats:
        """(n,) how far a ray must be free to leave through a window; 0 where it passes none."""
        reach = np.zeros(len(ray), np.float32)
        for window in self._windows:
            center, half_u, half_v, inward = (
                np.array(v, np.float32) for v in (window.center, window.half_u, window.half_v, window.inward)
            )
            toward = center[:, None] - point
            way = (inward[:, None] * toward).sum(0) / np.minimum((ray * inward).sum(1), np.float32(-1e-3))
            miss = ray.T * way - toward
            u = np.abs((half_u[:, None] * miss).sum(0)) <= (half_u * half_u).sum()
            v = np.abs((half_v[:, None] * miss).sum(0)) <= (half_v * half_v).sum()
            # Beyond the window's plane too: its bars cast shadows.
            reach = np.where(u & v & (way > 0), np.maximum(reach, way + np.float32(0.25)), reach)
        return reach


def smooth_sun(visible: Floats, keys: NDArray[np.int32]) -> Floats:
    """(H, W) 0-or-1 sun averaged over each pixel's 3 x 3 neighbours on the same surface."""
    same_down = (keys[1:] == keys[:-1]).astype(np.float32)
    same_right = (keys[:, 1:] == keys[:, :-1]).astype(np.float32)
    smooth = visible[None]
    for _ in range(2):
        smooth = mean_of_three(mean_of_three(smooth, same_down, axis=1), same_right, axis=2)
    return np.asarray(smooth[0])
