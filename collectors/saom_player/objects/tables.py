"""Tables: coffee, dining and side tables, desks, counter tops, carts."""

from saom_player.objects.fronts import STYLES, drawers, open_case
from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes.mesh import Material
from saom_player.shapes.primitives import box, cylinder, lathe, loft, rounded_box, superellipse, tube

_ON_FLOOR_M = 0.04


def _top(b: Bench, material: Material, thickness: float, *, round_: bool, edge: Material | None = None) -> None:
    """A table top with an edge band in another material where given."""
    y = b.h - thickness
    if round_:
        loop = superellipse(b.w / 2, b.d / 2, power=2, points=32)
        b.add("top", loft([(y, loop * 0.985), (y + thickness * 0.4, loop), (b.h, loop)], material))
    else:
        b.block("top", (b.w, thickness, b.d), material, (0, y, 0), radius=min(0.01, thickness / 3))
    if edge is not None and not round_:
        b.block("edge band", (b.w * 0.985, thickness * 0.8, b.d * 0.98), edge, (0, y - thickness * 0.7, 0))


def _apron(b: Bench, material: Material, y: float, height: float, inset: float) -> None:
    x, z = b.w / 2 - inset, b.d / 2 - inset
    long, deep = box((2 * x, height, 0.02), material), box((0.02, height, 2 * z), material)
    for name, mesh, dx, dz in (
        ("front", long, 0, z),
        ("back", long, 0, -z),
        ("left", deep, x, 0),
        ("right", deep, -x, 0),
    ):
        b.add(f"{name} apron", mesh, dx, y - height, dz)


def coffee_table(b: Bench) -> None:
    """Four legs with a lower shelf, a glass top on metal, a block with drawers, or a round one."""
    b.pick([_shelf_table, _glass_table, _pedestal_or_legs, _shelf_table])(b)


def _shelf_table(b: Bench) -> None:
    wood = b.mat.wood()
    top = wood if b.chance(0.55) else b.mat.marble() if b.chance(0.5) else b.mat.paint()
    thick, leg = min(0.045, 0.12 * b.h), min(0.06, 0.12 * min(b.w, b.d))
    _top(b, top, thick, round_=False, edge=wood if top is not wood else None)
    b.legs(wood, b.h - thick, leg * 0.8, leg)
    _apron(b, wood, b.h - thick, min(0.07, 0.2 * b.h), leg * 0.8)
    if b.chance(0.7):
        _lower_shelf(b, (b.w - 2.2 * leg, 0.02, b.d - 1.2 * leg), wood, 0.25 * b.h)


def _lower_shelf(b: Bench, size: tuple[float, float, float], material: Material, y: float) -> None:
    """A board below the top, where nothing that stands under the table is in its way."""
    w, h, d = size
    if not b.holds_within((-w / 2, y, -d / 2), (w / 2, y + h, d / 2)):
        b.block("lower shelf", size, material, (0, y, 0))


def _glass_table(b: Bench) -> None:
    metal, glass = b.mat.fitting(), b.mat.glass()
    thick, bar = min(0.015, 0.1 * b.h), min(0.03, 0.08 * min(b.w, b.d))
    b.block("glass top", (b.w, thick, b.d), glass, (0, b.h - thick, 0), radius=0.004)
    b.legs(metal, b.h - thick, bar, bar)
    _apron(b, metal, b.h - thick, bar, bar)
    if b.chance(0.5):
        _lower_shelf(b, (b.w - 2 * bar, thick, b.d - 2 * bar), b.mat.wood(), 0.3 * b.h)


def _pedestal_or_legs(b: Bench) -> None:
    wood = b.mat.wood()
    top = wood if b.chance(0.6) else b.mat.marble()
    thick = min(0.04, 0.1 * b.h)
    _top(b, top, thick, round_=True)
    if b.chance(0.5):
        r = min(b.w, b.d) / 2
        profile = [
            (0.6 * r, 0),
            (0.55 * r, 0.04 * b.h),
            (0.16 * r, 0.12 * b.h),
            (0.12 * r, 0.5 * b.h),
            (0.2 * r, b.h - thick),
        ]
        b.add("pedestal", lathe(profile, wood, sides=20))
        b.add("foot ring", cylinder(0.62 * r, 0.02 * b.h, b.mat.iron(), sides=20))
        return
    for k, (sx, sz) in enumerate([(1, 1), (-1, 1), (-1, -1), (1, -1)], start=1):
        path = [(sx * b.w * 0.24, b.h - thick, sz * b.d * 0.24), (sx * b.w * 0.34, 0, sz * b.d * 0.34)]
        b.add(f"leg {k}", tube(path, [0.028, 0.016], wood, sides=10))
    b.block("cross bar", (b.w * 0.5, 0.04, 0.03), wood, (0, b.h - thick - 0.04, 0))
    b.block("cross bar 2", (0.03, 0.04, b.d * 0.5), wood, (0, b.h - thick - 0.04, 0))


def dining_table(b: Bench) -> None:
    """A long table with legs and apron, a trestle table, or a round pedestal table."""
    if abs(b.w - b.d) < 0.12 * b.w and b.chance(0.6):
        _pedestal_or_legs(b)
        return
    wood = b.mat.wood()
    painted = b.mat.paint() if b.chance(0.35) else wood
    thick, leg = min(0.045, 0.1 * b.h), min(0.075, 0.12 * min(b.w, b.d))
    _top(b, wood, thick, round_=False)
    if b.chance(0.75):
        b.legs(painted, b.h - thick, leg * 0.7, leg, round_=b.chance(0.4))
        _apron(b, painted, b.h - thick, 0.09 * b.h + 0.02, leg * 0.7)
        return
    for side, sign in (("left", 1), ("right", -1)):
        x = sign * 0.36 * b.w
        b.block(f"{side} trestle post", (leg, b.h - thick, leg * 1.6), painted, (x, 0, 0))
        b.block(f"{side} trestle foot", (leg, 0.06, b.d * 0.8), painted, (x, 0, 0), radius=0.015)
        b.block(f"{side} trestle head", (leg, 0.06, b.d * 0.8), painted, (x, b.h - thick - 0.06, 0))
    b.block("stretcher", (0.72 * b.w, leg, leg * 0.5), painted, (0, 0.3 * b.h, 0))


def side_table(b: Bench) -> None:
    """A night stand with drawers, an open table with a drawer, or a small round table."""
    roll = b.rng.random()
    if b.order.within:
        _holding(b)
    elif roll < 0.2 and abs(b.w - b.d) < 0.2 * b.w:
        _pedestal_or_legs(b)
    elif roll < 0.35:
        _shelf_table(b)
    else:
        _night_stand(b, open_below=roll < 0.7)


def _holding(b: Bench) -> None:
    """An open table for what stands in it: on legs where all of that stands on the floor, else with boards."""
    if all(low[1] < _ON_FLOOR_M for low, _ in b.order.within):
        _shelf_table(b)
        return
    wood, thick = b.mat.wood(), min(0.03, 0.08 * b.h)
    _top(b, wood if b.chance(0.6) else b.mat.paint(), thick, round_=False)
    open_case(b, "case", (0.02 - b.w / 2, b.w / 2 - 0.02), b.h - thick, wood, 0.022)


def _night_stand(b: Bench, open_below: bool) -> None:
    body = b.mat.cabinetry()
    top = body if b.chance(0.5) else b.mat.wood()
    pull, style, knob = b.mat.fitting(), b.pick(STYLES), b.chance(0.5)
    thick, leg = min(0.025, 0.08 * b.h), min(0.05, 0.15 * min(b.w, b.d))
    face, depth = b.d / 2 - 0.045, b.d - 0.05
    b.block("top", (b.w, thick, b.d), top, (0, b.h - thick, 0), radius=0.006)
    low = 0.55 * b.h if open_below else 0.16 * b.h
    high = b.h - thick
    b.block("case", (b.w - 0.03, high - low, depth), body, (0, low, face - depth / 2))
    rows = 1 if open_below else max(1, min(4, round((high - low) / 0.2)))
    drawers(b, "drawer", (b.w - 0.05, high - low - 0.02), rows, (0, low + 0.01, face), body, pull, style, knob)
    b.legs(body, low + 0.01, leg, leg, round_=not open_below and b.chance(0.5))
    if open_below:
        b.block("lower shelf", (b.w - leg, 0.02, b.d - leg), top, (0, 0.16 * b.h, 0))


def desk(b: Bench) -> None:
    """A top on a drawer pedestal and a side panel or metal legs; tall boxes get a hutch above the top."""
    body = b.mat.cabinetry()
    top = body if b.chance(0.5) else b.mat.wood()
    height = _worktop_height(b)
    thick = min(0.035, 0.1 * height)
    b.block("top", (b.w, thick, b.d), top, (0, height - thick, 0), radius=0.006)
    under, width = height - thick, min(0.42, 0.36 * b.w)
    sides = [-1, 1] if b.w > 1.5 and b.chance(0.5) else [b.pick([-1, 1])]
    pull, style, knob = b.mat.fitting(), b.pick(STYLES), b.chance(0.4)
    sides = _free_sides(b, sides, width, under)
    for k, sign in enumerate(sides, start=1):
        x, depth = sign * (b.w / 2 - width / 2 - 0.02), b.d - 0.09
        if b.holds_within((x - width / 2, 0.0, -b.d / 2), (x + width / 2, under, b.d / 2)):
            open_case(b, f"pedestal {k}", (x - width / 2, x + width / 2), under, body, 0.02)
            continue
        b.block(f"pedestal {k}", (width, under, depth), body, (x, 0, -0.02))
        face = (x, 0.03, -0.02 + depth / 2)
        drawers(b, f"drawer {k}", (width - 0.02, under - 0.04), 3, face, body, pull, style, knob)
    if len(sides) == 1:
        x = -sides[0] * (b.w / 2 - 0.03)
        if b.chance(0.5):
            b.block("side panel", (0.03, under, b.d - 0.06), body, (x, 0, 0))
        else:
            for k, z in enumerate((-1, 1), start=1):
                b.add(f"leg {k}", cylinder(0.02, under, b.mat.chrome(), sides=10), x, 0, z * (b.d / 2 - 0.06))
    panel = (b.w - 0.08, 0.4 * under, 0.018)
    if not b.holds_within((-panel[0] / 2, 0.58 * under, -b.d / 2), (panel[0] / 2, under, -b.d / 2 + 0.06)):
        b.block("modesty panel", panel, body, (0, under * 0.58, -b.d / 2 + 0.05))
    if height < b.h:
        _hutch(b, body, height)


def _worktop_height(b: Bench) -> float:
    """At which height a desk's top is: where most things on it lie, else as its box is high; the rest is a hutch."""
    level = b.usual_level(min(0.4 * b.h, 0.5), b.h + 0.02)
    if level is not None:
        return b.h if level > b.h - 0.02 else level
    return b.h if b.h < 0.95 else min(0.75, 0.6 * b.h)


def _free_sides(b: Bench, sides: list[int], width: float, under: float) -> list[int]:
    """Where a desk's pedestals go: not over what stands on the floor, if the other end is free."""

    def taken(sign: int) -> bool:
        near, far = sorted((sign * (b.w / 2 - width - 0.02), sign * b.w / 2))
        return b.holds_within((near, 0.0, -b.d / 2), (far, under, b.d / 2))

    if len(sides) == 1 and taken(sides[0]) and not taken(-sides[0]):
        return [-sides[0]]
    return sides


def _hutch(b: Bench, body: Material, base: float) -> None:
    tall, deep = b.h - base, min(0.3, 0.5 * b.d)
    z = -b.d / 2 + deep / 2
    for k, sign in enumerate((-1, 1), start=1):
        b.block(f"hutch side {k}", (0.025, tall, deep), body, (sign * (b.w / 2 - 0.0125), base, z))
    b.block("hutch back", (b.w - 0.05, tall, 0.012), body, (0, base, -b.d / 2 + 0.006))
    for k in range(2):
        b.block(f"hutch shelf {k + 1}", (b.w - 0.05, 0.022, deep), body, (0, base + tall * (0.45 + 0.5 * k), z))


def counter_top(b: Bench) -> None:
    """A slab with a rounded front edge and a back splash strip; base panels below when the box is tall."""
    stone = b.mat.marble() if b.chance(0.65) else b.mat.wood()
    slab = b.h if b.h < 0.12 else 0.04
    y = b.h - slab
    nose = min(0.02, 0.1 * b.d)
    b.block("slab", (b.w, slab, b.d - nose), stone, (0, y, -nose / 2))
    b.add("front edge", rounded_box((b.w, slab, nose * 2), stone, radius=slab * 0.45), 0, y, b.d / 2 - nose)
    if y <= 0:
        return
    body = b.mat.cabinetry()
    b.block("base", (b.w - 0.02, y - 0.08, b.d - 0.04), body, (0, 0.08, -0.01))
    b.block("plinth", (b.w - 0.04, 0.08, b.d - 0.12), b.mat.paint((0.15, 0.14, 0.14)), (0, 0, -0.03))


def cart(b: Bench) -> None:
    """Two trays on a tube frame with wheels."""
    metal, shelf = b.mat.fitting(), b.mat.wood()
    bar = min(0.025, 0.1 * min(b.w, b.d))
    for k, share in enumerate((0.15, 0.55, 0.93), start=1):
        b.block(f"tray {k}", (b.w * 0.94, 0.025, b.d * 0.94), shelf, (0, share * b.h, 0), radius=0.005)
    places = [(sx * (b.w / 2 - bar), sz * (b.d / 2 - bar)) for sx in (-1, 1) for sz in (-1, 1)]
    for k, (x, z) in enumerate(places, start=1):
        b.add(f"post {k}", cylinder(bar / 2, 0.92 * b.h, metal, sides=8), x, 0.08 * b.h, z)
        b.add(
            f"wheel {k}", cylinder(0.045 * b.h, bar, b.mat.rubber(), sides=12), x - bar / 2, 0.045 * b.h, z, z_deg=-90
        )


BUILDERS: dict[str, Builder] = {
    "CoffeeTable": coffee_table,
    "DiningTable": dining_table,
    "SideTable": side_table,
    "Desk": desk,
    "CounterTop": counter_top,
    "Cart": cart,
}
