"""Which proposal answers for which ground-truth object: overlaps in pixels, greedy one-to-one matching, parts.

Ground truth is a label map, so its objects never overlap; proposals may overlap each other at will.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saom_bench.masks import rle_runs
from saom_bench.types import LabelMap, Rle

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

WHOLE_IOU = 0.5
PART_INSIDE = 0.8
PART_COVERS = 0.8
LEAST_VISIBLE = 0.5


@dataclass(frozen=True)
class Overlaps:
    """Pixels shared by T ground-truth objects and P proposals of one image, by falling score."""

    truth_px: Counts
    """(T,)"""
    proposal_px: Counts
    """(P,)"""
    intersection_px: Counts
    """(T, P)"""
    visible_px: Counts
    """(P,) what proposals of a higher score leave of each; 0 for one that is left less than half."""
    visible_intersection_px: Counts
    """(T, P)"""

    @property
    def iou(self) -> Floats:
        """(T, P) intersection over union, 0 to 1."""
        union = self.truth_px[:, None] + self.proposal_px[None, :] - self.intersection_px
        iou: Floats = self.intersection_px / np.maximum(union, 1)
        return iou


def overlaps(labels: LabelMap, truth: Sequence[int], proposals: Sequence[Rle]) -> Overlaps:
    """Count shared pixels of the ``truth`` labels of an (H, W) map and of every proposal, by the proposals' runs."""
    # Run lengths go down the columns.
    flat = np.ascontiguousarray(labels.T).reshape(-1)
    counter, is_free = _LabelCounter(flat), np.ones(flat.size, np.bool_)
    rows, visible = np.zeros((2, len(proposals), counter.n_labels), np.int64)
    for i, rle in enumerate(proposals):
        starts, ends = rle_runs(rle)
        if not starts.size:
            continue
        rows[i] = counter.between(starts, ends)
        window = slice(int(starts[0]), int(ends[-1]))
        mask = _run_mask(starts, ends)
        left = mask & is_free[window]
        pixels, left_px = int(rows[i].sum()), int(np.count_nonzero(left))
        if left_px >= LEAST_VISIBLE * pixels:
            is_whole = left_px == pixels
            visible[i] = rows[i] if is_whole else np.bincount(flat[window][left], minlength=counter.n_labels)
            is_free[window] &= ~mask
    wanted = np.asarray(truth, np.int64)
    areas = counter.between(np.array([0]), np.array([flat.size]))
    return Overlaps(areas[wanted], rows.sum(axis=1), rows[:, wanted].T, visible.sum(axis=1), visible[:, wanted].T)


class _LabelCounter:
    """How often each label occurs in stretches of a flat label map, from sums over its runs."""

    def __init__(self, flat: NDArray[np.uint16]) -> None:
        self.n_labels = int(flat.max(initial=0)) + 1
        self._starts = np.r_[0, np.flatnonzero(flat[1:] != flat[:-1]) + 1]
        self._labels = flat[self._starts].astype(np.int64)
        lengths = np.diff(np.r_[self._starts, flat.size])
        self._sums = np.zeros((len(lengths) + 1, self.n_labels), np.int64)
        self._sums[np.arange(1, len(lengths) + 1), self._labels] = lengths
        self._sums = self._sums.cumsum(axis=0)

    def between(self, starts: Counts, ends: Counts) -> Counts:
        """(labels,) pixels of each label in all the half-open stretches together."""
        return self._before(ends) - self._before(starts)

    def _before(self, places: Counts) -> Counts:
        """(labels,) the sum over the places of the pixels of each label before them."""
        run = np.searchsorted(self._starts, places, side="right") - 1
        rest = np.bincount(self._labels[run], weights=places - self._starts[run], minlength=self.n_labels)
        before: Counts = self._sums[run].sum(axis=0) + rest.astype(np.int64)
        return before


def _run_mask(starts: Counts, ends: Counts) -> Flags:
    """The stretch from the first run's start to the last one's end, True inside the runs."""
    bounds = np.empty(2 * len(starts), np.int64)
    bounds[0::2], bounds[1::2] = starts, ends
    is_inside = np.arange(len(bounds) - 1) % 2 == 0
    return np.repeat(is_inside, np.diff(bounds))


def match(iou: Floats) -> list[int | None]:
    """For each of T objects its proposal, one-to-one, or None.

    Greedy: the pair with the highest IoU is taken first, then the highest among the objects and proposals that are
    left; equal IoUs go to the earlier object, then to the earlier proposal. Pairs that share no pixel never match.
    """
    matched: list[int | None] = [None] * iou.shape[0]
    taken = np.zeros(iou.shape[1], np.bool_)
    rows, columns = np.nonzero(iou > 0)
    for k in np.lexsort((columns, rows, -iou[rows, columns])):
        row, column = int(rows[k]), int(columns[k])
        if matched[row] is None and not taken[column]:
            matched[row] = column
            taken[column] = True
    return matched


def over_segmented(shared: Overlaps) -> Flags:
    """(T,) True where only a part is proposed: best IoU < 0.5, and a proposal >= 80 % inside that covers < 80 %."""
    return _missed(shared) & (_inside(shared) & ~_covers(shared)).any(axis=1)


def under_segmented(shared: Overlaps) -> Flags:
    """(T,) True where only something larger is proposed: best IoU < 0.5, and a proposal that covers >= 80 % of the
    object and lies < 80 % inside it."""
    return _missed(shared) & (_covers(shared) & ~_inside(shared)).any(axis=1)


def _missed(shared: Overlaps) -> Flags:
    missed: Flags = shared.iou.max(axis=1, initial=0.0) < WHOLE_IOU
    return missed


def _inside(shared: Overlaps) -> Flags:
    inside: Flags = shared.intersection_px >= PART_INSIDE * np.maximum(shared.proposal_px, 1)[None, :]
    return inside


def _covers(shared: Overlaps) -> Flags:
    covers: Flags = shared.intersection_px >= PART_COVERS * shared.truth_px[:, None]
    return covers
