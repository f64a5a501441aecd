"""Axis-aligned blocks of building material; textures run on from block to block, as if cut from one piece."""

from collections.abc import Sequence

import numpy as np

from saom_player.shapes.mesh import Material, Mesh
from saom_player.shapes.rectangles import Rectangle
from saom_player.shapes.smoothing import repeat_m

# Corners of each face, as the unit cube's, so that cross(p1 - p0, p2 - p0) points outward.
_FACES = np.array(
    [
        [[0, 0, 0], [0, 0, 1], [0, 1, 1], [0, 1, 0]],
        [[1, 0, 0], [1, 1, 0], [1, 1, 1], [1, 0, 1]],
        [[0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 0, 1]],
        [[0, 1, 0], [0, 1, 1], [1, 1, 1], [1, 1, 0]],
        [[0, 0, 0], [0, 1, 0], [1, 1, 0], [1, 0, 0]],
        [[0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]],
    ],
    np.float64,
)
_NORMALS = np.array([[-1, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0], [0, 0, -1], [0, 0, 1]], np.float64)
# Which world axes a face's texture runs along.
_AXES = ((2, 1), (2, 1), (0, 2), (0, 2), (0, 1), (0, 1))


def block(
    low: tuple[float, float, float],
    high: tuple[float, float, float],
    material: Material,
    repeat: float | None = None,
) -> Mesh:
    """A block between two corners in the world, ``repeat`` metres a texture repeat (None: the material's own)."""
    size = np.maximum(np.subtract(high, low), 1e-4)
    quads = _FACES * size + np.asarray(low)
    scale = repeat_m(material, repeat)
    triangles, normals, uvs = [], [], []
    for quad, normal, (across, along) in zip(quads, _NORMALS, _AXES, strict=True):
        # v grows downwards where a face stands upright.
        flat = np.stack([quad[:, across], -quad[:, along]], axis=1) / scale
        for corners in ((0, 1, 2), (0, 2, 3)):
            triangles.append(quad[list(corners)])
            uvs.append(flat[list(corners)])
            normals.append(np.repeat(normal[None], 3, axis=0))
    return Mesh(np.array(triangles, np.float32), np.array(normals, np.float32), np.array(uvs, np.float32), material)


def sides(mesh: Mesh, kept: Sequence[int]) -> Mesh:
    """Some sides of a block alone: 0 and 1 at low and high x, 2 and 3 at low and high y, 4 and 5 at low and high z."""
    rows = np.array([2 * side + k for side in kept for k in (0, 1)])
    return Mesh(mesh.positions[rows], mesh.normals[rows], mesh.uvs[rows], mesh.material)


def upright(r: Rectangle, low: float, high: float, material: Material, repeat: float | None = None) -> Mesh:
    """A block over a rectangle of the floor plan, from one height to another."""
    return block((r[0], low, r[1]), (r[2], high, r[3]), material, repeat)
