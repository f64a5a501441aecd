"""Decoration: statues, vases, plants, paintings, mirrors, centre pieces."""

import numpy as np

from saom_player.mesh import Material
from saom_player.objects.orient import hung
from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes import (
    box,
    cylinder,
    ellipsoid,
    frame,
    lathe,
    loft,
    panel,
    ring,
    rounded_box,
    scaled,
    sheet,
    superellipse,
    tube,
)  # fmt: skip


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


def vase(b: Bench) -> None:
    """A turned vessel, hollow at the mouth, with a painted band; sometimes with flowers."""
    glaze = b.mat.ceramic(b.pick([b.mat.color(), b.mat.color("pastel"), b.mat.color("furnishing")]))
    body = b.mat.glass(b.mat.color("pastel")) if b.chance(0.2) else glaze
    flowers = b.h > 0.16 and b.h > 1.1 * b.w and b.chance(0.45)
    h = 0.58 * b.h if flowers else b.h
    slender = b.uniform(0.6, 1.0) if flowers else 1.0
    shapes: list[list[tuple[float, float]]] = [
        [(0.45, 0), (0.7, 0.12), (1.0, 0.42), (0.8, 0.7), (0.42, 0.86), (0.5, 1)],
        [(0.6, 0), (0.75, 0.3), (0.95, 0.72), (1.0, 0.85), (0.7, 0.97), (0.66, 1)],
        [(0.7, 0), (1.0, 0.2), (0.98, 0.35), (0.5, 0.62), (0.35, 0.8), (0.55, 1)],
        [(0.5, 0), (0.62, 0.3), (0.78, 0.65), (1.0, 1)],
    ]  # fmt: skip
    outline = b.pick(shapes)
    half = (b.w / 2 * slender, h, b.d / 2 * slender)
    fine = [(float(np.interp(t, *_curve(outline))), float(t)) for t in np.linspace(0, 1, 11)]
    mouth = fine[-1][0]
    b.add("body", scaled(lathe([(0, 0), *fine, (mouth - 0.06, 1)], body, sides=22, closed=False), half))
    inside = [(mouth - 0.06, 1), (mouth * 0.75, 0.85), (0, 0.8)]
    b.add("inside", scaled(lathe(inside, b.mat.plastic((0.12, 0.11, 0.10)), sides=22, closed=False), half))
    low = b.uniform(0.2, 0.55)
    band = [(r + 0.012, t) for r, t in fine if low <= t <= low + 0.22]
    b.add("band", scaled(lathe(band, b.mat.ceramic(b.mat.color()), sides=22, closed=False), half))
    if flowers:
        _bouquet(b, h * 0.9, b.h, 0.48 * min(b.w, b.d))


def _curve(outline: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [y for _, y in outline], [r for r, _ in outline]


def _bouquet(b: Bench, low: float, high: float, spread: float) -> None:
    leaf, petal = b.mat.leaf(), b.mat.fabric(b.mat.color())
    heart = b.mat.food((0.85, 0.68, 0.20))
    for k in range(b.count(4, 6)):
        angle, out = 2.4 * k + b.uniform(0, 0.6), spread * b.uniform(0.35, 0.8)
        tip = (out * np.cos(angle), high - b.uniform(0.04, 0.3) * (high - low), out * np.sin(angle))
        b.add(
            f"stem {k + 1}",
            tube(
                [(0, low - 0.1 * low, 0), (tip[0] * 0.4, (low + tip[1]) / 2, tip[2] * 0.4), tip],
                0.04 * spread,
                leaf,
                sides=4,
            ),
        )
        size = 0.5 * spread
        b.add(
            f"flower {k + 1}",
            ellipsoid((size, 0.4 * size, size), petal, sides=8, rows=4),
            tip[0],
            tip[1] - 0.2 * size,
            tip[2],
        )
        b.add(
            f"heart {k + 1}",
            ellipsoid((0.4 * size, 0.3 * size, 0.4 * size), heart, sides=6, rows=3),
            tip[0],
            tip[1] + 0.1 * size,
            tip[2],
        )


def house_plant(b: Bench) -> None:
    """A pot with earth and a palm, a bush or a succulent."""
    pot_h = min(0.4 * b.h, 0.7 * min(b.w, b.d))
    r = min(0.36 * min(b.w, b.d), 0.6 * pot_h)
    pot = b.pick([b.mat.ceramic(b.mat.color()), b.mat.stone(), b.mat.plastic((0.62, 0.35, 0.24)), b.mat.wicker()])
    profile = [
        (0.72 * r, 0),
        (0.95 * r, 0.85 * pot_h),
        (1.05 * r, 0.86 * pot_h),
        (1.05 * r, pot_h),
        (0.93 * r, pot_h),
        (0.9 * r, 0.85 * pot_h),
    ]
    b.add("pot", lathe(profile, pot, sides=20, closed=False))
    b.add("pot bottom", cylinder(0.72 * r, 0.02 * pot_h, pot, sides=20))
    b.add("soil", cylinder(0.92 * r, 0.02 * pot_h, b.mat.soil(), sides=20), 0, 0.86 * pot_h)
    leaf = b.mat.leaf()
    stem = b.mat.wood(0.6) if b.chance(0.5) else leaf
    rise = b.h - pot_h
    bushy = b.chance(0.45)
    if bushy:
        b.add("trunk", tube([(0, 0.8 * pot_h, 0), (0.03 * b.w, pot_h + 0.5 * rise, 0)], 0.09 * r, stem, sides=6))
    leaves = b.count(9, 14)
    for k in range(leaves):
        angle = 2.4 * k
        high = b.uniform(0.45, 1.0) if k else 1.0
        reach = (1.15 - 0.7 * high) * 0.5
        start = pot_h + (rise * 0.45 * high if bushy else -0.1 * pot_h)
        _leaf(b, f"leaf {k + 1}", leaf, angle, reach, start, pot_h + rise * high, wide=b.uniform(0.5, 0.9))


def _leaf(
    b: Bench, name: str, material: Material, angle: float, reach: float, low: float, high: float, wide: float
) -> None:
    """One blade that climbs from ``low`` and bends outwards to its tip at ``reach`` (share of the box) and ``high``."""
    out = np.array([np.cos(angle) * b.w, np.sin(angle) * b.d]) * reach
    side = np.array([-np.sin(angle), np.cos(angle)]) * 0.22 * wide * min(b.w, b.d) * 0.8

    def surface(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        along = 0.08 + 0.92 * v
        breadth = (u - 0.5) * 2 * np.sin(np.pi * np.clip(along, 0, 1) ** 0.8) ** 0.9
        y = low + (high - low) * (1.55 * along - 0.55 * along**2.6)
        x = out[0] * along**1.4 + side[0] * breadth
        return x, y - 0.03 * b.h * np.abs(breadth), out[1] * along**1.4 + side[1] * breadth

    b.add(name, sheet(surface, 2, 5, material, thickness=0.0015, picture=True))


def painting(b: Bench) -> None:
    """Frame, mat, canvas; the picture is on the back too, for walls on either side."""
    bar = (
        b.mat.wood()
        if b.chance(0.6)
        else b.mat.paint(b.pick([(0.08, 0.08, 0.08), (0.92, 0.91, 0.88), (0.70, 0.58, 0.32)]))
    )
    border = min(b.uniform(0.025, 0.06), 0.12 * min(b.w, b.h))
    b.add("frame", frame(b.w, b.h, border, b.d, bar))
    mat_w, mat_h = b.w - 2 * border, b.h - 2 * border
    b.block("mat", (mat_w, mat_h, 0.5 * b.d), b.mat.paper((0.92, 0.91, 0.87)), (0, border, 0))
    share = b.pick([1.0, 0.8, 0.7])
    size = (mat_w * share, mat_h * share)
    picture = b.mat.motif("picture")
    y = border + mat_h * (1 - share) / 2
    b.add("canvas", panel(*size, picture), 0, y, 0.26 * b.d + 0.0005)
    b.add("back canvas", panel(*size, picture), 0, y, -0.26 * b.d - 0.0005, y_deg=180)


def poster(b: Bench) -> None:
    """A printed sheet with a white border and tape at its corners."""
    b.block("sheet", (b.w, b.h, 0.4 * b.d), b.mat.paper((0.90, 0.89, 0.86)))
    b.add(
        "print",
        panel(0.92 * b.w, 0.94 * b.h, b.mat.motif(b.pick(["picture", "cover"]))),
        0,
        0.03 * b.h,
        0.21 * b.d + 0.0005,
    )
    tape = box((0.08 * b.w, 0.03 * b.h, b.d), b.mat.paper((0.85, 0.80, 0.60)))
    b.add_each("tape", tape, [(sx * 0.44 * b.w, y * b.h, 0.0) for sx in (-1, 1) for y in (0.0, 0.97)])


def mirror(b: Bench) -> None:
    """A looking glass in a frame, rectangular or oval, with a back board."""
    bar = b.mat.wood() if b.chance(0.5) else b.mat.fitting()
    z = 0.2 * b.d
    if b.chance(0.3) and b.h > 0.8 * b.w:
        loop = superellipse(0.5 * b.w, 0.5 * b.h, power=2, points=32)
        t = min(0.05 * min(b.w, b.h), 0.5 * b.d)
        rim = np.stack(
            [loop[:, 0] * (1 - 2 * t / b.w), loop[:, 1] * (1 - 2 * t / b.h) + b.h / 2, 0 * loop[:, 0]], axis=1
        )
        b.add("frame", tube(rim, t, bar, sides=6, closed=True))
        inner = loop * (1 - 2 * t / min(b.w, b.h))
        glass = loft([(0, inner), (0.2 * b.d, inner)], b.mat.mirror())
        b.add("glass", glass, 0, b.h / 2, 0, x_deg=90)
        b.add("back", loft([(0, inner), (0.1 * b.d, inner)], b.mat.wood()), 0, b.h / 2, -0.12 * b.d, x_deg=90)
        return
    border = min(0.05, 0.1 * min(b.w, b.h))
    b.add("frame", frame(b.w, b.h, border, b.d, bar))
    b.block("glass", (b.w - 2 * border, b.h - 2 * border, 0.1 * b.d), b.mat.mirror(), (0, border, z))
    b.block("back", (b.w - 2 * border, b.h - 2 * border, 0.1 * b.d), b.mat.wood(), (0, border, -z))


def table_top_decor(b: Bench) -> None:
    """A bowl of balls."""
    half = (b.w / 2, 0.7 * b.h, b.d / 2)
    profile = [(0, 0), (0.5, 0), (0.9, 0.5), (1, 1), (0.95, 1), (0.8, 0.5), (0, 0.3)]
    b.add("dish", scaled(lathe(profile, b.mat.ceramic(b.mat.color()), sides=24, closed=False), half))
    size = 0.7 * b.h
    for k in range(5):
        angle = 1.257 * k
        ball = ellipsoid((size, size, size), b.pick([b.mat.wicker(), b.mat.wood(), b.mat.brass()]), sides=10, rows=6)
        b.add(f"ball {k + 1}", ball, 0.22 * b.w * np.cos(angle), 0.3 * b.h, 0.22 * b.d * np.sin(angle))


def room_decor(b: Bench) -> None:
    """A tall floor vase with dry branches, or a standing screen of slats."""
    r = 0.3 * min(b.w, b.d)
    tall = 0.45 * b.h
    body = b.mat.ceramic(b.mat.color("furnishing"))
    b.add(
        "floor vase",
        lathe([(0.6 * r, 0), (r, 0.4 * tall), (0.9 * r, 0.7 * tall), (0.5 * r, 0.95 * tall), (0.6 * r, tall)], body),
    )
    b.add("ring", ring(0.55 * r, 0.1 * r, b.mat.brass()), 0, 0.96 * tall)
    for k in range(7):
        angle = 0.9 * k
        path = [(0, 0.9 * tall, 0), (0.2 * b.w * np.cos(angle), 0.75 * b.h, 0.2 * b.d * np.sin(angle)),
                (0.46 * b.w * np.cos(angle), b.h * b.uniform(0.88, 1.0), 0.46 * b.d * np.sin(angle))]  # fmt: skip
        b.add(f"branch {k + 1}", tube(path, [0.012, 0.009, 0.004], b.mat.wood(0.6), sides=5))
        plume = ellipsoid((0.05, 0.14 * b.h, 0.05), b.mat.towelling((0.80, 0.72, 0.58)), sides=7, rows=5)
        b.add(f"plume {k + 1}", plume, path[2][0], path[2][1] - 0.1 * b.h, path[2][2])


def gift(b: Bench) -> None:
    """A wrapped present with a ribbon and a bow."""
    wrap, ribbon = b.mat.motif("label"), b.mat.fabric(b.mat.color())
    b.add("package", rounded_box((b.w * 0.98, 0.85 * b.h, b.d * 0.98), wrap, radius=0.005))
    b.block("ribbon", (0.1 * b.w, 0.86 * b.h, b.d), ribbon)
    b.block("ribbon across", (b.w, 0.86 * b.h, 0.1 * b.d), ribbon)
    b.add("bow", ring(0.12 * b.w, 0.06 * b.w, ribbon, sides=12), 0, 0.9 * b.h, 0, x_deg=60)


BUILDERS: dict[str, Builder] = {
    "Statue": statue,
    "Vase": vase,
    "HousePlant": house_plant,
    "Painting": hung(painting),
    "Poster": hung(poster),
    "Mirror": hung(mirror),
    "TableTopDecor": table_top_decor,
    "RoomDecor": room_decor,
    "Gift": gift,
}
