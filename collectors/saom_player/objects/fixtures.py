"""Fixed to the building: windows, curtains, blinds, light switches."""

import numpy as np

from saom_player.objects.orient import hung
from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes.primitives import (
    Floats,
    box,
    cylinder,
    ellipsoid,
    frame,
    moved,
    panel,
    rotated,
    rounded_box,
    sheet,
    tube,
)

_RAISED_M, _LET_DOWN_M, _STACK_M = 0.35, 0.94, 0.14
"""Blinds: lower boxes hold drawn up ones; how long ones like those are let down, and a drawn up one's stack."""


def window(b: Bench) -> None:
    """Frame, two sashes with bars, panes that show the sky, sill and handle."""
    paint = b.mat.paint((0.92, 0.92, 0.90)) if b.chance(0.7) else b.mat.wood()
    sill = min(0.04, 0.08 * b.h)
    border, thin = min(0.06, 0.1 * min(b.w, b.h)), min(0.06, 0.8 * b.d)
    b.add("frame", frame(b.w, b.h - sill, border, thin, paint), 0, sill)
    b.block("sill", (b.w, sill, b.d), paint, (0, 0, 0), radius=0.3 * sill)
    wide, tall = b.w - 2 * border, b.h - sill - 2 * border
    panes = 2 if b.w > 0.6 else 1
    sky = b.mat.glow((1.0, 1.0, 1.0), 0.5)
    glass = type(sky)("sky", (0.95, 0.97, 1.0), 0.5, 120, emission=0.6, reflect=0.1)
    for k in range(panes):
        x = (k - (panes - 1) / 2) * wide / panes
        sash = frame(wide / panes, tall, 0.6 * border, 0.7 * thin, paint)
        b.add(f"sash {k + 1}", sash, x, sill + border)
        uvs = np.array([[k / panes, 1], [(k + 1) / panes, 1], [(k + 1) / panes, 0], [k / panes, 0]])
        pane = panel(wide / panes - border, tall - border, glass, uvs=uvs)
        b.add(f"pane {k + 1}", pane, -x, sill + 1.5 * border, 0.05 * thin)
        b.add(
            f"outer pane {k + 1}",
            panel(wide / panes - border, tall - border, glass),
            -x,
            sill + 1.5 * border,
            -0.05 * thin,
            y_deg=180,
        )
        b.block(
            f"glazing bar {k + 1}",
            (wide / panes - border, 0.35 * border, 0.4 * thin),
            paint,
            (x, sill + border + 0.5 * tall, 0),
        )
    b.block("handle", (0.02, 0.12, 0.3 * b.d), b.mat.chrome(), (0, sill + 0.4 * b.h, 0.3 * thin))


def curtains(b: Bench) -> None:
    """Two drapes with folds, ties, a rod with finials and rings."""
    cloth, tie = b.mat.fabric(b.mat.color("furnishing")), b.mat.fabric(b.mat.color())
    metal = b.mat.fitting()
    rod_y, single = 0.975 * b.h, b.w < 0.5
    share = 1.0 if single else b.uniform(0.28, 0.42)
    for k, sign in enumerate((1,) if single else (1, -1), start=1):
        width = share * b.w
        center = 0.0 if single else sign * (b.w - width) / 2
        folds = max(3.0, width / 0.1)

        def drape(
            u: Floats, v: Floats, x: float = center, width: float = width, folds: float = folds
        ) -> tuple[Floats, Floats, Floats]:
            y = v * rod_y
            pinch = 1 - 0.25 * np.exp(-(((v - 0.4) / 0.12) ** 2))
            return x + (0.5 - u) * width * pinch, y, 0.4 * b.d * (1.2 - 0.5 * v) / 1.2 * np.sin(2 * np.pi * folds * u)

        b.add(f"drape {k}", sheet(drape, int(min(48, folds * 6)), 7, cloth, thickness=0.004))
        band = rounded_box((0.78 * width, 0.025 * b.h, 0.9 * b.d), tie, radius=0.01)
        b.add(f"tie {k}", band, center, 0.39 * b.h)
    b.add("rod", tube([(-b.w / 2, rod_y, 0), (b.w / 2, rod_y, 0)], min(0.014, 0.25 * b.d), metal))
    knob = min(0.025 * b.h, 0.5 * b.d, 0.06)
    b.add_each(
        "finial",
        ellipsoid((knob, 2 * knob, knob), metal, sides=10, rows=6),
        [(s * (b.w / 2 - knob / 2), rod_y - knob, 0.0) for s in (-1, 1)],
    )


def blinds(b: Bench) -> None:
    """Head rail, tilted slats (a tight stack when raised), bottom rail, ladder cords, a wand.

    In AI2-THOR's metadata most closed blinds are drawn up, and open ones let down: the box's height tells which.
    """
    slat = (
        b.mat.wood()
        if b.chance(0.3)
        else b.mat.plastic(b.pick([(0.92, 0.91, 0.87), (0.80, 0.78, 0.72), (0.60, 0.58, 0.55)]))
    )
    rail = b.mat.paint(b.mat.jittered(slat.tint, 0.1))
    head = min(0.06, 0.25 * b.h)
    raised = b.h < _RAISED_M
    drop = b.h - head
    # The other state: let down to the length that such blinds have, or drawn up to a stack.
    other = _LET_DOWN_M - head if raised else min(_STACK_M, 0.5 * drop)
    fewest = round(other / 0.05) if raised and b.travel else 5
    count = max(fewest, min(22, round(drop / (0.02 if raised else 0.05))))
    b.block("head rail", (b.w, head, b.d), rail, (0, b.h - head, 0), radius=0.004)
    with b.moving(shift=(0, drop - other, 0)):
        b.block("bottom rail", (b.w * 0.99, min(0.03, 0.1 * b.h), 0.8 * b.d), rail, radius=0.004)
    tilt = 8.0 if raised else 48.0
    deep = min(0.05, b.d) if raised else min(0.05, 0.95 * b.d / 0.67)
    board = box((b.w * 0.98, 0.003, deep), slat)
    for k in range(count):
        share = (k + 0.9) / (count + 0.6)
        shift = (drop - other) * (1 - share)
        with b.moving((0, drop * share, 0), shift=(0, shift, 0), turn_deg=(56.0 - 2 * tilt, 0, 0)):
            b.add(f"slat {k + 1}", rotated(board, x_deg=tilt), 0, drop * share)
    cord = b.mat.fabric((0.88, 0.86, 0.80))
    with b.moving((0, drop, 0), scale=(1, other / drop, 1)):
        b.add_each("cord", box((0.012, drop, 0.003), cord), [(x * b.w, 0.0, 0.36 * b.d) for x in (-0.32, 0.32)])
        wand = moved(cylinder(0.004, 0.6 * drop, b.mat.plastic((0.85, 0.85, 0.84)), sides=6), 0, 0.4 * drop)
        b.add("wand", wand, 0.45 * b.w, 0, 0.42 * b.d)


def light_switch(b: Bench) -> None:
    """A plate with one or two rockers and screws."""
    plate = b.mat.plastic((0.93, 0.92, 0.89))
    b.add("plate", rounded_box((b.w, b.h, 0.4 * b.d), plate, radius=0.1 * b.d), 0, 0, -0.3 * b.d)
    rockers = 2 if b.w > 0.09 else 1
    for k in range(rockers):
        x = (k - (rockers - 1) / 2) * 0.4 * b.w
        rocker = rounded_box((0.3 * b.w, 0.45 * b.h, 0.45 * b.d), b.mat.plastic((0.84, 0.83, 0.79)), radius=0.1 * b.d)
        way = b.pick([-6, 6])
        pressed = way if b.order.on is None else 6 if b.order.on else -6
        b.add(f"rocker {k + 1}", rocker, x, 0.275 * b.h, 0.15 * b.d, x_deg=pressed)
    screw = cylinder(0.03 * b.h, 0.06 * b.d, b.mat.chrome(), sides=8)
    for k, y in enumerate((0.12, 0.88), start=1):
        b.add(f"screw {k}", screw, 0, y * b.h, -0.1 * b.d, x_deg=90)


BUILDERS: dict[str, Builder] = {
    "Window": hung(window),
    "Curtains": hung(curtains),
    "Blinds": hung(blinds),
    "LightSwitch": hung(light_switch),
}
