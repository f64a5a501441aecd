"""Processes that score images side by side: each loads the models anew and answers image by image.

What an image scores does not depend on who scored it, so a result is the same for any number of processes; only times
differ. Under torchrun the processes are torchrun's own: see ``rank``.
"""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saom_bench.errors import SaomBenchError
from saom_bench.shards.dataset import open_dataset
from saom_benchmarks.models import EverythingOverrides, load_models
from saom_benchmarks.protocols import Protocol, score
from saom_benchmarks.results import Failure
from saom_benchmarks.scores import FrameScore

if TYPE_CHECKING:
    from saom_bench.shards.dataset import ShardDataset
    from saom_benchmarks.models import Model

Answer = FrameScore | Failure
Ask = tuple[int, tuple[tuple[Protocol, int], ...]]
"""An image of the dataset, and what to score on it: protocols with the places of their models."""


@dataclass(frozen=True)
class Order:
    """What a process needs to load the models of a run."""

    folder: Path
    specs: tuple[str, ...]
    device: str
    overrides: EverythingOverrides
    weights: Path | None
    processes: int = 1


def answer(
    protocol: Protocol, model: "Model", dataset: "ShardDataset", index: int, saved_s: "Any" = lambda: 0.0
) -> Answer:
    """One model on one image. A benchmark runs strangers' models: whatever one raises is its own row's failure."""
    sample = dataset[index]
    try:
        return score(protocol, model, sample, saved_s)
    except Exception as error:
        return Failure(key=sample.key, error=f"{type(error).__name__}: {error}"[:500])


class Crew:
    """A pool of processes. Use it as a context manager."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._pool = ProcessPoolExecutor(
            order.processes, multiprocessing.get_context("spawn"), initializer=_start, initargs=(order,)
        )

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def answers(self, asks: Sequence[Ask]) -> Iterator[tuple[Ask, list[Answer]]]:
        """Every ask with its answers, as they come. Raises SaomBenchError when a process dies."""
        waiting: dict[Future[list[Answer]], Ask] = {}
        left = iter(asks)
        while True:
            # Two a process are enough to keep it busy, and few enough that an interruption loses little.
            while len(waiting) < 2 * self._order.processes and (ask := next(left, None)) is not None:
                waiting[self._pool.submit(_answer, ask)] = ask
            if not waiting:
                return
            for done in wait(waiting, return_when=FIRST_COMPLETED).done:
                ask = waiting.pop(done)
                try:
                    yield ask, done.result()
                except BrokenProcessPool as error:
                    raise SaomBenchError(
                        "a scoring process was killed (out of memory?); what is scored is kept: run the command again, "
                        "with fewer --workers"
                    ) from error


def rank() -> tuple[int, int] | None:
    """(this process's number from 1, how many) under torchrun; None elsewhere."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    return (int(os.environ.get("RANK", "0")) + 1, world) if world > 1 else None


def wait_for_all() -> None:
    """Under torchrun: until every process has come this far."""
    import torch.distributed as distributed

    if not distributed.is_initialized():
        distributed.init_process_group("gloo")
    distributed.barrier()


_loaded: dict[str, Any] = {}


def _start(order: Order) -> None:
    import torch

    torch.set_num_threads(max(1, (os.cpu_count() or 1) // order.processes))
    models, shared = load_models(order.specs, None, order.device, order.overrides, order.weights)
    _loaded.update(dataset=open_dataset(order.folder), models=models, saved_s=lambda: shared.saved_s)


def _answer(ask: Ask) -> list[Answer]:
    index, wanted = ask
    dataset, models, saved_s = _loaded["dataset"], _loaded["models"], _loaded["saved_s"]
    return [answer(protocol, models[place], dataset, index, saved_s) for protocol, place in wanted]
