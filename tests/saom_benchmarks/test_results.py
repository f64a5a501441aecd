"""Result files: what is written is read, and what was tampered with is named."""

import json
from pathlib import Path
from typing import Any

import pytest
from eval_results import make_result

from saom_bench.errors import SaomBenchError
from saom_benchmarks.results import Result, read_result, read_results, write_result


def _change(path: Path, *keys: str | int, value: Any) -> None:
    content = json.loads(path.read_text())
    place = content
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    path.write_text(json.dumps(content))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_result(tmp_path, make_result("saomv1", {"A": 50, "B": 70}, recipe="saomv1"))


def test_what_is_written_is_read(path: Path) -> None:
    result = make_result("saomv1", {"A": 50, "B": 70}, recipe="saomv1")
    assert read_result(path).model_copy(update={"digest": ""}) == result
    assert path.name == result.stem + ".json"
    assert path.name.startswith("oracle-point--saomv1--")


def test_the_name_of_a_file_follows_the_work_not_the_label() -> None:
    result = make_result("a", {"A": 50}, recipe="r", base_weights_sha256="1")
    renamed = result.model_copy(update={"model": result.model.model_copy(update={"name": "b", "spec": "elsewhere"})})
    other = result.model_copy(update={"settings": {"device": "cpu", "grid": [9, 9]}})
    trained = result.model_copy(update={"model": result.model.model_copy(update={"checkpoint_sha256": "2"})})
    assert renamed.stem == result.stem
    assert len({result.stem, other.stem, trained.stem}) == 3


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (("metrics", "miou", "value"), 99.0, "miou is given as 99.0000, its tallies give 60.0000"),
        (("classes", 0, "iou"), 99.0, "the IoU of Mug is given as 99.0000"),
        (("metrics",), {}, "it has no mIoU"),
        (("metrics", "miou", "value"), None, "damaged at metrics.miou.value"),
        (("data", "images"), 3, "tallies do not cover its images"),
        (("tallies", "A", "classes", "Mug"), [1.0], "damaged tallies"),
        (("tallies", "A", "classes", "Fork"), [0.0] * 31, "damaged tallies"),
        (("data", "scenes"), ["A"], "tallies do not cover its images"),
        (("version",), 1, "is of version 1"),
        (("speed", "mean_s"), 0.1, "its digest"),
        (("metrics", "miou", "high"), 99.0, "its digest"),
        (("format",), "other", "not a result of saom-bench eval"),
        (("status",), "fine", "damaged at status"),
    ],
)
def test_a_tampered_file_is_named(path: Path, keys: tuple[str | int, ...], value: Any, message: str) -> None:
    _change(path, *keys, value=value)
    with pytest.raises(SaomBenchError, match=message) as caught:
        read_result(path)
    assert str(path) in str(caught.value)


def test_a_truncated_file_is_named(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(SaomBenchError, match="cannot be read as JSON"):
        read_results([path.parent])


def test_bad_files_can_be_passed_over(path: Path) -> None:
    (path.parent / "a.json").write_text("{")
    problems: list[SaomBenchError] = []
    assert len(read_results([path.parent], problems.append)) == 1
    assert len(problems) == 1


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SaomBenchError, match="no results folder"):
        read_results([tmp_path / "none"])


def test_scenes_that_the_model_has_seen() -> None:
    result = make_result("a", {"A": 50, "B": 60, "C": 70}, train_scenes=("B", "Z"), val_scenes=("C",))
    assert (result.seen_scenes, result.selection_scenes) == (["B"], ["C"])


def test_the_schema_in_the_repository_is_that_of_results() -> None:
    schema = Path(__file__).parents[2] / "benchmarks/result.schema.json"
    assert json.loads(schema.read_text()) == Result.model_json_schema()
