"""Doors in walls: frames, and leaves that swing open, away from the front (+z)."""

from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes.mesh import Material
from saom_player.shapes.primitives import box, cylinder, rounded_box

_CASING_M = 0.06
_LEAF_M = 0.036
_WIDE_M = 1.4
_SWING_DEG = 90.0


def doorframe(b: Bench) -> None:
    """Two jambs and a head, with a casing on both sides of the wall."""
    _frame(b, b.mat.paint((0.93, 0.93, 0.91)) if b.chance(0.6) else b.mat.wood())


def doorway(b: Bench) -> None:
    """A frame with one leaf, or two where it is wide, panelled or plain, with handles on both sides."""
    paint = b.mat.paint((0.93, 0.93, 0.91))
    leaf = b.mat.wood() if b.chance(0.55) else paint if b.chance(0.6) else b.mat.paint()
    _frame(b, paint if b.chance(0.6) else leaf)
    panels, pull = b.pick((0, 2, 3)), b.mat.fitting()
    clear = b.w - 2 * _CASING_M
    count = 2 if b.w > _WIDE_M else 1
    width = clear / count - 0.006
    for k in range(count):
        hand = -1 if k == 0 else 1
        x = -clear / 2 + (k + 0.5) * clear / count
        hinge = (x + hand * width / 2, 0.0, -b.d * 0.2)
        with b.moving(hinge, turn_deg=(0.0, -hand * _SWING_DEG, 0.0)):
            _leaf(b, f"leaf {k + 1}", (x, width), leaf, pull, panels, hand)


def _frame(b: Bench, trim: Material) -> None:
    jamb = box((_CASING_M, b.h, b.d), trim)
    b.add_each("jamb", jamb, [(sign * (b.w - _CASING_M) / 2, 0.0, 0.0) for sign in (-1, 1)])
    b.block("head", (b.w - 2 * _CASING_M, _CASING_M, b.d), trim, (0.0, b.h - _CASING_M, 0.0))


def _leaf(
    b: Bench, name: str, where: tuple[float, float], material: Material, pull: Material, panels: int, hand: int
) -> None:
    x, width = where
    tall, z = b.h - _CASING_M - 0.008, -b.d * 0.2
    b.block(name, (width, tall, _LEAF_M), material, (x, 0.004, z))
    inner, gap = width - 0.24, 0.14
    each = (tall - gap * (panels + 1)) / max(panels, 1)
    for row in range(panels if inner > 0.1 else 0):
        y = 0.004 + gap + row * (each + gap)
        for side in (-1, 1):
            field = rounded_box((inner, each, 0.012), material, radius=0.004)
            b.add(f"{name} panel {row + 1}.{(side + 3) // 2}", field, x, y, z + side * (_LEAF_M / 2 + 0.004))
    lock = x - hand * (width / 2 - 0.07)
    for side in (-1, 1):
        face = z + side * (_LEAF_M / 2)
        stem = cylinder(0.011, 0.05, pull, sides=10)
        b.add(f"{name} stem {(side + 3) // 2}", stem, lock, 1.0, face, x_deg=90.0 * side)
        grip = rounded_box((0.12, 0.02, 0.016), pull, radius=0.007)
        b.add(f"{name} handle {(side + 3) // 2}", grip, lock + hand * 0.05, 0.99, face + side * 0.048)


BUILDERS: dict[str, Builder] = {"Doorframe": doorframe, "Doorway": doorway}
