"""From the matrix to the commands that fill it: each with what shows that it was done, and about how long it takes.

Every step is one `saom-bench` verb in a process of its own, so that a reader can run any of them by hand, and a run
that was broken off goes on in the middle of a step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from saom_bench.files import sha256_file
from saom_bench.sam.checkpoint import read_metadata
from saom_bench.shards.dataset import open_dataset
from saom_bench.train.loop import LAST
from saom_bench.train.recipe import load_recipe
from saom_benchmarks.reproduce.matrix import (
    BASE,
    EMBEDDED,
    LOW_THRESHOLDS,
    PACKS,
    PANORAMAS,
    RECIPES,
    SAM,
    SAM_LOW,
    TRAIN,
    VAL,
    Run,
    Size,
    everything_grid_on,
    grid_on,
    runs,
)
from saom_benchmarks.results import Result, read_results

VIEW = {
    TRAIN: ("--size", "480x360", "--fov", "70", "--tries", "4"),
    VAL: ("--size", "480x360", "--fov", "70", "--tries", "8"),
}
PANORAMA = ("--kind", "panoramas")
VAL_SCENES = 20
# Seconds of two idle cores, measured; they are for the estimate alone.
FRAME_S = {EMBEDDED: 0.45, PACKS: 1.2, PANORAMAS: 8.0}
ENCODE_S, PROMPT_S, SCORER_S, POINT_S, START_S = 0.75, 0.065, 0.045, 0.03, 12.0
PROMPTS_AN_IMAGE = {EMBEDDED: 11, PACKS: 11, PANORAMAS: 40}


@dataclass(frozen=True)
class Step:
    """One command."""

    name: str
    command: tuple[str, ...]
    """Arguments of saom-bench."""
    seconds: float
    """About how long it takes on two cores."""


@dataclass(frozen=True)
class Workplace:
    """Where everything lies, and how much of it is wanted."""

    out: Path
    packs: Path | None
    size: Size

    @property
    def sources(self) -> list[str]:
        """The sources that there are."""
        return [EMBEDDED, *([PACKS] if self.packs else []), PANORAMAS]

    @property
    def cache(self) -> Path:
        """The embeddings, which all trainings share."""
        return self.out / "embeddings"

    def data(self, source: str, split: str) -> Path:
        """The folder of a data set."""
        return self.out / "data" / f"{source}-{split}"

    def run(self, run: Run) -> Path:
        """The folder of a training."""
        return self.out / "runs" / run.name

    def checkpoint(self, run: Run) -> Path:
        """The model at the end of a training."""
        return self.run(run) / LAST

    def results(self, source: str) -> Path:
        """The folder of the results on a source's val scenes."""
        return self.out / "results" / source

    def scenes(self, split: str) -> int:
        """Scenes of a split."""
        return VAL_SCENES if split == VAL else self.size.train_scenes

    def views(self, source: str, split: str) -> int:
        """Pictures a scene."""
        if source == PANORAMAS:
            return 1
        return self.size.train_views if split == TRAIN else self.size.val_views


@dataclass(frozen=True)
class Wanted:
    """The part of the matrix that the user asks for."""

    recipes: tuple[str, ...]
    seeds: tuple[int, ...]
    ablations: bool = True

    def sources(self, place: Workplace) -> list[str]:
        """The sources that these recipes touch, of those that there are."""
        touched = {source for recipe in RECIPES if recipe.name in self.recipes for source in recipe.sources}
        return [source for source in place.sources if source in touched]

    def runs(self, place: Workplace) -> list[Run]:
        """Its trainings, the most telling first."""
        return runs(self.recipes, self.seeds, self.sources(place), self.ablations)


def collect(place: Workplace, source: str, split: str) -> Step:
    """The command that makes a data set; where it is whole already the command finds that in a moment."""
    views = place.views(source, split)
    packs = ("--packs", str(place.packs)) if source == PACKS else ()
    kind = PANORAMA if source == PANORAMAS else VIEW[split]
    folder = place.data(source, split)
    limit = ("--limit-scenes", str(place.scenes(split))) if split == TRAIN else ()
    options = (
        "--split",
        split,
        *limit,
        "--views-per-scene",
        str(views),
        *kind,
        "--seed",
        "0",
        *packs,
    )
    seconds = START_S + place.scenes(split) * views * FRAME_S[source]
    return Step(f"collect {source}-{split}", ("collect", str(folder), *options), seconds)


def train(place: Workplace, run: Run) -> Step:
    """The command of a training; validated at its end alone, since its last checkpoint is what counts."""
    recipe = load_recipe(run.recipe)
    epochs = place.size.epochs or recipe.epochs
    changes = [f"seed={run.seed}", f"val_every_epochs={epochs}", "val_images=16"]
    changes += [f"epochs={epochs}"] if epochs != recipe.epochs else []
    changes += [run.change] if run.change else []
    images = place.scenes(TRAIN) * place.views(run.source, TRAIN)
    objects = PROMPTS_AN_IMAGE[run.source]
    seconds = PROMPT_S * images * min(objects, recipe.max_prompts_per_image or objects) * epochs
    seconds += SCORER_S * images * objects if recipe.scorer_epochs else 0
    command = (
        *("train", str(place.run(run)), "--recipe", run.recipe),
        *("--data", str(place.data(run.source, TRAIN)), "--val", str(place.data(run.source, VAL))),
        *("--cache", str(place.cache), "--model", BASE),
        *(part for change in changes for part in ("--set", change)),
    )
    return Step(f"train {run.name}", command, START_S + seconds)


def is_trained(place: Workplace, run: Run) -> bool:
    """Whether a training has come to its end on the data that is there now, by the recipe as it is now."""
    path = place.checkpoint(run)
    if not path.is_file():
        return False
    header, step = read_metadata(path), train(place, run)
    settings = [step.command[i + 1] for i, part in enumerate(step.command) if part == "--set"]
    wanted = load_recipe(run.recipe, settings)
    data = open_dataset(place.data(run.source, TRAIN)).fingerprint
    return bool(
        header.get("epoch") == wanted.epochs
        and header.get("config") == wanted.as_dict()
        and header.get("train_fingerprint") == data
        and bool(header.get("mask_scorer")) == bool(wanted.scorer_epochs)
    )


def score_sam(place: Workplace, source: str) -> list[Step]:
    """The commands that score SAM: with its own thresholds, and in everything mode with those of saomv1-cpu, too."""
    spec = f"sam:{BASE}"
    plain = _score(place, source, {SAM: spec}, everything_only=False)
    low = _score(place, source, {SAM_LOW: spec}, everything_only=True)
    thresholds = [
        part for name, value in LOW_THRESHOLDS.items() for part in (f"--{name.replace('_', '-')}", str(value))
    ]
    low = Step(low.name, (*low.command, *thresholds), low.seconds)
    return [plain, low] if source != PANORAMAS else [plain]


def score(place: Workplace, source: str, trained: Sequence[Run]) -> Step:
    """The command that scores trainings on the val scenes of a source; together, so that they share embeddings."""
    return _score(place, source, {run.name: str(place.checkpoint(run)) for run in trained}, everything_only=False)


def _score(place: Workplace, source: str, models: dict[str, str], everything_only: bool) -> Step:
    size = place.size
    images = min(size.point_images, VAL_SCENES * place.views(source, VAL))
    nx, _, ny = everything_grid_on(source).partition("x")
    command = (
        *("eval", "--data", str(place.data(source, VAL))),
        *("--models", ",".join(models.values()), "--names", ",".join(models)),
        *("--protocol", "everything" if everything_only else "oracle-point,everything"),
        *("--grid", grid_on(source), "--everything-grid", everything_grid_on(source)),
        *(
            "--limit",
            str(size.point_images),
            "--everything-limit",
            str(size.everything_images),
            "--out",
            str(place.results(source)),
        ),
    )
    points = 0 if everything_only else images * PROMPTS_AN_IMAGE[source]
    points += size.everything_images * int(nx) * int(ny)
    encoded = size.everything_images if everything_only else images
    seconds = START_S + encoded * ENCODE_S + len(models) * points * POINT_S
    return Step(f"score {', '.join(models)} on {source}-{VAL}", command, seconds)


def scored(place: Workplace, source: str) -> dict[str, set[str]]:
    """For each protocol the models whose results on a source's val scenes are there and are of what is there now."""
    folder = place.results(source)
    found: dict[str, set[str]] = {}
    if not folder.is_dir():
        return found
    data = open_dataset(place.data(source, VAL))
    for result in read_results([folder]):
        same_data = result.data.fingerprint == data.fingerprint
        if result.status == "complete" and same_data and _is_current(place, source, len(data), result):
            found.setdefault(result.task.protocol, set()).add(result.model.name)
    return found


def _is_current(place: Workplace, source: str, images: int, result: Result) -> bool:
    everything = result.task.protocol == "everything"
    wanted = place.size.everything_images if everything else place.size.point_images
    if result.data.images != min(wanted, images):
        return False
    if everything and result.settings["grid"] != [int(side) for side in everything_grid_on(source).split("x")]:
        return False
    if result.model.name == SAM_LOW and any(result.settings[name] != value for name, value in LOW_THRESHOLDS.items()):
        return False
    path = place.out / "runs" / result.model.name / LAST
    return result.model.checkpoint_sha256 == (sha256_file(path) if path.is_file() else None)
