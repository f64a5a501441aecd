"""Boxes of masks, non-maximum suppression, and the clean-up of small regions, as segment-anything does them.

Boxes here are inclusive, (x0, y0, x1, y1) with x1 and y1 the last pixel, because segment-anything suppresses by the IoU
of such boxes; half-open ones would keep other masks. Only numpy and OpenCV.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from saom_bench.types import BoolMask

IntBoxes = NDArray[np.int32]


def inclusive_boxes(masks: BoolMask) -> IntBoxes:
    """(N, 4) boxes of (N, H, W) masks; an empty mask has (0, 0, -1, -1)."""
    count, height, width = masks.shape
    rows = np.asarray(masks.any(axis=2), np.bool_)
    columns = np.asarray(masks.any(axis=1), np.bool_)
    boxes = np.empty((count, 4), np.int32)
    boxes[:, 0], boxes[:, 1] = columns.argmax(axis=1), rows.argmax(axis=1)
    boxes[:, 2] = width - 1 - columns[:, ::-1].argmax(axis=1)
    boxes[:, 3] = height - 1 - rows[:, ::-1].argmax(axis=1)
    boxes[~rows.any(axis=1)] = (0, 0, -1, -1)
    return boxes


def box_nms(
    boxes: IntBoxes | NDArray[np.float32],
    scores: NDArray[np.float32],
    iou_threshold: float,
    circle_px: int | None = None,
) -> NDArray[np.intp]:
    """Indices of the (N, 4) inclusive boxes that survive greedy suppression, of the highest score first.

    A box falls when its IoU with a kept one of a higher score is above the threshold; of equal scores the earlier wins.
    On a circle of ``circle_px`` columns, boxes also meet past its last column.
    """
    order = np.argsort(-scores, kind="stable")
    left = boxes[order].astype(np.float32)
    kept = []
    while order.size:
        kept.append(order[0])
        falls = box_ious(left[0], left[1:]) > iou_threshold
        for turn in () if circle_px is None else (-circle_px, circle_px):
            falls |= box_ious(left[0] + np.array([turn, 0, turn, 0], np.float32), left[1:]) > iou_threshold
        stays = ~falls
        order, left = order[1:][stays], left[1:][stays]
    return np.array(kept, np.intp)


def box_ious(box: NDArray[np.float32], others: NDArray[np.float32] | IntBoxes) -> NDArray[np.float32]:
    """(N,) IoU of a box with (N, 4) others in float32, as torchvision computes it, so that thresholds are met by the
    same pairs; 0/0 is no overlap."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    overlap = np.maximum(sides, 0).prod(axis=1)
    area = (box[2:] - box[:2]).prod()
    union = area + (others[:, 2:] - others[:, :2]).prod(axis=1) - overlap
    iou: NDArray[np.float32] = np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)
    return iou


def clean_small_regions(mask: BoolMask, area_px: int) -> tuple[BoolMask, bool]:
    """Fill holes and remove islands of fewer than ``area_px`` pixels of an (H, W) mask; True when that changed it.

    A mask whose islands are all small keeps its largest one.
    """
    holes, sizes = _regions(~mask)
    small = np.flatnonzero(sizes < area_px) + 1
    filled = mask | np.isin(holes, small) if small.size else mask
    islands, sizes = _regions(filled)
    if not (sizes < area_px).any():
        return filled, bool(small.size)
    large = np.flatnonzero(sizes >= area_px) + 1
    wanted = large if large.size else np.array([sizes.argmax() + 1])
    return np.isin(islands, wanted), True


def _regions(mask: BoolMask) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The 8-connected regions of a mask: their (H, W) map from 1 on, and their sizes in pixels."""
    _, regions, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return np.asarray(regions, np.int32), np.asarray(stats[1:, cv2.CC_STAT_AREA], np.int32)
