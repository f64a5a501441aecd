"""Paper things and stationery: books, newspapers, tissue boxes, kitchen rolls, pens."""

import numpy as np

from saom_player.objects.orient import laid
from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes.mesh import Material
from saom_player.shapes.primitives import (
    Floats,
    box,
    cylinder,
    lathe,
    loft,
    moved,
    panel,
    rotated,
    rounded_box,
    sheet,
    superellipse,
)


def book(b: Bench) -> None:
    """Covers, page block, spine with a band; or lying open. The spine is at +x, the viewer's left."""
    cover = b.mat.motif("cover")
    cloth, pages = b.mat.paint(b.mat.color()), b.mat.paper((0.92, 0.89, 0.80))
    if b.boxed_open:
        _open_book(b)
        return
    board = max(0.07 * b.h, 0.0004)
    half = b.h / 2 - board
    # Open, the upper half of the book lies beside the lower one, upside down.
    hinge, print_ = (b.w / 2, b.h / 2, 0.0), b.mat.motif("newspaper")
    b.add("back cover", box((b.w, board, b.d), cloth))
    if b.travel:
        b.add("lower pages", box((0.95 * b.w, half, 0.95 * b.d), pages), -0.005 * b.w, board)
        b.add("right page", rotated(panel(0.93 * b.w, 0.95 * b.d, print_), x_deg=-90), 0, b.h / 2 + 3e-4, 0.475 * b.d)
    else:
        b.add("pages", box((0.95 * b.w, b.h - 2 * board, 0.95 * b.d), pages), -0.005 * b.w, board)
    picture = rotated(panel(0.97 * b.w, 0.985 * b.d, cover), x_deg=-90)
    with b.moving(hinge, turn_deg=(0, 0, -180.0)):
        b.add("front cover", box((b.w, board, b.d), cloth), 0, b.h - board)
        b.add("cover print", picture, 0, b.h * 1.002 + 1e-4, 0.4925 * b.d)
        if b.travel:
            b.add("upper pages", box((0.95 * b.w, half, 0.95 * b.d), pages), -0.005 * b.w, b.h / 2)
            sheet_ = rotated(panel(0.93 * b.w, 0.95 * b.d, print_), x_deg=90)
            b.add("left page", sheet_, 0, b.h / 2 - 3e-4, -0.475 * b.d)
    with b.moving(hinge, turn_deg=(0, 0, -90.0), shift=(0, -b.h / 2, 0)):
        b.add("spine", rounded_box((0.03 * b.w, b.h, b.d), cloth, radius=0.3 * b.h), 0.485 * b.w)
        if b.h > 0.015:
            title = panel(0.6 * b.d, 0.55 * b.h, b.mat.paint(b.mat.color()))
            b.add("spine title", rotated(title, y_deg=90), 0.5 * b.w + 1e-4, 0.22 * b.h)


def _open_book(b: Bench) -> None:
    pages, cloth = b.mat.motif("newspaper"), b.mat.paint(b.mat.color())
    for side, sign in (("left", 1), ("right", -1)):
        # Closed, the left half lies on the right one.
        with b.moving((0, b.h, 0), turn_deg=(0, 0, 180.0 if sign > 0 else 0)):
            _half_open_book(b, side, sign, cloth, pages)


def _half_open_book(b: Bench, side: str, sign: int, cloth: Material, pages: Material) -> None:
    b.add(f"{side} cover", box((b.w / 2, 0.1 * b.h, b.d), cloth), sign * b.w / 4)

    def page(u: Floats, v: Floats) -> tuple[Floats, Floats, Floats]:
        across = u if sign < 0 else 1 - u
        y = b.h * (0.12 + 0.88 * np.sin(np.pi * across**0.6) ** 0.8 * (1 - 0.5 * across))
        return sign * across * 0.48 * b.w, y, (v - 0.5) * 0.95 * b.d

    b.add(f"{side} page", sheet(page, 8, 2, pages, thickness=0.0008, picture=True))
    block = box((0.46 * b.w, 0.3 * b.h, 0.94 * b.d), b.mat.paper())
    b.add(f"{side} page block", block, sign * 0.24 * b.w, 0.05 * b.h)


def newspaper(b: Bench) -> None:
    """Folded and lying flat, or rolled with a band when the box is a stick."""
    page = b.mat.motif("newspaper")
    inner = b.mat.paper((0.84, 0.83, 0.79))
    if b.h > 0.35 * min(b.w, b.d):
        along_x = b.w > b.d
        length, turn = (b.w, 0.0) if along_x else (b.d, 90.0)
        r = min(b.h, min(b.w, b.d)) / 2
        roll = moved(lathe([(r, 0), (r, length)], page, sides=18, closed=False, wrap=2.0), 0, -length / 2)
        b.add("roll", rotated(rotated(roll, z_deg=90), y_deg=turn), 0, r)
        for k, share in enumerate((1.0, 0.7, 0.4), start=1):
            layer = moved(
                cylinder(share * r * 0.97, length * (1 - 0.01 * k), inner, sides=14), 0, -length / 2 * (1 - 0.01 * k)
            )
            b.add(f"layer {k}", rotated(rotated(layer, z_deg=90), y_deg=turn), 0, r)
        band = moved(cylinder(r * 1.02, 0.05 * length, b.mat.rubber((0.6, 0.2, 0.15)), sides=18), 0, -0.025 * length)
        b.add("band", rotated(rotated(band, z_deg=90), y_deg=turn), 0, r)
        return

    def front(u: Floats, v: Floats) -> tuple[Floats, Floats, Floats]:
        y = b.h * (0.62 + 0.3 * np.sin(np.pi * v) * (0.6 + 0.4 * np.cos(2 * u)))
        return (0.5 - u) * b.w, y, (v - 0.5) * b.d

    b.add("front page", sheet(front, 4, 8, page, thickness=0.08 * b.h, picture=True))
    b.block("inner pages", (0.98 * b.w, 0.45 * b.h, 0.97 * b.d), inner, (0, 0.12 * b.h, 0), radius=0.1 * b.h)
    b.block("back page", (b.w, 0.1 * b.h, 0.98 * b.d), b.mat.paper((0.80, 0.79, 0.75)), (0, 0, 0.01 * b.d))


def tissue_box(b: Bench) -> None:
    """A printed carton with an oval slot and a tissue standing out of it."""
    carton = b.mat.paint(b.mat.color(b.pick(["pastel", "accent"])))
    tall = 0.62 * b.h
    b.block("carton", (b.w, tall, b.d), carton, radius=0.004)
    print_ = b.mat.motif(b.pick(["label", "picture"]))
    b.add("front print", panel(0.9 * b.w, 0.7 * tall, print_), 0, 0.15 * tall, b.d / 2 + 0.0004)
    b.add("back print", panel(0.9 * b.w, 0.7 * tall, print_), 0, 0.15 * tall, -b.d / 2 - 0.0004, y_deg=180)
    slot = superellipse(0.3 * b.w, 0.22 * b.d, power=2, points=18)
    b.add("slot", loft([(tall * 0.99, slot), (tall * 1.01, slot)], b.mat.paint((0.25, 0.25, 0.27))))
    phase = b.uniform(0, 6)

    def tissue(u: Floats, v: Floats) -> tuple[Floats, Floats, Floats]:
        spread = 0.10 + 0.22 * v
        x = (0.5 - u) * 2 * spread * b.w
        y = tall * 0.95 + (b.h - tall * 0.95) * v * (0.72 + 0.28 * np.sin(9 * u + phase))
        return x, y, 0.16 * b.d * np.sin(7 * u + phase) * (0.4 + v)

    b.add("tissue", sheet(tissue, 10, 5, b.mat.paper((0.95, 0.95, 0.94)), thickness=0.001))


def paper_towel_roll(b: Bench) -> None:
    """A tall roll with its core on a stand, a loose end."""
    r, h = min(b.w, b.d) / 2, b.h
    stand = b.mat.wood() if b.chance(0.5) else b.mat.chrome()
    b.add("foot", cylinder(r, 0.035 * h, stand, sides=20, bevel=0.005))
    paper = b.mat.paper((0.95, 0.95, 0.94))
    b.add(
        "roll",
        lathe(
            [(0.26 * r, 0.05 * h), (0.92 * r, 0.05 * h), (0.92 * r, 0.93 * h), (0.26 * r, 0.93 * h)],
            paper,
            sides=22,
            closed=False,
        ),
    )
    b.add(
        "core",
        lathe(
            [(0.27 * r, 0.045 * h), (0.27 * r, 0.935 * h), (0.2 * r, 0.935 * h)],
            b.mat.cardboard(),
            sides=14,
            closed=False,
        ),
    )
    b.add(
        "loose end", box((0.02 * r, 0.87 * h, 0.9 * r), b.mat.paper((0.90, 0.90, 0.88))), 0.9 * r, 0.055 * h, -0.35 * r
    )
    b.add("rod", cylinder(0.1 * r, 0.96 * h, stand, sides=8), 0, 0.02 * h)
    b.add("finial", lathe([(0.1 * r, 0), (0.2 * r, 0.02 * h), (0.1 * r, 0.04 * h)], stand, sides=10), 0, 0.96 * h)


def pen(b: Bench) -> None:
    """Barrel, cap, clip and tip along z (or the longest side)."""
    _stick(b, pencil=False)


def pencil(b: Bench) -> None:
    """Six-sided lacquer, cut wood, lead, ferrule, rubber."""
    _stick(b, pencil=True)


def _stick(b: Bench, pencil: bool) -> None:
    along_x = b.w > b.d
    length = b.w if along_x else b.d
    r = min(b.h, b.d if along_x else b.w) / 2
    lacquer = b.mat.plastic(b.pick([(0.92, 0.70, 0.15), b.mat.color(), (0.1, 0.1, 0.3)]))
    shares = [
        ("rubber", 0.05, 0.8, 0.8, b.mat.rubber((0.85, 0.5, 0.5))), ("ferrule", 0.05, 0.85, 0.85, b.mat.brass()),
        ("barrel", 0.78, 1.0, 1.0, lacquer), ("cut wood", 0.09, 1.0, 0.35, b.mat.wood(1.0)),
        ("lead", 0.03, 0.35, 0.0, b.mat.iron()),
    ] if pencil else [
        ("cap", 0.36, 1.0, 1.0, lacquer), ("ring", 0.03, 0.97, 0.97, b.mat.chrome()),
        ("barrel", 0.53, 0.9, 0.85, b.mat.plastic((0.92, 0.92, 0.90))), ("tip", 0.08, 0.7, 0.1, b.mat.chrome()),
    ]  # fmt: skip
    z, turn = -length / 2, 90.0 if along_x else 0.0
    for name, share, low, high, material in shares:
        piece = rotated(
            cylinder(low * r, share * length, material, top_radius=high * r, sides=6 if pencil else 10), x_deg=90
        )
        b.add(name, rotated(moved(piece, z=z), y_deg=turn), 0, r)
        z += share * length
    if not pencil:
        clip = moved(box((0.4 * r, 0.25 * r, 0.3 * length), b.mat.chrome()), z=-0.33 * length)
        b.add("clip", rotated(clip, y_deg=turn), 0, 2 * r)


BUILDERS: dict[str, Builder] = {
    "Book": laid(book),
    "Newspaper": newspaper,
    "TissueBox": tissue_box,
    "PaperTowelRoll": paper_towel_roll,
    "Pen": pen,
    "Pencil": pencil,
}
