"""What a ray sees where it hits: position, normal, texture coordinates, material, stored light. Planes of n values.

Look-up tables are kept as planes (one array a quantity) because n-long contiguous operations are what numpy does fast.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saom_player.disk_cache import DiskCache
from saom_player.render.atlas import GAMMA, TextureAtlas
from saom_player.render.bake import BakedLight
from saom_player.render.geometry import Triangles
from saom_player.render.tracing import Floats, Hits, Ints
from saom_player.shapes.mesh import Material
from saom_player.surfaces.noise import SIZE

LIFT_M = np.float32(1.5e-3)
"""How far off a surface secondary rays start, so that they do not hit it again."""
_LARGEST_SLANT = np.float32(0.3)
_FLAT_COSINE = 1 - 1e-5
"""Corner normals nearer to their plane's than this are as good as equal to it."""
_SKY = 3.6
_SIDES = 27


@dataclass(frozen=True)
class MaterialTable:
    """One entry a material, (K,) each; ``tint`` is three planes of linear colour."""

    tint: Floats
    texture: Ints
    specular: Floats
    gloss: Floats
    emission: Floats
    reflect: Floats
    opacity: Floats


@dataclass(frozen=True)
class Place:
    """n points: ``point`` (3, n) just off the surface, ``normal`` (3, n) and ``cosine`` (n,) to the viewer."""

    point: Floats
    normal: Floats
    cosine: Floats
    front: NDArray[np.bool_]


class Surfaces:
    """The tables of one scene."""

    def __init__(
        self,
        triangles: Triangles,
        baked: BakedLight,
        textures: Mapping[str, NDArray[np.uint8]] | None = None,
        cache: DiskCache | None = None,
    ) -> None:
        # einsum and sums by hand: numpy's own sums along an axis of three are slow.
        self._curved = (np.einsum("tck,tk->tc", triangles.normals, triangles.face) < _FLAT_COSINE).any(1)
        face = np.where(self._curved[:, None], triangles.face, triangles.normals[:, 0])
        self._face = [np.ascontiguousarray(face[:, k]) for k in range(3)]
        self._normals = _corner_planes(triangles.normals)
        self._uvs = _corner_planes(triangles.uvs)
        self._light = _corner_planes(baked.light)
        self._back_row = baked.back_row.astype(np.intp)
        keys = tuple(dict.fromkeys(material.texture for material in triangles.materials)) or ("plain",)
        # The sky is seen through windows whatever the scene's materials are.
        self.atlas = TextureAtlas((*keys, *(("sky",) if "sky" not in keys else ())), textures or {}, cache)
        self.sky_number = np.int32([*keys, "sky"].index("sky"))
        self.material = triangles.material.astype(np.intp)
        """(T,) as intp, like all that look-ups go by: numpy would convert other numbers at each of them."""
        self.materials = _material_table(triangles.materials, keys)
        self.has_glass = bool((self.materials.opacity < 1).any())
        self._density = _texel_density(triangles)
        self.glow = np.float32(1)
        """What shines by itself and the sky are this bright: they shall look alike at any exposure of the room."""

    def place(self, origin: Floats, direction: Floats, hits: Hits) -> Place:
        """Where rays of ``direction`` (3, n) from ``origin`` (3,) or (3, n) hit; rays that miss get row 0's values."""
        triangle = np.maximum(hits.triangle, 0).astype(np.intp)
        normal = np.empty((3, len(triangle)), np.float32)
        for plane, values in zip(self._face, normal, strict=True):
            plane.take(triangle, out=values, mode="clip")
        facing = dot(normal, direction)
        side = np.copysign(np.float32(1), -facing)
        normal *= side
        point = origin[:, None] + direction * hits.t if origin.ndim == 1 else origin + direction * hits.t
        point += normal * LIFT_M
        curved = np.nonzero(self._curved.take(triangle))[0]
        if len(curved):
            smooth = self._between(self._normals, triangle[curved], hits.subset(curved))
            normal[:, curved] = smooth * (side[curved] / np.sqrt(np.maximum(dot(smooth, smooth), np.float32(1e-12))))
        # A smooth corner normal may turn away near an outline: the surface is seen all the same.
        cosine = np.maximum(dot(normal, direction) / -np.sqrt(dot(direction, direction)), np.float32(0.02))
        return Place(point, normal, cosine, facing < 0)

    def albedo(self, hits: Hits, distance: Floats, cosine: Floats, radians_per_pixel: float) -> Floats:
        """(3, n) linear texture times tint; ``distance`` (n,) along the ray picks the mip level."""
        triangle = np.maximum(hits.triangle, 0).astype(np.intp)
        u, v = self._between(self._uvs, triangle, hits)
        material = self.material.take(triangle)
        footprint = distance * np.float32(radians_per_pixel) / np.maximum(cosine, _LARGEST_SLANT)
        texels = np.asarray(self._density.take(triangle) * footprint, np.float32)
        color = self.atlas.sample(self.materials.texture.take(material), u, v, texels)
        for k in range(3):
            color[k] *= self.materials.tint[k].take(material)
        return color

    def stored_light(self, hits: Hits, front: NDArray[np.bool_]) -> Floats:
        """(3, n) baked light on the side that is seen."""
        triangle = np.maximum(hits.triangle, 0).astype(np.intp)
        row = np.where(front, triangle, self._back_row.take(triangle))
        return self._between(self._light, row, hits)

    @staticmethod
    def _between(planes: list[tuple[Floats, Floats, Floats]], row: NDArray[np.intp], hits: Hits) -> Floats:
        """(K, n) values inside triangles, of K planes as _corner_planes makes them."""
        values = np.empty((len(planes), len(row)), np.float32)
        for value, (first, to_second, to_third) in zip(values, planes, strict=True):
            first.take(row, out=value, mode="clip")
            value += to_second.take(row) * hits.u
            value += to_third.take(row) * hits.v
        return values

    def sky(self, direction: Floats) -> Floats:
        """(3, n) linear colour of the outside in each direction: a panorama that goes round three times."""
        x, y, z = direction
        across = np.sqrt(x * x + z * z)
        azimuth = np.asarray(np.arctan2(x, z) * np.float32(3 / (2 * np.pi)), np.float32)
        # The picture's line of trees (v = 0.7) is the horizon.
        height = np.clip(np.float32(0.69) - np.arctan2(y, across) * np.float32(0.75), 0.02, 0.98).astype(np.float32)
        number = np.full(len(x), self.sky_number, np.int32)
        return self.atlas.sample(number, azimuth, height, np.ones_like(x)) * (np.float32(_SKY) * self.glow)


def dot(a: Floats, b: Floats) -> Floats:
    """(n,) products of vectors (3, n)."""
    total = a[0] * b[0]
    total += a[1] * b[1]
    total += a[2] * b[2]
    return np.asarray(total)


def _corner_planes(values: Floats) -> list[tuple[Floats, Floats, Floats]]:
    """Of (T, 3, K) corners' values, K times: the first corner's, and how far the second's and third's differ."""
    first, second, third = (values[:, corner] for corner in range(3))
    columns = (np.ascontiguousarray(part.T) for part in (first, second - first, third - first))
    return list(zip(*columns, strict=True))


def _material_table(materials: tuple[Material, ...], keys: tuple[str, ...]) -> MaterialTable:
    every = materials or (Material(),)
    tint = np.array([material.tint for material in every], np.float32).T ** GAMMA

    def column(name: str) -> Floats:
        return np.array([getattr(material, name) for material in every], np.float32)

    return MaterialTable(
        tint=np.ascontiguousarray(tint),
        texture=np.array([keys.index(material.texture) for material in every], np.int32),
        specular=column("specular"),
        gloss=column("gloss"),
        emission=column("emission"),
        reflect=column("reflect"),
        opacity=column("opacity"),
    )


def _texel_density(triangles: Triangles) -> Floats:
    """(T,) texels a metre."""

    def spread(corners: Floats) -> Floats:
        edges = corners[:, 1:] - corners[:, :1]
        first, second = np.sqrt(np.einsum("tek,tek->et", edges, edges))
        return np.asarray(first + second, np.float32)

    return np.asarray(spread(triangles.uvs) / np.maximum(spread(triangles.positions), 1e-6) * SIZE, np.float32)


def surface_keys(triangles: Triangles) -> Ints:
    """(T,) equal for triangles of one part that face alike: pixels with equal keys may share light and colour."""
    leaning = np.round(triangles.face * np.float32(1.5)).astype(np.int32) + 1
    return np.asarray(triangles.part * _SIDES + leaning[:, 0] * 9 + leaning[:, 1] * 3 + leaning[:, 2], np.int32)


def part_of(keys: Ints) -> Ints:
    """Part numbers of surface keys; negative where a ray hit nothing."""
    return np.asarray(keys // _SIDES, np.int32)
