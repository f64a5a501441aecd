"""The floors: rectangles wherever, and SAM's largest masks; and models in files of their own."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from eval_fakes import ShiftModel, proposals, row, sample

from saom_bench.errors import SaomBenchError
from saom_bench.masks import decode_rle
from saom_bench.types import Proposals, Sample
from saom_benchmarks.controls import GridBoxes, PartMerge
from saom_benchmarks.models import EverythingOverrides, PointMasks, PointRule, load_models
from saom_benchmarks.protocols import PROTOCOLS, score


def test_rectangles_lie_round_points_and_inside_the_picture() -> None:
    labels = np.zeros((40, 60), np.uint16)
    labels[10:20, 30:40] = 1
    frame = sample(labels, {1: 0})
    model = GridBoxes(grid=(3, 2))
    (answer,) = model.points(frame, PointRule())
    assert answer.masks.any(axis=(1, 2)).all()
    assert (np.diff(answer.masks.sum(axis=(1, 2))) > 0).all()
    found = model.everything(frame)
    assert len(found) == 3 * 3 * 2
    assert all(decode_rle(rle).any() for rle in found.rles)
    assert 0 <= score(PROTOCOLS["everything"], model, frame, lambda: 0.0).objects[0].iou < 1


class _Parts(ShiftModel):
    """A whole of 4 px and its half, the half with the higher score."""

    def points(self, sample: Sample, rule: PointRule) -> Iterator[PointMasks]:
        masks = np.stack([row("1100000") > 0, row("1111000") > 0])
        yield PointMasks(1, masks, np.array([0.9, 0.5], np.float32))

    def everything(self, sample: Sample) -> Proposals:
        return proposals(row("1100000") > 0, row("1111000") > 0, row("0000011") > 0)


def test_the_largest_mask_counts() -> None:
    frame = sample(row("1111000"), {1: 0})
    plain, merged = _Parts("sam", 0), PartMerge(_Parts("sam", 0))
    by_points = [
        score(PROTOCOLS["oracle-point"], model, frame, lambda: 0.0).objects[0].iou for model in (plain, merged)
    ]
    assert by_points == [0.5, 1.0]
    kept = [decode_rle(rle).sum() for rle in merged.everything(frame).rles]
    assert kept == [4, 2]
    assert merged.card.kind == "control"
    assert merged.card.identity != plain.card.identity


def test_models_by_what_their_names_begin_with() -> None:
    overrides = EverythingOverrides(grid=(4, 3))
    models, _ = load_models(["oracle", "grid-boxes"], None, "cpu", overrides)
    assert [model.card.name for model in models] == ["oracle", "grid-boxes"]
    assert models[1].settings["everything"] == {"grid": [4, 3]}
    with pytest.raises(SaomBenchError, match="did you mean 'grid-boxes'"):
        load_models(["grid-box"], None, "cpu", overrides)


def test_the_readmes_model_is_scored(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "def load(" in block]
    (tmp_path / "flood.py").write_text(code)
    (model,), _ = load_models([f"{tmp_path / 'flood.py'}"], None, "cpu", EverythingOverrides())
    labels = np.zeros((40, 60), np.uint16)
    labels[10:20, 30:40] = 1
    frame = sample(labels, {1: 0})
    frame.rgb[10:20, 30:40] = 200
    frame.instances[0].__dict__.update(box_xyxy=(30, 10, 40, 20))
    for protocol in ("oracle-point", "everything"):
        assert score(PROTOCOLS[protocol], model, frame, lambda: 0.0).objects[0].iou == 1.0


def test_files_that_are_no_models_are_named(tmp_path: Path) -> None:
    with pytest.raises(SaomBenchError, match="no model file"):
        load_models([f"{tmp_path / 'nothing.py'}"], None, "cpu", EverythingOverrides())
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(SaomBenchError, match="has no function load"):
        load_models([f"{tmp_path / 'empty.py'}"], None, "cpu", EverythingOverrides())
