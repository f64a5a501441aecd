"""Whether the parts of a house make a whole: names that refer, walls round rooms, holes in walls, sizes of houses."""

from collections.abc import Iterable
from math import hypot

from saom_scenes.houses.model import EXTERIOR, House, HouseError, Opening, Point, Room, Wall
from saom_scenes.houses.plan import area_of, crosses_itself, edges

LARGEST_SIDE_M = 80.0
_LEAST_AREA_M2 = 0.5
_SHORTEST_WALL_M, _LONGEST_WALL_M = 0.01, LARGEST_SIDE_M
_LOWEST_WALL_M, _HIGHEST_WALL_M = 1.9, 15.0
_TOLERANCE_M = 0.02
_NEAR_M = 0.05


def check_house(house: House, most_objects: int) -> None:
    """Raises HouseError for a house that cannot be built."""
    if not house.rooms:
        raise HouseError("rooms: a house has at least one")
    _check_names(house, most_objects)
    for room in house.rooms:
        _check_room(room)
    _check_size(house)
    rooms = {room.room_id for room in house.rooms}
    for wall in house.walls:
        _check_wall(wall, rooms)
    for room in house.rooms:
        _check_walled(room, [wall for wall in house.walls if wall.room_id == room.room_id])
    walls = {wall.wall_id: wall for wall in house.walls}
    for kind, openings in (("door", house.doors), ("window", house.windows)):
        for opening in openings:
            _check_opening(kind, opening, walls)
    _check_apart(house, walls)


def _check_names(house: House, most_objects: int) -> None:
    items = [item for item, _ in house.everything()]
    if len(items) > most_objects:
        raise HouseError(f"objects: {len(items)} with their children are more than {most_objects}")
    for what, names in (
        ("rooms", [room.room_id for room in house.rooms]),
        ("walls", [wall.wall_id for wall in house.walls]),
        ("doors and windows", [opening.opening_id for opening in (*house.doors, *house.windows)]),
        ("objects", [item.item_id for item in items]),
    ):
        twice = _repeated(names)
        if twice is not None:
            raise HouseError(f"{what}: two have the id {twice!r}")


def _repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _check_room(room: Room) -> None:
    if len(room.outline) < 3:
        raise HouseError(f"room {room.room_id}: a floor of {len(room.outline)} corners is none; give 3 or more")
    if crosses_itself(room.outline):
        raise HouseError(f"room {room.room_id}: the outline of its floor crosses itself")
    area = area_of(room.outline)
    if area < _LEAST_AREA_M2:
        raise HouseError(f"room {room.room_id}: a floor of {area:.3g} m2 is too small; {_LEAST_AREA_M2} is the least")


def _check_size(house: House) -> None:
    corners = [corner for room in house.rooms for corner in room.outline]
    for axis in (0, 1):
        side = max(c[axis] for c in corners) - min(c[axis] for c in corners)
        if side > LARGEST_SIDE_M:
            raise HouseError(f"rooms: a house {side:.4g} m wide is too large; {LARGEST_SIDE_M:g} is the most")


def _check_wall(wall: Wall, rooms: set[str]) -> None:
    if wall.room_id != EXTERIOR and wall.room_id not in rooms:
        raise HouseError(f"wall {wall.wall_id}: its room {wall.room_id!r} is not among the house's rooms")
    if not _SHORTEST_WALL_M <= wall.length <= _LONGEST_WALL_M:
        raise HouseError(
            f"wall {wall.wall_id}: a length of {wall.length:.4g} m is not within {_SHORTEST_WALL_M} and "
            f"{_LONGEST_WALL_M:g}"
        )
    if not _LOWEST_WALL_M <= wall.height <= _HIGHEST_WALL_M:
        raise HouseError(
            f"wall {wall.wall_id}: a height of {wall.height:.4g} m is not within {_LOWEST_WALL_M} and "
            f"{_HIGHEST_WALL_M:g}"
        )


def _check_walled(room: Room, walls: list[Wall]) -> None:
    """Every edge of a floor has walls of its room along it; where two rooms are open to each other, empty ones."""
    for start, end in edges(room.outline):
        length = hypot(end[0] - start[0], end[1] - start[1])
        covered = sum(_shared(wall, start, end) for wall in walls)
        if covered < length - _NEAR_M:
            raise HouseError(
                f"room {room.room_id}: a wall is missing; from {_shown(start)} to {_shown(end)} its walls cover "
                f"{covered:.2f} of {length:.2f} m"
            )


def _shared(wall: Wall, start: Point, end: Point) -> float:
    """How much of an edge a wall runs along."""
    length = max(hypot(end[0] - start[0], end[1] - start[1]), 1e-9)
    ahead = ((end[0] - start[0]) / length, (end[1] - start[1]) / length)
    spans = []
    for point in (wall.start, wall.end):
        offset = (point[0] - start[0], point[1] - start[1])
        if abs(offset[0] * ahead[1] - offset[1] * ahead[0]) > _NEAR_M:
            return 0.0
        spans.append(offset[0] * ahead[0] + offset[1] * ahead[1])
    return max(0.0, min(length, max(spans)) - max(0.0, min(spans)))


def _check_opening(kind: str, opening: Opening, walls: dict[str, Wall]) -> None:
    where = f"{kind} {opening.opening_id}"
    for name in opening.walls:
        if name not in walls:
            raise HouseError(f"{where}: its wall {name!r} is not among the house's walls")
    wall = walls[opening.walls[0]]
    (x0, y0), (x1, y1) = opening.low, opening.high
    if x1 - x0 < _NEAR_M or y1 - y0 < _NEAR_M:
        raise HouseError(f"{where}: a hole of {x1 - x0:.3g} x {y1 - y0:.3g} m is none")
    if x0 < -_TOLERANCE_M or x1 > wall.length + _TOLERANCE_M or y0 < -_TOLERANCE_M or y1 > wall.height + _TOLERANCE_M:
        raise HouseError(
            f"{where}: its hole, {x0:.2f} to {x1:.2f} m along and {y0:.2f} to {y1:.2f} m up, is not within wall "
            f"{wall.wall_id}, which is {wall.length:.2f} m long and {wall.height:.2f} m high"
        )
    for name in opening.walls[1:]:
        if _shared(walls[name], wall.at(x0), wall.at(x1)) < x1 - x0 - _NEAR_M:
            raise HouseError(f"{where}: its hole in wall {wall.wall_id} is not within wall {name}, behind it")


def _check_apart(house: House, walls: dict[str, Wall]) -> None:
    """No two holes of a wall meet."""
    by_wall: dict[str, list[Opening]] = {}
    for opening in (*house.doors, *house.windows):
        for other in by_wall.setdefault(opening.walls[0], []):
            along = min(opening.high[0], other.high[0]) - max(opening.low[0], other.low[0])
            up = min(opening.high[1], other.high[1]) - max(opening.low[1], other.low[1])
            if along > _TOLERANCE_M and up > _TOLERANCE_M:
                raise HouseError(
                    f"wall {opening.walls[0]}: the holes of {other.opening_id} and {opening.opening_id} overlap"
                )
        by_wall[opening.walls[0]].append(opening)


def _shown(point: Point) -> str:
    return f"({point[0]:.2f}, {point[1]:.2f})"
