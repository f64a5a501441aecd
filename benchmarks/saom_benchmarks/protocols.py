"""The tasks a model can be scored on, each with a version: how predictions are asked for, and which metrics follow.

* ``oracle-point``: every ground-truth object makes its own point prompt by the nearest neighbour assignment (see
  saom_bench.prompts) on the model's own encoder features; of the decoder's three masks the one with the highest
  predicted IoU is the prediction. Objects too small for a feature cell get the assignment's fallback; the metric
  "published mIoU" counts them as missing, as the published code does.
* ``oracle-point-published``: the same with the published code's choices: the location prior anywhere in the image,
  always the nearest grid point, the grid over 1024 x 1024 pixels whatever the image, and such small objects missing.
* ``everything``: everything mode with no knowledge of the image; proposals are matched to ground truth one-to-one,
  greedily by IoU, however small; an object that no free proposal touches has an empty prediction. A missed object may
  so be given the wall behind it, which counts against its class's pixel sums: read mIoU beside IoU per object
  and recall at IoU .5, which are shown with it.

The grid of points and the switches above are part of an oracle-point task, so results with other values are never
ranked together. Everything mode's settings are the model's own choice, as in the published comparison (SAM and SAOM
each with their preset), and are stated with each row.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saom_bench.errors import SaomBenchError, unknown
from saom_bench.masks import encode_labels, encode_rle, rle_runs
from saom_bench.prompts import Prior
from saom_bench.types import Instance, LabelMap, Proposals, Sample
from saom_benchmarks.boundaries import boundary_counts, run_boundary_counts
from saom_benchmarks.matching import Overlaps, Visible, match, over_segmented, overlaps, under_segmented, visible
from saom_benchmarks.models import Model, PointMasks, PointRule
from saom_benchmarks.scores import FrameScore, ObjectScore, ProposalScore

_COMMON = ("miou", "macc", "instance_miou", "boundary_iou", "best_miou")
_PROPOSED = ("ar_10", "ar_100", "ar_1000", "ar_small", "ar_medium", "ar_large", "pq", "class_pq")


@dataclass(frozen=True)
class Protocol:
    """One versioned task. ``points`` is None for everything mode."""

    name: str
    version: int
    description: str
    metrics: tuple[str, ...]
    points: PointRule | None = None
    ranked: tuple[str, ...] = ()
    """Metrics that follow from the ranking of all proposals, not from sums."""

    @property
    def parameters(self) -> dict[str, Any]:
        """What fixes the task beside its name: results with other values are not comparable."""
        return {} if self.points is None else asdict(self.points)


PROTOCOLS: dict[str, Protocol] = {
    "oracle-point": Protocol(
        "oracle-point",
        1,
        "One point for each ground-truth object, by nearest neighbour assignment; of 3 masks the one with the highest "
        "predicted IoU. Objects that cover no feature cell are prompted by the assignment's fallback.",
        (*_COMMON, "published_miou", "class_accuracy"),
        PointRule(),
    ),
    "oracle-point-published": Protocol(
        "oracle-point-published",
        1,
        "oracle-point as the published code does it: location prior anywhere in the image, nearest grid point, grid "
        "over 1024 x 1024 pixels, objects that cover no feature cell count as missing.",
        (*_COMMON, "class_accuracy"),
        PointRule(prior="image", grid_frame="fixed-1024", snap="nearest", drop_no_cell=True),
    ),
    "everything": Protocol(
        "everything",
        2,
        "Everything mode with the settings stated in each row; proposals matched to ground truth one-to-one, greedily "
        "by IoU; objects without a proposal count as empty predictions.",
        (*_COMMON, "recall_50", *_PROPOSED, "over_segmentation", "under_segmentation", "class_accuracy"),
        ranked=("ap", "class_ap"),
    ),
}


def protocols(names: list[str], grid: tuple[int, int] | None = None, prior: Prior | None = None) -> list[Protocol]:
    """Protocols by name, with the point rule's values replaced where given. Raises SaomBenchError for unknown names."""
    found = []
    for name in dict.fromkeys(names):
        if name not in PROTOCOLS:
            raise unknown("protocol", name, PROTOCOLS)
        protocol = PROTOCOLS[name]
        rule = protocol.points
        if rule is not None:
            rule = replace(rule, grid=grid or rule.grid, prior=prior or rule.prior)
        found.append(replace(protocol, points=rule))
    if not found:
        raise SaomBenchError(f"no protocol given; choose from {', '.join(PROTOCOLS)}")
    return found


def score(protocol: Protocol, model: Model, sample: Sample, shared_seconds: Callable[[], float]) -> FrameScore:
    """Predict one image and count pixels.

    Args:
        shared_seconds: a running total of encoding time that a shared embedding saved the models so far; what it grows
            by during this call is added to the frame's time.
    """
    before = shared_seconds()
    if protocol.points is None:
        started = perf_counter()
        proposals = model.everything(sample)
        seconds = perf_counter() - started
        objects, counted = score_proposals(sample, proposals)
    else:
        objects, seconds = _score_points(protocol.points, model, sample)
        counted = None
    return FrameScore(
        key=sample.key,
        scene=sample.scene,
        size_hw=sample.size_hw,
        objects=objects,
        proposals=counted,
        seconds=round(seconds + shared_seconds() - before, 4),
    )


def score_proposals(sample: Sample, proposals: Proposals) -> tuple[tuple[ObjectScore, ...], tuple[ProposalScore, ...]]:
    """Match everything mode's proposals to the objects of one image; both are counted, proposals by falling score."""
    if proposals.size_hw != sample.size_hw:
        raise ValueError(f"proposals of size {proposals.size_hw} for an image of {sample.size_hw}")
    order = np.argsort(-proposals.predicted_iou, kind="stable")
    rles = [proposals.rles[k] for k in order]
    classes = None if proposals.class_index is None else proposals.class_index[order]
    truth = [item.label for item in sample.instances]
    objects = encode_labels(sample.labels, truth)
    shared, runs, object_runs = overlaps(objects, rles), rle_runs(rles), rle_runs(objects)
    iou = shared.iou
    matched, parts, swallowed = match(iou), over_segmented(shared), under_segmented(shared)
    scores = []
    for i, item in enumerate(sample.instances):
        counts: dict[str, Any] = {"over_segmented": bool(parts[i]), "under_segmented": bool(swallowed[i])}
        best = int(iou[i].argmax()) if rles else 0
        if rles and iou[i, best] > 0:  # a proposal beside the object is no prediction of it
            counts |= _pixels("best_", shared.proposal_px[best], shared.intersection_px[i, best])
        if classes is not None:
            counts["predicted_class"] = -1
        k = matched[i]
        if k is not None:
            counts |= _pixels("", shared.proposal_px[k], shared.intersection_px[i, k])
            counts["counts"] = rles[k]["counts"]
            counts["boundary"] = run_boundary_counts(object_runs[i], runs[k], sample.size_hw)
            if classes is not None:
                counts["predicted_class"] = int(classes[k])
        scores.append(_object(item, int(shared.truth_px[i]), counts))
    seen = visible(sample.labels, truth, runs, shared)
    return tuple(scores), _proposal_scores(proposals, order, truth, shared, seen)


def _proposal_scores(
    proposals: Proposals, order: NDArray[np.intp], truth: list[int], shared: Overlaps, seen: Visible
) -> tuple[ProposalScore, ...]:
    classes, certain = proposals.class_index, proposals.class_score
    touched, visibly = _touched(shared.intersection_px, truth), _touched(seen.intersection_px, truth)
    return tuple(
        ProposalScore(
            score=round(float(proposals.predicted_iou[k]), 6),
            px=int(shared.proposal_px[row]),
            shared=tuple(touched[row]),
            visible_px=int(seen.px[row]),
            visible_shared=tuple(visibly[row]),
            predicted_class=None if classes is None else int(classes[k]),
            class_score=None if certain is None else round(float(certain[k]), 6),
        )
        for row, k in enumerate(order)
    )


def _touched(pixels: NDArray[np.int64], truth: list[int]) -> list[list[tuple[int, int]]]:
    """Of each of P proposals the labels that it shares pixels with, and how many, from (T, P) counts."""
    found: list[list[tuple[int, int]]] = [[] for _ in range(pixels.shape[1])]
    rows, columns = np.nonzero(pixels)
    for i, k, count in zip(rows.tolist(), columns.tolist(), pixels[rows, columns].tolist(), strict=True):
        found[k].append((truth[i], count))
    return found


def score_point(item: Instance, labels: LabelMap, prediction: PointMasks | None, drop: bool) -> ObjectScore:
    """Score the masks of one object's point; ``drop``: an object without a feature cell counts as missing."""
    truth = labels == item.label
    truth_px = int(truth.sum())
    if prediction is None:
        return _object(item, truth_px, {})
    areas = prediction.masks.sum(axis=(1, 2), dtype=np.int64)
    both = prediction.masks[:, truth].sum(axis=1, dtype=np.int64)
    iou = both / np.maximum(areas + truth_px - both, 1)
    chosen = int(prediction.predicted_iou.argmax())
    best = int(iou.argmax()) if iou.max() > iou[chosen] else chosen
    counts: dict[str, Any] = {"dropped": prediction.no_cell, "predicted_class": prediction.class_index}
    if drop and prediction.no_cell:
        if prediction.class_index is not None:
            counts["predicted_class"] = -1
        return _object(item, truth_px, counts)
    counts |= _pixels("", areas[chosen], both[chosen]) | _pixels("best_", areas[best], both[best])
    counts["counts"] = encode_rle(prediction.masks[chosen])["counts"]
    counts["boundary"] = boundary_counts(truth, prediction.masks[chosen])
    return _object(item, truth_px, counts)


def _score_points(rule: PointRule, model: Model, sample: Sample) -> tuple[tuple[ObjectScore, ...], float]:
    """The scores of one image's objects in order, and the seconds that the model took for them."""
    by_label = {item.label: item for item in sample.instances}
    scores: dict[int, ObjectScore] = {}
    clock = _Clock()
    for prediction in clock.each(model.points(sample, rule)):
        item = by_label[prediction.label]
        scores[item.label] = score_point(item, sample.labels, prediction, rule.drop_no_cell)
    objects = tuple(
        scores[item.label] if item.label in scores else score_point(item, sample.labels, None, rule.drop_no_cell)
        for item in sample.instances
    )
    return objects, clock.seconds


class _Clock:
    """Times an iterator's own work, not that of the loop over it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def each(self, items: Iterator[PointMasks]) -> Iterator[PointMasks]:
        while True:
            started = perf_counter()
            item = next(items, None)
            self.seconds += perf_counter() - started
            if item is None:
                return
            yield item


def _pixels(prefix: str, predicted_px: int, intersection_px: int) -> dict[str, int]:
    return {f"{prefix}predicted_px": int(predicted_px), f"{prefix}intersection_px": int(intersection_px)}


def _object(item: Instance, truth_px: int, counts: dict[str, Any]) -> ObjectScore:
    return ObjectScore(label=item.label, class_index=item.class_index, truth_px=truth_px, **counts)
