"""What goes into a shard comes out; the same frames make the same bytes; a shard has its name only when it is whole."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from shards_fixture import SIMULATOR, make_capture, make_shards

from saom_bench.classes import label_set
from saom_bench.errors import SaomBenchError
from saom_bench.files import sha256_file
from saom_bench.masks import areas_and_boxes
from saom_bench.shards.format import ShardHeader
from saom_bench.shards.reader import ShardReader
from saom_bench.shards.writer import ShardWriter
from saom_bench.types import Capture, Instance, Pose

CLASSES = label_set("saom-54")
HEADER = ShardHeader(CLASSES, "FloorPlan1", "train", 3, SIMULATOR, "saom-bench collect OUT --scenes FloorPlan1")
NUMBERS = st.floats(-1e3, 1e3, allow_nan=False)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)


@st.composite
def captures(draw: st.DrawFn, size_hw: tuple[int, int] = (6, 7)) -> Capture:
    labels = draw(arrays.arrays(np.uint16, size_hw, elements=st.sampled_from([0, 1, 2, 300, 65535])))
    rgb = draw(arrays.arrays(np.uint8, (*size_hw, 3)))
    instances = []
    for label, (area_px, box) in areas_and_boxes(labels).items():
        index = draw(st.integers(0, len(CLASSES) - 1))
        instances.append(Instance(label, draw(NAMES), CLASSES.classes[index], index, area_px, box))
    pose = Pose(*(draw(NUMBERS) for _ in range(5)), standing=draw(st.booleans()))
    return Capture(rgb, labels, tuple(instances), pose, draw(NUMBERS), draw(st.integers(0, 2**62)), "view")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames=st.lists(captures(), max_size=4))
def test_every_field_of_every_frame_returns(tmp_path: Path, frames: list[Capture]) -> None:
    with ShardWriter(tmp_path, HEADER, (6, 7)) as writer:
        for frame in frames:
            writer.add(frame)
        record = writer.seal(1.5)
    assert (record.frames, record.instances) == (len(frames), sum(len(f.instances) for f in frames))
    with ShardReader(tmp_path / record.file) as reader:
        assert reader.header == HEADER
        assert len(reader) == len(frames)
        for i, frame in enumerate(frames):
            back = reader.capture(i)
            np.testing.assert_array_equal(back.rgb, frame.rgb)
            np.testing.assert_array_equal(back.labels, frame.labels)
            assert replace(back, rgb=frame.rgb, labels=frame.labels) == frame
            assert back.rgb.dtype == np.uint8
            assert back.labels.dtype == np.uint16


def test_optional_layers_return(tmp_path: Path) -> None:
    capture = make_capture(np.random.default_rng(0), (48, 64), CLASSES)
    depth = np.linspace(0, 9, 48 * 64, dtype=np.float32).reshape(48, 64)
    with ShardWriter(tmp_path, HEADER, (48, 64), layers=("depth",)) as writer:
        writer.add(capture, {"depth": depth})
        record = writer.seal()
    with ShardReader(tmp_path / record.file) as reader:
        assert reader.layers == ("images", "labels", "depth")
        np.testing.assert_array_equal(reader.layer("depth", 0), depth)


def test_same_frames_same_bytes(tmp_path: Path) -> None:
    first, second = (make_shards(tmp_path / name, frames=4, seed=5) for name in ("a", "b"))
    other = make_shards(tmp_path / "c", frames=4, seed=6)
    hashes = [sha256_file(folder / "FloorPlan1.h5") for folder in (first, second, other)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_shard_that_was_not_sealed_is_not_there(tmp_path: Path) -> None:
    with ShardWriter(tmp_path, HEADER, (48, 64)) as writer:
        writer.add(make_capture(np.random.default_rng(0), (48, 64), CLASSES))
        assert [p.name for p in tmp_path.iterdir()] == ["FloorPlan1.h5.part"]
    assert list(tmp_path.iterdir()) == []


def _wrong_area(capture: Capture) -> Capture:
    return replace(capture, instances=(replace(capture.instances[0], area_px=1), *capture.instances[1:]))


def _unlisted(capture: Capture) -> Capture:
    return replace(capture, instances=capture.instances[1:])


def _wrong_class(capture: Capture) -> Capture:
    return replace(capture, instances=(replace(capture.instances[0], class_index=0), *capture.instances[1:]))


def _wrong_size(capture: Capture) -> Capture:
    return replace(capture, rgb=capture.rgb[:-1])


def _long_id(capture: Capture) -> Capture:
    return replace(capture, instances=(replace(capture.instances[0], object_id="x" * 257), *capture.instances[1:]))


@pytest.mark.parametrize("spoil", [_wrong_area, _unlisted, _wrong_class, _wrong_size, _long_id])
def test_frames_that_contradict_themselves_are_refused(tmp_path: Path, spoil) -> None:
    capture = make_capture(np.random.default_rng(0), (48, 64), CLASSES)
    with ShardWriter(tmp_path, HEADER, (48, 64)) as writer, pytest.raises(SaomBenchError):
        writer.add(spoil(capture))
