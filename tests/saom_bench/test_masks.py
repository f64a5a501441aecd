"""Masks: one-pass areas and boxes, run lengths against pycocotools."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as coco

from saom_bench.masks import areas_and_boxes, decode_rle, encode_labels, encode_rle, rle_areas, rle_runs, shares_inside
from saom_bench.types import Rle

MASKS = hnp.arrays(np.bool_, st.tuples(st.integers(1, 20), st.integers(1, 20)))


def _peer(mask: np.ndarray) -> Rle:
    rle = coco.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": list(rle["size"]), "counts": rle["counts"].decode()}


@given(hnp.arrays(np.uint16, st.tuples(st.integers(1, 15), st.integers(1, 15)), elements=st.integers(0, 5)))
def test_areas_and_boxes_equal_the_slow_way(labels: np.ndarray) -> None:
    expected = {}
    for label in np.unique(labels[labels > 0]):
        ys, xs = np.nonzero(labels == label)
        expected[int(label)] = (ys.size, (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1))
    assert areas_and_boxes(labels) == expected


@given(MASKS)
def test_run_lengths_equal_pycocotools_and_come_back(mask: np.ndarray) -> None:
    rle = encode_rle(mask)
    assert rle == _peer(mask)
    assert np.array_equal(decode_rle(rle), mask)
    assert rle_areas([rle]).tolist() == [int(mask.sum())]
    assert rle_areas([]).shape == (0,)


@given(hnp.arrays(np.bool_, st.tuples(st.integers(1, 200), st.integers(1, 12))))
def test_runs_are_those_of_the_mask(mask: np.ndarray) -> None:
    again = np.zeros(mask.size, np.bool_)
    (runs,) = rle_runs([encode_rle(mask)])
    for start, end in zip(runs.starts, runs.ends, strict=True):
        assert not again[start:end].any()
        again[start:end] = True
    assert np.array_equal(again.reshape(mask.T.shape).T, mask)
    middle = slice(mask.shape[1] // 3, mask.shape[1] - mask.shape[1] // 4)
    assert np.array_equal(runs.columns(mask.shape[0], middle.start, middle.stop), mask[:, middle].T)


@given(hnp.arrays(np.uint16, st.tuples(st.integers(1, 15), st.integers(1, 15)), elements=st.integers(0, 5)))
def test_the_masks_of_a_label_map_are_encoded_as_one_by_one(labels: np.ndarray) -> None:
    wanted = [4, 1, 7, 2]
    assert encode_labels(labels, wanted) == [encode_rle(labels == label) for label in wanted]
    assert encode_labels(labels, []) == []


def test_shares_by_hand() -> None:
    row, none = np.array([[True, True, True, False]]), np.zeros((1, 4), np.bool_)
    right = np.array([[False, True, True, True]])
    rles = [encode_rle(mask) for mask in (row, right, none)]
    assert np.allclose(shares_inside(rles, rles[:2]), [[1, 2 / 3], [2 / 3, 1], [0, 0]])
    assert shares_inside([], rles).shape == (0, 3)
    assert shares_inside(rles, []).shape == (3, 0)
