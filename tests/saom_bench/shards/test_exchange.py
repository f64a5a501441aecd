"""Datasets in and out: every mask survives a round trip, peers read the exports, hostile sources are refused."""

import json
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO
from shards_fixture import make_shards
from typer.testing import CliRunner

from saom_bench.cli import app
from saom_bench.errors import SaomBenchError
from saom_bench.shards.dataset import ShardDataset, open_dataset
from saom_bench.shards.exchange.authors import read_authors
from saom_bench.shards.exchange.coco import read_coco
from saom_bench.shards.exchange.incoming import write_dataset
from saom_bench.shards.exchange.outgoing import FORMATS, export
from saom_bench.shards.exchange.png import read_png
from saom_bench.shards.manifest import read_manifest
from saom_bench.shards.verify import verify_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> ShardDataset:
    folder = make_shards(tmp_path_factory.mktemp("data") / "train", ("FloorPlan1", "FloorPlan12"), frames=3)
    return open_dataset(folder)


def assert_equal(left: ShardDataset, right: ShardDataset) -> None:
    assert left.keys == right.keys
    assert left.label_set == right.label_set
    assert left.simulator == right.simulator
    for a, b in zip(left, right, strict=True):
        np.testing.assert_array_equal(a.rgb, b.rgb)
        np.testing.assert_array_equal(a.labels, b.labels)
        assert a.instances == b.instances
        assert (a.capture.pose, a.capture.fov_deg, a.capture.seed) == (
            b.capture.pose,
            b.capture.fov_deg,
            b.capture.seed,
        )


def imported(source, out: Path) -> ShardDataset:
    write_dataset(source, out, "test", lambda n: None)
    findings = verify_dataset(out, read_manifest(out), lambda n: None)
    assert findings.problems == ()
    return open_dataset(out)


def test_coco_round_trip_keeps_every_mask(dataset: ShardDataset, tmp_path: Path) -> None:
    export(dataset, tmp_path / "coco", "coco")
    back = imported(read_coco(tmp_path / "coco" / "annotations.json", None, "train", None), tmp_path / "back")
    assert_equal(dataset, back)


def test_png_round_trip_keeps_everything(dataset: ShardDataset, tmp_path: Path) -> None:
    export(dataset, tmp_path / "png", "png")
    assert_equal(dataset, imported(read_png(tmp_path / "png", None), tmp_path / "back"))


def test_pycocotools_reads_the_export(dataset: ShardDataset, tmp_path: Path) -> None:
    export(dataset, tmp_path / "coco", "coco")
    coco = COCO(tmp_path / "coco" / "annotations.json")
    assert len(coco.getImgIds()) == len(dataset)
    for number, sample in enumerate(dataset, 1):
        found = coco.loadAnns(coco.getAnnIds([number]))
        assert len(found) == len(sample.instances)
        for each, instance in zip(found, sample.instances, strict=True):
            np.testing.assert_array_equal(coco.annToMask(each) > 0, sample.labels == instance.label)
            assert each["area"] == instance.area_px
            x, y, width, height = each["bbox"]
            assert (x, y, x + width, y + height) == instance.box_xyxy
            assert coco.loadCats([each["category_id"]])[0]["name"] == instance.object_type


def test_webdataset_is_deterministic_and_holds_every_frame(dataset: ShardDataset, tmp_path: Path) -> None:
    for name in ("a", "b"):
        export(dataset, tmp_path / name, "webdataset")
    assert (tmp_path / "a" / "000000.tar").read_bytes() == (tmp_path / "b" / "000000.tar").read_bytes()
    with tarfile.open(tmp_path / "a" / "000000.tar") as tar:
        names = tar.getnames()
        assert len(names) == 3 * len(dataset)
        labels = tar.extractfile("FloorPlan12-000002.labels.png")
        assert labels is not None
        decoded = cv2.imdecode(np.frombuffer(labels.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(decoded, dataset[dataset.keys.index("FloorPlan12/000002")].labels)


def test_hugging_face_folder_lists_every_picture(dataset: ShardDataset, tmp_path: Path) -> None:
    export(dataset, tmp_path / "hf", "hf")
    lines = [json.loads(line) for line in (tmp_path / "hf" / "train" / "metadata.jsonl").read_text().splitlines()]
    assert [line["key"] for line in lines] == dataset.keys
    for line in lines:
        assert (tmp_path / "hf" / "train" / line["file_name"]).is_file()
        assert (tmp_path / "hf" / "train" / line["labels_file_name"]).is_file()
    assert (tmp_path / "hf" / "README.md").read_text().startswith("---\n")


@pytest.mark.parametrize("format_", sorted(FORMATS))
def test_every_export_carries_a_card(dataset: ShardDataset, tmp_path: Path, format_: str) -> None:
    export(dataset, tmp_path / "out", format_)
    assert dataset.fingerprint in (tmp_path / "out" / "README.md").read_text()


def test_an_export_never_overwrites(dataset: ShardDataset, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_text("mine")
    with pytest.raises(SaomBenchError, match="not empty"):
        export(dataset, tmp_path / "there", "coco")
    assert [p.name for p in tmp_path.iterdir()] == ["there"]


def test_foreign_coco_brings_its_own_classes(tmp_path: Path) -> None:
    path = foreign_coco(tmp_path)
    source = read_coco(path, tmp_path, "val", None)
    back = imported(source, tmp_path / "out")
    assert back.label_set.classes == ("cat", "dog")
    assert back.scenes == ("room-a", "room-b")
    first = back[0]
    # The polygon is the larger: the run-length mask lies on it.
    assert [i.object_type for i in first.instances] == ["dog", "cat"]
    assert int((first.labels == 2).sum()) == 6
    assert int((first.labels == 1).sum()) == 10 * 10 - 6
    assert source.skipped.counts == {"crowd regions": 1, "objects partly covered by another mask": 1}


def test_a_label_set_takes_categories_by_name(tmp_path: Path) -> None:
    path = foreign_coco(tmp_path, ("Mug", "dog"))
    source = read_coco(path, tmp_path, "val", "saom-54")
    back = imported(source, tmp_path / "out")
    assert {i.object_type for sample in back for i in sample.instances} == {"Mug"}
    assert source.skipped.counts["objects of no class of the label set"] == 1


def foreign_coco(folder: Path, names: tuple[str, str] = ("cat", "dog")) -> Path:
    rng = np.random.default_rng(0)
    for room, size in (("room-a", (20, 30)), ("room-b", (24, 16))):
        (folder / room).mkdir()
        cv2.imwrite(str(folder / room / "1.png"), rng.integers(0, 255, (*size, 3), dtype=np.uint8))
    runs = [2 * 20 + 3, 3, 17, 3, 20 * 30 - 2 * 20 - 3 - 23]
    content = {
        "images": [
            {"id": 7, "file_name": "room-a/1.png", "width": 30, "height": 20},
            {"id": 9, "file_name": "room-b/1.png", "width": 16, "height": 24},
        ],
        "categories": [{"id": 3, "name": names[0]}, {"id": 5, "name": names[1]}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 5, "segmentation": [[0, 0, 10, 0, 10, 10, 0, 10]]},
            {"id": 2, "image_id": 7, "category_id": 3, "segmentation": {"size": [20, 30], "counts": runs}},
            {"id": 3, "image_id": 9, "category_id": 3, "segmentation": [[2, 2, 8, 2, 8, 8]], "iscrowd": 1},
        ],
    }
    path = folder / "instances.json"
    path.write_text(json.dumps(content))
    return path


def test_the_published_layout(tmp_path: Path) -> None:
    path = published(tmp_path)
    source = read_authors(path, None, "val", "saom-54")
    back = imported(source, tmp_path / "out")
    assert back.scenes == ("FloorPlan21", "FloorPlan22")
    assert [i.object_type for i in back[0].instances] == ["Mug", "Sofa"]
    assert back[0].instances[0].object_id == "Mug_1a2b3c4d"
    np.testing.assert_array_equal(back[0].labels == 1, square(4))
    assert source.skipped.counts == {
        "objects whose file name states another class than the JSON, which was believed": 1,
        "objects partly covered by another mask": 2,
    }


def square(side: int) -> np.ndarray:
    mask = np.zeros((24, 32), np.bool_)
    mask[2 : 2 + side, 5 : 5 + side] = True
    return mask


def published(folder: Path) -> Path:
    items = []
    for room, other in (("FloorPlan21__val__0", "Sofa"), ("FloorPlan22__val__3", "Bed")):
        stem = f"{room}-2-bef"
        cv2.imwrite(str(folder / f"{stem}.png"), np.full((24, 32, 3), 90, np.uint8))
        masks = []
        for name, side in (("Mug_1a2b3c4d", 4), (f"{other}_99aa88bb", 9)):
            picture = np.zeros((24, 32, 3), np.uint8)
            picture[square(side), 2] = 255  # red
            cv2.imwrite(str(folder / f"{stem}-{name}.png"), picture)
            masks.append(f"/{stem}-{name}.png")
        items.append({"image_name": f"{stem}.png", "entity_masks": masks, "entity_indices": [1, 0]})
    path = folder / "metadata.json"
    path.write_text(json.dumps({"entity classes": ["Sofa", "Mug"], "train_data": [], "val_data": items}))
    return path


def test_a_broken_off_import_goes_on(tmp_path: Path) -> None:
    path = foreign_coco(tmp_path)
    (tmp_path / "room-b" / "1.png").rename(tmp_path / "away.png")
    with pytest.raises(SaomBenchError, match=r"room-b/1.png is missing"):
        imported(read_coco(path, tmp_path, "val", None), tmp_path / "out")
    before = (tmp_path / "out" / "room-a.h5").stat().st_mtime_ns
    (tmp_path / "away.png").rename(tmp_path / "room-b" / "1.png")
    assert len(imported(read_coco(path, tmp_path, "val", None), tmp_path / "out")) == 2
    assert (tmp_path / "out" / "room-a.h5").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["images"][0].update(file_name="../../etc/passwd"), "leads out of"),
        (lambda c: c["images"][0].update(width=10**6), "states a picture of"),
        (lambda c: c["images"][0].update(width=31), "the mask of dog.1 is 31x20, its picture 30x20"),
        (lambda c: c["annotations"][0].update(segmentation=[[1, 2]]), "segmentation of annotation 1 is damaged"),
        (lambda c: c["annotations"][1]["segmentation"].update(counts=[10**12]), "annotation 2 is damaged"),
        (lambda c: c.pop("categories"), "no list 'categories'"),
        (lambda c: c["annotations"][0].pop("category_id"), "has no category_id"),
    ],
)
def test_hostile_coco_gets_one_clear_line(tmp_path: Path, change, message: str) -> None:
    path = foreign_coco(tmp_path)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(SaomBenchError, match=message):
        imported(read_coco(path, tmp_path, "val", None), tmp_path / "out")


def test_command_line(dataset: ShardDataset, tmp_path: Path) -> None:
    run = CliRunner()
    out = tmp_path / "coco"
    assert run.invoke(app, ["shards", "export", str(dataset.folder), str(out)]).exit_code == 0
    options = ["--format", "coco", "--split", "train"]
    done = run.invoke(app, ["shards", "import", str(out / "annotations.json"), str(tmp_path / "back"), *options])
    assert done.exit_code == 0, done.output
    assert f"{len(dataset)} frames" in done.output
    assert run.invoke(app, ["shards", "card", str(tmp_path / "back")]).exit_code == 0
    assert "Mug" in (tmp_path / "back" / "README.md").read_text()
