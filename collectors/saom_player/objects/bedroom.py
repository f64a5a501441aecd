"""The bedroom: beds, pillows, alarm clocks, teddy bears, boots."""

import numpy as np

from saom_player.objects.orient import laid
from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes.mesh import Material
from saom_player.shapes.primitives import (
    box,
    cylinder,
    disc,
    ellipsoid,
    frame,
    lathe,
    panel,
    ring,
    rounded_box,
    sheet,
    tube,
)

_PUFF_M = 0.008


def bed(b: Bench) -> None:
    """Frame, head board at -z, mattress, blanket with a turned-down sheet, pillows, legs."""
    wood = b.mat.cabinetry()
    cloth, linen = (
        b.mat.fabric(b.mat.color(b.pick(["furnishing", "accent", "pastel"]))),
        b.mat.fabric((0.93, 0.92, 0.90)),
    )
    along_x = b.w > 1.25 * b.d
    w, d = (b.d, b.w) if along_x else (b.w, b.d)
    turn = 90.0 if along_x else 0.0

    def add(
        name: str, size: tuple[float, float, float], material: Material, x: float, y: float, z: float, **soft: float
    ) -> None:
        mesh = rounded_box(size, material, radius=soft.get("radius", 0.01), puff=soft.get("puff", 0.0))
        place = (z, y, -x) if along_x else (x, y, z)
        b.add(name, mesh, *place, y_deg=turn)

    deck = min(0.34 * b.h, 0.32)
    thick = min(0.25, 0.62 * b.h - deck * 0.6)
    lying = b.usual_level(0.2 * b.h, 0.98 * b.h)
    if lying is not None:
        # As high as what lies on it needs: of a loft bed, far above the floor.
        deck = max((lying - 1.06 * thick - _PUFF_M) / 0.95, 0.1 * b.h)
    top = deck + thick * 0.75
    base = min(0.6 * deck, 0.3)
    add("base", (w - 0.04, base, d - 0.06), wood, 0, deck - base, 0)
    padded = b.mat.upholstery() if b.chance(0.35) else wood
    add("head board", (w, b.h - 0.1 * deck, 0.07), padded, 0, 0.1 * deck, -d / 2 + 0.035, radius=0.025)
    if b.chance(0.5):
        add("foot board", (w, min(top * 1.15, b.h), 0.05), wood, 0, 0.1 * deck, d / 2 - 0.025, radius=0.015)
    add(
        "mattress",
        (w - 0.05, thick, d - 0.13),
        linen,
        0,
        deck * 0.95,
        0.01,
        radius=0.06 if lying is None else 0.03,
        puff=0.01,
    )
    cover = 0.62 * d
    add(
        "blanket",
        (w - 0.015, thick * 0.9, cover),
        cloth,
        0,
        deck * 0.95 + thick * 0.16,
        d / 2 - cover / 2 - 0.055,
        radius=0.06,
        puff=0.008,
    )
    fold = 0.12 * d
    add("sheet fold", (w - 0.01, thick * 0.75, fold), b.mat.fabric(b.mat.jittered((0.85, 0.84, 0.82))), 0,
        deck * 0.95 + thick * 0.31, d / 2 - cover - fold * 0.35, radius=0.04)  # fmt: skip
    count = 0 if lying is not None else 1 if w < 1.2 else 2
    for k in range(count):
        x = (k - (count - 1) / 2) * w * 0.48
        add(
            f"pillow {k + 1}",
            (min(0.62, w * 0.8 / count), 0.14, 0.18 * d),
            linen,
            x,
            top,
            -d / 2 + 0.17 * d,
            radius=0.06,
            puff=0.03,
        )
    if b.chance(0.4):
        add(
            "throw pillow",
            (0.38, 0.14, 0.13 * d),
            b.mat.fabric(b.mat.color()),
            0,
            top + 0.06,
            -d / 2 + 0.27 * d,
            radius=0.05,
            puff=0.02,
        )
    places = [(sx * (w / 2 - 0.06), sz * (d / 2 - 0.06)) for sx in (-1, 1) for sz in (-1, 1)]
    for k, (x, z) in enumerate(places, start=1):
        add(f"leg {k}", (0.06, 0.45 * deck, 0.06), wood, x, 0, z)


def pillow(b: Bench) -> None:
    """A puffed square with piping and a button or a stripe."""
    cloth, accent = b.mat.fabric(b.mat.color(b.pick(["accent", "pastel"]))), b.mat.fabric(b.mat.color())
    body = rounded_box((b.w, b.h * 0.62, b.d), cloth, radius=0.3 * b.h, segments=2, puff=0.19 * b.h, cells=5)
    b.add("cushion", body, 0, 0.19 * b.h)
    loop = np.array([(sx * 0.47 * b.w, 0.5 * b.h, sz * 0.47 * b.d) for sx, sz in ((1, 1), (-1, 1), (-1, -1), (1, -1))])
    b.add("piping", tube(np.repeat(loop, 1, axis=0), 0.035 * b.h, accent, sides=5, closed=True))
    b.add("button", ellipsoid((0.08 * b.w, 0.1 * b.h, 0.08 * b.w), accent, sides=10, rows=5), 0, 0.94 * b.h)


def alarm_clock(b: Bench) -> None:
    """A twin-bell clock, a mantel clock, or a digital box."""
    b.pick([_twin_bell, _twin_bell, _box_clock])(b)


def _twin_bell(b: Bench) -> None:
    shell = b.mat.plastic() if b.chance(0.6) else b.mat.brass()
    metal = b.mat.chrome()
    r = min(0.4 * b.h, 0.44 * b.w)
    cy, z = 0.1 * b.h + r, -b.d * 0.35
    deep = 0.7 * b.d
    b.add(
        "case",
        lathe([(0.9 * r, 0), (r, 0.1 * deep), (r, 0.92 * deep), (0.95 * r, deep), (0.86 * r, deep)], shell),
        0,
        cy,
        z,
        x_deg=90,
    )
    b.add("face", disc(0.88 * r, b.mat.motif("clock")), 0, cy, z + deep * 1.015)
    b.add("bezel", ring(0.92 * r, 0.07 * r, metal, sides=24, bar_sides=5), 0, cy, z + deep, x_deg=90)
    bell = lathe([(0.42 * r, 0), (0.38 * r, 0.14 * r), (0.2 * r, 0.27 * r), (0, 0.3 * r)], metal, sides=14)
    for k, sign in enumerate((-1, 1), start=1):
        b.add(f"bell {k}", bell, sign * 0.55 * r, cy + 0.86 * r, 0, z_deg=-sign * 28)
        foot = [(sign * 0.55 * r, cy - 0.75 * r, 0), (sign * 0.8 * r, 0, 0)]
        b.add(f"foot {k}", tube(foot, 0.06 * r, metal, sides=6))
    turn = np.linspace(0, np.pi, 7)
    bow = np.stack([0.5 * r * np.cos(turn), cy + r * 1.02 + (b.h - cy - r * 1.05) * np.sin(turn), 0 * turn], axis=1)
    b.add("handle", tube(bow, 0.045 * r, metal, sides=5))
    b.add("hammer", cylinder(0.06 * r, 0.25 * r, b.mat.iron(), sides=6), 0, cy + 0.95 * r)


def _box_clock(b: Bench) -> None:
    shell = b.mat.wood() if b.chance(0.5) else b.mat.plastic()
    b.block("case", (b.w, 0.94 * b.h, 0.9 * b.d), shell, (0, 0.06 * b.h, -0.04 * b.d), radius=0.1 * b.h)
    b.block("base", (0.86 * b.w, 0.08 * b.h, b.d), b.mat.rubber())
    side = min(0.84 * b.w, 0.76 * b.h)
    b.add("face", panel(side, side, b.mat.motif("clock")), 0, 0.52 * b.h - side / 2, 0.42 * b.d)
    b.add(
        "bezel",
        frame(side * 1.08, side * 1.08, 0.05 * side, 0.06 * b.d, b.mat.chrome()),
        0,
        0.52 * b.h - side * 0.54,
        0.42 * b.d,
    )
    b.block("snooze bar", (0.4 * b.w, 0.06 * b.h, 0.3 * b.d), b.mat.plastic(), (0, 0.96 * b.h, 0), radius=0.01)


def teddy_bear(b: Bench) -> None:
    """A sitting bear: body, head, snout, ears, limbs, paws, eyes, nose, a ribbon."""
    fur = b.mat.towelling(b.pick([(0.55, 0.36, 0.20), (0.72, 0.55, 0.36), (0.85, 0.78, 0.68)]))
    pale, black = b.mat.towelling((0.88, 0.78, 0.62)), b.mat.plastic((0.05, 0.05, 0.05))
    w, h, d = b.w, b.h, b.d
    balls = {
        "body": ((0.52, 0.52, 0.62), (0, 0.0, -0.1)), "belly": ((0.36, 0.36, 0.3), (0, 0.08, 0.1)),
        "head": ((0.46, 0.42, 0.6), (0, 0.48, -0.05)), "snout": ((0.2, 0.16, 0.28), (0, 0.54, 0.26)),
        "left ear": ((0.17, 0.17, 0.14), (0.19, 0.82, -0.08)), "right ear": ((0.17, 0.17, 0.14), (-0.19, 0.82, -0.08)),
        "left arm": ((0.22, 0.34, 0.28), (0.33, 0.18, 0.05)), "right arm": ((0.22, 0.34, 0.28), (-0.33, 0.18, 0.05)),
        "left leg": ((0.26, 0.24, 0.5), (0.27, 0, 0.24)), "right leg": ((0.26, 0.24, 0.5), (-0.27, 0, 0.24)),
        "left paw": ((0.18, 0.17, 0.08), (0.27, 0.035, 0.46)), "right paw": ((0.18, 0.17, 0.08), (-0.27, 0.035, 0.46)),
        "left eye": ((0.05, 0.05, 0.05), (0.09, 0.71, 0.2)), "right eye": ((0.05, 0.05, 0.05), (-0.09, 0.71, 0.2)),
        "nose": ((0.08, 0.05, 0.06), (0, 0.63, 0.38)),
    }  # fmt: skip
    for name, (size, at) in balls.items():
        material = (
            pale
            if name.split()[-1] in ("belly", "snout", "paw")
            else black
            if name.split()[-1] in ("eye", "nose")
            else fur
        )
        small = max(size) < 0.1
        ball = ellipsoid(
            (size[0] * w, size[1] * h, size[2] * d), material, sides=6 if small else 12, rows=4 if small else 7
        )
        b.add(name, ball, at[0] * w, at[1] * h, at[2] * d)
    b.add("ribbon", ring(0.15 * w, 0.05 * w, b.mat.fabric(b.mat.color()), sides=14), 0, 0.5 * h, -0.08 * d)


def boots(b: Bench) -> None:
    """A pair: shafts, feet, soles, heels, laces or a strap."""
    leather, sole, lace = b.mat.leather(), b.mat.rubber(), b.mat.fabric(b.mat.color())
    for side, sign in (("left", 1), ("right", -1)):
        x, wide = sign * 0.27 * b.w, 0.4 * b.w
        shaft = lathe(
            [
                (0.42 * wide, 0.2 * b.h),
                (0.4 * wide, 0.5 * b.h),
                (0.5 * wide, b.h),
                (0.44 * wide, b.h),
                (0.36 * wide, 0.6 * b.h),
            ],
            leather,
            sides=14,
        )
        b.add(f"{side} shaft", shaft, x, 0, -0.22 * b.d)
        b.add(
            f"{side} foot",
            rounded_box((wide, 0.24 * b.h, 0.92 * b.d), leather, radius=0.1 * b.h, segments=2),
            x,
            0.04 * b.h,
            0.02 * b.d,
        )
        b.block(f"{side} sole", (wide, 0.05 * b.h, b.d), sole, (x, 0, 0), radius=0.02 * b.h)
        b.block(f"{side} heel", (wide * 0.9, 0.08 * b.h, 0.28 * b.d), sole, (x, 0, -0.34 * b.d))
        b.add(f"{side} strap", ring(0.42 * wide, 0.07 * wide, lace, sides=14, bar_sides=5), x, 0.42 * b.h, -0.22 * b.d)


def throw(b: Bench) -> None:
    """A folded blanket: layers of cloth with a fringe."""
    cloth, fringe = b.mat.towelling(b.mat.color("furnishing")), b.mat.fabric()
    for k in range(3):
        b.add(
            f"layer {k + 1}",
            rounded_box((b.w * (1 - 0.02 * k), b.h / 3, b.d), cloth, radius=0.15 * b.h),
            0,
            k * b.h / 3,
        )
    b.add("fringe", sheet(lambda u, v: ((0.5 - u) * b.w, v * b.h * 0.3, b.d / 2 + 0 * u), 8, 1, fringe))
    b.add("label", box((0.1 * b.w, 0.002, 0.06 * b.d), fringe), 0, b.h)


BUILDERS: dict[str, Builder] = {
    "Bed": bed,
    "Pillow": laid(pillow),
    "AlarmClock": alarm_clock,
    "TeddyBear": teddy_bear,
    "Boots": boots,
    "Blanket": throw,
}
