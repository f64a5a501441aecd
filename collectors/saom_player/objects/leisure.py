"""Sport and pocket things: bats, balls, rackets, dumbbells, keys, cards."""

import numpy as np

from saom_player.objects.orient import standing
from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes.mesh import Material
from saom_player.shapes.primitives import box, cylinder, ellipsoid, lathe, panel, ring, rotated, rounded_box, tube


def baseball_bat(b: Bench) -> None:
    """Barrel with a print, handle with tape, knob; along the longest side."""
    r, length = 0.5, max(b.w, b.h, b.d)
    wood = b.mat.wood() if b.chance(0.7) else b.mat.metal(b.mat.color())
    grip = b.mat.leather((0.12, 0.11, 0.11)) if b.chance(0.6) else b.mat.fabric(b.mat.color())
    thick = sorted((b.w, b.h, b.d))[1]
    r = thick / 2
    barrel = [
        (0.36 * r, 0.28),
        (0.42 * r, 0.4),
        (0.75 * r, 0.62),
        (r, 0.78),
        (r, 0.96),
        (0.8 * r, 0.99),
        (0.3 * r, 1.0),
    ]
    pieces = [
        ("barrel", [(x, y * length) for x, y in barrel], wood),
        ("grip", [(0.4 * r, 0.02 * length), (0.39 * r, 0.28 * length)], grip),
        ("knob", [(0.5 * r, 0), (0.68 * r, 0.01 * length), (0.42 * r, 0.03 * length)], wood),
        ("print band", [(0.86 * r, 0.68 * length), (1.01 * r, 0.78 * length)], b.mat.paint(b.mat.color())),
        ("tape end", [(0.43 * r, 0.27 * length), (0.43 * r, 0.29 * length)], b.mat.rubber((0.7, 0.68, 0.62))),
    ]
    turn = {"x_deg": 90.0} if b.d == length else {"z_deg": 90.0} if b.w == length else {}
    for name, profile, material in pieces:
        b.add(name, lathe(profile, material, sides=16), **turn)


def basket_ball(b: Bench) -> None:
    """An orange ball with black seams."""
    r = min(b.w, b.h, b.d) / 2
    b.add("ball", ellipsoid((b.w, b.h, b.d), b.mat.leather((0.80, 0.38, 0.16)), sides=24, rows=14))
    seam = b.mat.rubber()
    t = 0.035 * r
    b.add("seam 1", ring(r, t, seam, sides=28, bar_sides=4), 0, r, 0)
    b.add("seam 2", ring(r, t, seam, sides=28, bar_sides=4), 0, r, 0, x_deg=90)
    turn = np.linspace(0, 2 * np.pi, 30, endpoint=False)
    for k, sign in enumerate((1, -1), start=3):
        x = sign * r * (0.55 + 0.25 * np.cos(2 * turn))
        out = np.sqrt(np.maximum(r**2 - x**2, 0))
        path = np.stack([x, r + out * np.cos(turn), out * np.sin(turn)], axis=1)
        b.add(f"seam {k}", tube(path, t / 2, seam, sides=4, closed=True))


def tennis_racket(b: Bench) -> None:
    """Head, strings, throat, grip and butt."""
    long, thin, w = b.h, b.d, b.w
    rim, wrap = b.mat.plastic(), b.mat.leather((0.14, 0.13, 0.13))
    half_y, cy = 0.26 * long, 0.74 * long
    t = min(0.45 * thin, 0.04 * w)
    turn = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    head = np.stack([(w / 2 - t) * np.cos(turn), cy + (half_y - t) * np.sin(turn), 0 * turn], axis=1)
    b.add("head", tube(head, t, rim, sides=6, closed=True))
    string = b.mat.plastic((0.88, 0.88, 0.70))
    for k, share in enumerate(np.linspace(-0.8, 0.8, 7), start=1):
        reach = float(np.sqrt(1 - share**2))
        b.block(
            f"string {k}", (0.004, 2 * half_y * reach, 0.002), string, (share * (w / 2 - t), cy - half_y * reach, 0)
        )
        b.block(f"cross string {k}", (w * reach, 0.004, 0.002), string, (0, cy + share * half_y, 0))
    for side, sign in (("left", 1), ("right", -1)):
        path = [(sign * 0.28 * w, cy - 0.82 * half_y, 0), (0.02 * sign, 0.34 * long, 0)]
        b.add(f"{side} throat", tube(path, t * 0.9, rim, sides=6))
    b.block("grip", (0.13 * w, 0.33 * long, thin * 0.8), wrap, (0, 0.01 * long, 0), radius=0.02 * w)
    b.block("butt", (0.15 * w, 0.025 * long, thin), b.mat.rubber((0.8, 0.8, 0.78)), radius=0.01 * w)


def dumbbell(b: Bench) -> None:
    """A bar with two weights along the longest horizontal side."""
    along_x = b.w > b.d
    length, r = (b.w, min(b.h, b.d) / 2) if along_x else (b.d, min(b.h, b.w) / 2)
    turn = {"z_deg": 90.0} if along_x else {"x_deg": 90.0}
    iron, color = b.mat.iron(), b.mat.rubber(b.mat.color())

    def add(name: str, radius: float, low: float, high: float, material: Material) -> None:
        mesh = cylinder(radius, (high - low) * length, material, sides=12, bevel=0.06 * r)
        place = ((0.5 - low) * length, r, 0.0) if along_x else (0.0, r, (low - 0.5) * length)
        b.add(name, mesh, *place, **turn)

    add("bar", 0.22 * r, 0.03, 0.97, b.mat.chrome())
    for k, (low, high) in enumerate([(0.0, 0.16), (0.84, 1.0)], start=1):
        add(f"weight {k}", r, low, high, color)
    for k, (low, high) in enumerate([(0.16, 0.28), (0.72, 0.84)], start=1):
        add(f"inner weight {k}", 0.8 * r, low, high, iron)


def key_chain(b: Bench) -> None:
    """A ring with two keys and a fob."""
    metal, r = b.mat.chrome(), 0.26 * min(b.w, b.d)
    t = 0.3 * b.h
    b.add("ring", ring(r, t, metal, sides=18, bar_sides=5), 0.5 * b.w - r, 0.5 * b.h)
    for k, tilt in enumerate((14.0, -16.0), start=1):
        steel = metal if k == 1 else b.mat.brass()
        x0, angle = 0.5 * b.w - 1.9 * r, np.radians(tilt)
        bow = cylinder(0.8 * r, 0.35 * b.h, steel, sides=14)
        b.add(f"key {k} bow", bow, x0 - 0.5 * r, 0.3 * b.h * k, 1.1 * r * np.sin(angle) * 3)
        blade = box((0.55 * b.w, 0.3 * b.h, 0.3 * r), steel)
        b.add(
            f"key {k} blade",
            blade,
            x0 - 0.5 * r - 0.27 * b.w,
            0.3 * b.h * k,
            3.3 * r * np.sin(angle) + 0.25 * b.w * np.sin(angle),
            y_deg=tilt,
        )
    fob = b.mat.leather() if b.chance(0.5) else b.mat.plastic()
    b.add("fob", rounded_box((1.6 * r, b.h, 1.1 * r), fob, radius=0.3 * b.h), 0.5 * b.w - r, 0, 0.5 * b.d - 0.6 * r)


def credit_card(b: Bench) -> None:
    """A card with a chip, a print and a stripe."""
    b.add("card", rounded_box((b.w, 0.8 * b.h, b.d), b.mat.plastic(), radius=0.2 * b.h))
    b.add(
        "print",
        rotated(panel(0.98 * b.w, 0.97 * b.d, b.mat.motif(b.pick(["label", "picture"]))), x_deg=-90),
        0,
        0.82 * b.h,
        0.485 * b.d,
    )
    b.add("chip", box((0.14 * b.w, 0.15 * b.h, 0.17 * b.d), b.mat.brass()), 0.28 * b.w, 0.83 * b.h, -0.03 * b.d)
    b.add("stripe", box((b.w, 0.1 * b.h, 0.18 * b.d), b.mat.iron()), 0, -0.05 * b.h, -0.25 * b.d)


def ball(b: Bench) -> None:
    """A toy ball of two colours."""
    b.add("ball", ellipsoid((b.w, b.h, b.d), b.mat.plastic(), sides=20, rows=12))
    b.add("belt", lathe([(0.51 * b.w, 0.44 * b.h), (0.51 * b.w, 0.56 * b.h)], b.mat.plastic(), sides=20))


BUILDERS: dict[str, Builder] = {
    "BaseballBat": baseball_bat,
    "BasketBall": basket_ball,
    "TennisRacket": standing(tennis_racket),
    "Dumbbell": dumbbell,
    "KeyChain": key_chain,
    "CreditCard": credit_card,
    "Ball": ball,
}
