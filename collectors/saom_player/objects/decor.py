"""Decoration: vases, paintings, posters, mirrors, centre pieces, presents."""

import numpy as np

from saom_player.objects.orient import hung
from saom_player.objects.plants import bouquet
from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes.primitives import (
    Floats,
    Surface,
    box,
    curve,
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
)


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
    fine = curve(outline, 13)
    fine[-1] = (outline[-1][0], 1.0)
    mouth = fine[-1][0]
    b.add("body", scaled(lathe([(0, 0), *fine, (mouth - 0.06, 1)], body, sides=22, closed=False), half))
    inside = [(mouth - 0.06, 1), (mouth * 0.75, 0.85), (0, 0.8)]
    b.add("inside", scaled(lathe(inside, b.mat.plastic((0.12, 0.11, 0.10)), sides=22, closed=False), half))
    low = b.uniform(0.2, 0.55)
    band = [(r + 0.012, t) for r, t in fine if low <= t <= low + 0.22]
    b.add("band", scaled(lathe(band, b.mat.ceramic(b.mat.color()), sides=22, closed=False), half))
    if flowers:
        bouquet(b, h * 0.9, b.h, 0.48 * min(b.w, b.d))


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
    paper, tape = b.mat.paper((0.90, 0.89, 0.86)), b.mat.paper((0.85, 0.80, 0.60))

    def hanging(share: float, out: float) -> Surface:
        def surface(u: Floats, v: Floats) -> tuple[Floats, Floats, Floats]:
            # The lower right corner curls off the wall as far as the box is deep.
            curl = np.clip(1.6 * (v + u) / 2 - 0.6, 0, 1) ** 2
            z = -0.45 * b.d + (0.9 * b.d - out) * curl + out
            return (0.5 - u) * b.w * share, b.h * (0.5 + (0.5 - v) * share), z

        return surface

    thin = min(0.002, 0.2 * b.d)
    b.add("sheet", sheet(hanging(1.0, 0.0), 6, 6, paper, thickness=thin))
    picture = b.mat.motif(b.pick(["picture", "cover"]))
    b.add("print", sheet(hanging(0.92, 1.5 * thin), 6, 6, picture, thickness=thin * 0.5, picture=True))
    strip = box((0.08 * b.w, 0.03 * b.h, 3 * thin), tape)
    b.add_each("tape", strip, [(0.44 * b.w, 0.965 * b.h, -0.44 * b.d), (-0.44 * b.w, 0.965 * b.h, -0.44 * b.d)])


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
    "Vase": vase,
    "Painting": hung(painting),
    "Poster": hung(poster),
    "Mirror": hung(mirror),
    "TableTopDecor": table_top_decor,
    "RoomDecor": room_decor,
    "Gift": gift,
}
