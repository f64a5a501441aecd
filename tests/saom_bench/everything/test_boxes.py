"""Suppression and clean-up against segment-anything's and torchvision's rules, on random masks and boxes."""

import importlib

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from stock_sam import batched_nms

from saom_bench.everything.boxes import box_nms, clean_small_regions, inclusive_boxes

amg = importlib.import_module("segment_anything.utils.amg")
MASKS = hnp.arrays(np.bool_, st.tuples(st.integers(1, 4), st.integers(1, 12), st.integers(1, 12)))


@given(masks=MASKS)
@settings(deadline=None)
def test_boxes_equal_segment_anythings(masks: np.ndarray) -> None:  # type: ignore[type-arg]
    ours = inclusive_boxes(masks)
    theirs = amg.batched_mask_to_box(torch.from_numpy(masks)).numpy()
    empty = ~masks.any(axis=(1, 2))
    assert (ours[~empty] == theirs[~empty]).all()
    assert (ours[empty] == (0, 0, -1, -1)).all()


@given(
    corners=hnp.arrays(np.int32, st.tuples(st.integers(0, 25), st.just(4)), elements=st.integers(0, 20)),
    threshold=st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0]),
    seed=st.integers(0, 1000),
)
@settings(deadline=None)
def test_suppression_equals_torchvisions_rule(corners: np.ndarray, threshold: float, seed: int) -> None:  # type: ignore[type-arg]
    boxes = np.concatenate([corners[:, :2], corners[:, :2] + corners[:, 2:]], axis=1)
    # Few values, so that scores are often equal.
    scores = np.random.default_rng(seed).integers(0, 5, len(boxes)).astype(np.float32) / 4
    theirs = batched_nms(torch.from_numpy(boxes).float(), torch.from_numpy(scores), torch.zeros(len(boxes)), threshold)
    assert box_nms(boxes, scores, threshold).tolist() == theirs.tolist()


@given(mask=hnp.arrays(np.bool_, st.tuples(st.integers(1, 14), st.integers(1, 14))), area_px=st.integers(1, 12))
@settings(deadline=None)
def test_clean_up_equals_segment_anythings(mask: np.ndarray, area_px: int) -> None:  # type: ignore[type-arg]
    if not mask.any():
        return  # everything mode drops empty masks before
    expected, holes = amg.remove_small_regions(mask, area_px, mode="holes")
    expected, islands = amg.remove_small_regions(expected, area_px, mode="islands")
    ours, changed = clean_small_regions(mask, area_px)
    assert (ours == expected).all()
    assert changed == (holes or islands)


def test_the_largest_of_small_islands_stays() -> None:
    mask = np.zeros((10, 10), np.bool_)
    mask[1, 1] = mask[5:7, 5:7] = True
    cleaned, changed = clean_small_regions(mask, area_px=50)
    assert changed
    assert cleaned.sum() == 4
    assert cleaned[5:7, 5:7].all()
