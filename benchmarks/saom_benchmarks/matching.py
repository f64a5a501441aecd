"""Which proposal answers for which ground-truth object: overlaps in pixels, greedy one-to-one matching, parts.

Ground truth is a label map, so its objects never overlap; proposals may overlap each other at will.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saom_bench.masks import decode_rle
from saom_bench.types import LabelMap, Rle

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

WHOLE_IOU = 0.5
PART_INSIDE = 0.8
PART_COVERS = 0.8


@dataclass(frozen=True)
class Overlaps:
    """Pixels shared by T ground-truth objects and P proposals of one image."""

    truth_px: Counts
    """(T,)"""
    proposal_px: Counts
    """(P,)"""
    intersection_px: Counts
    """(T, P)"""

    @property
    def iou(self) -> Floats:
        """(T, P) intersection over union, 0 to 1."""
        union = self.truth_px[:, None] + self.proposal_px[None, :] - self.intersection_px
        iou: Floats = self.intersection_px / np.maximum(union, 1)
        return iou


def overlaps(labels: LabelMap, truth: Sequence[int], proposals: Sequence[Rle]) -> Overlaps:
    """Count shared pixels of the ``truth`` labels of an (H, W) map and of every proposal, one pass a proposal."""
    n_labels = int(labels.max(initial=0)) + 1
    rows = np.zeros((len(proposals), n_labels), np.int64)
    for i, rle in enumerate(proposals):
        rows[i] = np.bincount(labels[decode_rle(rle)], minlength=n_labels)
    areas = np.bincount(labels.ravel(), minlength=n_labels)
    wanted = np.asarray(truth, np.int64)
    return Overlaps(areas[wanted], rows.sum(axis=1), rows[:, wanted].T)


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


def over_segmented(shared: Overlaps) -> NDArray[np.bool_]:
    """(T,) True where only a part is proposed: best IoU < 0.5, and a proposal >= 80 % inside that covers < 80 %."""
    iou, both = shared.iou, shared.intersection_px
    inside = both >= PART_INSIDE * np.maximum(shared.proposal_px, 1)[None, :]
    part = inside & (both < PART_COVERS * shared.truth_px[:, None])
    missed = iou.max(axis=1, initial=0.0) < WHOLE_IOU
    found: NDArray[np.bool_] = missed & part.any(axis=1)
    return found
