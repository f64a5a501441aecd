"""Which proposal answers for which ground-truth object: overlaps in pixels, greedy one-to-one matching, parts.

Ground truth is a label map, so its objects never overlap; proposals may overlap each other at will.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from saom_bench.masks import Runs, rle_areas, shares_inside
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
    """Pixels shared by T ground-truth objects and P proposals of one image."""

    truth_px: Counts
    """(T,)"""
    proposal_px: Counts
    """(P,)"""
    intersection_px: Counts
    """(T, P)"""

    @cached_property
    def iou(self) -> Floats:
        """(T, P) intersection over union, 0 to 1."""
        union = self.truth_px[:, None] + self.proposal_px[None, :] - self.intersection_px
        iou: Floats = self.intersection_px / np.maximum(union, 1)
        return iou


def overlaps(objects: Sequence[Rle], proposals: Sequence[Rle]) -> Overlaps:
    """Count shared pixels of every object and every proposal."""
    proposal_px = rle_areas(proposals)
    both = np.rint(shares_inside(proposals, objects) * proposal_px[:, None]).astype(np.int64)
    return Overlaps(rle_areas(objects), proposal_px, both.T)


@dataclass(frozen=True)
class Visible:
    """What P proposals leave of each other when they are laid down by falling score; 0 of one left less than half."""

    px: Counts
    """(P,)"""
    intersection_px: Counts
    """(T, P)"""


def visible(labels: LabelMap, truth: Sequence[int], proposals: Sequence[Runs], shared: Overlaps) -> Visible:
    """Lay down the proposals, by falling score, each on what is still free of the (H, W) map.

    Args:
        truth: the labels of the T objects.
        shared: their overlaps with the same proposals.
    """
    # Run lengths go down the columns.
    flat = np.ascontiguousarray(labels.T).reshape(-1)
    is_free = np.ones(flat.size, np.bool_)
    px, both = np.zeros_like(shared.proposal_px), np.zeros_like(shared.intersection_px)
    for i, runs in enumerate(proposals):
        if not runs.starts.size:
            continue
        window = slice(int(runs.starts[0]), int(runs.ends[-1]))
        mask, free = runs.inside(window.start, window.stop), is_free[window]
        left = mask & free
        left_px = int(np.count_nonzero(left))
        if left_px < LEAST_VISIBLE * shared.proposal_px[i]:
            continue
        px[i] = left_px
        if left_px == shared.proposal_px[i]:
            both[:, i] = shared.intersection_px[:, i]
        else:
            both[:, i] = np.bincount(flat[window][left], minlength=int(max(truth, default=0)) + 1)[list(truth)]
        np.greater(free, mask, out=free)  # free and not in the mask
    return Visible(px, both)


def match(iou: Floats) -> list[int | None]:
    """For each of T objects its proposal, one-to-one, or None.

    Greedy: the pair with the highest IoU is taken first, then the highest among the objects and proposals that are
    left; equal IoUs go to the earlier object, then to the earlier proposal. Pairs that share no pixel never match.
    """
    matched: list[int | None] = [None] * iou.shape[0]
    taken = np.zeros(iou.shape[1], np.bool_)
    rows, columns = np.nonzero(iou > 0)
    order = np.lexsort((columns, rows, -iou[rows, columns]))
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
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
