"""What a ray sees where it hits: position, normal, texture coordinates, material, stored light. Planes of n values.

Look-up tables are kept as planes (one array a quantity) because n-long contiguous operations are what numpy does fast.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saom_player.mesh import Material
from saom_player.render.atlas import GAMMA, TextureAtlas
from saom_player.render.bake import BakedLight
from saom_player.render.geometry import Triangles
from saom_player.render.tracing import Floats, Hits, Ints
from saom_player.texture_noise import SIZE

LIFT_M = np.float32(1.5e-3)
"""How far off a surface secondary rays start, so that they do not hit it again."""
_LARGEST_SLANT = np.float32(0.3)
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
        self, triangles: Triangles, baked: BakedLight, textures: Mapping[str, NDArray[np.uint8]] | None = None
    ) -> None:
        corners = [triangles.normals[:, c, k] for c in range(3) for k in range(3)]
        uvs = [triangles.uvs[:, c, k] for c in range(3) for k in range(2)]
        self._normals = [np.ascontiguousarray(plane) for plane in corners]
        self._uvs = [np.ascontiguousarray(plane) for plane in uvs]
        self._face = [np.ascontiguousarray(triangles.face[:, k]) for k in range(3)]
        self._light = [np.ascontiguousarray(baked.light[:, c, k]) for c in range(3) for k in range(3)]
        self._back_row = baked.back_row.astype(np.intp)
        keys = tuple(dict.fromkeys(material.texture for material in triangles.materials)) or ("plain",)
        # The sky is seen through windows whatever the scene's materials are.
        self.atlas = TextureAtlas((*keys, *(("sky",) if "sky" not in keys else ())), textures or {})
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
        face = [plane.take(triangle) for plane in self._face]
        front = face[0] * direction[0] + face[1] * direction[1] + face[2] * direction[2] < 0
        side: Floats = np.where(front, np.float32(1), np.float32(-1)).astype(np.float32)
        normal = self._between(self._normals, 3, triangle, hits)
        x, y, z = normal
        np.multiply(normal, side / np.sqrt(np.maximum(x * x + y * y + z * z, np.float32(1e-12))), out=normal)
        dx, dy, dz = direction
        # A smooth corner normal may turn away near an outline: the surface is seen all the same.
        along = -(x * dx + y * dy + z * dz) / np.sqrt(dx * dx + dy * dy + dz * dz)
        cosine = np.asarray(np.maximum(along, 0.02), np.float32)
        point = np.empty_like(normal)
        for k in range(3):
            point[k] = origin[k] + direction[k] * hits.t + face[k] * (side * LIFT_M)
        return Place(point, normal, cosine, front)

    def albedo(self, hits: Hits, distance: Floats, cosine: Floats, radians_per_pixel: float) -> Floats:
        """(3, n) linear texture times tint; ``distance`` (n,) along the ray picks the mip level."""
        triangle = np.maximum(hits.triangle, 0).astype(np.intp)
        u, v = self._between(self._uvs, 2, triangle, hits)
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
        return self._between(self._light, 3, row, hits)

    @staticmethod
    def _between(planes: list[Floats], width: int, row: NDArray[np.intp], hits: Hits) -> Floats:
        """(width, n) values inside triangles from three corners' planes, corner by corner."""
        w = 1 - hits.u - hits.v
        values = np.empty((width, len(row)), np.float32)
        for k in range(width):
            a, b, c = (planes[width * corner + k].take(row) for corner in range(3))
            values[k] = a * w + b * hits.u + c * hits.v
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
        return np.asarray(np.sqrt((edges * edges).sum(2)).sum(1), np.float32)

    return np.asarray(spread(triangles.uvs) / np.maximum(spread(triangles.positions), 1e-6) * SIZE, np.float32)


def surface_keys(triangles: Triangles) -> Ints:
    """(T,) equal for triangles of one part that face alike: pixels with equal keys may share light and colour."""
    leaning = np.round(triangles.face * np.float32(1.5)).astype(np.int32) + 1
    return np.asarray(triangles.part * _SIDES + leaning[:, 0] * 9 + leaning[:, 1] * 3 + leaning[:, 2], np.int32)


def part_of(keys: Ints) -> Ints:
    """Part numbers of surface keys; negative where a ray hit nothing."""
    return np.asarray(keys // _SIDES, np.int32)
