"""What stands on tables and stoves: cups, bowls, plates, pots, pans, cutlery."""

import numpy as np

from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes.mesh import Material
from saom_player.shapes.primitives import (
    box,
    cylinder,
    ellipsoid,
    lathe,
    loft,
    ring,
    rounded_box,
    scaled,
    superellipse,
    tube,
)


def _ware(b: Bench) -> Material:
    return b.mat.ceramic(b.pick([(0.92, 0.91, 0.88), b.mat.color(), b.mat.color("pastel")]))


def mug(b: Bench) -> None:
    """Body, pale inside, handle, perhaps a band and coffee."""
    body, inside = _ware(b), b.mat.ceramic((0.93, 0.92, 0.89))
    along_x = b.w >= b.d
    span, other = (b.w, b.d) if along_x else (b.d, b.w)
    r, h = min(other / 2, 0.42 * span), b.h
    wall = 0.09 * r
    waist = b.uniform(0.86, 1.0)
    outer = [(0.85 * waist * r, 0), (waist * r, 0.06 * h), (r, 0.5 * h), (r, 0.985 * h), (r - wall * 0.5, h)]
    inner = [
        (r - wall * 0.5, h),
        (r - wall, 0.97 * h),
        (waist * (r - wall) * 0.95, 0.1 * h),
        (0.5 * r, 0.06 * h),
        (0, 0.06 * h),
    ]
    shift = -(span / 2 - r)
    place = (shift, 0.0, 0.0) if along_x else (0.0, 0.0, shift)
    b.add("body", lathe(outer, body, sides=22, closed=False), *place)
    b.add("bottom", cylinder(0.85 * waist * r, 0.02 * h, body, sides=22), *place)
    b.add("inside", lathe(inner, inside, sides=22, closed=False), *place)
    turn = np.linspace(-1.35, 1.35, 9)
    reach = span - 2 * r + 0.12 * r
    path = np.stack(
        [0.94 * r + reach * 0.9 * (np.cos(turn) - 0.2) / 0.8, 0.52 * h + 0.32 * h * np.sin(turn), 0 * turn], axis=1
    )
    b.add("handle", tube(path, min(0.12 * r, 0.3 * reach), body, sides=8), *place, y_deg=0.0 if along_x else -90.0)
    if b.chance(0.5):
        b.add(
            "coffee",
            cylinder(0.9 * r, 0.01 * h, b.mat.plastic((0.20, 0.11, 0.06)), sides=20),
            place[0],
            0.78 * h,
            place[2],
        )
    if b.chance(0.6):
        band = lathe(
            [(1.012 * r, 0.55 * h), (1.012 * r, 0.8 * h)], b.mat.ceramic(b.mat.color()), sides=22, closed=False
        )
        b.add("band", band, *place)


def cup(b: Bench) -> None:
    """A glass, a paper cup with sleeve, or a handleless cup; hollow, with a drink."""
    r, h = min(b.w, b.d) / 2, b.h
    base = b.uniform(0.6, 0.9)
    style = b.pick(["glass", "ware", "sleeve"])
    body = b.mat.glass(b.pick([(0.75, 0.82, 0.84), b.mat.color("pastel")])) if style == "glass" else _ware(b)
    wall = 0.07 * r
    inside = [
        (r - wall, h),
        (r * (base + 0.8 * (1 - base)) - wall, 0.8 * h),
        (base * r - wall, 0.06 * h),
        (0, 0.06 * h),
    ]
    b.add(
        "body",
        lathe(
            [(0, 0), (base * r, 0), (base * r * 1.02, 0.03 * h), (r, 0.99 * h), (r - wall, h)],
            body,
            sides=20,
            closed=False,
        ),
    )
    b.add("inside", lathe(inside, b.mat.ceramic(b.mat.jittered((0.90, 0.90, 0.88))), sides=20, closed=False))
    drink = b.mat.plastic(b.pick([(0.62, 0.34, 0.10), (0.25, 0.13, 0.07), (0.80, 0.60, 0.30), (0.55, 0.12, 0.12)]))
    level = b.uniform(0.55, 0.85)
    at_level = r * (base + level * (1 - base)) - wall
    b.add("drink", cylinder(at_level, 0.01 * h, drink, sides=20), 0, level * h)
    if style == "sleeve":
        low, high = r * (base + 0.3 * (1 - base)) * 1.02, r * (base + 0.7 * (1 - base)) * 1.02
        b.add("sleeve", lathe([(low, 0.3 * h), (high, 0.7 * h)], b.mat.cardboard(), sides=20, closed=False))
    b.add("rim", ring(r - wall / 2, wall, body, sides=20, bar_sides=5), 0, h - wall / 2)


def bowl(b: Bench) -> None:
    """A hollow bowl on a foot; the inside in another glaze; a rim line."""
    body, inside = _ware(b), b.mat.ceramic(b.pick([(0.93, 0.92, 0.88), b.mat.color("pastel")]))
    half = (b.w / 2, b.h, b.d / 2)
    outer = [(0, 0), (0.42, 0), (0.44, 0.08), (0.72, 0.3), (0.92, 0.65), (1.0, 0.98), (0.97, 1.0)]
    inner = [(0.97, 1.0), (0.93, 0.95), (0.85, 0.62), (0.65, 0.32), (0.35, 0.14), (0, 0.12)]
    b.add("outside", scaled(lathe(outer, body, sides=26, closed=False), half))
    b.add("inside", scaled(lathe(inner, inside, sides=26, closed=False), half))
    b.add(
        "rim line", scaled(ring(0.975, 0.03, b.mat.ceramic(b.mat.color()), sides=26, bar_sides=4), half), 0, 0.985 * b.h
    )


def plate(b: Bench) -> None:
    """A shallow dish: well, wide rim, foot, a painted ring."""
    body, half = _ware(b), (b.w / 2, b.h, b.d / 2)
    under = [(0, 0), (0.55, 0), (0.57, 0.2), (0.98, 0.85), (1.0, 1.0)]
    rim = [(1.0, 1.0), (0.97, 0.98), (0.68, 0.45)]
    well = [(0.68, 0.45), (0.6, 0.32), (0, 0.28)]
    b.add("underside", scaled(lathe(under, body, sides=28, closed=False), half))
    b.add("rim", scaled(lathe(rim, body, sides=28, closed=False), half))
    b.add("well", scaled(lathe(well, b.mat.ceramic((0.93, 0.92, 0.89)), sides=28, closed=False), half))
    stripe = [(0.96, 1.0), (0.91, 0.92)]
    b.add("painted ring", scaled(lathe(stripe, b.mat.ceramic(b.mat.color()), sides=28, closed=False), half))


def pot(b: Bench) -> None:
    """A cooking pot: hollow steel or enamel body, two ear handles, often a lid with a knob."""
    along_x = b.w >= b.d
    span, other = (b.w, b.d) if along_x else (b.d, b.w)
    turn = 0.0 if along_x else 90.0
    r = min(other / 2, 0.44 * span)
    lid = b.chance(0.5)
    metal = b.mat.metal() if b.chance(0.6) else b.mat.ceramic(b.mat.color())
    black = b.mat.plastic((0.08, 0.08, 0.085))
    top = 0.74 * b.h if lid else b.h
    wall = 0.05 * r
    b.add(
        "body",
        lathe(
            [(0, 0), (0.93 * r, 0), (r, 0.06 * top), (r, 0.98 * top), (1.03 * r, top), (r - wall, top)],
            metal,
            closed=False,
        ),
    )
    inside = [(r - wall, top), (r - wall, 0.1 * top), (0.9 * r, 0.06 * top), (0, 0.06 * top)]
    b.add("inside", lathe(inside, b.mat.metal((0.60, 0.61, 0.62)), closed=False))
    for k, sign in enumerate((-1, 1), start=1):
        arc = np.linspace(-np.pi / 2, np.pi / 2, 7)
        path = np.stack(
            [sign * (0.97 * r + (span / 2 - 0.97 * r) * np.cos(arc)), 0 * arc + 0.8 * top, 0.3 * r * np.sin(arc)],
            axis=1,
        )
        b.add(f"handle {k}", tube(path, 0.05 * r, black, sides=6), y_deg=turn)
    if lid:
        dome = [(1.04 * r, top), (1.03 * r, top + 0.03 * b.h), (0.6 * r, top + 0.12 * b.h), (0.1 * r, top + 0.14 * b.h)]
        b.add("lid", lathe(dome, b.mat.glass() if b.chance(0.4) else metal))
        b.add(
            "lid knob",
            lathe([(0.06 * r, 0), (0.16 * r, 0.08 * b.h), (0.12 * r, 0.12 * b.h)], black, sides=12),
            0,
            top + 0.13 * b.h,
        )


def pan(b: Bench) -> None:
    """A frying pan: dark inside, metal outside, a long handle towards +z or the longer side."""
    along_x = b.w > b.d
    long, wide = (b.w, b.d) if along_x else (b.d, b.w)
    r = min(wide / 2, 0.45 * long)
    shift = -(long / 2 - r)
    metal, coat = b.mat.metal() if b.chance(0.5) else b.mat.iron(), b.mat.plastic((0.09, 0.09, 0.095))
    place = (shift, 0.0, 0.0) if along_x else (0.0, 0.0, shift)
    turn = 90.0 if along_x else 0.0
    deep = 0.8 * b.h
    b.add(
        "outside",
        lathe(
            [(0, 0), (0.78 * r, 0), (0.84 * r, 0.08 * deep), (r, deep), (0.97 * r, deep)], metal, sides=24, closed=False
        ),
        *place,
    )
    b.add(
        "inside",
        lathe([(0.97 * r, deep), (0.82 * r, 0.15 * deep), (0, 0.12 * deep)], coat, sides=24, closed=False),
        *place,
    )
    grip = b.mat.wood() if b.chance(0.3) else b.mat.plastic((0.07, 0.07, 0.075))
    start, end = shift + 0.95 * r, long / 2
    b.add(
        "bracket",
        tube([(0, 0.7 * deep, start), (0, 0.85 * b.h, start + 0.25 * (end - start))], 0.05 * r, metal, sides=6),
        y_deg=turn,
    )
    thick = min(0.09 * r, 0.25 * b.h)
    path = [
        (0, 0.84 * b.h, start + 0.22 * (end - start)),
        (0, b.h - 1.4 * thick, (start + end) / 2 + 0.02),
        (0, b.h - thick, end),
    ]
    b.add("handle", tube(path, [thick * 0.8, thick * 1.2, thick], grip, sides=8), y_deg=turn)
    b.add(
        "hang hole",
        ring(0.5 * thick, 0.3 * thick, metal, sides=8, bar_sides=4),
        *_turned(0, b.h - thick * 0.4, end - 1.5 * thick, turn),
    )


def _turned(x: float, y: float, z: float, turn_deg: float) -> tuple[float, float, float]:
    return (z, y, -x) if turn_deg else (x, y, z)


def _blade_tool(b: Bench, head: str) -> None:
    """Cutlery and tools that lie along z: a grip at -z and a head at +z."""
    wooden = head in ("knife", "spatula", "ladle") and b.chance(0.6)
    grip = (b.mat.wood(0.6) if b.chance(0.5) else b.mat.plastic((0.08, 0.08, 0.08))) if wooden else b.mat.metal()
    metal = b.mat.chrome()
    w, h, d = b.w, b.h, b.d
    share = {"knife": 0.4, "butter knife": 0.45, "fork": 0.55, "spoon": 0.55, "spatula": 0.55, "ladle": 0.62}[head]
    thick = min(w, h) if head in ("knife", "butter knife") else min(0.35 * w, 0.5 * h)
    grip_size = (max(thick, 0.25 * w), max(0.6 * thick, 0.3 * h), share * d)
    b.add("grip", rounded_box(grip_size, grip, radius=0.3 * thick), 0, 0.3 * h, (share - 1) * d / 2)
    z = (share - 0.5) * d
    reach = 0.5 * d - z
    if "knife" in head:
        blade = loft(
            [
                (0, superellipse(0.3 * w, reach / 2, power=4, points=12)),
                (h, superellipse(0.05 * w, reach / 2, power=3, points=12)),
            ],
            metal,
        )
        b.add("blade", blade, 0, 0, z + reach / 2)
        b.add("bolster", box((w, 0.8 * h, 0.04 * d), metal), 0, 0.1 * h, z)
        return
    b.add("neck", tube([(0, 0.45 * h, z - 0.02 * d), (0, 0.3 * h, z + 0.4 * reach)], 0.09 * w, metal, sides=6))
    if head == "fork":
        b.block("palm", (w, 0.2 * h, 0.3 * reach), metal, (0, 0.1 * h, z + 0.45 * reach), radius=0.05 * h)
        tine = tube([(0, 0.2 * h, 0), (0, 0.1 * h, 0.25 * reach), (0, 0.9 * h, 0.45 * reach)], 0.06 * w, metal, sides=5)
        b.add_each("tine", tine, [(x * w, 0.0, z + 0.55 * reach) for x in (-0.4, -0.13, 0.13, 0.4)])
    elif head == "spatula":
        b.block("blade", (w, 0.15 * h, 0.55 * reach), metal, (0, 0, z + 0.72 * reach), radius=0.05 * h)
        slot = box((0.1 * w, 0.01 * h, 0.35 * reach), b.mat.iron())
        b.add_each("slot", slot, [(x * w, 0.151 * h, z + 0.72 * reach) for x in (-0.25, 0.0, 0.25)])
    else:
        profile = [(0, 0), (0.5, 0.06), (0.85, 0.4), (1, 1), (0.93, 1), (0.75, 0.4), (0.4, 0.14), (0, 0.1)]
        cup_z = min(0.5 * w, 0.45 * reach) if head == "ladle" else 0.38 * reach
        shell = scaled(lathe(profile, metal, sides=14, closed=False), (w / 2, 0.75 * h, cup_z))
        b.add("bowl", shell, 0, 0, 0.5 * d - cup_z)


def foil(b: Bench) -> None:
    """A roll of foil in its box, the end sticking out."""
    carton, metal = b.mat.cardboard(), b.mat.metal()
    b.block("carton", (b.w, b.h, 0.8 * b.d), carton, (0, 0, -0.1 * b.d))
    b.block("print", (0.8 * b.w, 0.6 * b.h, 0.01 * b.d), b.mat.motif("label"), (0, 0.2 * b.h, 0.305 * b.d))
    b.add("foil", box((0.94 * b.w, 0.03 * b.h, 0.25 * b.d), metal), 0, 0.5 * b.h, 0.37 * b.d)
    b.add("roll end", ellipsoid((0.02 * b.w, 0.6 * b.h, 0.6 * b.h), metal, sides=10), 0.5 * b.w, 0.2 * b.h, -0.1 * b.d)


BUILDERS: dict[str, Builder] = {
    "Mug": mug,
    "Cup": cup,
    "Bowl": bowl,
    "Plate": plate,
    "Pot": pot,
    "Pan": pan,
    "Knife": lambda b: _blade_tool(b, "knife"),
    "ButterKnife": lambda b: _blade_tool(b, "butter knife"),
    "Fork": lambda b: _blade_tool(b, "fork"),
    "Spoon": lambda b: _blade_tool(b, "spoon"),
    "Spatula": lambda b: _blade_tool(b, "spatula"),
    "Ladle": lambda b: _blade_tool(b, "ladle"),
    "AluminumFoil": foil,
}
