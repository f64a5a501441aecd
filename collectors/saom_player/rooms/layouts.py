"""iTHOR's and RoboTHOR's scenes by name: the metadata's placements, objects built to fit them, a room around them."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import lru_cache, partial

import numpy as np

from saom_player.disk_cache import SOURCE_DIGEST, DiskCache
from saom_player.objects.workbench import Order
from saom_player.rooms import joinery
from saom_player.rooms.apartments import is_apartment
from saom_player.rooms.counters import slab_heights, slab_parts, slab_plan
from saom_player.rooms.facing import front_box
from saom_player.rooms.furnishing import built_object, order_of, rng_of, scene_object, shape_of
from saom_player.rooms.kept import packed, unpacked
from saom_player.rooms.ledges import ledges
from saom_player.rooms.lights import lamps, sun
from saom_player.rooms.shell import Room, measure, measure_apartment, shell, standing_place
from saom_player.scene import Box, Scene, SceneObject, Shape
from saom_player.tables.layout import PlacedObject, placed_objects, scene_names

__all__ = ["UnknownScene", "load_scene", "scene_names"]

_KINDS = {0: "kitchen", 2: "living-room", 3: "bedroom", 4: "bathroom"}
# Receptacle volumes without a mesh of their own in AI2-THOR, whose masks are made of meshes: their sink or bathtub is
# drawn instead. The floor is a structure under the floor's own id.
_UNSEEN = {"SinkBasin", "BathtubBasin", "Floor"}
# Models of sinks in which all of the mesh hangs on the basin: there AI2-THOR's masks show a basin and no sink.
_ALL_BASIN = {"Sink_5", "Sink_24"}
_TABLE_LIKE = {"DiningTable", "CoffeeTable", "SideTable"}
_PROUD_M = 0.0015
_APART_M = 0.0005
_IN_ROWS = {"Cabinet", "Drawer", "Window"}
_THIN_M = {"Shelf": 0.03, "Painting": 0.045, "Poster": 0.012, "Mirror": 0.05}
# Things that come as a set in real rooms share their style.
_ALIKE = {
    "Cabinet", "StoveBurner", "StoveKnob", "Blinds", "Window", "Curtains", "Shelf", "Stool",
    "HandTowelHolder", "TowelHolder", "CounterTop", "Faucet", "Sink",
}  # fmt: skip
_ALIKE_BY_ASSET = {"Chair", "SideTable", "ArmChair", "Sofa", "FloorLamp", "DeskLamp", "Dresser"}
_STANDS_LOWER_M, _HANGS_LOWER_M = 0.12, 0.45


class UnknownScene(ValueError):
    """No scene has this name."""


def load_scene(name: str, seed: int = 0, cache: DiskCache | None = None) -> Scene:
    """The scene of an iTHOR room or a RoboTHOR apartment; styles and colours vary with ``seed``, placements do not.

    ``cache`` keeps what was built between processes. Raises UnknownScene, which suggests the nearest name.
    """
    if name not in scene_names():
        near = get_close_matches(name, scene_names(), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UnknownScene(f"unknown scene {name!r}{hint}")
    if cache is None:
        return _built_scene(name, seed)
    key = hashlib.sha256(f"{SOURCE_DIGEST} {name} {seed}".encode()).hexdigest()

    def shape(o: PlacedObject) -> Shape | None:
        return shape_of(o, partial(_fitted, o, name), lambda: _style(o, seed, name))

    stored = cache.load("scene", key, lambda value: unpacked(value, name, shape))
    if stored is not None:
        return stored
    scene = _built_scene(name, seed)
    cache.save("scene", key, packed(scene))
    return scene


def _measured(name: str) -> Room:
    objects = placed_objects(name)
    return measure_apartment(name, objects) if is_apartment(name) else measure(objects)


def _built_scene(name: str, seed: int) -> Scene:
    objects = placed_objects(name)
    room = _measured(name)
    floor_id = next((o.object_id for o in objects if o.object_type == "Floor"), "Floor|0|0|0")
    kind = "apartment" if is_apartment(name) else _KINDS[int(name.removeprefix("FloorPlan")) // 100]
    structures, windows = shell(room, objects, floor_id, kind, rng_of(seed, name, "shell"))
    boxes = _drawn_boxes(objects, room)
    x, z = standing_place(room, objects)
    scene = Scene(
        name=name,
        objects=tuple(_scene_object(o, boxes, objects, room, seed, name) for o in objects),
        structures=(*structures, *joinery.bodies(objects, boxes, room, lambda: rng_of(seed, name, "Cabinet"))),
        lamps=lamps(room.plan, room.ceiling_y, objects),
        windows=tuple(windows),
        sun=sun(windows, rng_of(seed, name, "sun")),
        bounds=_bounds(room),
        agent_position=(x, room.floor_y + 0.9, z),
    )
    held = ledges(scene, room, rng_of(seed, name, "ledges"))
    return replace(scene, structures=(*scene.structures, *held)) if held else scene


def stand_ins(name: str, object_ids: Collection[str], seed: int = 0) -> dict[str, SceneObject]:
    """Some objects of a scene as `load_scene` builds them, by id: for real rooms that lack their models."""
    objects = placed_objects(name)
    room = _measured(name)
    boxes = _drawn_boxes(objects, room)
    wanted = [o for o in objects if o.object_id in object_ids]
    return {o.object_id: _scene_object(o, boxes, objects, room, seed, name) for o in wanted}


def _style(o: PlacedObject, seed: int, scene: str) -> np.random.Generator:
    """The generator of an object's style."""
    if o.object_type == "Drawer":
        return rng_of(seed, scene, "Cabinet")
    if o.object_type in _ALIKE:
        return rng_of(seed, scene, o.object_type)
    if o.object_type in _ALIKE_BY_ASSET and o.asset_id:
        return rng_of(seed, scene, o.asset_id)
    return rng_of(seed, scene, o.object_id)


def _bounds(room: Room) -> Box:
    x0, z0, x1, z1 = room.bounds
    height = room.ceiling_y - room.floor_y
    return Box(((x0 + x1) / 2, room.floor_y + height / 2, (z0 + z1) / 2), (x1 - x0, height, z1 - z0))


def _scene_object(
    o: PlacedObject, boxes: dict[str, Box], objects: Sequence[PlacedObject], room: Room, seed: int, scene: str
) -> SceneObject:
    if o.object_type == "SinkBasin":
        sink = next(
            (s for s in objects if s.asset_id in _ALL_BASIN and o.object_id == f"{s.object_id}|SinkBasin"), None
        )
        return scene_object(o, () if sink is None else _built(sink, boxes, objects, seed, scene).parts)
    if o.object_type in _UNSEEN or o.asset_id in _ALL_BASIN:
        return scene_object(o, ())
    if o.object_type == "CounterTop":
        plan = slab_plan(o, objects, room.plan)
        return scene_object(o, slab_parts(plan, *slab_heights(o, objects), _style(o, seed, scene)))
    return _built(o, boxes, objects, seed, scene)


def _built(
    o: PlacedObject, boxes: dict[str, Box], objects: Sequence[PlacedObject], seed: int, scene: str
) -> SceneObject:
    drawn = _filled_box(o, boxes[o.object_id])
    return built_object(o, drawn, order_of(o, drawn, objects), lambda: _style(o, seed, scene))


def _filled_box(o: PlacedObject, drawn: Box) -> Box:
    """What an object's builder fills: of a cabinet its door, the rest being joinery."""
    return joinery.door_box(drawn) if o.object_type == "Cabinet" else drawn


def _fitted(o: PlacedObject, name: str) -> tuple[Box, Order]:
    """The box that an object's builder fills, and its order: what `load_scene` built it from."""
    drawn = _filled_box(o, _boxes_of(name)[o.object_id])
    return drawn, order_of(o, drawn, placed_objects(name))


@lru_cache(maxsize=2)
def _boxes_of(name: str) -> dict[str, Box]:
    return _drawn_boxes(placed_objects(name), _measured(name))


def _drawn_boxes(objects: Sequence[PlacedObject], room: Room) -> dict[str, Box]:
    """What all objects fill, by id."""
    ranks = _ranks(objects)
    return {o.object_id: _shifted(_drawn_box(o, objects, room), ranks.get(o.object_id, 0)) for o in objects}


def _drawn_box(o: PlacedObject, objects: Sequence[PlacedObject], room: Room) -> Box:
    """The box to fill, facing as it should: the metadata's, less what AI2-THOR counts in and does not draw."""
    box = front_box(o, objects, room.faces)
    if o.object_type == "Shelf":
        return _board(box, o, objects, room.floor_y)
    if o.object_type in _THIN_M:
        return joinery.layer(box, min(_THIN_M[o.object_type], box.size[2]), at_front=False)
    if o.object_type in _TABLE_LIKE:
        return _lowered(box, _above_surface(o, objects))
    return box


def _ranks(objects: Sequence[PlacedObject]) -> dict[str, int]:
    """By id, numbers that differ for things of one type whose boxes overlap: their fronts must not lie in one plane."""
    rows = [(o, np.array(o.extent())) for o in objects if o.object_type in _IN_ROWS]
    found: dict[str, int] = {}
    for k, (o, (low, high)) in enumerate(rows):
        near = [p for p, (a, b) in rows[:k] if p.object_type == o.object_type and (low < b).all() and (a < high).all()]
        taken = {found[p.object_id] for p in near}
        found[o.object_id] = next(rank for rank in range(len(taken) + 1) if rank not in taken)
    return found


def _shifted(box: Box, rank: int) -> Box:
    """The box so many hairs to its side, up and forward."""
    if not rank:
        return box
    x, y, z = np.array(box.center) + box.axes() @ np.full(3, rank * _APART_M)
    return replace(box, center=(float(x), float(y), float(z)))


def _board(box: Box, o: PlacedObject, objects: Sequence[PlacedObject], floor_y: float) -> Box:
    """A shelf's board: its box is the room above it, and things stand on the box's bottom, or below it."""
    thick, bottom = min(_THIN_M["Shelf"], box.size[1]), o.extent()[0][1]
    board = _lowered(box, box.size[1] - thick)
    x, y, z = board.center
    lying = [other.extent()[0][1] for other in objects if o.object_id in other.parents]
    sunk = bottom - min([bottom, *(low for low in lying if bottom - low < _HANGS_LOWER_M)])
    # A hair larger and higher than the furniture's own board, which may lie at the same place: ids must not mix.
    width, height, depth = board.size
    size = (width + 2 * _PROUD_M, height, depth + 2 * _PROUD_M)
    return replace(board, center=(x, y - min(sunk + thick, max(bottom - floor_y, 0.0)) + _PROUD_M, z), size=size)


def _lowered(box: Box, by: float) -> Box:
    """The box with its top lower by so many metres."""
    if by <= 0:
        return box
    x, y, z = box.center
    return replace(box, center=(x, y - by / 2, z), size=(box.size[0], box.size[1] - by, box.size[2]))


def _above_surface(o: PlacedObject, objects: Sequence[PlacedObject]) -> float:
    """How far a table's box rises above the surface that things stand on."""
    top = o.extent()[1][1]
    bottoms = [other.extent()[0][1] for other in objects if o.object_id in other.parents]
    bottoms = [b for b in bottoms if b > o.extent()[0][1] + 0.25]
    if not bottoms or top - max(bottoms) < _STANDS_LOWER_M:
        return 0.0
    return top - max(bottoms)
