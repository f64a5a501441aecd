"""Rays against triangles, by Embree: nearest hits and occlusion. The only importer of embreex."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

FAR = np.float32(1.0e4)
"""Depth of a ray that hits nothing, in units of its direction's length."""


class RendererUnavailable(RuntimeError):
    """This machine has no Embree."""


@dataclass(frozen=True)
class Hits:
    """Where n rays first hit: all (n,). ``triangle`` is -1 and ``t`` is FAR where they hit nothing.

    ``u`` and ``v`` weigh the triangle's second and third corner.
    """

    triangle: Ints
    t: Floats
    u: Floats
    v: Floats

    def subset(self, where: NDArray[np.intp]) -> "Hits":
        """The hits at these indices."""
        return Hits(self.triangle.take(where), self.t.take(where), self.u.take(where), self.v.take(where))


def _embree() -> tuple[Any, Any]:
    try:
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore_scene import EmbreeScene
    except ImportError as error:
        raise RendererUnavailable(
            "the embedded player renders with the package embreex, which is not installed here (it has no wheel for"
            " Linux on aarch64); use an x86-64 machine or the Unity player"
        ) from error
    return EmbreeScene, TriangleMesh


class RayTracer:
    """Embree over (T, 3, 3) corners; triangle numbers are rows. No triangles at all is allowed: nothing is ever hit."""

    def __init__(self, positions: Floats, shared: tuple[Floats, Ints] | None = None) -> None:
        """``shared``: the same as points (V, 3) and rows of theirs (T, 3), which Embree takes in faster."""
        self.count = len(positions)
        if self.count == 0:
            return
        scene_type, mesh_type = _embree()
        # Robust mode is watertight: without it, rays slip between neighbouring triangles and leave holes in id images.
        self._scene = scene_type(robust=True)
        # Embree may point into these arrays: they live as long as the scene.
        self._corners = (np.ascontiguousarray(positions, np.float32),) if shared is None else shared
        self._mesh = mesh_type(self._scene, *self._corners)

    def nearest(self, origins: Floats, directions: Floats) -> Hits:
        """First hits of rays, (n, 3) each; ``t`` counts in lengths of the direction."""
        n = len(directions)
        if self.count == 0 or n == 0:
            nothing = np.zeros(n, np.float32)
            return Hits(np.full(n, -1, np.int32), np.full(n, FAR), nothing, nothing)
        found = self._scene.run(_rows(origins), _rows(directions), output=True)
        triangle: Ints = found["primID"]
        return Hits(triangle, np.where(triangle >= 0, found["tfar"], FAR), found["u"], found["v"])

    def distance(self, origins: Floats, directions: Floats, reach: float) -> Floats:
        """(n,) distance to the first hit of unit rays, at most ``reach``."""
        n = len(directions)
        if self.count == 0 or n == 0:
            return np.full(n, reach, np.float32)
        far = np.full(n, reach, np.float32)
        found = self._scene.run(_rows(origins), _rows(directions), dists=far, query="DISTANCE")
        return np.asarray(np.minimum(found, np.float32(reach)), np.float32)

    def occluded(self, origins: Floats, directions: Floats, reach: Floats) -> NDArray[np.bool_]:
        """(n,) whether anything lies within ``reach`` (n,) of unit rays."""
        n = len(directions)
        if self.count == 0 or n == 0:
            return np.zeros(n, np.bool_)
        far = np.array(reach, np.float32)  # a copy: Embree writes into it
        found = self._scene.run(_rows(origins), _rows(directions), dists=far, query="OCCLUDED")
        return np.asarray(found >= 0)


def _rows(vectors: Floats) -> Floats:
    return np.ascontiguousarray(vectors, np.float32)
