"""Matching: overlaps against pycocotools, greedy pairs and parts by hand."""

import numpy as np
from eval_fakes import row
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as coco

from saom_bench.masks import encode_labels, encode_rle, rle_runs
from saom_benchmarks.matching import match, over_segmented, overlaps, under_segmented, visible

SHAPE = (6, 9)


@given(
    hnp.arrays(np.uint16, SHAPE, elements=st.integers(0, 3)),
    st.lists(hnp.arrays(np.bool_, SHAPE), max_size=4),
)
def test_overlaps_equal_pycocotools(labels: np.ndarray, masks: list[np.ndarray]) -> None:
    truth = [int(label) for label in np.unique(labels) if label]
    shared = overlaps(encode_labels(labels, truth), [encode_rle(mask) for mask in masks])
    assert shared.truth_px.tolist() == [int((labels == label).sum()) for label in truth]
    assert shared.proposal_px.tolist() == [int(mask.sum()) for mask in masks]
    if truth and masks:
        theirs = coco.iou(
            [coco.encode(np.asfortranarray(labels == label, np.uint8)) for label in truth],
            [coco.encode(np.asfortranarray(mask, np.uint8)) for mask in masks],
            [0] * len(masks),
        )
        np.testing.assert_allclose(shared.iou, np.asarray(theirs), atol=1e-12)


def test_the_highest_iou_is_matched_first() -> None:
    # Proposal 0 fits object 0 best and object 1 well; object 1 must do with proposal 1.
    assert match(np.array([[0.9, 0.2], [0.8, 0.3]])) == [0, 1]
    # Greedy by IoU, not by object: object 1 has the better claim on proposal 0, and object 0 is left with nothing.
    assert match(np.array([[0.5, 0.0], [0.6, 0.4]])) == [None, 0]


def test_equal_ious_go_to_the_earlier() -> None:
    assert match(np.array([[0.5, 0.5], [0.5, 0.5]])) == [0, 1]


def test_nothing_matches_without_a_shared_pixel() -> None:
    assert match(np.zeros((2, 3))) == [None, None]
    assert match(np.zeros((2, 0))) == [None, None]
    assert match(np.zeros((0, 2))) == []


@given(hnp.arrays(np.float64, st.tuples(st.integers(0, 5), st.integers(0, 5)), elements=st.floats(0, 1)))
def test_matching_is_one_to_one_and_leaves_no_pair_over(iou: np.ndarray) -> None:
    matched = match(iou)
    taken = [k for k in matched if k is not None]
    assert len(taken) == len(set(taken))
    free = [k for k in range(iou.shape[1]) if k not in taken]
    for i, k in enumerate(matched):
        if k is None:
            assert all(iou[i, j] == 0 for j in free)


def _parts(labels: str, *masks: str) -> list[bool]:
    found = row(labels)
    truth = [int(label) for label in np.unique(found) if label]
    return over_segmented(overlaps(encode_labels(found, truth), [encode_rle(row(m) > 0) for m in masks])).tolist()


def test_over_segmentation_by_hand() -> None:
    # 4 of the object's 10 px, all inside: IoU .4 and covers 40 %.
    assert _parts("11111111110000", "11110000000000") == [True]
    # The whole is proposed beside the part.
    assert _parts("11111111110000", "11110000000000", "11111111100000") == [False]
    # A part of exactly half the object has IoU .5: not missed.
    assert _parts("11111111110000", "11111000000000") == [False]
    # 4 of 5 px inside is 80 %: a part. 3 of 4 is 75 %: not.
    assert _parts("00011111111110", "00111110000000") == [True]
    assert _parts("00011111111110", "00111100000000") == [False]
    # No proposal at all, and one elsewhere, miss the object without a part of it.
    assert _parts("11111111110000") == [False]
    assert _parts("11111111110000", "00000000000011") == [False]


def _swallowed(labels: str, *masks: str) -> list[bool]:
    found = row(labels)
    truth = [int(label) for label in np.unique(found) if label]
    return under_segmented(overlaps(encode_labels(found, truth), [encode_rle(row(m) > 0) for m in masks])).tolist()


def test_under_segmentation_by_hand() -> None:
    # All 4 of the object's px in a proposal of 10: IoU .4, 40 % inside.
    assert _swallowed("11110000000000", "11111111110000") == [True]
    # Proposed by itself too.
    assert _swallowed("11110000000000", "11111111110000", "01110000000000") == [False]
    # 4 of 8 px is IoU .5: not missed. A part of it is no swallowing.
    assert _swallowed("11110000000000", "11111111000000") == [False]
    assert _swallowed("11111111110000", "11110000000000") == [False]
    # Both objects in one mask of 11 px: the larger is found (7/11), the smaller is swallowed.
    assert _swallowed("11111112222000", "11111111111000") == [False, True]


def test_what_stays_visible_by_hand() -> None:
    labels = row("1111222200")
    masks = [row("1111100000") > 0, row("0001111110") > 0, row("1110000000") > 0]
    rles = [encode_rle(mask) for mask in masks]
    seen = visible(labels, [1, 2], rle_runs(rles), overlaps(encode_labels(labels, [1, 2]), rles))
    # The second keeps 4 of 6 px; nothing is left of the third.
    assert seen.px.tolist() == [5, 4, 0]
    assert seen.intersection_px.tolist() == [[4, 0, 0], [1, 3, 0]]
