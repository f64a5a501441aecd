"""What a prompt's masks are held against: its object, at the image's size or the logits', and what is ignored."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from saom_bench.sam.preprocess import low_size
from saom_bench.types import BoolMask, FloatArray, LabelMap, Size


@dataclass(frozen=True)
class Targets:
    """The targets of N prompts, and where they count."""

    masks: FloatArray
    """(N, h, w) coverage by the object, 0 to 1."""
    valid: FloatArray | None
    """(N, h, w) how much of a pixel counts, 0 to 1; None where all of it does."""


def full_targets(labels: LabelMap, wanted: NDArray[np.uint16]) -> FloatArray:
    """(N, H, W) float32 masks of the wanted labels at the label map's size."""
    return np.asarray(labels[None] == wanted[:, None, None], np.float32)


def low_targets(labels: LabelMap, wanted: NDArray[np.uint16], input_hw: Size) -> FloatArray:
    """(N, h, w) float32 coverage of the wanted labels on SAM's low-resolution logits, without the padding."""
    return _shrunk(full_targets(labels, wanted), input_hw)


def targets(
    labels: LabelMap,
    wanted: NDArray[np.uint16],
    ignored: NDArray[np.uint16],
    border_px: int,
    input_hw: Size | None = None,
) -> Targets:
    """Targets at the label map's size, or with ``input_hw`` on the low-resolution logits.

    Args:
        wanted: the label of each prompt.
        ignored: labels whose pixels count for no prompt.
        border_px: pixels so near to the outline of a prompt's object do not count for it.
    """
    masks = full_targets(labels, wanted)
    valid = None
    if ignored.size or border_px:
        where = np.isin(labels, ignored, invert=True)
        valid = np.stack([where & ~_border(mask > 0, border_px) for mask in masks]).astype(np.float32)
    if input_hw is None:
        return Targets(masks, valid)
    return Targets(_shrunk(masks, input_hw), None if valid is None else _shrunk(valid, input_hw))


def _border(mask: BoolMask, border_px: int) -> BoolMask:
    """Pixels within so many of the mask's outline, on both sides."""
    if not border_px:
        return np.zeros_like(mask)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * border_px + 1, 2 * border_px + 1))
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, kernel) > 0)


def _shrunk(masks: FloatArray, input_hw: Size) -> FloatArray:
    height, width = low_size(input_hw)
    resized = [cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA) for mask in masks]
    return np.asarray(np.stack(resized), np.float32) if resized else np.zeros((0, height, width), np.float32)
