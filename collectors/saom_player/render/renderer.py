"""Pictures of a scene: colours, exact instance and part ids, depth. The same scene and camera give the same bytes.

Ids and depth come from rays through pixel centres and nothing else. Colours are painter.py's.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saom_player.disk_cache import DiskCache
from saom_player.render.camera import Camera as Camera
from saom_player.render.camera import PixelRays
from saom_player.render.geometry import flatten, tessellated
from saom_player.render.painter import TILE_PIXELS, Painter
from saom_player.render.seeing import sight_tracer
from saom_player.render.tracing import FAR, Floats, Hits, Ints
from saom_player.scene import Scene

LONGEST_EDGE_M = 0.2
FAR_M = float(FAR)


@dataclass(frozen=True)
class Frame:
    """What a camera sees, row 0 at the top.

    ``rgb`` (H, W, 3) uint8 or None; ``instances`` and ``parts`` (H, W) int32, 0 where nothing is hit; ``depth`` (H, W)
    float32 metres along the view axis, FAR_M where nothing is hit; ``normals`` (H, W, 3) float32 unit vectors in the
    world, of the triangles' planes towards the viewer, or None.
    """

    rgb: NDArray[np.uint8] | None
    instances: Ints
    parts: Ints
    depth: Floats
    normals: Floats | None = None


class Renderer:
    """Renders one scene. Instance k is ``scene.instances()[k - 1]``; part p is ``part_names[p - 1]`` of all parts."""

    def __init__(self, scene: Scene, cache_dir: Path | None = None) -> None:
        """cache_dir keeps baked light and textures between processes; without it they are made before the first RGB."""
        self.scene = scene
        self._cache = DiskCache(cache_dir) if cache_dir is not None else None
        self._coarse = flatten(scene)
        self._triangles = tessellated(self._coarse, LONGEST_EDGE_M)
        self._tracer = sight_tracer(self._triangles, scene.textures)

    @property
    def triangles(self) -> int:
        """How many triangles are traced."""
        return len(self._triangles)

    @property
    def part_names(self) -> tuple[str, ...]:
        """Names of all parts, through all instances in order: part id p is entry p - 1."""
        return self._triangles.part_names

    def prepare(self) -> None:
        """Bake now rather than at the first RGB picture."""
        _ = self._painter

    def render(self, camera: Camera, size_hw: tuple[int, int], rgb: bool = True, normals: bool = False) -> Frame:
        """One picture of (height, width) pixels."""
        rays = PixelRays(camera, size_hw)
        hits = self._primary_hits(rays)
        return Frame(
            rgb=self._painter.paint(rays, hits) if rgb else None,
            instances=self._numbers(self._triangles.instance, hits).reshape(size_hw),
            parts=self._numbers(self._triangles.part, hits).reshape(size_hw),
            depth=hits.t.reshape(size_hw),
            normals=self._face_normals(rays, hits) if normals else None,
        )

    @cached_property
    def _painter(self) -> Painter:
        return Painter(self.scene, self._tracer, self._triangles, self._coarse, self._cache)

    def _primary_hits(self, rays: PixelRays) -> Hits:
        parts = []
        step = max(1, TILE_PIXELS // rays.width)
        for start in range(0, rays.height, step):
            directions = np.ascontiguousarray(rays.rows(start, min(rays.height, start + step)).T)
            parts.append(self._tracer.nearest(np.broadcast_to(rays.origin, directions.shape), directions))
        return Hits(*(np.concatenate([getattr(p, name) for p in parts]) for name in ("triangle", "t", "u", "v")))

    def _numbers(self, of_triangle: Ints, hits: Hits) -> Ints:
        if len(of_triangle) == 0:
            return np.zeros(len(hits.triangle), np.int32)
        return np.where(hits.triangle >= 0, of_triangle.take(np.maximum(hits.triangle, 0)), np.int32(0))

    def _face_normals(self, rays: PixelRays, hits: Hits) -> Floats:
        directions = rays.rows(0, rays.height)
        face = np.zeros((len(hits.triangle), 3), np.float32)
        hit = hits.triangle >= 0
        face[hit] = self._triangles.face[hits.triangle[hit]]
        away = (face * directions.T).sum(1) > 0
        face[away] *= -1
        return face.reshape(rays.height, rays.width, 3)
