"""Seats: sofas, arm chairs, chairs, stools, ottomans."""

import numpy as np

from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes.mesh import Material
from saom_player.shapes.primitives import (
    Floats,
    box,
    cylinder,
    ellipsoid,
    lathe,
    loft,
    ring,
    rounded_box,
    sheet,
    superellipse,
    tube,
)


def sofa(b: Bench) -> None:
    """Frame, arms, seat and back cushions one each 0.6 m, legs or a plinth, loose pillows."""
    _upholstered(b, max(1, min(4, round((b.w - 0.3) / 0.72))), pillows=b.count(0, 3))


_PUFF_M = 0.026
"""How far cushions rise above the height of a seat."""


def arm_chair(b: Bench) -> None:
    """A one-seat sofa, or a wooden-armed easy chair."""
    if b.w < 1.1 and b.chance(0.3):
        _easy_chair(b)
    else:
        _upholstered(b, 1 if b.w < 1.3 else 2, pillows=b.count(0, 1))


def _upholstered(b: Bench, seats: int, pillows: int) -> None:
    cover = b.mat.upholstery()
    cushion = cover if b.chance(0.6) else b.mat.fabric(b.mat.jittered(cover.tint, 0.12))
    arm = min(b.uniform(0.12, 0.22), 0.2 * b.w)
    leg, seat, back = b.uniform(0.04, 0.13) * b.h, 0.46 * b.h, 0.22 * b.d
    # What lies on the seat must not sink into its cushions, which rise so far above its height.
    lying = [low - 0.05 * b.h - _PUFF_M for low, _ in b.order.contents if 0.25 * b.h < low < 0.65 * b.h]
    seat, pillows = min(lying, default=seat), 0 if lying else pillows
    rest = b.uniform(0.60, 0.72) * b.h
    b.block("frame", (b.w - 0.02, 0.26 * b.h, b.d - 0.02), cover, (0, leg, 0), radius=0.02)
    b.block("back", (b.w - 1.2 * arm, 0.93 * b.h - leg, back), cover, (0, leg, -b.d / 2 + back / 2), radius=0.05)
    rolled = b.chance(0.4)
    for side, sign in (("left", 1), ("right", -1)):
        x = sign * (b.w / 2 - arm / 2)
        b.add(f"{side} arm", rounded_box((arm, rest - leg, b.d), cover, radius=0.05, segments=2), x, leg)
        if rolled:
            roll = cylinder(arm * 0.55, b.d, cover, sides=14, bevel=0.01)
            b.add(f"{side} arm roll", roll, x, rest, -b.d / 2, x_deg=90)
    width, thick = (b.w - 2 * arm) / seats, 0.19 * b.h
    deep = b.d - back * 0.95
    for k in range(seats):
        x = -b.w / 2 + arm + width * (k + 0.5)
        seat_mesh = rounded_box((width - 0.008, thick, deep), cushion, radius=0.04, puff=0.02)
        b.add(f"seat cushion {k + 1}", seat_mesh, x, seat - thick * 0.75, (b.d - deep) / 2)
        lean = rounded_box((width - 0.02, 0.5 * b.h, 0.16), cushion, radius=0.05, puff=0.03)
        b.add(f"back cushion {k + 1}", lean, x, seat + 0.02 * b.h, -b.d / 2 + back + 0.06, x_deg=-8)
    for k in range(pillows):
        edge = min(0.4, 0.6 * width, 0.42 * b.h)
        pillow = rounded_box((edge, edge, 0.11), b.mat.fabric(b.mat.color()), radius=0.045, puff=0.035)
        # Each pillow keeps to its own stretch of the sofa.
        x = ((k + b.uniform(0.3, 0.7)) / pillows - 0.5) * (b.w - 2 * arm - edge)
        b.add(f"pillow {k + 1}", pillow, x, seat + 0.04, -b.d / 2 + back + 0.2, x_deg=-20, y_deg=b.uniform(-12, 12))
    b.legs(b.mat.wood(0.7) if b.chance(0.7) else b.mat.chrome(), leg + 0.01, 0.07, 0.05, round_=True)


def _easy_chair(b: Bench) -> None:
    wood, cloth = b.mat.wood(), b.mat.upholstery()
    seat, rest, rail = 0.42 * b.h, 0.64 * b.h, 0.055
    seat = min([seat, *(low - 0.02 - _PUFF_M for low, _ in b.order.contents if 0.2 * b.h < low < 0.6 * b.h)])
    for side, sign in (("left", 1), ("right", -1)):
        x = sign * (b.w / 2 - rail / 2)
        b.block(f"{side} front leg", (rail, rest, rail), wood, (x, 0, b.d * 0.36), radius=0.008)
        b.block(f"{side} back leg", (rail, rest, rail), wood, (x, 0, -b.d * 0.36), radius=0.008)
        b.block(f"{side} arm rest", (rail * 1.4, 0.03, b.d * 0.9), wood, (x, rest, 0), radius=0.012)
        b.block(f"{side} rail", (rail * 0.6, 0.06, b.d * 0.72), wood, (x, seat - 0.14, 0))
    inner = b.w - 2 * rail
    b.block("seat base", (inner, 0.04, b.d * 0.8), wood, (0, seat - 0.16, 0))
    b.add("seat cushion", rounded_box((inner, 0.14, b.d * 0.82), cloth, radius=0.04, segments=2, puff=0.02), 0,
          seat - 0.12, 0.05 * b.d)  # fmt: skip
    back = rounded_box((inner, b.h - seat, 0.14), cloth, radius=0.05, segments=2, puff=0.02)
    b.add("back cushion", back, 0, seat - 0.02, -b.d * 0.32, x_deg=-10)


def chair(b: Bench) -> None:
    """Wooden with slats, upholstered, a plastic shell, or an office chair on wheels."""
    b.pick([_wooden_chair, _wooden_chair, _padded_chair, _shell_chair, _office_chair])(b)


def _wooden_chair(b: Bench) -> None:
    wood = b.mat.wood() if b.chance(0.75) else b.mat.paint()
    pad = b.chance(0.5)
    seat, post = 0.47 * b.h, min(0.04, 0.09 * b.w)
    x, z = b.w / 2 - post / 2, b.d / 2 - post / 2
    for side, sign in (("left", 1), ("right", -1)):
        b.block(f"{side} front leg", (post, seat, post), wood, (sign * x, 0, z))
        b.block(f"{side} back post", (post, b.h, post), wood, (sign * x, 0, -z))
        b.block(f"{side} stretcher", (post * 0.6, post * 0.7, b.d - post), wood, (sign * x, seat * 0.35, 0))
    b.block("seat", (b.w, 0.035, b.d), wood, (0, seat - 0.02, 0), radius=0.012)
    if pad:
        cloth = b.mat.fabric(b.mat.color())
        cushion = rounded_box((b.w * 0.88, 0.05, b.d * 0.85), cloth, radius=0.02, puff=0.01)
        b.add("seat pad", cushion, 0, seat + 0.012, 0.03 * b.d)
    inner = b.w - 2 * post
    b.block("top rail", (inner, 0.10 * b.h, post * 0.7), wood, (0, 0.89 * b.h, -z), radius=0.008)
    if b.chance(0.5):
        slats = max(3, min(5, round(inner / 0.08)))
        for k in range(slats):
            place = (inner * ((k + 0.5) / slats - 0.5), seat, -z)
            b.block(f"back slat {k + 1}", (inner / slats * 0.4, 0.43 * b.h, post * 0.4), wood, place)
    else:
        for k in range(2):
            b.block(f"back slat {k + 1}", (inner, 0.06 * b.h, post * 0.5), wood, (0, seat + (0.1 + 0.15 * k) * b.h, -z))


def _padded_chair(b: Bench) -> None:
    cloth, wood, seat = b.mat.upholstery(), b.mat.wood(0.75), 0.48 * b.h
    b.legs(wood, seat - 0.06, 0.04, 0.045, round_=True)
    b.add("seat", rounded_box((b.w, 0.1, b.d), cloth, radius=0.03, segments=2, puff=0.012), 0, seat - 0.09)
    lean = rounded_box((b.w * 0.94, b.h - seat, 0.075), cloth, radius=0.03, segments=2, puff=0.015)
    b.add("back rest", lean, 0, seat, -b.d / 2 + 0.05, x_deg=-4)
    for k, x in enumerate((-0.18, 0.0, 0.18), start=1):
        button = ellipsoid((0.025, 0.025, 0.012), wood, sides=8, rows=4)
        b.add(f"button {k}", button, x * b.w, seat + 0.34 * b.h, -b.d / 2 + 0.095)


def _shell_chair(b: Bench) -> None:
    shell = b.mat.plastic(b.mat.color())
    metal = b.mat.chrome() if b.chance(0.5) else b.mat.wood()
    seat = 0.47 * b.h

    def surface(u: Floats, v: Floats) -> tuple[Floats, Floats, Floats]:
        bend = np.clip((v - 0.5) * 2, 0, 1)
        rise = np.where(v < 0.5, 0.0, (b.h - seat) * bend**1.15)
        dish = 0.05 * b.h * (2 * u - 1) ** 2
        x = (0.5 - u) * b.w * (1 - 0.2 * bend**2)
        z = b.d * (0.5 - np.minimum(v, 0.5) * 1.6) - 0.1 * b.d * bend + dish * bend * 2
        return x, seat + rise + dish * (1 - bend), z

    b.add("shell", sheet(surface, 8, 12, shell, thickness=0.012))
    for k, (sx, sz) in enumerate([(1, 1), (-1, 1), (-1, -1), (1, -1)], start=1):
        foot = (sx * b.w * 0.46, 0.0, sz * b.d * 0.44)
        b.add(f"leg {k}", tube([(sx * b.w * 0.22, seat, sz * b.d * 0.18), foot], 0.012, metal, sides=8))
    b.block("bracket", (b.w * 0.5, 0.015, b.d * 0.42), metal, (0, seat - 0.02, 0))


def _office_chair(b: Bench) -> None:
    cloth = b.mat.fabric(b.pick([(0.13, 0.13, 0.14), b.mat.color()]))
    black, steel = b.mat.plastic((0.08, 0.08, 0.085)), b.mat.chrome()
    seat, reach = 0.46 * b.h, min(b.w, b.d) * 0.46
    for k in range(5):
        angle = 2 * np.pi * k / 5 + 0.3
        tip = (reach * np.sin(angle), 0.05, reach * np.cos(angle))
        b.add(f"spoke {k + 1}", tube([(0, 0.09, 0), tip], [0.022, 0.014], black, sides=6))
        b.add(f"wheel {k + 1}", ellipsoid((0.05, 0.05, 0.05), black, sides=8, rows=5), tip[0], 0, tip[2])
    b.add("column", cylinder(0.024, seat - 0.12, steel, sides=10), 0, 0.07)
    cushion = rounded_box((b.w * 0.86, 0.09, b.d * 0.8), cloth, radius=0.035, segments=2, puff=0.012)
    b.add("seat", cushion, 0, seat - 0.07, b.d * 0.06)
    lean = rounded_box((b.w * 0.78, b.h - seat - 0.08, 0.07), cloth, radius=0.03, segments=2, puff=0.015)
    b.add("back rest", lean, 0, seat + 0.08, -b.d * 0.36, x_deg=-5)
    b.block("back bar", (0.06, 0.22 * b.h, 0.02), black, (0, seat - 0.06, -b.d * 0.42))
    for side, sign in (("left", 1), ("right", -1)):
        x = sign * b.w * 0.46
        path = [(sign * b.w * 0.3, seat - 0.05, 0), (x, seat, 0), (x, seat + 0.17 * b.h, 0)]
        b.add(f"{side} arm post", tube(path, 0.012, black, sides=6))
        b.block(f"{side} arm rest", (0.055, 0.025, b.d * 0.42), black, (x, seat + 0.17 * b.h, 0), radius=0.01)


def stool(b: Bench) -> None:
    """Bar stool: a round seat on splayed legs with a foot ring, or a seat on one column."""
    wood, metal = b.mat.wood(), b.mat.fitting()
    top: Material = b.mat.leather() if b.chance(0.5) else wood
    radius = min(b.w, b.d) * 0.42
    seat = cylinder(radius, min(0.06, 0.12 * b.h), top, sides=18, bevel=0.015)
    if b.chance(0.6):
        for k, (sx, sz) in enumerate([(1, 1), (-1, 1), (-1, -1), (1, -1)], start=1):
            high = (sx * b.w * 0.22, b.h * 0.93, sz * b.d * 0.22)
            b.add(f"leg {k}", tube([high, (sx * b.w * 0.46, 0, sz * b.d * 0.46)], 0.016, wood, sides=8))
        rail = superellipse(b.w * 0.37, b.d * 0.37, power=6, points=16)
        path = np.insert(rail, 1, b.h * 0.35, axis=1)
        b.add("foot rail", tube(path, 0.009, metal, sides=6, closed=True))
    else:
        foot = min(b.w, b.d) * 0.48
        b.add("foot", lathe([(foot, 0), (foot * 0.95, 0.015), (foot * 0.2, 0.03)], metal, sides=20))
        b.add("column", cylinder(0.03, b.h * 0.9, metal, sides=12), 0, 0.02)
        b.add("foot ring", ring(radius * 0.8, 0.018, metal), 0, b.h * 0.32)
    b.add("seat", seat, 0, b.h - min(0.06, 0.12 * b.h))
    if top is not wood:
        b.add("seat plate", cylinder(radius * 0.9, 0.015, metal, sides=18), 0, b.h - min(0.06, 0.12 * b.h) - 0.015)


def ottoman(b: Bench) -> None:
    """A padded block on short legs with piping, or a round pouf with a contrasting top."""
    cover, leg = b.mat.upholstery(), 0.14 * b.h
    piping = b.mat.fabric(b.mat.jittered((0.2, 0.18, 0.17)))
    round_ = abs(b.w - b.d) < 0.15 * b.w and b.chance(0.5)
    if round_:
        loop = superellipse(b.w / 2, b.d / 2, power=2, points=24)
        b.add("body", loft([(leg, loop * 0.94), (0.25 * b.h, loop), (0.72 * b.h, loop)], cover))
        b.add("cushion", loft([(0.74 * b.h, loop), (0.9 * b.h, loop * 0.97), (b.h, loop * 0.75)], cover))
    else:
        b.block("body", (b.w, 0.6 * b.h, b.d), cover, (0, leg, 0), radius=0.03)
        top = rounded_box((b.w, 0.28 * b.h, b.d), cover, radius=0.05, segments=2, puff=0.025)
        b.add("cushion", top, 0, 0.73 * b.h)
        loop = superellipse(b.w * 0.497, b.d * 0.497, power=12, points=28)
    b.add("piping", tube(np.insert(loop, 1, 0.73 * b.h, axis=1), 0.008, piping, sides=5, closed=True))
    b.legs(b.mat.wood(0.7), leg + 0.01, 0.12 * b.w, 0.05, round_=True)


def footstool(b: Bench) -> None:
    """A small wooden step with a pad."""
    wood = b.mat.wood()
    b.legs(wood, 0.85 * b.h, 0.12 * b.w, 0.04, round_=True)
    b.add("top", box((b.w * 0.96, 0.1 * b.h, b.d * 0.96), wood), 0, 0.78 * b.h)
    b.add("pad", rounded_box((b.w, 0.16 * b.h, b.d), b.mat.upholstery(), radius=0.02, puff=0.01), 0, 0.85 * b.h)


BUILDERS: dict[str, Builder] = {
    "Sofa": sofa,
    "ArmChair": arm_chair,
    "Chair": chair,
    "Stool": stool,
    "Ottoman": ottoman,
    "Footstool": footstool,
}
