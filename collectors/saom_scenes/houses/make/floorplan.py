"""Floor plans: a boundary on a grid of whole cells, rooms grown in it by their ratios, walls between them.

By ProcTHOR's recipe: rooms start at random cells and grow as rectangles, the larger their ratio the more often, then
as L-shapes until the boundary is full. Of several plans the one that comes nearest to the wanted ratios is kept.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from saom_scenes.houses.model import Point

Grid = NDArray[np.int64]
Cell = tuple[int, int]
OUTSIDE, EMPTY = -1, -2
_AVERAGE_SIDE = 3
_SHORTEST_SIDE = 2
_LARGEST_CHOP = 6
_SCALE_M = (1.6, 2.2)
_PLANS, _TRIES = 12, 400
_LEAST_CELLS = {"Bathroom": 2, "Kitchen": 4, "Bedroom": 4, "LivingRoom": 4}
_STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))


@dataclass(frozen=True)
class RoomPlan:
    """A room that is asked for."""

    room_type: str
    ratio: int


@dataclass(frozen=True)
class WallPlan:
    """A straight wall of one room; ``other`` is the room behind it, OUTSIDE where there is none."""

    room: int
    other: int
    start: Point
    end: Point
    """With the room to the right of the way from start to end, seen with x to the right and z up."""

    @property
    def length(self) -> float:
        """In metres; walls run along x or z."""
        return abs(self.end[0] - self.start[0]) + abs(self.end[1] - self.start[1])


@dataclass(frozen=True)
class FloorPlan:
    """Rooms by number: types, outlines in metres, and their walls."""

    types: tuple[str, ...]
    outlines: tuple[tuple[Point, ...], ...]
    walls: tuple[WallPlan, ...]


class NoPlan(ValueError):
    """No plan was found in as many tries."""


def floor_plan(rooms: Sequence[RoomPlan], rng: np.random.Generator) -> FloorPlan:
    """A plan with all of these rooms, each in one piece and next to another. Raises NoPlan."""
    found: list[tuple[float, Grid]] = []
    for _ in range(_TRIES):
        grid = _grown(rooms, _boundary(len(rooms), rng), rng)
        if grid is not None and _is_sound(grid, rooms):
            found.append((_misfit(grid, rooms), grid))
        if len(found) == _PLANS:
            break
    if not found:
        raise NoPlan(f"no floor plan for {len(rooms)} rooms in {_TRIES} tries")
    best = min(found, key=lambda plan: plan[0])[1]
    return _measured(best, rooms, float(rng.uniform(*_SCALE_M)))


def _boundary(rooms: int, rng: np.random.Generator) -> Grid:
    """(Z, X) EMPTY inside, OUTSIDE where corners are chopped off."""
    middle = np.sqrt(rooms) * _AVERAGE_SIDE
    low = max(_SHORTEST_SIDE, int(middle - _AVERAGE_SIDE // 2))
    z_size, x_size = (int(v) for v in rng.integers(low, int(middle + _AVERAGE_SIDE // 2) + 1, 2))
    grid = np.full((z_size, x_size), EMPTY, np.int64)
    for _ in range(round(float(rng.beta(0.5 * rooms, 6)) * 10)):
        wide = int(rng.integers(1, max(2, min(x_size - 1, _LARGEST_CHOP // 2))))
        tall = int(rng.integers(1, max(2, min(z_size, _LARGEST_CHOP // wide + 1))))
        rows = slice(0, tall) if rng.random() < 0.5 else slice(z_size - tall, z_size)
        columns = slice(0, wide) if rng.random() < 0.5 else slice(x_size - wide, x_size)
        grid[rows, columns] = OUTSIDE
    return grid


def _grown(rooms: Sequence[RoomPlan], grid: Grid, rng: np.random.Generator) -> Grid | None:
    """The boundary full of rooms; None where there was no place for one to start."""
    boxes: list[list[int]] = []
    free = grid == EMPTY
    for number in range(len(rooms)):
        cells = np.argwhere(free)
        if not len(cells):
            return None
        z, x = (int(v) for v in cells[int(rng.integers(len(cells)))])
        grid[z, x] = number
        boxes.append([z, x, z + 1, x + 1])
        free[max(0, z - 1) : z + 2, max(0, x - 1) : x + 2] = False
    for grow in (_grow_rectangle, _grow_any):
        growing = list(range(len(rooms)))
        while growing:
            ratios = np.array([rooms[k].ratio for k in growing], np.float64)
            number = growing[int(rng.choice(len(growing), p=ratios / ratios.sum()))]
            if not grow(grid, number, boxes[number], rooms[number].ratio, rng):
                growing.remove(number)
    return _filled(grid)


def _grow_rectangle(grid: Grid, number: int, box: list[int], ratio: int, rng: np.random.Generator) -> bool:
    """One more row or column along a rectangle's whole side, the longest that is free."""
    z0, x0, z1, x1 = box
    if (z1 - z0) * (x1 - x0) > ratio * 4:
        return False
    return _grow(grid, number, box, rng, whole=True)


def _grow_any(grid: Grid, number: int, box: list[int], ratio: int, rng: np.random.Generator) -> bool:
    """What is free along a side."""
    return _grow(grid, number, box, rng, whole=False)


def _grow(grid: Grid, number: int, box: list[int], rng: np.random.Generator, whole: bool) -> bool:
    sides = []
    for side in range(4):
        cells = _beside(grid, number, box, side)
        if cells and (not whole or len(cells) == (box[3] - box[1] if side in (0, 2) else box[2] - box[0])):
            sides.append((len(cells), side, cells))
    if not sides:
        return False
    longest = max(length for length, _, _ in sides)
    best = [entry for entry in sides if entry[0] == longest]
    _, side, cells = best[int(rng.integers(len(best)))]
    for z, x in cells:
        grid[z, x] = number
    box[side] += -1 if side < 2 else 1
    return True


def _beside(grid: Grid, number: int, box: list[int], side: int) -> list[Cell]:
    """The empty cells along a side (low z, low x, high z, high x) of a room's box, next to cells of its own."""
    z0, x0, z1, x1 = box
    line = (z0 - 1, x0 - 1, z1, x1)[side]
    if not 0 <= line < grid.shape[side % 2]:
        return []
    within = line + (1 if side < 2 else -1)
    cells = (
        [((line, x), (within, x)) for x in range(x0, x1)]
        if side % 2 == 0
        else [((z, line), (z, within)) for z in range(z0, z1)]
    )
    return [out for out, own in cells if grid[out] == EMPTY and grid[own] == number]


def _filled(grid: Grid) -> Grid:
    """What is still empty goes to the room that most of it borders on."""
    while (grid == EMPTY).any():
        changed = False
        for z, x in np.argwhere(grid == EMPTY).tolist():
            near = [int(grid[c]) for c in _around(grid, (z, x)) if grid[c] >= 0]
            if near:
                grid[z, x] = max(sorted(set(near)), key=near.count)
                changed = True
        if not changed:
            grid[grid == EMPTY] = OUTSIDE
    return grid


def _around(grid: Grid, cell: Cell) -> Iterator[Cell]:
    for dz, dx in _STEPS:
        z, x = cell[0] + dz, cell[1] + dx
        if 0 <= z < grid.shape[0] and 0 <= x < grid.shape[1]:
            yield z, x


def _is_sound(grid: Grid, rooms: Sequence[RoomPlan]) -> bool:
    """Whether each room is large enough, in one piece, without holes, and can be reached through others."""
    for number, room in enumerate(rooms):
        least = _LEAST_CELLS[room.room_type] if len(rooms) > 1 else 3
        if int((grid == number).sum()) < least or _outline(grid, number) is None:
            return False
    return _is_connected(grid, len(rooms))


def _is_connected(grid: Grid, rooms: int) -> bool:
    links = {(wall.room, wall.other) for k in range(rooms) for wall in _walls(grid, k) if wall.length >= 1}
    reached, edge = {0}, [0]
    while edge:
        here = edge.pop()
        new = {b for a, b in links if a == here and b >= 0} - reached
        reached |= new
        edge += sorted(new)
    return len(reached) == rooms


def _misfit(grid: Grid, rooms: Sequence[RoomPlan]) -> float:
    """How far the rooms' sizes are from their ratios, and how ragged they are."""
    total = sum(room.ratio for room in rooms)
    inside = int((grid >= 0).sum())
    away = sum(abs(int((grid == k).sum()) / inside - room.ratio / total) for k, room in enumerate(rooms))
    corners = sum(len(_outline(grid, k) or ()) - 4 for k in range(len(rooms)))
    return away + 0.04 * corners


def _outline(grid: Grid, number: int) -> list[Cell] | None:
    """A room's corners (z, x), the room to the right of the way round; None where it has a hole, or is in pieces."""
    steps = _border(grid, number)
    ahead: dict[Cell, Cell] = {}
    for start, end, _ in steps:
        if start in ahead:
            return None  # Two cells that touch at a corner alone.
        ahead[start] = end
    first = steps[0][0]
    loop = [first]
    while (following := ahead[loop[-1]]) != first:
        loop.append(following)
    if len(loop) != len(steps):
        return None
    around = [loop[-1], *loop, loop[0]]
    return [
        b for a, b, c in zip(around, around[1:], around[2:], strict=False)
        if (b[0] - a[0], b[1] - a[1]) != (c[0] - b[0], c[1] - b[1])
    ]  # fmt: skip


def _border(grid: Grid, number: int) -> list[tuple[Cell, Cell, int]]:
    """The sides of a room's cells that border on others: from, to, and the room beyond."""
    steps = []
    for z, x in np.argwhere(grid == number).tolist():
        # Clockwise with x to the right and z up: up at low x, right at high z, down at high x, left at low z.
        for (dz, dx), start, end in (
            ((0, -1), (z, x), (z + 1, x)),
            ((1, 0), (z + 1, x), (z + 1, x + 1)),
            ((0, 1), (z + 1, x + 1), (z, x + 1)),
            ((-1, 0), (z, x + 1), (z, x)),
        ):
            beyond = (z + dz, x + dx)
            within = 0 <= beyond[0] < grid.shape[0] and 0 <= beyond[1] < grid.shape[1]
            other = int(grid[beyond]) if within else OUTSIDE
            if other != number:
                steps.append((start, end, other))
    return steps


def _walls(grid: Grid, number: int) -> list[WallPlan]:
    """A room's walls in cells, in order round it, cut where the room behind them changes."""
    by_start = {start: (end, other) for start, end, other in _border(grid, number)}
    corners = _outline(grid, number) or []
    walls: list[WallPlan] = []
    for corner, following in pairwise([*corners, *corners[:1]]):
        at = begin = corner
        behind = by_start[corner][1]
        while at != following:
            end, other = by_start[at]
            if other != behind:
                walls.append(WallPlan(number, behind, (begin[1], begin[0]), (at[1], at[0])))
                begin, behind = at, other
            at = end
        walls.append(WallPlan(number, behind, (begin[1], begin[0]), (at[1], at[0])))
    return walls


def _measured(grid: Grid, rooms: Sequence[RoomPlan], scale: float) -> FloorPlan:
    def metres(cells: Point) -> Point:
        return round(cells[0] * scale, 3), round(cells[1] * scale, 3)

    outlines = [tuple(metres((x, z)) for z, x in _outline(grid, k) or []) for k in range(len(rooms))]
    walls = [
        WallPlan(wall.room, wall.other, metres(wall.start), metres(wall.end))
        for k in range(len(rooms))
        for wall in _walls(grid, k)
    ]
    return FloorPlan(tuple(room.room_type for room in rooms), tuple(outlines), tuple(walls))
