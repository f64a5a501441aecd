"""Doors and drawer fronts with handles: what storage, kitchens and desks share."""

from saom_player.objects.workbench import Bench
from saom_player.scene import Vector
from saom_player.shapes.mesh import Material
from saom_player.shapes.primitives import box, frame, lathe, rounded_box, tube

_SWING_DEG = 96.0
STYLES = ("slab", "shaker", "raised")


def handle(
    bench: Bench, name: str, material: Material, at: Vector, length: float, *, upright: bool, knob: bool
) -> None:
    """A knob or a bar handle that stands out towards +z from ``at``, its middle on the front's face."""
    x, y, z = at
    if knob:
        r = min(0.016, length * 0.3)
        mesh = lathe([(r * 0.5, 0), (r * 0.45, r), (r, r * 1.5), (r * 0.7, r * 2)], material, sides=10)
        bench.add(name, mesh, x, y, z, x_deg=90)
        return
    reach, half = min(0.035, length * 0.3), length / 2
    path = [(-half, 0, 0), (-half, 0, reach), (half, 0, reach), (half, 0, 0)]
    bench.add(name, tube(path, min(0.006, length * 0.08), material, sides=6), x, y, z, z_deg=90.0 if upright else 0.0)


def front(
    bench: Bench, name: str, size: tuple[float, float], thickness: float, material: Material, at: Vector, style: str
) -> None:
    """A door or drawer front; ``at`` is the middle of its lower edge, at its back. Faces +z."""
    width, height = size
    x, y, z = at
    border = min(0.06, 0.28 * min(width, height))
    if style == "slab" or min(width, height) < 0.08:
        bench.add(name, rounded_box((width, height, thickness), material, radius=0.003), x, y, z + thickness / 2)
        return
    bench.add(f"{name} frame", frame(width, height, border, thickness, material), x, y, z + thickness / 2)
    inner = (width - 2 * border, height - 2 * border)
    bench.add(f"{name} panel", box((*inner, thickness * 0.5), material), x, y + border, z + thickness * 0.25)
    if style == "raised":
        raised = (inner[0] - 0.04, inner[1] - 0.04, thickness * 0.4)
        if min(raised) > 0.01:
            mesh = rounded_box(raised, material, radius=0.012)
            bench.add(f"{name} field", mesh, x, y + border + 0.02, z + thickness * 0.6)


def drawers(
    bench: Bench, prefix: str, size: tuple[float, float], rows: int, at: Vector, material: Material, pull: Material,
    style: str, knob: bool,
) -> None:  # fmt: skip
    """A column of drawer fronts within ``size``, ``at`` the middle of the lower edge on the body's face."""
    width, height = size
    gap = min(0.008, height / rows * 0.1)
    each = height / rows - gap
    for row in range(rows):
        y = at[1] + gap / 2 + row * (each + gap)
        name = f"{prefix} {row + 1}"
        front(bench, name, (width - gap, each), 0.018, material, (at[0], y, at[2]), style)
        middle = (at[0], y + each / 2, at[2] + 0.018)
        if knob and width > 0.6:
            for side, sign in (("left", 1), ("right", -1)):
                place = (at[0] + sign * width * 0.25, middle[1], middle[2])
                handle(bench, f"{name} {side} knob", pull, place, 0.05, upright=False, knob=True)
        else:
            length = min(0.16, width * 0.45) if not knob else 0.05
            handle(bench, f"{name} handle", pull, middle, length, upright=False, knob=knob)


def doors(
    bench: Bench, prefix: str, size: tuple[float, float], columns: int, at: Vector, material: Material, pull: Material,
    style: str, knob: bool, hinge: int = 0,
) -> None:  # fmt: skip
    """Doors side by side within ``size``; handles sit where two doors meet, or at the left of a lone one.

    ``hinge`` is the side of a lone one's hinges (-1 or 1 along x; 0 is -1). Doors of what opens swing.
    """
    width, height = size
    gap = min(0.006, width / columns * 0.1)
    each = width / columns - gap
    for column in range(columns):
        x = at[0] - width / 2 + (column + 0.5) * width / columns
        name = f"{prefix} {column + 1}"
        hand = -(hinge or -1) if columns == 1 else 1 if column % 2 == 0 else -1
        place = (x + hand * (each / 2 - min(0.03, each * 0.2)), at[1] + height * 0.55, at[2] + 0.018)
        with bench.moving((x - hand * each / 2, at[1], at[2]), turn_deg=(0.0, -hand * _SWING_DEG, 0.0)):
            front(bench, name, (each, height - gap), 0.018, material, (x, at[1] + gap / 2, at[2]), style)
            handle(bench, f"{name} handle", pull, place, min(0.14, height * 0.3), upright=True, knob=knob)


def carcass(bench: Bench, material: Material, low: float, high: float, depth: float, *, name: str = "body") -> None:
    """The closed body behind fronts, from height ``low`` to ``high``, its back at the box's back."""
    bench.block(name, (bench.w, high - low, depth), material, (0.0, low, (depth - bench.d) / 2))


def open_case(b: Bench, name: str, span: tuple[float, float], high: float, material: Material, wall: float) -> None:
    """A case open to the front from x to x, up to a height: sides, a back, and boards under what stands in it.

    Where something sticks through a side or the back, that is left out; what has a shelf of its own needs no board.
    """
    low_x, high_x = span
    deep = b.d - 0.02
    panels = {
        "left side": ((low_x, 0.0, -deep / 2), (low_x + wall, high, deep / 2)),
        "right side": ((high_x - wall, 0.0, -deep / 2), (high_x, high, deep / 2)),
        "back": ((low_x + wall, 0.0, -b.d / 2), (high_x - wall, high, -b.d / 2 + 0.01)),
    }
    for part, (low, up) in panels.items():
        if not b.holds_within(low, up):
            size = (up[0] - low[0], up[1] - low[1], up[2] - low[2])
            b.block(f"{name} {part}", size, material, ((low[0] + up[0]) / 2, low[1], (low[2] + up[2]) / 2))
    levels: list[float] = []
    for low, up in sorted(b.order.within, key=lambda block: block[0][1]):
        y = low[1] - wall
        inside = low_x < (low[0] + up[0]) / 2 < high_x
        board = (low_x + wall, y, -deep / 2), (high_x - wall, y + wall - 0.002, deep / 2)
        if inside and y > wall and all(abs(y - other) > wall for other in levels) and not b.holds_within(*board):
            levels.append(y)
            size = (high_x - low_x - 2 * wall, wall, deep)
            b.block(f"{name} board {len(levels)}", size, material, ((low_x + high_x) / 2, y, 0.0))
