"""The shell of a room that the metadata leaves out: walls with holes for windows, a door, floor, ceiling, lamps.

Walls stand at the sides of the floor's rectangle, moved in to where the things that hang on them hang. What hangs far
from all four sides hangs on a pillar of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from saom_player.blocks import block, upright
from saom_player.counters import plan
from saom_player.layout_table import PlacedObject
from saom_player.materials import Palette
from saom_player.mesh import Material, Mesh, Part, Rgb
from saom_player.rectangles import Rectangle, cut, grown, overlap
from saom_player.scene import Lamp, Structure, Sun, Vector, WindowOpening
from saom_player.shapes import cylinder
from saom_player.transforms import moved

WALL_M = 0.12
FLOOR_Y_M = 0.0
"""Every iTHOR floor is at this height."""
_LEAST_CEILING_M = 2.45
_HUNG = {
    "Window",
    "Painting",
    "Mirror",
    "LightSwitch",
    "Poster",
    "Blinds",
    "HandTowelHolder",
    "TowelHolder",
    "Curtains",
}
_NEAR_WALL_M = 0.45
_FLOOR_BEYOND_WALL_M = 0.8
_DOOR_M = (0.9, 2.05)
_SIDES = ("west", "east", "south", "north")
"""Towards -x, +x, -z, +z."""


@dataclass(frozen=True)
class Room:
    """A room's inner measures, in metres."""

    plan: Rectangle
    ceiling_y: float

    @property
    def center(self) -> tuple[float, float]:
        """(x, z)."""
        return (self.plan[0] + self.plan[2]) / 2, (self.plan[1] + self.plan[3]) / 2

    def nearest_side(self, x: float, z: float) -> tuple[int, float]:
        """Index of the nearest of the four walls, and how far it is."""
        away = (x - self.plan[0], self.plan[2] - x, z - self.plan[1], self.plan[3] - z)
        side = int(np.argmin(away))
        return side, away[side]


def measure(objects: Sequence[PlacedObject]) -> Room:
    """Where the walls and the ceiling must be to hold all objects."""
    floor = next((o for o in objects if o.object_type == "Floor"), None)
    inner = [o for o in objects if o.object_type not in {"Floor", "Window", "Curtains"}]
    lows, highs = np.array([o.extent()[0] for o in inner]), np.array([o.extent()[1] for o in inner])
    around = (*lows.min(0)[[0, 2]], *highs.max(0)[[0, 2]])
    outline = plan(floor) if floor else around
    sides = [_wall_at(objects, side, outline[side], float(around[side])) for side in range(4)]
    ceiling_y = max(FLOOR_Y_M + _LEAST_CEILING_M, float(highs[:, 1].max()) + 0.06)
    return Room((sides[0], sides[1], sides[2], sides[3]), round(ceiling_y, 3))


def _wall_at(objects: Sequence[PlacedObject], corner: int, edge: float, furthest: float) -> float:
    """Where the wall is that bounds entry ``corner`` of the plan: at what hangs there, else at the floor's edge.

    Never in front of anything: what stands out furthest wins over what hangs.
    """
    axis, sign = (0, 2, 0, 2)[corner], (-1, -1, 1, 1)[corner]
    hung = [
        sign * o.box.center[axis]
        for o in objects
        if o.object_type in _HUNG and _thin_axis(o) == axis and abs(o.box.center[axis] - edge) < _FLOOR_BEYOND_WALL_M
    ]
    wall = max(hung, default=sign * edge)
    return round(sign * max(wall, sign * furthest + 0.005), 4)


def _thin_axis(o: PlacedObject) -> int:
    low, high = o.extent()
    return 0 if high[0] - low[0] < high[2] - low[2] else 2


def wall_side(o: PlacedObject, room: Room) -> int | None:
    """The wall that a flat thing hangs on, or None where it is far from the walls that its face fits."""
    axis = _thin_axis(o)
    x, _, z = o.box.center
    away = {0: x - room.plan[0], 1: room.plan[2] - x} if axis == 0 else {2: z - room.plan[1], 3: room.plan[3] - z}
    side = min(away, key=lambda k: away[k])
    return side if away[side] < _NEAR_WALL_M else None


def facing_yaw_deg(side: int) -> float:
    """The yaw of a thing on a wall that faces into the room."""
    return (90.0, 270.0, 0.0, 180.0)[side]


@dataclass(frozen=True)
class _Hole:
    """An opening in a wall: from ``low`` to ``high`` along it, and in height."""

    side: int
    low: float
    high: float
    bottom: float
    top: float


def shell(
    room: Room, objects: Sequence[PlacedObject], floor_name: str, kind: str, rng: np.random.Generator
) -> tuple[list[Structure], list[WindowOpening]]:
    """All structures of a room, and its windows."""
    palette = Palette(rng)
    windows = [_window_hole(o, room) for o in objects if o.object_type == "Window"]
    holes = [hole for hole in windows if hole is not None]
    door = _door_hole(room, objects, holes, rng)
    wall_paint = _wall_material(kind, palette, rng)
    structures = [_floor(room, floor_name, kind, palette, rng), _ceiling(room, palette)]
    for side in range(4):
        structures.append(
            _wall(room, side, [h for h in (*holes, *([door] if door else [])) if h.side == side], wall_paint)
        )
    structures.append(_baseboards(room, door, palette))
    if door is not None:
        structures.append(_door(room, door, palette))
    structures += _pillars(room, objects, wall_paint)
    return structures, [_opening(room, hole) for hole in holes]


def _floor(room: Room, name: str, kind: str, palette: Palette, rng: np.random.Generator) -> Structure:
    shade = float(rng.uniform(0.75, 1.0))
    tinted = (shade, shade, shade)
    recipes = {
        "kitchen": ("tiles", "planks", "parquet"), "bathroom": ("tiles", "mosaic", "marble"),
        "bedroom": ("carpet", "planks", "parquet"), "living-room": ("planks", "parquet", "carpet"),
    }[kind]  # fmt: skip
    recipe = recipes[int(rng.integers(len(recipes)))]
    variant = int(rng.integers(4))
    color: Rgb = palette.color("furnishing") if recipe == "carpet" else tinted
    mirror = {"tiles": 0.06, "marble": 0.08, "planks": 0.05, "parquet": 0.06}.get(recipe, 0.0)
    material = Material(f"{recipe}:{variant}", color, 0.1 if mirror else 0.01, 60.0 if mirror else 5.0, 0.0, mirror)
    repeat = {"planks": 1.4, "parquet": 1.2, "tiles": 1.2, "mosaic": 0.5, "carpet": 0.5, "marble": 1.5}[recipe]
    x0, z0, x1, z1 = grown(room.plan, WALL_M)
    slab = block((x0, FLOOR_Y_M - 0.1, z0), (x1, FLOOR_Y_M, z1), material, repeat)
    return Structure(name, (Part("floor", slab),))


def _ceiling(room: Room, palette: Palette) -> Structure:
    slab = upright(
        grown(room.plan, WALL_M), room.ceiling_y, room.ceiling_y + 0.1, Material("plaster:1", (0.95, 0.95, 0.94))
    )
    x, z = room.center
    lamp = moved(
        cylinder(0.19, 0.07, palette.glow((1.0, 0.96, 0.88), 1.0), sides=24, bevel=0.02), x, room.ceiling_y - 0.07, z
    )
    return Structure("Ceiling|0|0|0", (Part("ceiling", slab), Part("ceiling lamp", lamp)), solid=False)


def _wall_material(kind: str, palette: Palette, rng: np.random.Generator) -> Material:
    if kind == "bathroom" and rng.random() < 0.5:
        return Material(f"tiles:{int(rng.integers(4))}", palette.color("pastel"), 0.2, 70.0, 0.0, 0.03)
    if kind in {"bedroom", "living-room"} and rng.random() < 0.3:
        return Material(f"wallpaper:{int(rng.integers(4))}", palette.color("pastel"))
    tone = float(rng.uniform(0.72, 0.92))
    warm = float(rng.uniform(-0.03, 0.06))
    color = palette.color("pastel") if rng.random() < 0.4 else (tone, tone - warm / 2, tone - warm)
    return Material(f"plaster:{int(rng.integers(3))}", color)


def _window_hole(window: PlacedObject, room: Room) -> _Hole | None:
    side = wall_side(window, room)
    if side is None:
        return None
    low, high = window.extent()
    along = 2 if side < 2 else 0
    limits = (room.plan[1], room.plan[3]) if side < 2 else (room.plan[0], room.plan[2])
    a, b = max(low[along] + 0.04, limits[0] + 0.05), min(high[along] - 0.04, limits[1] - 0.05)
    bottom, top = max(low[1] + 0.04, FLOOR_Y_M + 0.05), min(high[1] - 0.04, room.ceiling_y - 0.05)
    return _Hole(side, a, b, bottom, top) if b - a > 0.1 and top - bottom > 0.1 else None


def _door_hole(
    room: Room, objects: Sequence[PlacedObject], windows: Sequence[_Hole], rng: np.random.Generator
) -> _Hole | None:
    """A place for a door where nothing stands or hangs before it."""
    in_the_way = [grown(plan(o), 0.05) for o in objects if o.object_type != "Floor"]
    places = []
    for side in range(4):
        start, end = (room.plan[1], room.plan[3]) if side < 2 else (room.plan[0], room.plan[2])
        for low in np.arange(start + 0.15, end - _DOOR_M[0] - 0.15, 0.1):
            hole = _Hole(side, float(low), float(low) + _DOOR_M[0], FLOOR_Y_M, FLOOR_Y_M + _DOOR_M[1])
            front = _before(room, hole, 0.5)
            crossed = any(w.side == side and w.low < hole.high + 0.1 and w.high > hole.low - 0.1 for w in windows)
            if not crossed and not any(overlap(front, r) > 0 for r in in_the_way):
                places.append(hole)
    return places[int(rng.integers(len(places)))] if places else None


def _before(room: Room, hole: _Hole, depth: float) -> Rectangle:
    """The floor rectangle inside the room before an opening."""
    x0, z0, x1, z1 = room.plan
    return (
        (x0, hole.low, x0 + depth, hole.high),
        (x1 - depth, hole.low, x1, hole.high),
        (hole.low, z0, hole.high, z0 + depth),
        (hole.low, z1 - depth, hole.high, z1),
    )[hole.side]


def _wall_blocks(room: Room, side: int, pieces: Sequence[Rectangle], material: Material) -> list[Mesh]:
    """Blocks of a wall from rectangles of its elevation: (low, bottom, high, top)."""
    x0, z0, x1, z1 = room.plan
    repeat = {"tiles": 0.9, "wallpaper": 1.1, "plaster": 1.5}[material.texture.partition(":")[0]]
    blocks = []
    for low, bottom, high, top in pieces:
        ends = (
            ((x0 - WALL_M, bottom, low), (x0, top, high)),
            ((x1, bottom, low), (x1 + WALL_M, top, high)),
            ((low, bottom, z0 - WALL_M), (high, top, z0)),
            ((low, bottom, z1), (high, top, z1 + WALL_M)),
        )[side]
        blocks.append(block(*ends, material, repeat))
    return blocks


def _wall(room: Room, side: int, holes: Sequence[_Hole], material: Material) -> Structure:
    start, end = (room.plan[1], room.plan[3]) if side < 2 else (room.plan[0], room.plan[2])
    whole = (start - WALL_M, FLOOR_Y_M, end + WALL_M, room.ceiling_y)
    pieces = cut([whole], [(h.low, h.bottom, h.high, h.top) for h in holes])
    parts = [Part(f"wall {i + 1}", m) for i, m in enumerate(_wall_blocks(room, side, pieces, material))]
    return Structure(f"Wall|{side}|0|0", tuple(parts))


def _baseboards(room: Room, door: _Hole | None, palette: Palette) -> Structure:
    material = palette.paint((0.92, 0.92, 0.9))
    x0, z0, x1, z1 = room.plan
    runs = [(x0, z0, x0 + 0.012, z1), (x1 - 0.012, z0, x1, z1), (x0, z0, x1, z0 + 0.012), (x0, z1 - 0.012, x1, z1)]
    kept = cut(runs, [grown(_before(room, door, 0.05), 0.06)] if door else [])
    blocks = [upright(r, FLOOR_Y_M, FLOOR_Y_M + 0.09, material) for r in runs] if not door else []
    blocks += [upright(r, FLOOR_Y_M, FLOOR_Y_M + 0.09, material) for r in kept] if door else []
    return Structure("Baseboard", tuple(Part(f"baseboard {i + 1}", m) for i, m in enumerate(blocks)), solid=False)


def _door(room: Room, door: _Hole, palette: Palette) -> Structure:
    """A closed door leaf with its frame and a handle."""
    leaf, trim, metal = palette.wood(), palette.paint((0.94, 0.94, 0.92)), palette.chrome()
    front = _before(room, door, 0.0)
    low, high = door.low, door.high
    pieces = [
        ("leaf", (low, door.bottom, high, door.top), (-0.06, -0.02), leaf),
        ("panel below", (low + 0.14, door.bottom + 0.18, high - 0.14, door.bottom + 0.9), (-0.02, -0.008), leaf),
        ("panel above", (low + 0.14, door.bottom + 1.05, high - 0.14, door.top - 0.16), (-0.02, -0.008), leaf),
        ("frame left", (low - 0.06, door.bottom, low, door.top + 0.06), (0.0, 0.018), trim),
        ("frame right", (high, door.bottom, high + 0.06, door.top + 0.06), (0.0, 0.018), trim),
        ("frame above", (low, door.top, high, door.top + 0.06), (0.0, 0.018), trim),
        ("handle", (high - 0.2, door.bottom + 1.0, high - 0.06, door.bottom + 1.025), (-0.008, 0.045), metal),
    ]
    parts = []
    for name, (a, bottom, b, top), (back, ahead), material in pieces:
        ends = (
            ((front[0] + back, bottom, a), (front[0] + ahead, top, b)),
            ((front[2] - ahead, bottom, a), (front[2] - back, top, b)),
            ((a, bottom, front[1] + back), (b, top, front[1] + ahead)),
            ((a, bottom, front[3] - ahead), (b, top, front[3] - back)),
        )[door.side]
        parts.append(Part(name, block(*ends, material)))
    return Structure("Doorway", tuple(parts))


def _pillars(room: Room, objects: Sequence[PlacedObject], material: Material) -> list[Structure]:
    """A piece of wall behind each thing that hangs in the middle of the room."""
    pillars: list[Structure] = []
    for o in objects:
        if o.object_type not in _HUNG - {"Curtains", "Blinds"} or wall_side(o, room) is not None:
            continue
        low, high = o.extent()
        if low[1] < FLOOR_Y_M + 0.35:
            continue  # it stands
        axis = _thin_axis(o)
        turned = np.radians(o.rotation_deg[1])
        ahead = np.sign(np.sin(turned) if axis == 0 else np.cos(turned)) or 1.0
        back = (low if ahead > 0 else high)[axis]
        r = (low[0] - 0.08, low[2] - 0.08, high[0] + 0.08, high[2] + 0.08)
        near, far = sorted((back - ahead * 0.002, back - ahead * WALL_M))
        r = (near, r[1], far, r[3]) if axis == 0 else (r[0], near, r[2], far)
        blocked = any(
            overlap(r, plan(other)) > 0 for other in objects if other.object_type != "Floor" and other is not o
        )
        if not blocked:
            wall = upright(r, FLOOR_Y_M, room.ceiling_y, material, 1.5)
            pillars.append(Structure(f"Wall|{o.object_type}|{len(pillars)}|0", (Part("pillar", wall),)))
    return pillars


def _opening(room: Room, hole: _Hole) -> WindowOpening:
    x0, z0, x1, z1 = room.plan
    middle, height = (hole.low + hole.high) / 2, (hole.bottom + hole.top) / 2
    along, up = (hole.high - hole.low) / 2, (hole.top - hole.bottom) / 2
    out = WALL_M / 2
    center: Vector = (
        (x0 - out, height, middle), (x1 + out, height, middle), (middle, height, z0 - out), (middle, height, z1 + out)
    )[hole.side]  # fmt: skip
    inward: Vector = ((1.0, 0.0, 0.0), (-1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.0, -1.0))[hole.side]
    half_u: Vector = (0.0, 0.0, along) if hole.side < 2 else (along, 0.0, 0.0)
    return WindowOpening(center, half_u, (0.0, up, 0.0), inward)


def lamps(room: Room, objects: Sequence[PlacedObject]) -> tuple[Lamp, ...]:
    """Light from the ceiling, and from standing lamps."""
    x0, z0, x1, z1 = room.plan
    long_x = x1 - x0 >= z1 - z0
    count = 2 if max(x1 - x0, z1 - z0) > 4.5 else 1
    area = (x1 - x0) * (z1 - z0)
    power = float(np.clip(area / 9.0, 0.7, 2.6)) / count
    x, z = room.center
    found = []
    for k in range(count):
        shift = (k - (count - 1) / 2) * 0.5
        at = (
            (x + shift * (x1 - x0), room.ceiling_y - 0.12, z)
            if long_x
            else (x, room.ceiling_y - 0.12, z + shift * (z1 - z0))
        )
        found.append(Lamp(at, (1.35 * power, 1.26 * power, 1.12 * power), 0.2))
    standing = [o for o in objects if o.object_type == "FloorLamp"][:2]
    for o in standing:
        found.append(Lamp((o.box.center[0], o.extent()[1][1] + 0.05, o.box.center[2]), (0.35, 0.29, 0.2), 0.1))
    return tuple(found)


def sun(openings: Sequence[WindowOpening], rng: np.random.Generator) -> Sun | None:
    """Sunlight that slants in through the largest window."""
    if not openings:
        return None
    widest = max(openings, key=lambda o: float(np.linalg.norm(o.half_u) * np.linalg.norm(o.half_v)))
    turn, rise = np.radians(rng.uniform(-35, 35)), np.radians(rng.uniform(28, 48))
    out = -np.array([widest.inward[0], widest.inward[2]])
    flat = np.array([out[0] * np.cos(turn) - out[1] * np.sin(turn), out[0] * np.sin(turn) + out[1] * np.cos(turn)])
    direction = (float(flat[0] * np.cos(rise)), float(np.sin(rise)), float(flat[1] * np.cos(rise)))
    return Sun(direction, (4.2, 3.7, 2.9))
