"""The shell of a room that the metadata leaves out: walls with windows, a door, floor, ceiling, baseboards."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from saom_player.rooms.apartments import APARTMENT, PANEL_HEIGHT_M, panel_faces, panels
from saom_player.rooms.lights import ceiling_spots
from saom_player.rooms.openings import (
    WALL_M,
    Hole,
    along_wall,
    before,
    door_hole,
    wall_of,
    window_holes,
    window_opening,
)
from saom_player.rooms.outline import WallSegment, footprint, outline, thin_axis, wall_segments
from saom_player.scene import Structure, WindowOpening
from saom_player.shapes.blocks import block, upright
from saom_player.shapes.mesh import Material, Mesh, Part, Rgb
from saom_player.shapes.primitives import cylinder
from saom_player.shapes.rectangles import Rectangle, area, cut, grown, inside, overlap
from saom_player.shapes.transforms import moved
from saom_player.surfaces.materials import Palette
from saom_player.tables.layout import PlacedObject

_LIES_ON_FLOOR_M, _FLOOR_WITHIN_M = 0.015, 0.3
_LEAST_CEILING_M = 2.6
_ON_PILLARS = {"Painting", "Mirror", "LightSwitch", "Poster", "Window"}
_CLEAR_M = 0.001
_BASEBOARD_M = (0.012, 0.09)


@dataclass(frozen=True)
class Room:
    """A room's inner measures, in metres."""

    plan: tuple[Rectangle, ...]
    """Rectangles that do not overlap."""
    ceiling_y: float
    walls: tuple[WallSegment, ...]
    panels: tuple[Rectangle, ...] = ()
    """Where thin inner walls stand."""
    floor_y: float = 0.0

    @property
    def faces(self) -> tuple[WallSegment, ...]:
        """All that a thing's back can be at: the walls, and both faces of each panel."""
        return (*self.walls, *panel_faces(self.panels))

    @property
    def bounds(self) -> Rectangle:
        """The rectangle around the plan."""
        x0, z0, x1, z1 = zip(*self.plan, strict=True)
        return (min(x0), min(z0), max(x1), max(z1))


def measure(objects: Sequence[PlacedObject]) -> Room:
    """Where the walls and the ceiling must be to hold all objects."""
    return _around(outline(objects), objects)


def measure_apartment(scene: str, objects: Sequence[PlacedObject]) -> Room:
    """The same of a RoboTHOR scene, whose walls are known from all its variations."""
    return replace(_around([APARTMENT], objects), panels=panels(scene))


def _around(rectangles: Sequence[Rectangle], objects: Sequence[PlacedObject]) -> Room:
    plan = tuple(rectangles)
    tallest = max(o.extent()[1][1] for o in objects if o.object_type != "Floor")
    floor_y = floor_level(objects)
    ceiling_y = round(max(floor_y + _LEAST_CEILING_M, tallest + 0.1), 3)
    return Room(plan, ceiling_y, tuple(wall_segments(plan)), floor_y=floor_y)


def floor_level(objects: Sequence[PlacedObject]) -> float:
    """How high the floor is: 0 but for some scenes, where the metadata's floor is higher and what stands on it, too."""
    tops = [o.extent()[1][1] for o in objects if o.object_type == "Floor"]
    feet = [o.extent()[0][1] for o in objects if any(parent.startswith("Floor|") for parent in o.parents)]
    standing = {y: sum(abs(foot - y) < _LIES_ON_FLOOR_M for foot in feet) for y in (0.0, *tops)}
    level = max(standing, key=lambda y: standing[y])
    return round(float(level), 4) if abs(level) < _FLOOR_WITHIN_M else 0.0


def standing_place(room: Room, objects: Sequence[PlacedObject], radius: float = 0.3) -> tuple[float, float]:
    """(x, z) of a free place on the floor, near the middle of the room's largest part."""
    r = max(room.plan, key=area)
    middle = np.array([(r[0] + r[2]) / 2, (r[1] + r[3]) / 2])
    taken = [footprint(o) for o in objects if o.object_type != "Floor" and o.extent()[0][1] < room.floor_y + 1.8]
    kept = [grown(part, -radius) for part in room.plan]
    x0, z0, x1, z1 = room.bounds
    grid = np.meshgrid(np.arange(x0, x1, 0.05), np.arange(z0, z1, 0.05), indexing="ij")
    places = np.stack([axis.ravel() for axis in grid], axis=1)
    places = places[_within(places, kept)]
    free = places[~_within(places, [grown(t, radius) for t in (*taken, *room.panels)])]
    choice = next(found for found in (free, places, middle[None]) if len(found))
    x, z = choice[((choice - middle) ** 2).sum(1).argmin()]
    return float(x), float(z)


def _within(points: NDArray[np.float64], rectangles: Sequence[Rectangle]) -> NDArray[np.bool_]:
    """(n,) which points (x, z) lie in any of the rectangles."""
    found = np.zeros(len(points), np.bool_)
    for x0, z0, x1, z1 in rectangles:
        found |= (points >= (x0, z0)).all(1) & (points <= (x1, z1)).all(1)
    return found


def shell(
    room: Room, objects: Sequence[PlacedObject], floor_name: str, kind: str, rng: np.random.Generator
) -> tuple[list[Structure], list[WindowOpening]]:
    """All structures of a room, and its windows. ``kind``: kitchen, living-room, bedroom, bathroom or apartment."""
    palette = Palette(rng)
    windows = window_holes(objects, room.walls, room.floor_y, room.ceiling_y)
    door = door_hole(objects, room.walls, windows, room.floor_y, rng)
    paint = _wall_material(kind, palette, rng)
    structures = [_floor(room, floor_name, kind, palette, rng), _ceiling(room, palette)]
    for wall in room.walls:
        holes = [hole for hole in (*windows, *([door] if door else [])) if hole.wall == wall]
        structures.append(_wall(room, wall, holes, paint))
    structures.append(_baseboards(room, objects, door, palette))
    if door is not None:
        structures.append(_door(door, palette))
    structures += _pillars(room, objects, paint)
    structures += _panel_walls(room, palette)
    return structures, [window_opening(hole) for hole in windows]


def _floor(room: Room, name: str, kind: str, palette: Palette, rng: np.random.Generator) -> Structure:
    shade = float(rng.uniform(0.75, 1.0))
    tinted = (shade, shade, shade)
    recipes = {
        "kitchen": ("tiles", "planks", "parquet"), "bathroom": ("tiles", "mosaic", "marble"),
        "bedroom": ("carpet", "planks", "parquet"), "living-room": ("planks", "parquet", "carpet"),
        "apartment": ("planks", "parquet"),
    }[kind]  # fmt: skip
    recipe = recipes[int(rng.integers(len(recipes)))]
    variant = int(rng.integers(4))
    color: Rgb = palette.color("furnishing") if recipe == "carpet" else tinted
    mirror = {"tiles": 0.06, "marble": 0.08, "planks": 0.05, "parquet": 0.06}.get(recipe, 0.0)
    material = Material(f"{recipe}:{variant}", color, 0.1 if mirror else 0.01, 60.0 if mirror else 5.0, 0.0, mirror)
    repeat = {"planks": 1.4, "parquet": 1.2, "tiles": 1.2, "mosaic": 0.5, "carpet": 0.5, "marble": 1.5}[recipe]
    slabs = [upright(r, room.floor_y - 0.1, room.floor_y, material, repeat) for r in _under_walls(room)]
    return Structure(name, _numbered("floor", slabs))


def _under_walls(room: Room) -> list[Rectangle]:
    """The plan with half its walls, so that no ray slips through between wall and floor."""
    return cut([grown(r, WALL_M / 2) for r in room.plan], [])


def _numbered(name: str, meshes: Sequence[Mesh]) -> tuple[Part, ...]:
    return tuple(Part(f"{name} {i + 1}", mesh) for i, mesh in enumerate(meshes))


def _ceiling(room: Room, palette: Palette) -> Structure:
    white, glow = Material("plaster:1", (0.95, 0.95, 0.94)), palette.glow((1.0, 0.96, 0.88), 1.0)
    slabs = [upright(r, room.ceiling_y, room.ceiling_y + 0.1, white) for r in _under_walls(room)]
    fitting = cylinder(0.19, 0.07, glow, sides=24, bevel=0.02)
    lamps = [moved(fitting, x, room.ceiling_y - 0.07, z) for x, z in ceiling_spots(room.plan)]
    return Structure("Ceiling|0|0|0", (*_numbered("ceiling", slabs), *_numbered("ceiling lamp", lamps)), solid=False)


def _wall_material(kind: str, palette: Palette, rng: np.random.Generator) -> Material:
    if kind == "bathroom" and rng.random() < 0.5:
        return Material(f"tiles:{int(rng.integers(4))}", palette.color("pastel"), 0.2, 70.0, 0.0, 0.03)
    if kind in {"bedroom", "living-room"} and rng.random() < 0.3:
        return Material(f"wallpaper:{int(rng.integers(4))}", palette.color("pastel"))
    tone = float(rng.uniform(0.72, 0.92))
    warm = float(rng.uniform(-0.03, 0.06))
    color = palette.color("pastel") if rng.random() < 0.4 else (tone, tone - warm / 2, tone - warm)
    return Material(f"plaster:{int(rng.integers(3))}", color)


def _wall(room: Room, wall: WallSegment, holes: Sequence[Hole], material: Material) -> Structure:
    """One wall; where it meets the next at an outer corner it goes on to fill the corner.

    Where a corner juts into the room it ends a hair behind the other's face: in one plane, their ids would mix.
    """
    low = wall.low - (-_CLEAR_M if _opens_out(room, wall, wall.low, -1) else WALL_M)
    high = wall.high + (-_CLEAR_M if _opens_out(room, wall, wall.high, 1) else WALL_M)
    whole = (low, room.floor_y, high, room.ceiling_y)
    repeat = {"tiles": 0.9, "wallpaper": 1.1, "plaster": 1.5}[material.texture.partition(":")[0]]
    blocks = []
    for a, bottom, b, top in cut([whole], [(h.low, h.bottom, h.high, h.top) for h in holes]):
        blocks.append(upright(along_wall(wall, a, b, -WALL_M, 0.0), bottom, top, material, repeat))
    name = f"Wall|{'xz'[wall.axis]}{wall.at:+.2f}|{wall.low:+.2f}|{wall.high:+.2f}"
    return Structure(name, _numbered("wall", blocks))


def _opens_out(room: Room, wall: WallSegment, end: float, step: int) -> bool:
    """Whether the room goes on past a wall's end, round a corner that juts into it."""
    at, along = wall.at + wall.inward * 1e-3, end + step * 1e-3
    return inside(*((at, along) if wall.axis == 0 else (along, at)), room.plan)


def _baseboards(room: Room, objects: Sequence[PlacedObject], door: Hole | None, palette: Palette) -> Structure:
    material = palette.paint((0.92, 0.92, 0.9))
    depth, height = _BASEBOARD_M
    runs = [along_wall(wall, wall.low, wall.high, 0.0, depth) for wall in room.walls]
    gaps = [footprint(o) for o in objects if o.object_type in {"Window", "Fridge"} and o.extent()[0][1] < height]
    if door is not None:
        gaps.append(grown(before(door, 0.05), 0.06))
    blocks = [upright(r, room.floor_y, room.floor_y + height, material) for r in cut(runs, gaps)]
    return Structure("Baseboard", _numbered("baseboard", blocks), solid=False)


def _door(door: Hole, palette: Palette) -> Structure:
    """A closed door leaf with its frame and a handle."""
    leaf, trim, metal = palette.wood(), palette.paint((0.94, 0.94, 0.92)), palette.chrome()
    low, high, bottom, top = door.low, door.high, door.bottom, door.top
    pieces = [
        ("leaf", (low, bottom, high, top), (-0.06, -0.02), leaf),
        ("panel below", (low + 0.14, bottom + 0.18, high - 0.14, bottom + 0.9), (-0.02, -0.008), leaf),
        ("panel above", (low + 0.14, bottom + 1.05, high - 0.14, top - 0.16), (-0.02, -0.008), leaf),
        ("frame left", (low - 0.06, bottom, low, top + 0.06), (0.0, 0.018), trim),
        ("frame right", (high, bottom, high + 0.06, top + 0.06), (0.0, 0.018), trim),
        ("frame above", (low, top, high, top + 0.06), (0.0, 0.018), trim),
        ("handle plate", (high - 0.1, bottom + 0.93, high - 0.06, bottom + 1.1), (-0.02, -0.012), metal),
        ("handle stem", (high - 0.088, bottom + 1.003, high - 0.072, bottom + 1.022), (-0.012, 0.045), metal),
        ("handle", (high - 0.2, bottom + 1.0, high - 0.07, bottom + 1.025), (0.03, 0.045), metal),
    ]
    parts = []
    for name, (a, y0, b, y1), (back, ahead), material in pieces:
        parts.append(Part(name, upright(along_wall(door.wall, a, b, back, ahead), y0, y1, material)))
    return Structure("Doorway", tuple(parts))


def _pillars(room: Room, objects: Sequence[PlacedObject], material: Material) -> list[Structure]:
    """A piece of wall behind each thing that hangs in the middle of the room."""
    pillars: list[Structure] = []
    for o in objects:
        bottom = o.extent()[0][1]
        if o.object_type not in _ON_PILLARS or bottom < room.floor_y + 0.6 or wall_of(o, room.faces) is not None:
            continue
        r = footprint(o)
        axis = thin_axis(o)
        if r[axis + 2] - r[axis] > 0.3:
            continue  # It hangs at an angle.
        free = [p for sign in (-1, 1) if not _crossed(p := _behind(r, axis, sign), objects, o)]
        if free:
            wall = block(
                (free[0][0], room.floor_y, free[0][1]), (free[0][2], room.ceiling_y, free[0][3]), material, 1.5
            )
            pillars.append(Structure(f"Wall|{o.object_type}|{len(pillars)}|0", (Part("pillar", wall),)))
    return pillars


def _panel_walls(room: Room, palette: Palette) -> list[Structure]:
    """Inner walls of boards between a rail above and a foot below; they end below the ceiling."""
    board, rail = Material("plaster:0", (0.84, 0.84, 0.82)), palette.paint((0.62, 0.62, 0.6))
    top = room.floor_y + PANEL_HEIGHT_M
    structures = []
    for r in room.panels:
        parts = (
            Part("board", upright(r, room.floor_y, top, board, 1.5)),
            Part("rail", upright(grown(r, 0.004), top, top + 0.03, rail)),
            Part("foot", upright(grown(r, 0.006), room.floor_y, room.floor_y + 0.06, rail)),
        )
        structures.append(Structure(f"Wall|panel|{(r[0] + r[2]) / 2:+.2f}|{(r[1] + r[3]) / 2:+.2f}", parts))
    return structures


def _behind(r: Rectangle, axis: int, sign: int) -> Rectangle:
    """The plan of a pillar on one side of a flat thing, a little wider than it."""
    near, far = sorted((r[axis + 2] if sign > 0 else r[axis]) + sign * d for d in (0.002, WALL_M))
    wide = grown(r, 0.08)
    return (near, wide[1], far, wide[3]) if axis == 0 else (wide[0], near, wide[2], far)


def _crossed(r: Rectangle, objects: Sequence[PlacedObject], but: PlacedObject) -> bool:
    return any(overlap(r, footprint(o)) > 0 for o in objects if o.object_type != "Floor" and o is not but)
