"""Recall and precision of proposals: by hand, and against pycocotools on random pictures."""

import contextlib
import io
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from saom_benchmarks import detections
from saom_benchmarks.bootstrap import draws, ranked_intervals
from saom_benchmarks.detections import IOU_THRESHOLDS, Ranking, average_precision, find, ranked_metric, rankings_of
from saom_benchmarks.metrics import METRICS, sum_by_scene
from saom_benchmarks.scores import FrameScore, ObjectScore, ProposalScore


def _frame(
    objects: dict[int, tuple[int, int]], proposals: Sequence[ProposalScore], key: str = "S/0", scene: str = "S"
) -> FrameScore:
    """``objects``: label -> (class, pixels)."""
    scored = tuple(ObjectScore(label=k, class_index=c, truth_px=n) for k, (c, n) in objects.items())
    return FrameScore(key=key, scene=scene, size_hw=(500, 500), objects=scored, proposals=tuple(proposals), seconds=0)


def _proposal(score: float, px: int, shared: dict[int, int], claimed: int | None = None) -> ProposalScore:
    certain = None if claimed is None else 1.0
    shared_px = tuple(shared.items())
    return ProposalScore(score=score, px=px, shared=shared_px, predicted_class=claimed, class_score=certain)


def _ranking(frames: Sequence[FrameScore]) -> Ranking:
    return rankings_of("ap", frames, ["S"], 1)[0]


# One object of 100 px: a proposal of IoU 1/5 before one of IoU 5/8; both lie on the object by half or more.
HAND = _frame({1: (0, 100)}, [_proposal(0.9, 20, {1: 20}), _proposal(0.8, 95, {1: 75})])


def test_average_precision_by_hand() -> None:
    # Found at .50, .55 and .60, at precision 1/2: three of ten thresholds.
    assert average_precision(_ranking([HAND])) == pytest.approx([0.15])
    total = sum_by_scene([HAND], 1).total()
    assert METRICS["ar_100"].of(total) == pytest.approx(30)
    assert METRICS["ar_small"].of(total) == pytest.approx(30)
    assert np.isnan(METRICS["ar_large"].of(total))


def test_a_limit_looks_at_the_best_scores_only() -> None:
    many = [_proposal(0.9, 100, {1: 60})] * 10 + [_proposal(0.5, 100, {1: 100})]
    total = sum_by_scene([_frame({1: (0, 100)}, many)], 1).total()
    # IoU .43 for the first ten; the eleventh is exact.
    assert METRICS["ar_10"].of(total) == 0
    assert METRICS["ar_100"].of(total) == 100


def test_proposals_on_walls_count_for_no_precision() -> None:
    wall = _proposal(0.95, 1000, {1: 10})
    clean, with_wall = (_frame({1: (0, 100)}, [*more, _proposal(0.8, 100, {1: 100})]) for more in ([], [wall]))
    assert average_precision(_ranking([clean])) == average_precision(_ranking([with_wall])) == [1.0]


def test_class_precision_asks_for_the_class() -> None:
    objects = {1: (0, 100), 2: (1, 100)}
    frame = _frame(objects, [_proposal(0.9, 100, {1: 100}, 0), _proposal(0.8, 100, {2: 100}, 0)])
    (value,) = ranked_metric("class_ap", rankings_of("class_ap", [frame], ["S"], 2))
    # Class 0 is found first, and a wrong claim behind it costs nothing; class 1 is claimed by none.
    assert value == pytest.approx(50)
    assert rankings_of("class_ap", [HAND], ["S"], 2) == ()


def test_resampling_is_the_same_as_repeating_scenes() -> None:
    frames = _random_frames(np.random.default_rng(3), 6)
    scenes = [frame.scene for frame in frames]
    (counts,) = draws(len(scenes), seed=1, resamples=1)
    (ranked,) = rankings_of("ap", frames, scenes, 3)
    (weighted,) = average_precision(ranked, counts[None].astype(np.float64))
    repeated = [
        frame.model_copy(update={"key": f"{frame.key}-{k}"})
        for frame, times in zip(frames, counts, strict=True)
        for k in range(times)
    ]
    (plain,) = average_precision(rankings_of("ap", repeated, scenes, 3)[0])
    # Copies of a proposal have one score: weights let them be found together, and a list one after the other.
    assert weighted == pytest.approx(plain, abs=0.02)
    interval = ranked_intervals(frames, scenes, 3, ["ap", "class_ap"], 0)["ap"]
    assert interval.low is not None
    assert interval.high is not None
    assert interval.low <= interval.value <= interval.high


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_the_same_numbers_as_pycocotools(seed: int, count: int) -> None:
    frames = _random_frames(np.random.default_rng(seed), count)
    assume(any(frame.proposals for frame in frames))
    theirs = _pycocotools(frames)
    total = sum_by_scene(frames, 3).total()
    (ours,) = ranked_metric("ap", rankings_of("ap", frames, [f.scene for f in frames], 3))
    assert ours == pytest.approx(100 * theirs[0], abs=1e-6)
    # Their -1 is our NaN: no object of that size.
    for name, place in (("ar_10", 7), ("ar_100", 8), ("ar_small", 9), ("ar_medium", 10), ("ar_large", 11)):
        value = METRICS[name].of(total)
        assert np.isnan(value) if theirs[place] < 0 else value == pytest.approx(100 * theirs[place], abs=1e-6), name
    of_class = ranked_metric("class_ap", rankings_of("class_ap", frames, [f.scene for f in frames], 3))
    assert of_class[0] == pytest.approx(100 * _pycocotools(frames, of_classes=True)[0], abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_short_way_finds_what_the_rule_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    iou = np.zeros((rng.integers(0, 30), rng.integers(1, 5)))
    for row in iou:  # ties included, and at most one object in reach of each proposal
        row[rng.integers(len(row))] = rng.choice([0.2, 0.5, 0.55, 0.7, 0.95, 1.0, rng.uniform()])
    outside = rng.random(iou.shape[1]) < 0.5
    assert np.array_equal(find(iou, outside), detections._find_in_turn(iou, outside))


def test_a_proposal_that_is_two_equal_objects_is_one_of_them_by_turns() -> None:
    # It reaches both by exactly .5, and the object of the size asked for goes first.
    union = _frame({1: (0, 100), 2: (0, 100)}, [_proposal(0.9, 200, {1: 100, 2: 100})] * 2)
    iou = detections.Detections.of(union).iou
    assert find(iou, np.zeros(2, np.bool_))[:2].tolist() == [[1, 0], [-1, -1]]
    assert find(iou, np.array([False, True]))[0].tolist() == [0, 1]


def _random_frames(rng: np.random.Generator, count: int) -> list[FrameScore]:
    """Objects as rows of pixels of random length, proposals as random pieces of a row, with distinct scores."""
    frames = []
    for k in range(count):
        sizes = {label: int(rng.choice([300, 900, 3000, 8000, 20000])) for label in range(1, rng.integers(2, 6))}
        objects = {label: (int(rng.integers(0, 3)), size) for label, size in sizes.items()}
        proposals = []
        for _ in range(rng.integers(0, 12)):
            label = int(rng.choice(list(sizes)))
            inside = int(sizes[label] * rng.uniform(0.3, 1))
            px = inside + int(inside * rng.uniform(0, 0.6) * rng.integers(0, 2))
            proposals.append(_proposal(float(rng.uniform()), px, {label: inside}, int(rng.integers(0, 3))))
        proposals.sort(key=lambda p: -p.score)
        frames.append(_frame(objects, proposals, f"S{k}/0", f"S{k}"))
    return frames


class _Given(COCOeval):
    """pycocotools' evaluation of IoUs that are given in place of masks."""

    ious_of: dict[tuple[int, int], np.ndarray]

    def computeIoU(self, imgId: int, catId: int) -> np.ndarray:
        ground = [g["id"] for c in self.params.catIds for g in self._gts[imgId, c]] if not self.params.useCats else []
        found = [d for c in self.params.catIds for d in self._dts[imgId, c]] if not self.params.useCats else []
        if self.params.useCats:
            ground, found = [g["id"] for g in self._gts[imgId, catId]], self._dts[imgId, catId]
        found = sorted(found, key=lambda d: -d["score"])[: self.params.maxDets[-1]]
        return np.array([[self.ious_of[d["id"], g] for g in ground] for d in found])


def _pycocotools(frames: Sequence[FrameScore], of_classes: bool = False) -> np.ndarray:
    images = [{"id": k + 1, "width": 500, "height": 500} for k in range(len(frames))]
    annotations, detections = [], []
    ious: dict[tuple[int, int], float] = {}
    for image, frame in enumerate(frames, 1):
        ids = {}
        for item in frame.objects:
            ids[item.label] = len(annotations) + 1
            box = [0.0, 0.0, 1.0, 1.0]
            annotations.append(
                {"id": ids[item.label], "image_id": image, "category_id": item.class_index + 1, "bbox": box}
                | {"area": item.truth_px, "iscrowd": 0}
            )
        for proposal in frame.proposals or ():
            number = len(detections) + 1
            detections.append(
                {"image_id": image, "category_id": (proposal.predicted_class or 0) + 1, "bbox": [0.0, 0.0, 1.0, 1.0]}
                | {"score": proposal.score}
            )
            both = dict(proposal.shared)
            for item in frame.objects:
                shared = both.get(item.label, 0)
                ious[number, ids[item.label]] = shared / (proposal.px + item.truth_px - shared)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {"images": images, "annotations": annotations, "categories": [{"id": k} for k in (1, 2, 3)]}
        truth.createIndex()
        evaluation = _Given(truth, truth.loadRes(detections), "bbox")
        evaluation.ious_of = ious
        evaluation.params.useCats = int(of_classes)
        evaluation.params.areaRng = [[0, 1e10], [0, 1023.5], [1023.5, 9215.5], [9215.5, 1e10]]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    assert np.allclose(evaluation.params.iouThrs, IOU_THRESHOLDS)
    return evaluation.stats
