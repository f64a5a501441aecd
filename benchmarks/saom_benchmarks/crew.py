"""Processes that score images side by side: each loads the models anew and answers image by image.

What an image scores does not depend on who scored it, so a result is the same for any number of processes, and for any
number of images asked at a time; only times differ. Under torchrun the processes are torchrun's own: see ``rank``.
"""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from saom_bench.errors import SaomBenchError, unknown
from saom_bench.shards.dataset import open_dataset
from saom_benchmarks.models import EverythingOverrides, load_models
from saom_benchmarks.protocols import Protocol as Rule
from saom_benchmarks.protocols import score
from saom_benchmarks.results import Failure
from saom_benchmarks.scores import FrameScore

if TYPE_CHECKING:
    from saom_bench.shards.dataset import ShardDataset
    from saom_benchmarks.models import Model

Answer = FrameScore | Failure
Ask = tuple[int, tuple[tuple[Rule, int], ...]]
"""An image of the dataset, and what to score on it: protocols with the places of their models."""
Answers = list[list[Answer]]
"""Of each ask, of each protocol and model."""
ENGINES = ("local", "ray")
# Shares may take unlike times, and half an hour is torch's own limit; a process that dies is noticed by torchrun.
_PATIENCE = timedelta(hours=12)


@dataclass(frozen=True)
class Order:
    """What a process needs to load the models of a run, and how many processes there are."""

    folder: Path
    specs: tuple[str, ...]
    device: str
    overrides: EverythingOverrides
    weights: Path | None
    names: tuple[str, ...] | None = None
    """What to call the models; two checkpoints of one recipe have the same name of their own."""
    processes: int = 1
    batch: int = 1
    """Images asked of a process at a time."""
    engine: str = "local"

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise unknown("engine", self.engine, ENGINES)

    @property
    def is_here(self) -> bool:
        """No other process is needed."""
        return self.engine == "local" and self.processes < 2


def answer(rule: Rule, model: "Model", dataset: "ShardDataset", index: int, saved_s: "Any" = lambda: 0.0) -> Answer:
    """One model on one image. A benchmark runs strangers' models: whatever one raises is its own row's failure."""
    sample = dataset[index]
    try:
        return score(rule, model, sample, saved_s)
    except Exception as error:
        return Failure(key=sample.key, error=f"{type(error).__name__}: {error}"[:500])


class Crew:
    """Processes on this machine, or on a Ray cluster that sees the data's folder. Use it as a context manager."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._pool: _Pool = _RayPool(order) if order.engine == "ray" else _LocalPool(order)

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def answers(self, asks: Sequence[Ask]) -> Iterator[tuple[Ask, list[Answer]]]:
        """Every ask with its answers, as they come. Raises SaomBenchError when a process dies."""
        size = self._order.batch
        left = iter([tuple(asks[i : i + size]) for i in range(0, len(asks), size)])
        waiting: dict[Future[Answers], tuple[Ask, ...]] = {}
        while True:
            # Two a process are enough to keep it busy, and few enough that an interruption loses little.
            while len(waiting) < 2 * self._order.processes and (batch := next(left, None)) is not None:
                waiting[self._pool.submit(batch)] = batch
            if not waiting:
                return
            for done in wait(waiting, return_when=FIRST_COMPLETED).done:
                yield from zip(waiting.pop(done), self._result(done), strict=True)

    def _result(self, done: "Future[Answers]") -> Answers:
        try:
            return done.result()
        except self._pool.broken as error:
            raise SaomBenchError(
                "a scoring process was killed (out of memory?); what is scored is kept: run the command again, with "
                "fewer --workers"
            ) from error


def rank() -> tuple[int, int] | None:
    """(this process's number from 1, how many) under torchrun; None elsewhere."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    return (int(os.environ.get("RANK", "0")) + 1, world) if world > 1 else None


def gathered(failures: Sequence[Sequence[Failure]]) -> list[list[Failure]]:
    """Under torchrun: the failures of each row in all processes, by image; returns when all have come this far."""
    import torch.distributed as distributed

    if not distributed.is_initialized():
        distributed.init_process_group("gloo", timeout=_PATIENCE)
    every: list[list[list[Failure]]] = [[] for _ in range(distributed.get_world_size())]
    distributed.all_gather_object(every, [list(of_row) for of_row in failures])
    return [sorted((f for of_row in rows for f in of_row), key=lambda f: f.key) for rows in zip(*every, strict=True)]


class _Pool(Protocol):
    broken: type[Exception]
    """What a future raises when its process died."""

    def submit(self, asks: tuple[Ask, ...]) -> "Future[Answers]": ...

    def close(self) -> None: ...


class _LocalPool:
    broken: type[Exception] = BrokenProcessPool

    def __init__(self, order: Order) -> None:
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(order.processes, context, initializer=_start, initargs=(order,))

    def submit(self, asks: tuple[Ask, ...]) -> "Future[Answers]":
        return self._pool.submit(_answer_all, asks)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


class _RayPool:
    """One actor a process. RAY_ADDRESS names a cluster; without it Ray is started here."""

    def __init__(self, order: Order) -> None:
        try:
            import ray
        except ImportError as error:
            raise SaomBenchError("--engine ray needs Ray: pip install 'saom-bench[ray]'") from error
        self._ray: Any = ray
        self.broken: type[Exception] = ray.exceptions.RayActorError
        self._is_ours = not ray.is_initialized()
        if self._is_ours:
            self._connect(order.processes)
        gpus = {"num_gpus": 1} if _is_gpu(order.device) else {}
        self._actors: list[Any] = []
        self._next = 0
        self._require(order.processes, ["CPU", *(["GPU"] if gpus else [])])
        scorer = self._ray.remote(num_cpus=1, **gpus)(_Scorer)
        # Ray shows each worker its own GPU alone.
        theirs = replace(order, device="cuda") if gpus else order
        self._actors = [scorer.remote(theirs) for _ in range(order.processes)]

    def submit(self, asks: tuple[Ask, ...]) -> "Future[Answers]":
        actor = self._actors[self._next % len(self._actors)]
        self._next += 1
        future: Future[Answers] = actor.answer_all.remote(asks).future()
        return future

    def close(self) -> None:
        for actor in self._actors:
            self._ray.kill(actor)
        if self._is_ours:
            self._ray.shutdown()

    def _connect(self, processes: int) -> None:
        quiet = {"log_to_driver": False, "logging_level": "ERROR"}
        address = os.environ.get("RAY_ADDRESS", "")
        here: dict[str, Any] = {"address": address} if address else {"num_cpus": processes, "include_dashboard": False}
        try:
            self._ray.init(**here, **quiet)
        except (ConnectionError, ValueError, RuntimeError) as error:
            where = f"no Ray cluster answers at {address}" if address else "Ray could not be started here"
            raise SaomBenchError(f"{where}: {str(error).splitlines()[0]}") from error

    def _require(self, processes: int, kinds: Sequence[str]) -> None:
        """A worker that no machine has room for would never start, and never be missed."""
        there = self._ray.cluster_resources()
        for kind in kinds:
            if there.get(kind, 0) < processes:
                self.close()
                raise SaomBenchError(
                    f"--workers {processes} needs as many {kind}s, and Ray has {there.get(kind, 0):g}; give fewer "
                    "workers, or a larger cluster as RAY_ADDRESS"
                )


def _is_gpu(device: str) -> bool:
    import torch

    return device.startswith("cuda") or (device == "auto" and torch.cuda.is_available())


class _Scorer:
    """A Ray actor."""

    def __init__(self, order: Order) -> None:
        _start(order)

    def answer_all(self, asks: tuple[Ask, ...]) -> Answers:
        return _answer_all(asks)


_loaded: dict[str, Any] = {}


def _start(order: Order) -> None:
    import torch

    torch.set_num_threads(max(1, (os.cpu_count() or 1) // order.processes))
    models, shared = load_models(order.specs, order.names, order.device, order.overrides, order.weights)
    _loaded.update(dataset=open_dataset(order.folder), models=models, saved_s=lambda: shared.saved_s)


def _answer_all(asks: tuple[Ask, ...]) -> Answers:
    dataset, models, saved_s = _loaded["dataset"], _loaded["models"], _loaded["saved_s"]
    return [[answer(rule, models[place], dataset, index, saved_s) for rule, place in wanted] for index, wanted in asks]
