"""What a deep check finds in shards that are whole: each fault of a simulator, and nothing in good data."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from shards_fixture import SIMULATOR, make_capture, make_shards
from typer.testing import CliRunner

from saom_bench.classes import label_set
from saom_bench.shards.cli import app
from saom_bench.shards.deep import suspicions
from saom_bench.shards.format import ShardHeader
from saom_bench.shards.manifest import append_record, create_manifest, read_manifest
from saom_bench.shards.writer import ShardWriter
from saom_bench.types import Capture, Pose

CLASSES = label_set("saom-54")
SIZE = (96, 128)


def _found(folder: Path) -> tuple[str, ...]:
    return suspicions(folder, read_manifest(folder), lambda n: None)


def _dataset(folder: Path, *captures: Capture, **layers: np.ndarray) -> Path:
    create_manifest(folder, {"label_set": CLASSES.name, "split": "train"})
    header = ShardHeader(CLASSES, "FloorPlan1", "train", 0, SIMULATOR, "test")
    with ShardWriter(folder, header, SIZE, layers=tuple(layers)) as writer:
        for capture in captures:
            writer.add(capture, layers)
        append_record(folder, writer.seal())
    return folder


def _capture(seed: int = 0) -> Capture:
    return make_capture(np.random.default_rng(seed), SIZE, CLASSES)


def _shuffled_pose(capture: Capture) -> Capture:
    return replace(capture, pose=Pose(np.nan, 0, 0, 0, 0))


def _other_labels(capture: Capture) -> Capture:
    other = _capture(77)
    return replace(capture, labels=other.labels, instances=other.instances)


def test_good_data_raises_no_suspicion(tmp_path: Path) -> None:
    assert _found(make_shards(tmp_path / "data", ("FloorPlan1", "FloorPlan2"), frames=8)) == ()
    result = CliRunner().invoke(app, ["verify", "--deep", str(tmp_path / "data")])
    assert (result.exit_code, "whole:" in result.output) == (0, True)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_shuffled_pose, "impossible"),
        (lambda capture: replace(capture, fov_deg=0.0), "impossible"),
        (lambda capture: replace(capture, rgb=np.full_like(capture.rgb, 3)), "empty"),
        (_other_labels, "another picture"),
    ],
)
def test_a_spoilt_frame_is_named(tmp_path: Path, spoil: Callable[[Capture], Capture], says: str) -> None:
    folder = _dataset(tmp_path / "data", _capture(1), spoil(_capture(2)))
    (line,) = _found(folder)
    assert "FloorPlan1.h5 frame 1" in line
    assert says in line
    result = CliRunner().invoke(app, ["verify", "--deep", str(folder)])
    assert result.exit_code == 2
    assert CliRunner().invoke(app, ["verify", str(folder)]).exit_code == 0


def test_a_repeated_picture_is_named_with_the_first(tmp_path: Path) -> None:
    (line,) = _found(_dataset(tmp_path / "data", _capture(1), _capture(2), _capture(1)))
    assert "frame 2" in line
    assert "frame 0" in line


def test_an_object_that_changes_its_type_is_named(tmp_path: Path) -> None:
    first, second = _capture(1), _capture(2)
    name = first.instances[0].object_id
    others = [i for i in second.instances if i.object_type != first.instances[0].object_type]
    renamed = tuple(replace(i, object_id=name) if i == others[0] else i for i in second.instances)
    assert any(name in line for line in _found(_dataset(tmp_path / "data", first, replace(second, instances=renamed))))


def test_depth_and_parts_must_fit_the_objects(tmp_path: Path) -> None:
    capture = _capture(1)
    one = np.ones(SIZE, np.uint16)
    good = {"depth": np.full(SIZE, 2.0, np.float32), "parts": capture.labels.copy()}
    assert _found(_dataset(tmp_path / "good", capture, **good)) == ()
    doubts = _found(_dataset(tmp_path / "bad", capture, depth=np.zeros(SIZE, np.float32), parts=one))
    assert ["depth" in doubts[0], "1 parts" in doubts[1]] == [True, True]
