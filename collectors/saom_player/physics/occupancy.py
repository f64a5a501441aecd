"""A map of a scene seen from above: where there is floor, and which instance stands in the way of an agent.

Surfaces are sampled no further apart than half a cell, so that nothing slips through.
"""

import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from saom_player.disk_cache import SOURCE_DIGEST, DiskCache
from saom_player.scene import Scene, Structure
from saom_player.shapes.mesh import Mesh

CELL_M = 0.025
AGENT_RADIUS_M = 0.2
AGENT_HEIGHT_M = 1.8
AGENT_CENTER_M = 0.9
"""Height of a standing agent's position above the floor."""
STEP_M = 0.1
"""What is lower, such as a rug or a sill, is no obstacle."""
_FLOOR_TOLERANCE_M = 0.06
_MARGIN_M = 0.5
_SAMPLES_A_BATCH = 1 << 18
_UP_SHARE = 0.7
_HEIGHT_SHARE = 0.25
"""Heights matter less than places: points may be this much sparser upwards, so walls take fewer."""
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Occupancy:
    """Cells of CELL_M; [i, k] covers x from origin_x + i * CELL_M, and z from origin_z + k * CELL_M."""

    origin_xz: tuple[float, float]
    floor: NDArray[np.bool_]
    owner: NDArray[np.int32]
    """(I, K) 1-based instance that fills the cell between STEP_M and AGENT_HEIGHT_M above the floor; 0 = none."""
    free: NDArray[np.bool_]
    """(I, K) whether an agent can have its centre here: floor below, and nothing within AGENT_RADIUS_M."""

    def cells(self, points_xz: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """Cell indices of (..., 2) points, clipped to the map, and whether the points lie on it."""
        index = np.floor((points_xz - self.origin_xz) / CELL_M).astype(np.int64)
        inside = np.all((index >= 0) & (index < self.floor.shape), axis=-1)
        index = np.clip(index, 0, np.array(self.floor.shape) - 1)
        return index[..., 0], index[..., 1], inside

    def is_free(self, points_xz: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether an agent can stand at each of (..., 2) points."""
        i, k, inside = self.cells(points_xz)
        return np.asarray(self.free[i, k] & inside, np.bool_)

    def blocker(self, point_xz: tuple[float, float]) -> int:
        """1-based instance nearest to an agent that stands here, within AGENT_RADIUS_M and a cell; 0 = none."""
        i, k, _ = self.cells(np.array(point_xz))
        reach = int(np.ceil(AGENT_RADIUS_M / CELL_M)) + 1
        low_i, low_k = max(int(i) - reach, 0), max(int(k) - reach, 0)
        around = self.owner[low_i : int(i) + reach + 1, low_k : int(k) + reach + 1]
        at = np.argwhere(around > 0)
        if not len(at):
            return 0
        away = np.hypot(at[:, 0] + low_i - int(i), at[:, 1] + low_k - int(k))
        nearest = int(np.argmin(away))
        return int(around[tuple(at[nearest])]) if away[nearest] <= reach else 0


def occupancy(scene: Scene) -> Occupancy:
    """Map a scene at the floor below its ``agent_position``."""
    floor_y = scene.agent_position[1] - AGENT_CENTER_M
    low, high = floor_y + STEP_M, floor_y + AGENT_HEIGHT_M
    origin_xz, shape = _origin(scene)
    origin = np.array(origin_xz)
    solid, ground = _Triangles(), _Triangles()
    for number, instance in enumerate(scene.instances(), 1):
        for part in instance.parts:
            if not isinstance(instance, Structure) or instance.solid:
                solid.add(number, _between(part.mesh, low, high))
            if isinstance(instance, Structure):
                ground.add(1, _ground(part.mesh, floor_y))
    owner = solid.marked(shape, origin, (low, high))
    floor = ground.marked(shape, origin, (-np.inf, np.inf)) > 0
    if scene.roof is not None:
        roof = _Triangles()
        roof.add(1, scene.roof)
        floor &= roof.marked(shape, origin, (-np.inf, np.inf)) > 0
    return Occupancy(origin_xz, floor, owner, floor & ~_dilated(owner > 0, AGENT_RADIUS_M / CELL_M))


def kept_occupancy(scene: Scene, cache: DiskCache) -> Occupancy:
    """The same map, from the cache when the same scene was mapped before."""
    key = _content_key(scene)
    origin_xz, shape = _origin(scene)

    def read(value: memoryview) -> Occupancy:
        owner, floor, free = np.frombuffer(zlib.decompress(value), np.int32).reshape(3, *shape)
        return Occupancy(origin_xz, floor > 0, owner, free > 0)

    stored = cache.load("map", key, read)
    if stored is not None:
        return stored
    found = occupancy(scene)
    layers = (found.owner, found.floor.astype(np.int32), found.free.astype(np.int32))
    # Almost all of it is long runs of one number.
    cache.save("map", key, zlib.compress(np.stack(layers).tobytes(), level=1))
    return found


def _content_key(scene: Scene) -> str:
    """Hex digest of everything that the map depends on."""
    digest = hashlib.sha256(SOURCE_DIGEST.encode())
    digest.update(json.dumps([asdict(scene.bounds), scene.agent_position]).encode())
    if scene.roof is not None:
        digest.update(np.ascontiguousarray(scene.roof).data)
    for instance in scene.instances():
        solid = isinstance(instance, Structure), not isinstance(instance, Structure) or instance.solid
        digest.update(f"{solid} {[len(part.mesh) for part in instance.parts]}".encode())
        for part in instance.parts:
            digest.update(np.ascontiguousarray(part.mesh.positions).data)
    return digest.hexdigest()


def _origin(scene: Scene) -> tuple[tuple[float, float], tuple[int, int]]:
    """Where the map begins, and how many cells it has."""
    half = np.array([scene.bounds.size[0], scene.bounds.size[2]]) / 2 + _MARGIN_M
    x, z = np.array([scene.bounds.center[0], scene.bounds.center[2]]) - half
    rows, columns = np.ceil(2 * half / CELL_M).astype(int).tolist()
    return (float(x), float(z)), (rows, columns)


class _Triangles:
    """Triangles of many instances, marked on a map together: few large steps in place of many small ones."""

    def __init__(self) -> None:
        self._corners: list[NDArray[np.float64]] = [np.zeros((0, 3, 3))]
        self._numbers: list[NDArray[np.int32]] = [np.zeros(0, np.int32)]

    def add(self, number: int, corners: NDArray[np.float64]) -> None:
        """Add (T, 3, 3) triangles of an instance."""
        self._corners.append(corners)
        self._numbers.append(np.full(len(corners), number, np.int32))

    def marked(self, shape: Shape, origin: NDArray[np.float64], band_y: tuple[float, float]) -> NDArray[np.int32]:
        """(I, K) the number of an instance with a point above this cell, between ``band_y``; 0 = none."""
        cells = np.zeros(shape, np.int32)
        flat = cells.reshape(-1)
        for (x, y, z), numbers in _samples(np.concatenate(self._corners), np.concatenate(self._numbers)):
            i = np.floor((x - origin[0]) / CELL_M).astype(np.int32)
            k = np.floor((z - origin[1]) / CELL_M).astype(np.int32)
            ok = (y >= band_y[0]) & (y <= band_y[1]) & (i >= 0) & (i < shape[0]) & (k >= 0) & (k < shape[1])
            flat[i[ok] * shape[1] + k[ok]] = np.broadcast_to(numbers, ok.shape)[ok]
        return cells


def _between(mesh: Mesh, low: float, high: float) -> NDArray[np.float64]:
    """(T, 3, 3) triangles of which some of the height lies between ``low`` and ``high``."""
    y = mesh.positions[:, :, 1]
    return np.asarray(mesh.positions[(y.max(axis=1) > low) & (y.min(axis=1) < high)], np.float64)


def _ground(mesh: Mesh, floor_y: float) -> NDArray[np.float64]:
    """(T, 3, 3) level triangles at floor height; undersides of what stands there too: it is in the way anyway."""
    p = mesh.positions.astype(np.float64)
    level = np.abs(p[:, :, 1] - floor_y).max(axis=1) < _FLOOR_TOLERANCE_M
    normal = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])
    length = np.linalg.norm(normal, axis=1)
    return np.asarray(p[level & (np.abs(normal[:, 1]) > _UP_SHARE * length)], np.float64)


def _samples(
    triangles: NDArray[np.float64], numbers: NDArray[np.int32]
) -> Iterator[tuple[list[NDArray[np.float64]], NDArray[np.int32]]]:
    """Batches of x, y, z (A, B, T) of points on T triangles, edges included, and the (T,) numbers of these.

    Points lie at most half a cell apart along and across. Rows run parallel to a triangle's longest edge, so that
    slivers take few points. Triangles that need equally many, up to a power of two, are done at once.
    """
    rolled, counts = _by_longest_edge(triangles)
    for along, across in np.unique(counts, axis=0).tolist():
        group = np.flatnonzero((counts[:, 0] == along) & (counts[:, 1] == across))
        s = np.linspace(0.0, 1.0, along + 1)[:, None, None]
        t = np.linspace(0.0, 1.0, across + 1)[None, :, None]
        batch = max(1, _SAMPLES_A_BATCH // ((along + 1) * (across + 1)))
        for start in range(0, len(group), batch):
            chosen = group[start : start + batch]
            a, b, c = (rolled[chosen, corner].T[:, None, None] for corner in range(3))
            yield [(1 - t) * (a[i] + s * (b[i] - a[i])) + t * c[i] for i in range(3)], numbers[chosen]


def _by_longest_edge(triangles: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Triangles whose first edge is the longest, and (T, 2) steps needed along and across it, as powers of two."""
    squeezed = triangles * (1.0, _HEIGHT_SHARE, 1.0)
    edges = np.linalg.norm(np.roll(squeezed, -1, axis=1) - squeezed, axis=2)
    order = (np.argmax(edges, axis=1)[:, None] + np.arange(3)) % 3
    rolled = np.take_along_axis(squeezed, order[:, :, None], axis=1)
    length = np.maximum(edges.max(axis=1), 1e-9)
    area2 = np.linalg.norm(np.cross(rolled[:, 1] - rolled[:, 0], rolled[:, 2] - rolled[:, 0]), axis=1)
    steps = np.stack([length, area2 / length], axis=1) / (CELL_M / 2)
    exponents = np.ceil(np.log2(np.maximum(steps, 1.0)))
    return rolled / (1.0, _HEIGHT_SHARE, 1.0), (2**exponents).astype(np.int64)


def _dilated(filled: NDArray[np.bool_], radius_cells: float) -> NDArray[np.bool_]:
    """Cells whose centres lie within ``radius_cells`` of the centre of a filled one."""
    reach = int(np.floor(radius_cells))
    padded = np.pad(filled, reach)
    result = np.zeros_like(filled)
    for di in range(-reach, reach + 1):
        width = int(np.floor(np.sqrt(radius_cells**2 - di**2)))
        rows = padded[reach + di : reach + di + filled.shape[0]]
        sums = np.cumsum(np.pad(rows, ((0, 0), (1, 0))), axis=1, dtype=np.int32)
        low = reach - width
        high = reach + width + 1
        result |= sums[:, high : high + filled.shape[1]] > sums[:, low : low + filled.shape[1]]
    return result
