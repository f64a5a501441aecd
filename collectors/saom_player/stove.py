"""The stove under the burners: the metadata has burners and knobs, and nothing for what they are set in."""

from collections.abc import Sequence

import numpy as np

from saom_player.blocks import upright
from saom_player.layout_table import PlacedObject
from saom_player.materials import Palette
from saom_player.mesh import Part
from saom_player.outline import footprint
from saom_player.rectangles import Rectangle, grown, overlap
from saom_player.scene import Structure
from saom_player.shapes import box, cylinder
from saom_player.transforms import moved, rotated


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


def stove(objects: Sequence[PlacedObject], floor_y: float, rng: np.random.Generator) -> Structure | None:
    """The stove's body, its top just under the burners; wall ovens' and hobs' burners get it too."""
    r = stove_plan(objects)
    if r is None:
        return None
    top = min(o.extent()[0][1] for o in objects if o.object_type == "StoveBurner") + 0.004
    if top - floor_y < 0.4:
        return None
    palette = Palette(rng)
    body = palette.metal() if rng.random() < 0.6 else palette.ceramic()
    hob = palette.paint((0.07, 0.07, 0.08))
    knobs = [footprint(o) for o in objects if o.object_type == "StoveKnob"]
    parts = [
        Part("body", upright(grown(r, -0.005), floor_y + 0.06, top - 0.012, body)),
        Part("plinth", upright(grown(r, -0.05), floor_y, floor_y + 0.06, hob)),
        Part("hob", upright(r, top - 0.012, top, hob)),
    ]
    parts += _oven_door(r, knobs, floor_y, top, palette)
    return Structure("Stove", tuple(parts))


def _oven_door(r: Rectangle, knobs: Sequence[Rectangle], floor_y: float, top: float, palette: Palette) -> list[Part]:
    """A door with a window and a handle on the side where the knobs are."""
    if not knobs:
        return []
    x = sum(k[0] + k[2] for k in knobs) / 2 / len(knobs) - (r[0] + r[2]) / 2
    z = sum(k[1] + k[3] for k in knobs) / 2 / len(knobs) - (r[1] + r[3]) / 2
    along_x = abs(x) / (r[2] - r[0]) > abs(z) / (r[3] - r[1])
    yaw_deg = (90.0 if x > 0 else 270.0) if along_x else (0.0 if z > 0 else 180.0)
    width = (r[3] - r[1] if along_x else r[2] - r[0]) - 0.06
    depth = (r[2] - r[0] if along_x else r[3] - r[1]) / 2
    height = (top - floor_y) * 0.58
    handle = rotated(cylinder(0.011, width * 0.8, palette.chrome()), z_deg=90.0)
    pieces = [
        ("oven door", box((width, height, 0.02), palette.metal((0.55, 0.56, 0.58))), (0.0, floor_y + 0.14, depth)),
        ("oven window", box((width * 0.72, height * 0.55, 0.006), palette.glass((0.05, 0.05, 0.06))),
         (0.0, floor_y + 0.14 + height * 0.2, depth + 0.011)),
        ("oven handle", handle, (width * 0.4, floor_y + 0.14 + height * 0.92, depth + 0.04)),
    ]  # fmt: skip
    center = ((r[0] + r[2]) / 2, (r[1] + r[3]) / 2)
    return [
        Part(name, moved(rotated(moved(m, *at), y_deg=yaw_deg), center[0], 0.0, center[1])) for name, m, at in pieces
    ]
