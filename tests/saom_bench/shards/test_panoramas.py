"""Panoramas in shards: how they were made, who owns each pixel, boxes across the seam; in and out of other formats."""

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from shards_fixture import SIMULATOR, make_capture, make_shards

from saom_bench.classes import label_set
from saom_bench.errors import SaomBenchError
from saom_bench.masks import areas_and_boxes
from saom_bench.shards.dataset import open_dataset
from saom_bench.shards.exchange.coco import read_coco
from saom_bench.shards.exchange.incoming import write_dataset
from saom_bench.shards.exchange.outgoing import export
from saom_bench.shards.exchange.png import read_png
from saom_bench.shards.format import ShardHeader
from saom_bench.shards.manifest import append_record, create_manifest, read_manifest
from saom_bench.shards.preview import contact_sheet, seams_tile
from saom_bench.shards.reader import ShardReader
from saom_bench.shards.verify import verify_dataset
from saom_bench.shards.writer import ShardWriter
from saom_bench.types import Capture, Panorama, Pose, SourceView

CLASSES = label_set("saom-54")
HEADER = ShardHeader(CLASSES, "FloorPlan1", "train", 0, SIMULATOR, "test")
SIZE, VIEW = (48, 240), (60, 50)
MADE = Panorama(
    "cylindrical",
    360.0,
    "feather",
    tuple(SourceView(Pose(1.0, 0.9, 2.0, 30.0 * k, 0.0), 90.0, VIEW) for k in range(12)),
)


def panorama(seed: int) -> Capture:
    """Objects of a plain frame, turned so that some lie across the seam."""
    plain = make_capture(np.random.default_rng(seed), SIZE, CLASSES)
    label = max(plain.instances, key=lambda i: i.area_px)
    shift = -(label.box_xyxy[0] + label.box_xyxy[2]) // 2
    labels = np.roll(plain.labels, shift, axis=1)
    boxes = areas_and_boxes(labels, wraps=True)
    instances = tuple(replace(i, box_xyxy=boxes[i.label][1]) for i in plain.instances)
    rgb = np.roll(plain.rgb, shift, axis=1)
    return replace(plain, rgb=rgb, labels=labels, instances=instances, kind="panorama", panorama=MADE)


def views(seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(seed)
    return [(rng.integers(0, 255, (*VIEW, 3), np.uint8), rng.integers(0, 4, VIEW).astype(np.uint16)) for _ in range(12)]


OWNERS = np.repeat(np.arange(12, dtype=np.uint8), 20)[None].repeat(48, axis=0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    create_manifest(folder, {"label_set": CLASSES.name, "split": "train", "simulator": SIMULATOR, "seed": 0})
    with ShardWriter(folder, HEADER, SIZE, layers=("owners",), source_size_hw=VIEW) as writer:
        for seed in range(2):
            writer.add(panorama(seed), {"owners": OWNERS}, views(seed))
        append_record(folder, writer.seal())
    return folder


def test_a_panorama_returns_with_its_views_and_owners(folder: Path) -> None:
    dataset = open_dataset(folder)
    for seed, sample in enumerate(dataset):
        wanted = panorama(seed)
        assert replace(sample.capture, rgb=wanted.rgb, labels=wanted.labels) == wanted
        assert sample.capture.wraps
        assert any(i.box_xyxy[2] > SIZE[1] for i in sample.instances)
        np.testing.assert_array_equal(dataset.layer("owners", seed), OWNERS)
    with ShardReader(folder / "FloorPlan1.h5") as reader:
        for k, (rgb, labels) in enumerate(views(1)):
            found = reader.source(1, k)
            np.testing.assert_array_equal(found[0], rgb)
            np.testing.assert_array_equal(found[1], labels)
        with pytest.raises(IndexError):
            reader.source(1, 12)
    assert verify_dataset(folder, read_manifest(folder), lambda n: None).problems == ()


def test_an_unwrapped_box_is_no_panoramas(tmp_path: Path) -> None:
    wrong = panorama(0)
    boxes = areas_and_boxes(wrong.labels)
    wrong = replace(wrong, instances=tuple(replace(i, box_xyxy=boxes[i.label][1]) for i in wrong.instances))
    with ShardWriter(tmp_path, HEADER, SIZE) as writer, pytest.raises(SaomBenchError, match="differ from those in its"):
        writer.add(wrong)


def test_a_shard_holds_one_kind_and_whole_sets_of_views(tmp_path: Path) -> None:
    with ShardWriter(tmp_path, HEADER, SIZE) as writer:
        writer.add(panorama(0))
        with pytest.raises(SaomBenchError, match="not both"):
            writer.add(make_capture(np.random.default_rng(0), SIZE, CLASSES))
    with (
        ShardWriter(tmp_path, HEADER, SIZE, source_size_hw=VIEW) as writer,
        pytest.raises(SaomBenchError, match="bring"),
    ):
        writer.add(panorama(0), sources=views(0)[:-1])


@pytest.mark.parametrize("format_", ["png", "coco"])
def test_exports_come_back_with_wrapping_boxes(folder: Path, tmp_path: Path, format_: str) -> None:
    export(open_dataset(folder), tmp_path / "out", format_)
    if format_ == "png":
        source = read_png(tmp_path / "out", None)
    else:
        source = read_coco(tmp_path / "out" / "annotations.json", None, "train", None)
    write_dataset(source, tmp_path / "back", "test", lambda n: None)
    for before, after in zip(open_dataset(folder), open_dataset(tmp_path / "back"), strict=True):
        np.testing.assert_array_equal(before.labels, after.labels)
        assert replace(after.capture, rgb=before.rgb, labels=before.labels) == before.capture


@pytest.mark.parametrize("lacks", ["panoramas", "source_labels", "sources"])
def test_a_shard_that_lacks_a_half_is_refused(folder: Path, lacks: str) -> None:
    with h5py.File(folder / "FloorPlan1.h5", "r+") as file:
        del file[lacks]
    with pytest.raises(SaomBenchError, match="without"):
        ShardReader(folder / "FloorPlan1.h5")


def test_a_preview_of_panoramas_is_wide_and_explains_its_seams(folder: Path, tmp_path: Path) -> None:
    dataset = open_dataset(folder)
    rng = np.random.default_rng(0)
    plain, explained = (contact_sheet(dataset, 2, None, rng, explain) for explain in (False, True))
    assert 1600 < plain.shape[1] == explained.shape[1] < 1700
    assert explained.shape[0] > 1.8 * plain.shape[0]
    drawn = seams_tile(dataset[0], dataset.layer("owners", 0))[-320:]
    white = (drawn == 255).all(axis=2).all(axis=0)
    assert np.flatnonzero(white) == pytest.approx([k * 1600 / 12 for k in range(1, 12)], abs=1)
    made = make_shards(tmp_path / "views")
    with pytest.raises(SaomBenchError, match="is no panorama"):
        contact_sheet(open_dataset(made), 1, None, rng, explain=True)
