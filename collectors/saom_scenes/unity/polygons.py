"""The polygons of an FBX geometry as triangles with normals, texture coordinates and material slots, in FBX's frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saom_scenes.unity.fbx import Node

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Polygons:
    """V control points, C corners of polygons, T triangles."""

    positions: Floats
    """(V, 3)"""
    point: Ints
    """(C,) each corner's control point."""
    normals: Floats
    """(C, 3), of any length."""
    uvs: Floats
    """(C, 2)"""
    triangles: Ints
    """(T, 3) corners; cross(p1 - p0, p2 - p0) points outward."""
    slot: Ints
    """(T,) number of the material among the node's."""


def polygons_of(geometry: Node) -> Polygons:
    """The triangles of a Geometry node. Raises ValueError or IndexError where its arrays do not fit each other."""
    positions = _floats(geometry, "Vertices").reshape(-1, 3)
    index = _ints(geometry, "PolygonVertexIndex")
    last = index < 0
    point = np.where(last, ~index, index)
    if len(point) and (not last[-1] or point.max() >= len(positions) or not np.isfinite(positions).all()):
        raise ValueError("its polygons name points that are not there")
    ends = np.flatnonzero(last) + 1
    starts = np.concatenate([[0], ends[:-1]]).astype(np.int64)
    polygon = np.repeat(np.arange(len(ends)), ends - starts)
    triangles = triangles_of(positions[point], starts, ends - starts)
    layers = _Layers(point, polygon)
    normals = layers.values(geometry, "LayerElementNormal", "Normals", "NormalsIndex", 3)
    uvs = layers.values(geometry, "LayerElementUV", "UV", "UVIndex", 2)
    return Polygons(
        positions,
        point,
        smooth_normals(positions, point, triangles) if normals is None else normals,
        np.zeros((len(point), 2)) if uvs is None else uvs,
        triangles,
        layers.slots(geometry)[triangles[:, 0]],
    )


@dataclass(frozen=True)
class _Layers:
    """What FBX says for each corner, point or polygon, as values by corner."""

    point: Ints
    polygon: Ints

    def values(self, geometry: Node, layer: str, data: str, index: str, width: int) -> Floats | None:
        """(C, width), or None where there is no such layer."""
        node = geometry.child(layer)
        if node is None or node.array(data).size == 0:
            return None
        values = _floats(node, data).reshape(-1, width)
        picked = self._picked(node)
        if node.text("ReferenceInformationType") != "Direct" and node.array(index).size:
            numbers = _ints(node, index)
            picked = numbers[np.minimum(picked, len(numbers) - 1)]
        found = values[np.clip(picked, 0, len(values) - 1)]
        return found if np.isfinite(found).all() else None

    def slots(self, geometry: Node) -> Ints:
        """(C,) material numbers."""
        node = geometry.child("LayerElementMaterial")
        if node is None or node.text("MappingInformationType") != "ByPolygon" or node.array("Materials").size == 0:
            return np.zeros(len(self.point), np.int64)
        numbers = _ints(node, "Materials")
        return np.asarray(np.maximum(numbers[np.minimum(self.polygon, len(numbers) - 1)], 0))

    def _picked(self, node: Node) -> Ints:
        mapping = node.text("MappingInformationType")
        if mapping == "ByPolygonVertex":
            return np.arange(len(self.point))
        if mapping.startswith("ByVert"):  # "ByVertice" is how most exporters spell it
            return self.point
        return self.polygon if mapping == "ByPolygon" else np.zeros(len(self.point), np.int64)


def _floats(node: Node, name: str) -> Floats:
    return np.asarray(node.array(name)).astype(np.float64)


def _ints(node: Node, name: str) -> Ints:
    return np.asarray(node.array(name)).astype(np.int64)


def smooth_normals(positions: Floats, point: Ints, triangles: Ints) -> Floats:
    """(C, 3) of a mesh without normals: means of the faces round each point, by area."""
    a, b, c = (positions[point[triangles[:, k]]] for k in range(3))
    faces = np.cross(b - a, c - a)
    sums = np.zeros_like(positions)
    for k in range(3):
        np.add.at(sums, point[triangles[:, k]], faces)
    return sums[point]


def triangles_of(corners: Floats, starts: Ints, sizes: Ints) -> Ints:
    """(T, 3) corners, polygon after polygon of the same number of corners; lines and points are left out."""
    threes, fours = starts[sizes == 3], starts[sizes == 4]
    found = [threes[:, None] + np.arange(3), _quads(corners, fours)]
    for start, size in zip(starts[sizes > 4].tolist(), sizes[sizes > 4].tolist(), strict=True):
        found.append(start + _ears(corners[start : start + size]))
    return np.concatenate(found).astype(np.int64)


def _quads(corners: Floats, starts: Ints) -> Ints:
    """Two triangles each: along the diagonal whose halves face one way, else the shorter one."""
    p = corners[starts[:, None] + np.arange(4)]

    def alike(first: tuple[int, int, int], second: tuple[int, int, int]) -> NDArray[np.bool_]:
        sides = [np.cross(p[:, b] - p[:, a], p[:, c] - p[:, a]) for a, b, c in (first, second)]
        return np.asarray((sides[0] * sides[1]).sum(axis=1) > 0)

    along_02, along_13 = alike((0, 1, 2), (0, 2, 3)), alike((0, 1, 3), (1, 2, 3))
    length_02, length_13 = (((p[:, a] - p[:, b]) ** 2).sum(axis=1) for a, b in ((0, 2), (1, 3)))
    first = np.where(along_02 == along_13, length_02 <= length_13 * 1.0001, along_02)
    split = np.where(first[:, None, None], [[0, 1, 2], [0, 2, 3]], [[0, 1, 3], [1, 2, 3]])
    return (starts[:, None, None] + split).reshape(-1, 3)


def _ears(corners: Floats) -> Ints:
    """(n - 2, 3) triangles of one simple polygon (n, 3), by cutting off ears."""
    ahead = np.roll(corners, -1, axis=0)
    normal = np.cross(corners, ahead).sum(axis=0)
    axis = int(np.abs(normal).argmax())
    flat = corners[:, [(axis + 1) % 3, (axis + 2) % 3]] * (1.0 if normal[axis] >= 0 else -1.0)
    if normal[axis] < 0:
        flat = flat * [1.0, -1.0]
    left = list(range(len(corners)))
    found = []
    while len(left) > 3:
        k = next((k for k in range(len(left)) if _is_ear(flat, left, k)), 0)
        found.append((left[k - 1], left[k], left[(k + 1) % len(left)]))
        del left[k]
    return np.array([*found, left], np.int64)


def _is_ear(flat: Floats, left: list[int], k: int) -> bool:
    a, b, c = left[k - 1], left[k], left[(k + 1) % len(left)]
    if _area(flat[a], flat[b], flat[c]) <= 1e-14:
        return False
    others = flat[[n for n in left if n not in (a, b, c)]]
    inside = np.ones(len(others), np.bool_)
    for start, end in ((a, b), (b, c), (c, a)):
        inside &= _area(flat[start], flat[end], others) > 0
    return not inside.any()


def _area(a: Floats, b: Floats, c: Floats) -> Floats:
    """Twice the area of triangles in the plane, positive when a, b, c run counter-clockwise."""
    return np.asarray((b[0] - a[0]) * (c[..., 1] - a[1]) - (b[1] - a[1]) * (c[..., 0] - a[0]))
