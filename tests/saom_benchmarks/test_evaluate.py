"""Whole evaluations on a small dataset with fake models: order, resume, failures, limits."""

import json
from pathlib import Path
from typing import Any

import pytest
from eval_fakes import ShiftModel
from rich.progress import Progress
from shards_fixture import make_shards

from saom_bench.errors import SaomBenchError
from saom_bench.shards.dataset import ShardDataset, open_dataset
from saom_benchmarks.controls import OracleModel
from saom_benchmarks.evaluate import check_classes, evaluate, plan, spread
from saom_benchmarks.models import Model
from saom_benchmarks.protocols import PROTOCOLS
from saom_benchmarks.results import Result, read_results, write_result

TASKS = [PROTOCOLS["oracle-point"], PROTOCOLS["everything"]]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> ShardDataset:
    folder = tmp_path_factory.mktemp("data")
    return open_dataset(make_shards(folder, scenes=("FloorPlan26", "FloorPlan27"), frames=2, split="test"))


def _run(dataset: ShardDataset, models: list[Model], out: Path, **options: Any) -> list[Result]:
    limits = options.pop("limits", (None, None))
    with Progress(disable=True) as bar:
        return evaluate(dataset, models, plan(dataset, TASKS, *limits), out, bar, **options)


def _lasting(results: list[Result]) -> list[dict[str, Any]]:
    """Results without what differs from run to run."""
    return [result.model_dump(exclude={"created", "speed", "command", "git"}) for result in results]


def test_one_checked_file_a_model_and_task(dataset: ShardDataset, tmp_path: Path) -> None:
    results = _run(dataset, [ShiftModel("a", 4), OracleModel()], tmp_path)
    assert [(r.task.protocol, r.model.name, r.status) for r in results] == [
        ("oracle-point", "a", "complete"),
        ("oracle-point", "oracle", "complete"),
        ("everything", "a", "complete"),
        ("everything", "oracle", "complete"),
    ]
    assert sorted(r.stem for r in read_results([tmp_path])) == sorted(r.stem for r in results)
    first, oracle = results[:2]
    assert 0 < first.metrics["miou"].value < oracle.metrics["miou"].value == 100
    assert first.data.fingerprint == dataset.fingerprint
    assert first.data.images == 4
    assert {row.name for row in first.classes} | set(first.absent) == set(dataset.label_set.classes)
    assert results[2].per_image["proposals"] == first.per_image["objects"]


def test_rows_do_not_depend_on_the_order_of_models(dataset: ShardDataset, tmp_path: Path) -> None:
    one, two = ShiftModel("a", 4), ShiftModel("b", 8)
    there = _run(dataset, [one, two], tmp_path / "x")
    back = _run(dataset, [two, one], tmp_path / "y")
    assert _lasting(there) == _lasting([back[1], back[0], back[3], back[2]])


class _StoppedError(BaseException):
    """Stands for Ctrl-C: no Exception, so it ends the run."""


def test_a_stopped_run_goes_on_and_ends_the_same(dataset: ShardDataset, tmp_path: Path) -> None:
    whole = _run(dataset, [ShiftModel("a", 4)], tmp_path / "whole")
    model = ShiftModel("a", 4)
    normal, calls = model.points, 0

    def stopping(sample: Any, rule: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise _StoppedError
        return normal(sample, rule)

    model.points = stopping  # type: ignore[method-assign]
    with pytest.raises(_StoppedError):
        _run(dataset, [model], tmp_path / "cut")
    assert read_results([tmp_path / "cut"]) == []
    (record, *_) = sorted((tmp_path / "cut" / "frames").glob("oracle-point*.part"))
    with record.open("a") as file:
        file.write('{"key": "FloorPlan27/0000')  # a line that the kill tore
    second = ShiftModel("a", 4)
    resumed = _run(dataset, [second], tmp_path / "cut")
    # 4 images x 2 tasks, of which 2 + 2 were done.
    assert len(second.seen) == 4
    assert _lasting(resumed) == _lasting(whole)
    assert not list((tmp_path / "cut" / "frames").glob("*.part"))


def test_a_finished_run_measures_anew(dataset: ShardDataset, tmp_path: Path) -> None:
    _run(dataset, [ShiftModel("a", 4)], tmp_path)
    again = ShiftModel("a", 4)
    _run(dataset, [again], tmp_path)
    assert len(again.seen) == 8


def test_a_model_that_breaks_on_an_image_fails_its_rows_only(dataset: ShardDataset, tmp_path: Path) -> None:
    key = "FloorPlan27/000000"
    results = _run(dataset, [ShiftModel("bad", 4, breaks_on=(key,)), ShiftModel("good", 4)], tmp_path)
    assert [r.status for r in results] == ["failed", "complete", "failed", "complete"]
    (failure,) = results[0].failures
    assert (failure.key, failure.error) == (key, "RuntimeError: out of luck")
    assert results[0].metrics == {}
    assert {r.status for r in read_results([tmp_path])} == {"failed", "complete"}
    # The images that worked are not measured again once the model is mended.
    mended = ShiftModel("bad", 4)
    assert [r.status for r in _run(dataset, [mended], tmp_path)] == ["complete", "complete"]
    assert mended.seen == [key, key]


def test_a_model_that_always_breaks_is_given_up(dataset: ShardDataset, tmp_path: Path) -> None:
    bad = ShiftModel("bad", 4, breaks_on=tuple(dataset.keys))
    results = _run(dataset, [bad], tmp_path)
    assert [len(r.failures) for r in results] == [3, 3]
    assert len(bad.seen) == 6


def test_a_changed_shard_is_named(tmp_path: Path) -> None:
    data = make_shards(tmp_path / "data", scenes=("FloorPlan26", "FloorPlan27"), frames=1, split="test")
    shard = data / "FloorPlan27.h5"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    with pytest.raises(SaomBenchError, match=r"FloorPlan27\.h5 was changed or damaged"):
        _run(open_dataset(data), [OracleModel()], tmp_path / "out")


def test_a_record_of_other_settings_is_not_resumed(dataset: ShardDataset, tmp_path: Path) -> None:
    bad = ShiftModel("a", 4, breaks_on=("FloorPlan27/000001",))
    _run(dataset, [bad], tmp_path)
    other = ShiftModel("a", 4)
    other.settings["everything"] = {"grid": [3, 3]}
    _run(dataset, [other], tmp_path)
    # oracle-point: only the broken image; everything with another grid: all four.
    assert sorted(other.seen) == sorted(["FloorPlan27/000001", *dataset.keys])


def test_limits_spread_and_nest(dataset: ShardDataset, tmp_path: Path) -> None:
    point, everything = plan(dataset, TASKS, 2, 1)
    assert set(everything.indices) < set(point.indices)
    assert {dataset.scene_of(i) for i in point.indices} == set(dataset.scenes)
    whole, part = (
        _run(dataset, [OracleModel()], tmp_path / "a"),
        _run(dataset, [OracleModel()], tmp_path, limits=(2, 1)),
    )
    assert (part[0].data.images, part[1].data.images) == (2, 1)
    assert part[0].comparable != whole[0].comparable


def test_spread() -> None:
    assert spread(10, None) == tuple(range(10))
    assert spread(10, 4) == (0, 2, 5, 7)
    assert spread(3, 9) == (0, 1, 2)
    with pytest.raises(SaomBenchError, match="limit of 0"):
        spread(3, 0)


def test_a_checkpoint_of_other_classes_is_refused(dataset: ShardDataset) -> None:
    model = OracleModel()
    model.card = model.card.model_copy(update={"label_set": "saom-48"})
    with pytest.raises(SaomBenchError, match=r"label set saom-48, .* has saom-54"):
        check_classes([model], dataset.label_set, dataset.folder)


def test_results_are_plain_json(dataset: ShardDataset, tmp_path: Path) -> None:
    (result, _) = _run(dataset, [OracleModel()], tmp_path)
    content = json.loads(write_result(tmp_path, result).read_text())
    assert (content["format"], content["version"]) == ("saom-result", 2)
    assert content["metrics"]["miou"]["value"] == 100
    assert content["data"]["simulator"]["name"] == "fixture"
    assert content["packages"]["saom-bench"]
