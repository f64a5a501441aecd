"""Every second pixel of every second row, where slow light is measured, and the way back to all pixels.

Shadows of soft lamps, contact shade and blurred reflections change slowly along a surface. They are measured on a grid
of a quarter of the pixels, a ray or a few each: neighbours use different rays of a 3 x 3 pattern, and a 3 x 3 mean over
neighbours on the same surface then averages all nine. Pixels on surfaces that the grid missed are measured one by one.
Large pictures have a wider grid: soft light has no finer detail there, seen at the same angle.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from saom_player.render.surface import part_of
from saom_player.render.tracing import Floats, Ints

PATTERN = 9
_SMOOTH_COSINE = 0.8
_ROWS_ENOUGH = 320


class LightGrid:
    """Which pixels are measured, smoothing between them, and the spread to all pixels of an (H, W) picture."""

    def __init__(self, keys: Ints, face_of: Callable[[NDArray[np.intp]], Floats]) -> None:
        """keys: (H, W) surface keys; ``face_of`` gives the planes' normals (3, n) at pixels."""
        self.shape = keys.shape
        height, width = keys.shape
        self._step = step = max(2, min(height, width) // _ROWS_ENOUGH)
        self._coarse = np.ascontiguousarray(keys[::step, ::step])
        rows, columns = self._coarse.shape
        mixed = np.nonzero(~self._agreeing(keys).ravel())[0]
        source = self._sources(keys.ravel()[mixed], *np.divmod(mixed, width))
        alone = source < 0
        source[alone] = rows * columns + np.arange(int(alone.sum()))
        self._borrowed, self._source, lost = mixed, source, mixed[alone]
        y, x = np.mgrid[0:height:step, 0:width:step]
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

    def _agreeing(self, keys: Ints) -> NDArray[np.bool_]:
        """(H, W) which pixels lie on one surface with all of the grid that they would interpolate."""
        coarse, step = self._coarse, self._step
        right = coarse[:, _ahead(coarse.shape[1])]
        down, across = coarse[_ahead(coarse.shape[0])], right[_ahead(coarse.shape[0])]
        agree = np.ones(keys.shape, np.bool_)
        for y in range(step):
            for x in range(step):
                own, same = keys[y::step, x::step], agree[y::step, x::step]
                around = [coarse] * (y + x > 0) + [right] * (x > 0) + [down] * (y > 0) + [across] * (y > 0 and x > 0)
                for grid in around:
                    same &= grid[: own.shape[0], : own.shape[1]] == own
        return agree

    def _sources(self, wanted: Ints, y: NDArray[np.intp], x: NDArray[np.intp]) -> NDArray[np.intp]:
        """(n,) the sample that pixels (y, x) of ``wanted`` keys take, which cannot interpolate the grid; or -1."""
        rows, columns = self._coarse.shape
        step = self._step

        def nearest_first(pixel: NDArray[np.intp], count: int) -> tuple[NDArray[np.intp], ...]:
            near = (pixel + (step - 1) // 2) // step
            other = pixel // step + (pixel + step - 1) // step - near
            return tuple(np.clip(at, 0, count - 1) for at in (near, other, near - 1))

        source = np.full(len(wanted), -1, np.intp)
        ways_y, ways_x = nearest_first(y, rows), nearest_first(x, columns)
        # The same side of the part if any is near, else any side of it.
        for grid, value in ((self._coarse, wanted), (part_of(self._coarse), part_of(wanted))):
            for way_y, way_x in ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0)):
                at = ways_y[way_y] * columns + ways_x[way_x]
                source = np.where((source < 0) & (grid.ravel().take(at) == value), at, source)
        return source

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
        # Rows first, while there are few: to write every second value is slow.
        wide = _stretched(grid, self._step, width, axis=2)
        full = _stretched(wide, self._step, height, axis=1).reshape(len(samples), -1)
        for plane, measured in zip(full, samples, strict=True):
            plane[self._borrowed] = measured.take(self._source)
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
    total *= 1 / count
    return total


def _ahead(count: int) -> NDArray[np.intp]:
    """Entries' numbers, each one's next; beyond the last is nothing to go towards."""
    return np.minimum(np.arange(1, count + 1), count - 1)


def _stretched(grid: Floats, step: int, length: int, axis: int) -> Floats:
    """Linear interpolation of (C, h, w) to ``length`` along an axis: entry step * k is entry k."""
    shape = list(grid.shape)
    shape[axis] = length
    full = np.empty(shape, np.float32)
    slope = (grid.take(_ahead(grid.shape[axis]), axis) - grid) * np.float32(1 / step)
    for phase in range(step):
        to, of = ([slice(None)] * 3 for _ in range(2))
        to[axis] = slice(phase, None, step)
        of[axis] = slice(0, full[tuple(to)].shape[axis])
        np.multiply(slope[tuple(of)], np.float32(phase), out=full[tuple(to)])
        full[tuple(to)] += grid[tuple(of)]
    return full
