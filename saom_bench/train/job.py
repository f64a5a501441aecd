"""From a user's request to a job: recipe, datasets and model opened and held against each other before any work."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from saom_bench import provenance
from saom_bench.errors import SaomBenchError, unknown
from saom_bench.files import sha256_file
from saom_bench.sam.checkpoint import read_metadata, selection_scenes
from saom_bench.sam.model import Sam
from saom_bench.sam.registry import checkpoint_path, load_model
from saom_bench.shards.dataset import ShardDataset, open_dataset
from saom_bench.train.batches import Tally, prepare
from saom_bench.train.cache import EmbeddingCache, default_cache_dir
from saom_bench.train.loop import Job, steps_of, trainable
from saom_bench.train.ranks import ALONE, Ranks
from saom_bench.train.recipe import Recipe, load_recipe
from saom_bench.train.state import LOCK
from saom_bench.train.step import memory_advice
from saom_bench.train.validate import prepare_val, val_indices


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    out: Path
    data: Path
    val: Path
    recipe: str = "saomv1"
    model: str = "mobile-sam"
    device: str = "auto"
    settings: tuple[str, ...] = ()
    cache: Path | None = None
    weights: Path | None = None
    cache_limit_gib: float = 0.0


@dataclass(frozen=True)
class Ancestry:
    """What the checkpoint that a run starts from has seen; empty for a base model."""

    sha256: str = ""
    train_scenes: frozenset[str] = frozenset()
    val_scenes: frozenset[str] = frozenset()
    selection_scenes: frozenset[str] = frozenset()
    """Those of val_scenes on which it was chosen among others of its run."""


@dataclass(frozen=True)
class Plan:
    """A request that was found to be sound: opened, counted, not yet begun."""

    request: Request
    recipe: Recipe
    train_data: ShardDataset
    val_data: ShardDataset
    sam: Sam
    ancestry: Ancestry
    cache: EmbeddingCache
    prompts_per_epoch: int
    """At most; the assignment may drop some."""
    total_steps: int
    trainable_count: int
    ranks: Ranks = ALONE

    @property
    def images_to_encode(self) -> int:
        """Images whose embedding is needed, of which some may be in the cache."""
        variants = 2 if self.recipe.flip else 1
        return variants * len(self.train_data) + self.val_count

    @property
    def val_count(self) -> int:
        """Images that are scored at each validation."""
        return len(val_indices(len(self.val_data), self.recipe.val_images))


def plan(request: Request, ranks: Ranks = ALONE) -> Plan:
    """Open and check everything that a run needs. Raises SaomBenchError with what to mend."""
    recipe = load_recipe(request.recipe, request.settings)
    if recipe.images_per_step < ranks.count:
        raise SaomBenchError(
            f"torchrun started {ranks.count} processes and a step has {recipe.images_per_step} images to share; "
            f"give --set images_per_step={ranks.count} or a multiple"
        )
    train_data, val_data = open_dataset(request.data), open_dataset(request.val)
    ancestry = ancestry_of(request.model)
    _require_fit(train_data, val_data, request, ancestry)
    for name in recipe.ignore_classes:
        if name not in train_data.label_set.classes:
            raise unknown("class in ignore_classes:", name, train_data.label_set.classes)
    counts = [_prompts_of(train_data, index, recipe) for index in range(len(train_data))]
    if not any(counts):
        raise SaomBenchError(
            f"{request.data} has no usable mask: none of {len(train_data)} images shows an object of "
            f"{train_data.label_set.name} of at least {recipe.min_area_px} pixels"
        )
    sam = load_model(request.model, ranks.device(request.device), request.weights)
    _attach_classes(sam, train_data, recipe, request)
    total_steps = steps_of(sum(count > 0 for count in counts), recipe)[1]
    cache = EmbeddingCache(request.cache or default_cache_dir(), sam, request.cache_limit_gib)
    parameters = sum(p.numel() for p in trainable(sam, recipe).values())
    if recipe.scorer_epochs:
        scorer = sam.attach_scorer(train_data.label_set.classes if recipe.class_weight else None)
        parameters += sum(p.numel() for p in scorer.parameters())
        sam.detach_scorer()
    return Plan(
        request, recipe, train_data, val_data, sam, ancestry, cache, sum(counts), total_steps, parameters, ranks
    )


def ancestry_of(model: str) -> Ancestry:
    """What the model that a run starts from has seen. Raises SaomBenchError for a file that is no checkpoint."""
    path = checkpoint_path(model)
    if path is None:
        return Ancestry()
    header = read_metadata(path)
    train, val = (frozenset(map(str, header.get(key) or ())) for key in ("train_scenes", "val_scenes"))
    return Ancestry(sha256_file(path), train, val, frozenset(selection_scenes(header)))


def build(planned: Plan, train_advance: Callable[[], None], val_advance: Callable[[], None]) -> tuple[Job, Tally]:
    """Encode the images, assign the prompts, and put the job together; the slow part before the first step.

    With several processes each encodes its own part of the images.
    """
    planned.cache.require_space(planned.images_to_encode)
    recipe, cache, ranks = planned.recipe, planned.cache, planned.ranks
    with memory_advice(recipe):
        train_images, tally = prepare(planned.train_data, cache, recipe, train_advance, ranks)
    if not train_images:
        raise SaomBenchError(
            f"{planned.request.data} has no usable mask: the recipe drops all {tally.dropped} objects; try "
            "--set off_mask_prompts=keep --set small_masks=keep --set min_area_px=0"
        )
    with memory_advice(recipe):
        val_images = prepare_val(planned.val_data, cache, recipe, val_advance, ranks)
    if not val_images:
        raise SaomBenchError(f"{planned.request.val} shows no object in the {planned.val_count} images to validate on")
    job = Job(
        out=planned.request.out,
        recipe=recipe,
        sam=planned.sam,
        train_data=planned.train_data,
        val_data=planned.val_data,
        train_images=train_images,
        val_images=val_images,
        cache=cache,
        metadata=metadata_of(planned),
        ranks=ranks,
    )
    return job, tally


def run_table(planned: Plan) -> dict[str, str]:
    """The [run] table of config.toml: what the recipe does not say, first what makes it this run and no other."""
    request = planned.request
    return {
        "model": request.model,
        "base": planned.sam.name,
        "base_sha256": planned.sam.weights_sha256,
        "from_checkpoint_sha256": planned.ancestry.sha256,
        "label_set": planned.train_data.label_set.name,
        "train_fingerprint": planned.train_data.fingerprint,
        "val_fingerprint": planned.val_data.fingerprint,
        "data": str(request.data),
        "val": str(request.val),
        "device": str(planned.sam.device),
        "cache": str(planned.cache.folder),
        "command": provenance.command_line(),
        "started": provenance.now(),
        "machine": provenance.machine(),
        "git": provenance.git_state() or "",
        "packages": ", ".join(f"{name} {version}" for name, version in provenance.package_versions().items()),
    }


def metadata_of(planned: Plan) -> dict[str, Any]:
    """What every checkpoint of a run says about how it was made."""
    return {
        "recipe": planned.recipe.name,
        "config": planned.recipe.as_dict(),
        "label_set": planned.train_data.label_set.name,
        "everything_preset": planned.recipe.everything_preset,
        "everything": planned.recipe.everything,
        "train_fingerprint": planned.train_data.fingerprint,
        "train_scenes": sorted({*planned.train_data.scenes, *planned.ancestry.train_scenes}),
        "val_fingerprint": planned.val_data.fingerprint,
        "val_scenes": sorted({*planned.val_data.scenes, *planned.ancestry.val_scenes}),
        "selection_scenes": sorted(planned.ancestry.selection_scenes),
        "from_checkpoint_sha256": planned.ancestry.sha256,
        "simulator": planned.train_data.simulator,
        "command": provenance.command_line(),
        "packages": provenance.package_versions(),
        "git": provenance.git_state(),
    }


@contextmanager
def only_trainer(out: Path) -> Iterator[None]:
    """Hold a run's folder against a second process. Raises SaomBenchError when one is training there already."""
    if out.exists() and not out.is_dir():
        raise SaomBenchError(f"{out} is a file; choose a new or empty folder")
    out.mkdir(parents=True, exist_ok=True)
    lock = FileLock(out / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise SaomBenchError(f"another process is training in {out}; wait for it or choose another folder") from error
    try:
        yield
    finally:
        lock.release()
        (out / LOCK).unlink(missing_ok=True)


def with_options(request: Request, epochs: int | None, seed: int | None) -> Request:
    """A request with the options that are short for a setting."""
    options = {"epochs": epochs, "seed": seed}
    extra = tuple(f"{key}={value}" for key, value in options.items() if value is not None)
    return replace(request, settings=(*request.settings, *extra))


def _require_fit(train_data: ShardDataset, val_data: ShardDataset, request: Request, ancestry: Ancestry) -> None:
    known = [scene for scene in val_data.scenes if scene in ancestry.train_scenes]
    if known:
        raise SaomBenchError(
            f"{request.model} was trained on {known[0]}, which is in {request.val}: a model must be validated on "
            "scenes it never saw; choose other scenes for --val, or start from a base model"
        )
    shared = [scene for scene in train_data.scenes if scene in set(val_data.scenes)]
    if shared:
        more = f" and {len(shared) - 1} more" if len(shared) > 1 else ""
        raise SaomBenchError(
            f"{request.data} and {request.val} share the scene {shared[0]}{more}: a model must be validated on scenes "
            "it never saw; collect the val split for --val"
        )
    if train_data.label_set != val_data.label_set:
        raise SaomBenchError(
            f"{request.data} has the label set {train_data.label_set.name} and {request.val} has "
            f"{val_data.label_set.name}; collect both with the same --label-set"
        )


def _attach_classes(sam: Sam, data: ShardDataset, recipe: Recipe, request: Request) -> None:
    """Give the model a class head for the data's label set, unless it brings one, which must then be for the same.

    A mask scorer learns once the decoder stands still, and anew; alone it brings its own classes.
    """
    sam.detach_scorer()
    if recipe.scorer_alone:
        if sam.class_names != data.label_set.classes:
            sam.class_head, sam.class_names = None, None
        return
    if sam.class_names is not None and sam.class_names != data.label_set.classes:
        raise SaomBenchError(
            f"the checkpoint {request.model} knows {len(sam.class_names)} classes and {request.data} has the label set "
            f"{data.label_set.name} of {len(data.label_set)}, which are not the same; train from a base model, or "
            "collect with the checkpoint's label set"
        )
    if sam.class_names is None and recipe.class_weight:
        sam.attach_class_head(data.label_set.classes, recipe.seed)


def _prompts_of(data: ShardDataset, index: int, recipe: Recipe) -> int:
    count = sum(i.area_px >= recipe.min_area_px for i in data.objects(index))
    return min(count, recipe.max_prompts_per_image) if recipe.max_prompts_per_image else count
