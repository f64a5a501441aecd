"""In which order fast mode asks a grid's points: a coarse grid first, then ever finer ones between its points."""

import numpy as np
from numpy.typing import NDArray

from saom_bench.types import Size

# The first wave's spacing in lengths of the longer side: 64 pixels of the encoder's 1,024, four of its cells.
_COARSEST = 1 / 16


def waves(grid: tuple[int, int], size_hw: Size) -> list[NDArray[np.intp]]:
    """Rows of ``prompts.grid_points(*grid, size_hw)``, each once, from the coarsest wave to the finest.

    Every wave halves the spacing of those before it. Spacings are in pixels, so that on a grid finer along x than
    along y the first waves are about as fine along both.
    """
    longest = max(size_hw) * _COARSEST
    pitches = size_hw[1] / grid[0], size_hw[0] / grid[1]
    strides = [_power_of_two(longest / pitch, count) for pitch, count in zip(pitches, grid, strict=True)]
    offsets = [stride // 2 for stride in strides]
    done = np.zeros((grid[1], grid[0]), np.bool_)
    found = []
    while True:
        wave = np.zeros_like(done)
        wave[offsets[1] % strides[1] :: strides[1], offsets[0] % strides[0] :: strides[0]] = True
        found.append(np.flatnonzero(wave & ~done))
        done |= wave
        if max(strides) == 1:
            return found
        coarsest = max(stride * pitch for stride, pitch in zip(strides, pitches, strict=True) if stride > 1)
        # An axis that is already much finer than the other waits for it.
        strides = [
            stride // 2 if stride > 1 and stride * pitch > coarsest * 0.7 else stride
            for stride, pitch in zip(strides, pitches, strict=True)
        ]


def _power_of_two(most: float, count: int) -> int:
    """The largest power of two that is at most ``most`` and leaves two points of ``count``; at least 1."""
    stride = 1
    while 2 * stride <= most and 4 * stride <= count:
        stride *= 2
    return stride


def spread(wave: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """The same points in an order in which ``count`` that follow each other lie far apart, so that what some find may
    spare others."""
    steps = -(-len(wave) // count)
    return np.concatenate([wave[first::steps] for first in range(steps)]) if steps else wave
