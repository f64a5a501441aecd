"""Light stored at triangles' corners: sky and bounce light dimmed by what stands around, and the windows' sky light.

Sheets (curtains, walls made of one quad) get light for both of their sides. Parts too small to matter at the corners'
spacing cast no baked shade: they would only blotch; lighting.contact_shade shades round them.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from saom_player.disk_cache import SOURCE_DIGEST, DiskCache
from saom_player.render.geometry import Triangles, numbered, open_parts, part_sizes_m
from saom_player.render.tracing import Floats, Ints, RayTracer
from saom_player.scene import Scene, WindowOpening
from saom_player.shapes.mesh import Rgb

RAYS = 40
REACH_M = 1.3
SMALLEST_OCCLUDER_M = 0.2
WINDOW_SAMPLES = 16
SKY_RADIANCE = (2.3, 2.5, 2.8)
AMBIENT_SHARE = 0.42
_INSIDE_RAYS = 5
_FREE_BEFORE_WINDOW_M = np.float32(0.4)
# Below this openness a corner lies inside something or hugs it: its neighbours tell more about what is seen near it.
_BURIED = 0.07
# Light finds its way into gaps by more bounces than are followed here: no crevice is black.
_DARKEST = 0.15


@dataclass(frozen=True)
class BakedLight:
    """``light`` (L, 3, 3): linear colour at each corner; row t is triangle t's front, ``back_row[t]`` its back."""

    light: Floats
    back_row: Ints


@dataclass(frozen=True)
class _Corners:
    """M corners that differ, each once, and for every (row, corner) which of them it is."""

    points: Floats
    normals: Floats
    of_row: NDArray[np.intp]


def bake(triangles: Triangles, coarse: Triangles, scene: Scene, cache: DiskCache | None) -> BakedLight:
    """Light for every corner, from the cache when the same scene was baked before.

    ``coarse`` are the same surfaces in fewer triangles: what light is kept off by.
    """
    seen_behind = np.array([not material.one_sided for material in triangles.materials], np.bool_)[triangles.material]
    sheet = np.nonzero(open_parts(coarse)[triangles.part] & seen_behind)[0]
    back_row = np.arange(len(triangles), dtype=np.int32)
    back_row[sheet] = len(triangles) + np.arange(len(sheet), dtype=np.int32)
    shape = (len(triangles) + len(sheet), 3, 3)
    key = _content_key(coarse, scene.windows, (scene.ambient_up, scene.ambient_down))
    stored = cache.load("bake", key, partial(_read, shape)) if cache is not None else None
    if stored is None:
        corners = _corners(triangles, sheet)
        # Half precision before first use, so that a cached scene renders the same bytes as a fresh one.
        stored = _bake_corners(coarse, scene, corners).astype(np.float16)[corners.of_row]
        if cache is not None:
            cache.save("bake", key, stored.tobytes())
    return BakedLight(stored.astype(np.float32), back_row)


def _content_key(triangles: Triangles, windows: Sequence[WindowOpening], ambient: tuple[Rgb, Rgb]) -> str:
    """Hex digest of everything that the bake depends on."""
    # As JSON, since equal numbers of Python and of numpy are written alike there.
    told = json.dumps([SOURCE_DIGEST, [asdict(window) for window in windows], ambient])
    kinds = [(material.emission >= 1 or material.opacity < 1, material.one_sided) for material in triangles.materials]
    digest = hashlib.sha256(f"{told} {kinds!r}".encode())
    for array in (triangles.positions, triangles.normals, triangles.material, triangles.part):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _read(shape: tuple[int, ...], value: memoryview) -> NDArray[np.float16]:
    return np.frombuffer(value, np.float16).reshape(shape)


def occluders(triangles: Triangles, smallest_m: float = 0.0) -> NDArray[np.bool_]:
    """(T,) what casts shade: nothing that shines by itself or is glass, and no part below a size."""
    shines = np.array([material.emission >= 1 or material.opacity < 1 for material in triangles.materials], np.bool_)
    # Two long sides: bars, legs and skirting boards are thin things for contact shade, however long.
    large = part_sizes_m(triangles)[:, 1] >= smallest_m
    return np.asarray(~shines[triangles.material] & large[triangles.part])


def _corners(triangles: Triangles, sheet: NDArray[np.intp]) -> _Corners:
    rows = np.concatenate([np.arange(len(triangles)), sheet])
    side = np.ones((len(rows), 1, 1), np.float32)
    side[len(triangles) :] = -1
    position = triangles.positions[rows]
    normal = triangles.normals[rows] * side
    # A little off the surface and towards the triangle's middle: not inside the wall that it touches.
    point = position + triangles.face[rows, None] * side * np.float32(2e-3)
    point += (position.mean(1, keepdims=True) - position) * np.float32(0.05)
    rounded = np.concatenate([np.round(position * 5000), np.round(normal * 12)], axis=2)
    _, first, of_row = numbered(rounded.reshape(-1, 6).astype(np.int64))
    flat_points, flat_normals = point.reshape(-1, 3), normal.reshape(-1, 3)
    return _Corners(flat_points[first], flat_normals[first], of_row.reshape(-1, 3))


def _bake_corners(coarse: Triangles, scene: Scene, corners: _Corners) -> Floats:
    casting = coarse.rows(occluders(coarse, SMALLEST_OCCLUDER_M))
    tracer = RayTracer(casting.positions)
    openness = _openness(tracer, corners)
    buried = (openness < _BURIED) | _inside_solids(tracer, casting, corners)
    up = np.float32(0.5) + np.float32(0.5) * corners.normals[:, 1:2]
    ambient = np.array(scene.ambient_up, np.float32) * up + np.array(scene.ambient_down, np.float32) * (1 - up)
    light = ambient * np.float32(AMBIENT_SHARE) * np.maximum(openness, np.float32(_DARKEST))[:, None]
    for window in scene.windows:
        light += _window_light(tracer, corners, window)
    return _softened(_filled(light, buried, corners.of_row), corners.of_row)


def _inside_solids(tracer: RayTracer, casting: Triangles, corners: _Corners) -> NDArray[np.bool_]:
    """(M,) which corners see solids from within: where walls overlap, or furniture stands in a wall."""
    first, second = tangents(corners.normals)
    solid = ~open_parts(casting)[casting.part]
    within = np.zeros(len(corners.points), np.int32)
    for x, y, z in hemisphere(_INSIDE_RAYS):
        direction = first * x + second * y + corners.normals * z
        triangle = tracer.nearest(corners.points, direction).triangle
        hit = np.nonzero(triangle >= 0)[0]
        face = triangle[hit]
        within[hit] += solid[face] & ((casting.face[face] * direction[hit]).sum(1) > 0)
    return np.asarray(within > _INSIDE_RAYS // 2)


def _openness(tracer: RayTracer, corners: _Corners) -> Floats:
    """(M,) mean free distance over the hemisphere, 1 for REACH_M and more.

    All corners use the same directions: equal errors at neighbours do not show, random ones would be blotches.
    """
    first, second = tangents(corners.normals)
    openness = np.zeros(len(corners.points), np.float32)
    for x, y, z in hemisphere(RAYS):
        direction = first * x + second * y + corners.normals * z
        free = tracer.distance(corners.points, direction, REACH_M) / np.float32(REACH_M)
        openness += np.sqrt(np.maximum(free, 0))
    return openness / np.float32(RAYS)


def hemisphere(count: int) -> Floats:
    """(count, 3) unit directions round +z, cosine-weighted, on a golden spiral."""
    k = np.arange(count) + 0.5
    radius, angle = np.sqrt(k / count), k * np.pi * (3 - np.sqrt(5))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), np.sqrt(1 - k / count)], axis=1).astype(np.float32)


def tangents(normals: Floats) -> tuple[Floats, Floats]:
    """Two (n, 3) unit vectors that span the plane across each of the unit ``normals`` (n, 3)."""
    x, y, z = normals.T
    sign = np.where(z >= 0, np.float32(1), np.float32(-1))
    a = -1 / (sign + z)
    b = x * y * a
    first = np.stack([1 + sign * x * x * a, sign * b, -sign * x])
    return first.T, np.stack([b, sign + y * y * a, -y]).T


def _window_light(tracer: RayTracer, corners: _Corners, window: WindowOpening) -> Floats:
    """(M, 3) sky light through one window, from points spread over its rectangle."""
    center, half_u, half_v, inward = (
        np.array(v, np.float32) for v in (window.center, window.half_u, window.half_v, window.inward)
    )
    area = 4 * np.linalg.norm(half_u) * np.linalg.norm(half_v)
    share = np.array(SKY_RADIANCE, np.float32) * np.float32(area / WINDOW_SAMPLES)
    light = np.zeros_like(corners.points)
    for k in range(WINDOW_SAMPLES):
        along, across = (k + 0.5) / WINDOW_SAMPLES * 2 - 1, (k * 0.618034 + 0.3) % 1 * 2 - 1
        ray = center + half_u * np.float32(along) + half_v * np.float32(across) - corners.points
        length = np.sqrt((ray * ray).sum(1))
        ray /= np.maximum(length, np.float32(1e-4))[:, None]
        cosines = np.maximum((ray * corners.normals).sum(1), 0) * np.maximum(-(ray @ inward), 0)
        near = np.nonzero(cosines > 1e-4)[0]
        # Not as far as the window: its frame, reveal and curtains would cast shadows too sharp for the corners.
        hidden = tracer.occluded(corners.points[near], ray[near], np.maximum(length[near] - _FREE_BEFORE_WINDOW_M, 0))
        gain = cosines[near] * ~hidden / np.maximum(length[near] ** 2, np.float32(0.2))
        light[near] += gain[:, None] * share
    return light


def _softened(light: Floats, of_row: NDArray[np.intp], rounds: int = 2) -> Floats:
    """Light drawn halfway to the mean of each corner's triangles, so that no shadow edge shows the corners' grid."""
    target = of_row.reshape(-1)
    weight = np.maximum(np.bincount(target, minlength=len(light)), 1)[:, None]
    for _ in range(rounds):
        mean = light[of_row].mean(1)
        around = [np.bincount(target, np.repeat(mean[:, k], 3), minlength=len(light)) for k in range(3)]
        light = np.float32(0.5) * light + np.float32(0.5) * (np.stack(around, axis=1) / weight).astype(np.float32)
    return light


def _filled(light: Floats, buried: NDArray[np.bool_], of_row: NDArray[np.intp], rounds: int = 4) -> Floats:
    """Light with buried corners' values taken from their triangles' other corners, spreading inwards."""
    light, buried = light.copy(), buried.copy()
    for _ in range(rounds):
        touched = buried[of_row].any(1) & ~buried[of_row].all(1)
        if not touched.any():
            break
        rows = of_row[touched]
        sound = (~buried[rows]).astype(np.float64)
        mean = (light[rows] * sound[:, :, None]).sum(1) / sound.sum(1)[:, None]
        target = rows.reshape(-1)
        weight = np.bincount(target, minlength=len(light))
        reached = buried & (weight > 0)
        for k in range(3):
            total = np.bincount(target, weights=np.repeat(mean[:, k], 3), minlength=len(light))
            light[reached, k] = (total[reached] / weight[reached]).astype(np.float32)
        buried &= ~reached
    return light
