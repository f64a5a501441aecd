"""Metrics against the examples worked by hand in the module's docstring, and their invariances."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saom_benchmarks.metrics import (
    METRICS,
    class_acc,
    class_iou,
    frame_miou,
    sum_by_scene,
    summarise,
)
from saom_benchmarks.scores import FrameScore, ObjectScore


def _frame(key: str, *objects: ObjectScore, scene: str = "S") -> FrameScore:
    return FrameScore(key=key, scene=scene, size_hw=(1, 20), objects=objects, seconds=0.0)


def _object(label: int, class_index: int, truth: int, predicted: int = 0, both: int = 0, **more: object) -> ObjectScore:
    return ObjectScore(
        label=label,
        class_index=class_index,
        truth_px=truth,
        predicted_px=predicted,
        intersection_px=both,
        **more,  # type: ignore[arg-type]
    )


# Class 0: 4 px predicted as 6 px with 3 right, and 6 px missed. Class 1: 2 px exactly. Class 2 does not occur.
HAND = [_frame("S/0", _object(1, 0, 4, 6, 3), _object(2, 1, 2, 2, 2)), _frame("S/1", _object(1, 0, 6))]


def test_pixel_sums_by_class_by_hand() -> None:
    total = sum_by_scene(HAND, 3).total()
    # I / (T + P - I): class 0 has 3 / (10 + 6 - 3), class 1 has 2 / 2.
    np.testing.assert_allclose(class_iou(total), [3 / 13, 1, np.nan])
    np.testing.assert_allclose(class_acc(total), [3 / 10, 1, np.nan])


def test_means_by_hand() -> None:
    values = summarise(sum_by_scene(HAND, 3).total(), ["miou", "macc", "instance_miou"])
    assert values["miou"] == pytest.approx(100 * (3 / 13 + 1) / 2)
    assert values["macc"] == pytest.approx(65)
    # IoUs of the three objects: 3 / (4 + 6 - 3), 0, 1.
    assert values["instance_miou"] == pytest.approx(100 * (3 / 7 + 0 + 1) / 3)


def test_an_absent_class_is_in_no_mean() -> None:
    wide, narrow = sum_by_scene(HAND, 50).total(), sum_by_scene(HAND, 2).total()
    for name in ("miou", "macc", "instance_miou"):
        assert METRICS[name].of(wide) == METRICS[name].of(narrow)


def test_a_class_whose_objects_are_all_missed_is_zero_not_absent() -> None:
    frames = [_frame("S/0", _object(1, 0, 5, 5, 5), _object(2, 1, 5))]
    assert METRICS["miou"].of(sum_by_scene(frames, 2).total()) == 50


def test_best_and_published_variants_by_hand() -> None:
    # Chosen mask 2 of 4 px right (P 2), best mask all 4; the second object is one the published method drops.
    chosen = _object(1, 0, 4, 2, 2, best_predicted_px=4, best_intersection_px=4)
    dropped = _object(2, 0, 4, 4, 4, best_predicted_px=4, best_intersection_px=4, dropped=True)
    total = sum_by_scene([_frame("S/0", chosen, dropped)], 1).total()
    values = summarise(total, ["miou", "best_miou", "published_miou"])
    assert values["miou"] == pytest.approx(100 * 6 / 8)
    assert values["best_miou"] == 100
    # The dropped object adds its truth and no prediction: I = 2, P = 2, T = 8.
    assert values["published_miou"] == pytest.approx(100 * 2 / 8)


def test_shares_by_hand() -> None:
    objects = (
        _object(1, 0, 4, 4, 4, predicted_class=0),
        _object(2, 1, 4, 8, 4, predicted_class=0),  # IoU .5 is recalled, its class is wrong
        _object(3, 1, 4, 2, 1, predicted_class=1, over_segmented=True),
        _object(4, 1, 4, predicted_class=-1),
    )
    total = sum_by_scene([_frame("S/0", *objects)], 2).total()
    values = summarise(total, ["recall_50", "over_segmentation", "class_accuracy"])
    assert {name: float(value) for name, value in values.items()} == {
        "recall_50": 50,
        "over_segmentation": 25,
        "class_accuracy": 50,
    }


def test_class_accuracy_does_not_apply_without_a_class_head() -> None:
    assert "class_accuracy" not in summarise(sum_by_scene(HAND, 3).total(), ["miou", "class_accuracy"])


def test_miou_of_a_frame() -> None:
    assert frame_miou(HAND[0]) == pytest.approx(100 * (3 / 7 + 1) / 2)
    assert frame_miou(_frame("S/0")) is None


@given(st.permutations(range(6)), st.integers(0, 2**32 - 1))
def test_order_of_frames_does_not_matter(order: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = []
    for i in range(6):
        both = int(rng.integers(0, 50))
        truth, predicted = both + int(rng.integers(1, 50)), both + int(rng.integers(0, 50))
        scored = _object(1, int(rng.integers(0, 3)), truth, predicted, both)
        frames.append(_frame(f"{i % 2}/{i}", scored, scene=str(i % 2)))
    sums = sum_by_scene(frames, 3)
    shuffled = sum_by_scene([frames[i] for i in order], 3)
    assert sums.scenes == shuffled.scenes
    assert np.array_equal(sums.values, shuffled.values)
    iou = class_iou(sums.total())
    assert np.all(np.isnan(iou) | ((iou >= 0) & (iou <= 1)))
