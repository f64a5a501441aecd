"""What washes and is used up in bathrooms and at sinks: soap, sponges, brushes, plungers, toilet paper."""

import numpy as np

from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes.mesh import Material, Mesh
from saom_player.shapes.primitives import (
    Floats,
    box,
    cylinder,
    ellipsoid,
    lathe,
    loft,
    ring,
    rounded_box,
    sheet,
    superellipse,
)

_BARE_CORE = 0.5
"""Toilet paper narrower than this share of its height is used up."""


def plunger(b: Bench) -> None:
    """A rubber cup, one with a flange, or a bellows, on a stick."""
    r = min(b.w, b.d) / 2
    kind = b.pick(["cup", "flange", "bellows"])
    rubber = b.mat.rubber(b.pick([(0.55, 0.16, 0.12), (0.12, 0.12, 0.12), (0.16, 0.22, 0.34)]))
    profile = {
        "cup": [(0.92, 0), (1.0, 0.03), (0.97, 0.1), (0.55, 0.2), (0.22, 0.23), (0.2, 0.3)],
        "flange": [(0.62, 0), (0.66, 0.05), (0.98, 0.08), (1.0, 0.12), (0.8, 0.2), (0.3, 0.26), (0.22, 0.32)],
        "bellows": [(0.9, 0), (1.0, 0.03), (0.78, 0.06), (0.98, 0.09), (0.74, 0.12), (0.9, 0.15), (0.66, 0.18),
                    (0.8, 0.21), (0.26, 0.25), (0.22, 0.31)],
    }[kind]  # fmt: skip
    b.add("cup", lathe([(x * r, y * b.h) for x, y in profile], rubber, sides=20))
    b.add("lip", ring(0.95 * profile[0][0] * r, 0.05 * r, b.mat.rubber(), sides=18), 0, 0.03 * b.h)
    stick = b.mat.wood() if b.chance(0.7) else b.mat.plastic((0.9, 0.9, 0.88))
    b.add("stick", cylinder(0.14 * r, 0.68 * b.h, stick, sides=10), 0, 0.27 * b.h)
    if b.chance(0.6):
        b.add("grip", ellipsoid((0.34 * r, 0.1 * b.h, 0.34 * r), stick, sides=10, rows=6), 0, 0.9 * b.h)
    else:
        b.add("grip", cylinder(0.2 * r, 0.16 * b.h, b.mat.rubber(), sides=12, bevel=0.04 * r), 0, 0.84 * b.h)


def scrub_brush(b: Bench) -> None:
    """A toilet brush in its pot, bellied, straight or square, or standing in an open bowl."""
    r = min(b.w, b.d) / 2
    kind = b.pick(["bellied", "straight", "square", "bowl"])
    pot = b.mat.ceramic(b.mat.color("pastel")) if b.chance(0.5) else b.mat.metal() if b.chance(0.5) else b.mat.plastic()
    handle = b.pick([b.mat.chrome(), b.mat.plastic((0.93, 0.93, 0.92)), b.mat.plastic((0.1, 0.1, 0.1)), b.mat.wood()])
    b.add("pot", _brush_pot(kind, r, b.h, pot))
    wide, low = (1.5, 0.08) if kind == "bowl" else (1.1, 0.26)
    bristles = ellipsoid((wide * r, 0.24 * b.h, wide * r), b.mat.towelling((0.85, 0.86, 0.88)), sides=12, rows=6)
    b.add("bristles", bristles, 0, low * b.h)
    b.add("stem", cylinder(0.09 * r, 0.62 * b.h, handle, sides=8), 0, 0.3 * b.h)
    b.add("collar", cylinder(0.35 * r, 0.03 * b.h, handle, sides=12), 0, (0.32 if kind == "bowl" else 0.5) * b.h)
    grip = [(0.1 * r, 0), (0.18 * r, 0.1 * b.h), (0.16 * r, 0.2 * b.h), (0.08 * r, 0.23 * b.h)]
    b.add("grip", lathe(grip, handle, sides=10), 0, 0.77 * b.h)


def _brush_pot(kind: str, r: float, h: float, material: Material) -> Mesh:
    if kind == "square":
        loop = superellipse(r, r, power=6.0, points=24)
        sections = [
            (0, loop * 0.95),
            (0.03 * h, loop),
            (0.42 * h, loop),
            (0.42 * h, loop * 0.8),
            (0.3 * h, loop * 0.75),
        ]
        return loft(sections, material, top=False)
    profile = {
        "bellied": [(0.85, 0), (1.0, 0.05), (0.95, 0.3), (0.7, 0.42), (0.6, 0.4)],
        "straight": [(0.96, 0), (1.0, 0.02), (1.0, 0.44), (0.9, 0.45), (0.84, 0.43)],
        "bowl": [(0.7, 0), (1.0, 0.12), (0.95, 0.13), (0.6, 0.04)],
    }[kind]
    return lathe([(x * r, y * h) for x, y in profile], material, sides=22)


def soap_bar(b: Bench) -> None:
    """A bar of soap: worn and rounded with a stamp, a sharp new block, or an oval; on a dish or bare."""
    soap = b.mat.plastic(b.mat.color("pastel"))
    darker = b.mat.plastic(b.mat.jittered(soap.tint, 0.12))
    kind, dish = b.pick(["worn", "block", "oval"]), b.chance(0.5)
    low = 0.12 * b.h if dish else 0.0
    size = (b.w * (0.94 if dish else 1), (b.h - low) * 0.97, b.d * (0.96 if dish else 1))
    if kind == "oval":
        loop = superellipse(size[0] / 2, size[2] / 2, power=2.2, points=22)
        shares = [(0, 0.8), (0.25, 0.97), (0.5, 1.0), (0.8, 0.93), (1, 0.72)]
        b.add("bar", loft([(low + y * size[1], loop * s) for y, s in shares], soap))
        b.add("seam", loft([(low + 0.47 * size[1], loop * 1.01), (low + 0.53 * size[1], loop * 1.01)], darker))
    else:
        radius = (0.4 if kind == "worn" else 0.1) * b.h
        b.add("bar", rounded_box(size, soap, radius=radius, segments=2 if kind == "worn" else 1), 0, low)
    if kind == "block":
        b.block("stamp", (0.6 * b.w, 0.03 * b.h, 0.4 * b.d), darker, (0, low + size[1], 0))
    else:
        b.add("stamp", ellipsoid((0.5 * b.w, 0.06 * b.h, 0.5 * b.d), darker, sides=12, rows=4), 0, 0.95 * b.h)
    if dish:
        loop = superellipse(b.w / 2, b.d / 2, power=3, points=18)
        b.add("dish", loft([(0, loop * 0.7), (0.2 * b.h, loop), (0.22 * b.h, loop * 0.9)], b.mat.ceramic()))


def sponge(b: Bench) -> None:
    """A kitchen sponge: foam with a scouring layer, with a waist or straight; or a folded cloth."""
    foam = b.mat.towelling(b.pick([(0.93, 0.80, 0.30), (0.55, 0.72, 0.85), (0.92, 0.60, 0.62), (0.66, 0.78, 0.42)]))
    pad = b.mat.towelling(b.pick([(0.18, 0.40, 0.25), (0.16, 0.22, 0.40), (0.30, 0.30, 0.31)]))
    kind = b.pick(["straight", "waist", "cloth"])
    if kind == "straight":
        b.add("foam", rounded_box((b.w, 0.76 * b.h, b.d), foam, radius=0.1 * b.h, segments=2))
        b.add("scouring pad", rounded_box((b.w, 0.26 * b.h, b.d), pad, radius=0.06 * b.h), 0, 0.74 * b.h)
        return
    if kind == "cloth":
        _folded_cloth(b, foam, pad)
        return
    angle = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    loop = superellipse(b.w / 2, b.d / 2, power=5.0, points=28)
    pinch = np.abs(np.sin(angle)) if b.w > b.d else np.abs(np.cos(angle))
    loop = loop * (1 - 0.14 * pinch**6)[:, None]
    b.add("foam", loft([(0, loop * 0.97), (0.08 * b.h, loop), (0.76 * b.h, loop)], foam))
    b.add("scouring pad", loft([(0.75 * b.h, loop * 1.005), (b.h, loop * 0.99)], pad))


def _folded_cloth(b: Bench, cloth: Material, hem: Material) -> None:
    """Layers of a cloth, one over the other, the last one wavy, with a hem."""
    for k in range(2):
        size = ((1 - 0.04 * k) * b.w, 0.34 * b.h, (1 - 0.06 * k) * b.d)
        b.add(f"fold {k + 1}", rounded_box(size, cloth, radius=0.15 * b.h, segments=2), 0, 0.32 * k * b.h)

    def top(u: Floats, v: Floats) -> tuple[Floats, Floats, Floats]:
        rise = 0.78 + 0.2 * np.sin(5 * u + 3 * v) * np.cos(4 * v)
        return (0.5 - u) * 0.93 * b.w, b.h * rise, (v - 0.5) * 0.9 * b.d

    b.add("upper fold", sheet(top, 8, 8, cloth, thickness=0.1 * b.h))
    b.add("hem", box((0.93 * b.w, 0.12 * b.h, 0.05 * b.d), hem), 0, 0.72 * b.h, 0.45 * b.d)


def toilet_paper(b: Bench) -> None:
    """A roll with its cardboard core, standing; the loose end hangs. A slim one is used up: the core alone."""
    r = min(b.w, b.d) / 2
    paper, card = b.mat.paper(), b.mat.cardboard()
    if 2 * r < _BARE_CORE * b.h:
        b.add(
            "core", lathe([(0.9 * r, 0), (r, 0), (r, b.h), (0.9 * r, b.h), (0.9 * r, 0)], card, sides=18, closed=False)
        )
        b.add("scrap", lathe([(1.015 * r, 0.02 * b.h), (1.015 * r, 0.98 * b.h)], paper, sides=18, closed=False))
        b.block("torn end", (0.04 * r, 0.9 * b.h, 0.7 * r), paper, (r, 0.06 * b.h, -0.4 * r))
        return
    roll = [(0.34 * r, 0), (0.97 * r, 0), (r, 0.02 * b.h), (r, 0.98 * b.h), (0.97 * r, b.h), (0.34 * r, b.h)]
    b.add("roll", lathe(roll, paper, sides=22, closed=False))
    core = [(0.30 * r, b.h * 0.99), (0.30 * r, 0.01 * b.h)]
    b.add("core inside", lathe(core, card, sides=14, closed=False))
    b.add("core", lathe([(0.34 * r, 0.005 * b.h), (0.34 * r, 0.995 * b.h)], card, sides=14, closed=True))
    loose = (0.02 * r, 0.98 * b.h, 0.9 * r)
    b.block("loose end", loose, b.mat.paper((0.88, 0.87, 0.84)), (r * 0.95, 0.01 * b.h, -0.4 * r))


BUILDERS: dict[str, Builder] = {
    "Plunger": plunger,
    "ScrubBrush": scrub_brush,
    "SoapBar": soap_bar,
    "DishSponge": sponge,
    "ToiletPaper": toilet_paper,
}
