"""The stove under the burners: the metadata has burners and knobs, and nothing for what they are set in."""

from collections.abc import Sequence

import numpy as np

from saom_player.rooms.facing import back_to_wall, front_strip
from saom_player.rooms.outline import WallSegment, footprint
from saom_player.scene import Box, Structure
from saom_player.shapes.blocks import upright
from saom_player.shapes.mesh import Material, Part
from saom_player.shapes.primitives import box, cylinder
from saom_player.shapes.rectangles import Rectangle, area, cut, grown, overlap
from saom_player.shapes.transforms import moved, rotated, transformed
from saom_player.surfaces.materials import Palette
from saom_player.tables.layout import PlacedObject

_PANEL_M, _PANEL_FROM_M, _PANEL_NEAR_M = 0.05, 0.02, 0.25
_SUNK_M, _SUNK_SHARE = 0.004, 0.1
"""How deep burners are set into the hob."""


def stove_plan(objects: Sequence[PlacedObject]) -> Rectangle | None:
    """The floor rectangle of the stove, from its burners and knobs; None in a room without."""
    burners = [footprint(o) for o in objects if o.object_type == "StoveBurner"]
    if not burners:
        return None
    x0, z0 = min(r[0] for r in burners), min(r[1] for r in burners)
    x1, z1 = max(r[2] for r in burners), max(r[3] for r in burners)
    r = grown((x0, z0, x1, z1), 0.05)
    for knob in (footprint(o) for o in objects if o.object_type == "StoveKnob"):
        if overlap(grown(r, 0.15), knob) > 0:
            r = (
                min(r[0], knob[0] + 0.04),
                min(r[1], knob[1] + 0.04),
                max(r[2], knob[2] - 0.04),
                max(r[3], knob[3] - 0.04),
            )
    return r


def stove(
    objects: Sequence[PlacedObject],
    fronts: Sequence[Box],
    walls: Sequence[WallSegment],
    floor_y: float,
    rng: np.random.Generator,
) -> Structure | None:
    """The stove's body, its top just under the burners; over cabinets or drawers, a hob with a carcass below it."""
    r = stove_plan(objects)
    if r is None:
        return None
    # Some burners are a plate of a few millimetres.
    burners = [o.extent() for o in objects if o.object_type == "StoveBurner"]
    top = min(low[1] + min(_SUNK_M, _SUNK_SHARE * (high[1] - low[1])) for low, high in burners)
    if top - floor_y < 0.4:
        return None
    palette = Palette(rng)
    cabinetry = palette.cabinetry()
    below = [front_strip(box) for box in fronts if box.center[1] < top and _covers(box, r)]
    body = cabinetry if below else palette.metal() if rng.random() < 0.6 else palette.ceramic()
    hob = palette.paint((0.07, 0.07, 0.08))
    parts = [Part("hob", upright(r, top - 0.012, top, hob))]
    for i, piece in enumerate(cut([grown(r, -0.005)], below)):
        parts.append(Part(f"body {i + 1}", upright(piece, floor_y + 0.06, top - 0.012, body)))
        parts.append(Part(f"plinth {i + 1}", upright(grown(piece, -0.01), floor_y, floor_y + 0.06, hob)))
    parts += _knob_panels(objects, r, top, body)
    if not below:
        middle = ((r[0] + r[2]) / 2, (floor_y + top) / 2, (r[1] + r[3]) / 2)
        box = Box(middle, (r[2] - r[0], top - floor_y, r[3] - r[1]))
        parts += _oven_door(back_to_wall(box, walls), palette)
    return Structure("Stove", tuple(parts))


def _knob_panels(objects: Sequence[PlacedObject], r: Rectangle, top: float, material: Material) -> list[Part]:
    """A panel at the back of the stove for knobs above its top."""
    knobs = [o for o in objects if o.object_type == "StoveKnob" and o.extent()[0][1] > top - _PANEL_FROM_M]
    knobs = [o for o in knobs if overlap(grown(r, _PANEL_NEAR_M), footprint(o)) > 0]
    if not knobs:
        return []
    x0, z0, x1, z1 = (f(footprint(o)[k] for o in knobs) for k, f in enumerate((min, min, max, max)))
    away = ((x0 + x1 - r[0] - r[2]) / 2, (z0 + z1 - r[1] - r[3]) / 2)
    axis = 0 if abs(away[0]) / (r[2] - r[0]) > abs(away[1]) / (r[3] - r[1]) else 1
    wide = [min(r[0], x0), min(r[1], z0), max(r[2], x1), max(r[3], z1)]
    # Behind the knobs, half of whose depth it takes.
    face = ((x0 + x1) / 2, (z0 + z1) / 2)[axis]
    near, far = sorted((face, face + (_PANEL_M if away[axis] > 0 else -_PANEL_M)))
    wide[axis], wide[axis + 2] = near, far
    high = max(o.extent()[1][1] for o in knobs) + 0.03
    return [Part("knob panel", upright((wide[0], wide[1], wide[2], wide[3]), top - 0.012, high, material))]


def _covers(front: Box, r: Rectangle) -> bool:
    """Whether a cabinet or drawer takes up a good part of a floor rectangle."""
    corners = front.corners()
    (x0, _, z0), (x1, _, z1) = corners.min(0), corners.max(0)
    return overlap((float(x0), float(z0), float(x1), float(z1)), r) > 0.15 * area(r)


def _oven_door(stove_box: Box, palette: Palette) -> list[Part]:
    """A door with a window and a handle, and a drawer below it, on the front of a stove."""
    width, height, depth = stove_box.size
    wide, high, ahead, metal = width - 0.05, height * 0.56, depth / 2, palette.metal((0.55, 0.56, 0.58))
    handle = rotated(cylinder(0.011, wide * 0.8, palette.chrome()), z_deg=90.0)
    bottom = -height / 2
    pieces = [
        ("oven door", box((wide, high, 0.02), metal), (0.0, bottom + 0.22, ahead)),
        ("oven window", box((wide * 0.72, high * 0.5, 0.006), palette.glass((0.05, 0.05, 0.06))),
         (0.0, bottom + 0.22 + high * 0.2, ahead + 0.011)),
        ("oven handle", handle, (wide * 0.4, bottom + 0.22 + high * 0.9, ahead + 0.04)),
        ("oven drawer", box((wide, 0.13, 0.018), metal), (0.0, bottom + 0.08, ahead)),
    ]  # fmt: skip
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = stove_box.axes(), stove_box.center
    return [Part(name, transformed(moved(mesh, *at), pose)) for name, mesh, at in pieces]
