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
* **published mIoU** (oracle-point): objects that the published method drops, because their mask covers no cell of the
  64 x 64 feature map, count as missing. Everywhere else their prompt comes from the fallback of the assignment.
* **recall@.5** (everything): share of objects with a matched proposal of IoU >= 0.5.
* **over-segmentation** (everything): share of objects whose best proposal has IoU < 0.5 while some proposal lies at
  least 80 % inside the object and covers less than 80 % of it: a part is proposed where the whole is missed.
  By hand: an object of 10 px; the only proposal is 4 px, all inside: IoU 0.4, inside 100 %, covers 40 %: counted.
* **class accuracy** (models with a class head): share of objects whose mask carries the right class; no mask is wrong.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

Floats = NDArray[np.float64]
RECALL_IOU = 0.5

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
    "recalled",
    "over_segmented",
    "dropped",
    "class_scored",
    "class_correct",
)
"""What is summed per scene and class; ``kept_*`` leave out the objects that the published method drops."""


class ObjectScore(BaseModel):
    """One ground-truth object against its prediction: pixel counts and the chosen mask."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: int
    class_index: int
    truth_px: int
    predicted_px: int = 0
    """Pixels of the mask that counts as the prediction; 0 when there is none."""
    intersection_px: int = 0
    best_predicted_px: int = 0
    """Pixels of the candidate with the highest true IoU."""
    best_intersection_px: int = 0
    over_segmented: bool = False
    dropped: bool = False
    """The published method would make no prompt for this object."""
    predicted_class: int | None = None
    """The class head's answer; -1 where a model with a class head gave no mask, None without a class head."""
    counts: str | None = None
    """The predicted mask as COCO run lengths of the frame's size."""

    @property
    def iou(self) -> float:
        """Intersection over union of this object and its prediction, 0 to 1."""
        return self.intersection_px / max(self.truth_px + self.predicted_px - self.intersection_px, 1)


class FrameScore(BaseModel):
    """One model on one image under one protocol: a line of the record from which an evaluation resumes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    scene: str
    size_hw: tuple[int, int]
    objects: tuple[ObjectScore, ...]
    proposals: int | None = None
    """Number of masks that everything mode gave; None for point prompts."""
    seconds: float
    """Prediction only: encoding included, even when the embedding was shared with another model; scoring excluded."""


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
        return self.values[..., COLUMNS.index(name)]


def sum_by_scene(frames: Iterable[FrameScore], n_classes: int) -> SceneSums:
    """Add frames up by scene and class; the result does not depend on the order of the frames."""
    ordered = sorted(frames, key=lambda frame: frame.key)
    scenes = tuple(sorted({frame.scene for frame in ordered}))
    row = {scene: i for i, scene in enumerate(scenes)}
    values = np.zeros((len(scenes), n_classes, len(COLUMNS)))
    for frame in ordered:
        for item in frame.objects:
            values[row[frame.scene], item.class_index] += _counts(item)
    return SceneSums(scenes, values)


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


METRICS: dict[str, Metric] = {
    "miou": Metric("mIoU", lambda s: _mean_over_present(class_iou(s))),
    "macc": Metric("mAcc", lambda s: _mean_over_present(class_acc(s))),
    "instance_miou": Metric("instance mIoU", lambda s: _share(s, "iou_sum", "objects")),
    "best_miou": Metric("best mIoU", lambda s: _mean_over_present(class_iou(s, "best_"))),
    "published_miou": Metric("published mIoU", lambda s: _mean_over_present(class_iou(s, "kept_"))),
    "recall_50": Metric("recall@.5", lambda s: _share(s, "recalled", "objects")),
    "over_segmentation": Metric("over-segm.", lambda s: _share(s, "over_segmented", "objects")),
    "class_accuracy": Metric("class acc.", lambda s: _share(s, "class_correct", "class_scored")),
}


def summarise(sums: Sums, names: Sequence[str]) -> dict[str, Floats]:
    """The named metrics in percent, without those that do not apply, such as class accuracy without a class head."""
    values = {name: METRICS[name].of(sums) for name in names}
    return {name: value for name, value in values.items() if not np.isnan(value).all()}


def frame_miou(frame: FrameScore) -> float | None:
    """mIoU of one image in percent; None for an image without objects."""
    if not frame.objects:
        return None
    classes = 1 + max(item.class_index for item in frame.objects)
    return float(METRICS["miou"].of(sum_by_scene([frame], classes).total()))


def _counts(item: ObjectScore) -> Floats:
    has_class = item.predicted_class is not None
    counts = {
        "objects": 1,
        "truth_px": item.truth_px,
        "predicted_px": item.predicted_px,
        "intersection_px": item.intersection_px,
        "best_predicted_px": item.best_predicted_px,
        "best_intersection_px": item.best_intersection_px,
        "kept_predicted_px": 0 if item.dropped else item.predicted_px,
        "kept_intersection_px": 0 if item.dropped else item.intersection_px,
        "iou_sum": item.iou,
        "recalled": item.iou >= RECALL_IOU,
        "over_segmented": item.over_segmented,
        "dropped": item.dropped,
        "class_scored": has_class,
        "class_correct": has_class and item.predicted_class == item.class_index,
    }
    return np.array([counts[name] for name in COLUMNS], np.float64)


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
