"""The bathroom: tub, toilet, shower things, paper, plunger, brush, soap, towels."""

import numpy as np

from saom_player.objects.kitchen import bowl
from saom_player.objects.orient import hung
from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes import (
    box,
    cylinder,
    ellipsoid,
    frame,
    lathe,
    loft,
    ring,
    rounded_box,
    sheet,
    superellipse,
    tube,
)  # fmt: skip


def bathtub(b: Bench) -> None:
    """A hollow tub with a rim; a built-in one has a skirt, a free one feet; a tap at one end."""
    enamel = b.mat.ceramic()
    power = b.pick([3.0, 6.0])
    built_in = b.chance(0.6)
    foot = 0.0 if built_in else 0.1 * b.h
    if built_in:
        skirt = b.mat.ceramic() if b.chance(0.5) else b.mat.paint(b.mat.color("cabinetry"))
        wall = 0.04 * min(b.w, b.d)
        x, z = b.w / 2 - wall / 2, b.d / 2 - wall / 2
        b.add_each("skirt", box((b.w, 0.93 * b.h, wall), skirt), [(0, 0, z), (0, 0, -z)])
        b.add_each("end skirt", box((wall, 0.93 * b.h, b.d), skirt), [(x, 0, 0), (-x, 0, 0)])
        power = 7.0
    bowl(b, "tub", (b.w / 2, b.d / 2), b.h, b.h - foot, enamel, rim=0.1 * min(b.w, b.d), power=power)
    chrome = b.mat.chrome()
    if not built_in:
        claw = ellipsoid((0.09, 2.4 * foot, 0.09), b.mat.brass() if b.chance(0.5) else chrome, sides=10, rows=6)
        b.add_each("foot", claw, [(sx * 0.32 * b.w, 0.0, sz * 0.32 * b.d) for sx in (-1, 1) for sz in (-1, 1)])
    overflow = lathe([(0.035, 0), (0.03, 0.008)], chrome, sides=14)
    if b.w > b.d:
        b.add("overflow", overflow, 0.39 * b.w, 0.72 * b.h, 0, z_deg=80)
    else:
        b.add("overflow", overflow, 0, 0.72 * b.h, -0.39 * b.d, x_deg=80)


def bathtub_basin(b: Bench) -> None:
    """The inside of a tub."""
    bowl(b, "basin", (b.w / 2, b.d / 2), b.h, b.h, b.mat.ceramic(), rim=0.02 * min(b.w, b.d), power=4.0)


def toilet(b: Bench) -> None:
    """Bowl, seat, lid up or down, cistern with its lid and button, hinges."""
    china = b.mat.ceramic()
    plastic = b.mat.wood() if b.chance(0.2) else b.mat.plastic((0.95, 0.95, 0.94))
    chrome = b.mat.chrome()
    tank = 0.24 * b.d
    rim, cz = 0.48 * b.h, tank * 0.5
    half_w, half_d = 0.44 * b.w, (b.d - tank) / 2

    def at(share_w: float, share_d: float, z: float = 0.0) -> np.ndarray:
        return superellipse(half_w * share_w, half_d * share_d, power=2.3, points=26, center=(0, cz + z * b.d))

    outer = [
        (0, at(0.6, 0.8, -0.04)), (0.06, at(0.58, 0.8, -0.04)), (0.35, at(0.6, 0.75, -0.02)), (0.75, at(0.9, 0.95)),
        (0.95, at(1, 1)), (1.0, at(1, 1)), (1.0, at(0.8, 0.84)), (0.85, at(0.7, 0.74)), (0.5, at(0.3, 0.4)),
    ]  # fmt: skip
    b.add("bowl", loft([(y * rim, loop) for y, loop in outer], china))
    b.add("water", cylinder(0.3 * half_w, 0.004, b.mat.glass((0.55, 0.66, 0.70)), sides=14), 0, 0.52 * rim, cz)
    seat = [(0, at(0.7, 0.74)), (0, at(1.03, 1.03)), (0.6, at(1.03, 1.03)), (1, at(0.97, 0.98)), (1, at(0.76, 0.8)),
            (0, at(0.7, 0.74))]  # fmt: skip
    thick = 0.03 * b.h
    b.add("seat", loft([(rim + y * thick, loop) for y, loop in seat], plastic, bottom=False, top=False))
    flat = superellipse(half_w, half_d * 0.98, power=2.3, points=26)
    lid = loft([(0, flat), (0.6 * thick, flat), (thick, flat * 0.9)], plastic)
    back = -b.d / 2 + tank
    if b.open_ or b.chance(0.45):
        b.add("lid", lid, 0, rim + thick + half_d * 0.96, back + 0.02 * b.d, x_deg=-86)
    else:
        b.add("lid", lid, 0, rim + thick, cz)
    cistern = rounded_box((0.92 * b.w, 0.94 * b.h - rim, tank * 0.9), china, radius=0.025, segments=2)
    b.add("cistern", cistern, 0, rim, -b.d / 2 + tank / 2)
    b.block("cistern lid", (b.w, 0.05 * b.h, tank), china, (0, 0.94 * b.h, -b.d / 2 + tank / 2), radius=0.012)
    b.block("stem", (0.4 * b.w, rim, tank * 1.2), china, (0, 0, -b.d / 2 + tank * 0.8), radius=0.03)
    b.add("button", cylinder(0.05 * b.w, 0.012 * b.h, chrome, sides=14), 0, 0.988 * b.h, -b.d / 2 + tank / 2)
    b.add_each(
        "hinge", cylinder(0.014, thick * 1.2, chrome, sides=8), [(s * 0.15 * b.w, rim, back + 0.02) for s in (-1, 1)]
    )


def shower_curtain(b: Bench) -> None:
    """Hanging folds with a hem in another colour, rings, and a rod along the longer side."""
    along_z = b.d > b.w
    wide, deep = (b.d, b.w) if along_z else (b.w, b.d)
    turn = 90.0 if along_z else 0.0
    cloth = b.mat.fabric(b.mat.color(b.pick(["pastel", "accent"])))
    hem = b.mat.fabric(b.mat.jittered((0.85, 0.84, 0.80)))
    chrome, folds = b.mat.chrome(), max(3.0, wide / 0.12)
    top = 0.95 * b.h

    def strip(low: float, high: float):  # type: ignore[no-untyped-def]
        def surface(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            y = low + (high - low) * v
            sway = 0.5 + 0.5 * (1 - y / b.h)
            return (0.5 - u) * wide, y, 0.42 * deep * sway * np.sin(2 * np.pi * folds * u)

        return surface

    columns = int(min(60, folds * 6))
    b.add("curtain", sheet(strip(0.1 * b.h, top), columns, 4, cloth, thickness=0.004), y_deg=turn)
    b.add("hem", sheet(strip(0, 0.1 * b.h), columns, 1, hem, thickness=0.005), y_deg=turn)
    b.add("rod", tube([(-wide / 2, 0.985 * b.h, 0), (wide / 2, 0.985 * b.h, 0)], 0.012, chrome), y_deg=turn)
    rings = max(3, min(10, round(wide / 0.12)))
    for k in range(rings):
        x = (0.5 - (k + 0.5) / rings) * wide
        place = (0.0, 0.965 * b.h, x) if along_z else (x, 0.965 * b.h, 0.0)
        tilt = {"x_deg": 90.0} if along_z else {"z_deg": 90.0}
        b.add(f"ring {k + 1}", ring(0.022, 0.006, chrome, sides=10, bar_sides=4), *place, **tilt)


def shower_door(b: Bench) -> None:
    """A glass pane in a metal frame with a handle and hinges."""
    metal, glass = b.mat.fitting(), b.mat.glass((0.62, 0.74, 0.75))
    border = min(0.04, 0.15 * b.w)
    thin = min(b.d, 0.04)
    b.add("frame", frame(b.w, b.h, border, thin, metal))
    b.block("glass", (b.w - 2 * border, b.h - 2 * border, thin * 0.3), glass, (0, border, 0))
    x = -b.w / 2 + border * 2.2
    for side, sign in (("front", 1), ("back", -1)):
        reach = sign * b.d / 2
        path = [(x, 0.42 * b.h, 0), (x, 0.42 * b.h, reach * 0.9), (x, 0.55 * b.h, reach * 0.9), (x, 0.55 * b.h, 0)]
        b.add(f"{side} handle", tube(path, min(0.01, 0.12 * b.d), metal, sides=6))
    b.add_each(
        "hinge", box((border * 1.3, 0.08, thin * 1.3), metal), [(b.w / 2 - border, y * b.h, 0.0) for y in (0.15, 0.8)]
    )
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
    back, r = -b.d / 2 + 0.02, min(0.1, 0.36 * min(b.w, b.d))
    top = 0.94 * b.h
    b.add("riser", tube([(0, 0.1 * b.h, back), (0, top, back), (0, b.h, 0), (0, top, 0.15 * b.d)], 0.01, metal))
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


def plunger(b: Bench) -> None:
    """A rubber cup on a wooden stick."""
    r = min(b.w, b.d) / 2
    rubber = b.mat.rubber(b.pick([(0.55, 0.16, 0.12), (0.12, 0.12, 0.12)]))
    cup = [
        (0.92 * r, 0),
        (r, 0.03 * b.h),
        (0.97 * r, 0.1 * b.h),
        (0.55 * r, 0.2 * b.h),
        (0.22 * r, 0.23 * b.h),
        (0.2 * r, 0.3 * b.h),
    ]
    b.add("cup", lathe(cup, rubber, sides=20))
    b.add("lip", ring(0.95 * r, 0.05 * r, b.mat.rubber(), sides=18), 0, 0.03 * b.h)
    stick = b.mat.wood() if b.chance(0.7) else b.mat.plastic((0.9, 0.9, 0.88))
    b.add("stick", cylinder(0.14 * r, 0.68 * b.h, stick, sides=10), 0, 0.27 * b.h)
    b.add("grip", ellipsoid((0.34 * r, 0.1 * b.h, 0.34 * r), stick, sides=10, rows=6), 0, 0.9 * b.h)


def scrub_brush(b: Bench) -> None:
    """A toilet brush in its pot: pot, rim, handle, a glimpse of bristles."""
    r = min(b.w, b.d) / 2
    pot = b.mat.ceramic() if b.chance(0.6) else b.mat.metal()
    handle = b.mat.chrome() if b.chance(0.4) else b.mat.plastic((0.93, 0.93, 0.92))
    b.add(
        "pot",
        lathe(
            [(0.85 * r, 0), (r, 0.05 * b.h), (0.95 * r, 0.3 * b.h), (0.7 * r, 0.42 * b.h), (0.6 * r, 0.4 * b.h)], pot
        ),
    )
    b.add(
        "bristles",
        ellipsoid((1.1 * r, 0.24 * b.h, 1.1 * r), b.mat.towelling((0.85, 0.86, 0.88)), sides=12, rows=6),
        0,
        0.26 * b.h,
    )
    b.add("stem", cylinder(0.09 * r, 0.5 * b.h, handle, sides=8), 0, 0.42 * b.h)
    b.add("collar", cylinder(0.35 * r, 0.03 * b.h, handle, sides=12), 0, 0.5 * b.h)
    b.add(
        "grip",
        lathe([(0.1 * r, 0), (0.18 * r, 0.1 * b.h), (0.16 * r, 0.2 * b.h), (0.08 * r, 0.23 * b.h)], handle, sides=10),
        0,
        0.77 * b.h,
    )


def soap_bar(b: Bench) -> None:
    """A worn bar with a stamped field, on a thin dish."""
    soap = b.mat.plastic(b.mat.color("pastel"))
    b.add("bar", rounded_box((b.w * 0.94, b.h * 0.86, b.d * 0.96), soap, radius=0.4 * b.h, segments=2), 0, 0.12 * b.h)
    b.add(
        "stamp",
        ellipsoid((0.5 * b.w, 0.06 * b.h, 0.5 * b.d), b.mat.plastic(b.mat.jittered(soap.tint, 0.12)), sides=12, rows=4),
        0,
        0.95 * b.h,
    )
    loop = superellipse(b.w / 2, b.d / 2, power=3, points=18)
    b.add("dish", loft([(0, loop * 0.7), (0.2 * b.h, loop), (0.22 * b.h, loop * 0.9)], b.mat.ceramic()))


def toilet_paper(b: Bench) -> None:
    """A roll with its cardboard core, standing; the loose end hangs."""
    r = min(b.w, b.d) / 2
    paper = b.mat.paper()
    roll = [(0.34 * r, 0), (0.97 * r, 0), (r, 0.02 * b.h), (r, 0.98 * b.h), (0.97 * r, b.h), (0.34 * r, b.h)]
    b.add("roll", lathe(roll, paper, sides=22, closed=False))
    core = [(0.30 * r, b.h * 0.99), (0.30 * r, 0.01 * b.h)]
    b.add("core inside", lathe(core, b.mat.cardboard(), sides=14, closed=False))
    b.add("core", lathe([(0.34 * r, 0.005 * b.h), (0.34 * r, 0.995 * b.h)], b.mat.cardboard(), sides=14, closed=True))
    b.block(
        "loose end", (0.02 * r, 0.98 * b.h, 0.9 * r), b.mat.paper((0.88, 0.87, 0.84)), (r * 0.95, 0.01 * b.h, -0.4 * r)
    )


def toilet_paper_hanger(b: Bench) -> None:
    """A wall plate, arms, and a bar, sometimes a cover flap."""
    metal = b.mat.fitting()
    along_x = b.w >= b.d
    wide = b.w if along_x else b.d
    deep = b.d if along_x else b.w
    turn = 0.0 if along_x else 90.0
    t = min(0.018, 0.2 * min(wide, b.h, deep))
    b.add(
        "wall plate",
        rounded_box((0.9 * wide, 0.5 * b.h, t), metal, radius=0.2 * t),
        *_spun(0, 0.4 * b.h, -deep / 2 + t / 2, turn),
        y_deg=turn,
    )
    for k, sign in enumerate((-1, 1), start=1):
        arm = box((t, t * 1.4, deep * 0.9), metal)
        b.add(f"arm {k}", arm, *_spun(sign * (wide / 2 - t / 2), 0.45 * b.h, 0, turn), y_deg=turn)
    bar = tube([(-wide * 0.48, 0, 0), (wide * 0.48, 0, 0)], 0.6 * t, b.mat.wood() if b.chance(0.3) else b.mat.chrome())
    b.add("bar", bar, *_spun(0, 0.5 * b.h, deep / 2 - 0.8 * t, turn), y_deg=turn)
    b.add(
        "cover",
        rounded_box((wide * 0.86, 0.1 * b.h, deep * 0.8), metal, radius=0.04 * b.h),
        *_spun(0, 0.9 * b.h, -0.05 * deep, turn),
        y_deg=turn,
    )
    b.add("lower lip", box((wide * 0.2, 0.45 * b.h, t * 0.5), metal), *_spun(0, 0, -deep / 2 + t / 4, turn), y_deg=turn)


def _spun(x: float, y: float, z: float, turn_deg: float) -> tuple[float, float, float]:
    return (z, y, -x) if turn_deg else (x, y, z)


def towel(b: Bench) -> None:
    """Cloth over a bar, hanging in front and behind, with woven stripes near the hem."""
    color = b.mat.color(b.pick(["pastel", "accent", "furnishing"]))
    cloth, stripe = b.mat.towelling(color), b.mat.fabric(b.mat.jittered((0.88, 0.86, 0.80)))
    r = b.d / 2
    wave = b.uniform(0, 6)

    def drop(low: float, high: float, out: float):  # type: ignore[no-untyped-def]
        def surface(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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
    "Bathtub": bathtub,
    "BathtubBasin": bathtub_basin,
    "Toilet": toilet,
    "ShowerCurtain": shower_curtain,
    "ShowerDoor": hung(shower_door),
    "ShowerGlass": hung(shower_glass),
    "ShowerHead": shower_head,
    "Plunger": plunger,
    "ScrubBrush": scrub_brush,
    "SoapBar": soap_bar,
    "ToiletPaper": toilet_paper,
    "ToiletPaperHanger": toilet_paper_hanger,
    "Towel": towel,
    "HandTowel": towel,
    "TowelHolder": hung(towel_holder),
    "HandTowelHolder": hung(towel_holder),
}
