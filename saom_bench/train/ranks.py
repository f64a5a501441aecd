"""The processes of a run: one alone, or those that torchrun started, and what they tell each other.

A step's images are dealt out to the processes, and the gradients of all are added up before the optimizer moves, so a
run on any number of processes takes the same steps as a run on one, and may be resumed on another number. torch's
DistributedDataParallel is not used: it averages over processes as if all had as many prompts, and it wants one forward
per backward, where a step here has several. Tensors go over NCCL between GPUs, everything else over gloo.
"""

import os
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, distributed
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from saom_bench.errors import SaomBenchError

T = TypeVar("T")
# Processes fill the cache at unlike speeds and wait for each other; one that dies is noticed by torchrun, not by this.
_PATIENCE = timedelta(hours=12)
_POLL_S = 0.05


@dataclass(frozen=True)
class Ranks:
    """This process among those of the run; the default is a run of one."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0
    """Number on its machine: which GPU it takes."""

    @property
    def first(self) -> bool:
        """Whether this is the process that writes the run's folder and talks to the user."""
        return self.rank == 0

    def share(self, items: Sequence[T]) -> list[T]:
        """This process's part of what all hold: every ``count``-th item from its own number on."""
        return list(items[self.rank :: self.count])

    def merge(self, mine: Sequence[T]) -> list[T]:
        """What all processes made of their shares, in the order of the whole."""
        parts = self.gather(list(mine))
        return [parts[i % self.count][i // self.count] for i in range(sum(map(len, parts)))]

    def gather(self, value: T) -> list[T]:
        """Everyone's value, by rank, on every process."""
        if self.count == 1:
            return [value]
        values: list[Any] = [None] * self.count
        distributed.all_gather_object(values, value)
        return cast(list[T], values)

    def agree(self, value: T) -> T:
        """The first process's value, on every process."""
        if self.count == 1:
            return value
        values: list[Any] = [value]
        distributed.broadcast_object_list(values)
        return cast(T, values[0])

    def add_up(self, values: Tensor) -> Tensor:
        """The sum of a tensor over the processes, in place."""
        if self.count > 1:
            distributed.all_reduce(values)
        return values

    def add_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Add up gradients over the processes; one that had no image of the step brings zeros."""
        if self.count == 1:
            return
        wanted = list(parameters)
        for parameter in wanted:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients = [cast(Tensor, parameter.grad) for parameter in wanted]
        # One message: a decoder's gradients are 16 MB, and a message each would cost more in waiting.
        flat = self.add_up(torch.cat([gradient.flatten() for gradient in gradients]))
        totals = torch.split(flat, [gradient.numel() for gradient in gradients])
        for gradient, total in zip(gradients, totals, strict=True):
            gradient.copy_(total.view_as(gradient))

    def device(self, wanted: str) -> str:
        """The device of this process: with several on a machine each takes the GPU of its own number."""
        if self.count == 1 or wanted not in {"auto", "cuda"} or not torch.cuda.is_available():
            return wanted
        if self.local_rank >= torch.cuda.device_count():
            raise SaomBenchError(
                f"torchrun started process {self.local_rank} on a machine with {torch.cuda.device_count()} GPUs; "
                f"use --nproc-per-node {torch.cuda.device_count()}, or --device cpu"
            )
        return f"cuda:{self.local_rank}"


ALONE = Ranks()


@contextmanager
def joined() -> Iterator[Ranks]:
    """The processes that torchrun started, connected while the block runs; or this one alone."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield ALONE
        return
    ranks = Ranks(int(os.environ["RANK"]), count, int(os.environ.get("LOCAL_RANK", "0")))
    if torch.cuda.is_available() and ranks.local_rank < torch.cuda.device_count():
        torch.cuda.set_device(ranks.local_rank)
    store, _, _ = next(rendezvous("env://", timeout=_PATIENCE))
    distributed.init_process_group(
        "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo",
        store=_unused_part(store, ranks),
        rank=ranks.rank,
        world_size=count,
        timeout=_PATIENCE,
    )
    try:
        yield ranks
    finally:
        distributed.destroy_process_group()


def _unused_part(store: Store, ranks: Ranks) -> Store:
    """A part of torchrun's store that only the processes of this start write to.

    The store outlives a restart, and torch 2.13 connects the new processes to addresses that dead ones left in it.
    Restarts cannot be told apart by counting, because machines count them by themselves; so every process makes up a
    name for itself, and the first one answers each name with the part to use.
    """
    own = uuid.uuid4().hex
    if not ranks.first:
        store.set(f"saom/name/{ranks.rank}", own)
        part = store.get(f"saom/part/{own}").decode()
        store.add(f"saom/joined/{part}", 1)
        return PrefixStore(part, store)
    answered: dict[str, str] = {}
    while store.add(f"saom/joined/{own}", 0) < ranks.count - 1:
        for key in (f"saom/name/{rank}" for rank in range(1, ranks.count)):
            name = store.get(key).decode() if store.check([key]) else ""
            # A name may be a dead process's, until the new one has given its own.
            if name and answered.get(key) != name:
                store.set(f"saom/part/{name}", own)
                answered[key] = name
        time.sleep(_POLL_S)
    return PrefixStore(own, store)
