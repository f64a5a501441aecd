"""From vertices and faces to a Mesh: drops degenerate triangles, smooths normals up to a crease, projects textures."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saom_player.shapes.mesh import Material, Mesh

# Metres that one repeat of a texture covers on real things, by recipe.
_REPEAT_M = {
    "fabric": 0.35, "carpet": 0.40, "leather": 0.45, "wood": 0.80, "marble": 0.90, "granite": 0.40, "brushed": 0.40,
    "plaster": 0.50, "wicker": 0.22, "cardboard": 0.40, "concrete": 0.80, "bread": 0.12, "leaf": 0.15, "soil": 0.20,
}  # fmt: skip
_SMALLEST_DOUBLE_AREA = 1e-13
_WELD_STEP = 1e-5
_WELD_LIMIT = 2**20 - 1


def mesh_from_faces(
    vertices: ArrayLike,
    faces: ArrayLike,
    material: Material,
    *,
    normals: NDArray[np.float64] | None = None,
    uvs: NDArray[np.float64] | None = None,
    crease_deg: float = 45.0,
    uv_scale: float | None = None,
) -> Mesh:
    """Build a Mesh from ``vertices`` (V, 3) and ``faces`` (F, 3) of vertex indices.

    Without ``normals`` (V, 3) they are averaged over neighbours less than ``crease_deg`` apart (0: flat shading);
    without ``uvs`` (V, 2) textures are projected along the main axis of each face, ``uv_scale`` metres a repeat
    (None: as the material's recipe is in real life, ``repeat_m``).
    """
    vertex_array = np.asarray(vertices, np.float64).reshape(-1, 3)
    face_array = np.asarray(faces, np.int64).reshape(-1, 3)
    corners = vertex_array[face_array]
    crossed = cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    double_area = np.sqrt(np.einsum("ij,ij->i", crossed, crossed))
    kept = double_area > _SMALLEST_DOUBLE_AREA
    face_array, corners, double_area = face_array[kept], corners[kept], double_area[kept]
    flat = crossed[kept] / double_area[:, None]
    if normals is not None:
        corner_normals = np.asarray(normals, np.float64)[face_array]
    elif crease_deg > 0:
        corner_normals = _smooth(vertex_array, face_array, flat, double_area, crease_deg)
    else:
        corner_normals = np.repeat(flat[:, None], 3, axis=1)
    scale = repeat_m(material, uv_scale)
    corner_uvs = _projected(corners, flat, scale) if uvs is None else np.asarray(uvs, np.float64)[face_array]
    return Mesh(corners.astype(np.float32), corner_normals.astype(np.float32), corner_uvs.astype(np.float32), material)


def cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cross products along the last axis; several times faster than numpy's on small arrays."""
    ax, ay, az, bx, by, bz = a[..., 0], a[..., 1], a[..., 2], b[..., 0], b[..., 1], b[..., 2]
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=-1)


def repeat_m(material: Material, uv_scale: float | None = None) -> float:
    """Metres of surface a texture repeat covers: ``uv_scale`` when given, else the recipe's own."""
    return uv_scale if uv_scale is not None else _REPEAT_M.get(material.texture.partition(":")[0], 0.6)


def _smooth(
    vertices: NDArray[np.float64],
    faces: NDArray[np.int64],
    flat: NDArray[np.float64],
    weights: NDArray[np.float64],
    crease_deg: float,
) -> NDArray[np.float64]:
    """(F, 3, 3) corner normals: the area-weighted mean over the faces round a vertex within the crease angle."""
    if not len(faces):
        return np.zeros((0, 3, 3))
    corner_vertex = _weld(vertices)[faces].ravel()
    corner_face = np.repeat(np.arange(len(faces)), 3)
    order = np.argsort(corner_vertex, kind="stable")
    counts = np.bincount(corner_vertex)
    starts = np.cumsum(counts) - counts
    # Every pair (corner, face that touches the same vertex), as two long index arrays.
    fan = counts[corner_vertex]
    corner = np.repeat(np.arange(len(corner_vertex)), fan)
    step = np.arange(len(corner)) - np.repeat(np.cumsum(fan) - fan, fan)
    neighbour = corner_face[order[starts[corner_vertex[corner]] + step]]
    alike = np.einsum("ij,ij->i", flat[neighbour], flat[corner_face[corner]])
    share = np.where(alike >= np.cos(np.radians(crease_deg)) - 1e-9, weights[neighbour], 0.0)
    summed = np.stack([np.bincount(corner, flat[neighbour, k] * share, len(corner_vertex)) for k in range(3)], axis=1)
    length = np.linalg.norm(summed, axis=1, keepdims=True)
    safe = np.where(length > 1e-15, summed / np.maximum(length, 1e-15), flat[corner_face])
    return np.asarray(safe.reshape(-1, 3, 3), np.float64)


def _weld(vertices: NDArray[np.float64]) -> NDArray[np.int64]:
    """(V,) an index per vertex, equal for vertices closer than about 0.01 mm."""
    steps = np.clip(np.round(vertices / _WELD_STEP), -_WELD_LIMIT, _WELD_LIMIT).astype(np.int64) + _WELD_LIMIT
    packed = (steps[:, 0] << 42) | (steps[:, 1] << 21) | steps[:, 2]
    return np.asarray(np.unique(packed, return_inverse=True)[1], np.int64)


def _projected(corners: NDArray[np.float64], flat: NDArray[np.float64], uv_scale: float) -> NDArray[np.float64]:
    """(F, 3, 2) texture coordinates; u runs along the longer side of the shape, as the grain of a board does."""
    if not len(corners):
        return np.zeros((0, 3, 2))
    longest_first = np.argsort(-np.ptp(corners.reshape(-1, 3), axis=0), kind="stable")
    in_plane = np.array([[k for k in longest_first if k != axis] for axis in range(3)])
    axes = in_plane[np.argmax(np.abs(flat), axis=1)]
    return np.asarray(np.take_along_axis(corners, axes[:, None, :].repeat(3, axis=1), axis=2) / uv_scale, np.float64)


def triangles(quads: NDArray[np.int64]) -> NDArray[np.int64]:
    """(2 Q, 3) triangles of (Q, 4) four-cornered faces."""
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def grid_faces(rows: int, columns: int, *, wrap: bool = False) -> NDArray[np.int64]:
    """Triangles over a (rows, columns) grid of vertices; ``wrap`` joins the last column to the first."""
    index = np.arange(rows * columns).reshape(rows, columns)
    if wrap:
        index = np.concatenate([index, index[:, :1]], axis=1)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    return triangles(np.stack([a.ravel(), b.ravel(), c.ravel(), d.ravel()], axis=1))
