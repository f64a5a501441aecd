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

from saom_benchmarks.scores import FrameScore

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

IOU_THRESHOLDS: Floats = np.linspace(0.5, 0.95, 10)
RECALL_LIMITS = (10, 100, 1000)
"""AR@k looks at the k proposals of the highest score in each image."""
SIZES = {"all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
RANKED = {"ap": "AP", "class_ap": "class AP"}
"""Metrics that follow from the ranking of all proposals, with their titles; class AP is a mean over classes."""
_RECALLS = np.linspace(0, 1, 101)
_SIZE_NAMES = ("small", "medium", "large")
_LEAST_IOUS = np.minimum(IOU_THRESHOLDS, 1 - 1e-10)[:, None]
"""(thresholds, 1) what is enough: COCO lets a perfect match miss 1 by rounding."""
_LEAST_ON_OBJECTS = 0.5
_PER_FRAME = 100


@dataclass(frozen=True)
class Detections:
    """One frame's T objects and P proposals by falling score, as arrays."""

    iou: Floats
    """(P, T)"""
    truth_px: Floats
    """(T,)"""
    classes: NDArray[np.int64]
    """(T,) class indices."""
    score: Floats
    """(P,)"""
    claimed: NDArray[np.int64]
    """(P,) class indices, -1 where the model tells none."""
    certainty: Floats
    """(P,) class scores, 1 where the model tells none."""
    is_counted: Flags
    """(P,) False for proposals that lie mostly where no object is."""

    @classmethod
    def of(cls, frame: FrameScore) -> "Detections":
        """The arrays of a frame of everything mode."""
        proposals, objects = frame.proposals or (), frame.objects
        place = {item.label: i for i, item in enumerate(objects)}
        both = np.zeros((len(proposals), len(objects)))
        for row, proposal in enumerate(proposals):
            for label, pixels in proposal.shared:
                if label in place:
                    both[row, place[label]] = pixels
        truth_px = np.array([item.truth_px for item in objects], np.float64)
        px = np.array([proposal.px for proposal in proposals], np.float64)
        return cls(
            iou=both / np.maximum(px[:, None] + truth_px[None] - both, 1),
            truth_px=truth_px,
            classes=np.array([item.class_index for item in objects], np.int64),
            score=np.array([proposal.score for proposal in proposals], np.float64),
            claimed=np.array([-1 if p.predicted_class is None else p.predicted_class for p in proposals], np.int64),
            certainty=np.array([1.0 if p.class_score is None else p.class_score for p in proposals], np.float64),
            is_counted=both.sum(axis=1) >= _LEAST_ON_OBJECTS * px,
        )


def find(iou: Floats, is_outside: Flags) -> NDArray[np.int64]:
    """(thresholds, P) the object that each proposal finds, or -1, for (P, T) IoUs by falling score.

    Objects that are ``is_outside`` the sizes asked for are taken only where no other is in reach.
    """
    is_near = iou >= IOU_THRESHOLDS[0]
    near = np.where(is_near, iou, 0.0)
    is_apart = iou.shape[1] > 0 and bool((is_near.sum(axis=1) <= 1).all())
    return _find_apart(near) if is_apart else _find_in_turn(near, is_outside)


def _find_in_turn(iou: Floats, is_outside: Flags) -> NDArray[np.int64]:
    """The rule as it stands: proposal by proposal."""
    count, objects = iou.shape
    found = np.full((len(IOU_THRESHOLDS), count), -1, np.int64)
    free = np.ones((len(IOU_THRESHOLDS), objects), np.bool_)
    lines = np.arange(len(IOU_THRESHOLDS))
    for row in np.flatnonzero(iou.any(axis=1)):
        reach = free & (iou[row] >= _LEAST_IOUS)
        inside = reach & ~is_outside
        reach = np.where(inside.any(axis=1)[:, None], inside, reach)
        # Of equal IoUs COCO's loop ends with the last.
        best = objects - 1 - np.where(reach, iou[row], -1.0)[:, ::-1].argmax(axis=1)
        hit = reach.any(axis=1)
        found[hit, row] = best[hit]
        free[lines[hit], best[hit]] = False
    return found


def _find_apart(near: Floats) -> NDArray[np.int64]:
    """``find`` where no proposal has two objects in reach, as objects that share no pixel nearly always have it: at
    every threshold an object goes to the first proposal that reaches it. ``near``: (P, T) IoUs, 0 out of reach."""
    rows, best = np.arange(len(near)), near.argmax(axis=1)
    reached = np.maximum.accumulate(near, axis=0)
    before = np.concatenate([np.zeros((1, near.shape[1])), reached])[rows, best]
    hit = (near[rows, best] >= _LEAST_IOUS) & (before < _LEAST_IOUS)
    return np.where(hit, best, -1)


def recalled(frame: Detections) -> dict[str, NDArray[np.int64]]:
    """For each object of a frame, at how many of the ten thresholds it is found: by limit ("10", ...) and by size."""
    areas = frame.truth_px
    # What the first proposals find does not depend on those behind them.
    found = find(frame.iou[: RECALL_LIMITS[-1]], np.zeros(len(areas), np.bool_))
    counts = {str(limit): _found_counts(found[:, :limit], len(areas)) for limit in RECALL_LIMITS}
    for name in _SIZE_NAMES:
        outside = _outside(areas, name)
        if outside.all():
            counts[name] = np.zeros(len(areas), np.int64)
            continue
        hits = _found_counts(find(frame.iou[:100], outside), len(areas))
        counts[name] = np.where(outside, 0, hits)
    return counts


def _found_counts(found: NDArray[np.int64], objects: int) -> NDArray[np.int64]:
    return np.bincount(found[found >= 0], minlength=objects).astype(np.int64)


def is_of_size(frame: Detections) -> dict[str, Flags]:
    """(T,) for "small", "medium" and "large": whether each object of a frame is of that size."""
    return {name: ~_outside(frame.truth_px, name) for name in _SIZE_NAMES}


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


def ranking(frames: Iterable[Detections], rows: Sequence[int], n_scenes: int) -> Ranking:
    """Rank the proposals of all frames, the first 100 of each; ``rows``: the row of each frame's scene."""
    objects = np.zeros(n_scenes)
    hits, scores, places = [np.zeros((len(IOU_THRESHOLDS), 0), np.bool_)], [np.zeros(0)], [np.zeros(0, np.int64)]
    for frame, row in zip(frames, rows, strict=True):
        objects[row] += len(frame.classes)
        kept = np.flatnonzero(frame.is_counted)
        kept = kept[np.argsort(-frame.score[kept], kind="stable")][:_PER_FRAME]
        hits.append(find(frame.iou[kept], np.zeros(len(frame.classes), np.bool_)) >= 0)
        scores.append(frame.score[kept])
        places.append(np.full(len(kept), row, np.int64))
    return _ranked(np.concatenate(hits, axis=1), np.concatenate(scores), np.concatenate(places), objects)


def class_rankings(
    frames: Iterable[Detections], rows: Sequence[int], n_scenes: int, n_classes: int
) -> tuple[Ranking, ...]:
    """``ranking`` of each class that occurs, by class score x IoU: of its objects and the proposals that claim it."""
    objects = np.zeros((n_classes, n_scenes))
    hits, scores = [np.zeros((len(IOU_THRESHOLDS), 0), np.bool_)], [np.zeros(0)]
    places, claims = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for frame, row in zip(frames, rows, strict=True):
        np.add.at(objects[:, row], frame.classes[frame.classes < n_classes], 1)
        score = frame.score * frame.certainty
        kept = np.flatnonzero(frame.is_counted & (frame.claimed >= 0))
        kept = kept[np.argsort(-score[kept], kind="stable")]
        kept = kept[_rank_in_class(frame.claimed[kept]) < _PER_FRAME]
        claimed = frame.claimed[kept]
        # Classes do not meet: a proposal reaches the objects of its own class alone.
        iou = np.where(claimed[:, None] == frame.classes[None], frame.iou[kept], 0.0)
        hits.append(find(iou, np.zeros(len(frame.classes), np.bool_)) >= 0)
        scores.append(score[kept])
        places.append(np.full(len(kept), row, np.int64))
        claims.append(claimed)
    hit, scored, place, claim = np.concatenate(hits, axis=1), *(np.concatenate(x) for x in (scores, places, claims))
    chosen = [(claim == index, objects[index]) for index in np.flatnonzero(objects.any(axis=1))]
    return tuple(_ranked(hit[:, mine], scored[mine], place[mine], counts) for mine, counts in chosen)


def _rank_in_class(claimed: NDArray[np.int64]) -> NDArray[np.int64]:
    """(P,) how many before each claim the same class."""
    order = np.argsort(claimed, kind="stable")
    ordered = claimed[order]
    ranks = np.empty_like(claimed)
    ranks[order] = np.arange(len(claimed)) - np.searchsorted(ordered, ordered, side="left")
    return ranks


def _ranked(hits: Flags, scores: Floats, places: NDArray[np.int64], objects: Floats) -> Ranking:
    order = np.argsort(-scores, kind="stable")
    return Ranking(hits[:, order], places[order], objects)


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
    place = {scene: i for i, scene in enumerate(scenes)}
    rows = [place[frame.scene] for frame in frames]
    tables = [Detections.of(frame) for frame in frames]
    if name == "ap":
        return (ranking(tables, rows, len(scenes)),)
    if not any((table.claimed >= 0).any() for table in tables):
        return ()
    return class_rankings(tables, rows, len(scenes), n_classes)


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
