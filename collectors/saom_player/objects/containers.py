"""Containers: boxes, bins, hampers, safes, bags; and the soft things that lie about."""

import numpy as np

from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes.mesh import Material
from saom_player.shapes.primitives import (
    Floats,
    box,
    cylinder,
    frame,
    lathe,
    loft,
    merged,
    moved,
    panel,
    ring,
    rounded_box,
    sheet,
    superellipse,
    tube,
)


def cardboard_box(b: Bench) -> None:
    """A carton: closed with tape, or open with flaps that hang out; seen inside."""
    board, tape = b.mat.cardboard(), b.mat.paper((0.80, 0.70, 0.50))
    opened = b.boxed_open or (b.order.boxed_open is None and b.chance(0.6))
    wall = min(0.006, 0.05 * min(b.w, b.d))
    flap = 0.22 * b.d if opened else 0.0
    w, d = b.w - (1.2 * flap if opened else 0), b.d - 1.2 * flap
    h = b.h * (0.85 if opened else 0.995)
    b.block("bottom", (w, wall, d), board)
    b.add_each("side", box((wall, h, d), board), [(s * (w - wall) / 2, 0.0, 0.0) for s in (-1, 1)])
    b.add_each("end", box((w - 2 * wall, h, wall), board), [(0.0, 0.0, s * (d - wall) / 2) for s in (-1, 1)])
    print_ = panel(w * 0.4, h * 0.35, b.mat.motif("label"))
    b.add("print", print_, w * 0.1, h * 0.25, d / 2 + 0.001)
    b.boxed_open = opened
    if not opened:
        with b.moving((0, h, -d / 2), turn_deg=(-130.0, 0, 0)):
            b.block("lid", (w, wall, d), board, (0, h - wall, 0))
            b.block("tape", (w * 1.002, 0.001, min(0.05, 0.3 * d)), tape, (0, h, 0))
        b.add("tape end", panel(0.05, 0.25 * h, tape), 0, h * 0.75, d / 2 + 0.0012)
        return
    for k, (sx, sz) in enumerate([(1, 0), (-1, 0), (0, 1), (0, -1)], start=1):
        size = (wall, flap * 1.4, d) if sx else (w, flap * 1.4, wall)
        lean = b.uniform(30, 65)
        place, over = (sx * w / 2, h, sz * d / 2), lean + 90.0
        # Closed, two flaps meet in the middle, and the other two lie below them.
        longer = (w if sx else d * 0.7) / 2 / (flap * 1.4)
        tilt, closing = (sz * lean, 0.0, -sx * lean), (-sz * (over + 1.0), 0.0, sx * over)
        with b.moving(place, turn_deg=closing, scale=(1.0, longer, 1.0), lean_deg=tilt):
            b.add(f"flap {k}", box(size, board), *place, z_deg=tilt[2], x_deg=tilt[0])


def garbage_can(b: Bench) -> None:
    """A bin: round or square, tapered, with a rim, a bag or a lid with a pedal."""
    color = b.pick([(0.16, 0.17, 0.18), (0.80, 0.80, 0.79), b.mat.color("furnishing"), (0.30, 0.33, 0.36)])
    body = b.mat.metal() if b.chance(0.3) else b.mat.plastic(color)
    power = b.pick([2.0, 6.0])
    loop = superellipse(b.w / 2, b.d / 2, power=power, points=24)
    lidded = b.chance(0.5)
    rim = 0.82 * b.h if lidded else b.h
    b.add("body", loft([(0, loop * 0.78), (0.02 * b.h, loop * 0.8), (rim, loop * 0.96)], body, top=False))
    dark = b.mat.plastic((0.09, 0.09, 0.10))
    if lidded:
        sections = [(rim, loop * 0.99), (rim + 0.05 * b.h, loop), (0.95 * b.h, loop * 0.85), (b.h, loop * 0.45)]
        b.add("lid", loft(sections, dark if b.chance(0.6) else body))
        b.block("pedal", (0.2 * b.w, 0.03 * b.h, 0.1 * b.d), dark, (0, 0.02 * b.h, 0.44 * b.d), radius=0.005)
        return
    b.add("rim", tube(np.insert(loop * 0.97, 1, rim - 0.01, axis=1), 0.012, body, sides=6, closed=True))
    bag = b.mat.plastic((0.92, 0.92, 0.93) if b.chance(0.5) else (0.07, 0.07, 0.08))
    inside = [(rim * 0.86, loop * 1.0), (rim, loop * 0.985), (rim * 0.97, loop * 0.9), (rim * 0.45, loop * 0.8)]
    b.add("bag", loft(inside, bag, bottom=False))
    b.add("trash", rounded_box((0.5 * b.w, 0.18 * b.h, 0.5 * b.d), b.mat.paper(), radius=0.05, puff=0.02), 0, 0.4 * rim,
          y_deg=25)  # fmt: skip


def laundry_hamper(b: Bench) -> None:
    """A wicker or slatted basket with cloth inside, handles, sometimes a lid."""
    loop = superellipse(b.w / 2, b.d / 2, power=b.pick([2.2, 5.0]), points=24)
    weave = b.mat.wicker() if b.chance(0.65) else b.mat.fabric()
    linen, dark = b.mat.towelling((0.90, 0.88, 0.83)), b.mat.leather()
    lid = b.chance(0.45) or b.order.boxed_open is not None
    rim = 0.9 * b.h if lid else 0.93 * b.h
    b.add("basket", loft([(0, loop * 0.84), (0.4 * b.h, loop * 0.92), (rim, loop * 0.96)], weave, top=False))
    b.add(
        "lining", loft([(rim * 0.86, loop * 0.975), (rim, loop * 0.985), (rim * 0.9, loop * 0.88)], linen, bottom=False)
    )
    for k, sign in enumerate((-1, 1), start=1):
        turn = np.linspace(0, np.pi, 7)
        path = np.stack(
            [0 * turn + sign * 0.47 * b.w, rim * (0.7 - 0.12 * np.sin(turn)), 0.12 * b.d * np.cos(turn)], axis=1
        )
        b.add(f"handle {k}", tube(path, 0.012, dark, sides=6))
    if lid:
        with b.moving((0, rim, -b.d / 2), turn_deg=(-105.0, 0, 0)):
            b.add("lid", loft([(rim, loop), (rim + 0.03 * b.h, loop), (b.h, loop * 0.7)], weave))
        if not b.travel:
            return
    for k in range(3):
        cloth = b.mat.towelling(b.mat.color("pastel"))
        heap = rounded_box((0.5 * b.w, 0.2 * b.h, 0.45 * b.d), cloth, radius=0.06, puff=0.03)
        b.add(
            f"laundry {k + 1}",
            heap,
            (k - 1) * 0.16 * b.w,
            (0.66 if lid else 0.78) * b.h,
            b.uniform(-0.1, 0.1) * b.d,
            y_deg=b.uniform(0, 90),
        )


def safe(b: Bench) -> None:
    """A steel box: thick door with a dial or keypad and a handle wheel, hinges, feet."""
    steel = b.mat.paint(b.pick([(0.22, 0.24, 0.26), (0.35, 0.36, 0.36), (0.20, 0.27, 0.24)]))
    bright, door = b.mat.chrome(), 0.06 * b.d
    foot = 0.04 * b.h
    if b.travel:
        grey = b.mat.rubber((0.24, 0.25, 0.28))
        b.hollow("body", (b.w, b.h - foot, b.d * 0.9), 0.07 * b.w, steel, grey, (0, foot, -0.05 * b.d))
        b.block("shelf", (0.86 * b.w, 0.012, 0.7 * b.d), steel, (0, foot + 0.5 * b.h, -0.08 * b.d))
    else:
        b.block("body", (b.w, b.h - foot, b.d * 0.9), steel, (0, foot, -0.05 * b.d), radius=0.012)
    z = b.d * 0.4
    with b.moving((-0.44 * b.w, 0, z + 0.4 * door), turn_deg=(0, -105.0, 0)):
        _safe_door(b, steel, foot, z, door)
    b.add(
        "door frame",
        frame(b.w * 0.9, (b.h - foot) * 0.9, 0.03 * b.w, door * 0.4, bright),
        0,
        foot + 0.05 * b.h,
        z + door * 0.2,
    )
    b.add_each(
        "hinge", cylinder(0.012, 0.1 * b.h, bright, sides=8), [(-0.44 * b.w, y * b.h, z + door) for y in (0.2, 0.7)]
    )
    b.legs(b.mat.rubber(), foot + 0.004, 0.1 * b.w, 0.1 * b.w)


def _safe_door(b: Bench, steel: Material, foot: float, z: float, door: float) -> None:
    bright = b.mat.chrome()
    b.block("door", (b.w * 0.84, (b.h - foot) * 0.84, door), steel, (0, foot + 0.08 * b.h, z + door / 2), radius=0.01)
    face = z + door
    wheel = 0.11 * min(b.w, b.h)
    b.add("wheel", ring(wheel, wheel * 0.2, bright), 0.16 * b.w, 0.52 * b.h, face + 0.02, x_deg=90)
    spokes = [moved(box((wheel * 2, wheel * 0.15, wheel * 0.15), bright), 0, -wheel * 0.07)]
    spokes.append(moved(box((wheel * 0.15, wheel * 2, wheel * 0.15), bright), 0, -wheel))
    b.add("spokes", merged(spokes), 0.16 * b.w, 0.52 * b.h, face + 0.02)
    if b.chance(0.5):
        b.add("keypad", panel(0.2 * b.w, 0.3 * b.h, b.mat.motif("buttons")), -0.2 * b.w, 0.4 * b.h, face + 0.002)
    else:
        b.add("dial", lathe([(wheel * 0.8, 0), (wheel * 0.7, 0.02), (wheel * 0.3, 0.03)], b.mat.iron()), -0.2 * b.w,
              0.52 * b.h, face, x_deg=90)  # fmt: skip


def garbage_bag(b: Bench) -> None:
    """A tied black sack."""
    sack, tie = b.mat.plastic((0.07, 0.07, 0.08)), b.mat.plastic((0.75, 0.2, 0.15))
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    wobble = (1 + 0.06 * np.sin(angle * 5 + b.uniform(0, 6)) + 0.04 * np.sin(angle * 9))[:, None]
    loop = superellipse(b.w / 2, b.d / 2, power=2, points=24)
    levels = [(0.0, 0.7), (0.1, 0.95), (0.35, 1.0), (0.6, 0.8), (0.76, 0.35), (0.82, 0.1)]
    b.add("sack", loft([(y * b.h, loop * wobble * s) for y, s in levels], sack, crease_deg=30))
    b.add("tie", ring(0.06 * b.w, 0.03 * b.w, tie, sides=10), 0, 0.82 * b.h)
    b.add("knot", loft([(0.8 * b.h, loop * 0.1), (b.h, loop * wobble * 0.28)], sack))


def dog_bed(b: Bench) -> None:
    """A low cushion with a raised rim."""
    loop = superellipse(b.w / 2, b.d / 2, power=3, points=24)
    rim = min(0.45 * b.h, 0.12 * min(b.w, b.d))
    b.add("rim", tube(np.insert(loop * (1 - 2 * rim / b.w), 1, b.h - rim, axis=1), rim, b.mat.fabric(), closed=True))
    soft = b.mat.towelling((0.85, 0.80, 0.72))
    b.add("cushion", loft([(0, loop * 0.9), (0.45 * b.h, loop * 0.9), (0.6 * b.h, loop * 0.6)], soft))


def basket_cloth(b: Bench) -> None:
    """A crumpled cloth with a hem."""
    cloth, hem = b.mat.towelling(), b.mat.fabric(b.mat.color())
    phase = b.uniform(0, 6)

    def surface(u: Floats, v: Floats) -> tuple[Floats, Floats, Floats]:
        y = b.h * (0.5 + 0.25 * np.sin(7 * u + phase) + 0.25 * np.sin(6 * v + 3 * u))
        return (u - 0.5) * b.w, y, (0.5 - v) * b.d

    b.add("cloth", sheet(surface, 10, 8, cloth, thickness=0.004))
    edge = np.linspace(0, 1, 11)
    x, y, z = surface(edge, np.full(11, 0.06))
    b.add("hem", tube(np.stack([x, y + 0.002, z], axis=1), 0.004, hem, sides=5))


BUILDERS: dict[str, Builder] = {
    "Box": cardboard_box,
    "GarbageCan": garbage_can,
    "GarbageBag": garbage_bag,
    "LaundryHamper": laundry_hamper,
    "Safe": safe,
    "DogBed": dog_bed,
    "Cloth": basket_cloth,
}
