"""Lamps that stand on floors and desks."""

import numpy as np

from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes.mesh import Material, Mesh
from saom_player.shapes.primitives import cylinder, ellipsoid, lathe, ring, tube


def floor_lamp(b: Bench) -> None:
    """Foot, pole, shade with rims, bulb; a bowed one or a tripod at times."""
    metal, r = b.mat.fitting(), min(b.w, b.d) / 2
    shade_h = 0.18 * b.h
    style = b.pick(["pole", "pole", "tripod"])
    low = b.h - shade_h
    if style == "tripod":
        wood = b.mat.wood()
        for k in range(3):
            angle = 2 * np.pi * k / 3 + 0.5
            foot = (0.92 * r * np.cos(angle), 0.0, 0.92 * r * np.sin(angle))
            b.add(f"leg {k + 1}", tube([(0, 0.8 * b.h, 0), foot], [0.014, 0.02], wood, sides=8))
        b.add("hub", cylinder(0.05, 0.05, metal, sides=12), 0, 0.76 * b.h)
        b.add("pole", cylinder(0.012, 0.1 * b.h, metal, sides=8), 0, 0.79 * b.h)
    else:
        b.add("foot", lathe([(0.62 * r, 0), (0.6 * r, 0.012 * b.h), (0.1 * r, 0.02 * b.h)], metal, sides=22))
        b.add("pole", cylinder(0.014, low + 0.3 * shade_h, metal, sides=8), 0, 0.01 * b.h)
    _shade(b, r, low, shade_h)


def _lit(b: Bench) -> bool:
    return b.order.on is not False


def _bulb(b: Bench) -> Material:
    return b.mat.glow((1.0, 0.94, 0.83), 1.0) if _lit(b) else b.mat.ceramic((0.88, 0.87, 0.84))


def _shade(b: Bench, r: float, low: float, height: float) -> None:
    cloth = b.pick([(0.93, 0.88, 0.76), (0.90, 0.90, 0.88), (0.80, 0.66, 0.50), b.mat.color("pastel")])
    glow = type(b.mat.fabric())("fabric:1", cloth, 0.0, 5, emission=0.35 if _lit(b) else 0.0)
    top = b.uniform(0.55, 0.95) * r
    b.add(
        "shade",
        lathe(
            [(r, low), (top, low + height), (top * 0.99, low + height), (r * 0.985, low + 0.003)],
            glow,
            sides=24,
            closed=False,
        ),
    )
    trim = b.mat.fabric(b.mat.jittered((0.45, 0.36, 0.28)))
    b.add("lower trim", ring(r * 0.995, 0.02 * r, trim, sides=24, bar_sides=4), 0, low)
    b.add("upper trim", ring(top * 0.995, 0.02 * r, trim, sides=24, bar_sides=4), 0, low + height)
    bulb = 0.3 * min(r, height)
    b.add(
        "bulb",
        ellipsoid((bulb, 1.4 * bulb, bulb), _bulb(b), sides=10, rows=6),
        0,
        low + 0.3 * height,
    )


def desk_lamp(b: Bench) -> None:
    """A jointed arm with a cone head, or a small table lamp with a shade."""
    if b.chance(0.5):
        r, shade_h = min(b.w, b.d) / 2, 0.42 * b.h
        body = b.pick([b.mat.ceramic(b.mat.color()), b.mat.fitting(), b.mat.wood()])
        profile = [(0.5, 0), (0.52, 0.05), (0.25, 0.12), (0.42, 0.45), (0.34, 0.75), (0.1, 0.95)]
        low = b.h - shade_h
        b.add("body", lathe([(x * r, y * low) for x, y in profile], body, sides=18))
        b.add("stem", cylinder(0.05 * r + 0.002, 0.2 * b.h, b.mat.chrome(), sides=8), 0, 0.9 * low)
        _shade(b, r, low, shade_h)
        return
    paint, metal = b.mat.plastic(b.pick([(0.08, 0.08, 0.085), b.mat.color(), (0.9, 0.9, 0.88)])), b.mat.chrome()
    along_x = b.w > b.d
    long, wide = (b.w, b.d) if along_x else (b.d, b.w)
    turn = 90.0 if along_x else 0.0
    r = min(0.5 * wide, 0.3 * long)
    back, t = -long / 2 + r, 0.06 * r + 0.003

    def add(name: str, mesh: Mesh, x: float, y: float, z: float, tilt: float = 0.0) -> None:
        place = (z, y, -x) if along_x else (x, y, z)
        b.add(name, mesh, *place, x_deg=tilt, y_deg=turn)

    add("foot", lathe([(r, 0), (0.95 * r, 0.04 * b.h), (0.2 * r, 0.06 * b.h)], paint, sides=20), 0, 0, back)
    elbow, wrist = (0, 0.6 * b.h, -long / 2 + t * 2), (0, 0.93 * b.h, 0.12 * long)
    add("lower arm", tube([(0, 0.05 * b.h, back), elbow], t, metal, sides=8), 0, 0, 0)
    add("upper arm", tube([elbow, wrist], t, metal, sides=8), 0, 0, 0)
    joint = ellipsoid((4 * t, 4 * t, 4 * t), paint, sides=10, rows=6)
    add("elbow", joint, 0, elbow[1] - 2 * t, elbow[2])
    add("wrist", joint, 0, wrist[1] - 2 * t, wrist[2])
    head = 0.28 * b.h
    cone = lathe(
        [(0.85 * r, 0), (0.6 * r, 0.4 * head), (0.3 * r, 0.8 * head), (0.2 * r, head), (0.8 * r, 0.02 * head)],
        paint,
        sides=18,
        closed=False,
    )
    add("head", cone, 0, wrist[1] - 0.85 * head, min(0.3 * long, long / 2 - 0.85 * r), -25)
    bulb = ellipsoid((0.6 * r, 0.6 * r, 0.6 * r), _bulb(b), sides=10, rows=6)
    add("bulb", bulb, 0, wrist[1] - 0.85 * head, min(0.3 * long, long / 2 - 0.85 * r))


BUILDERS: dict[str, Builder] = {"FloorLamp": floor_lamp, "DeskLamp": desk_lamp}
