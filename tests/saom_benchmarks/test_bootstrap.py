"""Intervals over scenes: seeded, degenerate, paired."""

import numpy as np
import pytest

from saom_benchmarks.bootstrap import difference, draws, intervals
from saom_benchmarks.metrics import SceneSums, sum_by_scene
from saom_benchmarks.scores import FrameScore, ObjectScore


def _sums(ious: dict[str, int], miss: int = 0) -> SceneSums:
    """One object of 100 px a scene, of which the prediction has that many, less ``miss``, and no others."""
    frames = []
    for scene, both in ious.items():
        found = ObjectScore(label=1, class_index=0, truth_px=100, predicted_px=both - miss, intersection_px=both - miss)
        frames.append(FrameScore(key=f"{scene}/0", scene=scene, size_hw=(1, 1), objects=(found,), seconds=0))
    return sum_by_scene(frames, 1)


SCENES = {f"S{i}": 40 + 5 * i for i in range(10)}


def test_the_same_seed_gives_the_same_interval() -> None:
    once, again = (intervals(_sums(SCENES), ["miou"], seed=3) for _ in range(2))
    assert once == again
    assert intervals(_sums(SCENES), ["miou"], seed=4) != once


def test_the_interval_is_that_of_a_mean_over_scenes() -> None:
    # All scenes weigh 100 px, so mIoU is the mean of the scenes' 40, 45, ..., 85 with standard deviation 14.36.
    (found,) = intervals(_sums(SCENES), ["miou"], seed=0, resamples=20000).values()
    assert found.value == pytest.approx(62.5)
    half = 1.96 * np.std(list(SCENES.values())) / np.sqrt(10)
    assert (found.low, found.high) == (pytest.approx(62.5 - half, abs=0.6), pytest.approx(62.5 + half, abs=0.6))


def test_one_scene_has_no_interval() -> None:
    found = intervals(_sums({"S": 50}), ["miou"], seed=0)["miou"]
    assert (found.value, found.low, found.high) == (50, None, None)


def test_equal_scenes_have_an_interval_of_no_width() -> None:
    found = intervals(_sums({"A": 50, "B": 50}), ["miou"], seed=0)["miou"]
    assert (found.low, found.high) == (pytest.approx(50), pytest.approx(50))


def test_every_draw_has_as_many_scenes_as_there_are() -> None:
    assert (draws(7, seed=1, resamples=50).sum(axis=1) == 7).all()


def test_a_constant_gain_is_certain_however_much_scenes_differ() -> None:
    # Paired: each scene gains exactly 10 points, so the difference has no spread though each row's is +-9.
    gain = difference(_sums(SCENES), _sums(SCENES, miss=10), "miou", seed=0)
    assert (gain.value, gain.low, gain.high) == (pytest.approx(10), pytest.approx(10), pytest.approx(10))


def test_other_scenes_are_no_pair() -> None:
    with pytest.raises(ValueError, match="same scenes"):
        difference(_sums({"A": 1, "B": 2}), _sums({"A": 1, "C": 2}), "miou", seed=0)


def test_a_resample_without_a_class_leaves_it_out_of_its_mean() -> None:
    # Class 0 only in scene A (IoU 1), class 1 only in B (IoU 0): resamples give 100, 50 or 0, never NaN.
    def frame(scene: str, index: int, predicted: int) -> FrameScore:
        item = ObjectScore(label=1, class_index=index, truth_px=4, predicted_px=predicted, intersection_px=predicted)
        return FrameScore(key=f"{scene}/0", scene=scene, size_hw=(1, 4), objects=(item,), seconds=0)

    found = intervals(sum_by_scene([frame("A", 0, 4), frame("B", 1, 0)], 2), ["miou"], seed=0)["miou"]
    assert (found.low, found.value, found.high) == (0, 50, 100)
