"""What things stand on and hang from where the metadata has nothing for them: ledges, stands, arms and pieces of wall.

AI2-THOR's rooms have furniture that is no simulation object, such as mantelpieces, wall brackets and half walls, of
which the metadata knows nothing but what stands on it. Whatever would hang in the air gets the least that can hold it.
"""

from collections.abc import Sequence

import numpy as np

from saom_player.physics.overlap import triangles_of
from saom_player.physics.support import Afloat, floating
from saom_player.rooms.outline import WallSegment
from saom_player.rooms.shell import Room
from saom_player.scene import Scene, SceneObject, Structure
from saom_player.shapes.blocks import upright
from saom_player.shapes.mesh import Material, Part
from saom_player.shapes.rectangles import Rectangle, grown
from saom_player.surfaces.materials import Palette

_SOFT_M = 0.12
"""What is so little above a seat or a bed lies on something soft."""
_TO_WALL_M = 0.6
_BOARD_M, _POST_M, _ARM_M, _PANEL_M = 0.025, 0.05, 0.025, 0.04
_AROUND_M = 0.03
_SILL_M = 0.3
_HOLDS_M = 0.05
_CLEAR_M = 0.0005
_FLAT = {"LightSwitch", "Painting", "Mirror", "Poster", "Window", "Blinds", "Curtains", "Television"}
_Span = tuple[Rectangle, float, float]
"""A floor rectangle, and from which height to which."""


def ledges(scene: Scene, room: Room, rng: np.random.Generator) -> list[Structure]:
    """A structure for each object of a scene that nothing holds."""
    palette = Palette(rng)
    wood, metal, paint = palette.wood(), palette.fitting(), palette.paint((0.86, 0.85, 0.82))
    things = {thing.object_id: thing for thing in scene.objects}
    found: list[Structure] = []
    for afloat in floating(scene):
        thing = things[afloat.object_id]
        spans = _spans(thing, afloat, room)
        material = paint if thing.object_type in _FLAT else wood if _falls(thing) else metal
        if spans:
            # Each a little smaller than the last: of two in one place, or in a table, the ids would mix.
            spans = [_smaller(span, (len(found) + 1) * _CLEAR_M) for span in spans]
            found.append(_structure(f"{'Ledge' if _falls(thing) else 'Mount'}|{thing.object_id}", spans, material))
    return found


def _smaller(span: _Span, by: float) -> _Span:
    r, low, high = span
    return grown(r, -by), low + by, high - by


def _falls(thing: SceneObject) -> bool:
    return bool(thing.flags & {"pickupable", "moveable"}) and thing.object_type not in _FLAT | {"Microwave"}


def _spans(thing: SceneObject, afloat: Afloat, room: Room) -> list[_Span]:
    """The blocks that hold an object."""
    corners = triangles_of(thing.parts).reshape(-1, 3)
    (x0, low, z0), (x1, high, z1) = corners.min(axis=0), corners.max(axis=0)
    r = (float(x0), float(z0), float(x1), float(z1))
    wall, away = _nearest(r, room.faces)
    if _falls(thing):
        if afloat.gap_m < _SOFT_M:
            return []
        board = grown(r, _AROUND_M)
        if wall is not None and away < _TO_WALL_M:
            return [(_to_wall(board, wall), low - _BOARD_M, low)]
        floor = low - afloat.gap_m if np.isfinite(afloat.gap_m) else room.floor_y
        return [(board, low - _BOARD_M, low), (_post(r), floor, low - _BOARD_M)]
    if low - room.floor_y < _SILL_M:
        return [(grown(r, _AROUND_M), room.floor_y, low)]
    if thing.object_type in _FLAT:
        behind = _to_wall(grown(r, _AROUND_M), wall, r) if wall is not None and away < _TO_WALL_M else _panel(r)
        return [(behind, room.floor_y, room.ceiling_y)]
    middle = (low + high) / 2
    if wall is not None and away < _TO_WALL_M:
        return [(_to_wall(_post(r), wall), middle - _ARM_M / 2, middle + _ARM_M / 2)]
    return [(_post(r), room.floor_y, low + _HOLDS_M)]


def _structure(name: str, spans: Sequence[_Span], material: Material) -> Structure:
    parts = (
        Part(f"block {k}", upright(r, float(low), float(high), material)) for k, (r, low, high) in enumerate(spans, 1)
    )
    return Structure(name, tuple(parts))


def _post(r: Rectangle) -> Rectangle:
    """A square about the middle of a rectangle, no wider than it."""
    half = min(_POST_M, r[2] - r[0], r[3] - r[1]) / 2
    x, z = (r[0] + r[2]) / 2, (r[1] + r[3]) / 2
    return x - half, z - half, x + half, z + half


def _panel(r: Rectangle) -> Rectangle:
    """A thin upright panel behind a flat thing in the middle of a room."""
    axis = 0 if r[2] - r[0] < r[3] - r[1] else 1
    wide = list(grown(r, _AROUND_M))
    wide[axis], wide[axis + 2] = r[axis] - _PANEL_M, r[axis]
    return wide[0], wide[1], wide[2], wide[3]


def _to_wall(r: Rectangle, wall: WallSegment, but: Rectangle | None = None) -> Rectangle:
    """A rectangle that goes on to a wall; without the depth of ``but``, what is before it alone."""
    sides = list(r)
    near, far = (0, 2) if wall.inward > 0 else (2, 0)
    sides[wall.axis + near] = wall.at
    if but is not None:
        sides[wall.axis + far] = but[wall.axis + near]
    return sides[0], sides[1], sides[2], sides[3]


def _nearest(r: Rectangle, walls: Sequence[WallSegment]) -> tuple[WallSegment | None, float]:
    """The nearest wall that a rectangle stands before, and how far it is."""
    best: tuple[WallSegment | None, float] = (None, np.inf)
    for wall in walls:
        across = 1 - wall.axis
        middle = (r[across] + r[across + 2]) / 2
        away = r[wall.axis] - wall.at if wall.inward > 0 else wall.at - r[wall.axis + 2]
        if wall.low <= middle <= wall.high and -0.1 < away < best[1]:
            best = wall, away
    return best
