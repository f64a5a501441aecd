"""Models that are none: the oracle, which must score 100, and two floors that a model should stay above.

* ``oracle``: the ground truth, through the scorer.
* ``grid-boxes``: rectangles, whatever the picture shows: three sizes round each point.
* ``part-merge`` (``part-merge:sam-vit-b``): SAM with the whole picked by size alone: of a point's three masks the
  largest, of everything mode's masks those that lie in no other. What fine-tuning gains over it is more than "take
  the larger mask".
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saom_bench.masks import decode_rle
from saom_bench.prompts import grid_points
from saom_bench.types import BoolMask, Instance, Proposals, Sample, Size
from saom_benchmarks.models import Model, ModelCard, PointMasks, PointRule, Request, proposals_of

_BOX_SHARES = (0.1, 0.2, 0.4)
"""Sides of grid-boxes' rectangles, of the picture's shorter side."""
_INSIDE = 0.8
"""A mask with so much of it in a larger one is a part of that."""


def oracle(spec: str, request: Request) -> Model:
    """The ground truth as a model."""
    return OracleModel()


def grid_boxes(spec: str, request: Request) -> Model:
    """Rectangles as a model; --everything-grid sets how many."""
    return GridBoxes(grid=request.overrides.grid or (8, 8))


def part_merge(spec: str, request: Request) -> Model:
    """SAM with the largest mask taken each time."""
    from saom_benchmarks.sam_models import load

    base = spec.partition(":")[2] or "mobile-sam"
    return PartMerge(load(f"sam:{base}", request))


def _empty_settings() -> dict[str, dict[str, Any]]:
    return {"common": {}, "everything": {}}


@dataclass
class OracleModel:
    """The ground truth through the scorer: 100 on every protocol, or the scorer is wrong."""

    card: ModelCard = field(default_factory=lambda: ModelCard(name="oracle", kind="control", spec="oracle"))
    settings: dict[str, dict[str, Any]] = field(default_factory=_empty_settings)

    def points(self, sample: Sample, rule: PointRule) -> Iterator[PointMasks]:
        """The true mask and class of each object."""
        for item in sample.instances:
            yield PointMasks(item.label, _truth(sample, item)[None], np.ones(1, np.float32), item.class_index)

    def everything(self, sample: Sample) -> Proposals:
        """The true masks and classes."""
        classes = np.array([item.class_index for item in sample.instances], np.int64)
        return proposals_of([_truth(sample, item) for item in sample.instances], sample.size_hw, classes=classes)


@dataclass
class GridBoxes:
    """Rectangles of three sizes round every point; the middle size has the highest score."""

    grid: tuple[int, int] = (8, 8)
    card: ModelCard = field(default_factory=lambda: ModelCard(name="grid-boxes", kind="control", spec="grid-boxes"))
    settings: dict[str, dict[str, Any]] = field(default_factory=_empty_settings)

    def __post_init__(self) -> None:
        self.settings["everything"] = {"grid": list(self.grid)}

    def points(self, sample: Sample, rule: PointRule) -> Iterator[PointMasks]:
        """Three rectangles round the middle of each object's box."""
        for item in sample.instances:
            x0, y0, x1, y1 = item.box_xyxy
            masks = np.stack([_box((x0 + x1) / 2, (y0 + y1) / 2, share, sample.size_hw) for share in _BOX_SHARES])
            yield PointMasks(item.label, masks, np.array([0.4, 0.6, 0.5], np.float32))

    def everything(self, sample: Sample) -> Proposals:
        """Rectangles round the points of a grid."""
        points = grid_points(*self.grid, sample.size_hw)
        boxes = [_box(x, y, share, sample.size_hw) for share in _BOX_SHARES for x, y in points]
        return proposals_of(boxes, sample.size_hw)


@dataclass
class PartMerge:
    """A SAM whose largest masks count."""

    base: Model

    def __post_init__(self) -> None:
        of = self.base.card
        self.card = of.model_copy(
            update={"name": f"part-merge ({of.base})", "kind": "control", "spec": f"part-merge:{of.base}"}
        )
        self.settings = self.base.settings

    def points(self, sample: Sample, rule: PointRule) -> Iterator[PointMasks]:
        """The base model's masks; the largest counts."""
        for answer in self.base.points(sample, rule):
            areas = answer.masks.sum(axis=(1, 2)).astype(np.float32)
            yield answer._replace(predicted_iou=areas / max(1.0, float(areas.max())))

    def everything(self, sample: Sample) -> Proposals:
        """The base model's masks that lie in no larger one."""
        found = self.base.everything(sample)
        masks = [decode_rle(rle) for rle in found.rles]
        areas = np.array([mask.sum() for mask in masks])
        kept = np.array([k for k in range(len(masks)) if not _is_part(k, masks, areas)], np.intp)
        return Proposals(
            size_hw=found.size_hw,
            rles=tuple(found.rles[k] for k in kept),
            boxes_xyxy=found.boxes_xyxy[kept],
            predicted_iou=found.predicted_iou[kept],
            stability=found.stability[kept],
            points_xy=found.points_xy[kept],
        )


def _is_part(k: int, masks: list[BoolMask], areas: NDArray[np.int64]) -> bool:
    return any(
        areas[other] > areas[k] and (masks[other] & masks[k]).sum() >= _INSIDE * areas[k] for other in range(len(masks))
    )


def _box(x: float, y: float, share: float, size_hw: Size) -> BoolMask:
    """A square of a share of the picture's shorter side round a point; at least one pixel."""
    half = share * min(size_hw) / 2
    mask = np.zeros(size_hw, np.bool_)
    rows = slice(max(0, int(y - half)), max(0, int(y - half)) + max(1, round(2 * half)))
    columns = slice(max(0, int(x - half)), max(0, int(x - half)) + max(1, round(2 * half)))
    mask[rows, columns] = True
    return mask


def _truth(sample: Sample, item: Instance) -> BoolMask:
    mask: BoolMask = sample.labels == item.label
    return mask
