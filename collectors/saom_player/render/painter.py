"""Colours of a picture from its primary hits: light measured on a coarse grid, shading in tiles, smooth edges."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from saom_player.disk_cache import DiskCache
from saom_player.render.bake import bake, occluders
from saom_player.render.camera import PixelRays
from saom_player.render.edges import edge_pixels, smooth_edges
from saom_player.render.geometry import Triangles
from saom_player.render.light_grid import LightGrid
from saom_player.render.lighting import SunLight, contact_shade, lamp_visibility, smooth_sun, toward_lamp
from saom_player.render.seeing import through_glass
from saom_player.render.shading import MIRROR_REFLECT, PixelLight, mirror_rays, shade, shade_plainly
from saom_player.render.surface import Place, Surfaces, surface_keys
from saom_player.render.tone import to_bytes
from saom_player.render.tracing import Floats, Hits, Ints, RayTracer
from saom_player.scene import Scene

TILE_PIXELS = 24_000
"""Pixels worked on at once: their planes of numbers then fit the processor's cache."""
_BLUR = 0.05
_MEAN_LIGHT = 0.85
_EXPOSURES = (0.4, 8.0)


class Painter:
    """Everything that only colours need."""

    def __init__(
        self, scene: Scene, tracer: RayTracer, triangles: Triangles, coarse: Triangles, cache: DiskCache | None
    ) -> None:
        """``coarse`` are the same surfaces in fewer triangles: enough to cast shadows, and quicker."""
        self._tracer = tracer
        self._shadows = RayTracer(coarse.positions[occluders(coarse)])
        self._empty = len(triangles) == 0
        self._keys = surface_keys(triangles)
        self._faces = np.ascontiguousarray(triangles.face.T)
        self._surfaces = Surfaces(triangles, bake(triangles, coarse, scene, cache), scene.textures, cache)
        self._lamps = scene.lit_lamps()
        self._sun = SunLight(scene.sun, scene.windows) if scene.sun is not None else None
        self._sunny = self._sun.may_reach(triangles) if self._sun is not None else np.zeros(len(triangles), np.bool_)
        self._exposure = _exposure(self._surfaces, triangles, scene) * scene.exposure
        self._surfaces.glow = np.float32(1 / self._exposure)

    def paint(self, rays: PixelRays, hits: Hits) -> NDArray[np.uint8]:
        """(H, W, 3) displayed colours of primary hits, pixel by pixel and row by row."""
        shape = (rays.height, rays.width)
        if self._empty:
            return self._bytes(self._surfaces.sky(rays.rows(0, rays.height))).reshape(*shape, 3)
        missed = hits.triangle < 0
        keys = np.where(missed, np.int32(-1), self._keys.take(np.maximum(hits.triangle, 0))).reshape(shape)
        light = self._measured(rays, hits, keys)
        picture = np.empty((rays.height * rays.width, 3), np.uint8)
        step = max(1, TILE_PIXELS // rays.width) * rays.width
        for start in range(0, len(picture), step):
            tile = slice(start, min(len(picture), start + step))
            picture[tile] = self._tile(rays, hits, light, tile)
        return self._smoothed(picture.reshape(*shape, 3), rays, hits, keys)

    def _bytes(self, color: Floats) -> NDArray[np.uint8]:
        """(n, 3) displayed values of (3, n) linear colours."""
        return np.ascontiguousarray(to_bytes(color, self._exposure).T)

    def _measured(self, rays: PixelRays, hits: Hits, keys: Ints) -> PixelLight:
        """Light that needs rays, measured on the grid and spread to all pixels."""
        grid = LightGrid(keys, self._face_of(hits))
        lamps = len(self._lamps)
        samples = np.zeros((1 + lamps + 3, len(grid.pixels)), np.float32)
        for start in range(0, len(grid.pixels), TILE_PIXELS):
            self._measure(samples[:, start : start + TILE_PIXELS], rays, hits, grid, start)
        lit = [number for number in range(lamps) if samples[1 + number].any()]
        polished = list(range(1 + lamps, 1 + lamps + 3)) if samples[1 + lamps :].any() else []
        wanted = samples[[0, *(1 + number for number in lit), *polished]]
        full = grid.spread(grid.smoothed(wanted, rounds=2))
        return PixelLight(
            contact=full[0],
            lamps=tuple((self._lamps[number], full[1 + k]) for k, number in enumerate(lit)),
            sun=self._sunlight(rays, hits, keys),
            reflection=full[1 + len(lit) :] if polished else None,
        )

    def _measure(self, samples: Floats, rays: PixelRays, hits: Hits, grid: LightGrid, start: int) -> None:
        """Fill (C, n) samples from the grid's pixel number ``start`` on: contact shade, lamps, blurred reflection."""
        pixels = grid.pixels[start : start + samples.shape[1]]
        pattern = grid.pattern[start : start + samples.shape[1]]
        some = hits.subset(pixels)
        direction = rays.pixels(pixels)
        place = self._surfaces.place(rays.origin, direction, some)
        samples[0] = contact_shade(self._shadows, place, pattern)
        for lamp, visibility in zip(self._lamps, samples[1:], strict=False):
            visibility[:] = lamp_visibility(self._shadows, lamp, place, pattern)
        self._reflect_blurred(samples[-3:], direction, place, some, pattern, rays.radians_per_pixel)

    def _sunlight(self, rays: PixelRays, hits: Hits, keys: Ints) -> Floats | None:
        """(H * W,) share of the sun that each pixel's surface sees."""
        pixels = np.nonzero(self._sunny.take(np.maximum(hits.triangle, 0)) & (hits.triangle >= 0))[0]
        if self._sun is None or len(pixels) == 0:
            return None
        place = self._surfaces.place(rays.origin, rays.pixels(pixels), hits.subset(pixels))
        visible = self._sun.arrives(self._shadows, place, pixels, rays.width)
        if not visible.any():
            return None
        full = np.zeros(keys.size, np.float32)
        full[pixels] = visible
        return smooth_sun(full.reshape(keys.shape), keys).ravel()

    def _reflect_blurred(
        self,
        color: Floats,
        direction: Floats,
        place: Place,
        hits: Hits,
        pattern: NDArray[np.intp],
        radians_per_pixel: float,
    ) -> None:
        """Set (3, n) colours to what polished but not mirroring surfaces show, each along a slightly turned ray."""
        reflect = self._reflect_of(hits)
        polished = np.nonzero((reflect > 0) & (reflect < MIRROR_REFLECT))[0]
        if len(polished) == 0:
            return
        ray = mirror_rays(direction.take(polished, axis=1), _at(place, polished))
        angle = pattern[polished] * np.float32(2.399963)
        radius = np.sqrt((pattern[polished] + np.float32(0.5)) / 9) * np.float32(_BLUR)
        ray[0] += np.cos(angle) * radius
        ray[2] += np.sin(angle) * radius
        # Coarser mip levels: what is blurred needs no detail.
        color[:, polished] = self._reflected(place.point.take(polished, axis=1), ray, 4 * radians_per_pixel)

    def _reflect_of(self, hits: Hits) -> Floats:
        surfaces = self._surfaces
        reflect = surfaces.materials.reflect.take(surfaces.material.take(np.maximum(hits.triangle, 0)))
        return np.where(hits.triangle >= 0, reflect, np.float32(0))

    def _reflected(self, origin: Floats, ray: Floats, radians_per_pixel: float) -> Floats:
        rows = np.ascontiguousarray(ray.T)
        found = self._tracer.nearest(np.ascontiguousarray(origin.T), rows)
        return self._plainly(origin, ray, found, radians_per_pixel)

    def _plainly(self, origin: Floats, direction: Floats, hits: Hits, radians_per_pixel: float) -> Floats:
        color = shade_plainly(self._surfaces, origin, direction, hits, self._lamps, radians_per_pixel)
        return self._through(color, origin, direction, hits, radians_per_pixel)

    def _through(
        self, color: Floats, origin: Floats, direction: Floats, hits: Hits, radians_per_pixel: float
    ) -> Floats:
        return through_glass(
            color, self._surfaces, self._tracer, origin, direction, hits, self._lamps, radians_per_pixel
        )

    def _tile(self, rays: PixelRays, hits: Hits, light: PixelLight, tile: slice) -> NDArray[np.uint8]:
        """(n, 3) displayed colours of some rows' pixels."""
        some = Hits(hits.triangle[tile], hits.t[tile], hits.u[tile], hits.v[tile])
        direction = rays.rows(tile.start // rays.width, tile.stop // rays.width)
        place = self._surfaces.place(rays.origin, direction, some)
        own = PixelLight(
            contact=light.contact[tile],
            lamps=tuple((lamp, visibility[tile]) for lamp, visibility in light.lamps),
            sun=light.sun[tile] if light.sun is not None else None,
            reflection=self._with_mirrors(light, tile, direction, place, some, rays.radians_per_pixel),
        )
        color = shade(self._surfaces, place, direction, some, own, self._sun, rays.radians_per_pixel)
        color = self._through(color, rays.origin, direction, some, rays.radians_per_pixel)
        missed = some.triangle < 0
        if missed.any():
            color[:, missed] = self._surfaces.sky(direction[:, missed])
        return self._bytes(color)

    def _with_mirrors(
        self, light: PixelLight, tile: slice, direction: Floats, place: Place, hits: Hits, radians_per_pixel: float
    ) -> Floats | None:
        """(3, n) the tile's blurred reflections, with what mirrors show put in, sharp."""
        mirrors = np.nonzero(self._reflect_of(hits) >= MIRROR_REFLECT)[0]
        blurred = light.reflection[:, tile] if light.reflection is not None else None
        if len(mirrors) == 0:
            return blurred
        color = np.zeros_like(direction) if blurred is None else blurred.copy()
        own = _at(place, mirrors)
        color[:, mirrors] = self._reflected(
            own.point, mirror_rays(direction.take(mirrors, axis=1), own), radians_per_pixel
        )
        return color

    def _smoothed(self, picture: NDArray[np.uint8], rays: PixelRays, hits: Hits, keys: Ints) -> NDArray[np.uint8]:
        def shade_ray(direction: Floats, found: Hits) -> NDArray[np.uint8]:
            return self._bytes(self._plainly(rays.origin, direction, found, rays.radians_per_pixel)).T

        pixels = edge_pixels(keys, hits.t.reshape(keys.shape), self._face_of(hits))
        return smooth_edges(picture, pixels, keys, self._keys, self._tracer, rays, shade_ray)

    def _face_of(self, hits: Hits) -> Callable[[NDArray[np.intp]], Floats]:
        """A function from pixels' numbers to the normals (3, n) of the planes they see."""
        triangle = np.maximum(hits.triangle, 0)
        return lambda pixels: np.asarray(self._faces.take(triangle[pixels], axis=1))


def _exposure(surfaces: Surfaces, triangles: Triangles, scene: Scene) -> float:
    """One exposure for a scene, from the mean light on walls, floors, ceilings: dim and bright rooms are readable."""
    built = triangles.instance > len(scene.objects)
    index = np.nonzero(built if built.any() else np.ones_like(built))[0]
    if len(index) == 0:
        return 1.0
    corners = triangles.positions[index]
    third = np.full(len(index), 1 / 3, np.float32)
    centers = Hits(index.astype(np.int32), np.zeros(len(index), np.float32), third, third)
    center, face = np.ascontiguousarray(corners.mean(1).T), np.ascontiguousarray(triangles.face[index].T)
    # A wall of one quad may show either side to the room: the brighter one is inside.
    energy = np.zeros(len(index), np.float32)
    for side in (np.float32(-1), np.float32(1)):
        place = surfaces.place(center, face * side, centers)
        light = surfaces.stored_light(centers, place.front).mean(0)
        for lamp in scene.lit_lamps():
            ray = toward_lamp(lamp, place)
            light += ray.cosine * ray.strength * np.float32(0.67 * np.mean(lamp.color))
        energy = np.maximum(energy, light)
    edges = corners[:, 1:] - corners[:, :1]
    area = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1)
    # Of the root, squared: a spot of light under a lamp counts less than the wall round it.
    mean = float((np.sqrt(energy) * area).sum() / area.sum()) ** 2
    return float(np.clip(_MEAN_LIGHT / max(mean, 1e-6), *_EXPOSURES))


def _at(place: Place, index: NDArray[np.intp]) -> Place:
    return Place(
        place.point.take(index, axis=1),
        place.normal.take(index, axis=1),
        place.cosine.take(index),
        place.front.take(index),
    )
