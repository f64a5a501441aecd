"""Textures in linear light with all their mip levels, in three flat planes: one look-up serves any mix of textures."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from saom_player.render.tracing import Floats, Ints
from saom_player.surfaces.noise import SIZE
from saom_player.surfaces.textures import texture

_SMALLEST = 4
_SOFTER = np.float32(1.3)  # a slightly coarser level: joints between planks do not crawl
GAMMA = np.float32(2.2)


class TextureAtlas:
    """Samples textures by number: number k is ``keys[k]``, a recipe of textures.py or one of a scene's ``own``."""

    def __init__(self, keys: tuple[str, ...], own: Mapping[str, NDArray[np.uint8]]) -> None:
        levels = [np.stack([_picture(key, own) for key in keys]) ** GAMMA]
        while levels[-1].shape[1] > _SMALLEST:
            levels.append(_halved(levels[-1]))
        starts = np.cumsum([0, *(level.size // 3 for level in levels)])
        self._start = starts[:-1].astype(np.int32)
        flat = np.concatenate([level.reshape(-1, 3) for level in levels])
        self._planes = [np.ascontiguousarray(flat[:, k], np.float32) for k in range(3)]
        self.mean_color = levels[-1].mean((1, 2)).astype(np.float32)
        """(K, 3) each texture's mean, linear."""

    def sample(self, number: Ints, u: Floats, v: Floats, texels: Floats) -> Floats:
        """(3, n) linear colours, bilinear in the level where one texel is about one pixel.

        ``texels`` (n,): how many of level 0's texels a pixel spans.
        """
        level = (
            np.maximum(texels * _SOFTER, np.float32(1)).view(np.int32) >> 23
        ) - 127  # floor(log2), from the exponent bits
        np.minimum(level, np.int32(len(self._start) - 1), out=level)
        side = np.int32(SIZE) >> level
        x, y = _wrapped(u, side), _wrapped(v, side)
        column, row = np.floor(x), np.floor(y)
        right, down = x - column, y - row
        mask = side - 1
        x0, y0 = column.astype(np.int32), row.astype(np.int32)
        x1, y1 = (x0 + 1) & mask, (y0 + 1) & mask
        x0 &= mask
        y0 &= mask
        base = self._start.take(level) + number * (side * side)
        top, bottom = base + y0 * side, base + y1 * side
        left, up = 1 - right, 1 - down
        corners = (
            (top + x0, left * up),
            (top + x1, right * up),
            (bottom + x0, left * down),
            (bottom + x1, right * down),
        )
        color = np.zeros((3, len(u)), np.float32)
        for texel, weight in corners:
            index = texel.astype(np.intp)  # once, and not at each look-up
            for k in range(3):
                color[k] += self._planes[k].take(index) * weight
        return color


def _picture(key: str, own: Mapping[str, NDArray[np.uint8]]) -> Floats:
    """(256, 256, 3) sRGB in 0..1."""
    if key in own:
        return own[key][..., :3].astype(np.float32) / np.float32(255)
    return texture(key)


def _halved(level: Floats) -> Floats:
    """(K, S/2, S/2, 3) means of four texels each."""
    rows = level[:, ::2] + level[:, 1::2]
    return np.asarray((rows[:, :, ::2] + rows[:, :, 1::2]) * np.float32(0.25))


def _wrapped(coordinate: Floats, side: Ints) -> Floats:
    return (coordinate - np.floor(coordinate)) * side.astype(np.float32) - np.float32(0.5)
