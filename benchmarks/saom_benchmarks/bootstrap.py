"""95 % intervals by resampling scenes: frames of one scene look alike, so scenes are the independent units.

A resample draws as many scenes as there are, with replacement, adds their sums up, and computes the metric anew: the
mean over classes runs over the classes that occur in that resample. The draws depend on the seed and on the number of
scenes only, so two models on the same scenes meet the same draws: that makes their difference paired. One scene tells
nothing about others: its interval is absent, not zero wide.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from saom_benchmarks.detections import ranked_metric, rankings_of
from saom_benchmarks.metrics import METRICS, Floats, SceneSums, Sums
from saom_benchmarks.scores import FrameScore

RESAMPLES = 2000
LEVEL = 0.95
RANKED_RESAMPLES = 200


class Interval(BaseModel):
    """A value in percent and its 95 % interval; the ends are None when one scene is all there is."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    value: float
    low: float | None = None
    high: float | None = None


def draws(n_scenes: int, seed: int, resamples: int = RESAMPLES) -> NDArray[np.int64]:
    """(resamples, n_scenes): how often each scene is drawn; every row adds up to n_scenes."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, n_scenes])))
    return rng.multinomial(n_scenes, np.full(n_scenes, 1 / n_scenes), size=resamples)


def intervals(sums: SceneSums, names: list[str], seed: int, resamples: int = RESAMPLES) -> dict[str, Interval]:
    """Value and interval of each named metric that applies to these sums."""
    total, spread = sums.total(), _resampled(sums, seed, resamples)
    found = {}
    for name in names:
        value = float(METRICS[name].of(total))
        if not np.isnan(value):
            found[name] = _interval(value, None if spread is None else METRICS[name].of(spread))
    return found


def ranked_intervals(
    frames: Sequence[FrameScore], scenes: Sequence[str], n_classes: int, names: Sequence[str], seed: int
) -> dict[str, Interval]:
    """Value and interval of metrics that follow from the ranking of all proposals; with fewer resamples, for time."""
    found = {}
    for name in names:
        rankings = rankings_of(name, frames, scenes, n_classes)
        value = float(ranked_metric(name, rankings)[0]) if rankings else float("nan")
        if np.isnan(value):
            continue
        spread = None
        if len(scenes) > 1:
            weights = draws(len(scenes), seed, RANKED_RESAMPLES).astype(np.float64)
            spread = ranked_metric(name, rankings, weights)
        found[name] = _interval(value, spread)
    return found


def differences(
    row: SceneSums, baseline: SceneSums, names: Sequence[str], seed: int, resamples: int = RESAMPLES
) -> dict[str, Interval]:
    """Each named metric of ``row`` minus that of ``baseline``, in points, with the paired interval.

    Metrics that do not follow from sums, or apply to only one of the two, are left out.

    Raises:
        ValueError: the two were not measured on the same scenes.
    """
    if row.scenes != baseline.scenes:
        raise ValueError("a paired difference needs two results on the same scenes")
    mine, theirs = _resampled(row, seed, resamples), _resampled(baseline, seed, resamples)
    found = {}
    for name in names:
        metric = METRICS[name].of if name in METRICS else None
        value = float("nan") if metric is None else float(metric(row.total()) - metric(baseline.total()))
        if metric is not None and not np.isnan(value):
            found[name] = _interval(value, None if mine is None or theirs is None else metric(mine) - metric(theirs))
    return found


def difference(row: SceneSums, baseline: SceneSums, name: str, seed: int, resamples: int = RESAMPLES) -> Interval:
    """``differences`` of one metric that applies to both."""
    return differences(row, baseline, [name], seed, resamples)[name]


def _resampled(sums: SceneSums, seed: int, resamples: int) -> Sums | None:
    n_scenes, n_classes, n_columns = sums.values.shape
    if n_scenes < 2:
        return None
    weights = draws(n_scenes, seed, resamples).astype(np.float64)
    flat = weights @ sums.values.reshape(n_scenes, -1)
    return Sums(flat.reshape(resamples, n_classes, n_columns))


def _interval(value: float, spread: Floats | None) -> Interval:
    if spread is None:
        return Interval(value=value)
    usable = spread[~np.isnan(spread)]  # a resample may hold no object at all
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(usable, [tail, 100 - tail])
    return Interval(value=value, low=float(low), high=float(high))
