"""Texture recipes with an up and a down (row 0 is the top): screens, clock faces, labels, pictures, the sky.

Each is (generator, variant) -> (S, S, 3) in 0..1. Lettering is suggested by bars: no font to differ.
"""

import colorsys

import numpy as np
from numpy.typing import NDArray

from saom_player.surfaces.noise import SIZE, FloatImage, grid, mix, noise, scaled, smooth_step

Color = tuple[float, float, float] | NDArray[np.float64]


class _Canvas:
    """A square of side 1 drawn at twice the size, then halved: edges come out smooth."""

    def __init__(self, ground: Color) -> None:
        side = 2 * SIZE
        line = (np.arange(side, dtype=np.float32) + 0.5) / side
        self.x, self.y = np.meshgrid(line, line)
        self.pixels = np.ones((side, side, 3), np.float32) * np.asarray(ground, np.float32)

    def fill(self, where: NDArray[np.bool_], color: Color) -> None:
        self.pixels[where] = color

    def rectangle(self, x0: float, y0: float, x1: float, y1: float, color: Color) -> None:
        left, top, right, bottom = (round(float(v) * 2 * SIZE) for v in (x0, y0, x1, y1))
        self.pixels[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = color

    def disc(self, x: float, y: float, radius: float, color: Color) -> None:
        self.fill(np.hypot(self.x - x, self.y - y) < radius, color)

    def words(self, rng: np.random.Generator, x0: float, x1: float, y: float, height: float, color: Color) -> None:
        """One line of text as bars of words' lengths."""
        x = x0
        while x < x1 - height:
            end = min(x1, x + height * rng.uniform(1.2, 4.5))
            self.rectangle(x, y, end, y + height, color)
            x = end + 0.8 * height

    def halved(self) -> FloatImage:
        return np.asarray(self.pixels.reshape(SIZE, 2, SIZE, 2, 3).mean((1, 3)), np.float32)


def _color(rng: np.random.Generator, saturation: tuple[float, float], value: tuple[float, float]) -> Color:
    return colorsys.hsv_to_rgb(float(rng.random()), float(rng.uniform(*saturation)), float(rng.uniform(*value)))


def rug(rng: np.random.Generator, variant: int) -> FloatImage:
    """One whole rug: border and field; variants alternate medallion, stripes, lattice."""
    canvas = _Canvas(_color(rng, (0.25, 0.55), (0.45, 0.75)))
    dark, pale = _color(rng, (0.3, 0.6), (0.22, 0.42)), _color(rng, (0.08, 0.25), (0.75, 0.92))
    x, y = canvas.x - 0.5, canvas.y - 0.5
    edge, diagonal = np.maximum(np.abs(x), np.abs(y)), np.abs(x) + np.abs(y)
    field = edge < 0.36
    if variant % 3 == 0:
        canvas.fill(field & ((diagonal * 12) % 1 < 0.3), pale)
        canvas.fill(np.hypot(x, y) < 0.16, dark)
        canvas.fill(np.hypot(x, y) < 0.11, pale)
    elif variant % 3 == 1:
        canvas.fill(field & ((y * 14) % 1 < 0.4), pale)
        canvas.fill(field & ((y * 14) % 1 > 0.85), dark)
    else:
        lattice = (np.abs(((x + y) * 9) % 1 - 0.5) < 0.08) | (np.abs(((x - y) * 9) % 1 - 0.5) < 0.08)
        canvas.fill(field & lattice, pale)
    canvas.fill((edge > 0.38) & (edge < 0.42), pale)
    canvas.fill(edge > 0.455, dark)
    return canvas.halved() * scaled(rng, 0.35, 0.1)


def keyboard(rng: np.random.Generator, variant: int) -> FloatImage:
    """A keyboard's face: rows of keys with a legend on each; odd variants are light."""
    deck, key, legend = ((0.20, 0.20, 0.21), (0.07, 0.07, 0.08), (0.75, 0.75, 0.75))
    if variant % 2:
        deck, key, legend = ((0.75, 0.75, 0.76), (0.93, 0.93, 0.93), (0.30, 0.30, 0.30))
    canvas = _Canvas(deck)
    for row in range(6):
        top, shift = 0.05 + row * 0.152, (0.0, 0.015, 0.03, 0.04, 0.05, 0.0)[row]
        lefts = [0.03 + shift + k * 0.067 for k in range(14) if 0.03 + shift + k * 0.067 < 0.92]
        for k, left in enumerate(lefts):
            wide = row == 5 and 4 <= k <= 8
            canvas.rectangle(left, top, left + (0.067 if wide and k < 8 else 0.056), top + 0.13, key)
            if not wide:
                canvas.rectangle(left + 0.012, top + 0.025, left + 0.028, top + 0.06, legend)
    return canvas.halved()


def screen(rng: np.random.Generator, variant: int) -> FloatImage:
    """A lit display: a desktop with windows (even variants) or a film still (odd)."""
    if variant % 2:
        return picture(rng, variant) * np.float32(0.9)
    canvas = _Canvas((0.2, 0.35, 0.6))
    canvas.pixels[:] = mix((0.16, 0.30, 0.55), (0.40, 0.62, 0.72), (canvas.x + canvas.y) / 2)
    for _ in range(3):
        x0, y0 = rng.uniform(0.04, 0.4, 2)
        x1, y1 = x0 + rng.uniform(0.3, 0.5), y0 + rng.uniform(0.25, 0.42)
        canvas.rectangle(x0, y0, x1, y1, (0.94, 0.94, 0.95))
        canvas.rectangle(x0, y0, x1, y0 + 0.035, _color(rng, (0.2, 0.6), (0.4, 0.7)))
        for y in np.arange(y0 + 0.06, y1 - 0.03, 0.035):
            canvas.words(rng, x0 + 0.025, x1 - rng.uniform(0.03, 0.15), float(y), 0.014, (0.38, 0.38, 0.42))
    canvas.rectangle(0, 0.94, 1, 1, (0.12, 0.13, 0.16))
    for k in range(6):
        canvas.rectangle(0.03 + 0.055 * k, 0.952, 0.065 + 0.055 * k, 0.988, _color(rng, (0.3, 0.7), (0.6, 0.9)))
    return canvas.halved()


def clock(rng: np.random.Generator, variant: int) -> FloatImage:
    """A clock's face with hands; variants 2, 5, 8, ...: a digital one with lit digits."""
    if variant % 3 == 2:
        return _digits(rng)
    dark = variant % 3 == 1
    face, ink = ((0.14, 0.14, 0.15), (0.92, 0.92, 0.90)) if dark else ((0.95, 0.94, 0.91), (0.10, 0.10, 0.11))
    canvas = _Canvas(face)
    x, y = canvas.x * 2 - 1, canvas.y * 2 - 1
    for mark in range(12):
        angle, length = mark * np.pi / 6, 0.22 if mark % 3 == 0 else 0.12
        _stroke(canvas, x, y, angle, 0.88 - length, 0.88, 0.045 if mark % 3 == 0 else 0.025, ink)
    hour = rng.uniform(0, 12)
    _stroke(canvas, x, y, hour * np.pi / 6, -0.1, 0.48, 0.045, ink)
    _stroke(canvas, x, y, hour % 1 * 2 * np.pi, -0.1, 0.75, 0.03, ink)
    canvas.disc(0.5, 0.5, 0.035, (0.7, 0.15, 0.12))
    return canvas.halved()


def _stroke(
    canvas: _Canvas, x: FloatImage, y: FloatImage, angle: float, start: float, end: float, width: float, color: Color
) -> None:
    """A radial bar; the angle runs clockwise from the top."""
    along, across = x * np.sin(angle) - y * np.cos(angle), x * np.cos(angle) + y * np.sin(angle)
    canvas.fill((np.abs(across) < width) & (along > start) & (along < end), color)


_SEGMENTS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")
_SEGMENT_BOXES = {
    "a": (0, 0, 1, 0.1), "d": (0, 0.9, 1, 1), "g": (0, 0.45, 1, 0.55),
    "f": (0, 0, 0.2, 0.5), "b": (0.8, 0, 1, 0.5), "e": (0, 0.5, 0.2, 1), "c": (0.8, 0.5, 1, 1),
}  # fmt: skip


def _digits(rng: np.random.Generator) -> FloatImage:
    canvas = _Canvas((0.05, 0.06, 0.06))
    hour, minute = int(rng.integers(1, 13)), int(rng.integers(60))
    lit = ((0.95, 0.25, 0.15), (0.3, 0.95, 0.6), (0.35, 0.75, 1.0))[int(rng.integers(3))]
    for place, digit in enumerate((hour // 10, hour % 10, minute // 10, minute % 10)):
        left = 0.08 + 0.20 * place + (0.08 if place > 1 else 0)
        for segment in _SEGMENTS[digit]:
            x0, y0, x1, y1 = _SEGMENT_BOXES[segment]
            canvas.rectangle(left + 0.14 * x0, 0.25 + 0.5 * y0, left + 0.14 * x1, 0.25 + 0.5 * y1, lit)
    canvas.rectangle(0.48, 0.38, 0.51, 0.42, lit)
    canvas.rectangle(0.48, 0.58, 0.51, 0.62, lit)
    return canvas.halved()


def newspaper(rng: np.random.Generator, variant: int) -> FloatImage:
    """A front page: a title, three columns, a grey photograph."""
    paper, ink = (0.87, 0.86, 0.82), (0.34, 0.34, 0.34)
    canvas = _Canvas(paper)
    canvas.words(rng, 0.08, 0.92, 0.045, 0.075, (0.10, 0.10, 0.10))
    canvas.rectangle(0.06, 0.145, 0.94, 0.152, ink)
    for column in range(3):
        left = 0.06 + 0.30 * column
        for y in np.arange(0.18, 0.95, 0.024):
            canvas.words(rng, left, left + 0.27 * float(rng.uniform(0.85, 1.0)), float(y), 0.010, ink)
    canvas.rectangle(0.35, 0.22, 0.65, 0.52, paper)
    page = canvas.halved()
    box = slice(int(0.23 * SIZE), int(0.51 * SIZE)), slice(int(0.36 * SIZE), int(0.64 * SIZE))
    page[box] = picture(rng, variant)[box].mean(-1, keepdims=True) * 0.9
    return page


def label(rng: np.random.Generator, variant: int) -> FloatImage:
    """A bottle's or packet's print that tiles round: ground colour, a band with a name, small print."""
    ground = np.asarray(_color(rng, (0.35, 0.75), (0.45, 0.85)))
    band = np.asarray(_color(rng, (0.05, 0.3), (0.85, 0.97)))
    canvas = _Canvas(ground)
    canvas.rectangle(0, 0.22, 1, 0.70, band)
    canvas.rectangle(0, 0.22, 1, 0.245, ground * 0.6)
    canvas.rectangle(0, 0.675, 1, 0.70, ground * 0.6)
    for left in (0.06, 0.56):
        canvas.words(rng, left, left + 0.38, 0.31, 0.10, ground * 0.45)
        canvas.words(rng, left, left + 0.30, 0.46, 0.035, (0.3, 0.3, 0.3))
        canvas.disc(left + 0.19, 0.59, 0.05, _color(rng, (0.5, 0.8), (0.6, 0.9)))
        canvas.words(rng, left, left + 0.34, 0.80, 0.02, band)
        canvas.words(rng, left, left + 0.30, 0.85, 0.02, band)
    return canvas.halved()


def picture(rng: np.random.Generator, variant: int) -> FloatImage:
    """A painting: a landscape, a still life of shapes, or a soft abstract, by variant."""
    if variant % 3 == 0:
        return _landscape(rng)
    canvas = _Canvas(_color(rng, (0.08, 0.25), (0.75, 0.92)))
    if variant % 3 == 1:
        for _ in range(9):
            x, y, radius = rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.9), rng.uniform(0.05, 0.2)
            color = _color(rng, (0.2, 0.6), (0.4, 0.85))
            if rng.random() < 0.5:
                canvas.disc(x, y, radius, color)
            else:
                canvas.rectangle(x - radius, y - radius * 0.7, x + radius, y + radius * 0.7, color)
        return canvas.halved() * scaled(rng, 0.12, 0.6)
    soft = mix(_color(rng, (0.2, 0.5), (0.6, 0.9)), _color(rng, (0.2, 0.5), (0.3, 0.7)), noise(rng, 2.2))
    for _ in range(3):
        soft = mix(soft, _color(rng, (0.2, 0.6), (0.4, 0.95)), smooth_step(noise(rng, 2.1), 0.58, 0.64))
    return soft * scaled(rng, 0.2, 0.5)


def _landscape(rng: np.random.Generator) -> FloatImage:
    x, y = grid()
    sky_top, sky_low = _color(rng, (0.2, 0.45), (0.55, 0.85)), _color(rng, (0.1, 0.35), (0.85, 0.98))
    scene = mix(sky_top, sky_low, y * 1.6)
    sun = np.hypot(x - rng.uniform(0.2, 0.8), y - rng.uniform(0.15, 0.35))
    scene = mix(scene, (0.98, 0.93, 0.78), 1 - smooth_step(sun.astype(np.float32), 0.06, 0.08))
    for layer in range(4):
        ridge = 0.42 + 0.13 * layer + 0.16 * (noise(rng, 2.2)[0][None] - 0.5)
        color = np.asarray(_color(rng, (0.25, 0.5), (0.55, 0.7))) * (1.0 - 0.17 * layer)
        scene = mix(scene, color, smooth_step((y - ridge).astype(np.float32), 0.0, 0.012))
    return scene * scaled(rng, 0.18, 0.7)


def cover(rng: np.random.Generator, variant: int) -> FloatImage:
    """A book's or box's front: title, author, a picture, a darker spine at the left."""
    ground = np.asarray(_color(rng, (0.2, 0.65), (0.3, 0.8)))
    ink = (0.95, 0.94, 0.90) if ground.mean() < 0.55 else (0.12, 0.12, 0.13)
    canvas = _Canvas(ground)
    canvas.words(rng, 0.16, 0.90, 0.10, 0.08, ink)
    canvas.words(rng, 0.16, 0.75, 0.22, 0.05, ink)
    canvas.words(rng, 0.16, 0.60, 0.90, 0.035, ink)
    front = canvas.halved()
    box = slice(int(0.34 * SIZE), int(0.82 * SIZE)), slice(int(0.16 * SIZE), int(0.90 * SIZE))
    front[box] = picture(rng, variant)[box]
    front[:, : int(0.07 * SIZE)] *= 0.6
    return front * scaled(rng, 0.05, 0.5)


def buttons(rng: np.random.Generator, variant: int) -> FloatImage:
    """A control panel: a small display over 3 x 4 round buttons, dark; odd variants light."""
    ground, key = ((0.86, 0.86, 0.85), (0.60, 0.60, 0.61)) if variant % 2 else ((0.10, 0.10, 0.11), (0.32, 0.32, 0.34))
    canvas = _Canvas(ground)
    canvas.rectangle(0.12, 0.06, 0.88, 0.22, (0.05, 0.12, 0.10))
    canvas.words(rng, 0.3, 0.8, 0.10, 0.07, (0.35, 0.85, 0.65))
    for row in range(4):
        for column in range(3):
            canvas.disc(0.22 + 0.28 * column, 0.34 + 0.18 * row, 0.065, key)
    canvas.disc(0.22, 0.34, 0.065, (0.75, 0.18, 0.15))
    return canvas.halved()


def sky(rng: np.random.Generator, variant: int) -> FloatImage:
    """A view out of a window: sky with clouds over a hazy line of trees; tiles along u only."""
    _, y = grid()
    scene = mix((0.52, 0.68, 0.90), (0.83, 0.89, 0.95), y * 1.4)
    scene = mix(scene, (0.97, 0.98, 0.99), smooth_step(noise(rng, 1.7, along=(1.6, 1.0)), 0.5, 0.85) * (1 - y))
    haze = 0.66 + 0.10 * (noise(rng, 1.9)[0][None] - 0.5)
    trees = 0.72 + 0.14 * (noise(rng, 1.3)[3][None] - 0.5)
    scene = mix(scene, (0.66, 0.76, 0.78), smooth_step((y - haze).astype(np.float32), 0.0, 0.02))
    green = mix((0.30, 0.42, 0.22), (0.48, 0.58, 0.34), noise(rng, 1.2))
    return mix(scene, green, smooth_step((y - trees).astype(np.float32), 0.0, 0.015))
