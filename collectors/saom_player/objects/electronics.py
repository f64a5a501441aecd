"""Electronics: laptops, televisions, desktops, remote controls, phones, discs, watches."""

import numpy as np

from saom_player.objects.orient import hung
from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes.mesh import Material
from saom_player.shapes.primitives import box, cylinder, disc, lathe, panel, ring, rotated, rounded_box, tube


def laptop(b: Bench) -> None:
    """Base with keyboard and touch pad, hinge, lid with bezel and screen; closed when the box is flat."""
    shell = b.mat.metal(b.pick([(0.72, 0.73, 0.75), (0.30, 0.31, 0.33), (0.16, 0.16, 0.17)]))
    black, thick = b.mat.plastic((0.05, 0.05, 0.055)), min(0.018, 0.35 * b.h)
    b.boxed_open = b.h >= 0.25 * b.d
    if not b.boxed_open:
        _closed_laptop(b, shell, black)
        return
    deep = 0.82 * b.d  # the lid leans back over the rest
    front = b.d / 2 - deep / 2
    b.add("base", rounded_box((b.w, thick, deep), shell, radius=0.4 * thick), 0, 0, front)
    keys = rotated(panel(0.9 * b.w, 0.52 * deep, b.mat.motif("keyboard")), x_deg=-90)
    b.add("keyboard", keys, 0, thick * 1.02, front + 0.12 * deep)
    b.add(
        "touch pad",
        box((0.28 * b.w, 0.001, 0.26 * deep), b.mat.metal(b.mat.jittered(shell.tint, 0.1))),
        0,
        thick,
        front + 0.30 * deep,
    )
    hinge_z = front - deep / 2 + 0.6 * thick
    b.add("hinge", cylinder(0.35 * thick, 0.8 * b.w, black, sides=8), 0.4 * b.w, thick, hinge_z, z_deg=90)
    rise, back = b.h - thick, b.d - deep
    tilt = float(np.degrees(np.arctan2(back, rise)))
    tall = float(np.hypot(rise, back)) * 0.995
    slim = 0.45 * thick
    closing = b.moving(
        (0.0, thick, hinge_z),
        turn_deg=(88.0 + tilt, 0, 0),
        scale=(1.0, deep / tall, 1.0),
        shift=(0, 0.7 * slim, 0),
        lean_deg=(-tilt, 0, 0),
    )
    with closing:
        b.add("lid", rounded_box((b.w, tall, slim), shell, radius=0.4 * slim), 0, thick, hinge_z, x_deg=-tilt)
        _display(b, black, (thick, hinge_z), (tall, slim), tilt)


def _display(b: Bench, black: Material, hinge: tuple[float, float], lid: tuple[float, float], tilt: float) -> None:
    """A laptop's bezel and screen, on a lid of some height and thickness that leans back from its hinge (y, z)."""
    (thick, hinge_z), (tall, slim) = hinge, lid
    for name, share, material, out in (("bezel", 0.975, black, 0.52), ("screen", 0.91, b.screen(0.8), 0.56)):
        height = tall * share
        lifted = panel(b.w * share, height, material)
        lean = np.radians(tilt)
        offset, up = out * slim, (tall - height) / 2
        place = (
            0.0,
            thick + up * np.cos(lean) + offset * np.sin(lean),
            hinge_z - up * np.sin(lean) + offset * np.cos(lean),
        )
        b.add(name, lifted, *(float(p) for p in place), x_deg=-tilt)


def _closed_laptop(b: Bench, shell: Material, black: Material) -> None:
    """Flat, to be opened: the lid's inner side shows then."""
    screen = b.screen(0.8)
    b.add("base", rounded_box((b.w, 0.5 * b.h, b.d), shell, radius=0.15 * b.h))
    b.add("gap", box((0.97 * b.w, 0.08 * b.h, 0.98 * b.d), black), 0, 0.48 * b.h)
    if b.travel:
        keys = rotated(panel(0.9 * b.w, 0.52 * b.d, b.mat.motif("keyboard")), x_deg=-90)
        b.add("keyboard", keys, 0, 0.565 * b.h, 0.1 * b.d)
    with b.moving((0, 0.54 * b.h, -b.d / 2), turn_deg=(-110.0, 0, 0)):
        b.add("lid", rounded_box((b.w, 0.45 * b.h, b.d), shell, radius=0.2 * b.h), 0, 0.54 * b.h)
        b.add("logo", disc(0.06 * b.w, b.mat.chrome(), sides=14), 0, b.h * 1.001, 0, x_deg=-90)
        if b.travel:
            b.add("screen", panel(0.91 * b.w, 0.88 * b.d, screen), 0, 0.535 * b.h, -0.44 * b.d, x_deg=90)


def television(b: Bench) -> None:
    """A flat screen on a stand, or on the wall when its box is thin."""
    black = b.mat.plastic((0.045, 0.045, 0.05))
    stand = b.d > 0.12
    foot = 0.12 * b.h if stand else 0.0
    thin = min(0.05, 0.9 * b.d)
    tall = b.h - foot
    z = 0.1 * b.d if stand else b.d / 2 - thin / 2
    b.add("casing", rounded_box((b.w, tall, thin), black, radius=0.008), 0, foot, z)
    edge = 0.025 * b.w
    b.add(
        "screen",
        panel(b.w - 2 * edge, tall - 2.6 * edge, b.screen(0.5)),
        0,
        foot + 1.5 * edge,
        z + thin / 2 + 0.002,
    )
    b.add("trim", box((0.96 * b.w, 0.012 * b.h, 0.004), b.mat.chrome()), 0, foot + 0.5 * edge, z + thin / 2)
    b.block(
        "back box",
        (0.5 * b.w, 0.5 * tall, max(b.d * 0.15, 0.01)),
        black,
        (0, foot + 0.2 * tall, z - thin / 2 - 0.04 * b.d),
    )
    if stand:
        b.add("foot", rounded_box((0.5 * b.w, 0.025 * b.h, b.d), b.mat.glass((0.08, 0.08, 0.09)), radius=0.006))
        b.block("neck", (0.12 * b.w, 0.16 * b.h, 0.03), black, (0, 0.02 * b.h, z - thin / 2))


def desktop(b: Bench) -> None:
    """Monitor, keyboard, mouse, tower."""
    black, w, h, d = b.mat.plastic((0.07, 0.07, 0.08)), b.w, b.h, b.d
    b.add("monitor", rounded_box((0.66 * w, 0.74 * h, 0.16 * d), black, radius=0.01), -0.14 * w, 0.26 * h, -0.2 * d)
    b.add("screen", panel(0.62 * w, 0.66 * h, b.screen(1.0)), -0.14 * w, 0.3 * h, -0.118 * d)
    b.block("neck", (0.08 * w, 0.3 * h, 0.08 * d), black, (-0.14 * w, 0.02 * h, -0.25 * d))
    b.add("foot", rounded_box((0.3 * w, 0.03 * h, 0.5 * d), black, radius=0.005), -0.14 * w, 0, -0.22 * d)
    b.block("tower", (0.22 * w, 0.85 * h, 0.95 * d), b.mat.metal((0.25, 0.26, 0.28)), (0.39 * w, 0, 0), radius=0.01)
    b.add(
        "power button",
        cylinder(0.02 * w, 0.01 * d, b.mat.glow((0.3, 0.6, 1.0), 1.0), sides=10),
        0.39 * w,
        0.75 * h,
        0.475 * d,
        x_deg=90,
    )
    b.block("keyboard body", (0.5 * w, 0.03 * h, 0.35 * d), black, (-0.18 * w, 0, 0.32 * d))
    b.add(
        "keyboard",
        rotated(panel(0.49 * w, 0.33 * d, b.mat.motif("keyboard")), x_deg=-90),
        -0.18 * w,
        0.032 * h,
        0.485 * d,
    )
    b.add("mouse", rounded_box((0.07 * w, 0.05 * h, 0.2 * d), black, radius=0.015, segments=2), 0.16 * w, 0, 0.35 * d)


def remote_control(b: Bench) -> None:
    """A slim handset with a button face and a red key."""
    shell = b.mat.plastic(b.pick([(0.08, 0.08, 0.085), (0.30, 0.31, 0.33), (0.80, 0.80, 0.79)]))
    b.add("body", rounded_box((b.w, 0.8 * b.h, b.d), shell, radius=0.3 * b.h, segments=2))
    face = rotated(panel(0.82 * b.w, 0.8 * b.d, b.mat.motif("buttons")), x_deg=-90)
    b.add("buttons", face, 0, 0.81 * b.h, 0.42 * b.d)
    b.add(
        "power key",
        cylinder(0.1 * b.w, 0.2 * b.h, b.mat.plastic((0.8, 0.12, 0.1)), sides=10),
        0.28 * b.w,
        0.78 * b.h,
        -0.44 * b.d,
    )
    b.add(
        "pad",
        ring(0.2 * b.w, 0.12 * b.w, b.mat.plastic((0.55, 0.55, 0.56)), sides=14, bar_sides=4),
        0,
        0.82 * b.h,
        -0.05 * b.d,
    )


def cell_phone(b: Bench) -> None:
    """A slab of glass in a coloured case, screen up."""
    case = b.mat.plastic(b.pick([(0.06, 0.06, 0.065), (0.85, 0.84, 0.82), b.mat.color()]))
    b.add("case", rounded_box((b.w, 0.94 * b.h, b.d), case, radius=0.3 * b.h, segments=2))
    b.add("glass", box((0.95 * b.w, 0.06 * b.h, 0.97 * b.d), b.mat.screen(lit=False)), 0, 0.93 * b.h)
    face = rotated(panel(0.88 * b.w, 0.84 * b.d, b.screen(0.6)), x_deg=-90)
    b.add("screen", face, 0, 1.005 * b.h, 0.42 * b.d)
    b.add("key", cylinder(0.08 * b.w, 0.04 * b.h, b.mat.chrome(), sides=10), 0, 0.98 * b.h, 0.455 * b.d)


def compact_disc(b: Bench) -> None:
    """A disc with a printed ring and a clear hub."""
    r = min(b.w, b.d) / 2
    b.add(
        "disc",
        lathe(
            [(0.14 * r, 0), (r, 0), (r, b.h), (0.14 * r, b.h), (0.14 * r, 0)], b.mat.chrome(), sides=28, closed=False
        ),
    )
    b.add("print", lathe([(0.94 * r, 1.02 * b.h), (0.4 * r, 1.02 * b.h)], b.mat.motif("cover"), sides=28, closed=False))
    b.add("hub", lathe([(0.3 * r, 1.03 * b.h), (0.15 * r, 1.03 * b.h)], b.mat.glass(), sides=20, closed=False))


def watch(b: Bench) -> None:
    """A wrist watch lying down: case, dial, strap in a loop, crown."""
    strap, metal = b.mat.leather(), b.mat.chrome() if b.chance(0.6) else b.mat.brass()
    r = min(0.3 * b.w, 0.42 * b.d)
    turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    loop = np.stack([b.w * 0.44 * np.cos(turn), b.h * 0.48 + 0.42 * b.h * np.sin(turn), 0 * turn], axis=1)
    b.add("strap", tube(loop, min(0.12 * b.d, 0.08 * b.h), strap, sides=5, closed=True))
    b.add(
        "case",
        lathe([(0.9 * r, 0), (r, 0.06 * b.h), (r, 0.16 * b.h), (0.88 * r, 0.2 * b.h)], metal, sides=18),
        0,
        0.8 * b.h,
    )
    b.add("dial", disc(0.86 * r, b.mat.motif("clock"), sides=18), 0, 1.005 * b.h, 0, x_deg=-90)
    b.add("crown", cylinder(0.12 * r, 0.2 * r, metal, sides=8), -r, 0.9 * b.h, 0, z_deg=90)
    b.add("buckle", box((0.12 * b.w, 0.1 * b.h, 0.45 * b.d), metal))


BUILDERS: dict[str, Builder] = {
    "Laptop": laptop,
    "Television": hung(television),
    "Desktop": desktop,
    "RemoteControl": remote_control,
    "CellPhone": cell_phone,
    "CD": compact_disc,
    "Watch": watch,
}
