"""Bottles, shakers and cans: soap, spray, wine, salt and pepper, watering can, candle."""

from contextlib import nullcontext

import numpy as np

from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes.primitives import (
    Floats,
    box,
    cylinder,
    disc,
    ellipsoid,
    lathe,
    loft,
    rounded_box,
    scaled,
    superellipse,
    tube,
)


def soap_bottle(b: Bench) -> None:
    """A bottle with a label and a pump, or with a flip cap."""
    a, c, h = b.w / 2, b.d / 2, b.h
    color = b.pick([b.mat.color(), b.mat.color("pastel"), (0.92, 0.92, 0.90)])
    body = b.mat.plastic(color) if b.chance(0.7) else b.mat.glass(color)
    white = b.mat.plastic(b.pick([(0.94, 0.94, 0.93), (0.08, 0.08, 0.08), b.mat.color()]))
    power, pump = b.pick([2.0, 2.6, 5.0]), b.chance(0.7)
    top = 0.70 * h if pump else 0.82 * h
    c_body = min(c, a)  # the spout may be what makes the box deep
    a_body = min(a, c * 1.6)

    def at(s: float) -> Floats:
        return superellipse(a_body * s, c_body * s, power=power, points=20)

    neck = superellipse(0.3 * a_body, 0.3 * a_body, power=2, points=20)
    b.add(
        "body", loft([(0, at(0.92)), (0.02 * h, at(1)), (0.75 * top, at(1)), (0.93 * top, at(0.66)), (top, neck)], body)
    )
    b.add(
        "label",
        loft(
            [(0.18 * top, at(1.012)), (0.64 * top, at(1.012))], b.mat.motif("label"), bottom=False, top=False, wrap=2.0
        ),
    )
    if not pump:
        b.add("cap", loft([(top, neck * 1.5), (0.98 * h, neck * 1.4), (h, neck * 1.2)], white))
        b.block("flip", (0.25 * a, 0.03 * h, 0.2 * c), white, (0, 0.93 * h, 0.4 * min(a, c)))
        return
    r = 0.34 * min(a_body, c_body)
    b.add("collar", cylinder(1.25 * r, 0.08 * h, white, sides=14), 0, top)
    b.add("stem", cylinder(0.45 * r, 0.16 * h, b.mat.chrome(), sides=8), 0, top + 0.07 * h)
    spout = [(0, 0.96 * h, -0.5 * c), (0, 0.97 * h, 0.45 * c), (0, 0.90 * h, c * 0.95)]
    b.add("pump head", tube(spout, [0.8 * r, 0.65 * r, 0.4 * r], white, sides=8))


def spray_bottle(b: Bench) -> None:
    """A flat bottle with a label, a neck, a trigger head and a nozzle towards +z (the box's longer side)."""
    along_x = b.w > b.d
    wide, thin = (b.w, b.d) if along_x else (b.d, b.w)
    turn = 90.0 if along_x else 0.0
    h = b.h
    clear = b.mat.plastic(b.pick([b.mat.color(), (0.85, 0.88, 0.90)]))
    head = b.mat.plastic(b.pick([(0.85, 0.20, 0.15), (0.93, 0.93, 0.92), (0.15, 0.25, 0.5), (0.1, 0.1, 0.1)]))

    def at(s: float, shift: float = 0.0) -> Floats:
        return superellipse(thin / 2 * s, 0.36 * wide * s, power=2.8, points=20, center=(0, shift * wide))

    neck = superellipse(0.3 * thin, 0.3 * thin, power=2, points=20, center=(0, -0.08 * wide))
    sections = [(0, at(0.94)), (0.02 * h, at(1)), (0.45 * h, at(1)), (0.6 * h, at(0.7, -0.06)), (0.7 * h, neck)]
    b.add("body", loft(sections, clear), y_deg=turn)
    b.add(
        "label",
        loft([(0.1 * h, at(1.02)), (0.42 * h, at(1.02))], b.mat.motif("label"), bottom=False, top=False, wrap=2.0),
        y_deg=turn,
    )
    b.add(
        "collar",
        scaled(loft([(0.69, neck * 1.25), (0.85, neck * 1.2)], b.mat.plastic((0.92, 0.92, 0.91))), (1, h, 1)),
        y_deg=turn,
    )
    top = rounded_box((0.8 * thin, 0.16 * h, 0.72 * wide), head, radius=0.2 * thin, segments=2)
    b.add("head", top, *_along(-0.08 * wide, 0.84 * h, turn), y_deg=turn)
    nozzle = cylinder(0.22 * thin, 0.16 * wide, b.mat.plastic((0.92, 0.92, 0.91)), sides=8)
    b.add("nozzle", nozzle, *_along(0.28 * wide, 0.93 * h, turn), x_deg=90, y_deg=turn)
    trigger = tube(
        [(0, 0.86 * h, 0.16 * wide), (0, 0.78 * h, 0.3 * wide), (0, 0.7 * h, 0.26 * wide)], 0.13 * thin, head, sides=6
    )
    b.add("trigger", trigger, y_deg=turn)


def _along(z: float, y: float, turn_deg: float) -> tuple[float, float, float]:
    return (z, y, 0.0) if turn_deg else (0.0, y, z)


def wine_bottle(b: Bench) -> None:
    """Glass body, label, foil or cork at the neck."""
    r, h = min(b.w, b.d) / 2, b.h
    glass = b.mat.glass(b.pick([(0.10, 0.20, 0.10), (0.22, 0.10, 0.06), (0.55, 0.62, 0.50), (0.12, 0.10, 0.12)]))
    profile = [
        (0.9 * r, 0),
        (r, 0.02 * h),
        (r, 0.58 * h),
        (0.85 * r, 0.66 * h),
        (0.4 * r, 0.76 * h),
        (0.36 * r, 0.94 * h),
    ]
    b.add("body", lathe(profile, glass, sides=20))
    b.add(
        "label",
        lathe([(1.01 * r, 0.18 * h), (1.01 * r, 0.5 * h)], b.mat.motif("label"), sides=20, closed=False, wrap=2.0),
    )
    foil = b.mat.plastic(b.pick([(0.45, 0.08, 0.10), (0.10, 0.10, 0.10), (0.70, 0.58, 0.25)]))
    b.add(
        "foil", lathe([(0.39 * r, 0.82 * h), (0.38 * r, 0.97 * h), (0.42 * r, 0.97 * h), (0.42 * r, h)], foil, sides=14)
    )


def bottle(b: Bench) -> None:
    """A drinks bottle with a liquid, a label and a screw cap."""
    r, h = min(b.w, b.d) / 2, b.h
    liquid = b.mat.glass(b.pick([(0.55, 0.70, 0.75), (0.62, 0.36, 0.12), (0.30, 0.50, 0.25), (0.75, 0.55, 0.30)]))
    waist = [(0.9, 0), (1.0, 0.03), (1.0, 0.3), (0.94, 0.4), (1.0, 0.5), (1.0, 0.62), (0.42, 0.84), (0.42, 0.92)]
    b.add("body", lathe([(x * r, y * h) for x, y in waist], liquid))
    b.add("label", lathe([(0.985 * r, 0.3 * h), (0.985 * r, 0.55 * h)], b.mat.motif("label"), closed=False, wrap=2.0))
    b.add("cap", cylinder(0.5 * r, 0.1 * h, b.mat.plastic(), sides=14, bevel=0.03 * r), 0, 0.9 * h)


def _shaker(b: Bench, filling: tuple[float, float, float]) -> None:
    r, h = min(b.w, b.d) / 2, b.h
    if b.chance(0.4):
        wood = b.mat.wood()
        mill = [(0.9 * r, 0), (r, 0.1 * h), (0.6 * r, 0.4 * h), (0.85 * r, 0.62 * h)]
        b.add("mill body", lathe(mill, wood, sides=16))
        b.add("mill head", ellipsoid((1.6 * r, 0.34 * h, 1.6 * r), wood, sides=14, rows=7), 0, 0.6 * h)
    else:
        b.add("glass", lathe([(0.95 * r, 0), (r, 0.06 * h), (0.78 * r, 0.68 * h)], b.mat.glass(), sides=12))
        b.add(
            "filling",
            lathe(
                [(0.98 * r, 0.03 * h), (1.005 * r, 0.06 * h), (0.93 * r, 0.36 * h)],
                b.mat.food(filling),
                sides=12,
                closed=False,
            ),
        )
        b.add(
            "cap",
            lathe(
                [(0.82 * r, 0.66 * h), (0.8 * r, 0.82 * h), (0.5 * r, 0.95 * h), (0.1 * r, 0.97 * h)],
                b.mat.chrome(),
                sides=14,
            ),
        )
    b.add("finial", ellipsoid((0.4 * r, 0.07 * h, 0.4 * r), b.mat.iron(), sides=8, rows=4), 0, 0.93 * h)


def watering_can(b: Bench) -> None:
    """A can with a long spout and rose towards +z (or the longer side), a handle over and behind."""
    along_x = b.w > b.d
    wide, thin = (b.w, b.d) if along_x else (b.d, b.w)
    turn = 90.0 if along_x else 0.0
    body = b.mat.metal() if b.chance(0.4) else b.mat.plastic(b.pick([(0.25, 0.45, 0.30), b.mat.color()]))
    r = min(thin / 2, 0.3 * wide)
    z, h = -0.14 * wide, b.h

    def loop(s: float) -> Floats:
        return superellipse(r * s, r * s, power=2, points=20, center=(0, z))

    tall = 0.66 * h
    b.add(
        "body",
        loft([(0, loop(0.95)), (0.05 * h, loop(1)), (0.9 * tall, loop(0.92)), (tall, loop(0.6))], body),
        y_deg=turn,
    )
    b.add(
        "opening", loft([(tall, loop(0.55)), (tall * 1.012, loop(0.5))], b.mat.plastic((0.06, 0.07, 0.07))), y_deg=turn
    )
    band = b.mat.brass() if b.chance(0.5) else b.mat.iron()
    b.add("band", loft([(0.08 * h, loop(1.01)), (0.13 * h, loop(1.01))], band, bottom=False, top=False), y_deg=turn)
    end = 0.5 * wide
    path = [(0, 0.16 * h, z + 0.85 * r), (0, 0.45 * h, z + 1.3 * r), (0, 0.86 * h, end - 0.03 * wide)]
    b.add("spout", tube(path, [0.2 * r, 0.15 * r, 0.1 * r], body, sides=8), y_deg=turn)
    rose = lathe([(0.12 * r, 0), (0.34 * r, 0.09 * wide), (0.3 * r, 0.1 * wide)], band, sides=12)
    b.add("rose", rose, *_along(end - 0.07 * wide, 0.84 * h, turn), x_deg=40, y_deg=turn)
    arc = np.linspace(0.1, np.pi, 9)
    back = np.stack([0 * arc, 0.5 * h + 0.46 * h * np.sin(arc), z - 0.15 * r + 1.05 * r * np.cos(arc)], axis=1)
    path_back = np.concatenate([back, [[0, 0.2 * h, z - 0.95 * r]]])
    b.add("handle", tube(path_back, 0.08 * r, body, sides=6), y_deg=turn)


def candle(b: Bench) -> None:
    """Wax with a wick, in a glass or on a plate."""
    r, h = min(b.w, b.d) / 2, b.h
    wax = b.mat.food(b.pick([(0.92, 0.88, 0.76), (0.70, 0.20, 0.18), (0.55, 0.62, 0.50), b.mat.color("pastel")]))
    b.add(
        "wax",
        lathe([(0.86 * r, 0.02 * h), (0.86 * r, 0.86 * h), (0.75 * r, 0.88 * h), (0.3 * r, 0.84 * h)], wax, sides=16),
    )
    b.add("wick", cylinder(0.05 * r, 0.16 * h, b.mat.iron(), sides=5), 0, 0.84 * h)
    if b.order.on is not False:
        tall = min(0.3 * h, 0.8 * r)
        flame = ellipsoid((0.3 * r, tall, 0.3 * r), b.mat.glow((1.0, 0.78, 0.35), 1.0), sides=8, rows=5)
        with b.outside() if b.order.on else nullcontext():
            b.add("flame", flame, 0, h - 0.3 * tall)
    holder = b.mat.glass() if b.chance(0.5) else b.mat.brass()
    b.add("holder", lathe([(0.9 * r, 0), (r, 0.06 * h), (r, 0.3 * h), (0.88 * r, 0.3 * h)], holder, sides=16))


def paint_tin(b: Bench) -> None:
    """A tin with a label, a lid and a bail."""
    r, h = min(b.w, b.d) / 2, b.h
    b.add("tin", cylinder(r, 0.94 * h, b.mat.metal(), sides=18))
    b.add("label", lathe([(1.01 * r, 0.1 * h), (1.01 * r, 0.84 * h)], b.mat.motif("label"), closed=False, wrap=2.0))
    b.add("lid", cylinder(0.94 * r, 0.06 * h, b.mat.chrome(), sides=18), 0, 0.94 * h)
    b.add("print", disc(0.5 * r, b.mat.motif("picture")), 0, h + 0.001, 0, x_deg=-90)
    b.add("tab", box((0.1 * r, 0.02 * h, 0.3 * r), b.mat.chrome()), 0, 0.98 * h, 0.6 * r)


BUILDERS: dict[str, Builder] = {
    "SoapBottle": soap_bottle,
    "SprayBottle": spray_bottle,
    "WineBottle": wine_bottle,
    "Bottle": bottle,
    "SaltShaker": lambda b: _shaker(b, (0.93, 0.93, 0.92)),
    "PepperShaker": lambda b: _shaker(b, (0.16, 0.13, 0.11)),
    "WateringCan": watering_can,
    "Candle": candle,
    "PaintCan": paint_tin,
}
