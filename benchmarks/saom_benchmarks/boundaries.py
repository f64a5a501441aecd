"""Boundaries of masks, for Boundary IoU (Cheng et al., CVPR 2021): the pixels of a mask within d of its outline.

d is 2 % of the image's diagonal, at least 1 pixel; the image's own border counts as outline.
"""

import cv2
import numpy as np

from saom_bench.types import BoolMask, Size

_SHARE = 0.02


def boundary_width_px(size_hw: Size) -> int:
    """d for an image of (H, W)."""
    return max(1, round(_SHARE * float(np.hypot(*size_hw))))


def boundary_counts(truth: BoolMask, predicted: BoolMask) -> tuple[int, int, int]:
    """Pixels of the boundaries of two (H, W) masks, and of what they share."""
    either = truth | predicted
    if not either.any():
        return 0, 0, 0
    width = boundary_width_px((truth.shape[0], truth.shape[1]))
    rows, columns = np.flatnonzero(either.any(axis=1)), np.flatnonzero(either.any(axis=0))
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    ours, theirs = (_boundary(mask[window], width) for mask in (truth, predicted))
    return int(ours.sum()), int(theirs.sum()), int((ours & theirs).sum())


def _boundary(mask: BoolMask, width_px: int) -> BoolMask:
    # Outside of the window there is no mask, so zeros round it stand for the rest of the image and for its border.
    kernel = np.ones((2 * width_px + 1, 2 * width_px + 1), np.uint8)
    padded = np.pad(mask.astype(np.uint8), width_px)
    inner = cv2.erode(padded, kernel)[width_px:-width_px, width_px:-width_px]
    boundary: BoolMask = mask & (inner == 0)
    return boundary
