"""Recipes: everything that decides what a training run does, as one frozen dataclass and one TOML.

A recipe file states only what differs from the defaults below; ``to_toml`` writes all of it, each key with its
meaning. Unknown keys and values of a wrong kind are errors. Machine matters (device, folders) are no part of a recipe.
"""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from saom_bench.errors import SaomBenchError, unknown
from saom_bench.prompts import GridFrame, Prior, Snap

EverythingSetting = Literal["pred_iou", "stability", "stability_offset", "box_nms", "min_area_px"]
Part = Literal["decoder", "prompt-encoder", "neck", "lora"]
Side = Annotated[int, Field(ge=1, le=4096)]


def _about(text: str, ge: float | None = None, gt: float | None = None, le: float | None = None) -> Any:
    """A field's meaning and limits; the meaning becomes its comment in TOML."""
    return Field(description=text, ge=ge, gt=gt, le=le)


@dataclass(frozen=True)
class Recipe:
    """One way to fine-tune SAM. The defaults are the published algorithm with its defects mended."""

    name: Annotated[str, _about("what the run is called in checkpoints and on the leaderboard")] = "custom"
    description: Annotated[str, _about("one line for `saom-bench recipes list`")] = ""

    grid: Annotated[tuple[Side, Side], _about("grid points along x and y")] = (32, 32)
    prior: Annotated[Prior, _about('where the location prior is sought: inside the "mask", or the whole "image"')] = (
        "mask"
    )
    snap: Annotated[Snap, _about('grid point: nearest one "inside" the mask if any, or always the "nearest"')] = (
        "inside"
    )
    grid_frame: Annotated[GridFrame, _about('the grid covers the "image", or "fixed-1024" pixels as published')] = (
        "image"
    )
    small_masks: Annotated[
        Literal["keep", "drop"], _about('masks without a half-covered feature cell: "keep" by a fallback, or "drop"')
    ] = "keep"
    off_mask_prompts: Annotated[
        Literal["keep", "drop"], _about('objects that no grid point hits: "keep" their nearest point, or "drop" them')
    ] = "keep"
    random_point_rate: Annotated[
        float, _about("share of prompts moved to a random grid point of their mask, drawn anew each epoch", ge=0, le=1)
    ] = 0.0
    min_area_px: Annotated[int, _about("smaller objects are not trained on", ge=0)] = 0
    max_prompts_per_image: Annotated[int, _about("a random subset of this size each epoch; 0 takes all", ge=0)] = 0
    points_per_mask: Annotated[
        int, _about("prompts an object makes: its own, then random grid points of its mask, anew each epoch", ge=1)
    ] = 1
    ignore_classes: Annotated[
        tuple[str, ...], _about("classes that make no prompts, and whose pixels count for no other object")
    ] = ()
    ignore_border_px: Annotated[int, _about("pixels so near to an object's outline do not count", ge=0)] = 0
    flip: Annotated[bool, _about("mirror half of the images; doubles the embedding cache")] = False

    dice_weight: Annotated[float, _about("weight of the dice loss", ge=0)] = 1.0
    focal_weight: Annotated[float, _about("weight of the focal loss", ge=0)] = 1.0
    class_weight: Annotated[float, _about("weight of the class head's cross-entropy", ge=0)] = 1.0
    iou_weight: Annotated[
        float, _about("weight of the IoU head's squared error; 0 freezes that head, as published", ge=0)
    ] = 0.0
    class_balance: Annotated[
        Literal["none", "sqrt", "full"],
        _about(
            'prompts weigh by the rarity of their class: not at all, 1 / "sqrt" of its count, or 1 / count ("full")'
        ),
    ] = "none"
    mask_choice: Annotated[
        Literal["predicted-iou", "loss", "both"],
        _about('which of SAM\'s three masks is trained: the best by either, or "both" with half the weight each'),
    ] = "predicted-iou"
    mask_reduction: Annotated[
        Literal["mean", "sum"], _about('dice and focal over the masks of a step: "mean", or "sum" as published')
    ] = "mean"
    loss_size: Annotated[
        Literal["image", "low"], _about('losses at the "image" size, or on SAM\'s 256 px logits ("low": cheaper)')
    ] = "image"

    parts: Annotated[
        tuple[Part, ...],
        _about(
            'what trains beside the class head: "decoder", "prompt-encoder", "neck", "lora"; with none of them and '
            "scorer_epochs, the mask scorer alone"
        ),
    ] = ("decoder", "prompt-encoder")
    lora_rank: Annotated[int, _about('rank of the "lora" matrices on the image encoder\'s attention', ge=1)] = 8
    lora_alpha: Annotated[int, _about("their scale is this over the rank", ge=1)] = 16

    epochs: Annotated[int, _about("passes over the training images", ge=1)] = 500
    max_steps: Annotated[int, _about("stop after this many steps; 0 is no limit", ge=0)] = 0
    images_per_step: Annotated[
        int, _about("images whose gradients are gathered for one step, over all processes", ge=1)
    ] = 1
    learning_rate: Annotated[float, _about("AdamW's peak learning rate; cosine to zero", gt=0)] = 1e-3
    class_learning_rate: Annotated[
        float, _about("the same for the class head, which starts from nothing; 0 is learning_rate", ge=0)
    ] = 0.0
    schedule: Annotated[
        Literal["step", "epoch"], _about('the cosine falls each "step", or each "epoch" as published')
    ] = "step"
    adam_eps: Annotated[float, _about("AdamW's epsilon", gt=0)] = 1e-4
    weight_decay: Annotated[float, _about("AdamW's weight decay", ge=0)] = 0.01
    warmup_steps: Annotated[int, _about("steps of linear warm-up", ge=0)] = 0
    grad_clip_norm: Annotated[float, _about("clip the gradient's norm to this; 0 does not clip", ge=0)] = 0.0
    ema_decay: Annotated[
        float, _about("keep a moving average of the weights with this decay and use it; 0 is off", ge=0, le=0.99999)
    ] = 0.0
    early_stop: Annotated[int, _about("stop after so many validations without a better one; 0 is off", ge=0)] = 0
    scorer_epochs: Annotated[
        int,
        _about(
            "after the decoder, train a mask scorer for so many epochs: it sees the masks, and chooses and names them; "
            "0 has none, as published",
            ge=0,
        ),
    ] = 0
    seed: Annotated[int, _about("seeds the order, the subsets and the class head", ge=0)] = 42

    prompts_per_chunk: Annotated[int, _about("prompts decoded at once: memory against speed", ge=1)] = 8
    precision: Annotated[
        Literal["float32", "bfloat16", "float16"], _about("the decoder's arithmetic; the 16 bit ones are for GPUs")
    ] = "float32"
    compile: Annotated[bool, _about("compile the decoder first (about a minute), then steps are faster")] = False
    prefetch_images: Annotated[int, _about("images read ahead in a thread; 0 reads when needed", ge=0)] = 2
    val_images: Annotated[int, _about("validation images scored each time, spread evenly; 0 is all", ge=0)] = 0
    val_every_epochs: Annotated[int, _about("epochs between validations", ge=1)] = 1
    save_every_steps: Annotated[int, _about("steps between saves of the resume state", ge=1)] = 200
    everything_preset: Annotated[str, _about("the everything mode settings that suit the result")] = "saomv1"

    everything: Annotated[
        dict[EverythingSetting, float], _about("settings of that preset that the result wants otherwise")
    ] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as TOML and JSON hold them."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @property
    def trains_encoder(self) -> bool:
        """Whether features change during training, so that none can be kept."""
        return "neck" in self.parts or "lora" in self.parts

    @property
    def scorer_alone(self) -> bool:
        """Whether nothing trains but the mask scorer, on the masks of a decoder that stays as it is."""
        return not self.parts and self.scorer_epochs > 0

    def to_toml(self) -> str:
        """Every key with its value, each under a comment with its meaning."""
        about = _descriptions()
        return "\n".join(f"# {about[key]}\n{key} = {_toml(value)}\n" for key, value in self.as_dict().items())


def recipe_names() -> list[str]:
    """The names of the recipes that come with the package."""
    return sorted(entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml"))


def load_recipe(name_or_path: str, settings: Iterable[str] = ()) -> Recipe:
    """A recipe by name or TOML file, changed by ``key=value`` settings. Raises SaomBenchError for what is unknown."""
    path = Path(name_or_path)
    if name_or_path in recipe_names():
        text, origin = (_folder() / f"{name_or_path}.toml").read_text("utf-8"), f"recipe {name_or_path}"
    elif path.suffix == ".toml" and path.is_file():
        text, origin = path.read_text("utf-8"), str(path)
    elif path.suffix == ".toml":
        raise SaomBenchError(
            f"recipe file {name_or_path} does not exist; `saom-bench recipes list` shows the known ones"
        )
    else:
        raise unknown("recipe", name_or_path, recipe_names())
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SaomBenchError(f"{origin} is not valid TOML: {error}") from error
    # config.toml of a run is a recipe too; its [run] table says where that run happened.
    values.pop("run", None)
    recipe = build_recipe({"name": path.stem, **values}, origin)
    return change_recipe(recipe, settings)


def change_recipe(recipe: Recipe, settings: Iterable[str]) -> Recipe:
    """Apply ``key=value`` settings, whose values are TOML or bare words. Raises SaomBenchError for what is unknown."""
    changes = dict(_parse_setting(setting) for setting in settings)
    return build_recipe({**recipe.as_dict(), **changes}, "--set") if changes else recipe


def build_recipe(values: Mapping[str, Any], origin: str) -> Recipe:
    """A recipe from plain values, checked. ``origin`` names their source in errors."""
    known = [item.name for item in fields(Recipe)]
    for key in values:
        if key not in known:
            raise unknown(f"key in {origin}:", key, known)
    try:
        return TypeAdapter(Recipe).validate_python(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SaomBenchError(f"{origin}: {where} = {first['input']!r} will not do: {first['msg']}") from error


def _folder() -> Any:
    return resources.files("saom_bench") / "recipes"


def _parse_setting(setting: str) -> tuple[str, Any]:
    key, equals, text = setting.partition("=")
    if not equals:
        raise SaomBenchError(f"--set {setting!r} is not key=value; for example --set learning_rate=2e-4")
    try:
        return key.strip(), tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), text.strip()


def _descriptions() -> dict[str, str]:
    hints = get_type_hints(Recipe, include_extras=True)
    found = {}
    for key, hint in hints.items():
        info = next(part for part in hint.__metadata__ if isinstance(part, FieldInfo))
        found[key] = info.description or ""
    return found


def _toml(value: Any) -> str:
    """A plain value as TOML; JSON's form is TOML's for text, numbers, booleans and lists of them."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)
