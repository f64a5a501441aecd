"""What a line of sight passes: the backs of one-sided surfaces, holes in cut-out textures, glass."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from saom_player.render.geometry import Triangles
from saom_player.render.shading import shade_plainly
from saom_player.render.surface import Surfaces
from saom_player.render.tracing import FAR, Floats, Hits, RayTracer
from saom_player.scene import Lamp
from saom_player.shapes.mesh import Material

_MOST_PASSED = 12
_MOST_PANES = 3
_PAST_M = np.float32(1e-4)


def sight_tracer(triangles: Triangles, textures: Mapping[str, NDArray[np.uint8]]) -> RayTracer:
    """The tracer for a scene's pictures: the plain one where every surface is seen from both sides and has no holes."""
    materials = triangles.materials
    if any(m.one_sided or _has_holes(m, textures) for m in materials):
        return _SightTracer(triangles, textures)
    return RayTracer(triangles.positions, triangles.shared)


def _has_holes(material: Material, textures: Mapping[str, NDArray[np.uint8]]) -> bool:
    picture = textures.get(material.texture)
    return material.cutoff > 0 and picture is not None and picture.shape[2] == 4


class _SightTracer(RayTracer):
    """Nearest hits of what is seen. Occlusion counts every surface whole: shadows need no such care."""

    def __init__(self, triangles: Triangles, textures: Mapping[str, NDArray[np.uint8]]) -> None:
        super().__init__(triangles.positions, triangles.shared)
        self._material = triangles.material
        self._uvs = triangles.uvs
        self._one_sided = np.array([m.one_sided for m in triangles.materials], np.bool_)[triangles.material]
        self._face = [np.ascontiguousarray(triangles.face[:, k]) for k in range(3)]
        self._holes = {
            number: textures[m.texture][..., 3] < m.cutoff * 255
            for number, m in enumerate(triangles.materials)
            if _has_holes(m, textures)
        }
        self._holed = np.isin(triangles.material, list(self._holes))

    def nearest(self, origins: Floats, directions: Floats) -> Hits:
        """First hits that are seen, of rays (n, 3)."""
        hits = super().nearest(origins, directions)
        if self.count == 0:
            return hits
        triangle, t = hits.triangle.copy(), hits.t.copy()
        u, v = hits.u.copy(), hits.v.copy()
        past = _PAST_M / np.maximum(np.sqrt((directions * directions).sum(1)), np.float32(1e-9))
        rays = self._unseen(hits, directions)
        for _ in range(_MOST_PASSED):
            if len(rays) == 0:
                break
            way, along = t[rays] + past[rays], directions[rays]
            further = super().nearest(origins[rays] + along * way[:, None], along)
            found = further.triangle >= 0
            t[rays] = np.where(found, further.t + way, FAR)
            triangle[rays], u[rays], v[rays] = further.triangle, further.u, further.v
            rays = rays[self._unseen(further, along)]
        return Hits(triangle, t, u, v)

    def _unseen(self, hits: Hits, directions: Floats) -> NDArray[np.intp]:
        """Which of these hits sight passes."""
        triangle = np.maximum(hits.triangle, 0)
        along = sum(self._face[k].take(triangle) * directions[:, k] for k in range(3))
        unseen = (hits.triangle >= 0) & self._one_sided.take(triangle) & (along > 0)
        if self._holes:
            candidates = np.nonzero((hits.triangle >= 0) & self._holed.take(triangle) & ~unseen)[0]
            unseen[candidates] = self._in_hole(hits.subset(candidates))
        return np.nonzero(unseen)[0]

    def _in_hole(self, hits: Hits) -> NDArray[np.bool_]:
        corners, w = self._uvs[hits.triangle], 1 - hits.u - hits.v
        uv = corners[:, 0] * w[:, None] + corners[:, 1] * hits.u[:, None] + corners[:, 2] * hits.v[:, None]
        result = np.zeros(len(hits.triangle), np.bool_)
        for number, holes in self._holes.items():
            mine = np.nonzero(self._material[hits.triangle] == number)[0]
            place = ((uv[mine] - np.floor(uv[mine])) * np.array(holes.shape[::-1])).astype(np.int64)
            column, row = np.minimum(place, np.array(holes.shape[::-1]) - 1).T
            result[mine] = holes[row, column]
        return result


def through_glass(
    color: Floats,
    surfaces: Surfaces,
    tracer: RayTracer,
    origin: Floats,
    direction: Floats,
    hits: Hits,
    lamps: tuple[Lamp, ...],
    pixel: float,
    panes: int = _MOST_PANES,
) -> Floats:
    """(3, n) colours of hits with what lies behind their glass mixed in; ``origin`` (3,) or (3, n)."""
    if panes == 0 or not surfaces.has_glass:
        return color
    material = surfaces.material.take(np.maximum(hits.triangle, 0))
    opacity = np.where(hits.triangle >= 0, surfaces.materials.opacity.take(material), np.float32(1))
    clear = np.nonzero(opacity < 1)[0]
    if len(clear) == 0:
        return color
    ray = np.ascontiguousarray(direction[:, clear])
    way = hits.t[clear] + _PAST_M / np.sqrt((ray * ray).sum(0))
    start = (origin if origin.ndim == 2 else origin[:, None])[:, clear if origin.ndim == 2 else slice(None)] + ray * way
    behind = tracer.nearest(np.ascontiguousarray(start.T), np.ascontiguousarray(ray.T))
    seen = shade_plainly(surfaces, start, ray, behind, lamps, pixel)
    seen = through_glass(seen, surfaces, tracer, start, ray, behind, lamps, pixel, panes - 1)
    share = opacity[clear]
    color[:, clear] = color[:, clear] * share + seen * (1 - share)
    return color
