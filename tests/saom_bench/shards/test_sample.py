"""The dataset that is committed in data/sample can be read by this version, and is what its manifest says."""

from pathlib import Path

from saom_bench.files import sha256_file
from saom_bench.shards.dataset import open_dataset
from saom_bench.shards.manifest import read_manifest

SAMPLE = Path(__file__).parents[3] / "data" / "sample"


def test_the_committed_sample_is_whole() -> None:
    dataset = open_dataset(SAMPLE)
    assert dataset.scenes == ("FloorPlan226",)
    assert [dataset[i].size_hw for i in range(len(dataset))] == [(240, 320)] * 4
    assert all((dataset[0].labels == item.label).sum() == item.area_px for item in dataset[0].instances)
    (shard,) = read_manifest(SAMPLE).shards
    assert sha256_file(SAMPLE / shard.file) == shard.sha256
