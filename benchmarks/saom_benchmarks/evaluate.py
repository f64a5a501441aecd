"""Every model on every task over a dataset: image by image, so that models share embeddings and any run can resume."""

import hashlib
import json
import resource
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median
from typing import Any

from rich.progress import Progress

from saom_bench.classes import LabelSet
from saom_bench.errors import SaomBenchError
from saom_bench.files import sha256_file
from saom_bench.provenance import command_line, git_state, machine, now, package_versions
from saom_bench.shards.dataset import ShardDataset
from saom_benchmarks.bootstrap import LEVEL, RESAMPLES, Interval, differences, intervals, ranked_intervals
from saom_benchmarks.crew import Answer, Crew, Order, answer, gathered, rank
from saom_benchmarks.metrics import COLUMNS, SceneSums, sum_by_scene
from saom_benchmarks.models import Model
from saom_benchmarks.protocols import Protocol
from saom_benchmarks.records import RecordFile
from saom_benchmarks.results import (
    Bootstrap,
    DataInfo,
    Failure,
    Paired,
    Result,
    SceneTally,
    Speed,
    TaskInfo,
    class_rows,
    result_stem,
    write_result,
)
from saom_benchmarks.scores import FrameScore

MAX_FAILURES = 3
"""A row that failed on so many images is given up; other rows go on."""


@dataclass(frozen=True)
class Plan:
    """A task, and the images of the dataset that it covers."""

    protocol: Protocol
    indices: tuple[int, ...]
    limits: tuple[int | None, int | None] = (None, None)
    benchmark: str = ""
    """The task of tasks.py that it belongs to."""


@dataclass
class Row:
    """One model on one task while it is measured."""

    model: Model
    plan: Plan
    task: TaskInfo
    data: DataInfo
    settings: dict[str, Any]
    record: RecordFile
    failures: list[Failure] = field(default_factory=list)

    def take(self, given: Answer) -> None:
        """Record an answer."""
        if isinstance(given, Failure):
            self.failures.append(given)
        else:
            self.record.add(given)

    @property
    def given_up(self) -> bool:
        """Too many images failed."""
        return len(self.failures) >= MAX_FAILURES

    def wants(self, index: int, key: str) -> bool:
        """Whether this image is still to be scored."""
        return index in self.plan.indices and key not in self.record.frames and not self.given_up


def spread(count: int, limit: int | None) -> tuple[int, ...]:
    """At most ``limit`` of ``count`` indices, evenly spread, so that a limited run still sees every scene it can."""
    if limit is None or limit >= count:
        return tuple(range(count))
    if limit < 1:
        raise SaomBenchError(f"a limit of {limit} images leaves nothing to score; give 1 or more")
    return tuple(i * count // limit for i in range(limit))


def plan(
    dataset: ShardDataset,
    tasks: Sequence[Protocol],
    limit: int | None,
    everything_limit: int | None,
    benchmark: str = "",
) -> list[Plan]:
    """Which images each task covers; those of a limited everything mode are among the others', to share embeddings."""
    chosen = spread(len(dataset), limit)
    fewer = tuple(chosen[i] for i in spread(len(chosen), everything_limit))
    limits = limit, everything_limit
    return [Plan(task, fewer if task.points is None else chosen, limits, benchmark) for task in tasks]


def check_classes(models: Sequence[Model], label_set: LabelSet, folder: Path) -> None:
    """Raise SaomBenchError for a checkpoint whose classes are not those of the data."""
    for model in models:
        theirs = model.card.label_set
        if theirs is not None and theirs != label_set.name:
            raise SaomBenchError(
                f"{model.card.spec} was trained on label set {theirs}, {folder} has {label_set.name}; "
                f"collect data with --label-set {theirs}, or train on {label_set.name}"
            )


def check_shards(dataset: ShardDataset) -> None:
    """Raise SaomBenchError for a shard that is not what its manifest, and so the fingerprint, says."""
    for record in dataset.shards:
        path = dataset.folder / record.file
        if sha256_file(path) != record.sha256:
            raise SaomBenchError(
                f"shard {path} was changed or damaged: it does not have the hash that the manifest gives it; collect "
                f"it again, and see saom-bench shards verify {dataset.folder}"
            )


def evaluate(
    dataset: ShardDataset,
    models: Sequence[Model],
    plans: Sequence[Plan],
    out: Path,
    bar: Progress,
    shared_seconds: Callable[[], float] = lambda: 0.0,
    seed: int = 0,
    fresh: bool = False,
    order: Order | None = None,
    is_timed: bool = True,
) -> list[Result]:
    """Score all models on all tasks and write one result a row.

    A model that raises on an image makes its row a failed one, with the image's name; the others go on. Interrupted
    rows resume at the next image unless ``fresh``.

    Args:
        plans: from ``plan``.
        out: folder for the results and, under frames/, the per-image records.
        shared_seconds: running total of the encoding time saved by sharing; see ``protocols.score``.
        order: has that many processes score side by side; without one it is done here.
        is_timed: results say how long predictions took.

    Under torchrun each process scores its share of the images, and the first one returns the results; the others
    return none.

    Raises SaomBenchError for unreadable data, or none with objects.
    """
    check_classes(models, dataset.label_set, dataset.folder)
    check_shards(dataset)
    part = rank()
    rows = [_row(dataset, model, each, out, part) for each in plans for model in models]
    for row in rows:
        row.record.open(fresh)
    done = sum(len(row.record.frames) for row in rows)
    if done and part is None:
        bar.console.print(f"going on with an interrupted run: {done} predictions are already scored")
    keys = dataset.keys
    indices = sorted({i for each in plans for i in each.indices})
    if part is not None:
        # Shared out before looking at what is done, which every process may see otherwise.
        indices = indices[part[0] - 1 :: part[1]]
    todo = [i for i in indices if any(row.wants(i, keys[i]) for row in rows)]
    _score(dataset, todo, rows, models, shared_seconds, order, bar)
    if part is not None:
        failures = gathered([row.failures for row in rows])
        if part[0] > 1:
            return []
        rows = [_row(dataset, model, each, out, None) for each in plans for model in models]
        for row, failed in zip(rows, failures, strict=True):
            row.record.open(fresh=False)
            row.failures = failed[:MAX_FAILURES]
            _refuse_gaps(row, keys)
    results = with_differences([_result(row, seed, is_timed) for row in rows])
    for row, result in zip(rows, results, strict=True):
        write_result(out, result)
        if result.status == "complete":
            row.record.finish()
    return results


def _row(dataset: ShardDataset, model: Model, each: Plan, out: Path, part: tuple[int, int] | None) -> Row:
    protocol = each.protocol
    task = TaskInfo(
        protocol=protocol.name,
        version=protocol.version,
        parameters={k: list(v) if isinstance(v, tuple) else v for k, v in protocol.parameters.items()},
        description=protocol.description,
        benchmark=each.benchmark,
    )
    keys = [dataset.keys[i] for i in each.indices]
    data = DataInfo(
        fingerprint=dataset.fingerprint,
        label_set=dataset.label_set.name,
        classes=list(dataset.label_set.classes),
        split=dataset.split,
        scenes=sorted({dataset.scene_of(i) for i in each.indices}),
        images=len(keys),
        frames_sha256=hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest(),
        simulator=dataset.simulator,
        limits=each.limits,
    )
    settings = dict(model.settings["common"])
    if protocol.points is None:
        settings |= model.settings["everything"]
    stem = result_stem(task, data, model.card, settings)
    identity = json.dumps([stem, task.model_dump(), settings, package_versions()], sort_keys=True)
    return Row(model, each, task, data, settings, RecordFile(out, stem, identity, part))


def _score(
    dataset: ShardDataset,
    todo: Sequence[int],
    rows: Sequence[Row],
    models: Sequence[Model],
    shared_seconds: Callable[[], float],
    order: Order | None,
    bar: Progress,
) -> None:
    """Ask for what the rows lack, and record the answers as they come."""
    task = bar.add_task("eval", total=len(todo), unit="images", note="")
    keys, places = dataset.keys, {id(model): place for place, model in enumerate(models)}
    if order is None or order.is_here:
        for index in todo:
            for row in rows:
                if row.wants(index, keys[index]):
                    bar.update(task, note=f"{row.task.protocol}: {row.model.card.name}")
                    row.take(answer(row.plan.protocol, row.model, dataset, index, shared_seconds))
            bar.advance(task)
        return
    wanting = {index: [row for row in rows if row.wants(index, keys[index])] for index in todo}
    asks = [(index, tuple((row.plan.protocol, places[id(row.model)]) for row in of)) for index, of in wanting.items()]
    with Crew(order) as crew:
        for (index, _), answers in crew.answers(asks):
            for row, given in zip(wanting[index], answers, strict=True):
                row.take(given)
            bar.advance(task)


def _refuse_gaps(row: Row, keys: Sequence[str]) -> None:
    """A row without failures has all its images."""
    missing = [keys[i] for i in row.plan.indices if keys[i] not in row.record.frames]
    if missing and not row.failures:
        row.failures.append(Failure(key=missing[0], error=f"{len(missing)} images were not scored by their process"))


def _result(row: Row, seed: int, is_timed: bool) -> Result:
    frames = sorted(row.record.frames.values(), key=lambda frame: frame.key)
    classes = row.data.classes
    sums = sum_by_scene(frames, len(classes))
    complete = not row.failures
    table, absent = class_rows(sums, classes) if frames else ([], list(classes))
    if complete and not table:
        raise SaomBenchError(
            f"none of the {row.data.images} images has an object of {row.data.label_set}; there is nothing to score"
        )
    return Result(
        status="complete" if complete else "failed",
        task=row.task,
        data=row.data,
        model=row.model.card,
        settings=row.settings,
        failures=row.failures,
        metrics=_metrics(row, frames, sums, seed) if complete else {},
        per_image=_per_image(frames) if complete else {},
        classes=table,
        absent=absent,
        bootstrap=Bootstrap(seed=seed, resamples=RESAMPLES, level=LEVEL),
        tally_columns=list(COLUMNS),
        tallies=_tallies(frames, sums, classes),
        speed=_speed(frames) if is_timed else None,
        packages=package_versions(),
        git=git_state(),
        created=now(),
        command=command_line(),
    )


def with_differences(results: Sequence[Result]) -> list[Result]:
    """The results, each with its paired differences to the others that it compares with."""
    complete = [result for result in results if result.status == "complete"]

    def paired(one: Result) -> list[Paired]:
        others = [r for r in complete if r is not one and r.comparable == one.comparable]
        names = list(one.metrics)
        return [
            Paired(model=other.model.name, metrics=differences(one.sums(), other.sums(), names, one.bootstrap.seed))
            for other in (others if one.status == "complete" else ())
        ]

    return [result.model_copy(update={"differences": paired(result)}) for result in results]


def _metrics(row: Row, frames: Sequence[FrameScore], sums: SceneSums, seed: int) -> dict[str, Interval]:
    protocol = row.plan.protocol
    ranked = ranked_intervals(frames, sums.scenes, len(row.data.classes), protocol.ranked, seed)
    return intervals(sums, list(protocol.metrics), seed) | ranked


def _tallies(frames: Sequence[FrameScore], sums: SceneSums, classes: Sequence[str]) -> dict[str, SceneTally]:
    tallies = {}
    for i, scene in enumerate(sums.scenes):
        mine = [frame for frame in frames if frame.scene == scene]
        counts = [len(frame.proposals) for frame in mine if frame.proposals is not None]
        present = {name: sums.values[i, c].tolist() for c, name in enumerate(classes) if sums.values[i, c].any()}
        tallies[scene] = SceneTally(images=len(mine), proposals=sum(counts) if counts else None, classes=present)
    return tallies


def _per_image(frames: Sequence[FrameScore]) -> dict[str, float]:
    values = {"objects": fmean(len(frame.objects) for frame in frames)}
    counts = [len(frame.proposals) for frame in frames if frame.proposals is not None]
    return values | ({"proposals": fmean(counts)} if counts else {})


def _speed(frames: Sequence[FrameScore]) -> Speed | None:
    seconds = [frame.seconds for frame in frames]
    if not seconds:
        return None
    return Speed(
        mean_s=round(fmean(seconds), 4),
        median_s=round(median(seconds), 4),
        machine=machine(),
        peak_memory_mb=_peak_memory_mb(),
        peak_gpu_memory_mb=_peak_gpu_memory_mb(),
    )


def _peak_memory_mb() -> float:
    # Of ended children the system keeps the largest one's: that of the processes of --workers.
    peaks = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(max(peaks) / 1024, 1)


def _peak_gpu_memory_mb() -> float | None:
    import torch

    return round(torch.cuda.max_memory_allocated() / 2**20, 1) if torch.cuda.is_available() else None
