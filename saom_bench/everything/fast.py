"""Fast mode: exact mode on the few points that have something new to say.

``choice`` leaves out points where the picture does not change. The others are asked on ``merging``'s fewer tokens,
which gives hints: masks that may pass. Then the points of the best hints are asked on all tokens, a batch at a time,
until each hint that is left has a better likeness among the masks that stay. Of some objects few points show a mask
that passes: where a hint came to nothing, the points beside it that were left out are asked, too. So what is kept is
drawn as exact mode draws it; what is lost with the other points is measured by ``benchmarks/perf/everything.py``.
"""

from saom_bench.sam import runtime

runtime.prepare()

from collections.abc import Callable  # noqa: E402
from dataclasses import dataclass, replace  # noqa: E402

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from saom_bench.everything.boxes import IntBoxes, box_ious, box_nms, inclusive_boxes  # noqa: E402
from saom_bench.everything.choice import chosen_points  # noqa: E402
from saom_bench.everything.config import EverythingConfig  # noqa: E402
from saom_bench.everything.decoding import PointDecoder  # noqa: E402
from saom_bench.everything.exact import draw, exact_masks, stability_of  # noqa: E402
from saom_bench.everything.kept import KeptMasks, join  # noqa: E402
from saom_bench.prompts import grid_points  # noqa: E402
from saom_bench.types import FloatArray  # noqa: E402

# Merged tokens give the predicted IoU to within this for nine of ten masks (a mask scorer's to within 0.02), and only
# those that come near the threshold matter.
_IOU_SLACK = 0.015
# They, and the decoder's own resolution, give the stability to within this by the root of the mask's area in logits,
# since it is the edge that is coarse.
_EDGE_SLACK = 0.8
# What a mask suppresses needs no asking. But its box alone does not tell that: small masks may have a stray pixel that
# they lose at the image's size, so areas must be about equal too.
_SAME_AREA = 0.7
# Screening is about this share of the work.
_SCREENING = 0.75
_IsCut = Callable[[IntBoxes | FloatArray], NDArray[np.bool_]]


def fast_masks(
    decoder: PointDecoder,
    grid: tuple[int, int],
    config: EverythingConfig,
    progress: Callable[[int], None] | None,
    is_cut: _IsCut | None = None,
) -> KeptMasks:
    """Masks of a grid's points that pass both filters, without most of those that the suppression would drop.

    Args:
        decoder: of one image.
        grid: points along x and y.
        config: the filters and the suppression.
        progress: called with points that are done, those that are left out among them; the last quarter comes at once.
        is_cut: which of (N, 4) boxes are dropped before the suppression, as those that a crop's edge cuts are.
    """
    embedding, points = decoder.embedding, grid[0] * grid[1]
    features = embedding.features.float().cpu().numpy()
    chosen = chosen_points(features, embedding.size_hw, embedding.input_hw, grid)
    every_xy = grid_points(*grid, embedding.size_hw)
    points_xy = every_xy[chosen]
    screen, found, done = decoder.on_merged_tokens(), [], 0
    for first in range(0, len(points_xy), config.points_per_batch):
        rows = np.arange(first, min(first + config.points_per_batch, len(points_xy)))
        hints = _screened(screen, points_xy, rows, config)
        found.append(hints.take(~is_cut(hints.boxes)) if is_cut else hints)
        if progress is not None:
            before, done = done, int(_SCREENING * points * (rows[-1] + 1) / len(points_xy))
            progress(done - before)
    hints = _joined(found)
    masks = _asked(decoder, points_xy, hints, config, is_cut)
    vain = chosen[hints.point[np.isinf(_best_likeness(hints, masks, masks.areas_px(), config.box_nms))]]
    beside = every_xy[_left_out_beside(vain, chosen, grid)]
    masks = join([masks, _uncut(exact_masks(decoder, beside, config, None), is_cut)])
    if progress is not None:
        progress(points - done)
    return masks


@dataclass(frozen=True)
class _Hints:
    """N masks that may pass, as merged tokens show them."""

    point: NDArray[np.intp]
    """(N,) whose mask it is."""
    boxes: FloatArray
    """(N, 4) inclusive, in the image."""
    areas: FloatArray
    """(N,) pixels of the image."""
    predicted_iou: FloatArray

    def __len__(self) -> int:
        return len(self.point)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> "_Hints":
        """Some rows, in the given order."""
        return _Hints(self.point[rows], self.boxes[rows], self.areas[rows], self.predicted_iou[rows])


def _screened(screen: PointDecoder, points_xy: FloatArray, rows: NDArray[np.intp], config: EverythingConfig) -> _Hints:
    """Which masks of some rows of (N, 2) points may pass."""
    scored = screen.score(points_xy[rows])
    drawn = draw(screen, scored, replace(config, pred_iou=max(config.pred_iou - _IOU_SLACK, 0)))
    logits = screen.visible(drawn.logits)
    masks = np.asarray((logits > 0).cpu().numpy())
    areas = masks.sum(axis=(1, 2), dtype=np.float32)
    slack = _EDGE_SLACK / np.sqrt(np.maximum(areas, 1))
    may_pass = np.flatnonzero(stability_of(logits, config.stability_offset) >= config.stability - slack)
    embedding, last = screen.embedding, np.array([0, 0, 1, 1], np.float32)
    scale = np.float32(screen.logit_px * max(embedding.size_hw) / max(embedding.input_hw))
    boxes = (inclusive_boxes(masks[may_pass]) + last) * scale - last
    return _Hints(rows[drawn.point[may_pass]], boxes, areas[may_pass] * scale**2, drawn.predicted_iou[may_pass])


def _asked(
    decoder: PointDecoder, points_xy: FloatArray, hints: _Hints, config: EverythingConfig, is_cut: _IsCut | None
) -> KeptMasks:
    """The masks of the points of the best hints, until each of the others has a better likeness that stays."""
    masks, areas = join([]), np.zeros(0, np.int64)
    while True:
        staying = box_nms(masks.boxes, masks.predicted_iou, config.box_nms)
        likeness = _best_likeness(hints, masks.take(staying), areas[staying], config.box_nms)
        left = hints.take(likeness < hints.predicted_iou)
        if not len(left):
            return masks
        best = left.point[box_nms(left.boxes, left.predicted_iou, config.box_nms)]
        asked = best[np.sort(np.unique(best, return_index=True)[1])[: config.points_per_batch]]
        found = _uncut(exact_masks(decoder, points_xy[asked], config, None), is_cut)
        masks, areas = join([masks, found]), np.concatenate([areas, found.areas_px()])
        hints = hints.take(~np.isin(hints.point, asked))


def _best_likeness(hints: _Hints, masks: KeptMasks, areas: NDArray[np.int64], most_iou: float) -> FloatArray:
    """(N,) the highest predicted IoU of the masks that would suppress a hint and are as large; -inf where none is."""
    best = np.full(len(hints), -np.inf, np.float32)
    for box, area, predicted_iou in zip(masks.boxes.astype(np.float32), areas, masks.predicted_iou, strict=True):
        alike = np.minimum(hints.areas, area) > _SAME_AREA * np.maximum(hints.areas, area)
        alike &= box_ious(box, hints.boxes) > most_iou
        best[alike] = np.maximum(best[alike], predicted_iou)
    return best


def _left_out_beside(rows: NDArray[np.intp], chosen: NDArray[np.intp], grid: tuple[int, int]) -> NDArray[np.intp]:
    """The points of a grid that were not chosen, next to some that were, by row of ``grid_points``."""
    near = np.zeros((grid[1], grid[0]), np.uint8)
    near.flat[rows] = 1
    beside = np.asarray(cv2.dilate(near, np.ones((3, 3), np.uint8)))
    beside.flat[chosen] = 0
    return np.flatnonzero(beside)


def _uncut(masks: KeptMasks, is_cut: _IsCut | None) -> KeptMasks:
    return masks.take(np.flatnonzero(~is_cut(masks.boxes))) if is_cut else masks


def _joined(hints: list[_Hints]) -> _Hints:
    columns = zip(*((some.point, some.boxes, some.areas, some.predicted_iou) for some in hints), strict=True)
    return _Hints(*(np.concatenate(column) for column in columns))
