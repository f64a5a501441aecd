"""Textures in linear light with all their mip levels, in three flat planes: one look-up serves any mix of textures."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from saom_player.disk_cache import DiskCache
from saom_player.render.tracing import Floats, Ints
from saom_player.surfaces.noise import SIZE
from saom_player.surfaces.textures import texture

_SMALLEST = 4
_SOFTER = np.float32(1.3)  # a slightly coarser level: joints between planks do not crawl
GAMMA = np.float32(2.2)
_LINEAR = (np.arange(256, dtype=np.float32) / np.float32(255)) ** GAMMA


class TextureAtlas:
    """Samples textures by number: number k is ``keys[k]``, a recipe of textures.py or one of a scene's ``own``."""

    def __init__(
        self, keys: tuple[str, ...], own: Mapping[str, NDArray[np.uint8]], cache: DiskCache | None = None
    ) -> None:
        pictures = [own[key] if key in own else texture(key, cache) for key in keys]
        sides = 2 ** np.arange(SIZE.bit_length() - 1, _SMALLEST.bit_length() - 2, -1)
        self._start = (len(keys) * np.cumsum([0, *(sides**2)])[:-1]).astype(np.int32)
        channels = [_LINEAR.take(np.stack([picture[..., k] for picture in pictures])) for k in range(3)]
        self._planes, means = zip(*(_levels(channel, len(sides)) for channel in channels), strict=True)
        self.mean_color = np.stack(means, axis=1)
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


def _levels(level: Floats, count: int) -> tuple[Floats, Floats]:
    """One channel (K, S, S) and its next ``count`` - 1 halvings, flat one after another; (K,) means."""
    found = [level]
    for _ in range(count - 1):
        rows = level[:, ::2] + level[:, 1::2]
        level = (rows[:, :, ::2] + rows[:, :, 1::2]) * np.float32(0.25)
        found.append(level)
    return np.concatenate([level.ravel() for level in found]), level.mean((1, 2))


def _wrapped(coordinate: Floats, side: Ints) -> Floats:
    return (coordinate - np.floor(coordinate)) * side.astype(np.float32) - np.float32(0.5)
