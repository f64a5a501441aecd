"""Pictures for people: overlays of masks with names, captions, sheets of tiles. RGB uint8 in, RGB uint8 out."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from saom_bench.errors import SaomBenchError
from saom_bench.types import BoolMask, RgbImage

Color = tuple[int, int, int]
_BACKGROUND: Color = (24, 26, 30)
_TEXT: Color = (236, 238, 240)


def color_of(index: int) -> Color:
    """A vivid colour for an index: the hues step by the golden ratio, so that neighbours differ."""
    hue = int((index * 0.61803398875 % 1.0) * 180)
    value = 255 if index % 2 == 0 else 215
    hsv = np.array([[[hue, 190, value]]], np.uint8)
    red, green, blue = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0]
    return int(red), int(green), int(blue)


def overlay(
    rgb: RgbImage,
    masks: Sequence[BoolMask],
    names: Sequence[str | None] | None = None,
    colors: Sequence[Color] | None = None,
    alpha: float = 0.5,
) -> RgbImage:
    """Draw (H, W) masks over an (H, W, 3) picture, larger ones first, with outlines, and names where given."""
    chosen = [color_of(i) for i in range(len(masks))] if colors is None else list(colors)
    order = sorted(range(len(masks)), key=lambda i: -int(masks[i].sum()))
    picture = rgb.astype(np.float32)
    for i in order:
        picture[masks[i]] = (1 - alpha) * picture[masks[i]] + alpha * np.array(chosen[i], np.float32)
    drawn: RgbImage = picture.astype(np.uint8)
    for i in order:
        outline, _ = cv2.findContours(masks[i].astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(drawn, outline, -1, chosen[i], 1, cv2.LINE_AA)
    if names is None:
        return drawn
    image = Image.fromarray(drawn)
    pen = ImageDraw.Draw(image)
    font = _font(max(10, rgb.shape[0] // 36))
    for i in order:
        name = names[i]
        if name and masks[i].any():
            _label(pen, masks[i], name, font, image.size)
    return np.asarray(image)


def captioned(rgb: RgbImage, caption: str) -> RgbImage:
    """The picture with a line of text above it."""
    size = max(12, min(rgb.shape[1] // 32, rgb.shape[0] // 12))
    bar = Image.new("RGB", (rgb.shape[1], int(size * 1.7)), _BACKGROUND)
    ImageDraw.Draw(bar).text((size // 2, size // 4), caption, fill=_TEXT, font=_font(size))
    return np.concatenate([np.asarray(bar), rgb], axis=0)


def sheet(tiles: Sequence[RgbImage], columns: int, gap: int = 6) -> RgbImage:
    """Lay pictures out in rows of ``columns``; tiles of unlike sizes are centred in equal cells."""
    height = max(t.shape[0] for t in tiles)
    width = max(t.shape[1] for t in tiles)
    rows = -(-len(tiles) // columns)
    canvas: NDArray[np.uint8] = np.empty(
        (rows * height + (rows + 1) * gap, columns * width + (columns + 1) * gap, 3), np.uint8
    )
    canvas[:] = _BACKGROUND
    for i, tile in enumerate(tiles):
        top = gap + (i // columns) * (height + gap) + (height - tile.shape[0]) // 2
        left = gap + (i % columns) * (width + gap) + (width - tile.shape[1]) // 2
        canvas[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return canvas


def shrink(rgb: RgbImage, max_side: int) -> RgbImage:
    """The picture with its longer side at most ``max_side`` pixels."""
    scale = max_side / max(rgb.shape[:2])
    if scale >= 1:
        return rgb
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    smaller: RgbImage = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    return smaller


def save(path: Path, rgb: RgbImage) -> None:
    """Write a PNG or, by the name's ending, a JPEG. Raises SaomBenchError where it cannot be written."""
    options = {"quality": 90} if path.suffix.lower() in {".jpg", ".jpeg"} else {"optimize": True}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rgb).save(path, **options)
    except OSError as error:
        raise SaomBenchError(f"{path} cannot be written ({error.strerror or error}); give another file") from error


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)


def _label(
    pen: ImageDraw.ImageDraw,
    mask: BoolMask,
    name: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    size_wh: tuple[int, int],
) -> None:
    # The pixel deepest inside the mask: a name there is never beside its object.
    depth = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    left, top, right, bottom = pen.textbbox((0, 0), name, font=font)
    width, height = right - left, bottom - top
    x0 = min(max(0, int(x) - width / 2), max(0, size_wh[0] - width - 4))
    y0 = min(max(0, int(y) - height / 2), max(0, size_wh[1] - height - 4))
    pen.rectangle((x0, y0, x0 + width + 4, y0 + height + 4), fill=(0, 0, 0))
    pen.text((x0 + 2 - left, y0 + 2 - top), name, fill=(255, 255, 255), font=font)
