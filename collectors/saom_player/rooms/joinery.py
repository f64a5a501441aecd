"""What doors, counters and burners are fixed to: cabinet bodies, counter carcasses and the stove, as structures.

AI2-THOR's cabinets and drawers are objects, the furniture that holds them is not. A cabinet's box is the whole body;
its mesh, and so its mask, is the door alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from saom_player.rooms.counters import carcass
from saom_player.rooms.facing import FRONT_M
from saom_player.rooms.outline import footprint
from saom_player.rooms.shell import Room
from saom_player.rooms.stove import stove
from saom_player.scene import Box, Structure, Vector
from saom_player.shapes.mesh import Material, Mesh, Part
from saom_player.shapes.primitives import box as box_mesh
from saom_player.shapes.rectangles import overlap
from saom_player.shapes.transforms import merged, moved, transformed
from saom_player.surfaces.materials import Palette
from saom_player.tables.layout import PlacedObject

_DEEP_M = 0.09
_GAP_M = 0.003
_BOARD_M = 0.016
_LOWEST_SHELF_M = 0.08
_SINK_OVER_M2 = 0.005


def layer(box: Box, depth: float, at_front: bool) -> Box:
    """The layer of a box that is so many metres deep, at its front or its back."""
    shift = (box.size[2] - depth) / 2 * (1 if at_front else -1)
    center = np.array(box.center) + box.axes()[:, 2] * shift
    size = (box.size[0], box.size[1], depth)
    return replace(box, center=(float(center[0]), float(center[1]), float(center[2])), size=size)


def door_box(box: Box) -> Box:
    """The box of a cabinet's door alone."""
    return layer(box, FRONT_M, at_front=True) if box.size[2] > _DEEP_M else box


def bodies(
    objects: Sequence[PlacedObject], boxes: Mapping[str, Box], room: Room, style: Callable[[], np.random.Generator]
) -> list[Structure]:
    """All structures that objects are fixed to.

    ``boxes`` are the objects' boxes, turned to face as they do; ``style`` gives the cabinet doors' generator anew, so
    that bodies and doors are of one material.
    """
    fronts = [boxes[o.object_id] for o in objects if o.object_type in {"Cabinet", "Drawer"}]
    found: list[Structure | None] = [_cabinet_bodies(objects, boxes, style())]
    for o in objects:
        if o.object_type == "CounterTop":
            found.append(carcass(o, objects, room.plan, room.floor_y, fronts, style()))
    found.append(stove(objects, fronts, room.walls, room.floor_y, style()))
    return [structure for structure in found if structure is not None and structure.parts]


def _hollow(size: Vector, held: Sequence[float], material: Material) -> Mesh:
    """A case about the origin, open to the front for when its door opens; shelves under what stands so high in it."""
    width, height, depth = (s - _GAP_M for s in size)
    level = box_mesh((width, _BOARD_M, depth), material)
    upright = box_mesh((_BOARD_M, height, depth), material)
    boards = [
        level,
        moved(level, y=height - _BOARD_M),
        moved(box_mesh((width, height, _BOARD_M), material), z=(_BOARD_M - depth) / 2),
    ]
    boards += [moved(upright, x=side * (width - _BOARD_M) / 2) for side in (-1, 1)]
    boards += [moved(level, y=y - _BOARD_M) for y in held if _LOWEST_SHELF_M < y < height - _BOARD_M]
    return moved(merged(boards), y=-height / 2)


def _below_sinks(body: Box, cabinet: PlacedObject, objects: Sequence[PlacedObject]) -> Box:
    """A cabinet's body, ending below the sinks that are let into it: bowls hang in the cabinet's box."""
    bottom = body.center[1] - body.size[1] / 2
    top = bottom + body.size[1]
    for o in objects:
        if o.object_type == "Sink" and overlap(footprint(o), footprint(cabinet)) > _SINK_OVER_M2:
            under = o.extent()[0][1] - _BOARD_M
            if bottom + 2 * _LOWEST_SHELF_M < under < top:
                top = under
    x, _, z = body.center
    return replace(body, center=(x, (bottom + top) / 2, z), size=(body.size[0], top - bottom, body.size[2]))


def _cabinet_bodies(
    objects: Sequence[PlacedObject], boxes: Mapping[str, Box], rng: np.random.Generator
) -> Structure | None:
    """The bodies behind cabinet doors."""
    material = Palette(rng).cabinetry()
    parts: list[Part] = []
    for o in objects:
        box = boxes[o.object_id]
        if o.object_type != "Cabinet" or box.size[2] <= _DEEP_M:
            continue
        body = _below_sinks(layer(box, box.size[2] - FRONT_M, at_front=False), o, objects)
        base = box.center[1] - box.size[1] / 2
        held = [other.extent()[0][1] - base for other in objects if o.object_id in other.parents]
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = body.axes(), body.center
        parts.append(Part(f"cabinet body {len(parts) + 1}", transformed(_hollow(body.size, held, material), pose)))
    return Structure("CabinetBody", tuple(parts)) if parts else None
