"""What the reproduction is made of: data sets, trainings and scorings. Values only; commands are made in steps.py.

Three sources of pictures: the embedded player's rooms, scene packs (rooms with real meshes, where the user has a folder
of them), and panoramas of the embedded player's rooms. Each recipe trains on the train scenes of one source and is
scored on the val scenes of every source of its kind, which it never saw; its last checkpoint is scored, so that no
scored scene chose it. An ablation changes one setting of one recipe.
"""

from collections.abc import Sequence
from dataclasses import dataclass

EMBEDDED, PACKS, PANORAMAS = "embedded", "packs", "panoramas"
TRAIN, VAL = "train", "val"
SAM, SAM_LOW = "SAM", "SAM with the thresholds of saomv1-cpu"
BASE = "mobile-sam"
ABLATED = "saomv1-cpu"
LOW_THRESHOLDS = {"pred_iou": 0.3, "stability": 0.45}
"""Those that saomv1-cpu gives its checkpoints: low thresholds find more, and that alone must not win."""


@dataclass(frozen=True)
class Size:
    """How much of everything: scenes, views a scene, and images that are scored; everything mode takes longest."""

    train_scenes: int = 80
    """In turn from each type of room; 80 are all. All val scenes are scored."""
    train_views: int = 5
    """Of a train scene; of panoramas, which show a whole room each, one is taken."""
    val_views: int = 4
    point_images: int = 40
    """Of the val views, spread over all scenes."""
    everything_images: int = 8
    epochs: int = 0
    """Of every training; 0 is what its recipe says."""


@dataclass(frozen=True)
class Recipe:
    """A recipe of the matrix: the sources that it may train on, and the grid of its oracle-point task."""

    name: str
    sources: tuple[str, ...]
    grid: str = "32x32"


RECIPES = (
    Recipe("saomv1-cpu", (PACKS, EMBEDDED)),
    Recipe("saomv2-cpu", (PACKS, EMBEDDED)),
    Recipe("panosam-cpu", (PANORAMAS,), "320x64"),
)


@dataclass(frozen=True)
class Ablation:
    """One setting of ``ABLATED`` that is changed, and what that shows."""

    setting: str
    shows: str


ABLATIONS = (
    Ablation("prior=image", "location prior anywhere in the image, as published"),
    Ablation("grid_frame=fixed-1024", "grid over 1024 x 1024 pixels whatever the image, as published"),
    Ablation("iou_weight=0.0", "no IoU loss, as published: the head that chooses the mask is left as it was"),
    Ablation("class_weight=0.0", "no class head"),
    Ablation("scorer_epochs=0", "no mask scorer, as published: the IoU head chooses the mask, the class head names it"),
    Ablation("mask_choice=loss", "of three masks the best by loss alone is trained"),
    Ablation("mask_choice=predicted-iou", "of three masks the one of the best predicted IoU is trained, as published"),
)


@dataclass(frozen=True)
class Run:
    """One training."""

    recipe: str
    source: str
    seed: int
    change: str = ""
    """The setting that makes it an ablation; "" for the recipe as it is."""

    @property
    def name(self) -> str:
        """Its folder, and its model's name in results."""
        change = f".{self.change.replace('=', '-')}" if self.change else ""
        return f"{self.recipe}.{self.source}{change}.seed{self.seed}"


def runs(recipes: Sequence[str], seeds: Sequence[int], sources: Sequence[str], ablations: bool) -> list[Run]:
    """Every training, the most telling first: seeds of the first recipe, then the other recipes, then ablations."""
    chosen = [recipe for recipe in RECIPES if recipe.name in recipes]
    plain = [
        Run(recipe.name, source, seed)
        for recipe in chosen
        for source in recipe.sources
        if source in sources
        for seed in seeds
    ]
    ablated = [
        Run(ABLATED, ablation_source(sources), seeds[0], ablation.setting)
        for ablation in ABLATIONS
        if ablations and ABLATED in recipes
    ]
    return plain + ablated


def ablation_source(sources: Sequence[str]) -> str:
    """What ablations train and are scored on: the packs where there are any."""
    return PACKS if PACKS in sources else EMBEDDED


def scored_on(run: Run, sources: Sequence[str]) -> list[str]:
    """The sources on whose val scenes a training is scored."""
    if run.change or run.source == PANORAMAS:
        return [run.source]
    return [source for source in (PACKS, EMBEDDED) if source in sources]


def grid_on(source: str) -> str:
    """The grid of the oracle-point task on a source: one for all models, so that they are ranked together."""
    return next(recipe.grid for recipe in RECIPES if source in recipe.sources)


def everything_grid_on(source: str) -> str:
    """The points of everything mode on a source, for all models: about as many as two cores can bear."""
    return "40x8" if source == PANORAMAS else "16x16"
