"""Where a pack's room is: its floor, what is overhead, and which of it is indoors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saom_player.scene import Box, Vector
from saom_player.tables.layout import PlacedObject

Corners = NDArray[np.float64]
"""(T, 3, 3) triangles' corners."""
_LEVEL, _SLOPE = 0.9, 0.3
_FLOOR_BAND_M = 0.6
_FLOOR_TOLERANCE_M = 0.05
_BIN_M = 0.02
_HEADROOM_M = 1.8
_LEAST_ROOF_M2 = 3.0
_LOWEST_ROOM_M, _HIGHEST_ROOM_M = 2.0, 6.0
_CELL_M = 0.1
# Windows and switches reach to the walls: beyond them by more than this is the other side of the wall.
_BEYOND_THINGS_M = 0.15


@dataclass(frozen=True)
class Shell:
    """The level surfaces of what is built: the floor at its height, and what faces down above it."""

    floor_y: float
    floor: Corners
    ceilings: Corners
    roof: Corners
    """Ceilings, and sloping undersides too."""


def shell_of(corners: Corners) -> Shell:
    """The shell among triangles (T, 3, 3) of floors, walls and the like; without any floor, ``floor`` is empty."""
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(cross, axis=1)
    lean = cross[:, 1] / np.maximum(area, 1e-12)
    y = corners[:, :, 1].mean(axis=1)
    level = (lean > _LEVEL) & (np.abs(y) < _FLOOR_BAND_M) & (area > 0)
    height = _heaviest(y[level], area[level]) if level.any() else 0.0
    above = y > height + _HEADROOM_M
    return Shell(
        floor_y=height,
        floor=corners[level & (np.abs(y - height) < _FLOOR_TOLERANCE_M)],
        ceilings=corners[(lean < -_LEVEL) & above],
        roof=corners[(lean < -_SLOPE) & above],
    )


def _heaviest(heights: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """The height with the most weight near it, rounded to 0.1 mm."""
    bins = np.round(heights / _BIN_M).astype(np.int64)
    best = (int(np.bincount(bins - bins.min(), weights).argmax()) + int(bins.min())) * _BIN_M
    near = np.abs(heights - best) < _BIN_M
    return round(float(np.average(heights[near], weights=weights[near])), 4)


def room_bounds(placed: Sequence[PlacedObject], shell: Shell, everything: Corners) -> Box:
    """The room: the metadata's boxes where there are any, for packs may show a garden too."""
    # Not the floor's own box: it often reaches under the walls and beyond.
    known = [o.box.corners() for o in placed if o.object_type != "Floor"]
    points = np.concatenate(known) if known else (shell.floor if len(shell.floor) else everything).reshape(-1, 3)
    if len(points) == 0:
        return Box((0.0, 1.25, 0.0), (6.0, 2.5, 6.0))
    low, high = points.min(axis=0), points.max(axis=0)
    middles = shell.ceilings.mean(axis=1)
    over = ((middles > low) & (middles < high))[:, [0, 2]].all(axis=1)
    tall = max([float(high[1]), *middles[over, 1].tolist()]) - shell.floor_y
    tall = min(max(tall, _LOWEST_ROOM_M), _HIGHEST_ROOM_M)
    middle: Vector = (float(low[0] + high[0]) / 2, shell.floor_y + tall / 2, float(low[2] + high[2]) / 2)
    return Box(middle, (float(high[0] - low[0]), tall, float(high[2] - low[2])))


def indoors(shell: Shell, bounds: Box) -> Corners | None:
    """Level triangles over what lies under the roof and within the room's bounds; None where there is no roof."""
    low = np.array([bounds.center[0] - bounds.size[0] / 2, bounds.center[2] - bounds.size[2] / 2]) - _BEYOND_THINGS_M
    count = np.ceil((np.array([bounds.size[0], bounds.size[2]]) + 2 * _BEYOND_THINGS_M) / _CELL_M).astype(int)
    covered = np.zeros(tuple(count.tolist()), np.bool_)
    for triangle in shell.roof[:, :, [0, 2]]:
        _cover(covered, (triangle - low) / _CELL_M)
    if covered.sum() * _CELL_M**2 < _LEAST_ROOF_M2:
        return None  # a room whose ceiling is missing is not left without places to stand
    return _strips(covered, low, bounds.center[1] + bounds.size[1] / 2)


def _cover(covered: NDArray[np.bool_], triangle: NDArray[np.float64]) -> None:
    """Mark the cells whose middles lie in a triangle (3, 2), in units of cells."""
    first = np.maximum(np.floor(triangle.min(axis=0)).astype(int), 0)
    last = np.minimum(np.ceil(triangle.max(axis=0)).astype(int), covered.shape)
    if (first >= last).any():
        return
    x, z = np.meshgrid(*(np.arange(a, b) + 0.5 for a, b in zip(first, last, strict=True)), indexing="ij")
    sides = []
    for k in range(3):
        (ax, az), (bx, bz) = triangle[k], triangle[(k + 1) % 3]
        sides.append((bx - ax) * (z - az) - (bz - az) * (x - ax))
    # A little wide, so that no cell falls between two triangles.
    within = np.logical_or(np.all([s >= -1e-6 for s in sides], axis=0), np.all([s <= 1e-6 for s in sides], axis=0))
    covered[first[0] : last[0], first[1] : last[1]] |= within


def _strips(covered: NDArray[np.bool_], low: NDArray[np.float64], y: float) -> Corners:
    """Two triangles for each run of cells along z."""
    found = []
    for row, cells in enumerate(covered):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], cells.astype(np.int8), [0]])))
        for start, end in edges.reshape(-1, 2).tolist():
            x0, x1 = low[0] + row * _CELL_M, low[0] + (row + 1) * _CELL_M
            z0, z1 = low[1] + start * _CELL_M, low[1] + end * _CELL_M
            found.append([[x0, y, z0], [x1, y, z0], [x1, y, z1]])
            found.append([[x0, y, z0], [x1, y, z1], [x0, y, z1]])
    return np.array(found, np.float64)
