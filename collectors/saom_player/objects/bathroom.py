"""The bathroom: tub, toilet, plunger, brush, soap, toilet paper and its hanger."""

from saom_player.materials import WHITE
from saom_player.objects.kitchen import bowl
from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes import Floats, box, cylinder, ellipsoid, lathe, loft, ring, rounded_box, superellipse, tube


def bathtub(b: Bench) -> None:
    """A hollow tub with a rim; a built-in one has a skirt, a free one feet; a tap at one end."""
    enamel = b.mat.ceramic(b.mat.jittered(WHITE, 0.03))
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
    bowl(
        b,
        "basin",
        (b.w / 2, b.d / 2),
        b.h,
        b.h,
        b.mat.ceramic(b.mat.jittered(WHITE, 0.04)),
        rim=0.02 * min(b.w, b.d),
        power=4.0,
    )


def toilet(b: Bench) -> None:
    """Bowl, seat, lid up or down, cistern with its lid and button, hinges."""
    china = b.mat.ceramic(b.mat.jittered(WHITE, 0.03))
    plastic = b.mat.wood() if b.chance(0.2) else b.mat.plastic((0.95, 0.95, 0.94))
    chrome = b.mat.chrome()
    tank = 0.24 * b.d
    rim, cz = 0.48 * b.h, tank * 0.5
    half_w, half_d = 0.44 * b.w, (b.d - tank) / 2

    def at(share_w: float, share_d: float, z: float = 0.0) -> Floats:
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
    b.boxed_open = b.chance(0.45) if b.order.boxed_open is None else b.boxed_open
    hinge = (0.0, rim + thick, back + 0.02 * b.d)
    if b.boxed_open:
        with b.moving(hinge, turn_deg=(86.0, 0, 0)):
            b.add("lid", lid, 0, rim + thick + half_d * 0.96, back + 0.02 * b.d, x_deg=-86)
    else:
        with b.moving(hinge, turn_deg=(-94.0, 0, 0)):
            b.add("lid", lid, 0, rim + thick, cz)
    cistern = rounded_box((0.92 * b.w, 0.94 * b.h - rim, tank * 0.9), china, radius=0.025, segments=2)
    b.add("cistern", cistern, 0, rim, -b.d / 2 + tank / 2)
    b.block("cistern lid", (b.w, 0.05 * b.h, tank), china, (0, 0.94 * b.h, -b.d / 2 + tank / 2), radius=0.012)
    b.block("stem", (0.4 * b.w, rim, tank * 1.2), china, (0, 0, -b.d / 2 + tank * 0.8), radius=0.03)
    b.add("button", cylinder(0.05 * b.w, 0.012 * b.h, chrome, sides=14), 0, 0.988 * b.h, -b.d / 2 + tank / 2)
    b.add_each(
        "hinge", cylinder(0.014, thick * 1.2, chrome, sides=8), [(s * 0.15 * b.w, rim, back + 0.02) for s in (-1, 1)]
    )


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


BUILDERS: dict[str, Builder] = {
    "Bathtub": bathtub,
    "BathtubBasin": bathtub_basin,
    "Toilet": toilet,
    "Plunger": plunger,
    "ScrubBrush": scrub_brush,
    "SoapBar": soap_bar,
    "ToiletPaper": toilet_paper,
    "ToiletPaperHanger": toilet_paper_hanger,
}
