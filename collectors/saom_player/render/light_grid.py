"""Every second pixel of every second row, where slow light is measured, and the way back to all pixels.

Shadows of soft lamps, contact shade and blurred reflections change slowly along a surface. They are measured on a grid
of a quarter of the pixels, a ray or a few each: neighbours use different rays of a 3 x 3 pattern, and a 3 x 3 mean over
neighbours on the same surface then averages all nine. Pixels on surfaces that the grid missed are measured one by one.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from saom_player.render.surface import part_of
from saom_player.render.tracing import Floats, Ints

PATTERN = 9
_SMOOTH_COSINE = 0.8


class LightGrid:
    """Which pixels are measured, smoothing between them, and the spread to all pixels of an (H, W) picture."""

    def __init__(self, keys: Ints, face_of: Callable[[NDArray[np.intp]], Floats]) -> None:
        """keys: (H, W) surface keys; ``face_of`` gives the planes' normals (3, n) at pixels."""
        self.shape = keys.shape
        height, width = keys.shape
        self._coarse = np.ascontiguousarray(keys[::2, ::2])
        rows, columns = self._coarse.shape
        borrowed, source, lost = self._sources(keys)
        self._borrowed, self._source = borrowed, source
        y, x = np.mgrid[0:height:2, 0:width:2]
        first = (y * width + x).ravel()
        self._same = self._alike(face_of(first).reshape(3, rows, columns))
        self.pixels: NDArray[np.intp] = np.concatenate([first, lost])
        """(S,) numbers of the measured pixels: the grid's, then those on surfaces it missed."""
        pattern = (np.arange(rows)[:, None] % 3) * 3 + np.arange(columns)[None] % 3
        self.pattern: NDArray[np.intp] = np.concatenate([pattern.ravel(), lost % PATTERN])
        """(S,) which of the pattern's nine rays each takes."""

    def _alike(self, face: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which grid neighbours, downwards and rightwards, lie on one smooth surface."""
        parts = part_of(self._coarse)
        down = (parts[1:] == parts[:-1]) & ((face[:, 1:] * face[:, :-1]).sum(0) > _SMOOTH_COSINE)
        right = (parts[:, 1:] == parts[:, :-1]) & ((face[:, :, 1:] * face[:, :, :-1]).sum(0) > _SMOOTH_COSINE)
        return down, right

    def _sources(self, keys: Ints) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Pixels that cannot interpolate the grid, the sample each takes instead, and those that need their own."""
        rows, columns = self._coarse.shape
        height, width = keys.shape
        near_y, near_x = np.arange(height) // 2, np.arange(width) // 2
        far_y, far_x = (
            np.minimum((np.arange(height) + 1) // 2, rows - 1),
            np.minimum((np.arange(width) + 1) // 2, columns - 1),
        )
        agree = np.ones(keys.shape, np.bool_)
        for y, x in ((near_y, near_x), (near_y, far_x), (far_y, near_x), (far_y, far_x)):
            agree &= self._coarse[y[:, None], x[None]] == keys
        mixed = np.nonzero(~agree.ravel())[0]
        y, x = np.divmod(mixed, width)
        wanted = keys.ravel()[mixed]
        source = np.full(len(mixed), -1, np.intp)
        # The same side of the part if any is near, else any side of it.
        for grid, value in ((self._coarse, wanted), (part_of(self._coarse), part_of(wanted))):
            for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1), (0, -1), (-1, 0)):
                at_y, at_x = np.clip((y + dy) // 2, 0, rows - 1), np.clip((x + dx) // 2, 0, columns - 1)
                fits = (source < 0) & (grid[at_y, at_x] == value)
                source[fits] = (at_y * columns + at_x)[fits]
        lost = source < 0
        source[lost] = rows * columns + np.arange(int(lost.sum()))
        return mixed, source, mixed[lost]

    def smoothed(self, samples: Floats, rounds: int = 1) -> Floats:
        """(C, S) samples, each the mean over its 3 x 3 neighbours on the same surface."""
        rows, columns = self._coarse.shape
        grid = samples[:, : rows * columns].reshape(-1, rows, columns)
        down, right = (same.astype(np.float32) for same in self._same)
        for _ in range(rounds):
            grid = mean_of_three(grid, down, axis=1)
            grid = mean_of_three(grid, right, axis=2)
        return np.concatenate([grid.reshape(len(samples), -1), samples[:, rows * columns :]], axis=1)

    def spread(self, samples: Floats) -> Floats:
        """(C, H * W) values of all pixels from (C, S) samples."""
        height, width = self.shape
        rows, columns = self._coarse.shape
        grid = samples[:, : rows * columns].reshape(-1, rows, columns)
        tall = _doubled(grid, height, axis=1)
        full = _doubled(tall, width, axis=2).reshape(len(samples), -1)
        full[:, self._borrowed] = samples[:, self._source]
        return full


def mean_of_three(grid: Floats, same: Floats, axis: int) -> Floats:
    """Mean of each value and its two neighbours along an axis, where those are on the same surface."""
    ahead: list[slice] = [slice(None)] * 3
    behind: list[slice] = [slice(None)] * 3
    ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
    count = np.ones(grid.shape[1:], np.float32)
    count[tuple(ahead[1:])] += same
    count[tuple(behind[1:])] += same
    total = grid.copy()
    total[tuple(ahead)] += grid[tuple(behind)] * same
    total[tuple(behind)] += grid[tuple(ahead)] * same
    return total / count


def _doubled(grid: Floats, length: int, axis: int) -> Floats:
    """Linear interpolation to twice the length: entry 2k is entry k."""
    shape = list(grid.shape)
    shape[axis] = length
    full = np.empty(shape, np.float32)
    even: list[slice] = [slice(None)] * 3
    odd: list[slice] = [slice(None)] * 3
    even[axis], odd[axis] = slice(0, None, 2), slice(1, None, 2)
    full[tuple(even)] = grid
    # Beyond the last entry is nothing to go towards.
    count, last = length // 2, grid.shape[axis] - 1
    before, after, between = ([slice(None)] * 3 for _ in range(3))
    before[axis], after[axis], between[axis] = (
        slice(0, min(count, last)),
        slice(1, min(count, last) + 1),
        slice(1, 2 * min(count, last), 2),
    )
    middle = full[tuple(between)]
    np.add(grid[tuple(before)], grid[tuple(after)], out=middle)
    middle *= np.float32(0.5)
    if count > last:
        ends, lasts = list(odd), list(odd)
        ends[axis], lasts[axis] = slice(2 * last + 1, None), slice(last, None)
        full[tuple(ends)] = grid[tuple(lasts)]
    return full
