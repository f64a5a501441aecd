"""Household machines: fridge, microwave, coffee machine, toaster, kettle, vacuum cleaner."""

from contextlib import AbstractContextManager

import numpy as np

from saom_player.objects.workbench import Bench, Builder
from saom_player.scene import Vector
from saom_player.shapes.mesh import Material
from saom_player.shapes.primitives import (
    box,
    cylinder,
    ellipsoid,
    frame,
    lathe,
    loft,
    panel,
    rounded_box,
    superellipse,
    tube,
)

_DOOR_DEG = 100.0


def fridge(b: Bench) -> None:
    """A body with a freezer door above or below, or two doors side by side; handles, hinges, feet, a grille."""
    white = b.mat.paint((0.90, 0.90, 0.89))
    shell = b.pick([b.mat.metal(), white, b.mat.paint((0.13, 0.13, 0.14)), white])
    bar = b.mat.chrome() if b.chance(0.6) else b.mat.iron()
    depth, door, foot = b.d - 0.12, 0.065, min(0.05, 0.04 * b.h)
    body = b.mat.paint(b.mat.jittered((0.55, 0.55, 0.56))) if b.chance(0.4) else shell
    z = -b.d / 2 + depth / 2
    if b.travel:
        _fridge_inside(b, body, foot, depth)
    else:
        b.block("body", (b.w, b.h - foot, depth), body, (0, foot, z), radius=0.012)
    b.block("base grille", (b.w * 0.94, foot * 1.4, 0.03), b.mat.iron(), (0, 0, -b.d / 2 + depth - 0.02))
    face = -b.d / 2 + depth
    seal = (b.w * 0.97, b.h - 2.2 * foot, 0.012)
    rubber = b.mat.rubber((0.3, 0.3, 0.3))
    edge = frame(seal[0], seal[1], 0.03, seal[2], rubber) if b.travel else box(seal, rubber)
    b.add("seal", edge, 0, foot * 1.6, face + 0.004)
    low, tall = foot * 1.5, b.h - foot * 1.5
    if b.w > 0.85 and b.chance(0.7):
        panes = [("left door", b.w * 0.25, low, b.w / 2, tall, -1), ("right door", -b.w * 0.25, low, b.w / 2, tall, 1)]
    else:
        share, hand = b.pick([0.3, 0.68]), b.pick([-1, 1])
        names = ("lower door", "freezer door") if share > 0.5 else ("freezer door", "upper door")
        panes = [
            (names[0], 0.0, low, b.w, tall * share, hand),
            (names[1], 0.0, low + tall * share, b.w, tall * (1 - share), hand),
        ]
    for name, x, y, width, height, hand in panes:
        mesh = rounded_box((width - 0.006, height - 0.008, door), shell, radius=0.014, segments=2)
        grip_x, middle, half = x + hand * (width / 2 - 0.05), y + height / 2, min(0.35, 0.32 * height)
        front = face + 0.014 + door
        bow = [(-half, 0.0), (-half, 0.04), (half, 0.04), (half, 0.0)]
        path = [(grip_x, middle + y, front + z) for y, z in bow]
        with _swinging(b, x, width, hand, face + 0.014):
            b.add(name, mesh, x, y, face + 0.014 + door / 2)
            b.add(f"{name} handle", tube(path, 0.011, bar, sides=6))
            if b.travel:
                _door_bins(b, name, (x, y, face + 0.014), (width, height))
    if b.chance(0.5):
        for k in range(b.count(1, 3)):
            note = panel(0.09, 0.12, b.mat.motif(b.pick(["picture", "cover", "label"])))
            place = (b.uniform(-0.25, 0.25) * b.w, b.uniform(0.6, 0.78) * b.h, face + 0.0155 + door)
            _, x, _, width, _, hand = next((p for p in panes if _is_on(p, place)), panes[0])
            with _swinging(b, x, width, hand, face + 0.014):
                b.add(f"magnet note {k + 1}", note, *place, z_deg=b.uniform(-8, 8))


def _is_on(pane: tuple[str, float, float, float, float, int], place: Vector) -> bool:
    _, x, y, width, height, _ = pane
    return abs(place[0] - x) <= width / 2 and y <= place[1] <= y + height


def _swinging(b: Bench, x: float, width: float, hand: int, z: float) -> AbstractContextManager[None]:
    """A door whose handle is at the side ``hand`` (-1 or 1), about the hinge on its other side."""
    return b.moving((x - hand * width / 2, 0.0, z), turn_deg=(0.0, -hand * _DOOR_DEG, 0.0))


def _door_bins(b: Bench, name: str, at: Vector, size: tuple[float, float]) -> None:
    """What the inner side of a fridge's door has: a liner, and bins while there is height for them."""
    (x, y, z), (width, height) = at, size
    white = b.mat.plastic((0.93, 0.93, 0.92))
    b.block(f"{name} liner", (width * 0.86, height * 0.9, 0.02), white, (x, y + 0.05 * height, z - 0.01), radius=0.008)
    for k in range(min(3, int(height / 0.3))):
        rise = y + (0.12 + 0.3 * k / max(height, 0.3)) * height
        b.add(f"{name} bin {k + 1}", box((width * 0.76, 0.07, 0.06), white), x, rise, z - 0.045)


def _fridge_inside(b: Bench, body: Material, foot: float, depth: float) -> None:
    """A fridge's body as its open doors show it: hollow, white, with shelves and a pair of drawers."""
    white, wall = b.mat.plastic((0.92, 0.93, 0.94)), min(0.05, 0.1 * b.w)
    height, z = b.h - foot, -b.d / 2 + depth / 2
    b.hollow("body", (b.w, height, depth), wall, body, white, (0, foot, z))
    width, deep = b.w - 2 * wall, depth - wall
    glass = b.mat.glass((0.66, 0.76, 0.78))
    for k, y in enumerate(b.shelves(foot + wall, b.h - wall, 0.34), start=1):
        b.block(f"shelf {k}", (width, 0.008, deep * 0.86), glass, (0, y - 0.008, z + wall / 2 - 0.07 * deep))
    if not any(low < foot + wall + 0.2 for low, _ in b.order.contents):
        for k, sign in enumerate((-1, 1), start=1):
            at = (sign * width / 4, foot + wall, z + wall / 2 - 0.06 * deep)
            b.block(f"crisper {k}", (0.47 * width, min(0.18, 0.15 * height), 0.8 * deep), glass, at, radius=0.01)


def microwave(b: Bench) -> None:
    """A casing, a door with a dark window, a handle, a keypad with a display, feet."""
    shell = b.pick([b.mat.metal(), b.mat.paint((0.88, 0.88, 0.87)), b.mat.plastic((0.10, 0.10, 0.11))])
    dark, foot = b.mat.glass((0.07, 0.075, 0.08)), 0.03 * b.h
    z, side = b.d * 0.42, 0.23 * b.w
    wide, tall = b.w - side, b.h * 0.9
    x, y = side / 2, foot + 0.03 * b.h
    if b.travel:
        _microwave_inside(b, shell, foot, side)
    else:
        b.block("casing", (b.w, b.h - foot, b.d * 0.92), shell, (0, foot, -0.04 * b.d), radius=0.01)
    door = shell if b.chance(0.5) else dark
    pane = dark if not b.order.on else b.mat.glow((0.85, 0.62, 0.30), 0.5)
    path = np.array([(0, 0, 0), (0, 0.02, 0.04), (0, 0.98, 0.04), (0, 1, 0)]) * [1, tall * 0.7, 0.7 * b.d / 0.6]
    with _swinging(b, x, wide, -1, z):
        b.block("door", (wide, tall, 0.04 * b.d), door, (x, y, z + 0.02 * b.d), radius=0.006)
        window = rounded_box((wide * 0.76, tall * 0.68, 0.01), pane, radius=0.004)
        b.add("window", window, x, y + 0.16 * tall, z + 0.04 * b.d)
        b.add("handle", tube(path, 0.008, b.mat.chrome(), sides=6), x - wide * 0.45, y + 0.15 * tall, z + 0.04 * b.d)
    b.block("control panel", (side * 0.92, tall, 0.03 * b.d), b.mat.plastic((0.12, 0.12, 0.13)),
            (-b.w / 2 + side / 2, y, z + 0.015 * b.d))  # fmt: skip
    keys = panel(side * 0.72, tall * 0.86, b.mat.motif("buttons"))
    b.add("keypad", keys, -b.w / 2 + side / 2, y + 0.07 * tall, z + 0.032 * b.d)
    b.legs(b.mat.rubber(), foot + 0.003, 0.05, 0.03, round_=True)


def _microwave_inside(b: Bench, shell: Material, foot: float, side: float) -> None:
    """A microwave's casing as its open door shows it: the oven, its plate, and the closed part behind the keypad."""
    wall, depth = 0.05 * b.h, b.d * 0.92
    grey = b.mat.paint((0.62, 0.62, 0.63))
    x = side / 2
    b.hollow("casing", (b.w - side, b.h - foot, depth), wall, shell, grey, (x, foot, -0.04 * b.d))
    b.block("casing", (side, b.h - foot, depth), shell, ((side - b.w) / 2, foot, -0.04 * b.d))
    radius = 0.4 * min(b.w - side - 2 * wall, depth - wall)
    b.add("plate", cylinder(radius, 0.03 * b.h, b.mat.glass(), sides=20), x, foot + 1.2 * wall, -0.02 * b.d)


def coffee_machine(b: Bench) -> None:
    """A tower with a water tank, an overhanging head, a pot on a hot plate, buttons."""
    shell = b.mat.plastic(b.pick([(0.09, 0.09, 0.10), (0.75, 0.74, 0.72), b.mat.color()]))
    metal, foot = b.mat.metal(), 0.09 * b.h
    b.block("base", (b.w * 0.9, foot, b.d), shell, radius=0.012)
    b.block("tower", (b.w * 0.9, b.h * 0.8, b.d * 0.4), shell, (0, foot, -0.3 * b.d), radius=0.015)
    b.block("head", (b.w * 0.9, 0.26 * b.h, b.d * 0.86), shell, (0, 0.72 * b.h, -0.07 * b.d), radius=0.02)
    b.block("lid", (b.w * 0.8, 0.03 * b.h, b.d * 0.6), metal, (0, 0.97 * b.h, -0.1 * b.d), radius=0.006)
    tank = b.mat.glass((0.45, 0.55, 0.60))
    b.block("water tank", (b.w * 0.14, 0.5 * b.h, 0.3 * b.d), tank, (0.43 * b.w, 0.2 * b.h, -0.28 * b.d), radius=0.01)
    b.add("hot plate", cylinder(0.3 * min(b.w, b.d), 0.02 * b.h, metal, sides=18), 0, foot, 0.15 * b.d)
    r = 0.27 * min(b.w, b.d)
    y = foot + 0.02 * b.h
    tall = 0.7 * b.h - y
    pot = lathe(
        [(0.8 * r, 0), (r, 0.3 * tall), (0.9 * r, 0.65 * tall), (0.6 * r, 0.8 * tall)], b.mat.glass((0.35, 0.28, 0.24))
    )
    b.add("pot", pot, 0, y, 0.15 * b.d)
    b.add("pot lid", cylinder(0.62 * r, 0.08 * tall, shell, sides=16), 0, y + 0.8 * tall, 0.15 * b.d)
    grip = [(0, 0.75, 0.6), (0, 0.72, 1.55), (0, 0.25, 1.45), (0, 0.2, 0.95)]
    path = np.array(grip) * [1, tall, r]
    b.add("pot handle", tube(path, 0.1 * r, shell, sides=6), 0, y, 0.15 * b.d)
    b.add("display", panel(0.3 * b.w, 0.12 * b.h, b.screen(0.5)), 0.1 * b.w, 0.8 * b.h, 0.362 * b.d)
    b.add("button", cylinder(0.03 * b.w, 0.01, b.mat.chrome(), sides=10), -0.25 * b.w, 0.86 * b.h, 0.36 * b.d, x_deg=90)


def toaster(b: Bench) -> None:
    """A rounded shell with two slots, levers and a dial; its long side along the box's longer axis."""
    shell = b.mat.metal() if b.chance(0.5) else b.mat.plastic()
    dark, long_z = b.mat.plastic((0.07, 0.07, 0.075)), b.d > b.w
    w, d = (b.d, b.w) if long_z else (b.w, b.d)
    turn = 90.0 if long_z else 0.0
    b.add("base", box((w * 0.96, 0.1 * b.h, d * 0.94), dark), y_deg=turn)
    body = rounded_box((w * 0.94, 0.88 * b.h, d), shell, radius=0.25 * d, segments=3)
    b.add("shell", body, 0, 0.07 * b.h, y_deg=turn)
    for k, sign in enumerate((-1, 1), start=1):
        slot = box((w * 0.62, 0.012 * b.h, 0.14 * d), dark)
        x, z = (sign * 0.17 * d, 0.0) if long_z else (0.0, sign * 0.17 * d)
        b.add(f"slot {k}", slot, x, 0.945 * b.h, z, y_deg=turn)
    end = -w * 0.47 if long_z else w * 0.47
    at = (0.0, 0.0, -end) if long_z else (end, 0.0, 0.0)
    b.add("lever slot", box((0.02 * w, 0.45 * b.h, 0.06 * d), dark), at[0], 0.35 * b.h, at[2], y_deg=turn)
    lever = rounded_box((0.08 * w, 0.09 * b.h, 0.3 * d), dark, radius=0.008)
    b.add("lever", lever, at[0] * 1.04, 0.62 * b.h, at[2] * 1.04, y_deg=turn)
    dial = ellipsoid((0.05 * w, 0.15 * b.h, 0.15 * b.h), b.mat.chrome(), sides=10, rows=6)
    b.add("dial", dial, at[0], 0.18 * b.h, at[2], y_deg=turn)


def kettle(b: Bench) -> None:
    """A bellied pot with lid, knob, spout and a bow handle."""
    body = b.mat.chrome() if b.chance(0.5) else b.mat.ceramic(b.mat.color())
    black = b.mat.plastic((0.08, 0.08, 0.08))
    r, tall = 0.42 * min(b.w, b.d), 0.66 * b.h
    profile = [(0.85 * r, 0), (r, 0.12 * tall), (0.95 * r, 0.5 * tall), (0.6 * r, 0.9 * tall), (0.5 * r, 0.95 * tall)]
    b.add("body", lathe(profile, body, sides=22))
    with b.moving((-0.5 * r, 0.95 * tall, 0), turn_deg=(0, 0, 80)):
        b.add("lid", lathe([(0.52 * r, 0.94 * tall), (0.4 * r, 1.02 * tall), (0.1 * r, 1.06 * tall)], body, sides=18))
        b.add("lid knob", ellipsoid((0.2 * r, 0.14 * tall, 0.2 * r), black, sides=10, rows=5), 0, 1.03 * tall)
    if b.travel:
        b.add("water", cylinder(0.46 * r, 0.01 * tall, b.mat.glass((0.16, 0.2, 0.22)), sides=18), 0, 0.945 * tall)
    spout = [(0, 0.35 * tall, 0.8 * r), (0, 0.6 * tall, 1.15 * r), (0, 0.95 * tall, 1.35 * r)]
    b.add("spout", tube(spout, [0.24 * r, 0.16 * r, 0.11 * r], body, sides=10))
    turn = np.linspace(0, np.pi, 9)
    bow = np.stack([0 * turn, 0.72 * tall + (b.h - 0.76 * tall) * np.sin(turn), 0.85 * r * np.cos(turn)], axis=1)
    with b.moving((0, 0.72 * tall, 0), turn_deg=(0, 0, -50)):
        b.add("handle", tube(bow, 0.07 * r, black, sides=8))


def vacuum_cleaner(b: Bench) -> None:
    """An upright one: head, motor block, bag, tube and grip."""
    shell, dark = b.mat.plastic(), b.mat.plastic((0.12, 0.12, 0.13))
    b.block("head", (b.w, 0.09 * b.h, 0.5 * b.d), dark, (0, 0, 0.25 * b.d), radius=0.02)
    b.add("motor", rounded_box((0.6 * b.w, 0.16 * b.h, 0.5 * b.d), shell, radius=0.05, segments=2), 0, 0.06 * b.h)
    loop = superellipse(0.26 * b.w, 0.2 * b.d, points=18)
    bag = loft(
        [(0.18 * b.h, loop * 0.8), (0.3 * b.h, loop), (0.62 * b.h, loop), (0.72 * b.h, loop * 0.5)], b.mat.fabric()
    )
    b.add("bag", bag, 0, 0, -0.08 * b.d)
    b.add("tube", tube([(0, 0.2 * b.h, -0.25 * b.d), (0, 0.9 * b.h, -0.36 * b.d)], 0.018, b.mat.chrome()))
    grip = [(0, 0.86 * b.h, -0.35 * b.d), (0, 0.97 * b.h, -0.42 * b.d), (0, b.h, -0.3 * b.d)]
    b.add("grip", tube(grip, 0.024, dark))
    b.add(
        "wheels",
        cylinder(0.05 * b.h, 0.5 * b.w, b.mat.rubber(), sides=14),
        0.25 * b.w,
        0.05 * b.h,
        -0.2 * b.d,
        z_deg=90,
    )
    b.add("bumper", frame(0.62 * b.w, 0.1 * b.h, 0.02, 0.02, dark), 0, 0.1 * b.h, 0.26 * b.d)


BUILDERS: dict[str, Builder] = {
    "Fridge": fridge,
    "Microwave": microwave,
    "CoffeeMachine": coffee_machine,
    "Toaster": toaster,
    "Kettle": kettle,
    "VacuumCleaner": vacuum_cleaner,
}
