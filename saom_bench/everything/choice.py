"""Which points of a grid fast mode asks: those where the encoder sees the picture change.

Objects end, and small ones lie, where an image token differs from its neighbours; inside a wall one point says what the
next one does. So points are ranked by that contrast, and the first of them are asked, with a sparse lattice everywhere
else for what a flat stretch may be part of. All of it is known before the decoder runs, so the choice depends on
neither thresholds nor batches. What it loses is measured by ``benchmarks/perf/everything.py``.
"""

import math

import numpy as np
from numpy.typing import NDArray

from saom_bench.prompts import CELL_PX, grid_points
from saom_bench.types import FloatArray, Size

# The share of a grid that is asked. With a point a token or more, 40 % lose a few small objects and 45 % next to
# nothing; with fewer, each is more likely an object's only one, and the share grows as one over their root.
_SHARE = 0.45
# The decoder's work is about points times tokens, and where a token has many points they see the same: of a very fine
# grid so many products at most (on a 4:3 picture 4,100 points, four to three tokens), and so many points a token (on a
# panorama, which shows few tokens).
_MOST_WORK = 12_500_000
_MOST_A_TOKEN = 8
# Pixels of the encoder's input between points of the sparse lattice at most: four tokens.
_SPARSEST_PX = 64
# Spacings along x and y that differ by less than this factor count as equal.
_ALIKE = 1.5


def chosen_points(features: FloatArray, size_hw: Size, input_hw: Size, grid: tuple[int, int]) -> NDArray[np.intp]:
    """Rows of ``grid_points(*grid, size_hw)`` that are worth asking, in the grid's order.

    Args:
        features: (C, h, w), the encoder's.
        size_hw: the image.
        input_hw: the image in the encoder's input, before padding.
        grid: points along x and y.
    """
    contrast = _contrast(features[:, : -(-input_hw[0] // CELL_PX), : -(-input_hw[1] // CELL_PX)])
    tokens_xy = grid_points(*grid, size_hw) * (input_hw[1] / size_hw[1], input_hw[0] / size_hw[0]) / CELL_PX
    columns, rows = np.minimum(tokens_xy.astype(np.intp), (contrast.shape[1] - 1, contrast.shape[0] - 1)).T
    levels = lattice_levels(grid, input_hw)
    # Half of the points have each further level, so that a token has twice the points where its contrast is 1.2 times.
    # Smaller powers than this one leave more of the small objects out.
    priority = contrast[rows, columns] ** 4 * 2.0**levels
    priority[levels == levels.max()] = np.inf
    count = max(_count(priority.size, contrast.size), int(np.isinf(priority).sum()))
    return np.sort(np.argsort(-priority, kind="stable")[:count])


def _count(points: int, tokens: int) -> int:
    """How many of a grid's points are asked on an image that so many tokens show."""
    share = _SHARE / math.sqrt(min(1, points / tokens))
    return math.ceil(min(share * points, points, _MOST_WORK / tokens, _MOST_A_TOKEN * tokens))


def lattice_levels(grid: tuple[int, int], input_hw: Size) -> NDArray[np.int64]:
    """(nx * ny,) how many ever sparser lattices each point of a grid is on: 0 for those on none.

    Each lattice has half of the points of the one before, and is about as fine along x as along y: where it was, every
    second point goes as on a chess-board, then every second row with what is left of it.
    """
    y, x = np.indices((grid[1], grid[0]))
    levels = np.zeros(x.shape, np.int64)
    strides, pitches = np.array([1, 1]), np.array([input_hw[1] / grid[0], input_hw[0] / grid[1]])
    while 2 * (strides * pitches).min() <= _SPARSEST_PX:
        spacing = strides * pitches
        if spacing.max() < _ALIKE * spacing.min():
            on_board = (x // strides[0] + y // strides[1]) % 2 == 0
            levels += (x % strides[0] == 0) & (y % strides[1] == 0) & on_board
            strides *= 2
        else:
            strides[spacing.argmin()] *= 2
        levels += (x % strides[0] == 0) & (y % strides[1] == 0)
    return levels.ravel()


def _contrast(features: FloatArray) -> FloatArray:
    """(h, w) the largest squared distance of each of (C, h, w) tokens to one of its eight neighbours."""
    _, height, width = features.shape
    contrast = np.zeros((height, width), np.float32)
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        one = slice(0, height - down), slice(max(0, -right), width - max(0, right))
        other = slice(down, height), slice(max(0, right), width + min(0, right))
        away = np.square(features[:, *one] - features[:, *other]).sum(axis=0)
        for place in (one, other):
            contrast[place] = np.maximum(contrast[place], away)
    return contrast
