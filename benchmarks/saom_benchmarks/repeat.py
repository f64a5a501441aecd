"""Measuring a result again: the same images, protocol and settings, and what comes out otherwise."""

import math
import tempfile
from pathlib import Path
from typing import Any

from rich.progress import Progress

from saom_bench.errors import SaomBenchError
from saom_bench.shards.dataset import ShardDataset
from saom_benchmarks.evaluate import evaluate, plan
from saom_benchmarks.models import EverythingOverrides, load_models
from saom_benchmarks.protocols import protocols
from saom_benchmarks.results import Result

_POINTS = 0.05
"""Other machines round otherwise, and a mask may then fall on the other side of a threshold: metrics may differ by so
many points."""


def repeat(
    stated: Result, dataset: ShardDataset, spec: str, device: str, weights: Path | None, bar: Progress
) -> Result:
    """Measure a result's model on its images again.

    Raises SaomBenchError when the data or the model are others than the result's.
    """
    if dataset.fingerprint != stated.data.fingerprint:
        raise SaomBenchError(
            f"{dataset.folder} has the fingerprint {dataset.fingerprint[:16]}, the result was measured on "
            f"{stated.data.fingerprint[:16]}; give its data, or make it again with the same version"
        )
    settings = {name: stated.settings.get(name) for name in vars(EverythingOverrides())}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()
    }
    overrides = EverythingOverrides(**values)
    (model,), shared = load_models([spec], [stated.model.name], device, overrides, weights)
    if model.card.identity != stated.model.identity:
        raise SaomBenchError(
            f"{spec} is not the model of this result: it is {model.card.identity}, the result's is "
            f"{stated.model.identity}; give the right one with --models"
        )
    parameters = dict(stated.task.parameters)
    (protocol,) = protocols([stated.task.protocol], grid=_pair(parameters.get("grid")), prior=parameters.get("prior"))
    if protocol.version != stated.task.version:
        raise SaomBenchError(
            f"the result is of {stated.task.protocol}@{stated.task.version}; this saom-bench measures "
            f"@{protocol.version}"
        )
    plans = plan(dataset, [protocol], *stated.data.limits, stated.task.benchmark)
    with tempfile.TemporaryDirectory() as folder:
        seed = stated.bootstrap.seed
        (again,) = evaluate(dataset, [model], plans, Path(folder), bar, lambda: shared.saved_s, seed)
    return again


def differences(stated: Result, again: Result) -> list[str]:
    """One line for everything but times and versions in which two results differ."""
    found = []
    if again.status != stated.status:
        found.append(f"status: {stated.status}, now {again.status}: {[f.error for f in again.failures][:1]}")
    for name in dict.fromkeys([*stated.metrics, *again.metrics]):
        before, now = stated.metrics.get(name), again.metrics.get(name)
        if before is None or now is None or not math.isclose(before.value, now.value, abs_tol=_POINTS):
            found.append(f"{name}: {before and round(before.value, 3)}, now {now and round(now.value, 3)}")
    packages = {
        name: (version, again.packages.get(name))
        for name, version in stated.packages.items()
        if again.packages.get(name) != version
    }
    if found and packages:
        found.append(f"packages that differ: {packages}")
    return found


def _pair(value: object) -> tuple[int, int] | None:
    return (int(value[0]), int(value[1])) if isinstance(value, list | tuple) else None
