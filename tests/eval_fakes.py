"""Models without weights for the benchmark's tests: each predicts by a plain rule from the ground truth."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from saom_bench.masks import encode_rle
from saom_bench.types import Capture, Instance, Pose, Proposals, Sample
from saom_benchmarks.models import ModelCard, PointMasks, PointRule


class ShiftModel:
    """Predicts each true mask moved ``pixels`` to the right; raises on the keys in ``breaks_on``."""

    def __init__(self, name: str, pixels: int, breaks_on: tuple[str, ...] = (), kind: str = "sam") -> None:
        self.card = ModelCard(name=name, kind=kind, spec=name, base=name, base_weights_sha256=name)
        self.settings: dict[str, dict[str, Any]] = {"common": {"device": "none"}, "everything": {"grid": [2, 2]}}
        self.pixels = pixels
        self.breaks_on = set(breaks_on)
        self.seen: list[str] = []

    def points(self, sample: Sample, rule: PointRule) -> Iterator[PointMasks]:
        self._note(sample)
        for item in sample.instances:
            yield PointMasks(item.label, self._mask(sample, item)[None], np.ones(1, np.float32))

    def everything(self, sample: Sample) -> Proposals:
        self._note(sample)
        return proposals(*[self._mask(sample, item) for item in sample.instances])

    def _mask(self, sample: Sample, item: Instance) -> np.ndarray:
        return np.roll(sample.labels == item.label, self.pixels, axis=1)

    def _note(self, sample: Sample) -> None:
        self.seen.append(sample.key)
        if sample.key in self.breaks_on:
            raise RuntimeError("out of luck")


def proposals(*masks: np.ndarray, classes: list[int] | None = None) -> Proposals:
    """Everything mode's answer made of these (H, W) masks."""
    count = len(masks)
    ones = np.ones(count, np.float32)
    return Proposals(
        size_hw=masks[0].shape,
        rles=tuple(encode_rle(mask) for mask in masks),
        boxes_xyxy=np.zeros((count, 4), np.int32),
        predicted_iou=ones,
        stability=ones,
        points_xy=np.zeros((count, 2), np.float32),
        class_index=None if classes is None else np.array(classes, np.int64),
    )


def row(text: str) -> np.ndarray:
    """A (1, W) label map from digits: "1100" is two pixels of object 1."""
    return np.array([[int(c) for c in text]], np.uint16)


def sample(labels: np.ndarray, classes: dict[int, int], key: str = "S/0", scene: str = "S") -> Sample:
    """A frame whose objects are the labels in ``classes``, each with its class index."""
    instances = tuple(
        Instance(label, f"o{label}", "Mug", index, int((labels == label).sum()), (0, 0, 1, 1))
        for label, index in classes.items()
    )
    rgb = np.zeros((*labels.shape, 3), np.uint8)
    return Sample(key, scene, Capture(rgb, labels, instances, Pose(0, 0, 0, 0, 0), 90.0))
