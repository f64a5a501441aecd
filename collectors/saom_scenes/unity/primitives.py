"""Unity's built-in meshes (cube, sphere, capsule, cylinder, plane, quad) by their file ids."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from saom_scenes.unity.meshes import Mesh

BUILTIN_GUID = "0000000000000000e000000000000000"
_AROUND, _RINGS = 24, 12
Floats = NDArray[np.float64]


@lru_cache
def primitive(file_id: int) -> Mesh | None:
    """The built-in mesh of a file id, or None for one that has no surface to speak of."""
    make = _MAKERS.get(file_id)
    return make() if make else None


def _grid(points: Floats, normals: Floats, uvs: Floats) -> Mesh:
    """A mesh of (rows, columns, 3) points that runs right and up as seen from the front."""
    rows, columns = points.shape[:2]
    low = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).reshape(-1)
    right, up, across = low + 1, low + columns, low + columns + 1
    triangles = np.concatenate([np.stack([low, right, across], 1), np.stack([low, across, up], 1)])
    return _mesh(points.reshape(-1, 3), normals.reshape(-1, 3), uvs.reshape(-1, 2), triangles)


def _mesh(positions: Floats, normals: Floats, uvs: Floats, triangles: NDArray[np.int64]) -> Mesh:
    return Mesh(positions, normals, uvs, triangles, np.zeros(len(triangles), np.int64))


def _joined(*meshes: Mesh) -> Mesh:
    starts = np.cumsum([0, *(len(m.positions) for m in meshes)])
    return _mesh(
        np.concatenate([m.positions for m in meshes]),
        np.concatenate([m.normals for m in meshes]),
        np.concatenate([m.uvs for m in meshes]),
        np.concatenate([m.triangles + start for m, start in zip(meshes, starts, strict=False)]),
    )


def _face(right: Floats, up: Floats, middle: Floats, cells: int = 1) -> Mesh:
    """A rectangle about ``middle`` that is seen from the side of cross(right, up)."""
    share = np.linspace(0.0, 1.0, cells + 1)
    u, v = np.meshgrid(share, share)
    uvs = np.stack([u, v], -1)
    points = middle + (u[..., None] - 0.5) * right + (v[..., None] - 0.5) * up
    normal = np.cross(right, up)
    return _grid(points, np.broadcast_to(normal / np.linalg.norm(normal), points.shape), uvs)


def _cube() -> Mesh:
    faces = []
    for axis in range(3):
        for sign in (1.0, -1.0):
            normal, right = np.eye(3)[axis] * sign, np.eye(3)[(axis + 1) % 3]
            faces.append(_face(right, np.cross(normal, right), normal / 2))
    return _joined(*faces)


def _plane() -> Mesh:
    mesh = _face(np.array([0.0, 0, 10]), np.array([10.0, 0, 0]), np.zeros(3), 10)
    return _mesh(mesh.positions, mesh.normals, 0.5 - mesh.positions[:, [0, 2]] / 10, mesh.triangles)


def _quad() -> Mesh:
    # Seen from -z, where x runs to the right in a left-handed frame.
    mesh = _face(np.array([0.0, 1, 0]), np.array([1.0, 0, 0]), np.zeros(3))
    return _mesh(mesh.positions, mesh.normals, mesh.positions[:, :2] + 0.5, mesh.triangles)


def _turns() -> tuple[Floats, Floats, Floats]:
    """Shares of a turn, and the sines and cosines that make a grid run right as seen from outside."""
    share = np.linspace(0.0, 1.0, _AROUND + 1)
    return share, np.cos(2 * np.pi * share), -np.sin(2 * np.pi * share)


def _ball(stretch: float = 0.0) -> Mesh:
    """A sphere of diameter 1, its halves ``stretch`` away from the middle each."""
    share, x, z = _turns()
    height = np.linspace(-np.pi / 2, np.pi / 2, _RINGS + 1)[:, None]
    normals = np.stack(np.broadcast_arrays(np.cos(height) * x, np.sin(height), np.cos(height) * z), -1)
    points = normals / 2
    points = points + np.where(normals[..., 1:2] >= 0, stretch, -stretch) * np.array([0.0, 1, 0])
    uvs = np.stack(np.broadcast_arrays(share[None, :], height / np.pi + 0.5), -1)
    return _grid(points, normals, uvs)


def _cylinder() -> Mesh:
    share, x, z = _turns()
    height = np.array([[-1.0], [1.0]])
    normals = np.stack(np.broadcast_arrays(x[None, :] + 0 * height, 0 * height, z[None, :] + 0 * height), -1)
    points = normals / 2 + height[..., None] * np.array([0.0, 1, 0])
    uvs = np.stack(np.broadcast_arrays(share[None, :], height / 2 + 0.5), -1)
    return _joined(_grid(points, normals, uvs), _lid(1.0), _lid(-1.0))


def _lid(y: float) -> Mesh:
    _, x, z = _turns()
    rim = np.stack([x / 2, np.full_like(x, y), z / 2], 1)
    positions = np.concatenate([[[0.0, y, 0.0]], rim])
    numbers = np.arange(1, _AROUND + 1)
    order = (numbers, numbers + 1) if y > 0 else (numbers + 1, numbers)
    triangles = np.stack([np.zeros_like(numbers), *order], 1)
    normals = np.tile([0.0, np.sign(y), 0.0], (len(positions), 1))
    return _mesh(positions, normals, positions[:, [0, 2]] + 0.5, triangles)


_MAKERS: dict[int, Callable[[], Mesh]] = {
    10202: _cube,
    10206: _cylinder,
    10207: _ball,
    10208: lambda: _ball(0.5),
    10209: _plane,
    10210: _quad,
}
