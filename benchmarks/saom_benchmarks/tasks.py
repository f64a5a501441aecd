"""Tasks by name and version: which images, label set, split, protocols and prompt rule make rows comparable.

A task whose images everybody can make again, byte for byte, fixes their fingerprint. The others fix what they can; the
fingerprint then stands in each row, and only rows of one fingerprint are ranked together. Any folder of shards is a
local task: ``eval`` without ``--task``.

A version never changes; other data or another rule is a new version.
"""

from dataclasses import dataclass

from saom_bench.errors import SaomBenchError, unknown
from saom_bench.shards.dataset import ShardDataset


@dataclass(frozen=True)
class Task:
    """One benchmark: data, and what is asked of models on it."""

    name: str
    version: int
    description: str
    recipe: str
    """The commands that make its data."""
    split: str = "test"
    label_set: str | None = "saom-54"
    """None for any."""
    simulators: tuple[str, ...] = ()
    """Names that its data may come from; () for any."""
    geometry: str | None = None
    """What the embedded player drew: "parametric" or "packs"; None for any."""
    kind: str = "view"
    protocols: tuple[str, ...] = ("oracle-point", "everything")
    grid: tuple[int, int] = (32, 32)
    """Of oracle-point's points."""
    images: int | None = None
    """How many it has; None where that is the data's own."""
    everything_images: int | None = None
    """Everything mode runs on at most so many, evenly spread."""
    fingerprint: str | None = None
    """Of its data; None where the data cannot be made again byte for byte, or is not ours to fix."""

    @property
    def title(self) -> str:
        """ "embedded-views@1"."""
        return f"{self.name}@{self.version}"

    def check(self, dataset: ShardDataset) -> None:
        """Raise SaomBenchError when ``dataset`` is not this task's."""
        geometry = dataset.simulator.get("scenes", "not stated")
        stated = [
            ("split", dataset.split, (self.split,)),
            ("label set", dataset.label_set.name, (self.label_set or dataset.label_set.name,)),
            ("simulator", str(dataset.simulator.get("name")), self.simulators or (str(dataset.simulator.get("name")),)),
            ("geometry", geometry, (self.geometry or geometry,)),
            ("kind of picture", dataset[0].capture.kind, (self.kind,)),
            ("number of images", len(dataset), (self.images or len(dataset),)),
            ("fingerprint", dataset.fingerprint, (self.fingerprint or dataset.fingerprint,)),
        ]
        for what, found, wanted in stated:
            if found not in wanted:
                raise SaomBenchError(
                    f"{dataset.folder} is not the data of {self.title}: its {what} is {found}, the task's is "
                    f"{' or '.join(map(str, wanted))}. Make it with: {self.recipe}; or leave --task away"
                )


_VIEWS = "--split test --views-per-scene 6 --size 480x360 --fov 70 --seed 0"

TASKS: dict[str, Task] = {
    task.title: task
    for task in (
        Task(
            "embedded-views",
            1,
            "Single views of the 20 iTHOR test scenes, laid out and rendered by the embedded player.",
            f"saom-bench collect DATA {_VIEWS}",
            simulators=("saom-player",),
            geometry="parametric",
            everything_images=40,
        ),
        Task(
            "embedded-mini",
            1,
            "One view of each of the 20 iTHOR test scenes in the embedded player: what two CPU cores score in minutes.",
            "saom-bench collect DATA --split test --views-per-scene 1 --size 480x360 --fov 70 --seed 0",
            simulators=("saom-player",),
            images=20,
            everything_images=8,
        ),
        Task(
            "embedded-panoramas",
            1,
            "Panoramas (360 degrees, 5:1) of the 20 iTHOR test scenes in the embedded player.",
            "saom-bench collect DATA --kind panoramas --split test --views-per-scene 2 --seed 0",
            simulators=("saom-player",),
            geometry="parametric",
            kind="panorama",
            grid=(320, 64),
            everything_images=20,
        ),
        Task(
            "packs-views",
            1,
            "Single views of AI2-THOR's own rooms as scene packs, rendered by the embedded player: real geometry. "
            "Users make the packs from a clone of AI2-THOR's Unity project, so the fingerprint is the clone's.",
            f"saom-bench collect DATA --packs PACKS {_VIEWS}",
            simulators=("saom-player",),
            geometry="packs",
            everything_images=40,
        ),
        Task(
            "unity-views",
            1,
            "Single views of the 20 iTHOR test scenes from AI2-THOR's own player.",
            f"saom-bench collect DATA --player unity {_VIEWS}",
            simulators=("ai2thor-unity",),
            everything_images=40,
        ),
        Task(
            "saom-dataset",
            1,
            "The published SAOM dataset's own pictures and masks, where the user has them.",
            "saom-bench shards import metadata.json DATA --format saom --split test --label-set saom-54",
            everything_images=100,
        ),
        Task(
            "coco-indoor",
            1,
            "Photographs: COCO val2017, all its categories: what a model that was trained in rooms does elsewhere.",
            "saom-bench shards import instances_val2017.json DATA --format coco --images val2017 --split test",
            label_set=None,
            everything_images=100,
        ),
    )
}


def task_of(name: str) -> Task:
    """A task by "name@version", or by its name alone for the newest version. Raises SaomBenchError for others."""
    versions = [task for task in TASKS.values() if name in (task.title, task.name)]
    if not versions:
        raise unknown("task", name, TASKS)
    return max(versions, key=lambda task: task.version)
