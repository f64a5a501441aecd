"""iTHOR scenes by their real names: the metadata's placements, objects built to fit them, and a room around them."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

import numpy as np

from saom_player import counters
from saom_player.layout_table import PlacedObject, placed_objects, scene_names
from saom_player.mesh import Part
from saom_player.objects import build
from saom_player.rooms import FLOOR_Y_M, Room, facing_yaw_deg, lamps, measure, shell, sun, wall_side
from saom_player.scene import Box, Scene, SceneObject, Structure
from saom_player.transforms import transformed

__all__ = ["UnknownScene", "load_scene", "scene_names"]

_KINDS = {0: "kitchen", 2: "living-room", 3: "bedroom", 4: "bathroom"}
# Receptacle volumes without a mesh of their own in AI2-THOR: their sink or bathtub is drawn instead.
_UNSEEN = {"SinkBasin", "BathtubBasin", "Floor"}
_HUNG_FLAT = {
    "Window",
    "Mirror",
    "Painting",
    "Poster",
    "Blinds",
    "Curtains",
    "ShowerCurtain",
    "ShowerDoor",
    "ShowerGlass",
}
_TABLE_LIKE = {"Desk", "DiningTable", "CoffeeTable", "SideTable", "TVStand"}
_ALIKE = {
    "Cabinet", "Drawer", "StoveBurner", "StoveKnob", "Blinds", "Window", "Shelf", "Stool", "HandTowelHolder",
    "TowelHolder", "CounterTop",
}  # fmt: skip
_SHELF_M = 0.025
_STANDS_LOWER_M = 0.12


class UnknownScene(ValueError):
    """No scene has this name."""


def load_scene(name: str, seed: int = 0) -> Scene:
    """The scene of an iTHOR room; styles and colours vary with ``seed``, placements do not.

    Raises UnknownScene, which suggests the nearest name.
    """
    if name not in scene_names():
        near = get_close_matches(name, scene_names(), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UnknownScene(f"unknown scene {name!r}{hint}")
    objects = placed_objects(name)
    room = measure(objects)
    floor_id = next((o.object_id for o in objects if o.object_type == "Floor"), "Floor|0|0|0")
    kind = _KINDS[int(name.removeprefix("FloorPlan")) // 100]
    structures, windows = shell(room, objects, floor_id, kind, _rng(seed, name, "shell"))
    built = tuple(_scene_object(o, objects, room, _style(o, seed, name)) for o in objects)
    x, z = room.center
    return Scene(
        name=name,
        objects=built,
        structures=(*structures, *_counter_bases(objects, room, seed, name)),
        lamps=lamps(room, objects),
        windows=tuple(windows),
        sun=sun(windows, _rng(seed, name, "sun")),
        bounds=_bounds(room),
        agent_position=(x, FLOOR_Y_M + 0.9, z),
    )


def _rng(seed: int, *names: str) -> np.random.Generator:
    """A generator that depends on the seed and the names alone, in any process."""
    digest = hashlib.sha256("\0".join(names).encode()).digest()[:8]
    return np.random.default_rng([seed, int.from_bytes(digest, "little")])


def _style(o: PlacedObject, seed: int, scene: str) -> np.random.Generator:
    """The generator of an object's style: things that come as a set in real rooms share it."""
    return _rng(seed, scene, o.object_type if o.object_type in _ALIKE else o.object_id)


def _bounds(room: Room) -> Box:
    x0, z0, x1, z1 = room.plan
    x, z = room.center
    height = room.ceiling_y - FLOOR_Y_M
    return Box((x, FLOOR_Y_M + height / 2, z), (x1 - x0, height, z1 - z0))


def _scene_object(
    o: PlacedObject, objects: Sequence[PlacedObject], room: Room, rng: np.random.Generator
) -> SceneObject:
    return SceneObject(
        object_id=o.object_id,
        object_type=o.object_type,
        name=o.name,
        position=o.position,
        rotation_deg=o.rotation_deg,
        box=o.box,
        parts=_parts(o, objects, room, rng),
        asset_id=o.asset_id,
        parent_receptacles=o.parents,
        salient_materials=o.materials,
        flags=o.flags,
        mass=o.mass,
    )


def _parts(o: PlacedObject, objects: Sequence[PlacedObject], room: Room, rng: np.random.Generator) -> tuple[Part, ...]:
    """The object's pieces in the world."""
    if o.object_type in _UNSEEN:
        return ()
    if o.object_type == "CounterTop":
        slabs = counters.slab_plan(o, objects, room.plan)
        return counters.slab_parts(slabs, o.extent()[1][1], rng)
    drawn = _drawn_box(o, objects, room)
    return placed(build(o.object_type, drawn.size, rng, "isOpen" in o.flags), drawn)


def placed(parts: Sequence[Part], where: Box) -> tuple[Part, ...]:
    """Parts about the origin, put where a box is."""
    pose = np.eye(4)
    pose[:3, :3] = where.axes()
    pose[:3, 3] = where.center
    return tuple(Part(part.name, transformed(part.mesh, pose)) for part in parts)


def _drawn_box(o: PlacedObject, objects: Sequence[PlacedObject], room: Room) -> Box:
    """The box to fill: the metadata's, less what the metadata counts in and AI2-THOR does not draw."""
    if o.object_type == "Shelf":
        return _lowered(o.box, o.box.size[1] - min(_SHELF_M, o.box.size[1]))
    if o.object_type in _TABLE_LIKE:
        return _lowered(o.box, _above_surface(o, objects))
    if o.object_type in _HUNG_FLAT:
        return _facing_room(o, room)
    return o.box


def _lowered(box: Box, by: float) -> Box:
    """The box with its top lower by so many metres."""
    if by <= 0:
        return box
    x, y, z = box.center
    return replace(box, center=(x, y - by / 2, z), size=(box.size[0], box.size[1] - by, box.size[2]))


def _above_surface(o: PlacedObject, objects: Sequence[PlacedObject]) -> float:
    """How far a table's box rises above the surface that things stand on: the hutch of a desk, the back of a stand."""
    top = o.extent()[1][1]
    bottoms = [other.extent()[0][1] for other in objects if o.object_id in other.parents]
    bottoms = [b for b in bottoms if b > o.extent()[0][1] + 0.25]
    if not bottoms or top - max(bottoms) < _STANDS_LOWER_M:
        return 0.0
    return top - max(bottoms)


def _facing_room(o: PlacedObject, room: Room) -> Box:
    """A flat thing's box, turned so that its thin axis is z and its front faces into the room."""
    low, high = np.array(o.extent())
    size, center = high - low, (low + high) / 2
    side = wall_side(o, room)
    if side is None:
        thin_x = size[0] < size[2]
        x, z = room.center
        side = (0 if center[0] < x else 1) if thin_x else (2 if center[2] < z else 3)
    if side < 2:
        size = size[[2, 1, 0]]
    yaw_deg = facing_yaw_deg(side)
    return Box(tuple(float(c) for c in center), tuple(float(s) for s in size), (0.0, yaw_deg, 0.0))  # type: ignore[arg-type]


def _counter_bases(objects: Sequence[PlacedObject], room: Room, seed: int, name: str) -> list[Structure]:
    """What stands under counters and burners."""
    rng = _rng(seed, name, "counters")
    bases = []
    for o in objects:
        if o.object_type == "CounterTop":
            slabs = counters.slab_plan(o, objects, room.plan)
            bases.append(counters.carcass(slabs, o.extent()[1][1], FLOOR_Y_M, rng))
    stove = counters.stove(objects, FLOOR_Y_M, rng)
    return [base for base in (*bases, stove) if base is not None and base.parts]
