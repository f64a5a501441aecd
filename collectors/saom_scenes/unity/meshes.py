"""Meshes as Unity has them: metres, left-handed, one material a sub-mesh; `Mesh` is what all sources of them give."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saom_scenes.unity.polygons import Polygons

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Mesh:
    """V vertices, T triangles in an object's own frame; cross(p1 - p0, p2 - p0) points to who sees a triangle."""

    positions: Floats
    """(V, 3)"""
    normals: Floats
    """(V, 3), of unit length or zero."""
    uvs: Floats
    """(V, 2)"""
    triangles: NDArray[np.int64]
    """(T, 3)"""
    submesh: NDArray[np.int64]
    """(T,) which of the renderer's materials a triangle has."""


def unity_mesh(polygons: Polygons, matrix: Floats, scale: float) -> Mesh:
    """Corners welded into vertices, in Unity's frame: FBX is right-handed, so x changes its sign.

    Args:
        matrix: (4, 4), what the node's pivot and geometric transform do to the points.
        scale: metres to a unit of the file.

    Raises ValueError for numbers that make no mesh.
    """
    mirrored = np.array([-1.0, 1.0, 1.0])
    linear = matrix[:3, :3]
    positions = (polygons.positions @ linear.T + matrix[:3, 3]) * (scale * mirrored)
    if not np.isfinite(positions).all():
        raise ValueError("its points are no numbers")
    normals = unit((polygons.normals @ np.linalg.inv(linear)) * mirrored)
    corners = polygons.triangles.reshape(-1)
    key = np.column_stack([polygons.point[corners], np.round(normals[corners], 3), np.round(polygons.uvs[corners], 5)])
    _, first, vertex = np.unique(key, axis=0, return_index=True, return_inverse=True)
    kept = corners[first]
    triangles = vertex.reshape(-1, 3)
    # Mirroring turns every triangle round; a node that mirrors as well turns it back.
    if np.linalg.det(linear) > 0:
        triangles = triangles[:, [0, 2, 1]]
    # Unity leaves out the slots that no polygon uses.
    _, submesh = np.unique(polygons.slot, return_inverse=True)
    return Mesh(positions[polygons.point[kept]], normals[kept], polygons.uvs[kept], triangles, submesh.reshape(-1))


def unit(vectors: Floats) -> Floats:
    """Vectors (n, 3) of length one; those of no length stay zero."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))
