"""Fast mode: exact mode's filters on fewer points: none where a sure mask lies already, none too close to another.

Points come in waves, from coarse to fine. What several sure masks cover needs no further point: an object on another
one is a hole in its mask, or was met by an earlier wave. Most points' masks pass no filter; where several in a
neighbourhood have failed by far, the ones between them are left out too. What all this loses is measured by
``benchmarks/perf/everything.py``.
"""

from saom_bench.sam import runtime

runtime.prepare()

from collections.abc import Callable  # noqa: E402

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from saom_bench.everything.boxes import box_nms  # noqa: E402
from saom_bench.everything.config import EverythingConfig  # noqa: E402
from saom_bench.everything.decoding import PointDecoder, Scored  # noqa: E402
from saom_bench.everything.exact import above, at_full_size, draw, stability_of  # noqa: E402
from saom_bench.everything.kept import KeptMasks, join  # noqa: E402
from saom_bench.everything.waves import spread, waves  # noqa: E402
from saom_bench.prompts import grid_points  # noqa: E402
from saom_bench.types import BoolMask, FloatArray  # noqa: E402

# A point is covered once this many sure masks say so: one alone may have swallowed a smaller object.
_ENOUGH_MASKS = 3
# Points nearer than this to one that was asked say the same. Distances are in lengths of the longer side, of which the
# encoder sees 64 cells.
_SAME = 7 / 1024
# Where so many hopeless points lie within this distance, more are not asked. Hopeless is one whose predicted IoUs or
# stabilities all fail by more than this.
_HOPELESS_POINTS, _HOPELESS_NEAR = 4, 36 / 1024
_HOPELESS_IOU, _HOPELESS_STABILITY = 0.03, 0.1
# The decoder's own resolution gives the stability to within this.
_SLACK = 0.03


def fast_masks(
    decoder: PointDecoder, grid: tuple[int, int], config: EverythingConfig, progress: Callable[[int], None] | None
) -> KeptMasks:
    """The masks of a grid's points, suppressed; ``progress`` counts points that were left out as done."""
    points_xy = grid_points(*grid, decoder.embedding.size_hw)
    pruning = _Pruning(decoder, points_xy, config)
    found = join([])
    for number, wave in enumerate(waves(grid, decoder.embedding.size_hw)):
        left, new = spread(wave, config.points_per_batch), [found]
        while left.size:
            asked, rest = pruning.next(left, config.points_per_batch)
            if asked.size:
                masks, hopeless = _ask(decoder, decoder.score(points_xy[asked]), config)
                new.append(masks)
                pruning.asked(asked, hopeless)
                if number > 0:
                    pruning.cover(masks)
            if progress is not None:
                progress(len(left) - len(rest))
            left = rest
        found = join(new)
        found = found.take(box_nms(found.boxes, found.predicted_iou, config.box_nms))
        if number == 0:  # asked whole, so that each of its masks is the best of several points'
            pruning.cover(found)
    return found


def _ask(decoder: PointDecoder, scored: Scored, config: EverythingConfig) -> tuple[KeptMasks, BoolMask]:
    """The masks of (N,) points that pass, and which points are (N,) hopeless."""
    drawn = draw(decoder, scored, config)
    hopeless = np.asarray(~above(scored.predicted_iou, config.pred_iou - _HOPELESS_IOU).any(axis=1))
    if not len(drawn.logits):
        return join([]), hopeless
    stability = stability_of(decoder.visible(drawn.logits), config.stability_offset)
    best = np.zeros(len(hopeless), np.float32)
    np.maximum.at(best, drawn.point, stability)
    hopeless[drawn.point] = best[drawn.point] < config.stability - _HOPELESS_STABILITY
    rows = np.flatnonzero(stability >= config.stability - _SLACK)
    return at_full_size(decoder, scored, drawn, rows, config), hopeless


class _Pruning:
    """Which points of the grid need not be asked any more."""

    def __init__(self, decoder: PointDecoder, points_xy: FloatArray, config: EverythingConfig) -> None:
        height, width = decoder.embedding.size_hw
        self._unit_xy = points_xy / max(height, width)
        self._pixel_xy = np.minimum(points_xy.astype(np.intp), (width - 1, height - 1))
        self._size_hw = height, width
        self._config = config
        self._done = np.zeros(len(points_xy), np.bool_)
        self._hopeless, self._covered = np.zeros((2, len(points_xy)), np.int32)

    def next(self, rows: NDArray[np.intp], count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The next ``count`` of the rows that are still worth asking, and those after them."""
        rows = rows[~self._done[rows]]
        return rows[:count], rows[count:]

    def asked(self, rows: NDArray[np.intp], hopeless: BoolMask) -> None:
        """Leave out points beside these, and where these make too many hopeless ones."""
        for (x, y), is_hopeless in zip(self._unit_xy[rows], hopeless, strict=True):
            away = np.hypot(self._unit_xy[:, 0] - x, self._unit_xy[:, 1] - y)
            self._done |= away < _SAME
            if is_hopeless:
                self._hopeless += away < _HOPELESS_NEAR
        self._done |= self._hopeless >= _HOPELESS_POINTS

    def cover(self, found: KeptMasks) -> None:
        """Leave out points that enough sure masks cover by now."""
        x, y = self._pixel_xy.T
        config = self._config
        sure = (found.predicted_iou >= config.sure_pred_iou) & (found.stability >= config.sure_stability)
        for row in np.flatnonzero(sure):
            x0, y0, x1, y1 = found.boxes[row]
            inside = np.flatnonzero(~self._done & (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1))
            mask = found.mask(int(row), self._size_hw)
            self._covered[inside[mask[y[inside], x[inside]]]] += 1
        self._done |= self._covered >= _ENOUGH_MASKS
