"""Both protocols on rows of a few pixels, worked by hand; the oracle; what is missing."""

import numpy as np
import pytest
from eval_fakes import ShiftModel, proposals, row, sample
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from saom_bench.errors import SaomBenchError
from saom_bench.masks import decode_rle
from saom_benchmarks.controls import OracleModel
from saom_benchmarks.metrics import METRICS, sum_by_scene
from saom_benchmarks.models import PointMasks
from saom_benchmarks.protocols import PROTOCOLS, protocols, score, score_point, score_proposals


def _none() -> float:
    return 0.0


def test_the_mask_with_the_highest_predicted_iou_counts_by_hand() -> None:
    frame = sample(row("1111000"), {1: 5})
    masks = np.stack([row("1110000") > 0, row("1111000") > 0, row("1111110") > 0])
    answer = PointMasks(1, masks, np.array([0.2, 0.5, 0.9], np.float32), class_index=5)
    item = score_point(frame.instances[0], frame.labels, answer, drop=False)
    # Chosen: the third, 6 px with 4 right: IoU 4 / (4 + 6 - 4). Best of the three: the second, exact.
    assert (item.truth_px, item.predicted_px, item.intersection_px) == (4, 6, 4)
    assert (item.best_predicted_px, item.best_intersection_px) == (4, 4)
    assert item.iou == pytest.approx(4 / 6)
    assert (item.class_index, item.predicted_class) == (5, 5)
    assert np.array_equal(decode_rle({"size": [1, 7], "counts": item.counts or ""}), masks[2])


def test_an_object_without_an_answer_is_an_empty_mask() -> None:
    frame = sample(row("1111000"), {1: 0})
    item = score_point(frame.instances[0], frame.labels, None, drop=False)
    assert (item.truth_px, item.predicted_px, item.intersection_px, item.iou) == (4, 0, 0, 0)


def test_objects_without_a_feature_cell_are_missing_only_as_published() -> None:
    frame = sample(row("1111000"), {1: 0})
    answer = PointMasks(1, (row("1111000") > 0)[None], np.ones(1, np.float32), no_cell=True)
    kept = score_point(frame.instances[0], frame.labels, answer, drop=False)
    dropped = score_point(frame.instances[0], frame.labels, answer, drop=True)
    assert (kept.iou, kept.dropped) == (1, True)
    assert (dropped.iou, dropped.dropped, dropped.counts) == (0, True, None)


def test_everything_mode_by_hand() -> None:
    # Objects: 1 = 4 px, 2 = 3 px, 3 = 2 px.
    frame = sample(row("111122233"), {1: 0, 2: 1, 3: 1})
    both = row("111111100") > 0  # objects 1 and 2 in one: IoU 4/7 and 3/7
    second = row("000011000") > 0  # 2 of object 2's 3 px: IoU 2/3
    (one, two, three), _ = score_proposals(frame, proposals(both, second, classes=[0, 0]))
    # Pairs by IoU: (2, second) 2/3, then (1, both) 4/7; object 3 is left empty.
    assert (one.truth_px, one.predicted_px, one.intersection_px) == (4, 7, 4)
    assert (two.truth_px, two.predicted_px, two.intersection_px) == (3, 2, 2)
    assert (three.truth_px, three.predicted_px, three.intersection_px) == (2, 0, 0)
    assert [item.predicted_class for item in (one, two, three)] == [0, 0, -1]


def test_a_proposal_beside_an_object_is_not_its_best() -> None:
    # Two mugs of 2 px: the first is found, nothing touches the second; a stray mask of 5 px lies elsewhere.
    frame = sample(row("110220000000"), {1: 0, 2: 0})
    (found, lost), _ = score_proposals(frame, proposals(row("000000011111") > 0, row("110000000000") > 0))
    assert (found.best_predicted_px, found.best_intersection_px) == (2, 2)
    assert (lost.best_predicted_px, lost.best_intersection_px) == (0, 0)
    assert lost.iou == 0


def test_everything_mode_class_sums_by_hand() -> None:
    frame = sample(row("111122233"), {1: 0, 2: 1, 3: 1})
    model = ShiftModel("fixed", 0)
    model.everything = lambda _: proposals(row("111111100") > 0, row("000011000") > 0)  # type: ignore[method-assign]
    scored = score(PROTOCOLS["everything"], model, frame, _none)
    total = sum_by_scene([scored], 2).total()
    # Class 0: 4 / (4 + 7 - 4). Class 1: 2 / (3 + 2 + 2 - 2). Acc: 4/4 and 2/5.
    assert METRICS["miou"].of(total) == pytest.approx(100 * (4 / 7 + 2 / 5) / 2)
    assert METRICS["macc"].of(total) == pytest.approx(100 * (1 + 2 / 5) / 2)
    assert METRICS["instance_miou"].of(total) == pytest.approx(100 * (4 / 7 + 2 / 3 + 0) / 3)
    # Matched IoUs of .57 and .67 are recalled, the third is not.
    assert METRICS["recall_50"].of(total) == pytest.approx(100 * 2 / 3)
    assert scored.proposals is not None
    assert [proposal.px for proposal in scored.proposals] == [7, 2]


def test_no_proposal_at_all_leaves_every_object_empty() -> None:
    frame = sample(row("1122"), {1: 0, 2: 1})
    none = proposals(row("0000") > 0)
    empty = type(none)((1, 4), (), none.boxes_xyxy[:0], *[np.zeros(0, np.float32)] * 2, none.points_xy[:0])
    assert [item.iou for item in score_proposals(frame, empty)[0]] == [0, 0]


def test_labels_that_are_no_objects_of_the_label_set_are_background() -> None:
    # Label 2 is in the map and not among the objects: a proposal on it is no object's.
    frame = sample(row("11220"), {1: 0})
    (item,), _ = score_proposals(frame, proposals(row("11110") > 0))
    assert (item.truth_px, item.predicted_px, item.intersection_px) == (2, 4, 2)


@given(hnp.arrays(np.uint16, (5, 8), elements=st.integers(0, 4)))
def test_the_oracle_scores_100_on_every_protocol(labels: np.ndarray) -> None:
    present = [int(label) for label in np.unique(labels) if label]
    frame = sample(labels, {label: label % 3 for label in present})
    if not present:
        return
    for protocol in PROTOCOLS.values():
        total = sum_by_scene([score(protocol, OracleModel(), frame, _none)], 3).total()
        for name in protocol.metrics:
            value = METRICS[name].of(total)
            if not np.isnan(value):  # no object of some size
                assert value == (0 if METRICS[name].is_better == "lower" else pytest.approx(100)), (protocol.name, name)


def test_shared_encoding_time_is_added() -> None:
    totals = iter([1.0, 3.5])
    frame = score(PROTOCOLS["everything"], OracleModel(), sample(row("11"), {1: 0}), lambda: next(totals))
    assert frame.seconds >= 2.5


def test_unknown_protocols_are_named() -> None:
    with pytest.raises(SaomBenchError, match=r"'oracle-points'; did you mean 'oracle-point'"):
        protocols(["oracle-points"])


def test_a_grid_changes_the_task_and_leaves_everything_mode_alone() -> None:
    point, everything = protocols(["oracle-point", "everything"], grid=(64, 16))
    assert point.parameters["grid"] == (64, 16)
    assert everything.parameters == {}
