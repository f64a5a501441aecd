"""segment-anything's own mask generator for parity tests, also where torchvision is not installed or does not fit.

It takes four functions from torchvision. Where that cannot be imported, plain ones stand in for the time of the import:
greedy suppression by the definition, and Pillow's resize, which is what torchvision calls for a picture.
"""

import importlib
import sys
from types import ModuleType
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from saom_bench.sam import modules as _importable  # noqa: F401  makes segment_anything importable
from saom_bench.sam.model import Sam


def stock_generator(sam: Sam, **settings: Any) -> Any:
    """A SamAutomaticMaskGenerator on the weights of a model."""
    generator = _import_generator()
    modeling = importlib.import_module("segment_anything.modeling")
    stock = modeling.Sam(_Encoder(sam), sam.prompt_encoder, sam.mask_decoder).eval()
    return generator.SamAutomaticMaskGenerator(stock, **settings)


class _Encoder(nn.Module):
    def __init__(self, sam: Sam) -> None:
        super().__init__()
        self.img_size = sam.image_size
        self._encode = sam.encoder[0]

    def forward(self, image: Tensor) -> Tensor:
        features: Tensor = self._encode(image[0].numpy(), torch.device("cpu"))
        return features[None]


def _import_generator() -> ModuleType:
    name = "segment_anything.automatic_mask_generator"
    try:
        return importlib.import_module(name)
    except (ImportError, RuntimeError, AttributeError):
        pass
    before = {key: value for key, value in sys.modules.items() if key.split(".")[0] == "torchvision"}
    sys.modules.update(_stand_in())
    try:
        return importlib.import_module(name)
    finally:
        for key in _stand_in():
            del sys.modules[key]
        sys.modules.update(before)


def _stand_in() -> dict[str, ModuleType]:
    names = ("torchvision", "torchvision.ops", "torchvision.ops.boxes", "torchvision.transforms")
    made = {name: ModuleType(name) for name in (*names, "torchvision.transforms.functional")}
    made["torchvision.ops.boxes"].__dict__.update(batched_nms=batched_nms, box_area=_box_area)
    made["torchvision.transforms.functional"].__dict__.update(to_pil_image=Image.fromarray, resize=_resize)
    return made


def _box_area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def batched_nms(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    """By the definition, for one class: every kept box strikes out all later ones that overlap it too much."""
    kept: list[int] = []
    areas = _box_area(boxes)
    for i in torch.sort(scores, descending=True, stable=True).indices.tolist():
        low, high = torch.maximum(boxes[i, :2], boxes[kept, :2]), torch.minimum(boxes[i, 2:], boxes[kept, 2:])
        overlap = (high - low).clamp(min=0).prod(dim=1)
        if not bool((overlap / (areas[i] + areas[kept] - overlap) > iou_threshold).any()):
            kept.append(i)
    return torch.tensor(kept, dtype=torch.int64)


def _resize(image: Image.Image, size_hw: tuple[int, int]) -> Image.Image:
    return image.resize((size_hw[1], size_hw[0]), Image.Resampling.BILINEAR)


def as_array(annotations: list[dict[str, Any]]) -> np.ndarray:  # type: ignore[type-arg]
    """(N, H, W) masks of a generator's output."""
    return np.stack([item["segmentation"] for item in annotations])
