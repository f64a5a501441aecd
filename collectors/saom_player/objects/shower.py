"""Showers and towels: curtains, glass, heads, towels and what they hang on."""

import numpy as np

from saom_player.objects.orient import hung
from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes.primitives import Floats, Surface, box, cylinder, ellipsoid, frame, lathe, ring, sheet, tube

_GATHERED_M, _DRAWN_ACROSS = 0.6, 3.4
"""A narrower shower curtain is gathered; how much wider it is drawn across."""


def shower_curtain(b: Bench) -> None:
    """Hanging folds with a hem in another colour, rings, and a rod along the longer side."""
    along_z = b.d > b.w
    wide, deep = (b.d, b.w) if along_z else (b.w, b.d)
    turn = 90.0 if along_z else 0.0
    cloth = b.mat.fabric(b.mat.color(b.pick(["pastel", "accent"])))
    hem = b.mat.fabric(b.mat.jittered((0.85, 0.84, 0.80)))
    chrome, folds = b.mat.chrome(), max(3.0, wide / 0.12)
    top = 0.95 * b.h

    def strip(low: float, high: float) -> Surface:
        def surface(u: Floats, v: Floats) -> tuple[Floats, Floats, Floats]:
            y = low + (high - low) * v
            sway = 0.5 + 0.5 * (1 - y / b.h)
            return (0.5 - u) * wide, y, 0.42 * deep * sway * np.sin(2 * np.pi * folds * u)

        return surface

    columns = int(min(60, folds * 6))
    # A gathered curtain opens by being drawn across, as AI2-THOR's do; a wide one by being gathered.
    stretch, flat = (_DRAWN_ACROSS, 0.35) if wide < _GATHERED_M else (1 / _DRAWN_ACROSS, 1.2)
    end = (b.order.hinge or -1) * wide / 2
    along = (1.0, 1.0, stretch) if along_z else (stretch, 1.0, 1.0)
    folded = (flat, 1.0, stretch) if along_z else (stretch, 1.0, flat)
    fixed = (0.0, 0.0, end) if along_z else (end, 0.0, 0.0)
    with b.moving(fixed, scale=folded):
        b.add("curtain", sheet(strip(0.1 * b.h, top), columns, 4, cloth, thickness=0.004), y_deg=turn)
        b.add("hem", sheet(strip(0, 0.1 * b.h), columns, 1, hem, thickness=0.005), y_deg=turn)
    with b.moving(fixed, scale=along if stretch > 1 else (1.0, 1.0, 1.0)):
        b.add("rod", tube([(-wide / 2, 0.985 * b.h, 0), (wide / 2, 0.985 * b.h, 0)], 0.012, chrome), y_deg=turn)
    rings = max(3, min(10, round(wide / 0.12)))
    for k in range(rings):
        x = (0.5 - (k + 0.5) / rings) * wide
        place = (0.0, 0.965 * b.h, x) if along_z else (x, 0.965 * b.h, 0.0)
        shift = (x - end) * (stretch - 1)
        tilt = {"x_deg": 90.0} if along_z else {"z_deg": 90.0}
        with b.moving(shift=(0.0, 0.0, shift) if along_z else (shift, 0.0, 0.0)):
            b.add(f"ring {k + 1}", ring(0.022, 0.006, chrome, sides=10, bar_sides=4), *place, **tilt)


def shower_door(b: Bench) -> None:
    """A glass pane in a metal frame with a handle and hinges."""
    side = b.order.hinge or 1
    with b.moving((side * b.w / 2, 0, 0), turn_deg=(0, side * 88.0, 0)):
        _shower_door(b, side)


def _shower_door(b: Bench, side: int) -> None:
    metal, glass = b.mat.fitting(), b.mat.glass((0.62, 0.74, 0.75))
    border = min(0.04, 0.15 * b.w)
    thin = min(b.d, 0.04)
    b.add("frame", frame(b.w, b.h, border, thin, metal))
    b.block("glass", (b.w - 2 * border, b.h - 2 * border, thin * 0.3), glass, (0, border, 0))
    x = side * (border * 2.2 - b.w / 2)
    for face, sign in (("front", 1), ("back", -1)):
        reach = sign * b.d / 2
        path = [(x, 0.42 * b.h, 0), (x, 0.42 * b.h, reach * 0.9), (x, 0.55 * b.h, reach * 0.9), (x, 0.55 * b.h, 0)]
        b.add(f"{face} handle", tube(path, min(0.01, 0.12 * b.d), metal, sides=6))
    places = [(side * (b.w / 2 - border), y * b.h, 0.0) for y in (0.15, 0.8)]
    b.add_each("hinge", box((border * 1.3, 0.08, thin * 1.3), metal), places)
    b.block("seal", (b.w, 0.012 * b.h, thin * 0.6), b.mat.rubber((0.3, 0.3, 0.32)), (0, 0, 0))


def shower_glass(b: Bench) -> None:
    """A fixed pane with a foot rail, or two of them round a corner when the box is deep."""
    metal, glass = b.mat.chrome(), b.mat.glass((0.62, 0.74, 0.75))
    panes = [("front", b.w, 0.0, b.d / 2 - 0.02, 0.0)]
    if b.d > 0.4:
        panes.append(("side", b.d - 0.04, b.w / 2 - 0.02, -0.02, 90.0))
    for name, length, x, z, turn in panes:
        b.add(f"{name} glass", box((length, b.h, 0.01), glass), x, 0, z, y_deg=turn)
        b.add(f"{name} foot rail", box((length, 0.03, 0.03), metal), x, 0, z, y_deg=turn)
        b.add(f"{name} head rail", box((length, 0.02, 0.025), metal), x, b.h - 0.02, z, y_deg=turn)


def shower_head(b: Bench) -> None:
    """A rose on an arm over a riser bar with a hose and a valve."""
    metal = b.mat.chrome()
    back, r = -b.d / 2 + 0.02, min(0.1, 0.45 * min(b.w, b.d))
    top = 0.94 * b.h
    b.add("riser", tube([(0, 0.1 * b.h, back), (0, top, back), (0, b.h, 0), (0, top, 0.15 * b.d)], 0.014, metal))
    rose = lathe([(r * 0.95, 0), (r, 0.012), (0.3 * r, 0.035), (0.15 * r, 0.06)], metal, sides=18)
    b.add("rose", rose, 0, top - 0.055, 0.18 * b.d)
    b.add("nozzles", cylinder(0.85 * r, 0.004, b.mat.rubber((0.25, 0.25, 0.26)), sides=18), 0, top - 0.058, 0.18 * b.d)
    b.block("valve", (0.6 * b.w, 0.05, 0.05), metal, (0, 0.1 * b.h, back), radius=0.02)
    b.add_each(
        "tap",
        ellipsoid((0.05, 0.05, 0.05), metal, sides=10, rows=6),
        [(s * 0.35 * b.w, 0.1 * b.h, back) for s in (-1, 1)],
    )
    hose = [
        (0, 0.12 * b.h, back + 0.03),
        (0.3 * b.w, 0.0, back + 0.06),
        (0.32 * b.w, 0.3 * b.h, back + 0.04),
        (0.02, 0.6 * b.h, back + 0.02),
    ]
    b.add("hose", tube(hose, 0.008, b.mat.metal()))


def towel(b: Bench) -> None:
    """Cloth over a bar, hanging in front and behind, with woven stripes near the hem."""
    color = b.mat.color(b.pick(["pastel", "accent", "furnishing"]))
    cloth, stripe = b.mat.towelling(color), b.mat.fabric(b.mat.jittered((0.88, 0.86, 0.80)))
    r = b.d / 2
    wave = b.uniform(0, 6)

    def drop(low: float, high: float, out: float) -> Surface:
        def surface(u: Floats, v: Floats) -> tuple[Floats, Floats, Floats]:
            y = low + (high - low) * v
            loose = (1 - y / b.h) * 0.25 * r * np.sin(9 * u + wave)
            return (0.5 - u) * b.w, y, out * (0.72 * r + loose)

        return surface

    top = b.h - r
    b.add("front", sheet(drop(0.22 * b.h, top, 1.0), 8, 4, cloth, thickness=0.3 * r))
    b.add("front stripe", sheet(drop(0.13 * b.h, 0.22 * b.h, 1.0), 8, 1, stripe, thickness=0.36 * r))
    b.add("front hem", sheet(drop(0, 0.13 * b.h, 1.0), 8, 1, cloth, thickness=0.3 * r))
    b.add("back", sheet(drop(0.12 * b.h, top, -1.0), 8, 2, cloth, thickness=0.3 * r))
    b.add("fold", cylinder(r, b.w * 0.995, cloth, sides=12), b.w / 2, top, 0, z_deg=90)


def towel_holder(b: Bench) -> None:
    """A bar between two posts on wall plates, or a ring on one post when upright."""
    metal = b.mat.fitting()
    t = min(0.02, 0.45 * b.h, 0.3 * b.d)
    back = -b.d / 2
    if b.h > 1.2 * b.w:
        r = min(b.w, 0.75 * b.h) / 2
        b.add("wall plate", cylinder(min(0.03, r * 0.6), 0.3 * b.d, metal, sides=14), 0, b.h - r * 0.4, back, x_deg=90)
        b.add("post", cylinder(t * 0.6, 0.8 * b.d, metal, sides=8), 0, b.h - r * 0.4, back, x_deg=90)
        b.add("ring", ring(r - t * 0.4, t * 0.8, metal), 0, r, back + 0.8 * b.d, x_deg=90)
        return
    for k, sign in enumerate((-1, 1), start=1):
        x = sign * (b.w / 2 - t)
        b.add(f"wall plate {k}", cylinder(min(b.h / 2, t), 0.15 * b.d, metal, sides=12), x, b.h / 2, back, x_deg=90)
        b.add(f"post {k}", cylinder(t * 0.5, b.d * 0.8, metal, sides=8), x, b.h / 2, back, x_deg=90)
    b.add(
        "bar", tube([(-b.w / 2, b.h / 2, 0), (b.w / 2, b.h / 2, 0)], t * 0.5, b.mat.chrome()), 0, 0, b.d / 2 - t * 0.5
    )


BUILDERS: dict[str, Builder] = {
    "ShowerCurtain": shower_curtain,
    "ShowerDoor": hung(shower_door),
    "ShowerGlass": hung(shower_glass),
    "ShowerHead": shower_head,
    "Towel": towel,
    "HandTowel": towel,
    "TowelHolder": hung(towel_holder),
    "HandTowelHolder": hung(towel_holder),
}
