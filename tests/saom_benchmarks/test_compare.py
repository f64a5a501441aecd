"""Side-by-side pictures: chosen by rule, an object in one colour in every panel."""

from pathlib import Path

import numpy as np
import pytest
from eval_fakes import ShiftModel, row, sample
from PIL import Image
from rich.progress import Progress
from shards_fixture import make_shards

from saom_bench.errors import SaomBenchError
from saom_bench.shards.dataset import open_dataset
from saom_benchmarks.compare import choose, comparison, write_comparisons
from saom_benchmarks.evaluate import evaluate, plan
from saom_benchmarks.protocols import PROTOCOLS, score
from saom_benchmarks.scores import FrameScore, ObjectScore


def _records(**ious: int) -> dict[str, FrameScore]:
    return {
        key: FrameScore(
            key=key,
            scene="S",
            size_hw=(1, 1),
            objects=(ObjectScore(label=1, class_index=0, truth_px=100, predicted_px=iou, intersection_px=iou),),
            seconds=0,
        )
        for key, iou in ious.items()
    }


def test_best_median_and_worst_gain() -> None:
    before = _records(a=50, b=50, c=50, d=50, e=50)
    after = _records(a=60, b=90, c=40, d=70, e=10)
    assert choose(before, after, 3) == ["b", "a", "e"]
    assert choose(before, after, 1) == ["b"]
    assert choose(before, after, 9) == ["b", "d", "a", "c", "e"]


def test_one_model_is_ordered_by_its_miou() -> None:
    only = _records(a=50, b=90, c=10)
    assert choose(only, only, 2) == ["b", "c"]


def test_an_object_has_one_colour_in_every_panel() -> None:
    labels = np.kron(row("12"), np.ones((40, 40), np.uint16))
    frame = sample(labels, {1: 0, 2: 1})
    picture = comparison(frame, [("same", score(PROTOCOLS["oracle-point"], ShiftModel("m", 0), frame, lambda: 0.0))])
    height, width = picture.shape[:2]
    left, right = picture[:, : width // 2], picture[:, width // 2 :]
    # The truth panel has names on it, so compare the masks' lower corners.
    assert np.array_equal(left[height - 12, 12], right[height - 12, 12 - 3])
    assert not np.array_equal(right[height - 12, 12], right[height - 12, 60])


def test_pictures_of_every_task(tmp_path: Path) -> None:
    dataset = open_dataset(make_shards(tmp_path / "data", frames=3))
    tasks = [PROTOCOLS["oracle-point"], PROTOCOLS["everything"]]
    models = [ShiftModel("a", 9), ShiftModel("b", 3)]
    with Progress(disable=True) as bar:
        results = evaluate(dataset, models, plan(dataset, tasks, None, None), tmp_path / "out", bar)
    paths = write_comparisons(tmp_path / "pictures", dataset, tmp_path / "out", results, 2)
    assert [path.name.split("-FloorPlan")[0] for path in paths] == [
        "oracle-point-1",
        "oracle-point-2",
        "everything-1",
        "everything-2",
    ]
    assert Image.open(paths[0]).size[0] > 3 * 128
    for record in (tmp_path / "out" / "frames").iterdir():
        record.unlink()
    with pytest.raises(SaomBenchError, match="image records"):
        write_comparisons(tmp_path / "pictures", dataset, tmp_path / "out", results, 2)
