"""Models of the transformers library that answer points: SAM, SAM-HQ, SAM 2 and 2.1, SAM 3's tracker, EdgeTAM.

``hf:FOLDER`` (or ``hf:NAME`` of a model in transformers' cache) loads what is on this machine; nothing is fetched. All
are prompted by the same rule, with their own features, and run everything mode with the same code: a grid of points,
segment-anything's filters and its suppression by boxes. Closed-set models are in closed_set.py.
"""

from saom_bench.sam import runtime

runtime.prepare()

import json  # noqa: E402
from collections.abc import Iterator, Sequence  # noqa: E402
from dataclasses import asdict, dataclass, replace  # noqa: E402
from hashlib import sha256  # noqa: E402
from importlib import import_module  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402
from torch import Tensor  # noqa: E402
from torch.nn.functional import interpolate  # noqa: E402

from saom_bench.errors import SaomBenchError, unknown  # noqa: E402
from saom_bench.everything import EverythingConfig, preset  # noqa: E402
from saom_bench.everything.boxes import box_nms, clean_small_regions, inclusive_boxes  # noqa: E402
from saom_bench.files import sha256_file  # noqa: E402
from saom_bench.masks import encode_rle  # noqa: E402
from saom_bench.prompts import CELL_PX, assign, grid_points  # noqa: E402
from saom_bench.types import BoolMask, FloatArray, Proposals, RgbImage, Sample, Size  # noqa: E402
from saom_benchmarks.models import Model, ModelCard, PointMasks, PointRule, Request  # noqa: E402

POINT_MODELS = {
    "sam": "SamModel",
    "sam_hq": "SamHQModel",
    "sam2": "Sam2Model",
    "sam2_video": "Sam2Model",
    "sam3": "Sam3TrackerModel",
    "sam3_tracker": "Sam3TrackerModel",
    "sam3_video": "Sam3TrackerModel",
    "edgetam": "EdgeTamModel",
    "edgetam_video": "EdgeTamModel",
}
"""What a config.json calls its model -> the class that answers points on single images."""
_PADDED = ("sam", "sam_hq")
"""Families that pad an image to their square; the others stretch it."""
CLOSED_SET = ("mask2former", "maskformer")
_POINTS_AT_ONCE = 8


def load(spec: str, request: Request) -> Model:
    """The model of "hf:FOLDER". Raises SaomBenchError when it is not on this machine, or of another family."""
    transformers = _transformers()
    name = spec.partition(":")[2]
    folder = _folder(name, transformers)
    family = transformers.AutoConfig.from_pretrained(folder).model_type
    if family in CLOSED_SET:
        from saom_benchmarks.closed_set import ClosedSetModel

        return ClosedSetModel(folder, card_of(spec, name, folder), device_of(request))
    if family not in POINT_MODELS:
        raise unknown(f"family of {spec}", str(family), [*POINT_MODELS, *CLOSED_SET])
    model = getattr(transformers, POINT_MODELS[family]).from_pretrained(folder).eval().to(device_of(request))
    config = replace(preset("sam"), **request.overrides.given())
    look = _look(folder, int(model.config.prompt_encoder_config.image_size), family in _PADDED)
    return PointPromptModel(model, look, card_of(spec, name, folder), config)


def card_of(spec: str, name: str, folder: Path) -> ModelCard:
    """Who a model in a folder is: its name and the hash of its weights."""
    weights = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin"))
    hashes = [sha256_file(path) for path in weights]
    whole = hashes[0] if len(hashes) == 1 else sha256("".join(hashes).encode()).hexdigest()
    base = Path(name).name
    return ModelCard(name=base, kind="other", spec=spec, base=base, base_weights_sha256=whole)


def device_of(request: Request) -> str:
    """torch's name of the device that is asked for."""
    if request.device != "auto":
        return request.device
    return "cuda" if torch.cuda.is_available() else "cpu"


def _transformers() -> Any:
    try:
        library: Any = import_module("transformers")
    except ImportError as error:
        raise SaomBenchError("hf: models need transformers: pip install 'saom-bench[hf]'") from error
    library.utils.logging.disable_progress_bar()
    return library


def _folder(name: str, transformers: Any) -> Path:
    """Where the model lies: a folder, or a name in transformers' cache."""
    try:
        config = transformers.utils.cached_file(name, "config.json", local_files_only=True)
    except (OSError, ValueError) as error:
        raise SaomBenchError(_missing(name)) from error
    folder = Path(str(config)).parent
    if not any(folder.glob("*.safetensors")) and not any(folder.glob("*.bin")):
        raise SaomBenchError(_missing(name))
    return folder


def _missing(name: str) -> str:
    return (
        f"no weights of {name or 'hf:'} on this machine, neither as a folder nor in transformers' cache; "
        f"saom-bench fetches none: get them with `hf download {name or 'NAME'}`, or give hf:FOLDER"
    )


@dataclass(frozen=True)
class Look:
    """How a model wants its pictures: transformers' own preparation needs torchvision for some families."""

    side_px: int
    is_padded: bool
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    def prepare(self, rgb: RgbImage) -> tuple[Tensor, Size]:
        """(1, 3, side, side) of an (H, W, 3) picture, and the size of the part that it fills."""
        scale = self.side_px / max(rgb.shape[:2])
        frame_hw = (self.side_px, self.side_px)
        if self.is_padded:
            frame_hw = (int(rgb.shape[0] * scale + 0.5), int(rgb.shape[1] * scale + 0.5))
        resized = Image.fromarray(rgb).resize(frame_hw[::-1], Image.Resampling.BILINEAR)
        unit = (np.asarray(resized, np.float32) / 255 - np.array(self.mean, np.float32)) / np.array(
            self.std, np.float32
        )
        pixels = torch.zeros((1, 3, self.side_px, self.side_px))
        pixels[0, :, : frame_hw[0], : frame_hw[1]] = torch.from_numpy(unit.astype(np.float32)).permute(2, 0, 1)
        return pixels, frame_hw


def _look(folder: Path, side_px: int, is_padded: bool) -> Look:
    """Mean and deviation from the model's own file, where it has one."""
    try:
        stated = json.loads((folder / "preprocessor_config.json").read_text(encoding="utf-8"))
    except OSError:
        return Look(side_px, is_padded)
    names = {"mean": "image_mean", "std": "image_std"}
    return Look(side_px, is_padded, **{k: tuple(stated[name]) for k, name in names.items() if stated.get(name)})


@dataclass(frozen=True)
class _Encoded:
    """An image as its model sees it."""

    inputs: dict[str, Any]
    """What the model takes beside the points."""
    features: FloatArray
    """(C, s, s)"""
    size_hw: Size
    frame_hw: Size
    """The part of the model's input that the image fills."""
    full_hw: Size


class PointPromptModel:
    """A model of POINT_MODELS behind the two methods of the benchmark."""

    def __init__(self, model: Any, look: Look, card: ModelCard, config: EverythingConfig) -> None:
        self.card = card
        self._model, self._look, self._config = model, look, config
        stated = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(config).items()}
        dtype = str(model.dtype).removeprefix("torch.")
        self.settings: dict[str, dict[str, Any]] = {
            "common": {"device": model.device.type, "dtype": dtype},
            "everything": stated | {"points_per_batch": _POINTS_AT_ONCE},
        }

    @torch.no_grad()
    def points(self, sample: Sample, rule: PointRule) -> Iterator[PointMasks]:
        """Three masks for the assigned point of each object, at the image's own size."""
        if not sample.instances:
            return
        image = self._encode(sample.rgb)
        side = image.features.shape[-1]
        prompts = assign(
            image.features,
            # The rule counts in cells of 16 px, whatever the model's patches are.
            (_scaled(image.frame_hw[0], image.full_hw[0], side), _scaled(image.frame_hw[1], image.full_hw[1], side)),
            sample.labels,
            [item.label for item in sample.instances],
            grid=rule.grid,
            prior=rule.prior,
            grid_frame=rule.grid_frame,
            snap=rule.snap,
        )
        for place, (logits, scores) in enumerate(self._answers(image, prompts.points_xy)):
            label = int(prompts.labels[place])
            yield PointMasks(label, (logits > 0).cpu().numpy(), scores, no_cell=bool(prompts.no_cell[place]))

    @torch.no_grad()
    def everything(self, sample: Sample) -> Proposals:
        """A grid of points, filtered and suppressed as segment-anything does."""
        image, config = self._encode(sample.rgb), self._config
        points_xy = grid_points(*config.grid, image.size_hw)
        found: list[tuple[BoolMask, float, float, int]] = []
        for place, (logits, scores) in enumerate(self._answers(image, points_xy)):
            for k in np.flatnonzero(scores > config.pred_iou):
                inner, outer = (int((logits[k] > sign * config.stability_offset).sum()) for sign in (1, -1))
                mask = (logits[k] > 0).cpu().numpy()
                if mask.any() and inner >= config.stability * outer:
                    if config.min_area_px:
                        mask, _ = clean_small_regions(mask, config.min_area_px)
                    found.append((mask, float(scores[k]), inner / max(outer, 1), place))
        return _suppressed(found, points_xy, image.size_hw, config.box_nms)

    def _encode(self, rgb: RgbImage) -> _Encoded:
        pixels, frame_hw = self._look.prepare(rgb)
        pixels = pixels.to(self._model.device, self._model.dtype)
        full_hw = (self._look.side_px, self._look.side_px)
        found = self._model.get_image_embeddings(pixels)
        inputs: dict[str, Any] = {"image_embeddings": found}
        if isinstance(found, tuple):  # SAM-HQ
            inputs = {"image_embeddings": found[0], "intermediate_embeddings": found[1]}
        deepest = inputs["image_embeddings"]
        deepest = deepest[-1] if isinstance(deepest, list) else deepest
        return _Encoded(inputs, deepest[0].float().cpu().numpy(), (rgb.shape[0], rgb.shape[1]), frame_hw, full_hw)

    def _answers(self, image: _Encoded, points_xy: FloatArray) -> Iterator[tuple[Tensor, FloatArray]]:
        """For each (x, y) of the image: the logits of its masks, (3, H, W), and their predicted IoUs."""
        scale = np.array([image.frame_hw[1] / image.size_hw[1], image.frame_hw[0] / image.size_hw[0]], np.float32)
        for start in range(0, len(points_xy), _POINTS_AT_ONCE):
            points = torch.from_numpy(points_xy[start : start + _POINTS_AT_ONCE] * scale)
            points = points.to(self._model.device, self._model.dtype)
            labels = torch.ones((1, len(points), 1), dtype=torch.int64, device=points.device)
            out = self._model(
                input_points=points[None, :, None], input_labels=labels, multimask_output=True, **image.inputs
            )
            for masks, scores in zip(out.pred_masks[0], out.iou_scores[0], strict=True):
                yield self._full_size(masks, image), scores.float().cpu().numpy()

    def _full_size(self, masks: Tensor, image: _Encoded) -> Tensor:
        logits = masks[None].float()
        if image.frame_hw != image.full_hw:
            logits = interpolate(logits, image.full_hw, mode="bilinear", align_corners=False)
            logits = logits[..., : image.frame_hw[0], : image.frame_hw[1]]
        return interpolate(logits, image.size_hw, mode="bilinear", align_corners=False)[0]


def _scaled(frame_px: int, full_px: int, side: int) -> int:
    return max(1, round(frame_px * CELL_PX * side / full_px))


def _suppressed(
    found: Sequence[tuple[BoolMask, float, float, int]], points_xy: FloatArray, size_hw: Size, box_iou: float
) -> Proposals:
    masks = np.stack([mask for mask, *_ in found]) if found else np.zeros((0, *size_hw), np.bool_)
    scores = np.array([score for _, score, _, _ in found], np.float32)
    boxes = inclusive_boxes(masks)
    kept = box_nms(boxes, scores, box_iou)
    points = np.array([points_xy[found[k][3]] for k in kept], np.float32).reshape(-1, 2)
    return Proposals(
        size_hw=size_hw,
        rles=tuple(encode_rle(masks[k]) for k in kept),
        boxes_xyxy=boxes[kept] + np.array([0, 0, 1, 1], np.int32),
        predicted_iou=scores[kept],
        stability=np.array([found[k][2] for k in kept], np.float32),
        points_xy=points,
    )
