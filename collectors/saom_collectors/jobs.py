"""A pool of worker processes, each in its own process group: one task at a time, and none outlives its parent.

A worker that fails at a task, or dies of it, costs that task only.
"""

import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Generic, Protocol, TypeVar

from saom_bench.errors import SaomBenchError

Task = TypeVar("Task")
Result = TypeVar("Result")
TaskIn = TypeVar("TaskIn", contravariant=True)
ResultOut = TypeVar("ResultOut", covariant=True)
Report = Callable[[int], None]
_GRACE_S = 10.0


class Worker(Protocol[TaskIn, ResultOut]):
    """What runs in a worker process; it is pickled on its way there."""

    def run(self, task: TaskIn, report: Report) -> ResultOut:
        """Do a task; ``report(n)`` tells the parent of n more units done."""
        ...

    def close(self) -> None:
        """Let go of what was kept between tasks."""
        ...


@dataclass(frozen=True)
class Advanced(Generic[Task]):
    """A task has done ``units`` more."""

    task: Task
    units: int


@dataclass(frozen=True)
class Done(Generic[Task, Result]):
    """A task is finished."""

    task: Task
    result: Result


@dataclass(frozen=True)
class Failed(Generic[Task]):
    """A task failed; ``error`` is one line."""

    task: Task
    error: str


Event = Advanced[Task] | Done[Task, Result] | Failed[Task]


def run_jobs(
    worker: Worker[Task, Result], tasks: Sequence[Task], processes: int
) -> Generator[Advanced[Task] | Done[Task, Result] | Failed[Task]]:
    """Spread the tasks over processes and yield what happens. Closing the iterator ends every process at once."""
    waiting = deque(tasks)
    crew: dict[Connection, _Member[Task]] = {}
    try:
        while waiting or crew:
            while waiting and len(crew) < processes:
                member = _Member[Task].start(worker)
                crew[member.pipe] = member
                member.give(waiting.popleft())
            for ready in wait(list(crew)):
                member = crew[ready]  # type: ignore[index]
                event: Event[Task, Result]
                event, is_over = member.receive()
                yield event
                if not is_over:
                    continue
                if waiting and member.process.is_alive():
                    member.give(waiting.popleft())
                else:
                    del crew[member.pipe]
                    member.dismiss()
    finally:
        for member in crew.values():
            member.process.terminate()
        for member in crew.values():
            member.kill()


@dataclass
class _Member(Generic[Task]):
    """The parent's side of one worker process."""

    process: BaseProcess
    pipe: Connection
    task: Task | None = None

    @classmethod
    def start(cls, worker: Worker[Task, Result]) -> "_Member[Task]":
        # Spawned, not forked: HDF5 handles and threads do not survive a fork.
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(worker, theirs))
        process.start()
        theirs.close()
        return cls(process, ours)

    def give(self, task: Task) -> None:
        self.task = task
        with suppress(OSError):  # A dead worker is noticed when it is heard.
            self.pipe.send(task)

    def receive(self) -> tuple[Event[Task, Result], bool]:
        """What the worker says, and whether it is through with its task."""
        assert self.task is not None
        try:
            kind, value = self.pipe.recv()
        except (EOFError, OSError):
            self.kill()
            return Failed(self.task, f"its worker process ended with {_ending(self.process.exitcode)}"), True
        if kind == "advanced":
            return Advanced(self.task, value), False
        if kind == "failed":
            return Failed(self.task, value), True
        return Done(self.task, value), True

    def dismiss(self) -> None:
        """Tell the worker that there is no more to do, and wait for it."""
        with suppress(OSError):
            self.pipe.send(None)
        self.kill()

    def kill(self) -> None:
        """End the worker and what it started; a worker that was told to end has a while to clear up."""
        self.process.join(_GRACE_S)
        # Its group outlives it; there is none yet when it dies very young.
        with suppress(ProcessLookupError):
            if self.process.pid is not None:
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.join(10)
        self.pipe.close()


def _serve(worker: Worker[Task, Result], pipe: Connection) -> None:
    """A worker process: tasks in, events out, until None or the parent's end."""
    os.setpgrp()
    # Raised in the main thread, so that open shards and players are let go of in the usual way.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        while (task := pipe.recv()) is not None:
            pipe.send(_attempt(worker, task, pipe))
    except EOFError:
        return
    finally:
        worker.close()


def _attempt(worker: Worker[Task, Result], task: Task, pipe: Connection) -> tuple[str, object]:
    try:
        return "done", worker.run(task, lambda units: pipe.send(("advanced", units)))
    except SaomBenchError as error:
        return "failed", " ".join(str(error).split())
    except Exception as error:
        # A defect of ours: the manifest gets one line, the terminal all of it.
        traceback.print_exc()
        return "failed", f"{type(error).__name__}: {' '.join(str(error).split())}"


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_GRACE_S)
        os.killpg(0, signal.SIGKILL)


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {-code}" + (" (out of memory?)" if code == -signal.SIGKILL else "")
    return f"exit code {code}"
