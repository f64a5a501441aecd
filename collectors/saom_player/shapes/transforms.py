"""Moving, turning, scaling and measuring meshes and parts; primitives.py offers these names too."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saom_player.shapes.mesh import Mesh, Part
from saom_player.shapes.smoothing import cross

Floats = NDArray[np.float64]
SMALLEST_EXTENT_M = 1e-3


def rotation(*, x_deg: float = 0.0, y_deg: float = 0.0, z_deg: float = 0.0) -> Floats:
    """(3, 3) rotation in Unity's order, first z, then x, then y; the same as ``scene.Box.axes``."""
    x, y, z = np.radians([x_deg, y_deg, z_deg])
    cx, sx, cy, sy, cz, sz = np.cos(x), np.sin(x), np.cos(y), np.sin(y), np.cos(z), np.sin(z)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_y @ about_x @ about_z, np.float64)


def transformed(mesh: Mesh, matrix: ArrayLike) -> Mesh:
    """Apply a (4, 4) or (3, 4) affine matrix or a (3, 3) linear one.

    Normals stay unit vectors, and a mirroring keeps the outside outside.
    """
    affine = np.asarray(matrix, np.float64)
    linear = affine[:3, :3]
    positions = mesh.positions.astype(np.float64) @ linear.T
    if affine.shape[1] > 3:
        positions = positions + affine[:3, 3]
    # The cofactor matrix turns normals rightly under any scaling, and exists for singular matrices too.
    cofactor = cross(linear[[1, 2, 0]], linear[[2, 0, 1]])
    normals = mesh.normals.astype(np.float64) @ cofactor.T
    length = np.sqrt(np.einsum("ijk,ijk->ij", normals, normals))[..., None]
    normals = np.where(length > 1e-30, normals / np.maximum(length, 1e-30), mesh.normals)
    uvs = mesh.uvs
    if float(cofactor[0] @ linear[0]) < 0:
        positions, normals, uvs = positions[:, ::-1], -normals[:, ::-1], uvs[:, ::-1]
    return Mesh(
        np.ascontiguousarray(positions, np.float32),
        np.ascontiguousarray(normals, np.float32),
        np.ascontiguousarray(uvs),
        mesh.material,
    )


def moved(mesh: Mesh, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Mesh:
    """Shift a mesh by metres."""
    return Mesh(mesh.positions + np.array([x, y, z], np.float32), mesh.normals, mesh.uvs, mesh.material)


def rotated(mesh: Mesh, *, x_deg: float = 0.0, y_deg: float = 0.0, z_deg: float = 0.0) -> Mesh:
    """Turn a mesh about the origin, see ``rotation``. x_deg=-90 lays what faces +z face up."""
    turn = rotation(x_deg=x_deg, y_deg=y_deg, z_deg=z_deg).astype(np.float32)
    return Mesh(mesh.positions @ turn.T, mesh.normals @ turn.T, mesh.uvs, mesh.material)


def scaled(mesh: Mesh, factors: float | tuple[float, float, float]) -> Mesh:
    """Scale about the origin, by one factor or one an axis; a negative factor mirrors."""
    return transformed(mesh, np.diag(np.broadcast_to(np.asarray(factors, np.float64), 3)))


def merged(meshes: Sequence[Mesh]) -> Mesh:
    """One mesh of several, with the first one's material. Raises ValueError for none."""
    if not meshes:
        raise ValueError("merged() needs at least one mesh")
    return Mesh(
        np.concatenate([m.positions for m in meshes]),
        np.concatenate([m.normals for m in meshes]),
        np.concatenate([m.uvs for m in meshes]),
        meshes[0].material,
    )


def bounds(parts: Iterable[Part]) -> tuple[Floats, Floats]:
    """(3,) least and greatest x, y, z over all parts. Raises ValueError when there is no triangle."""
    corners = [part.mesh.positions.reshape(-1, 3) for part in parts if len(part.mesh)]
    if not corners:
        raise ValueError("bounds() needs at least one triangle")
    everything = np.concatenate(corners).astype(np.float64)
    return everything.min(axis=0), everything.max(axis=0)


def fit(parts: Sequence[Part], size: tuple[float, float, float]) -> tuple[Part, ...]:
    """Scale and centre parts so that together they fill a box of ``size`` metres about the origin exactly.

    Axes under 1 mm are raised to 1 mm; an axis in which the parts are flat is only centred.
    """
    factors, shift = fitting(parts, size)
    matrix = np.concatenate([np.diag(factors), shift[:, None]], axis=1)
    return tuple(Part(part.name, transformed(part.mesh, matrix)) for part in parts)


def fitting(parts: Iterable[Part], size: tuple[float, float, float]) -> tuple[Floats, Floats]:
    """(3,) factors and (3,) shift of ``fit``: a point p goes to factors * p + shift."""
    low, high = bounds(parts)
    extent = high - low
    wanted = np.maximum(np.asarray(size, np.float64), SMALLEST_EXTENT_M)
    factors = np.where(extent > 1e-9, wanted / np.maximum(extent, 1e-9), 1.0)
    return factors, -factors * (low + high) / 2
