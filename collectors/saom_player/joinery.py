"""What doors, counters and burners are fixed to: cabinet bodies, counter carcasses and the stove, as structures.

AI2-THOR's cabinets and drawers are objects, the furniture that holds them is not. A cabinet's box is the whole body;
its mesh, and so its mask, is the door alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from saom_player.counters import carcass
from saom_player.facing import FRONT_M
from saom_player.layout_table import PlacedObject
from saom_player.materials import Palette
from saom_player.mesh import Part
from saom_player.rooms import FLOOR_Y_M, Room
from saom_player.scene import Box, Structure
from saom_player.shapes import box as box_mesh
from saom_player.stove import stove
from saom_player.transforms import moved, transformed

_DEEP_M = 0.09
_GAP_M = 0.004


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
            found.append(carcass(o, objects, room.plan, FLOOR_Y_M, fronts, style()))
    found.append(stove(objects, fronts, room.walls, FLOOR_Y_M, style()))
    return [structure for structure in found if structure is not None and structure.parts]


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
        body = layer(box, box.size[2] - FRONT_M, at_front=False)
        width, height, depth = body.size
        mesh = box_mesh((width - _GAP_M, height - _GAP_M, depth - _GAP_M), material)
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = body.axes(), body.center
        parts.append(Part(f"cabinet body {len(parts) + 1}", transformed(moved(mesh, y=-(height - _GAP_M) / 2), pose)))
    return Structure("CabinetBody", tuple(parts)) if parts else None
