"""Panoptic quality and boundaries, by hand."""

import numpy as np
import pytest
from eval_fakes import proposals, row, sample

from saom_benchmarks.boundaries import boundary_counts, boundary_width_px
from saom_benchmarks.metrics import METRICS, sum_by_scene
from saom_benchmarks.panoptic import panoptic
from saom_benchmarks.protocols import score_proposals
from saom_benchmarks.scores import FrameScore


def _frame(labels: str, classes: dict[int, int], *masks: str, claims: list[int] | None = None) -> FrameScore:
    frame = sample(row(labels), classes)
    objects, counted = score_proposals(frame, proposals(*(row(mask) > 0 for mask in masks), classes=claims))
    return FrameScore(key="S/0", scene="S", size_hw=(1, len(labels)), objects=objects, proposals=counted, seconds=0)


def test_panoptic_quality_by_hand() -> None:
    # 8 of the first object's 10 px; 3 of the second's 10.
    frame = _frame("11111111112222222222", {1: 0, 2: 0}, "11111111000000000000", "00000000000000000111")
    total = sum_by_scene([frame], 1).total()
    assert METRICS["pq"].of(total) == pytest.approx(100 * 0.8 / (1 + 0.5 + 0.5))


def test_segments_on_walls_count_neither_way() -> None:
    alone = _frame("1111000000", {1: 0}, "1111000000")
    with_wall = _frame("1111000000", {1: 0}, "1111000000", "0000111111")
    assert panoptic(alone, False) == panoptic(with_wall, False)


def test_a_wrong_class_makes_two_lone_ones() -> None:
    frame = _frame("1111222200", {1: 0, 2: 1}, "1111000000", "0000222200".replace("2", "1"), claims=[0, 0])
    counted = panoptic(frame, of_classes=True)
    assert (dict(counted.pairs), dict(counted.lone_segments)) == ({0: 1}, {0: 1})
    total = sum_by_scene([frame], 2).total()
    # Class 0: 1 / (1 + .5); class 1: 0 / (0 + .5).
    assert METRICS["class_pq"].of(total) == pytest.approx(100 * (1 / 1.5 + 0) / 2)
    assert METRICS["pq"].of(total) == 100


def test_boundaries_by_hand() -> None:
    assert boundary_width_px((30, 40)) == 1
    whole = np.ones((30, 40), np.bool_)
    inner = np.zeros_like(whole)
    inner[5:15, 5:15] = True
    # The image's own border is outline: 2 (30 + 40) - 4 px; a square of 10 px has 36.
    assert boundary_counts(whole, inner) == (136, 36, 0)
    moved = np.roll(inner, 1, axis=1)
    # Of two outlines a column apart, the two rows of 9 shared columns and nothing of the sides stay common.
    assert boundary_counts(inner, moved) == (36, 36, 18)
    assert boundary_counts(inner, inner) == (36, 36, 36)
    assert boundary_counts(inner & False, inner & False) == (0, 0, 0)
