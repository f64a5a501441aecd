"""Storage: cabinets, drawers, dressers, TV stands, shelves."""

from saom_player.objects.fronts import STYLES, carcass, doors, drawers, front, handle, open_case
from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes.mesh import Material
from saom_player.shapes.primitives import box, cylinder, frame, tube

_THIN_M = 0.09
"""Boxes of doors and drawers shallower than this are the front alone."""
_PULLED_SHARE, _PULLED_M = 0.75, 0.3
"""How far an open drawer comes out, as a share of its depth, and where its box is the front alone."""


def _joinery(b: Bench) -> tuple[Material, Material, str, bool]:
    """Board, handle material, front style, knobs: drawn first, so equal generators give a matching kitchen."""
    return b.mat.cabinetry(), b.mat.fitting(), b.pick(STYLES), b.chance(0.45)


def cabinet(b: Bench) -> None:
    """The door front with its handle; behind it, when the box is deep, an open-faced body with a dark gap."""
    body, pull, style, knob = _joinery(b)
    thin = b.d < _THIN_M
    depth = b.d * 0.35 if thin else b.d - 0.055
    face = -b.d / 2 + depth
    if not b.travel:
        carcass(b, body, 0, b.h, depth, name="body")
        b.block("gap", (b.w * 0.985, b.h * 0.99, 0.003), b.mat.paint((0.08, 0.07, 0.06)), (0, 0.005 * b.h, face))
    elif thin:
        b.add("body", frame(b.w, b.h, 0.018, depth, body), 0, 0, face - depth / 2)
    else:
        b.hollow("body", (b.w, b.h, depth), 0.018, body, body, (0, 0, face - depth / 2))
        for k, y in enumerate(b.shelves(0.018, b.h, 0.34), start=1):
            b.block(f"shelf {k}", (b.w - 0.04, 0.016, 0.9 * depth), body, (0, y - 0.016, face - 0.55 * depth))
    columns = 2 if b.w > 0.75 or (b.w > 1.4 * b.h and b.w > 0.5) else 1
    side = b.order.hinge or -1
    doors(b, "door", (b.w, b.h), columns, (0, 0, face + 0.003), body, pull, style, knob, side)
    if columns == 1:
        for k, share in enumerate((0.15, 0.85), start=1):
            hinge = cylinder(0.006, 0.05, pull, sides=6)
            b.add(f"hinge {k}", hinge, side * (b.w / 2 - 0.006), share * b.h - 0.025, face + 0.015)


def drawer(b: Bench) -> None:
    """A front with handle on a tray: bottom, sides and back, of lighter wood."""
    with b.moving(shift=(0.0, 0.0, _PULLED_SHARE * b.d if b.d >= _THIN_M else _PULLED_M)):
        _drawer(b)


def _drawer(b: Bench) -> None:
    wood, pull, style, knob = _joinery(b)
    inner = b.mat.wood()
    if b.d >= _THIN_M:
        depth = b.d - 0.06
        wall, z = 0.014, -b.d / 2 + depth / 2
        side = box((wall, b.h * 0.8, depth), inner)
        b.add_each("side", side, [(s * (b.w * 0.479 - wall / 2), 0.05 * b.h, z) for s in (-1, 1)])
        b.block("back", (b.w * 0.958, b.h * 0.8, wall), inner, (0, 0.05 * b.h, -b.d / 2 + wall / 2))
        b.block("bottom", (b.w * 0.958, wall * 0.7, depth), inner, (0, 0.05 * b.h, z))
        face = b.d / 2 - 0.06
    else:
        face = -b.d / 2
        b.block("tray", (b.w * 0.96, b.h * 0.85, b.d * 0.3), inner, (0, 0.06 * b.h, -b.d * 0.35))
        if b.travel:
            with b.outside():
                z = -b.d / 2 - _PULLED_M / 2
                b.block("bottom", (b.w * 0.9, 0.01, _PULLED_M), inner, (0.0, 0.06 * b.h, z))
                board = box((0.012, b.h * 0.8, _PULLED_M), inner)
                b.add_each("side", board, [(s * b.w * 0.45, 0.06 * b.h, z) for s in (-1, 1)])
    front(b, "front", (b.w, b.h), 0.022, wood, (0, 0, face), style)
    length = 0.05 if knob else min(0.18, 0.45 * b.w)
    handle(b, "handle", pull, (0, b.h / 2, face + 0.022), length, upright=False, knob=knob)


def dresser(b: Bench) -> None:
    """A chest: body, top plate, feet, columns of drawers, perhaps a pair of doors."""
    body = b.mat.cabinetry()
    top = body if b.chance(0.5) else b.mat.wood()
    pull, style, knob = b.mat.fitting(), b.pick(STYLES), b.chance(0.5)
    foot, thick = min(0.09, 0.1 * b.h), min(0.03, 0.05 * b.h)
    depth = b.d - 0.05
    b.block("top", (b.w, thick, b.d), top, (0, b.h - thick, 0), radius=0.006)
    if b.order.within:
        open_case(b, "case", (0.015 - b.w / 2, b.w / 2 - 0.015), b.h - thick, body, 0.022)
        return
    b.block("body", (b.w - 0.03, b.h - foot - thick, depth), body, (0, foot, -0.02))
    if b.chance(0.5):
        b.legs(top, foot + 0.01, 0.05, 0.06, round_=True)
    else:
        b.block("plinth", (b.w - 0.06, foot, depth - 0.04), top, (0, 0, -0.03))
    columns = 1 if b.w < 0.75 else 2 if b.w < 1.5 else 3
    rows = max(2, min(5, round((b.h - foot) / 0.22)))
    width, height = (b.w - 0.06) / columns, b.h - foot - thick - 0.02
    doored = b.count(0, columns - 1) if columns > 1 and b.chance(0.4) else -1
    for column in range(columns):
        at = (-(b.w - 0.06) / 2 + (column + 0.5) * width, foot + 0.01, depth / 2 - 0.02)
        if column == doored:
            doors(b, f"door {column + 1}", (width, height), 1, at, body, pull, style, knob)
        else:
            drawers(b, f"drawer {column + 1}", (width, height), rows, at, body, pull, style, knob)


def tv_stand(b: Bench) -> None:
    """A low board with a shelf for devices over drawers, or glass shelves on posts; open where things stand in it."""
    if b.order.within:
        body, top = b.mat.cabinetry(), b.mat.wood()
        b.block("top", (b.w, 0.03, b.d), top, (0, b.h - 0.03, 0), radius=0.005)
        open_case(b, "case", (0.01 - b.w / 2, b.w / 2 - 0.01), b.h - 0.03, body, 0.022)
        return
    if b.chance(0.25):
        metal, glass = b.mat.iron(), b.mat.glass((0.12, 0.14, 0.15))
        for k, share in enumerate((0.04, 0.5, 0.95), start=1):
            b.block(f"shelf {k}", (b.w, 0.02, b.d), glass, (0, share * b.h, 0), radius=0.004)
        b.legs(metal, b.h * 0.97, 0.05, 0.05, round_=True)
        b.block("back panel", (0.25 * b.w, 0.9 * b.h, 0.02), metal, (0, 0.04 * b.h, -b.d / 2 + 0.02))
        return
    body, pull = b.mat.cabinetry(), b.mat.fitting()
    style, knob, wall = b.pick(STYLES), b.chance(0.4), min(0.025, 0.1 * b.h)
    foot = 0.1 * b.h
    bay, face = (b.w - 2 * wall) / 3, b.d / 2 - 0.045
    depth = b.d - 0.05
    z = face - depth / 2
    b.block("top", (b.w, wall, b.d), b.mat.wood(), (0, b.h - wall, 0), radius=0.005)
    b.block("bottom", (b.w - 0.01, wall, depth), body, (0, foot, z))
    b.block("back", (b.w - 0.02, b.h - foot - wall, 0.01), body, (0, foot, -b.d / 2 + 0.01))
    for k, x in enumerate((-1.5, -0.5, 0.5, 1.5), start=1):
        b.block(f"wall {k}", (wall, b.h - foot - wall, depth), body, (x * bay, foot, z))
    b.block("middle shelf", (bay, wall * 0.8, depth), body, (0, foot + 0.45 * b.h, z))
    b.block("player", (bay * 0.7, 0.1 * b.h, depth * 0.6), b.mat.plastic((0.07, 0.07, 0.08)), (0, foot + wall, z))
    for k, sign in enumerate((-1, 1), start=1):
        at = (sign * bay, foot + wall, face)
        size = (bay - wall, b.h - foot - 2 * wall)
        if b.chance(0.5):
            doors(b, f"door {k}", size, 1, at, body, pull, style, knob)
        else:
            drawers(b, f"drawer {k}", size, 2, at, body, pull, style, knob)
    b.legs(body, foot + 0.005, 0.06, 0.05)


def shelf(b: Bench) -> None:
    """A wall board with brackets; boards and sides when the box is high."""
    wood, metal = b.mat.wood(), b.mat.fitting()
    board = min(0.03, 0.5 * b.h)
    if b.h < 0.45:
        b.block("board", (b.w, board, b.d), wood, (0, b.h - board, 0), radius=0.004)
        brace = min(b.h - board, 0.3)
        for k, sign in enumerate((-1, 1), start=1):
            x = sign * 0.36 * b.w
            b.block(f"bracket {k}", (0.02, brace, 0.012), metal, (x, b.h - board - brace, -b.d / 2 + 0.006))
            arm = [(x, b.h - board - brace * 0.9, -b.d / 2 + 0.01), (x, b.h - board, b.d * 0.25)]
            b.add(f"bracket arm {k}", tube(arm, 0.007, metal, sides=6))
        b.block("base line", (b.w * 0.9, min(0.02, 0.3 * b.h), 0.012), wood, (0, 0, -b.d / 2 + 0.006))
        return
    _boards(b, wood, max(2, min(4, round(b.h / 0.3) + 1)), back=b.chance(0.5))


def _boards(b: Bench, wood: Material, boards: int, back: bool) -> None:
    wall = min(0.025, 0.1 * b.w)
    b.add_each("side", box((wall, b.h, b.d), wood), [(s * (b.w - wall) / 2, 0.0, 0.0) for s in (-1, 1)])
    for k in range(boards):
        y = (b.h - wall) * k / (boards - 1)
        b.block(f"board {k + 1}", (b.w - 2 * wall, wall, b.d * 0.98), wood, (0, y, 0))
    if back:
        b.block("back", (b.w - 2 * wall, b.h, 0.008), b.mat.paint(), (0, 0, -b.d / 2 + 0.005))


def shelving_unit(b: Bench) -> None:
    """Book shelves of wood, or wire shelves on metal posts."""
    boards = max(3, min(6, round(b.h / 0.36) + 1))
    if b.chance(0.65):
        _boards(b, b.mat.wood() if b.chance(0.7) else b.mat.paint(), boards, back=b.chance(0.6))
        return
    metal, wood = b.mat.iron(), b.mat.wood()
    b.legs(metal, b.h, 0.02, 0.03)
    for k in range(boards):
        y = 0.05 * b.h + 0.9 * b.h * k / (boards - 1)
        b.block(f"board {k + 1}", (b.w * 0.98, 0.025, b.d * 0.95), wood, (0, y, 0))
    b.add(
        "cross brace",
        tube([(-b.w * 0.48, 0.1 * b.h, -b.d * 0.47), (b.w * 0.48, 0.85 * b.h, -b.d * 0.47)], 0.006, metal),
    )


BUILDERS: dict[str, Builder] = {
    "Cabinet": cabinet,
    "Drawer": drawer,
    "Dresser": dresser,
    "TVStand": tv_stand,
    "Shelf": shelf,
    "ShelvingUnit": shelving_unit,
}
