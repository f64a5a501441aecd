"""What is measured: per-object pixel counts, their sums by scene and class, and every metric as a function of sums.

All metrics are linear in counts until one last division, so a result keeps only the sums of each scene and class:
from them the value, the bootstrap over scenes and the paired difference of two models all follow, without pictures.
Values are percent, 0 to 100.

With I = pixels in both the predicted and the true mask, P = predicted and T = true pixels, each summed over all
masks of one class, over all images:

* class IoU = I / (P + T - I) and class Acc = I / T; **mIoU**, **mAcc** = unweighted means over the classes that
  occur in the ground truth. A class that does not occur is absent: neither 0 nor 100, and in no mean.
* a missing prediction is an empty mask: I = P = 0, but T still counts.
* **instance mIoU** = mean of each object's own IoU, so that a mug weighs as much as a fridge.

By hand: class A has two objects. One of 4 px is predicted with 6 px of which 3 are right; one of 6 px is missed.
Class B has one object of 2 px, predicted exactly. Class C does not occur.

* A: I = 3 + 0, P = 6 + 0, T = 4 + 6, so IoU = 3 / (6 + 10 - 3) = 3/13 and Acc = 3/10. B: IoU = Acc = 1.
* mIoU = (3/13 + 1) / 2 = 61.54, mAcc = (0.3 + 1) / 2 = 65.
* instance mIoU = (3/7 + 0 + 1) / 3 = 47.62.

The rest, each over all objects whatever their class:

* **best mIoU**: as mIoU, with the mask of the highest true IoU among those the model gave for the object (the three
  of a point; all proposals, not one-to-one, in everything mode): how much a better choice could gain.
* **boundary IoU**: mean over objects of the IoU of the two masks' boundaries (boundaries.py); a missing mask has 0.
* **published mIoU** (oracle-point): objects that the published method drops, because their mask covers no cell of the
  64 x 64 feature map, count as missing. Everywhere else their prompt comes from the fallback of the assignment.
* **recall@.5** (everything): share of objects with a matched proposal of IoU >= 0.5.
* **AR@10, @100, @1000** (everything): share of objects that COCO's matching finds among so many proposals of the
  highest score, mean of ten IoU thresholds from .50 to .95; **AR small, medium, large**: of AR@100, objects of one size
  (detections.py, with **AP** and **class AP**).
* **PQ**, **class PQ** (everything): panoptic quality (panoptic.py); class PQ is the mean over the classes that occur.
* **over-segmentation** (everything): share of objects whose best proposal has IoU < 0.5 while some proposal lies at
  least 80 % inside the object and covers less than 80 % of it: a part is proposed where the whole is missed.
  By hand: an object of 10 px; the only proposal is 4 px, all inside: IoU 0.4, inside 100 %, covers 40 %: counted.
* **under-segmentation** (everything): share of objects whose best proposal has IoU < 0.5 while some proposal covers at
  least 80 % of the object and lies less than 80 % inside it: the object is swallowed by something larger.
  By hand: an object of 4 px; the only proposal is 10 px and has all of it: IoU 0.4, covers 100 %, inside 40 %: counted.
* **class accuracy** (models with a class head): share of objects whose mask carries the right class; no mask is wrong.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from saom_benchmarks.detections import IOU_THRESHOLDS, RANKED, Detections, is_of_size, recalled
from saom_benchmarks.panoptic import Panoptic, panoptic
from saom_benchmarks.scores import FrameScore, ObjectScore

Floats = NDArray[np.float64]
RECALL_IOU = 0.5
_THRESHOLDS = len(IOU_THRESHOLDS)

COLUMNS = (
    "objects",
    "truth_px",
    "predicted_px",
    "intersection_px",
    "best_predicted_px",
    "best_intersection_px",
    "kept_predicted_px",
    "kept_intersection_px",
    "iou_sum",
    "boundary_iou_sum",
    "recalled",
    "over_segmented",
    "under_segmented",
    "dropped",
    "class_scored",
    "class_correct",
    "found_10",
    "found_100",
    "found_1000",
    "small",
    "medium",
    "large",
    "found_small",
    "found_medium",
    "found_large",
    "pairs",
    "pairs_iou",
    "lone_segments",
    "class_pairs",
    "class_pairs_iou",
    "class_lone_segments",
)
"""What is summed per scene and class. ``kept_*`` leave out the objects that the published method drops, ``found_*``
count an object once for each of the ten IoU thresholds, lone segments belong to the class that panoptic.py says."""


_PLACE = {name: i for i, name in enumerate(COLUMNS)}


@dataclass(frozen=True)
class SceneSums:
    """Sums over the frames of each scene: ``values`` is (scenes, classes, len(COLUMNS)), scenes in sorted order."""

    scenes: tuple[str, ...]
    values: Floats

    def total(self) -> "Sums":
        """The sums over all scenes."""
        return Sums(self.values.sum(axis=0))


@dataclass(frozen=True)
class Sums:
    """Sums of shape (..., classes, len(COLUMNS)); leading axes are bootstrap resamples."""

    values: Floats

    def column(self, name: str) -> Floats:
        """(..., classes) of one column."""
        return self.values[..., _PLACE[name]]


def sum_by_scene(frames: Iterable[FrameScore], n_classes: int) -> SceneSums:
    """Add frames up by scene and class; the result does not depend on the order of the frames."""
    ordered = sorted(frames, key=lambda frame: frame.key)
    scenes = tuple(sorted({frame.scene for frame in ordered}))
    row = {scene: i for i, scene in enumerate(scenes)}
    values = np.zeros((len(scenes), n_classes, len(COLUMNS)))
    for frame in ordered:
        values[row[frame.scene]] += frame_counts(frame, n_classes)
    return SceneSums(scenes, values)


def frame_counts(frame: FrameScore, n_classes: int) -> Floats:
    """(n_classes, len(COLUMNS)) of one frame."""
    values = np.zeros((n_classes, len(COLUMNS)))
    if not frame.objects:
        return _with_segments(values, frame)
    columns = {name: np.array(column, np.float64) for name, column in _counts(frame.objects).items()}
    if frame.proposals is not None:
        detections = Detections.of(frame)
        columns |= {f"found_{name}": hits.astype(np.float64) for name, hits in recalled(detections).items()}
        columns |= {name: flags.astype(np.float64) for name, flags in is_of_size(detections).items()}
    classes = np.array([item.class_index for item in frame.objects])
    places = np.array([_PLACE[name] for name in columns])
    np.add.at(values, (classes[:, None], places[None]), np.stack(list(columns.values()), axis=1))
    return _with_segments(values, frame)


def _with_segments(values: Floats, frame: FrameScore) -> Floats:
    if frame.proposals is not None:
        _add_panoptic(values, panoptic(frame, of_classes=False), "")
        if any(proposal.predicted_class is not None for proposal in frame.proposals):
            _add_panoptic(values, panoptic(frame, of_classes=True), "class_")
    return values


def _add_panoptic(values: Floats, counted: Panoptic, prefix: str) -> None:
    for index, count in counted.pairs.items():
        values[index, _PLACE[f"{prefix}pairs"]] += count
        values[index, _PLACE[f"{prefix}pairs_iou"]] += counted.iou[index]
    for index, count in counted.lone_segments.items():
        values[index, _PLACE[f"{prefix}lone_segments"]] += count


def class_iou(sums: Sums, which: str = "") -> Floats:
    """(..., classes) IoU by pixel sums, NaN where the class is absent; ``which``: "", "best_" or "kept_"."""
    truth, predicted = sums.column("truth_px"), sums.column(f"{which}predicted_px")
    intersection = sums.column(f"{which}intersection_px")
    return _ratio(intersection, np.where(truth > 0, truth + predicted - intersection, 0))


def class_acc(sums: Sums) -> Floats:
    """(..., classes) share of the class's true pixels that its predictions cover, NaN where the class is absent."""
    return _ratio(sums.column("intersection_px"), sums.column("truth_px"))


@dataclass(frozen=True)
class Metric:
    """One number of a result: how it is called in tables, and how it follows from sums."""

    title: str
    of: Callable[[Sums], Floats]
    """Percent, of shape (...) for sums of shape (..., classes, columns); NaN where it does not apply."""
    is_better: Literal["higher", "lower"] = "higher"


METRICS: dict[str, Metric] = {
    "miou": Metric("mIoU", lambda s: _mean_over_present(class_iou(s))),
    "macc": Metric("mAcc", lambda s: _mean_over_present(class_acc(s))),
    "instance_miou": Metric("instance mIoU", lambda s: _share(s, "iou_sum", "objects")),
    "boundary_iou": Metric("boundary IoU", lambda s: _share(s, "boundary_iou_sum", "objects")),
    "best_miou": Metric("best mIoU", lambda s: _mean_over_present(class_iou(s, "best_"))),
    "published_miou": Metric("published mIoU", lambda s: _mean_over_present(class_iou(s, "kept_"))),
    "recall_50": Metric("recall@.5", lambda s: _share(s, "recalled", "objects")),
    "ar_10": Metric("AR@10", lambda s: _share(s, "found_10", "objects") / _THRESHOLDS),
    "ar_100": Metric("AR@100", lambda s: _share(s, "found_100", "objects") / _THRESHOLDS),
    "ar_1000": Metric("AR@1000", lambda s: _share(s, "found_1000", "objects") / _THRESHOLDS),
    "ar_small": Metric("AR small", lambda s: _share(s, "found_small", "small") / _THRESHOLDS),
    "ar_medium": Metric("AR medium", lambda s: _share(s, "found_medium", "medium") / _THRESHOLDS),
    "ar_large": Metric("AR large", lambda s: _share(s, "found_large", "large") / _THRESHOLDS),
    "pq": Metric("PQ", lambda s: 100 * _quality(s, "", of_classes=False)),
    "class_pq": Metric("class PQ", lambda s: _class_quality(s)),
    "over_segmentation": Metric("over-segm.", lambda s: _share(s, "over_segmented", "objects"), is_better="lower"),
    "under_segmentation": Metric("under-segm.", lambda s: _share(s, "under_segmented", "objects"), is_better="lower"),
    "class_accuracy": Metric("class acc.", lambda s: _share(s, "class_correct", "class_scored")),
}


def summarise(sums: Sums, names: Sequence[str]) -> dict[str, Floats]:
    """The named metrics in percent, without those that do not apply, such as class accuracy without a class head, and
    without those that do not follow from sums."""
    values = {name: METRICS[name].of(sums) for name in names if name in METRICS}
    return {name: value for name, value in values.items() if not np.isnan(value).all()}


def title_of(name: str) -> str:
    """What a metric is called in tables."""
    return METRICS[name].title if name in METRICS else RANKED[name]


def frame_miou(frame: FrameScore) -> float | None:
    """mIoU of one image in percent; None for an image without objects."""
    if not frame.objects:
        return None
    claimed = [proposal.predicted_class or 0 for proposal in frame.proposals or ()]
    classes = 1 + max([item.class_index for item in frame.objects] + claimed)
    return float(METRICS["miou"].of(sum_by_scene([frame], classes).total()))


def _counts(objects: Sequence[ObjectScore]) -> dict[str, Sequence[float]]:
    """The columns of COLUMNS that each object has by itself."""
    has_class = [item.predicted_class is not None for item in objects]
    ious = [item.iou for item in objects]
    return {
        "objects": [1] * len(objects),
        "truth_px": [item.truth_px for item in objects],
        "predicted_px": [item.predicted_px for item in objects],
        "intersection_px": [item.intersection_px for item in objects],
        "best_predicted_px": [item.best_predicted_px for item in objects],
        "best_intersection_px": [item.best_intersection_px for item in objects],
        "kept_predicted_px": [0 if item.dropped else item.predicted_px for item in objects],
        "kept_intersection_px": [0 if item.dropped else item.intersection_px for item in objects],
        "iou_sum": ious,
        "boundary_iou_sum": [item.boundary_iou for item in objects],
        "recalled": [iou >= RECALL_IOU for iou in ious],
        "over_segmented": [item.over_segmented for item in objects],
        "under_segmented": [item.under_segmented for item in objects],
        "dropped": [item.dropped for item in objects],
        "class_scored": has_class,
        "class_correct": [item.predicted_class == item.class_index for item in objects],
    }


def _quality(sums: Sums, prefix: str, of_classes: bool) -> Floats:
    """Panoptic quality, 0 to 1: (...) over all objects, or (..., classes) with NaN for absent classes."""
    iou, pairs, lone, objects = (
        sums.column(name) if of_classes else sums.column(name).sum(axis=-1)
        for name in (f"{prefix}pairs_iou", f"{prefix}pairs", f"{prefix}lone_segments", "objects")
    )
    # Lone objects are those in no pair.
    return _ratio(iou, np.where(objects > 0, pairs + (lone + objects - pairs) / 2, 0))


def _class_quality(sums: Sums) -> Floats:
    """Percent; NaN for models without a class head."""
    quality = _mean_over_present(_quality(sums, "class_", of_classes=True))
    has_classes = sums.column("class_scored").sum(axis=-1) > 0
    return np.where(has_classes, quality, np.nan)


def _ratio(part: Floats, whole: Floats) -> Floats:
    ratio: Floats = np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)
    return ratio


def _share(sums: Sums, part: str, whole: str) -> Floats:
    share: Floats = 100 * _ratio(sums.column(part).sum(axis=-1), sums.column(whole).sum(axis=-1))
    return share


def _mean_over_present(by_class: Floats) -> Floats:
    present = ~np.isnan(by_class)
    mean: Floats = 100 * _ratio(np.where(present, by_class, 0).sum(axis=-1), present.sum(axis=-1).astype(np.float64))
    return mean
