"""Boxes with rounded edges, and cushions: rings of a rounded rectangle from the bottom up, closed by two grids."""

import numpy as np
from numpy.typing import NDArray

from saom_player.shapes.mesh import Material, Mesh
from saom_player.shapes.smoothing import grid_faces, mesh_from_faces

Floats = NDArray[np.float64]
_SMALLEST = 1e-4


def rounded_box(
    size: tuple[float, float, float],
    material: Material,
    *,
    radius: float = 0.01,
    segments: int = 1,
    puff: float = 0.0,
    cells: int = 3,
    uv_scale: float | None = None,
) -> Mesh:
    """A box with rounded edges: 44 triangles with 1 segment, 132 with 2.

    ``puff`` metres of bulge in the middle of each face make a cushion; its faces are cut into ``cells`` strips.
    """
    half = np.maximum(np.asarray(size, np.float64), _SMALLEST) / 2
    radius = min(radius, float(half.min()) * 0.98)
    inner = half - radius
    cells = cells if puff > 0 else 1
    loop, level = _rounded_loop(inner, radius, segments, cells), _rounded_levels(inner, radius, segments, cells)
    # Level entries: height and the share of the radius by which the loop stands out there.
    rings = np.stack([_ring(loop, inner, radius, y, share) for y, share in level])
    vertices, faces = [rings.reshape(-1, 3)], [grid_faces(len(level), len(loop), wrap=True)]
    count = rings.shape[0] * rings.shape[1]
    ticks = np.linspace(-1, 1, cells + 1)
    for side in (-1.0, 1.0):
        u, v = np.meshgrid(ticks * inner[0], ticks * inner[2], indexing="ij")
        vertices.append(np.stack([u, np.full_like(u, side * half[1]), v], axis=-1).reshape(-1, 3))
        grid = grid_faces(cells + 1, cells + 1) + count
        faces.append(grid if side < 0 else grid[:, ::-1])
        count += (cells + 1) ** 2
    points = np.concatenate(vertices)
    outward = points - np.clip(points, -inner, inner)
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-12)
    if puff > 0:
        points = points + _bulge(points, half, puff)
    return mesh_from_faces(
        points + np.array([0.0, half[1], 0.0]),
        np.concatenate(faces),
        material,
        normals=None if puff > 0 else outward,
        crease_deg=70,
        uv_scale=uv_scale,
    )


def _rounded_loop(inner: Floats, radius: float, segments: int, cells: int) -> Floats:
    """(K, 4) points round a rounded rectangle: centre of curvature x, z and unit direction x, z."""
    points = []
    corners = [(1, 1), (-1, 1), (-1, -1), (1, -1)]
    for quarter, (sx, sz) in enumerate(corners):
        for angle in np.pi / 2 * (quarter + np.linspace(0, 1, segments + 1)):
            points.append([sx * inner[0], sz * inner[2], np.cos(angle), np.sin(angle)])
        nx, nz = corners[(quarter + 1) % 4]
        angle = np.pi / 2 * (quarter + 1)
        for t in np.arange(1, cells) / cells:
            x, z = inner[0] * (sx + (nx - sx) * t), inner[2] * (sz + (nz - sz) * t)
            points.append([x, z, np.cos(angle), np.sin(angle)])
    return np.array(points)


def _rounded_levels(inner: Floats, radius: float, segments: int, cells: int) -> list[tuple[float, float]]:
    """(height, share of the radius) from the bottom to the top of a rounded box centred at y = 0."""
    turn = np.linspace(0, np.pi / 2, segments + 1)
    lower = [(-inner[1] - radius * np.cos(a), float(np.sin(a))) for a in turn]
    straight = [(inner[1] * t, 1.0) for t in np.linspace(-1, 1, cells + 1)[1:-1]]
    return lower + straight + [(-y, share) for y, share in reversed(lower)]


def _ring(loop: Floats, inner: Floats, radius: float, y: float, share: float) -> Floats:
    x, z = loop[:, 0] + loop[:, 2] * radius * share, loop[:, 1] + loop[:, 3] * radius * share
    return np.stack([x, np.full_like(x, y), z], axis=1)


def _bulge(points: Floats, half: Floats, puff: float) -> Floats:
    """(V, 3) how far each point of a cushion moves: most in the middle of a face, not at all on the edges."""
    flatness = 1 - np.clip(np.abs(points) / half, 0, 1) ** 2
    move = np.zeros_like(points)
    for axis in range(3):
        others = [k for k in range(3) if k != axis]
        reach = puff * min(1.0, 2.0 * half[others].min() / max(float(half.max()), 1e-9))
        near_face = np.clip(np.abs(points[:, axis]) / half[axis], 0, 1) ** 4
        move[:, axis] = np.sign(points[:, axis]) * reach * near_face * flatness[:, others[0]] * flatness[:, others[1]]
    return move
