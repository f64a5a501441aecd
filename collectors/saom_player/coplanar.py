"""Faces of different instances that lie in one plane, overlap, and are seen: there, ids are mixed pixel by pixel.

Faces count by the sides that they are seen from: solids by their outside, sheets by both. What no agent can see, such
as the bottom of a thing on a table, does not matter.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saom_player.physics.occupancy import AGENT_CENTER_M
from saom_player.physics.overlap import Floats
from saom_player.render.geometry import Triangles, flatten, open_parts
from saom_player.render.tracing import RayTracer
from saom_player.scene import Scene, SceneObject, Structure, Vector
from saom_player.simulation import Agent

NEAR_M = 1e-4
LEAST_M2 = 2e-5
_ALIKE_COSINE = 1 - 2e-6
_SMALLEST_M2 = 1e-6
_SAMPLES = 36
_MOST_PLACES = 60
_OFF_PLANE_M = 5e-4
_UNDER_M = 0.01
_PAIRS_AT_ONCE = 400_000
_Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Coplanar:
    """Two instances (ids or names, and kinds) with faces in one plane, and one of the points where they are seen."""

    first: str
    second: str
    kinds: tuple[str, str]
    """Object types, or what a structure's name begins with; sorted."""
    parts: tuple[str, str]
    area_m2: float
    """Of the overlap that is seen."""
    at: Vector
    facing: Vector


@dataclass(frozen=True)
class _Faces:
    """F sides of triangles: corners (F, 3, 3), unit normals towards the viewer (F, 3), rows of the triangles (F,)."""

    corners: Floats
    normal: Floats
    row: _Rows

    def offsets(self) -> Floats:
        """(F,) of the faces' planes from the origin, along their normals."""
        return np.asarray((self.corners.mean(axis=1) * self.normal).sum(axis=1), np.float64)


def coplanar_faces(scene: Scene, places: Collection[Vector]) -> tuple[Coplanar, ...]:
    """All pairs of instances with such faces, those with most in common first; ``places`` are where agents stand."""
    triangles = flatten(scene)
    faces = _faces(triangles, scene.agent_position[1] - AGENT_CENTER_M)
    first, second, points = _overlaps(faces, triangles)
    if not len(first):
        return ()
    seen = _seen(points, faces.normal[first], triangles, places)
    smaller = _areas(faces.corners[first])
    area = smaller * seen.sum(axis=1) / _SAMPLES
    instances = scene.instances()
    found: dict[tuple[int, int], list[int]] = defaultdict(list)
    for k in np.flatnonzero(area > 0).tolist():
        a, b = sorted(int(triangles.instance[faces.row[i[k]]]) for i in (first, second))
        # Structures of one name have one colour.
        if _name(instances[a - 1]) != _name(instances[b - 1]):
            found[a, b].append(k)
    told = []
    for (a, b), pairs in found.items():
        most = max(pairs, key=lambda k: area[k])
        rows = sorted((faces.row[first[most]], faces.row[second[most]]), key=lambda row: int(triangles.instance[row]))
        one, other = (triangles.part_names[triangles.part[row] - 1] for row in rows)
        kinds = sorted((_kind(instances[a - 1]), _kind(instances[b - 1])))
        told.append(
            Coplanar(
                _name(instances[a - 1]),
                _name(instances[b - 1]),
                (kinds[0], kinds[1]),
                (one, other),
                float(area[pairs].sum()),
                _vector(points[most][seen[most]][0]),
                _vector(faces.normal[first[most]]),
            )
        )
    return tuple(sorted((t for t in told if t.area_m2 >= LEAST_M2), key=lambda t: -t.area_m2))


def _faces(triangles: Triangles, floor_y: float) -> _Faces:
    """The sides of triangles that count: not what looks down at the floor from right above it."""
    corners = triangles.positions.astype(np.float64)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    twice = np.linalg.norm(cross, axis=1)
    normal = cross / np.maximum(twice, 1e-15)[:, None]
    normal[(normal * triangles.face).sum(axis=1) < 0] *= -1
    row = np.flatnonzero(twice > 2 * _SMALLEST_M2)
    sheets = row[open_parts(triangles)[triangles.part[row]]]
    sides = _Faces(
        np.concatenate([corners[row], corners[sheets]]),
        np.concatenate([normal[row], -normal[sheets]]),
        np.concatenate([row, sheets]),
    )
    hidden = (sides.normal[:, 1] < -0.99) & (sides.corners[:, :, 1].max(axis=1) < floor_y + _UNDER_M)
    return _Faces(sides.corners[~hidden], sides.normal[~hidden], sides.row[~hidden])


def _overlaps(faces: _Faces, triangles: Triangles) -> tuple[_Rows, _Rows, Floats]:
    """(P,) faces and (P,) others that they overlap, the smaller first, and (P, S, 3) points, NaN where they do not."""
    offset = faces.offsets()
    order = np.argsort(offset, kind="stable")
    ahead = np.searchsorted(offset[order], offset[order] + NEAR_M, side="right") - np.arange(len(order)) - 1
    instance, areas = triangles.instance[faces.row], _areas(faces.corners)
    low, high = faces.corners.min(axis=1) - NEAR_M, faces.corners.max(axis=1) + NEAR_M
    found: list[tuple[_Rows, _Rows, Floats]] = [
        (np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros((0, _SAMPLES, 3)))
    ]
    for own in np.array_split(np.arange(len(order)), 1 + int(ahead.sum()) // _PAIRS_AT_ONCE):
        count = ahead[own]
        one = np.repeat(own, count)
        step = np.arange(len(one)) - np.repeat(np.cumsum(count) - count, count)
        a, b = order[one], order[one + step + 1]
        kept = instance[a] != instance[b]
        a, b = a[kept], b[kept]
        kept = (low[a] <= high[b]).all(axis=1) & (low[b] <= high[a]).all(axis=1)
        a, b = a[kept], b[kept]
        kept = (faces.normal[a] * faces.normal[b]).sum(axis=1) > _ALIKE_COSINE
        a, b = a[kept], b[kept]
        smaller = np.where(areas[a] <= areas[b], a, b)
        larger = a + b - smaller
        points = _samples(faces.corners[smaller])
        points[~_inside(points, faces.corners[larger], faces.normal[larger])] = np.nan
        kept = np.isfinite(points[..., 0]).any(axis=1)
        found.append((smaller[kept], larger[kept], points[kept]))
    first, second, points = (np.concatenate(column) for column in zip(*found, strict=True))
    return first, second, points


def _samples(corners: Floats) -> Floats:
    """(P, S, 3) points spread evenly over (P, 3, 3) triangles."""
    side = int(np.sqrt(_SAMPLES))
    i, k = np.divmod(np.arange(_SAMPLES), side)
    u, v = (i + 0.5) / side, (k + 0.5) / side
    folded = u + v > 1
    u, v = np.where(folded, 1 - u, u) * 0.98 + 0.005, np.where(folded, 1 - v, v) * 0.98 + 0.005
    weights = np.stack([1 - u - v, u, v], axis=1)
    return np.asarray(np.einsum("sc,pck->psk", weights, corners), np.float64)


def _inside(points: Floats, corners: Floats, normal: Floats) -> NDArray[np.bool_]:
    """(P, S) which points of (P, S, 3) lie in their triangles (P, 3, 3), seen along these's normals, and near them."""
    inside = np.abs(((points - corners[:, None, 0]) * normal[:, None]).sum(axis=2)) < NEAR_M
    turns = np.sign((np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) * normal).sum(axis=1))
    for k in range(3):
        edge = corners[:, (k + 1) % 3] - corners[:, k]
        outward = np.cross(edge, normal) * turns[:, None]
        inside &= ((points - corners[:, None, k]) * outward[:, None]).sum(axis=2) < 0
    return np.asarray(inside)


def _areas(corners: Floats) -> Floats:
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return np.asarray(np.linalg.norm(cross, axis=1) / 2, np.float64)


def _seen(points: Floats, normal: Floats, triangles: Triangles, places: Collection[Vector]) -> NDArray[np.bool_]:
    """(P, S) which points some agent sees from the side that ``normal`` (P, 3) points to."""
    chosen = sorted(places)[:: max(1, -(-len(places) // _MOST_PLACES))]
    eyes = [Agent(place, standing=standing).camera_position for place in chosen for standing in (True, False)]
    tracer = RayTracer(triangles.positions)
    lifted = points + _OFF_PLANE_M * normal[:, None]
    seen = np.zeros(points.shape[:2], np.bool_)
    for eye in eyes:
        pair, sample = np.nonzero(~seen & np.isfinite(points[..., 0]))
        way = np.array(eye) - lifted[pair, sample]
        before = (way * normal[pair]).sum(axis=1) > 0
        pair, sample, way = pair[before], sample[before], way[before]
        length = np.linalg.norm(way, axis=1)
        start, ray = lifted[pair, sample].astype(np.float32), (way / length[:, None]).astype(np.float32)
        hidden = tracer.occluded(start, ray, length.astype(np.float32))
        seen[pair[~hidden], sample[~hidden]] = True
    return seen


def _name(instance: SceneObject | Structure) -> str:
    return instance.object_id if isinstance(instance, SceneObject) else instance.name


def _kind(instance: SceneObject | Structure) -> str:
    return instance.object_type if isinstance(instance, SceneObject) else f"({instance.name.split('|')[0]})"


def _vector(values: Floats) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])
