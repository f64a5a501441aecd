"""Mask2Former and MaskFormer as a closed-set control: how far instance segmentation with a fixed list of classes goes.

They know the classes that they were trained on (COCO's, say) and no others, so they are scored by their masks alone.
They take no prompts: for oracle-point the answer is the mask of the highest score that holds the object's point, the
pixel deepest inside it.
"""

from saom_bench.sam import runtime

runtime.prepare()

from collections.abc import Iterator  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch.nn.functional import interpolate  # noqa: E402

from saom_bench.everything.boxes import inclusive_boxes  # noqa: E402
from saom_bench.masks import encode_rle  # noqa: E402
from saom_bench.types import BoolMask, FloatArray, Proposals, RgbImage, Sample  # noqa: E402
from saom_benchmarks.models import ModelCard, PointMasks, PointRule  # noqa: E402

_CLASSES = {"mask2former": "Mask2FormerForUniversalSegmentation", "maskformer": "MaskFormerForInstanceSegmentation"}
_LEAST_SCORE = 0.05


class ClosedSetModel:
    """A model of the two families, from a folder on this machine."""

    def __init__(self, folder: Path, card: ModelCard, device: str) -> None:
        import transformers

        processors: Any = transformers.AutoImageProcessor
        family = transformers.AutoConfig.from_pretrained(folder).model_type
        self._model = getattr(transformers, _CLASSES[family]).from_pretrained(folder).eval().to(device)
        self._processor: Any = processors.from_pretrained(folder)
        self.card = card
        self.settings: dict[str, dict[str, Any]] = {
            "common": {"device": self._model.device.type, "dtype": "float32", "least_score": _LEAST_SCORE},
            "everything": {},
        }

    def points(self, sample: Sample, rule: PointRule) -> Iterator[PointMasks]:
        """The best mask over each object's deepest pixel; an object without one has no answer."""
        masks, scores = self._masks(sample.rgb)
        for item in sample.instances:
            truth = (sample.labels == item.label).astype(np.uint8)
            depth = cv2.distanceTransform(np.pad(truth, 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
            y, x = np.unravel_index(int(depth.argmax()), depth.shape)
            over = np.flatnonzero(masks[:, y, x])
            if over.size:
                yield PointMasks(item.label, masks[over[:1]], scores[over[:1]])

    def everything(self, sample: Sample) -> Proposals:
        """Every mask, the one of the highest score first."""
        masks, scores = self._masks(sample.rgb)
        return Proposals(
            size_hw=sample.size_hw,
            rles=tuple(encode_rle(mask) for mask in masks),
            boxes_xyxy=inclusive_boxes(masks) + np.array([0, 0, 1, 1], np.int32),
            predicted_iou=scores,
            stability=np.ones(len(scores), np.float32),
            points_xy=np.zeros((len(scores), 2), np.float32),
        )

    @torch.no_grad()
    def _masks(self, rgb: RgbImage) -> tuple[BoolMask, FloatArray]:
        """(N, H, W) masks by falling score, and the scores: class probability times the mask's mean probability."""
        inputs = self._processor(images=rgb, return_tensors="pt").to(self._model.device)
        out = self._model(**inputs)
        logits = interpolate(out.masks_queries_logits, inputs["pixel_values"].shape[-2:], mode="bilinear")
        if "pixel_mask" in inputs:  # 1 on the image, 0 on what pads it
            height, width = (int(inputs["pixel_mask"][0].any(axis).sum()) for axis in (1, 0))
            logits = logits[..., :height, :width]
        logits = interpolate(logits, rgb.shape[:2], mode="bilinear")[0]
        certain = out.class_queries_logits[0].softmax(-1)[:, :-1].max(-1).values
        masks = logits > 0
        inside = (logits.sigmoid() * masks).sum((1, 2)) / masks.sum((1, 2)).clamp(min=1)
        scores = (certain * inside).cpu().numpy().astype(np.float32)
        kept = np.argsort(-scores, kind="stable")
        kept = kept[scores[kept] >= _LEAST_SCORE]
        return masks.cpu().numpy()[kept], scores[kept]
