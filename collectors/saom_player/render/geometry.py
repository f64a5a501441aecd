"""A Scene flattened into arrays: one row a triangle, with its instance, part and material numbers."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saom_player.render.tracing import Floats, Ints
from saom_player.scene import Scene
from saom_player.shapes.mesh import Material

# What is smaller spans no plane in float32 and is never seen.
_SMALLEST_AREA_M2 = 1e-12
_MOST_HALVINGS = 40
_MOST_EDGES = 60
_COLUMNS = ("positions", "normals", "uvs", "face", "material", "instance", "part")


@dataclass(frozen=True)
class Triangles:
    """T triangles. ``positions``, ``normals`` (T, 3, 3) and ``uvs`` (T, 3, 2); numbers (T,) int32.

    ``instance`` and ``part`` count from 1: instance k is ``scene.instances()[k - 1]``, parts count through all
    instances in order. ``face`` (T, 3) are unit normals of the triangles' planes on the side of their corners' normals.
    """

    positions: Floats
    normals: Floats
    uvs: Floats
    face: Floats
    material: Ints
    instance: Ints
    part: Ints
    materials: tuple[Material, ...]
    part_names: tuple[str, ...]
    shared: tuple[Floats, Ints] | None = None
    """The same positions as (V, 3) points and (T, 3) rows of theirs, where triangles are known to share corners."""

    def __len__(self) -> int:
        return len(self.positions)

    def rows(self, where: NDArray[np.bool_] | NDArray[np.intp]) -> "Triangles":
        """These triangles only; the numbers keep their meaning."""
        columns: dict[str, Any] = {name: getattr(self, name)[where] for name in _COLUMNS}
        return replace(self, **columns, shared=None)


def flatten(scene: Scene) -> Triangles:
    """All triangles of a scene in the order of its instances and their parts, without degenerate ones."""
    meshes, instance, names = [], [], []
    materials: dict[Material, int] = {}
    for number, thing in enumerate(scene.instances(), start=1):
        for part in thing.parts:
            meshes.append(part.mesh)
            instance.append(number)
            names.append(part.name)
            materials.setdefault(part.mesh.material, len(materials))
    lengths = [len(mesh) for mesh in meshes]
    positions = _stacked([mesh.positions for mesh in meshes], (3, 3))
    normals = _stacked([mesh.normals for mesh in meshes], (3, 3))
    face, sound = _faces(positions, normals)
    whole = Triangles(
        positions=positions,
        normals=_unit_normals(normals, face),
        uvs=np.nan_to_num(_stacked([mesh.uvs for mesh in meshes], (3, 2))),
        face=face,
        material=np.repeat(np.array([materials[mesh.material] for mesh in meshes], np.int32), lengths),
        instance=np.repeat(np.array(instance, np.int32), lengths),
        part=np.repeat(np.arange(1, len(meshes) + 1, dtype=np.int32), lengths),
        materials=tuple(materials),
        part_names=tuple(names),
    )
    return whole.rows(sound)


def _stacked(arrays: list[Floats], shape: tuple[int, int]) -> Floats:
    return np.concatenate([np.zeros((0, *shape), np.float32), *arrays]).astype(np.float32, copy=False)


def _faces(positions: Floats, normals: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Unit plane normals, turned to the side of the corners' normals, and which triangles have an area at all."""
    corners = positions.astype(np.float64)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    twice_area = np.sqrt((cross * cross).sum(1))
    sound = np.isfinite(twice_area) & (twice_area > 2 * _SMALLEST_AREA_M2)
    cross[~sound] = (0.0, 1.0, 0.0)
    unit = cross / np.sqrt((cross * cross).sum(1, keepdims=True))
    backward = (unit * np.nan_to_num(normals).sum(1)).sum(1) < 0
    unit[backward] *= -1
    return unit.astype(np.float32), sound


def _unit_normals(normals: Floats, face: Floats) -> Floats:
    """Corners' normals at length 1; the plane's where a builder gave none or nonsense."""
    length = np.sqrt((normals * normals).sum(2, keepdims=True))
    usable = np.isfinite(length) & (length > 1e-6)
    unit = normals / np.where(usable, length, 1)
    return np.where(usable, unit, face[:, None]).astype(np.float32)


def tessellated(triangles: Triangles, longest_edge_m: float) -> Triangles:
    """Halve longest edges until none is longer: light stored at corners then resolves soft shadows.

    Very large parts (a ground plane) get longer edges, _MOST_EDGES along their side. Neighbours that share an edge
    split it alike, so no cracks open inside a part.
    """
    longest = np.maximum(np.float32(longest_edge_m), part_sizes_m(triangles)[:, 0] / np.float32(_MOST_EDGES))
    limit = (longest**2).take(triangles.part)
    corners = np.concatenate([triangles.positions, triangles.normals, triangles.uvs], axis=2).reshape(-1, 8)
    count = len(corners)
    made, done = [corners], []
    corner, row = np.arange(count, dtype=np.int32).reshape(-1, 3), np.arange(len(triangles))
    # The triangles in hand with all that their corners have; all triangles, by number alone.
    values = corners.reshape(-1, 3, 8)
    for _ in range(_MOST_HALVINGS):
        squared = _squared_edges(values[..., :3])
        long = np.maximum(np.maximum(squared[:, 0], squared[:, 1]), squared[:, 2]) > limit.take(row)
        done.append((corner[~long], row[~long]))
        corner, row, values = corner[long], row[long], values[long]
        if not len(row):
            break
        corner, values = _halved(corner, values, squared[long].argmax(1), count)
        made.append(values[: len(row), 1])
        count += len(row)
        row = np.concatenate([row, row])
    done.append((corner, row))
    return _gathered(triangles, np.concatenate(made), *(np.concatenate(column) for column in zip(*done, strict=True)))


def _squared_edges(positions: Floats) -> Floats:
    """(T, 3) of edge k, which runs from corner k to corner k + 1."""
    x, y, z = (positions[..., k] - positions[:, [1, 2, 0], k] for k in range(3))
    return x * x + y * y + z * z


def _halved(corner: Ints, values: Floats, edge: NDArray[np.intp], count: int) -> tuple[Ints, Floats]:
    """Two triangles for each; corner 1 of the first n is new and numbered from ``count`` on."""
    row = np.arange(len(edge))
    a, b, c = edge, (edge + 1) % 3, (edge + 2) % 3
    new = np.arange(count, count + len(edge), dtype=np.int32)
    middle = np.float32(0.5) * (values[row, a] + values[row, b])
    return (
        _split(corner[row, a], new, corner[row, b], corner[row, c]),
        _split(values[row, a], middle, values[row, b], values[row, c]),
    )


def _split(a: NDArray[Any], middle: NDArray[Any], b: NDArray[Any], c: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate([np.stack([a, middle, c], axis=1), np.stack([middle, b, c], axis=1)])


def _gathered(triangles: Triangles, corners: Floats, corner: Ints, row: NDArray[np.intp]) -> Triangles:
    """The triangles whose corners are rows of (V, 8) ``corners``; all else is that of triangle ``row``."""
    points = np.ascontiguousarray(corners[:, :3])
    return replace(
        triangles,
        positions=points[corner],
        normals=np.ascontiguousarray(corners[:, 3:6])[corner],
        uvs=np.ascontiguousarray(corners[:, 6:])[corner],
        **{name: getattr(triangles, name).take(row, axis=0) for name in ("face", "material", "instance", "part")},
        shared=(points, corner),
    )


def part_sizes_m(triangles: Triangles) -> Floats:
    """(P + 1, 3) sides of each part's bounding box, the longest first, by part number; 0 without triangles."""
    count = len(triangles.part_names) + 1
    low = np.full((count, 3), np.inf, np.float32)
    high = np.full((count, 3), -np.inf, np.float32)
    np.minimum.at(low, triangles.part, triangles.positions.min(1))
    np.maximum.at(high, triangles.part, triangles.positions.max(1))
    sides = np.where(np.isfinite(low), np.where(np.isfinite(high), high, 0) - np.where(np.isfinite(low), low, 0), 0)
    return np.asarray(np.sort(sides, axis=1)[:, ::-1], np.float32)


def open_parts(triangles: Triangles) -> NDArray[np.bool_]:
    """(P + 1,) which parts are sheets: some edge of theirs belongs to an odd number of triangles."""
    count = len(triangles.part_names) + 1
    if len(triangles) == 0:
        return np.zeros(count, np.bool_)
    corners = np.round(triangles.positions.astype(np.float64) * 1e5).astype(np.int64).reshape(-1, 3)
    keys = np.concatenate([np.repeat(triangles.part, 3)[:, None], corners], axis=1)
    number = numbered(keys)[2].reshape(-1, 3)
    ends = np.stack([number, np.roll(number, -1, axis=1)], axis=2).reshape(-1, 2)
    edge = numbered(np.sort(ends, axis=1))[2]
    odd = np.bincount(edge)[edge] % 2 == 1
    is_open = np.zeros(count, np.bool_)
    is_open[np.repeat(triangles.part, 3)[odd]] = True
    return is_open


def numbered(keys: NDArray[np.int64]) -> tuple[int, NDArray[np.intp], NDArray[np.intp]]:
    """Number equal rows of (n, k) alike: how many differ, the first row of each, and (n,) each row's number.

    Rows are mixed into one 64-bit value first: sorting values is far faster than sorting rows.
    """
    mixed = np.zeros(len(keys), np.uint64)
    for column in keys.T:
        mixed = (mixed ^ column.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    _, first, number = np.unique(mixed, return_index=True, return_inverse=True)
    return len(first), first, number
