"""Washing machines and dryers: a case, a round door in the front, a drawer and a panel with knobs."""

from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes.mesh import Material
from saom_player.shapes.primitives import cylinder, disc, panel, ring, rounded_box

_SWING_DEG = 100.0


def washing_machine(b: Bench) -> None:
    """With a drawer for soap."""
    _machine(b, drawer=True)


def clothes_dryer(b: Bench) -> None:
    """With a lint slot in place of the drawer."""
    _machine(b, drawer=False)


def _machine(b: Bench, drawer: bool) -> None:
    shell = b.pick([b.mat.paint((0.93, 0.93, 0.93)), b.mat.metal(), b.mat.paint((0.25, 0.26, 0.28))])
    trim, face = b.mat.chrome() if b.chance(0.5) else b.mat.plastic((0.2, 0.2, 0.22)), b.d * 0.46
    foot, band = 0.02 * b.h, 0.16 * b.h
    b.block("case", (b.w, b.h - foot, b.d * 0.96), shell, (0, foot, -0.02 * b.d), radius=0.012)
    b.legs(b.mat.rubber(), foot + 0.004, 0.06, 0.05, round_=True)
    panel_z = face + 0.001
    b.block("panel", (0.94 * b.w, band * 0.8, 0.02), b.mat.plastic((0.16, 0.16, 0.18)), (0, b.h - band, panel_z))
    keys = panel(0.3 * b.w, band * 0.5, b.mat.motif("buttons"))
    b.add("keys", keys, 0.25 * b.w, b.h - 0.9 * band, panel_z + 0.012)
    knob = cylinder(0.3 * band, 0.03, trim, sides=18, bevel=0.004)
    b.add("knob", knob, 0, b.h - 0.6 * band, panel_z + 0.01, x_deg=90)
    if drawer:
        b.block("drawer", (0.28 * b.w, band * 0.6, 0.015), shell, (-0.3 * b.w, b.h - 0.92 * band, panel_z + 0.01))
    else:
        b.block("lint slot", (0.28 * b.w, band * 0.12, 0.012), trim, (-0.3 * b.w, b.h - 0.62 * band, panel_z + 0.01))
    _porthole(b, trim, face)


def _porthole(b: Bench, trim: Material, face: float) -> None:
    radius, y = 0.3 * min(b.w, b.h), 0.44 * b.h
    b.add("drum", disc(0.85 * radius, b.mat.metal((0.5, 0.51, 0.53)), sides=24), 0, y, face + 0.004)
    with b.moving((-radius, y, face + 0.01), turn_deg=(0.0, -_SWING_DEG, 0.0)):
        b.add("door ring", ring(0.92 * radius, 0.13 * radius, trim, sides=28), 0, y, face + 0.02, x_deg=90)
        b.add("door glass", disc(0.86 * radius, b.mat.glass((0.18, 0.2, 0.23)), sides=24), 0, y, face + 0.022)
        grip = rounded_box((0.03, 0.3 * radius, 0.03), trim, radius=0.008)
        b.add("door handle", grip, 0.95 * radius, y - 0.15 * radius, face + 0.03)


BUILDERS: dict[str, Builder] = {"WashingMachine": washing_machine, "ClothesDryer": clothes_dryer}
