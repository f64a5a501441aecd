"""What a model must do to be scored: answer points, and run everything mode.

To add a model, write one file with a class that has ``card``, ``settings``, ``points`` and ``everything``, and a
function ``load(spec, request)`` that makes it; ``--models FILE.py`` runs it (``FILE.py:rest`` gives it the rest too). A
model of this package is named in ``LOADERS``: a spec's beginning -> the module and function. Modules are imported when
they are asked for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from saom_bench.errors import SaomBenchError, unknown
from saom_bench.masks import encode_rle
from saom_bench.prompts import GridFrame, Prior, Snap
from saom_bench.types import BoolMask, FloatArray, Proposals, Sample, Size

if TYPE_CHECKING:
    from saom_benchmarks.sam_models import EmbeddingCache


@dataclass(frozen=True)
class PointRule:
    """How an oracle-point task makes prompts: the arguments of saom_bench.prompts.assign."""

    grid: tuple[int, int] = (32, 32)
    """Points along x and y."""
    prior: Prior = "mask"
    grid_frame: GridFrame = "image"
    snap: Snap = "inside"
    drop_no_cell: bool = False
    """Count objects that cover no feature cell as missing, as the published code does."""


class PointMasks(NamedTuple):
    """A model's answer to the point of one object."""

    label: int
    masks: NDArray[np.bool_]
    """(K, H, W) at the image's own size; K is 3 for SAM."""
    predicted_iou: FloatArray
    """(K,) the model's own opinion; the mask with the highest one is its prediction."""
    class_index: int | None = None
    """The class head's answer, None without a class head."""
    no_cell: bool = False
    """The object covered no feature cell, so that its prompt is the assignment's fallback."""


class ModelCard(BaseModel):
    """Who a model is, as a result states it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Literal["sam", "checkpoint", "other", "control"]
    """"sam": base weights as published; "checkpoint": fine-tuned here; "other": another model; "control": the oracle
    and the floors, never ranked."""
    spec: str
    """What --models was given."""
    checkpoint_sha256: str | None = None
    base: str | None = None
    base_weights_sha256: str | None = None
    label_set: str | None = None
    recipe: str | None = None
    trained_on: str | None = None
    """Fingerprint of the training data."""
    train_scenes: tuple[str, ...] = ()
    val_scenes: tuple[str, ...] = ()
    """The scenes on which the checkpoint was chosen among others of its run."""

    @property
    def identity(self) -> list[str | None]:
        """What tells two models apart, whatever they are called and wherever their files lie."""
        is_hashed = self.checkpoint_sha256 or self.base_weights_sha256
        spec = self.spec if self.kind == "control" or not is_hashed else None
        return [self.kind, spec, self.checkpoint_sha256, self.base, self.base_weights_sha256]


class Model(Protocol):
    """Two ways of predicting. Both raise whatever they like: that fails the row, not the run."""

    card: ModelCard
    settings: dict[str, dict[str, Any]]
    """What a result states beside the card: "everything" is what only everything mode uses, "common" the rest."""

    def points(self, sample: Sample, rule: PointRule) -> Iterator[PointMasks]:
        """Answer one point for each object of the image; an object left out counts as missing."""
        ...

    def everything(self, sample: Sample) -> Proposals:
        """Every whole object in the image, without looking at its ground truth."""
        ...


def proposals_of(
    masks: Sequence[BoolMask],
    size_hw: Size,
    scores: FloatArray | None = None,
    classes: NDArray[np.int64] | None = None,
) -> Proposals:
    """An answer of everything mode made of N (H, W) masks; empty ones are left out.

    Args:
        scores: (N,) how sure the model is of each; all alike without.
        classes: (N,) class indices of the data's label set, for models that tell.
    """
    kept = np.array([i for i, mask in enumerate(masks) if mask.any()], np.intp)
    chosen = [masks[i] for i in kept]
    ones = np.ones(len(kept), np.float32)
    return Proposals(
        size_hw=size_hw,
        rles=tuple(encode_rle(mask) for mask in chosen),
        boxes_xyxy=np.array([_extent(mask) for mask in chosen], np.int32).reshape(-1, 4),
        predicted_iou=ones if scores is None else np.asarray(scores, np.float32)[kept],
        stability=ones,
        points_xy=np.zeros((len(kept), 2), np.float32),
        class_index=None if classes is None else classes[kept],
        class_score=None if classes is None else ones,
    )


def _extent(mask: BoolMask) -> tuple[int, int, int, int]:
    ys, xs = np.nonzero(mask)
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


class Loader(Protocol):
    """Makes a model of a spec such as "sam:mobile-sam"."""

    def __call__(self, spec: str, request: "Request") -> Model:
        """The model. Raises SaomBenchError for what it cannot load."""
        ...


LOADERS: dict[str, str] = {
    "oracle": "saom_benchmarks.controls:oracle",
    "grid-boxes": "saom_benchmarks.controls:grid_boxes",
    "part-merge": "saom_benchmarks.controls:part_merge",
    "sam": "saom_benchmarks.sam_models:load",
    "hf": "saom_benchmarks.hf_models:load",
}
"""What a spec begins with, up to its colon -> "module:function". Any other spec is a model's name or a checkpoint."""


@dataclass(frozen=True)
class EverythingOverrides:
    """Settings of everything mode that replace every model's own; None leaves the model's preset."""

    grid: tuple[int, int] | None = None
    pred_iou: float | None = None
    stability: float | None = None
    box_nms: float | None = None
    min_area_px: int | None = None

    def given(self) -> dict[str, Any]:
        """Only what is set, under the names of EverythingConfig."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Request:
    """What all models of one run are loaded with."""

    device: str
    overrides: EverythingOverrides
    shared: "EmbeddingCache"
    weights: Path | None = None


def load_models(
    specs: Sequence[str],
    names: Sequence[str] | None,
    device: str,
    overrides: EverythingOverrides,
    weights: Path | None = None,
) -> tuple[list[Model], "EmbeddingCache"]:
    """Load models by name or checkpoint path, in order, with one cache of embeddings for all of them.

    Raises SaomBenchError for unknown models, missing weights, and two models that would have one name.
    """
    from saom_bench.sam.registry import MODELS, checkpoint_path
    from saom_benchmarks.sam_models import EmbeddingCache

    if not specs:
        raise SaomBenchError("no model given; for example --models sam:mobile-sam,runs/v1/best.safetensors")
    if names is not None and len(names) != len(specs):
        raise SaomBenchError(f"{len(names)} names for {len(specs)} models; --names takes one name a model, in order")
    for spec in specs:
        is_known = spec.split(":")[0] in LOADERS or spec in MODELS or _is_file(spec)
        if checkpoint_path(spec) is None and not is_known:
            raise unknown("model", spec, [*MODELS, *LOADERS])
    request = Request(device, overrides, EmbeddingCache(), weights)
    models = [_loader(spec)(spec, request) for spec in specs]
    for model, name in zip(models, names or [], strict=False):
        model.card = model.card.model_copy(update={"name": name})
    _check_distinct([model.card for model in models])
    return models, request.shared


def _is_file(spec: str) -> bool:
    return spec.split(":")[0].endswith(".py")


def _loader(spec: str) -> Loader:
    if _is_file(spec):
        return _loader_of_file(Path(spec.split(":")[0]))
    module, _, function = LOADERS.get(spec.split(":")[0], LOADERS["sam"]).partition(":")
    loader: Loader = getattr(import_module(module), function)
    return loader


def _loader_of_file(path: Path) -> Loader:
    """The ``load`` of somebody's own Python file. Whatever the file raises when it runs is the user's to see."""
    found = spec_from_file_location(f"saom_model_{path.stem}", path) if path.exists() else None
    if found is None or found.loader is None:
        raise SaomBenchError(f"no model file {path}; it is a Python file with a function load(spec, request)")
    module = module_from_spec(found)
    found.loader.exec_module(module)
    if not callable(getattr(module, "load", None)):
        raise SaomBenchError(f"{path} has no function load(spec, request) that returns a model")
    loader: Loader = module.load
    return loader


def _check_distinct(cards: Sequence[ModelCard]) -> None:
    for i, card in enumerate(cards):
        for other in cards[:i]:
            if card.identity == other.identity:
                raise SaomBenchError(f"--models {other.spec} and {card.spec} are the same model; leave one out")
            if card.name == other.name:
                raise SaomBenchError(f"two models are called {card.name!r}; give each a name with --names")
