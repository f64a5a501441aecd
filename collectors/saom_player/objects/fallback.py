"""What unknown types look like: plausible furniture or a packaged thing in several parts, never a bare box."""

from saom_player.objects.workbench import Bench
from saom_player.shapes.primitives import cylinder, rounded_box

_SMALL_M = 0.35


def furniture(b: Bench) -> None:
    """A small casing with lid, base and knob, or a case on legs with a top and a front."""
    if max(b.w, b.h, b.d) < _SMALL_M:
        _casing(b)
        return
    body, accent = b.mat.cabinetry(), b.mat.wood()
    leg, top = 0.15 * b.h, 0.06 * b.h
    b.block("body", (b.w * 0.96, b.h - leg - top, b.d * 0.92), body, (0, leg, -0.02 * b.d), radius=0.01)
    b.block("top", (b.w, top, b.d), accent, (0, b.h - top, 0), radius=0.01)
    b.block(
        "front",
        (b.w * 0.86, (b.h - leg - top) * 0.84, 0.06 * b.d),
        accent,
        (0, leg + 0.06 * b.h, 0.45 * b.d),
        radius=0.005,
    )
    b.add(
        "knob",
        cylinder(0.03 * min(b.w, b.h), 0.04 * b.d, b.mat.fitting(), sides=10),
        0,
        0.6 * b.h,
        0.46 * b.d,
        x_deg=90,
    )
    b.legs(accent, leg + 0.005, 0.08 * b.w, 0.06, round_=True)


def _casing(b: Bench) -> None:
    body, lid = b.mat.plastic(), b.mat.plastic()
    b.block("base", (b.w * 0.9, 0.08 * b.h, b.d * 0.9), b.mat.rubber())
    b.add("body", rounded_box((b.w, 0.7 * b.h, b.d), body, radius=0.15 * min(b.w, b.h, b.d), segments=2), 0, 0.06 * b.h)
    b.block("lid", (b.w * 0.92, 0.2 * b.h, b.d * 0.92), lid, (0, 0.76 * b.h, 0), radius=0.05 * b.h)
    b.add("knob", cylinder(0.1 * min(b.w, b.d), 0.06 * b.h, b.mat.chrome(), sides=10), 0, 0.94 * b.h)
