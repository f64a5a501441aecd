"""Everything mode as detection, by COCO's rules: which proposal finds which object at which IoU; recall and precision.

Proposals are taken by falling score; each takes the object of the highest IoU that is left, if that IoU reaches the
threshold; thresholds are .50, .55, ..., .95. Object sizes are COCO's: small under 32 x 32 px, large from 96 x 96 px.

A proposal of which more than half lies where no object of the label set is (walls, floors) is neither right nor wrong:
the ground truth does not say what is there. It counts for no precision; recall is not touched by it.

By hand: one object; proposals of score .9 (IoU .2) and .8 (IoU .62), both mostly on it. Up to IoU .60 the second one
finds it: precision 1/2 at recall 1, so AP is 1/2 there; at higher thresholds it is 0. AP = (3 x 1/2) / 10 = 15 (.50,
.55, .60), and AR = 3/10 = 30.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saom_benchmarks.scores import FrameScore, ProposalScore

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

IOU_THRESHOLDS: Floats = np.linspace(0.5, 0.95, 10)
RECALL_LIMITS = (10, 100, 1000)
"""AR@k looks at the k proposals of the highest score in each image."""
SIZES = {"all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
RANKED = {"ap": "AP", "class_ap": "class AP"}
"""Metrics that follow from the ranking of all proposals, with their titles; class AP is a mean over classes."""
_RECALLS = np.linspace(0, 1, 101)
_LEAST_ON_OBJECTS = 0.5


def iou_matrix(frame: FrameScore, proposals: Sequence[ProposalScore]) -> Floats:
    """(P, T) IoU of each proposal with each object of a frame."""
    place = {item.label: i for i, item in enumerate(frame.objects)}
    both = np.zeros((len(proposals), len(frame.objects)))
    for row, proposal in enumerate(proposals):
        for label, pixels in proposal.shared:
            if label in place:
                both[row, place[label]] = pixels
    truth = np.array([item.truth_px for item in frame.objects], np.float64)
    predicted = np.array([proposal.px for proposal in proposals], np.float64)
    iou: Floats = both / np.maximum(predicted[:, None] + truth[None] - both, 1)
    return iou


def find(iou: Floats, is_outside: Flags) -> NDArray[np.int64]:
    """(thresholds, P) the object that each proposal finds, or -1, for (P, T) IoUs by falling score.

    Objects that are ``is_outside`` the sizes asked for are taken only where no other is in reach.
    """
    count, objects = iou.shape
    found = np.full((len(IOU_THRESHOLDS), count), -1, np.int64)
    free = np.ones((len(IOU_THRESHOLDS), objects), np.bool_)
    lines = np.arange(len(IOU_THRESHOLDS))
    limits = np.minimum(IOU_THRESHOLDS, 1 - 1e-10)[:, None]
    for row in np.flatnonzero((iou >= limits[0]).any(axis=1)) if objects else ():
        reach = free & (iou[row] >= limits)
        inside = reach & ~is_outside
        reach = np.where(inside.any(axis=1)[:, None], inside, reach)
        # Of equal IoUs COCO's loop ends with the last.
        best = objects - 1 - np.where(reach, iou[row], -1.0)[:, ::-1].argmax(axis=1)
        hit = reach.any(axis=1)
        found[hit, row] = best[hit]
        free[lines[hit], best[hit]] = False
    return found


def recalled(frame: FrameScore) -> dict[str, NDArray[np.int64]]:
    """For each object of a frame, at how many of the ten thresholds it is found: by limit ("10", ...) and by size."""
    proposals = frame.proposals or ()
    iou = iou_matrix(frame, proposals)
    areas = np.array([item.truth_px for item in frame.objects], np.float64)
    everywhere = np.zeros(len(frame.objects), np.bool_)
    counts: dict[str, NDArray[np.int64]] = {}
    for limit, before in zip(RECALL_LIMITS, (0, *RECALL_LIMITS), strict=False):
        if before and len(proposals) <= before:  # no more proposals than the limit before had
            counts[str(limit)] = counts[str(before)]
        else:
            counts[str(limit)] = _found_counts(find(iou[:limit], everywhere), len(areas))
    for name in ("small", "medium", "large"):
        outside = _outside(areas, name)
        if outside.all():
            counts[name] = np.zeros(len(areas), np.int64)
            continue
        hits = _found_counts(find(iou[:100], outside), len(areas))
        counts[name] = np.where(outside, 0, hits)
    return counts


def _found_counts(found: NDArray[np.int64], objects: int) -> NDArray[np.int64]:
    return np.bincount(found[found >= 0], minlength=objects).astype(np.int64)


def size_of(truth_px: float) -> str:
    """ "small", "medium" or "large"."""
    return next(name for name in ("small", "medium", "large") if not _outside(np.array([truth_px]), name)[0])


def _outside(areas: Floats, name: str) -> Flags:
    low, high = SIZES[name]
    # COCO's ranges include both ends; areas at an end then count twice, so here the upper end is open.
    return (areas < low) | (areas >= high)


@dataclass(frozen=True)
class Ranking:
    """The counted proposals of many images for one class (or for all), by falling score."""

    hits: Flags
    """(thresholds, N) whether each finds an object."""
    scene: NDArray[np.int64]
    """(N,) row of its scene."""
    objects: Floats
    """(scenes,) objects to be found."""


def ranking(frames: Iterable[FrameScore], scenes: Sequence[str], class_index: int | None = None) -> Ranking:
    """Rank the proposals of all frames, the first 100 of each; with a class only those of it, by class score x IoU."""
    row = {scene: i for i, scene in enumerate(scenes)}
    objects = np.zeros(len(scenes))
    hits, scores, places = [np.zeros((len(IOU_THRESHOLDS), 0), np.bool_)], [np.zeros(0)], [np.zeros(0, np.int64)]
    for frame in frames:
        kept = tuple(item for item in frame.objects if class_index in (None, item.class_index))
        objects[row[frame.scene]] += len(kept)
        chosen = _counted(frame, class_index)
        found = find(iou_matrix(frame.model_copy(update={"objects": kept}), chosen), np.zeros(len(kept), np.bool_)) >= 0
        hits.append(found)
        scores.append(np.array([_score(p, class_index) for p in chosen], np.float64))
        places.append(np.full(len(chosen), row[frame.scene], np.int64))
    order = np.argsort(-np.concatenate(scores), kind="stable")
    return Ranking(np.concatenate(hits, axis=1)[:, order], np.concatenate(places)[order], objects)


def average_precision(ranked: Ranking, weights: Floats | None = None) -> Floats:
    """AP of one ranking, 0 to 1, averaged over thresholds; NaN without objects.

    Args:
        weights: (R, scenes) how often each scene counts, for R resamples; all once without.

    Returns:
        (R,)
    """
    weights = np.ones((1, len(ranked.objects))) if weights is None else weights
    of_proposal = weights[:, ranked.scene]
    total = weights @ ranked.objects
    seen = of_proposal.cumsum(axis=1)
    sums = np.zeros(len(weights))
    for hits in ranked.hits:
        true = (of_proposal * hits).cumsum(axis=1)
        sums += _area(true / np.maximum(total, 1)[:, None], true / np.maximum(seen, 1e-12))
    return np.where(total > 0, sums / len(ranked.hits), np.nan)


def ranked_metric(name: str, rankings: Sequence[Ranking], weights: Floats | None = None) -> Floats:
    """(R,) of a metric of RANKED in percent: the mean AP of its rankings, without those that have no objects."""
    values = np.stack([average_precision(ranked, weights) for ranked in rankings])
    present = ~np.isnan(values)
    counts = present.sum(axis=0)
    sums = np.where(present, values, 0.0).sum(axis=0)
    mean: Floats = 100 * np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return mean


def rankings_of(name: str, frames: Sequence[FrameScore], scenes: Sequence[str], n_classes: int) -> tuple[Ranking, ...]:
    """The rankings that a metric of RANKED is made of; none where it does not apply."""
    proposals = [proposal for frame in frames for proposal in frame.proposals or ()]
    if name == "ap":
        return (ranking(frames, scenes),)
    if not any(proposal.predicted_class is not None for proposal in proposals):
        return ()
    occurring = sorted({item.class_index for frame in frames for item in frame.objects if item.class_index < n_classes})
    return tuple(ranking(frames, scenes, index) for index in occurring)


def _area(recall: Floats, precision: Floats) -> Floats:
    """(R,) mean of the falling envelope of precision at 101 recalls, from (R, N) curves."""
    if recall.shape[1] == 0:
        return np.zeros(len(recall))
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    areas = np.zeros(len(recall))
    for i in range(len(recall)):
        places = np.searchsorted(recall[i], _RECALLS, side="left")
        areas[i] = envelope[i, places[places < recall.shape[1]]].sum() / len(_RECALLS)
    return areas


def _counted(frame: FrameScore, class_index: int | None) -> tuple[ProposalScore, ...]:
    """The first 100 proposals that say something about objects of the label set (and are of the class), by score."""
    labels = {item.label for item in frame.objects}
    counted = [
        p
        for p in frame.proposals or ()
        if class_index in (None, p.predicted_class)
        and sum(pixels for label, pixels in p.shared if label in labels) >= _LEAST_ON_OBJECTS * p.px
    ]
    return tuple(sorted(counted, key=lambda p: -_score(p, class_index))[:100])


def _score(proposal: ProposalScore, class_index: int | None) -> float:
    return proposal.score if class_index is None else proposal.score * (proposal.class_score or 1.0)
