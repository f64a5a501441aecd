"""Where the agent can stand and walk: reachable positions on a grid, and the first obstacle along a move."""

import math

import numpy as np
from numpy.typing import NDArray

from saom_player.disk_cache import DiskCache
from saom_player.physics.occupancy import CELL_M, Occupancy, kept_occupancy, occupancy
from saom_player.scene import Scene, Vector

_MAX_NODES = 4_000_000
Node = tuple[int, int]


class Navigation:
    """The walkable part of a scene. Built once a scene: costs some tenths of a second, unless it is in the cache."""

    def __init__(self, scene: Scene, cache: DiskCache | None = None) -> None:
        self._map: Occupancy = occupancy(scene) if cache is None else kept_occupancy(scene, cache)
        self._names = [instance.name for instance in scene.instances()]
        x, y, z = scene.agent_position
        self._start = (float(x), float(y), float(z))
        self._reachable: dict[float, tuple[Vector, ...]] = {}

    def fits(self, x: float, z: float) -> bool:
        """Whether the agent can stand at a point: on the floor, and clear of everything."""
        return bool(self._map.is_free(np.array([x, z])))

    def obstacle(self, start: Vector, end: Vector) -> str | None:
        """The name of what first stops a straight walk, "the floor's edge", or None when the way is clear.

        The start itself is not tested: an agent that stands badly may walk away.
        """
        length = math.hypot(end[0] - start[0], end[2] - start[2])
        steps = max(1, math.ceil(length / (CELL_M / 2)))
        share = np.linspace(0.0, 1.0, steps + 1)[1:, None]
        points = np.array([start[0], start[2]]) * (1 - share) + np.array([end[0], end[2]]) * share
        free = self._map.is_free(points)
        if free.all():
            return None
        x, z = points[int(np.argmin(free))]
        return self.blocker(float(x), float(z))

    def blocker(self, x: float, z: float) -> str:
        """The name of what stops an agent from standing at a point."""
        number = self._map.blocker((x, z))
        return self._names[number - 1] if number else "the floor's edge"

    def reachable(self, grid_size_m: float) -> tuple[Vector, ...]:
        """Positions at whole multiples of the grid that can be walked between, sorted by x, then z.

        Of parts with no way between them, the largest: a scene's start is a wish, and can lie between furniture.
        Raises ValueError for a grid so fine that the list would be of no use.
        """
        if grid_size_m not in self._reachable:
            self._reachable[grid_size_m] = self._flood(grid_size_m)
        return self._reachable[grid_size_m]

    def start(self, grid_size_m: float) -> Vector:
        """The reachable position nearest to where the scene wants its agent; that itself, if there is none."""
        wish = self._start
        places = self.reachable(grid_size_m)
        return min(places, key=lambda p: math.hypot(p[0] - wish[0], p[2] - wish[2]), default=wish)

    def _flood(self, grid_size_m: float) -> tuple[Vector, ...]:
        low, free = self._nodes(grid_size_m)
        found = _largest(free, *self._links(grid_size_m, low, free))
        y = self._start[1]
        # Rounded, so that a grid of 0.1 m has a node at 0.3 and not at 0.30000000000000004.
        xz = ((round((i + low[0]) * grid_size_m, 6), round((k + low[1]) * grid_size_m, 6)) for i, k in sorted(found))
        return tuple((x, y, z) for x, z in xz)

    def _nodes(self, grid_size_m: float) -> tuple[Node, NDArray[np.bool_]]:
        """The grid's first node, in multiples of the grid, and (I, K) whether the agent fits at each."""
        origin = np.array(self._map.origin_xz)
        extent = np.array(self._map.free.shape) * CELL_M
        low = np.ceil(origin / grid_size_m).astype(int)
        counts = np.floor((origin + extent) / grid_size_m).astype(int) - low + 1
        if (counts < 1).any():
            return (int(low[0]), int(low[1])), np.zeros((1, 1), np.bool_)
        if counts.prod() > _MAX_NODES:
            raise ValueError(f"gridSize {grid_size_m} makes {counts.prod()} grid points; use a larger one")
        i, k = np.meshgrid(np.arange(counts[0]), np.arange(counts[1]), indexing="ij")
        points = np.stack([i + low[0], k + low[1]], axis=-1) * grid_size_m
        return (int(low[0]), int(low[1])), self._map.is_free(points)

    def _links(
        self, grid_size_m: float, low: Node, free: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(I, K) whether the way from each node to the next in +x, and in +z, is clear."""
        links = []
        nodes = np.argwhere(free)
        steps = max(1, math.ceil(grid_size_m / CELL_M))
        for axis in (0, 1):
            clear = np.zeros_like(free)
            ahead = np.zeros(2)
            ahead[axis] = grid_size_m / steps
            ok = np.ones(len(nodes), np.bool_)
            for step in range(1, steps + 1):
                ok &= self._map.is_free((nodes + low) * grid_size_m + step * ahead)
            clear[nodes[ok, 0], nodes[ok, 1]] = True
            np.moveaxis(clear, axis, 0)[-1] = False  # The last one's neighbour is off the map.
            links.append(clear)
        return links[0], links[1]


def _connected(start: Node, east: NDArray[np.bool_], north: NDArray[np.bool_]) -> set[Node]:
    """Nodes linked to ``start``, itself included."""
    found, edge = {start}, [start]
    while edge:
        i, k = edge.pop()
        near = []
        if east[i, k]:
            near.append((i + 1, k))
        if north[i, k]:
            near.append((i, k + 1))
        if i and east[i - 1, k]:
            near.append((i - 1, k))
        if k and north[i, k - 1]:
            near.append((i, k - 1))
        new = [node for node in near if node not in found]
        found.update(new)
        edge.extend(new)
    return found


def _largest(free: NDArray[np.bool_], east: NDArray[np.bool_], north: NDArray[np.bool_]) -> set[Node]:
    """The largest connected set of free nodes; empty when there is none."""
    best: set[Node] = set()
    seen: set[Node] = set()
    for i, k in np.argwhere(free).tolist():
        if (i, k) not in seen:
            part = _connected((i, k), east, north)
            seen |= part
            best = max(best, part, key=len)
    return best
