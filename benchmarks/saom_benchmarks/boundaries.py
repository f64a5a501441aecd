"""Boundaries of masks, for Boundary IoU (Cheng et al., CVPR 2021): the pixels of a mask within d of its outline.

d is 2 % of the image's diagonal, at least 1 pixel; the image's own border counts as outline.
"""

import cv2
import numpy as np

from saom_bench.masks import Runs
from saom_bench.types import BoolMask, Size

_SHARE = 0.02


def boundary_width_px(size_hw: Size) -> int:
    """d for an image of (H, W)."""
    return max(1, round(_SHARE * float(np.hypot(*size_hw))))


def boundary_counts(truth: BoolMask, predicted: BoolMask, width_px: int | None = None) -> tuple[int, int, int]:
    """Pixels of the boundaries of two (H, W) masks, and of what they share.

    Of a window of the image that holds both masks the width is to be given: it is the image's.
    """
    either = truth | predicted
    if not either.any():
        return 0, 0, 0
    width = width_px or boundary_width_px((truth.shape[0], truth.shape[1]))
    rows, columns = np.flatnonzero(either.any(axis=1)), np.flatnonzero(either.any(axis=0))
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    ours, theirs = (_boundary(mask[window], width) for mask in (truth, predicted))
    return int(np.count_nonzero(ours)), int(np.count_nonzero(theirs)), int(np.count_nonzero(ours & theirs))


def run_boundary_counts(truth: Runs, predicted: Runs, size_hw: Size) -> tuple[int, int, int]:
    """``boundary_counts`` of two masks that are not empty, from their runs in an image of (H, W)."""
    height = size_hw[0]
    x0 = int(min(truth.starts[0], predicted.starts[0])) // height
    x1 = int(max(truth.ends[-1], predicted.ends[-1]) - 1) // height + 1
    ours, theirs = (runs.columns(height, x0, x1) for runs in (truth, predicted))
    return boundary_counts(ours, theirs, boundary_width_px(size_hw))


def _boundary(mask: BoolMask, width_px: int) -> BoolMask:
    # Outside of the window there is no mask, so zeros round it stand for the rest of the image and for its border.
    kernel = np.ones((2 * width_px + 1, 2 * width_px + 1), np.uint8)
    inner = cv2.erode(mask.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    boundary: BoolMask = mask > inner.view(np.bool_)
    return boundary
