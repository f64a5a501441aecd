"""Kitchen fittings: sinks, basins, taps, stove burners and knobs."""

import numpy as np

from saom_player.objects.workbench import Bench, Block, Builder
from saom_player.shapes.mesh import Material
from saom_player.shapes.primitives import (
    Floats,
    box,
    cylinder,
    disc,
    ellipsoid,
    frame,
    lathe,
    loft,
    moved,
    rotated,
    rounded_box,
    superellipse,
    tube,
)


def bowl(
    b: Bench, name: str, half: tuple[float, float], top: float, depth: float, material: Material, *, rim: float,
    power: float, x: float = 0.0,
) -> None:  # fmt: skip
    """A hollow bowl with thick walls about (x, 0): outer ``half`` sizes, its upper edge at ``top``; and its drain."""

    def at(share: float, less: float) -> Floats:
        return superellipse(
            max(half[0] * share - less, 1e-3), max(half[1] * share - less, 1e-3), power=power, points=28
        )

    sections = [
        (top - depth, at(0.72, 0)), (top - 0.85 * depth, at(0.82, 0)), (top - 0.12 * depth, at(0.96, 0)),
        (top - 0.06 * depth, at(1, 0)), (top, at(1, 0.1 * rim)), (top, at(1, rim)), (top - 0.3 * depth, at(0.97, rim)),
        (top - 0.84 * depth, at(0.86, rim)), (top - 0.93 * depth, at(0.66, rim)), (top - 0.95 * depth, at(0.12, 0)),
    ]  # fmt: skip
    b.add(name, loft(sections, material, crease_deg=55), x)
    r = min(0.022, 0.12 * min(half))
    drain = lathe([(r, 0), (r, 0.003), (r * 0.7, 0.004), (r * 0.6, 0.001)], b.mat.chrome(), sides=12)
    b.add(f"{name} drain", drain, x, top - 0.945 * depth)


def hollowed(
    b: Bench, name: str, hollow: Block, floor: float, rim: float, material: Material, power: float, body: bool
) -> None:
    """A deck that fills the bench at a height ``rim``, with a bowl let into it down to ``floor``, where a basin is.

    With ``body`` it stands on the floor of the bench, else the bowl hangs from the deck.
    """
    (x0, _, z0), (x1, _, z1) = hollow
    x0, x1 = max(x0, 0.02 - b.w / 2), min(x1, b.w / 2 - 0.02)
    z0, z1 = max(z0, 0.02 - b.d / 2), min(z1, b.d / 2 - 0.02)
    middle, half = ((x0 + x1) / 2, (z0 + z1) / 2), ((x1 - x0) / 2, (z1 - z0) / 2)
    deep, lip = rim - floor, min(0.03, 0.25 * (rim - floor))

    def inner(share: float, more: float = 0.0) -> Floats:
        size = (share * half[0] + more, share * half[1] + more)
        return superellipse(max(size[0], 1e-3), max(size[1], 1e-3), power=power, points=36, center=middle)

    def outer(share: float) -> Floats:
        return superellipse(share * b.w / 2, share * b.d / 2, power=max(power, 5.0 if body else 14.0), points=36)

    below = [(0.0, outer(0.86)), (0.5 * (rim - lip), outer(0.95))] if body else [
        (max(floor - 0.015, 0.0), inner(0.85)), (floor + 0.2 * deep, inner(1.0, 0.012)), (rim - lip, inner(1.0, 0.012)),
    ]  # fmt: skip
    sections = [
        *below, (rim - lip, outer(0.985)), (rim - 0.3 * lip, outer(1.0)), (rim, outer(0.985)), (rim, inner(1.0, 0.004)),
        (rim - 0.1 * deep, inner(1.0)), (floor + 0.12 * deep, inner(0.96)), (floor + 0.01 * deep, inner(0.86)),
        (floor, inner(0.1)),
    ]  # fmt: skip
    b.add(name, loft(sections, material, crease_deg=55))
    r = min(0.022, 0.12 * min(half))
    drain = lathe([(r, 0), (r, 0.003), (r * 0.7, 0.004), (r * 0.6, 0.001)], b.mat.chrome(), sides=12)
    b.add(f"{name} drain", drain, middle[0], floor, middle[1])


def upstand(b: Bench, rim: float, material: Material) -> None:
    """What rises above a deck to the top of the bench: a ledge along a side where nothing lies."""
    thin = 0.021  # a hair more than worktops leave behind a bowl: faces in one plane would mix their ids
    sides = [((b.w, b.h - rim + 0.01, thin), (0.0, s * (b.d - thin) / 2)) for s in (-1, 1)]
    sides += [((thin, b.h - rim + 0.01, b.d), (s * (b.w - thin) / 2, 0.0)) for s in (-1, 1)]
    for (w, h, d), (x, z) in sides:
        if b.h - rim > thin / 2 and not b.holds_within((x - w / 2, rim, z - d / 2), (x + w / 2, b.h, z + d / 2)):
            b.block("upstand", (w, h, d), material, (x, rim - 0.01, z), radius=0.004)
            return


def levels(b: Bench, hollow: Block) -> tuple[float, float]:
    """How high the floor of a basin and the rim around it are: things lie on the one and on the other."""
    floor = min(max(hollow[0][1], 0.015), max(0.75 * b.h, b.h - 0.25))
    lying = [low for low, high in b.order.contents if high < b.h + 0.5]  # Curtains hang into tubs.
    floor = min([floor, *(y for y in lying if 0 < y < 0.6 * b.h)])
    rim = min([0.99 * b.h, *(y for y in lying if max(0.75 * b.h, floor + 0.04) < y < b.h)])
    return floor, rim


def _let_in(b: Bench, hollow: Block, material: Material, power: float) -> None:
    """A sink with its bowl where the metadata has its basin."""
    floor, rim = levels(b, hollow)
    hollowed(b, "bowl", hollow, floor, rim, material, power, body=False)
    back = hollow[0][2]
    if back + b.d / 2 > 0.03:
        size = (0.5 * b.w, 0.006, min(0.05, back + b.d / 2 - 0.02))
        b.block("tap ledge", size, material, (0, rim - 0.002, -b.d / 2 + 0.02 + size[2] / 2), radius=0.002)
    upstand(b, rim, material)
    if b.h > 0.5:
        profile = [(0.24, 0.0), (0.22, 0.03 * b.h), (0.14, 0.15 * b.h), (0.12, 0.5 * b.h), (0.16, floor)]
        x, z = ((hollow[0][k] + hollow[1][k]) / 2 for k in (0, 2))
        pedestal = lathe([(r * min(b.w, b.d) * 1.5, y) for r, y in profile], material, sides=20)
        b.add("pedestal", pedestal, 0.5 * x, 0, 0.5 * z)
    else:
        b.block("waste pipe", (0.08 * b.w, max(floor, 0.01), 0.08 * b.d), b.mat.chrome(), (0, 0, 0))


def sink(b: Bench) -> None:
    """A steel or porcelain bowl with a rim; two bowls when wide; a pedestal or cupboard below when tall."""
    steel = b.chance(0.5) and b.h < 0.5
    material = b.mat.metal() if steel else b.mat.ceramic()
    depth = min(b.h * 0.95, 0.2)
    power = b.pick([5.0, 3.0]) if steel else b.pick([2.4, 4.0])
    if b.order.hollow is not None:
        _let_in(b, b.order.hollow, material, power)
        return
    if b.w > 0.75 and steel:
        for k, sign in enumerate((1, -1), start=1):
            half = (b.w * 0.23, b.d * 0.44)
            bowl(b, f"bowl {k}", half, b.h * 0.98, depth, material, rim=0.02, power=power, x=sign * b.w * 0.238)
        deck = frame(b.w, b.d, 0.07 * b.d, 0.02 * b.h, material)
        b.add("deck", deck, 0, b.h * 0.985, b.d / 2, x_deg=-90)
        b.block("divider", (0.03 * b.w, 0.02 * b.h, b.d * 0.9), material, (0, b.h * 0.975, 0))
    else:
        bowl(b, "bowl", (b.w / 2, b.d / 2), b.h, depth, material, rim=0.07 * min(b.w, b.d), power=power)
    back = (0.0, b.h - 0.1 * depth, -0.465 * b.d)
    b.block("tap ledge", (0.5 * b.w, 0.1 * depth, 0.06 * b.d), material, back, radius=0.005)
    if b.h > 0.5:
        profile = [(0.24, 0.0), (0.22, 0.03 * b.h), (0.14, 0.15 * b.h), (0.12, 0.5 * b.h), (0.2, b.h - 0.9 * depth)]
        pedestal = lathe([(r * min(b.w, b.d) * 1.5, y) for r, y in profile], material, sides=20)
        b.add("pedestal", pedestal, 0, 0, -0.08 * b.d)
    else:
        b.block("waste pipe", (0.08 * b.w, b.h - 0.97 * depth, 0.08 * b.d), b.mat.chrome(), (0, 0, 0))


def sink_basin(b: Bench) -> None:
    """The inside of a sink: a shell, its drain and an overflow."""
    material = b.mat.metal() if b.chance(0.5) else b.mat.ceramic()
    bowl(b, "basin", (b.w / 2, b.d / 2), b.h, b.h, material, rim=0.02 * min(b.w, b.d), power=b.pick([2.4, 5.0]))
    hole = disc(min(0.012, 0.1 * b.h), b.mat.iron(), sides=10)
    b.add("overflow", hole, 0, 0.72 * b.h, -0.9 * b.d / 2)


_INTO_BASIN_M = 0.08
"""How far the water of a tap falls below its foot."""


def faucet(b: Bench) -> None:
    """A tap: base, bowed spout, one lever or two handles."""
    metal = b.mat.chrome() if b.chance(0.7) else b.mat.brass() if b.chance(0.4) else b.mat.iron()
    r = min(0.014, 0.12 * min(b.w, b.d, b.h))
    back = -b.d / 2 + 2 * r
    turn = np.linspace(0, np.pi, 9)
    reach = (b.d - 3 * r) / 2
    arch = np.stack([0 * turn, 0.62 * b.h + 0.36 * b.h * np.sin(turn), back + reach * (1 - np.cos(turn))], axis=1)
    path = np.concatenate([[[0, 0, back]], arch, [[0, 0.5 * b.h, back + 2 * reach]]])
    b.add("spout", tube(path, r, metal, sides=10))
    b.add("base", lathe([(2.4 * r, 0), (2.3 * r, 0.05 * b.h), (1.2 * r, 0.1 * b.h)], metal, sides=14), 0, 0, back)
    if b.w > 9 * r or (b.w > 5 * r and b.chance(0.6)):
        plate = box((b.w, 0.03 * b.h, 4 * r), metal)
        b.add("plate", plate, 0, 0, back)
        for k, sign in enumerate((1, -1), start=1):
            x = sign * (b.w / 2 - 2 * r)
            b.add(f"valve {k}", cylinder(1.4 * r, 0.22 * b.h, metal, top_radius=1.0 * r, sides=10), x, 0, back)
            knob = lathe([(1.0 * r, 0), (2 * r, r), (1.8 * r, 2 * r), (0.6 * r, 2.4 * r)], b.mat.ceramic(), sides=10)
            b.add(f"handle {k}", knob, x, 0.22 * b.h, back)
    else:
        lever = [(0, 0.2 * b.h, back), (0.45 * b.w, 0.34 * b.h, back)]
        b.add("lever", tube(lever, 0.7 * r, b.mat.iron(), sides=8))
    if b.order.on:
        tall = 0.5 * b.h + _INTO_BASIN_M
        with b.outside():
            water = cylinder(0.6 * r, tall, b.mat.glass((0.80, 0.88, 0.92)), sides=8)
            b.add("water", water, 0, -_INTO_BASIN_M, back + 2 * reach)


def stove_burner(b: Bench) -> None:
    """A gas ring under a grate, or an electric coil in a drip pan."""
    iron, r = b.mat.iron(), min(b.w, b.d) / 2
    if b.chance(0.5):
        b.add(
            "drip pan",
            lathe([(0.98 * r, 0), (r, 0.4 * b.h), (0.86 * r, 0.3 * b.h), (0.1 * r, 0.05 * b.h)], b.mat.chrome()),
        )
        turn = np.linspace(0, 2 * np.pi * 3.4, 62)
        reach = np.linspace(0.14, 0.82, len(turn)) * r
        coil = np.stack([reach * np.cos(turn), 0 * turn + 0.72 * b.h, reach * np.sin(turn)], axis=1)
        b.add("coil", tube(coil, [min(0.28 * b.h, 0.05 * r)] * len(turn), iron, sides=5))
        b.add("hub", cylinder(0.12 * r, 0.9 * b.h, b.mat.chrome(), sides=10))
        return
    cap = [(0.42 * r, 0), (0.42 * r, 0.35 * b.h), (0.30 * r, 0.5 * b.h)]
    b.add("burner ring", lathe(cap, b.mat.metal((0.6, 0.58, 0.55)), sides=18))
    b.add("burner cap", lathe([(0.3 * r, 0.45 * b.h), (0.29 * r, 0.6 * b.h), (0.1 * r, 0.65 * b.h)], iron, sides=16))
    bar = 0.1 * r
    for k in range(4):
        arm = box((bar, 0.35 * b.h, 0.66 * r), iron)
        angle = np.pi / 2 * k
        place = (0.66 * r * np.sin(angle), 0.65 * b.h, 0.66 * r * np.cos(angle))
        b.add(f"grate arm {k + 1}", rotated(arm, y_deg=90.0 * k), *place)
    square = superellipse(0.96 * b.w / 2, 0.96 * b.d / 2, power=9, points=28)
    b.add("grate rim", tube(np.insert(square, 1, 0.75 * b.h, axis=1), 0.045 * r, iron, sides=5, closed=True))


def stove_knob(b: Bench) -> None:
    """A round knob with a grip across and a mark, its axis along z."""
    r = min(b.w, b.h) / 2
    body = b.mat.plastic((0.10, 0.10, 0.11)) if b.chance(0.6) else b.mat.metal()
    collar = lathe([(r, 0), (r, 0.15 * b.d), (0.85 * r, 0.25 * b.d)], b.mat.chrome(), sides=18)
    b.add("collar", collar, 0, r, -b.d / 2, x_deg=90)
    b.add("skirt", cylinder(0.8 * r, 0.5 * b.d, body, top_radius=0.7 * r, sides=16), 0, r, -b.d * 0.3, x_deg=90)
    grip = moved(rounded_box((0.28 * r, 1.3 * r, 0.3 * b.d), body, radius=0.06 * r), 0, -0.65 * r)
    mark = ellipsoid((0.12 * r, 0.5 * r, 0.05 * b.d), b.mat.paint((0.9, 0.2, 0.15)), sides=6, rows=4)
    turn = 90.0 if b.order.on else 0.0
    b.add("grip", grip, 0, r, 0.33 * b.d, z_deg=turn)
    b.add("mark", moved(mark, 0, 0.05 * r), 0, r, 0.47 * b.d, z_deg=turn)


BUILDERS: dict[str, Builder] = {
    "Sink": sink,
    "SinkBasin": sink_basin,
    "Faucet": faucet,
    "StoveBurner": stove_burner,
    "StoveKnob": stove_knob,
}
