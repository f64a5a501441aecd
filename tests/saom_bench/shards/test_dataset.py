"""A dataset folder as one sequence: order, keys, views, fingerprints, other processes, and its manifest."""

import json
import multiprocessing
import pickle
from pathlib import Path

import numpy as np
import pytest
from shards_fixture import SIMULATOR, make_shards

from saom_bench.errors import SaomBenchError
from saom_bench.shards.dataset import ShardDataset, open_dataset
from saom_bench.shards.manifest import MANIFEST, FailureRecord, append_record, read_manifest

SCENES = ("FloorPlan10", "FloorPlan2", "FloorPlan1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_shards(tmp_path / "data", SCENES, frames=2)


def test_samples_come_by_scene_number_and_frame(folder: Path) -> None:
    dataset = open_dataset(folder)
    assert dataset.scenes == ("FloorPlan1", "FloorPlan2", "FloorPlan10")
    assert dataset.keys[:3] == ["FloorPlan1/000000", "FloorPlan1/000001", "FloorPlan2/000000"]
    assert [sample.key for sample in dataset] == dataset.keys
    assert (dataset.split, dataset.label_set.name, dataset.simulator) == ("train", "saom-54", SIMULATOR)
    assert all(dataset.objects(i) == dataset[i].instances for i in range(len(dataset)))
    with pytest.raises(IndexError):
        dataset[6]


def test_views_keep_keys_and_change_the_fingerprint(folder: Path) -> None:
    dataset = open_dataset(folder)
    one = dataset.only(scenes=["FloorPlan2"])
    assert one.keys == ["FloorPlan2/000000", "FloorPlan2/000001"]
    few = dataset.only(limit=2)
    assert [few.scene_of(i) for i in range(2)] == ["FloorPlan1", "FloorPlan2"]
    prints = {dataset.fingerprint, one.fingerprint, few.fingerprint, one.only(limit=1).fingerprint}
    assert len(prints) == 4
    assert dataset.only(limit=99).fingerprint == dataset.fingerprint == open_dataset(folder).fingerprint
    with pytest.raises(SaomBenchError, match="FloorPlan2"):
        dataset.only(scenes=["FloorPlan22"])


def test_the_fingerprint_follows_content_not_place_or_order(folder: Path, tmp_path: Path) -> None:
    same = make_shards(tmp_path / "elsewhere", SCENES[::-1], frames=2)
    other = make_shards(tmp_path / "other", SCENES, frames=2, seed=1)
    assert open_dataset(folder).fingerprint == open_dataset(same).fingerprint
    assert open_dataset(folder).fingerprint != open_dataset(other).fingerprint


def _sum_of(dataset: ShardDataset, index: int) -> int:
    return int(dataset[index].rgb.sum())


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:This process")
def test_a_dataset_with_open_files_may_go_to_other_processes(folder: Path, method: str) -> None:
    dataset = open_dataset(folder)
    expected = [_sum_of(dataset, i) for i in range(len(dataset))]
    with multiprocessing.get_context(method).Pool(2) as pool:
        found = pool.starmap(_sum_of, [(dataset, i) for i in range(len(dataset))])
    assert found == expected
    assert [_sum_of(dataset, i) for i in range(len(dataset))] == expected


def test_a_pickled_dataset_carries_no_open_files(folder: Path) -> None:
    dataset = open_dataset(folder)
    copy = pickle.loads(pickle.dumps(dataset))
    dataset.close()
    np.testing.assert_array_equal(copy[3].rgb, dataset[3].rgb)


def test_partial_and_unlisted_files_are_never_read(folder: Path) -> None:
    whole = open_dataset(folder).fingerprint
    (folder / "FloorPlan3.h5.part").write_bytes(b"cut short")
    (folder / "FloorPlan4.h5").write_bytes(b"from elsewhere")
    assert open_dataset(folder).fingerprint == whole


def test_a_manifest_line_cut_short_by_a_kill_is_dropped_and_mended(folder: Path) -> None:
    path = folder / MANIFEST
    whole = path.read_text()
    path.write_text(whole + '{"record": "sha')
    assert len(open_dataset(folder)) == 6
    append_record(folder, FailureRecord("FloorPlan3", "no room", "now"))
    lines = path.read_text().splitlines()
    assert [json.loads(line)["record"] for line in lines] == ["dataset", "shard", "shard", "shard", "failure"]
    assert read_manifest(folder).failures[0].scene == "FloorPlan3"


@pytest.mark.parametrize("text", ["", "oops\n", "[]\n", '{"format": "saom-manifest", "version": 9, "settings": {}}\n'])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(SaomBenchError, match="manifest"):
        open_dataset(tmp_path)


def test_no_dataset_no_folder_no_shards(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(SaomBenchError, match="does not exist"):
        open_dataset(tmp_path / "none")
    with pytest.raises(SaomBenchError, match=r"no manifest\.jsonl"):
        open_dataset(tmp_path)
    path = folder / MANIFEST
    path.write_text(path.read_text().splitlines()[0] + "\n")
    with pytest.raises(SaomBenchError, match="no finished shard"):
        open_dataset(folder)


def test_a_shard_swapped_for_another_is_noticed(folder: Path, tmp_path: Path) -> None:
    other = make_shards(tmp_path / "other", ("FloorPlan5",), frames=2)
    (folder / "FloorPlan2.h5").write_bytes((other / "FloorPlan5.h5").read_bytes())
    with pytest.raises(SaomBenchError, match=r"FloorPlan2\.h5"):
        open_dataset(folder)[2]
