"""The bathroom: tub, toilet, and what toilet paper hangs on."""

from saom_player.objects.kitchen import bowl, hollowed, levels, upstand
from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes.primitives import Floats, box, cylinder, ellipsoid, lathe, loft, rounded_box, superellipse, tube
from saom_player.surfaces.materials import WHITE


def bathtub(b: Bench) -> None:
    """A hollow tub with a rim; a built-in one has a skirt, a free one feet; a tap at one end."""
    enamel = b.mat.ceramic(b.mat.jittered(WHITE, 0.03))
    power = b.pick([3.0, 6.0])
    built_in = b.chance(0.6)
    foot = 0.0 if built_in else 0.1 * b.h
    floor, rim = levels(b, b.order.hollow) if b.order.hollow else (0.0, b.h)
    if built_in:
        skirt = b.mat.ceramic() if b.chance(0.5) else b.mat.paint(b.mat.color("cabinetry"))
        wall = 0.04 * min(b.w, b.d)
        x, z = b.w / 2 - wall / 2, b.d / 2 - wall / 2
        b.add_each("skirt", box((b.w, 0.93 * rim, wall), skirt), [(0, 0, z), (0, 0, -z)])
        b.add_each("end skirt", box((wall, 0.93 * rim, b.d), skirt), [(x, 0, 0), (-x, 0, 0)])
        power = 7.0
    if b.order.hollow:
        hollowed(b, "tub", b.order.hollow, floor, rim, enamel, power, body=True)
        upstand(b, rim, enamel)
    else:
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
    power, skirted, lever = b.pick([2.1, 2.3, 3.2]), b.chance(0.35), b.chance(0.35)
    half_w, half_d = 0.44 * b.w, (b.d - tank) / 2

    def at(share_w: float, share_d: float, z: float = 0.0) -> Floats:
        return superellipse(half_w * share_w, half_d * share_d, power=power, points=26, center=(0, cz + z * b.d))

    # A pedestal, or a skirt straight down to the floor.
    foot = [(0, at(0.84, 0.9, -0.02)), (0.5, at(0.86, 0.92, -0.02)), (0.8, at(0.96, 0.97))] if skirted else [
        (0, at(0.6, 0.8, -0.04)), (0.06, at(0.58, 0.8, -0.04)), (0.35, at(0.6, 0.75, -0.02)), (0.75, at(0.9, 0.95)),
    ]  # fmt: skip
    outer = [*foot, (0.95, at(1, 1)), (1.0, at(1, 1)), (1.0, at(0.8, 0.84)), (0.85, at(0.7, 0.74)), (0.5, at(0.3, 0.4))]
    b.add("bowl", loft([(y * rim, loop) for y, loop in outer], china))
    b.add("water", cylinder(0.3 * half_w, 0.004, b.mat.glass((0.55, 0.66, 0.70)), sides=14), 0, 0.52 * rim, cz)
    seat = [(0, at(0.7, 0.74)), (0, at(1.03, 1.03)), (0.6, at(1.03, 1.03)), (1, at(0.97, 0.98)), (1, at(0.76, 0.8)),
            (0, at(0.7, 0.74))]  # fmt: skip
    thick = 0.03 * b.h
    b.add("seat", loft([(rim + y * thick, loop) for y, loop in seat], plastic, bottom=False, top=False))
    flat = superellipse(half_w, half_d * 0.98, power=power, points=26)
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
    if lever:
        face = -b.d / 2 + 0.95 * tank
        b.add("lever", tube([(0.36 * b.w, 0.86 * b.h, face), (0.24 * b.w, 0.85 * b.h, face)], 0.008, chrome, sides=6))
    else:
        b.add("button", cylinder(0.05 * b.w, 0.012 * b.h, chrome, sides=14), 0, 0.988 * b.h, -b.d / 2 + tank / 2)
    b.add_each(
        "hinge", cylinder(0.014, thick * 1.2, chrome, sides=8), [(s * 0.15 * b.w, rim, back + 0.02) for s in (-1, 1)]
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
    "ToiletPaperHanger": toilet_paper_hanger,
}
