"""Tasks by name: what they ask of data, and what they fix for an evaluation."""

from dataclasses import replace

import pytest
from shards_fixture import SIMULATOR, make_shards

from saom_bench.errors import SaomBenchError
from saom_bench.shards.dataset import ShardDataset, open_dataset
from saom_benchmarks.tasks import TASKS, task_of

TASK = replace(TASKS["embedded-views@1"], simulators=(SIMULATOR["name"],), geometry=None, fingerprint=None)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> ShardDataset:
    return open_dataset(make_shards(tmp_path_factory.mktemp("data"), ("FloorPlan26",), frames=2, split="test"))


def test_names_with_and_without_versions() -> None:
    assert task_of("packs-views") is task_of("packs-views@1") is TASKS["packs-views@1"]
    with pytest.raises(SaomBenchError, match="did you mean 'embedded-views@1'"):
        task_of("embeded-views@1")
    assert all(name == task.title for name, task in TASKS.items())
    assert all(task.recipe.startswith("saom-bench ") for task in TASKS.values())


def test_its_own_data_is_accepted(dataset: ShardDataset) -> None:
    TASK.check(dataset)
    replace(TASK, fingerprint=dataset.fingerprint, images=2).check(dataset)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split": "val"}, "its split is test, the task's is val"),
        ({"label_set": "saom-48"}, "its label set is saom-54, the task's is saom-48"),
        ({"simulators": ("ai2thor-unity",)}, "its simulator is fixture, the task's is ai2thor-unity"),
        ({"geometry": "packs"}, "its geometry is not stated, the task's is packs"),
        ({"kind": "panorama"}, "its kind of picture is view"),
        ({"images": 3}, "its number of images is 2"),
        ({"fingerprint": "0" * 64}, r"its fingerprint is .* Make it with: saom-bench collect"),
    ],
)
def test_other_data_is_refused(dataset: ShardDataset, changes: dict[str, object], message: str) -> None:
    with pytest.raises(SaomBenchError, match=message):
        replace(TASK, **changes).check(dataset)  # type: ignore[arg-type]
