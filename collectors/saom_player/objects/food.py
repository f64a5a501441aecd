"""Food: bread, fruit, vegetables, eggs."""

import numpy as np

from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes.mesh import Mesh, Rgb
from saom_player.shapes.primitives import (
    Floats,
    curve,
    cylinder,
    ellipsoid,
    lathe,
    loft,
    rotated,
    rounded_box,
    scaled,
    sheet,
    superellipse,
    tube,
)


def bread(b: Bench) -> None:
    """A loaf with scores, or a cut one with a pale face and slices in front."""
    crust, crumb = b.mat.bread(), b.mat.paper((0.90, 0.80, 0.60))
    along_x = b.w > b.d
    long, wide = (b.w, b.d) if along_x else (b.d, b.w)
    turn = 90.0 if along_x else 0.0
    cut = b.chance(0.5)
    body = 0.7 * long if cut else long
    loop = superellipse(wide / 2, b.h / 2, power=2.6, points=18)
    ends = (0.0, 0.02, 0.1, 0.9, 1.0) if cut else (0.0, 0.04, 0.15, 0.85, 0.96, 1.0)
    shares = (0.55, 0.8, 1.0, 1.0, 1.0) if cut else (0.4, 0.75, 1.0, 1.0, 0.75, 0.4)
    loaf = loft([(s * body - long / 2, loop * r) for s, r in zip(ends, shares, strict=True)], crust)
    b.add("loaf", _lying(loaf), 0, b.h / 2, y_deg=turn)
    if not cut:
        for k, share in enumerate((-0.25, 0.0, 0.25), start=1):
            score = ellipsoid((0.7 * wide, 0.06 * b.h, 0.09 * long), crumb, sides=10, rows=4)
            place = (share * long, 0.93 * b.h, 0.0) if along_x else (0.0, 0.93 * b.h, share * long)
            b.add(f"score {k}", score, *place, y_deg=turn + 20)
        return
    face = loft([(body - long / 2, loop * 0.93), (body - long / 2 + 0.004, loop * 0.92)], crumb)
    b.add("cut face", _lying(face), 0, b.h / 2, y_deg=turn)
    for k in range(2):
        z = -long / 2 + body + (0.4 + 0.8 * k) * 0.14 * long
        slice_ = loft([(z, loop), (z + 0.06 * long, loop)], crust)
        inside = loft([(z - 0.001, loop * 0.92), (z + 0.0615 * long, loop * 0.92)], crumb)
        b.add(f"slice {k + 1}", _lying(slice_), 0, b.h / 2, y_deg=turn)
        b.add(f"slice {k + 1} crumb", _lying(inside), 0, b.h / 2, y_deg=turn)


def _lying(mesh: Mesh) -> Mesh:
    """What was lofted upwards, along z."""
    return rotated(mesh, x_deg=90)


def apple(b: Bench) -> None:
    """A dimpled fruit with a stem and a leaf."""
    skin = b.mat.food(b.pick([(0.72, 0.14, 0.12), (0.50, 0.62, 0.18), (0.85, 0.65, 0.20)]))
    half = (b.w / 2, 0.86 * b.h, b.d / 2)
    profile = curve([(0, 0.05), (0.4, 0), (0.8, 0.18), (1.0, 0.55), (0.85, 0.88), (0.45, 1.0), (0.15, 0.94), (0, 0.86)])
    b.add("fruit", scaled(lathe(profile, skin, sides=18, closed=False, crease_deg=90), half))
    b.add("stem", tube([(0, 0.72 * b.h, 0), (0.04 * b.w, b.h, 0)], 0.03 * b.w, b.mat.wood(0.5), sides=5))
    b.add(
        "leaf", ellipsoid((0.36 * b.w, 0.03 * b.h, 0.18 * b.d), b.mat.leaf(), sides=8, rows=4), 0.15 * b.w, 0.88 * b.h
    )


def tomato(b: Bench) -> None:
    """A ribbed fruit with a green star."""
    skin = b.mat.food((0.78, 0.16, 0.10))
    half = (b.w / 2, 0.94 * b.h, b.d / 2)
    profile = curve([(0, 0.03), (0.5, 0), (0.9, 0.22), (1.0, 0.5), (0.88, 0.82), (0.5, 1.0), (0.15, 0.95), (0, 0.92)])
    b.add("fruit", scaled(lathe(profile, skin, sides=18, closed=False, crease_deg=90), half))
    leaf = b.mat.leaf()
    for k in range(5):
        sepal = ellipsoid((0.1 * b.w, 0.03 * b.h, 0.3 * b.d), leaf, sides=6, rows=4)
        angle = 72.0 * k
        b.add(
            f"sepal {k + 1}",
            sepal,
            0.14 * b.w * np.sin(np.radians(angle)),
            0.92 * b.h,
            0.14 * b.d * np.cos(np.radians(angle)),
            y_deg=angle,
        )
    b.add("stem", cylinder(0.035 * b.w, 0.08 * b.h, leaf, sides=6), 0, 0.92 * b.h)


def potato(b: Bench) -> None:
    """A lumpy tuber with eyes."""
    skin, spot = b.mat.food((0.66, 0.50, 0.30)), b.mat.food((0.40, 0.28, 0.16))
    phase = b.uniform(0, 6)
    levels = np.linspace(0, np.pi, 9)
    sections = []
    for t in levels:
        loop = superellipse(b.w / 2, b.h / 2, power=2.2, points=14)
        lump = 1 + 0.07 * np.sin(3 * np.linspace(0, 2 * np.pi, 14, endpoint=False) + 2 * t + phase)
        sections.append((-np.cos(t) * b.d / 2, loop * max(np.sin(t), 0.05) * lump[:, None]))
    b.add("tuber", _lying(loft(sections, skin, crease_deg=80)), 0, b.h / 2)
    for k in range(5):
        angle, z = 2.1 * k, (k - 2) * 0.16 * b.d
        eye = ellipsoid((0.09 * b.w, 0.05 * b.h, 0.05 * b.d), spot, sides=6, rows=4)
        out = 0.46 * float(np.sqrt(1 - (2 * z / b.d) ** 2))
        place = (out * b.w * np.cos(angle), b.h * (0.475 + out * np.sin(angle)), z)
        b.add(f"eye {k + 1}", eye, *place)


def lettuce(b: Bench) -> None:
    """Overlapping leaves round a pale heart."""
    heart, leaf = b.mat.food((0.80, 0.85, 0.55)), b.mat.leaf()
    green = type(leaf)(leaf.texture, (1.0, 1.0, 0.75), 0.05, 15)
    b.add("heart", ellipsoid((0.6 * b.w, 0.75 * b.h, 0.7 * b.d), heart, sides=12, rows=7), 0, 0.1 * b.h)
    for k in range(9):
        angle = 0.698 * k * 2.3

        def surface(u: Floats, v: Floats, angle: float = angle) -> tuple[Floats, Floats, Floats]:
            swing = angle + (u - 0.5) * 1.9 * np.sin(np.pi * (0.15 + 0.8 * v))
            r = (0.22 + 0.28 * np.sin(np.pi * v * 0.75)) * (1 + 0.05 * np.sin(13 * u + 3 * angle))
            return r * b.w * np.cos(swing), b.h * (0.06 + 0.88 * v - 0.07 * np.cos(9 * u)), r * b.d * np.sin(swing)

        b.add(f"leaf {k + 1}", sheet(surface, 6, 4, green, thickness=0.0015, picture=True))
    b.add("stalk", cylinder(0.12 * b.w, 0.1 * b.h, heart, sides=10))


def egg(b: Bench) -> None:
    """An egg, with a speckled cap at its blunt end."""
    half = (b.w / 2, b.h, b.d / 2)
    turn = np.linspace(0, np.pi, 13)
    profile = [(float(np.sin(t) * (1 + 0.12 * np.cos(t))), float(0.5 - 0.5 * np.cos(t))) for t in turn]
    shell: Rgb = b.pick([(0.86, 0.68, 0.52), (0.93, 0.91, 0.86)])
    b.add("shell", scaled(lathe(profile, b.mat.food(shell), sides=16, closed=False, crease_deg=90), half))
    cap = [(r * 1.008, y - 0.004) for r, y in profile[:4]]
    b.add(
        "blunt end",
        scaled(lathe(cap, b.mat.food(b.mat.jittered(shell, 0.06)), sides=16, closed=False, crease_deg=90), half),
    )


def packet(b: Bench) -> None:
    """A food packet: printed bag with crimped ends."""
    print_, foil = b.mat.motif("label"), b.mat.metal()
    b.add(
        "bag",
        rounded_box((b.w, 0.88 * b.h, 0.8 * b.d), print_, radius=0.3 * min(b.w, b.d), puff=0.1 * b.d),
        0,
        0.06 * b.h,
    )
    for k, y in enumerate((0.0, 0.92), start=1):
        b.block(f"crimp {k}", (b.w, 0.08 * b.h, 0.06 * b.d), foil, (0, y * b.h, 0))


BUILDERS: dict[str, Builder] = {
    "Bread": bread,
    "Apple": apple,
    "Tomato": tomato,
    "Potato": potato,
    "Lettuce": lettuce,
    "Egg": egg,
    "Chips": packet,
}
