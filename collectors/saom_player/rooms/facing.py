"""Which way things face. Builders make fronts towards +z; this says how to turn an object's box for that.

Most of AI2-THOR's models face their own +z. Most beds have their head there instead; pillows tell. Furniture that
stands at walls, and flat things that hang there, come in models of both ways: they face away from the nearest wall.
What is part of a larger piece of furniture faces with it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from saom_player.rooms.outline import WallSegment, footprint
from saom_player.scene import Box, Vector
from saom_player.shapes.rectangles import Rectangle, area, overlap
from saom_player.tables.layout import PlacedObject

_FLAT = {"Window", "Mirror", "Painting", "Poster", "Blinds", "Curtains", "ShowerCurtain", "ShowerDoor", "ShowerGlass"}
_LONG_FRONT = {"Desk", "Dresser", "TVStand", "ShelvingUnit", "Shelf", "SideTable", "Laptop"}
_ANY_SIDE = {"Cabinet", "Drawer", "Safe", "Sink", "SinkBasin"}
_FURNITURE = {"Desk", "Dresser", "TVStand", "ShelvingUnit", "SideTable", "Bed", "CoffeeTable", "DiningTable"}
_LONG = 1.15
_OWN_BONUS_M = 0.12
_FREE_STANDING_M = 0.8
_SQUARE_DEG = 8.0
_SLANTED_THICKNESS_M = 0.04
_FAR_M = 9.0
_BEFORE_M = 0.42
_BESIDE_M = 0.08
_DOOR_M = 0.09
_THICKEST_WINDOW_M, _WINDOW_M = 0.6, 0.12
_WIDEST_TOILET_M = 0.8
_TOILET_X, _TOILET_Z = 0.48, (-0.313, 0.428)
"""Of a box of AI2-THOR's largest toilet: how much of its width is toilet, and from where to where along its depth."""
FRONT_M = 0.05
"""How thick doors and drawer fronts are, with what stands out of them."""


def front_box(o: PlacedObject, objects: Sequence[PlacedObject], walls: Sequence[WallSegment]) -> Box:
    """The object's box, its +z axis turned to where the object faces."""
    if o.object_type == "Bed":
        return _turned(o.box, 0 if _head_behind(o, objects) else 2)
    if o.object_type == "Window" and min(o.box.size[0], o.box.size[2]) > _THICKEST_WINDOW_M:
        return _backed(_pane(o), _across(_pane(o)), walls)
    if o.object_type == "Toilet" and o.box.size[0] > _WIDEST_TOILET_M:
        return _trimmed(o)
    if o.object_type in _FLAT:
        off_square = abs((o.rotation_deg[1] + 45.0) % 90.0 - 45.0)
        if off_square > _SQUARE_DEG and min(o.box.size[0], o.box.size[2]) > 0.25:
            return _slanted(o)
        return _backed(o.box, _across(o.box), walls)
    if o.object_type in _LONG_FRONT:
        host = _host(o, objects) if o.object_type == "Shelf" else None
        if host is not None:
            return _along(o.box, front_box(host, objects, walls))
        x, _, z = o.box.size
        quarters = (0, 2) if x > _LONG * z else (1, 3) if z > _LONG * x else (0, 1, 2, 3)
        return _backed(o.box, quarters, walls)
    if o.object_type in _ANY_SIDE:
        return _joinery(o, objects, walls)
    return o.box


def bed_box(o: PlacedObject, objects: Sequence[PlacedObject], walls: Sequence[WallSegment]) -> Box:
    """A bed's box where models have their head at either end: by its pillows, else with the head at the nearer wall."""
    if any(other.object_type == "Pillow" and o.object_id in other.parents for other in objects):
        return front_box(o, objects, walls)
    return _backed(o.box, (0, 2), walls)


def back_to_wall(box: Box, walls: Sequence[WallSegment]) -> Box:
    """A box turned so that one of its sides is a back at the nearest wall."""
    return _backed(box, (0, 1, 2, 3), walls)


def front_direction(box: Box) -> tuple[float, float]:
    """(x, z) of the unit vector that a turned box faces."""
    axis = box.axes()[:, 2]
    return float(axis[0]), float(axis[2])


def front_strip(front: Box) -> Rectangle:
    """The floor before a door or drawer front, and a little to its sides, so that no post is left between two."""
    x, z = front_direction(front)
    face = front.size[2] / 2 - FRONT_M
    ends = [
        (front.center[0] + x * ahead + z * side, front.center[2] + z * ahead - x * side)
        for ahead in (face, face + _BEFORE_M)
        for side in (-front.size[0] / 2 - _BESIDE_M, front.size[0] / 2 + _BESIDE_M)
    ]
    xs, zs = [p[0] for p in ends], [p[1] for p in ends]
    return (min(xs), min(zs), max(xs), max(zs))


def _head_behind(bed: PlacedObject, objects: Iterable[PlacedObject]) -> bool:
    """Whether a bed's pillows lie towards its own -z."""
    offsets = [
        float((np.array(o.box.center) - bed.box.center) @ bed.box.axes()[:, 2])
        for o in objects
        if o.object_type == "Pillow" and bed.object_id in o.parents
    ]
    return bool(offsets) and sum(offsets) / len(offsets) < -0.15 * bed.box.size[2]


def _joinery(o: PlacedObject, objects: Sequence[PlacedObject], walls: Sequence[WallSegment]) -> Box:
    """Doors and drawers. Their pivot is at the front, or at the hinge: the other sides cannot be the front."""
    host = _host(o, objects)
    if host is not None:
        return _along(o.box, front_box(host, objects, walls))
    if o.object_type == "Cabinet" and min(o.box.size[0], o.box.size[2]) < _DOOR_M:
        return _backed(o.box, _across(o.box), walls)  # A door alone; its pivot is at the hinge.
    offset = (np.array(o.position) - o.box.center) @ o.box.axes() / np.maximum(o.box.size, 1e-3)
    share = {0: offset[2], 1: offset[0], 2: -offset[2], 3: -offset[0]}
    quarters = tuple(q for q in range(4) if share[q] > 0.3) or tuple(range(4))
    if min(_behind_m(_turned(o.box, q), walls) for q in quarters) > _FREE_STANDING_M:
        counter = _host(o, objects, {"CounterTop"})
        if counter is not None:
            r = footprint(counter)
            return _turned(o.box, min(quarters, key=lambda q: _ahead_m(_turned(o.box, q), r)))
    return _backed(o.box, quarters, walls)


def _host(o: PlacedObject, objects: Iterable[PlacedObject], types: Iterable[str] = _FURNITURE) -> PlacedObject | None:
    """The furniture that an object is a part of."""
    r = footprint(o)
    for other in objects:
        if other.object_type in types and other is not o and overlap(r, footprint(other)) > 0.6 * area(r):
            low, high = other.extent()
            if low[1] - 0.05 < o.box.center[1] < high[1] + 0.05:
                return other
    return None


def _backed(box: Box, quarters: Sequence[int], walls: Sequence[WallSegment]) -> Box:
    """The box turned so that its back is at the nearest wall; its own front wins where walls are about as near."""
    turns = {q: _turned(box, q) for q in quarters}
    best = min(quarters, key=lambda q: _behind_m(turns[q], walls) - (_OWN_BONUS_M if q == 0 else 0.0))
    if 0 in quarters and _behind_m(turns[best], walls) > _FREE_STANDING_M:
        return box
    return turns[best]


def _across(box: Box) -> tuple[int, int]:
    """The quarter turns that put a flat box's thin axis to the front."""
    return (0, 2) if box.size[2] <= box.size[0] else (1, 3)


def _turned(box: Box, quarters: int) -> Box:
    """The same box with its axes turned by quarters about its own y axis."""
    if not quarters:
        return box
    x, y, z = box.size
    turn = np.radians(90.0 * quarters)
    about_y = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    return replace(box, size=(z, y, x) if quarters % 2 else (x, y, z), rotation_deg=_angles(box.axes() @ about_y))


def _angles(axes: NDArray[np.float64]) -> Vector:
    """The Unity Euler angles, in degrees, of a rotation matrix: the inverse of ``Box.axes``."""
    pitch = np.degrees(np.arcsin(np.clip(-axes[1, 2], -1.0, 1.0)))
    yaw = np.degrees(np.arctan2(axes[0, 2], axes[2, 2]))
    roll = np.degrees(np.arctan2(axes[1, 0], axes[1, 1]))
    return round(float(pitch), 4), round(float(yaw) % 360.0, 4), round(float(roll), 4)


def _along(box: Box, host: Box) -> Box:
    """The box turned to face most nearly where another faces."""
    ahead = np.array(front_direction(host))
    return max((_turned(box, q) for q in range(4)), key=lambda b: float(np.dot(front_direction(b), ahead)))


def _behind_m(box: Box, walls: Iterable[WallSegment]) -> float:
    """How far a wall is behind a box's back."""
    x, z = front_direction(box)
    start = (box.center[0] - x * box.size[2] / 2, box.center[2] - z * box.size[2] / 2)
    return min((_along_ray_m(start, (-x, -z), wall) for wall in walls), default=_FAR_M)


def _along_ray_m(start: tuple[float, float], direction: tuple[float, float], wall: WallSegment) -> float:
    """How far along a ray a wall's face is; backs may stand a little inside their wall."""
    speed = direction[wall.axis]
    if speed * wall.inward > -0.3:
        return _FAR_M
    t = (wall.at - start[wall.axis]) / speed
    along = start[1 - wall.axis] + t * direction[1 - wall.axis]
    return max(t, 0.0) if t > -0.4 and wall.low - 0.05 <= along <= wall.high + 0.05 else _FAR_M


def _ahead_m(box: Box, r: Rectangle) -> float:
    """How far the edge of a rectangle is ahead of a box's centre."""
    direction = np.array(front_direction(box))
    axis = int(np.argmax(np.abs(direction)))
    edge = r[axis + 2] if direction[axis] > 0 else r[axis]
    return abs(edge - box.center[2 * axis])


def _pane(o: PlacedObject) -> Box:
    """A window whose box holds half the room as well: it is at the side of the box where its pivot is."""
    pivot = (np.array(o.position) - o.box.center) @ o.box.axes()
    half = np.array(o.box.size) / 2
    axis = max((0, 2), key=lambda k: abs(pivot[k]) / half[k])
    size, middle = list(o.box.size), np.array([pivot[0], 0.0, pivot[2]])
    size[2 - axis] = 2 * float(half[2 - axis] - abs(pivot[2 - axis]))
    size[axis] = _WINDOW_M
    x, y, z = (float(v) for v in o.box.axes() @ middle + o.box.center)
    return replace(o.box, center=(x, y, z), size=(size[0], size[1], size[2]))


def _trimmed(o: PlacedObject) -> Box:
    """The toilet alone, of a box that AI2-THOR makes half as wide again on every side."""
    (x, _, _), (width, height, depth) = (np.array(o.position) - o.box.center) @ o.box.axes(), o.box.size
    back, front = _TOILET_Z
    center = o.box.axes() @ (x, 0.0, depth * (back + front) / 2) + o.box.center
    size = (_TOILET_X * width, height, depth * (front - back))
    return replace(o.box, center=(float(center[0]), float(center[1]), float(center[2])), size=size)


def _slanted(o: PlacedObject) -> Box:
    """The box of a flat thing at an angle to the walls, of which the metadata has an axis-aligned hull alone."""
    low, high = o.extent()
    turn = np.radians(o.rotation_deg[1])
    width = (high[0] - low[0]) / max(abs(np.cos(turn)), 0.3)
    size: Vector = (float(width), high[1] - low[1], _SLANTED_THICKNESS_M)
    return Box(o.box.center, size, (0.0, o.rotation_deg[1], 0.0))
