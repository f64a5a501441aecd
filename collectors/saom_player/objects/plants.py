"""Plants in pots, and the flowers that stand in vases."""

import numpy as np

from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes.mesh import Material
from saom_player.shapes.primitives import Floats, cylinder, ellipsoid, lathe, sheet, tube


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
    leaves = b.count(12, 17)
    for k in range(leaves):
        angle = 2.4 * k
        high = b.uniform(0.45, 1.0) if k else 1.0
        reach = (1.35 - 0.75 * high) * 0.5
        start = pot_h + (rise * 0.45 * high if bushy else -0.1 * pot_h)
        _leaf(b, f"leaf {k + 1}", leaf, angle, reach, start, pot_h + rise * high, wide=b.uniform(0.7, 1.3))


def _leaf(
    b: Bench, name: str, material: Material, angle: float, reach: float, low: float, high: float, wide: float
) -> None:
    """One blade that climbs from ``low`` and bends outwards to its tip at ``reach`` (share of the box) and ``high``."""
    out = np.array([np.cos(angle) * b.w, np.sin(angle) * b.d]) * reach
    side = np.array([-np.sin(angle), np.cos(angle)]) * 0.22 * wide * min(b.w, b.d) * 0.8

    def surface(u: Floats, v: Floats) -> tuple[Floats, Floats, Floats]:
        along = 0.08 + 0.92 * v
        breadth = (u - 0.5) * 2 * np.sin(np.pi * np.clip(along, 0, 1) ** 0.8) ** 0.9
        y = low + (high - low) * (1.55 * along - 0.55 * along**2.6)
        x = out[0] * along**1.4 + side[0] * breadth
        return x, y - 0.03 * b.h * np.abs(breadth), out[1] * along**1.4 + side[1] * breadth

    b.add(name, sheet(surface, 2, 5, material, thickness=0.0015, picture=True))


def bouquet(b: Bench, low: float, high: float, spread: float) -> None:
    """Flowers on stems that fan out from (0, low) to at most ``spread`` metres aside and ``high``."""
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


BUILDERS: dict[str, Builder] = {
    "HousePlant": house_plant,
}
