"""benchmarks/METRICS.md defines every metric, and its examples are what the scorer computes."""

import re
from pathlib import Path

import numpy as np
import pytest
from eval_fakes import proposals, row, sample
from eval_results import make_result

from saom_benchmarks.bootstrap import differences
from saom_benchmarks.detections import RANKED, ranked_metric, rankings_of
from saom_benchmarks.metrics import METRICS, frame_miou, sum_by_scene
from saom_benchmarks.panoptic import panoptic
from saom_benchmarks.protocols import score_proposals
from saom_benchmarks.scores import FrameScore

DOC = (Path(__file__).parents[2] / "benchmarks/METRICS.md").read_text()
BULLETS = re.findall(r"^\* \*\*(.+?)\*\*(.*?)(?=^\* |^$|\Z)", DOC, re.MULTILINE | re.DOTALL)
WORDED = {"over-segm.": "over-segmentation", "under-segm.": "under-segmentation", "class acc.": "class accuracy"}
TOGETHER = {"AR@10": "AR@100", "AR@1000": "AR@100", "AR small": "AR small, medium, large"}


def _span(first: int, last: int) -> np.ndarray:
    mask = np.zeros((1, 40), np.bool_)
    mask[0, first : last + 1] = True
    return mask


@pytest.fixture(scope="module")
def frame() -> FrameScore:
    labels = row("1" * 10 + "2" * 6 + "0" * 4 + "3" * 4 + "0" * 16)
    given = proposals(_span(0, 7), _span(10, 11), _span(18, 29), _span(30, 39), classes=[0, 0, 0, 1])
    given.predicted_iou[:] = [0.9, 0.8, 0.7, 0.6]
    objects, counted = score_proposals(sample(labels, {1: 0, 2: 0, 3: 1}), given)
    return FrameScore(key="S/0", scene="S", size_hw=(1, 40), objects=objects, proposals=counted, seconds=0)


def _bullet(title: str) -> str:
    wanted = TOGETHER.get(title, WORDED.get(title, title))
    return next(text for name, text in BULLETS if name == wanted)


@pytest.mark.parametrize("name", [name for name in METRICS if name not in {"published_miou", "ar_medium", "ar_large"}])
def test_each_example_is_what_is_computed(frame: FrameScore, name: str) -> None:
    value = float(METRICS[name].of(sum_by_scene([frame], 3).total()))
    assert f"**{value:.2f}**" in _bullet(METRICS[name].title)


@pytest.mark.parametrize("name", list(RANKED))
def test_each_ranked_example_is_what_is_computed(frame: FrameScore, name: str) -> None:
    value = float(ranked_metric(name, rankings_of(name, [frame], ["S"], 3))[0])
    assert f"**{value:.2f}**" in _bullet(RANKED[name])


def test_one_images_miou_whatever_classes_are_claimed(frame: FrameScore) -> None:
    assert frame_miou(frame) == pytest.approx(47.92, abs=0.005)
    far = frame.proposals[0].model_copy(update={"predicted_class": 53}) if frame.proposals else None
    assert frame_miou(frame.model_copy(update={"proposals": (far,)})) == pytest.approx(47.92, abs=0.005)


def test_every_metric_is_defined() -> None:
    named = " ".join(name for name, _ in BULLETS)
    for title in [*(metric.title for metric in METRICS.values()), *RANKED.values()]:
        words = TOGETHER.get(title, WORDED.get(title, title))
        assert words in named or title in {"AR medium", "AR large"}, title


def test_the_interval_of_two_scenes() -> None:
    one, other = make_result("one", {"A": 40, "B": 60}), make_result("other", {"A": 60, "B": 80})
    told = one.metrics["miou"]
    gain = differences(other.sums(), one.sums(), ["miou"], 0)["miou"]
    shown = [f"**{value:.2f}**" for value in (told.low, told.high, told.value, gain.value)]
    assert all(text in DOC.partition("## Intervals")[2] for text in shown)
    assert (gain.low, gain.high) == (pytest.approx(20), pytest.approx(20))


@pytest.mark.parametrize("seed", range(8))
def test_panoptic_quality_equals_a_plain_count_on_label_maps(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.repeat(rng.integers(0, 5, (6, 8)), 3, axis=1).astype(np.uint16)
    present = sorted(set(labels.ravel().tolist()) - {0})
    masks = []
    for _ in range(7):
        mask = labels == rng.choice(present)
        masks.append(np.roll(mask, int(rng.integers(-2, 3)), axis=1) | (rng.random(labels.shape) < 0.05))
    objects, counted = score_proposals(sample(labels, dict.fromkeys(present, 0)), proposals(*masks))
    frame = FrameScore(key="S/0", scene="S", size_hw=labels.shape, objects=objects, proposals=counted, seconds=0)
    # The flat picture by hand: each mask on what is free, unless less than half of it is left.
    flat = np.zeros(labels.shape, np.int64)
    for number, mask in enumerate(masks, 1):
        left = mask & (flat == 0)
        if 2 * left.sum() >= mask.sum():
            flat[left] = number
    pairs, lone = [], 0
    for number in sorted(set(flat.ravel().tolist()) - {0}):
        segment = flat == number
        if 2 * (segment & (labels > 0)).sum() < segment.sum():
            continue
        ious = [(segment & (labels == k)).sum() / (segment | (labels == k)).sum() for k in present]
        pairs += [max(ious)] if max(ious) > 0.5 else []
        lone += max(ious) <= 0.5
    found = panoptic(frame, of_classes=False)
    assert (found.pairs[0], found.lone_segments[0]) == (len(pairs), lone)
    wanted = 100 * sum(pairs) / (len(pairs) + (lone + len(present) - len(pairs)) / 2)
    assert METRICS["pq"].of(sum_by_scene([frame], 1).total()) == pytest.approx(wanted)
