"""Statues: a figure, a bust, a horse, an abstract loop, each on a plinth of another material."""

import numpy as np

from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes.mesh import Material
from saom_player.shapes.primitives import cylinder, ellipsoid, lathe, loft, superellipse, tube


def statue(b: Bench) -> None:
    """A standing figure, a bust, a horse or an abstract loop, on a plinth of another stone."""
    body = b.pick([b.mat.stone(), b.mat.brass(), b.mat.ceramic(), b.mat.iron(), b.mat.wood(0.6)])
    plinth = 0.12 * b.h
    base = b.mat.marble() if b.chance(0.5) else b.mat.wood(0.7)
    b.block("plinth", (0.8 * b.w, plinth, 0.9 * b.d), base, radius=0.005)
    b.block("plinth foot", (0.95 * b.w, 0.35 * plinth, b.d), base, radius=0.004)
    wide = b.w > 0.9 * b.h
    makers = [_horse] if wide else [_figure, _bust, _figure, _loop]
    b.pick(makers)(b, body, plinth)


def _figure(b: Bench, body: Material, y: float) -> None:
    h, w = b.h - y, b.w
    robe = superellipse(0.36 * w, 0.4 * b.d, power=2.2, points=16)
    levels = [(0, 1.0), (0.2, 0.8), (0.42, 0.55), (0.52, 0.45), (0.66, 0.75), (0.72, 0.7), (0.76, 0.25)]
    b.add("robe", loft([(y + s * h, robe * r) for s, r in levels], body))
    b.add("neck", cylinder(0.07 * w, 0.08 * h, body, sides=10), 0, y + 0.75 * h)
    b.add("head", ellipsoid((0.25 * w, 0.17 * h, 0.32 * b.d), body, sides=12, rows=8), 0, y + 0.8 * h)
    b.add(
        "hair",
        ellipsoid((0.28 * w, 0.12 * h, 0.36 * b.d), b.mat.stone(), sides=12, rows=6),
        0,
        y + 0.88 * h,
        -0.04 * b.d,
    )
    raised = b.chance(0.5)
    for side, sign in (("left", 1), ("right", -1)):
        up = raised and sign > 0
        elbow = (sign * 0.46 * w, y + (0.66 if up else 0.55) * h, 0.05 * b.d)
        hand = (sign * 0.42 * w, y + (0.95 if up else 0.45) * h, 0.3 * b.d)
        path = [(sign * 0.22 * w, y + 0.7 * h, 0), elbow, hand]
        b.add(f"{side} arm", tube(path, [0.08 * w, 0.065 * w, 0.045 * w], body, sides=8))


def _bust(b: Bench, body: Material, y: float) -> None:
    h, w, d = b.h - y, b.w, b.d
    chest = superellipse(0.5 * w, 0.42 * d, power=2.4, points=18)
    b.add("socle", lathe([(0.28 * w, 0), (0.14 * w, 0.06 * h), (0.2 * w, 0.16 * h)], body), 0, y)
    levels = [(0.14, 0.45), (0.3, 0.95), (0.4, 1.0), (0.47, 0.6), (0.52, 0.3)]
    b.add("chest", loft([(y + s * h, chest * r) for s, r in levels], body))
    b.add("neck", cylinder(0.14 * w, 0.2 * h, body, sides=12), 0, y + 0.45 * h)
    b.add("head", ellipsoid((0.4 * w, 0.38 * h, 0.62 * d), body, sides=14, rows=10), 0, y + 0.58 * h, 0.04 * d)
    b.add("hair", ellipsoid((0.46 * w, 0.28 * h, 0.66 * d), body, sides=12, rows=7), 0, y + 0.73 * h, -0.06 * d)
    b.add("nose", ellipsoid((0.07 * w, 0.1 * h, 0.12 * d), body, sides=8, rows=5), 0, y + 0.7 * h, 0.35 * d)


def _horse(b: Bench, body: Material, y: float) -> None:
    h, w, d = b.h - y, b.w, b.d
    b.add("trunk", ellipsoid((0.62 * w, 0.32 * h, 0.55 * d), body, sides=14, rows=8), -0.03 * w, y + 0.38 * h)
    for k, (x, z, bend) in enumerate(
        [(0.2, 0.15, 0.06), (0.24, -0.15, -0.02), (-0.24, 0.15, -0.05), (-0.2, -0.15, 0.03)], start=1
    ):
        path = [(x * w, y + 0.5 * h, z * d), ((x + bend) * w, y + 0.25 * h, z * d), (x * w, y, z * d)]
        b.add(f"leg {k}", tube(path, [0.07 * w, 0.04 * w, 0.035 * w], body, sides=7))
    b.add("neck", tube([(0.2 * w, y + 0.52 * h, 0), (0.36 * w, y + 0.85 * h, 0)], [0.12 * w, 0.07 * w], body, sides=9))
    b.add("head", ellipsoid((0.3 * w, 0.15 * h, 0.28 * d), body, sides=10, rows=6), 0.4 * w, y + 0.8 * h, 0, z_deg=-30)
    b.add("mane", tube([(0.14 * w, y + 0.62 * h, 0), (0.31 * w, y + 0.96 * h, 0)], 0.035 * w, b.mat.iron(), sides=6))
    tail = [(-0.31 * w, y + 0.55 * h, 0), (-0.45 * w, y + 0.4 * h, 0), (-0.46 * w, y + 0.1 * h, 0)]
    b.add("tail", tube(tail, [0.03 * w, 0.05 * w, 0.02 * w], b.mat.iron(), sides=6))


def _loop(b: Bench, body: Material, y: float) -> None:
    h = b.h - y
    turn = np.linspace(0, 2 * np.pi, 26, endpoint=False)
    knot = np.stack(
        [0.36 * b.w * np.sin(turn), y + h * (0.56 - 0.36 * np.cos(turn)), 0.3 * b.d * np.sin(2 * turn)], axis=1
    )
    b.add("loop", tube(knot, 0.11 * min(b.w, b.d), body, sides=9, closed=True))
    b.add("post", cylinder(0.05 * b.w, 0.2 * h, b.mat.chrome(), sides=8), 0, y)
    b.add("ball", ellipsoid((0.3 * b.w, 0.3 * b.w, 0.3 * b.w), b.mat.brass()), 0, y + 0.45 * h)


BUILDERS: dict[str, Builder] = {
    "Statue": statue,
}
