"""Tileable noise and mixing: the raw matter of textures.py. Pictures are (S, S, ...), S = SIZE, row 0 at the top."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

SIZE = 256

# Recipes may work in either precision; textures.texture() ends in bytes.
FloatImage = NDArray[np.floating[Any]]


@lru_cache(maxsize=1)
def _frequencies() -> tuple[FloatImage, FloatImage]:
    down = np.fft.fftfreq(SIZE)[:, None] * SIZE
    right = np.fft.rfftfreq(SIZE)[None] * SIZE
    return down.astype(np.float32), right.astype(np.float32)


def noise(
    rng: np.random.Generator, slope: float, along: tuple[float, float] = (1.0, 1.0), coarsest: float = 0.0
) -> FloatImage:
    """(S, S) noise in 0..1, mean 0.5, whose spectrum falls as frequency ** -slope.

    along: how much longer features are rightwards (columns) and downwards (rows). coarsest: waves per tile below which
    there is nothing, so that 12 gives grain without clouds.
    """
    down, right = _frequencies()
    frequency = np.hypot(down * along[1], right * along[0])
    weight = np.maximum(frequency, 1e-3) ** -slope
    weight[frequency < coarsest] = 0.0
    weight[0, 0] = 0.0
    white = rng.standard_normal((SIZE, SIZE), dtype=np.float32)
    shaped = np.fft.irfft2(np.fft.rfft2(white) * weight, s=(SIZE, SIZE))
    return np.clip(shaped / max(float(shaped.std()), 1e-9) * 0.22 + 0.5, 0.0, 1.0).astype(np.float32)


def grid() -> tuple[FloatImage, FloatImage]:
    """(x, y), each (S, S): pixel centres in 0..1, x rightwards, y downwards."""
    line = (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE
    x, y = np.meshgrid(line, line)
    return x.astype(np.float32), y.astype(np.float32)


def mix(first: ArrayLike, second: ArrayLike, share: FloatImage) -> FloatImage:
    """Blend two colours or (S, S, 3) pictures: 0 gives ``first``, 1 gives ``second``."""
    part = np.clip(share, 0.0, 1.0)[..., None]
    return np.asarray(np.asarray(first, np.float32) * (1 - part) + np.asarray(second, np.float32) * part)


def smooth_step(value: FloatImage, low: float, high: float) -> FloatImage:
    """0 below low, 1 above high, an S curve between."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def scaled(rng: np.random.Generator, amount: float, slope: float) -> FloatImage:
    """(S, S, 1) factor around 1 that varies by about +-amount/2."""
    return np.asarray(1 - amount / 2 + amount * noise(rng, slope), np.float32)[..., None]
