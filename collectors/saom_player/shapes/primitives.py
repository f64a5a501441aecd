"""Mesh primitives: every shape the builders use. Metres; centred in x and z, base at y = 0 unless said otherwise.

``uv_scale`` is the metres of surface a texture repeat covers; None takes the recipe's own (smoothing.repeat_m).
Sizes below 0.1 mm are raised to it, so that no builder has to guard against a degenerate box.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saom_player.shapes.mesh import Material, Mesh
from saom_player.shapes.rounded import rounded_box as rounded_box
from saom_player.shapes.smoothing import cross, grid_faces, mesh_from_faces, repeat_m, triangles
from saom_player.shapes.transforms import bounds as bounds
from saom_player.shapes.transforms import fit as fit
from saom_player.shapes.transforms import merged as merged
from saom_player.shapes.transforms import moved as moved
from saom_player.shapes.transforms import rotated as rotated
from saom_player.shapes.transforms import rotation as rotation
from saom_player.shapes.transforms import scaled as scaled
from saom_player.shapes.transforms import transformed as transformed

Floats = NDArray[np.float64]
Size = tuple[float, float, float]
Surface = Callable[[Floats, Floats], tuple[Any, Any, Any]]
"""A sheet's points: u, v in 0..1 to x, y, z."""
_SMALLEST = 1e-4
# Corners of a picture, seen from its front: bottom left, bottom right, top right, top left (v = 0 is the top).
_PICTURE_UVS = np.array([[0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]])


def box(size: Size, material: Material, *, uv_scale: float | None = None) -> Mesh:
    """A sharp box: 12 triangles."""
    half = np.maximum(np.asarray(size, np.float64), _SMALLEST) / 2
    corner = np.array([[i, j, k] for i in (-1, 1) for j in (0, 2) for k in (-1, 1)]) * half
    quads = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
    return mesh_from_faces(corner, triangles(np.array(quads)), material, crease_deg=0, uv_scale=uv_scale)


def cylinder(
    radius: float,
    height: float,
    material: Material,
    *,
    top_radius: float | None = None,
    sides: int = 16,
    bevel: float = 0.0,
    uv_scale: float | None = None,
) -> Mesh:
    """A closed cylinder or cone along y; ``bevel`` softens its two rims."""
    top = radius if top_radius is None else top_radius
    bevel = min(bevel, height * 0.49, radius * 0.9, top * 0.9) if min(radius, top) > 0 else 0.0
    profile = [(radius, 0.0), (top, height)]
    if bevel > 0:
        profile = [(radius - bevel, 0.0), (radius, bevel), (top, height - bevel), (top - bevel, height)]
    return lathe(profile, material, sides=sides, uv_scale=uv_scale)


def lathe(
    profile: Sequence[tuple[float, float]],
    material: Material,
    *,
    sides: int = 20,
    closed: bool = True,
    crease_deg: float = 50.0,
    uv_scale: float | None = None,
    wrap: float | None = None,
) -> Mesh:
    """Turn a ``profile`` of (radius, y) about the y axis; going up, its right-hand side is the outside.

    ``closed`` adds flat ends. ``wrap``: this many texture repeats round it, and one from top (v = 0) to bottom.
    """
    points = np.asarray(profile, np.float64).reshape(-1, 2)
    points[:, 0] = np.maximum(points[:, 0], 0.0)
    if closed:
        points = np.concatenate([[[0.0, points[0, 1]]], points, [[0.0, points[-1, 1]]]])
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    radius, y = points[:, :1], np.broadcast_to(points[:, 1:], (len(points), sides + 1))
    vertices = np.stack([radius * np.cos(angle), y, radius * np.sin(angle)], axis=-1)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])[:, None]
    if wrap is not None:
        bottom, top = float(points[:, 1].min()), float(points[:, 1].max())
        v = (top - y) / max(top - bottom, _SMALLEST)
        uvs = np.stack([np.broadcast_to(angle / (2 * np.pi) * wrap, v.shape), v], axis=-1)
    else:
        around = np.broadcast_to(angle * max(float(points[:, 0].max()), _SMALLEST), y.shape)
        uvs = np.stack([np.broadcast_to(along, y.shape), around], axis=-1) / repeat_m(material, uv_scale)
    faces = grid_faces(len(points), sides + 1)
    return mesh_from_faces(vertices.reshape(-1, 3), faces, material, uvs=uvs.reshape(-1, 2), crease_deg=crease_deg)


def ellipsoid(size: Size, material: Material, *, sides: int = 14, rows: int = 8, uv_scale: float | None = None) -> Mesh:
    """An egg-smooth ball of the given full size."""
    half = np.maximum(np.asarray(size, np.float64), _SMALLEST) / 2
    turn = np.linspace(-np.pi / 2, np.pi / 2, rows + 1)
    profile = [(float(np.cos(a)), float(1 + np.sin(a))) for a in turn]
    ball = lathe(
        profile,
        material,
        sides=sides,
        closed=False,
        crease_deg=90,
        uv_scale=repeat_m(material, uv_scale) / float(half.max()),
    )
    return scaled(ball, (half[0], half[1], half[2]))


def superellipse(
    half_x: float, half_z: float, *, power: float = 2.5, points: int = 20, center: tuple[float, float] = (0.0, 0.0)
) -> Floats:
    """(points, 2) loop in x, z for ``loft``: an ellipse with power 2, nearly a rectangle from 6 on."""
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    c, s = np.cos(angle), np.sin(angle)
    x, z = np.sign(c) * np.abs(c) ** (2 / power), np.sign(s) * np.abs(s) ** (2 / power)
    return np.stack([center[0] + half_x * x, center[1] + half_z * z], axis=1)


def loft(
    sections: Sequence[tuple[ArrayLike, ArrayLike]],
    material: Material,
    *,
    bottom: bool = True,
    top: bool = True,
    crease_deg: float = 50.0,
    uv_scale: float | None = None,
    wrap: float | None = None,
) -> Mesh:
    """Skin over ``sections``: (y, loop (K, 2) of x, z), all loops of one length, running from +x towards +z.

    y may be one number or (K,). Sections that go up show their outside. ``wrap`` as in ``lathe``.
    """
    rings = []
    for y, loop in sections:
        xz = np.asarray(loop, np.float64)
        rings.append(np.stack([xz[:, 0], np.broadcast_to(np.asarray(y, np.float64), len(xz)), xz[:, 1]], axis=1))
    grid = np.stack(rings)
    grid = np.concatenate([grid, grid[:, :1]], axis=1)
    rows, columns = grid.shape[:2]
    vertices, faces = [grid.reshape(-1, 3)], [grid_faces(rows, columns)]
    for wanted, row in ((bottom, 0), (top, rows - 1)):
        if wanted:
            ring = row * columns + np.arange(columns)
            fan = np.stack([np.full(columns - 1, sum(map(len, vertices))), ring[:-1], ring[1:]], axis=1)
            faces.append(fan if row == 0 else fan[:, ::-1])
            vertices.append(grid[row, :-1].mean(axis=0, keepdims=True))
    points = np.concatenate(vertices)
    uvs = None
    if wrap is not None:
        v = (points[:, 1].max() - points[:, 1]) / max(float(np.ptp(points[:, 1])), _SMALLEST)
        u = np.concatenate([np.tile(np.linspace(0, wrap, columns), rows), np.full(len(points) - rows * columns, 0.5)])
        uvs = np.stack([u, v], axis=1)
    return mesh_from_faces(points, np.concatenate(faces), material, uvs=uvs, crease_deg=crease_deg, uv_scale=uv_scale)


def tube(
    path: ArrayLike,
    radius: ArrayLike,
    material: Material,
    *,
    sides: int = 8,
    closed: bool = False,
    uv_scale: float | None = None,
) -> Mesh:
    """A round bar along ``path`` (N, 3), with one radius or one a point; ``closed`` joins its ends to a ring."""
    points = np.asarray(path, np.float64).reshape(-1, 3)
    if closed:
        points = np.concatenate([points, points[:1]])
    ahead: Floats = np.asarray(np.gradient(points, axis=0))
    if closed:
        ahead[0] = ahead[-1] = points[1] - points[-2]
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-12)
    radii = (
        np.broadcast_to(np.asarray(radius, np.float64), len(points)) if not closed else np.resize(radius, len(points))
    )
    sides_out = _carried_sides(ahead)
    up = cross(ahead, sides_out)
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    round_ = np.cos(angle)[:, None] * sides_out[:, None] + np.sin(angle)[:, None] * up[:, None]
    rings = points[:, None] + radii[:, None, None] * round_
    vertices = np.concatenate([rings.reshape(-1, 3), points[:1], points[-1:]])
    rows, columns = len(points), sides + 1
    faces = [grid_faces(rows, columns)[:, ::-1]]
    if not closed:
        first, last = np.arange(columns), (rows - 1) * columns + np.arange(columns)
        faces.append(np.stack([np.full(sides, rows * columns), first[1:], first[:-1]], axis=1))
        faces.append(np.stack([np.full(sides, rows * columns + 1), last[:-1], last[1:]], axis=1))
    return mesh_from_faces(vertices, np.concatenate(faces), material, crease_deg=60, uv_scale=uv_scale)


def _carried_sides(ahead: Floats) -> Floats:
    """(N, 3) unit vectors square to the directions ``ahead``, each turned as little as can be from the one before."""
    side = cross(ahead[0], np.array([0.0, 1.0, 0.0] if abs(ahead[0, 1]) < 0.9 else [1.0, 0.0, 0.0]))
    sides = np.empty_like(ahead)
    for k, direction in enumerate(ahead):
        side = side - direction * float(side @ direction)
        side = side / max(float(side @ side) ** 0.5, 1e-12)
        sides[k] = side
    return sides


def curve(points: Sequence[tuple[float, float]], count: int = 14) -> list[tuple[float, float]]:
    """``count`` points on a smooth curve through ``points``: rounder profiles for ``lathe`` (Catmull-Rom)."""
    given = np.asarray(points, np.float64)
    padded = np.concatenate([2 * given[:1] - given[1:2], given, 2 * given[-1:] - given[-2:-1]])
    place = np.linspace(0, len(given) - 1, count)
    start = np.minimum(place.astype(np.int64), len(given) - 2)
    t = (place - start)[:, None]
    p0, p1, p2, p3 = (padded[start + k] for k in range(4))
    bent = p1 + 0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)))
    return [(max(float(r), 0.0), float(y)) for r, y in bent]


def ring(radius: float, thickness: float, material: Material, *, sides: int = 16, bar_sides: int = 6) -> Mesh:
    """A torus that lies flat, its middle at y = 0: mean ``radius``, bar radius ``thickness`` / 2."""
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    path = np.stack([radius * np.cos(angle), 0 * angle, radius * np.sin(angle)], axis=1)
    return tube(path, thickness / 2, material, sides=bar_sides, closed=True)


def quad(corners: ArrayLike, material: Material, *, uvs: ArrayLike = _PICTURE_UVS) -> Mesh:
    """One flat four-cornered face; from its front the ``corners`` (4, 3) turn so that Mesh's outward rule holds."""
    flat_uvs = np.asarray(uvs, np.float64)
    return mesh_from_faces(np.asarray(corners), [[0, 1, 2], [0, 2, 3]], material, uvs=flat_uvs, crease_deg=0)


def panel(width: float, height: float, material: Material, *, uvs: ArrayLike = _PICTURE_UVS) -> Mesh:
    """A picture at z = 0 that faces +z, base at y = 0: upright and unmirrored for who stands in front of it.

    In a left-handed frame the left of that viewer is +x. ``rotated(..., x_deg=-90)`` lays it face up.
    """
    x = max(width, _SMALLEST) / 2
    y = max(height, _SMALLEST)
    corners = [[-x, 0, 0], [x, 0, 0], [x, y, 0], [-x, y, 0]]
    return quad(corners, material, uvs=np.asarray(uvs, np.float64)[[1, 0, 3, 2]])


def disc(radius: float, material: Material, *, sides: int = 20) -> Mesh:
    """A round picture about the origin that faces +z, upright as a ``panel``."""
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    rim = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    points = np.concatenate([rim * max(radius, _SMALLEST), [[0.0, 0.0, 0.0]]])
    uvs = np.concatenate([0.5 - rim[:, :2] / 2, [[0.5, 0.5]]])
    index = np.arange(sides)
    faces = np.stack([np.full(sides, sides), index, (index + 1) % sides], axis=1)
    return mesh_from_faces(points, faces, material, uvs=uvs, crease_deg=0)


def frame(
    width: float, height: float, border: float, depth: float, material: Material, *, uv_scale: float | None = None
) -> Mesh:
    """Four bars round an opening in the x, y plane, base at y = 0; ``border`` is the bars' width."""
    border = min(border, width * 0.45, height * 0.45)
    upright = box((border, height, depth), material, uv_scale=uv_scale)
    across = box((width - 2 * border, border, depth), material, uv_scale=uv_scale)
    reach = (width - border) / 2
    return merged([moved(upright, x=-reach), moved(upright, x=reach), across, moved(across, y=height - border)])


def sheet(
    surface: Surface,
    columns: int,
    rows: int,
    material: Material,
    *,
    thickness: float = 0.002,
    picture: bool = False,
) -> Mesh:
    """A cloth: ``surface(u, v)`` gives x, y, z for u, v (columns + 1, rows + 1) in 0..1; two sides and a rim.

    Its front is where cross(d/du, d/dv) points. ``picture``: texture coordinates are u, v.
    """
    u, v = np.meshgrid(np.linspace(0, 1, columns + 1), np.linspace(0, 1, rows + 1), indexing="ij")
    middle = np.stack(np.broadcast_arrays(*surface(u, v)), axis=-1).astype(np.float64)
    normal = cross(np.asarray(np.gradient(middle, axis=0)), np.asarray(np.gradient(middle, axis=1)))
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
    points = np.concatenate([(middle + side * normal * thickness / 2).reshape(-1, 3) for side in (1, -1)])
    front = grid_faces(columns + 1, rows + 1)
    index = np.arange(u.size).reshape(u.shape)
    rim = np.concatenate([index[:-1, 0], index[-1, :-1], index[:0:-1, -1], index[0, :0:-1]])
    following = np.roll(rim, -1)
    edge = np.stack([rim, rim + u.size, following + u.size, following], axis=1)
    faces = np.concatenate([front, front[:, ::-1] + u.size, triangles(edge)])
    uvs = np.tile(np.stack([u, v], axis=-1).reshape(-1, 2), (2, 1)) if picture else None
    return mesh_from_faces(points, faces, material, uvs=uvs, crease_deg=80)
