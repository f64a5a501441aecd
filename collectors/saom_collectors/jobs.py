"""A supervised pool of worker processes: one task at a time each, retried elsewhere when it fails, none outlives us.

A worker that fails, dies, or says nothing for longer than it promised costs one attempt at one task. Workers run in
process groups of their own (worker.py), so that what they started ends with them.
"""

import time
from collections import Counter, deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, Protocol, TypeVar

from saom_collectors.stopping import Stop
from saom_collectors.worker import Member, Said, Worker

Task = TypeVar("Task")
Result = TypeVar("Result")
_POLL_S = 2.0


@dataclass(frozen=True)
class JobRules:
    """How much a task and a worker may cost."""

    attempts: int = 3
    """Of one task, each in a worker without a past; then it has failed."""
    recycle_after: int = 25
    """Tasks of one worker process: what leaks goes with it."""
    silence_s: float = 600.0
    """A worker that says nothing for so long hangs, unless it asked for another limit."""


@dataclass(frozen=True)
class Advanced(Generic[Task]):
    """A task has done ``units`` more; 0 is a mere sign of life."""

    task: Task
    units: int


@dataclass(frozen=True)
class Done(Generic[Task, Result]):
    """A task is finished."""

    task: Task
    result: Result


@dataclass(frozen=True)
class Failed(Generic[Task]):
    """An attempt failed. ``error`` is one line, ``details`` a log; ``is_last``: the task is given up."""

    task: Task
    error: str
    details: str = ""
    attempt: int = 1
    is_last: bool = True


@dataclass(frozen=True)
class Paused:
    """No task is begun until the reason is gone; "" says that there is none. Said again while it lasts."""

    reason: str


Event = Advanced[Task] | Done[Task, Result] | Failed[Task] | Paused


class Gate(Protocol):
    """Whether another task may begin."""

    def __call__(self) -> str:
        """Why not, or ""."""
        ...


class Engine(Protocol):
    """Runs tasks somewhere; see run_jobs for what the arguments and events mean."""

    def __call__(
        self,
        worker: Worker[str, Any],
        tasks: Sequence[str],
        processes: int,
        rules: JobRules,
        stop: Stop | None,
        gate: Gate,
    ) -> Generator[Event[str, Any]]:
        """Yield what happens until all tasks are done or failed."""
        ...


def run_jobs(
    worker: Worker[Task, Result],
    tasks: Sequence[Task],
    processes: int,
    rules: JobRules = JobRules(),
    stop: Stop | None = None,
    gate: Gate = lambda: "",
) -> Generator[Advanced[Task] | Done[Task, Result] | Failed[Task] | Paused]:
    """Spread the tasks over processes and yield what happens, until all are done or failed, or ``stop`` is requested.

    After a stop, what workers finish while they end is still yielded. Closing the iterator ends every process at once.
    ``gate`` is asked before a task begins; a task that failed while it is shut has not used up an attempt.
    """
    pool = _Pool(worker, tasks, processes, rules, gate)
    try:
        while pool.is_busy and not (stop and stop.is_requested):
            yield from pool.begin()
            yield from pool.hear(stop)
        if stop and stop.is_requested:
            yield from pool.wind_up(stop)
    finally:
        pool.kill(0.0 if stop and stop.is_urgent else Member.GRACE_S)


class _Pool(Generic[Task, Result]):
    """The parent's view: tasks that wait, and members at work."""

    def __init__(
        self, worker: Worker[Task, Result], tasks: Sequence[Task], processes: int, rules: JobRules, gate: Gate
    ) -> None:
        self._worker, self._processes, self._rules, self._gate = worker, processes, rules, gate
        self._waiting = deque(tasks)
        self._attempts: Counter[Task] = Counter()
        self._crew: dict[Connection, Member[Task, Result]] = {}
        self._pause = ""

    @property
    def is_busy(self) -> bool:
        return bool(self._waiting or any(m.task is not None for m in self._crew.values()))

    def begin(self) -> Generator[Paused]:
        """Give waiting tasks to idle and new members, as far as the gate allows."""
        while self._waiting and self._has_hands():
            reason = self._gate()
            if reason or self._pause:
                self._pause = reason
                yield Paused(reason)
            if reason:
                return
            self._idle().give(self._waiting.popleft(), self._rules.silence_s)

    def hear(self, stop: Stop | None) -> Generator[Event[Task, Result]]:
        """Wait for some member to speak, to fall silent for too long, or for a stop."""
        listening: list[Connection | int] = [*self._crew, *([stop.fileno()] if stop else [])]
        for ready in wait(listening, self._patience_s()):
            if isinstance(ready, Connection):
                yield from self._receive(self._crew[ready])
            elif stop:
                stop.heard()
        now = time.monotonic()
        for member in [m for m in self._crew.values() if m.task is not None and m.deadline < now]:
            task, error = member.task, f"it hung: {member.overdue()}"
            assert task is not None
            yield self._lost(member, task, error)

    def wind_up(self, stop: Stop) -> Generator[Event[Task, Result]]:
        """Have all members end; yield what they still finish. A second stop ends them at once."""
        for member in self._crew.values():
            member.terminate()
        end = time.monotonic() + Member.GRACE_S
        while self._crew and not stop.is_urgent and time.monotonic() < end:
            for ready in wait(list(self._crew), 0.1):
                member = self._crew[ready]  # type: ignore[index]
                yield from (event for event in self._receive(member) if not isinstance(event, Failed))

    def kill(self, grace_s: float) -> None:
        """End every process; those that listen have a while to clear up."""
        for member in self._crew.values():
            member.terminate()
        for member in self._crew.values():
            member.kill(grace_s)
        self._crew.clear()

    def _has_hands(self) -> bool:
        return len(self._crew) < self._processes or any(m.task is None for m in self._crew.values())

    def _idle(self) -> Member[Task, Result]:
        for member in self._crew.values():
            if member.task is None:
                return member
        member = Member[Task, Result].start(self._worker)
        self._crew[member.pipe] = member
        return member

    def _patience_s(self) -> float | None:
        deadlines = [m.deadline for m in self._crew.values() if m.task is not None]
        soonest = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
        if self._pause:
            return _POLL_S if soonest is None else min(_POLL_S, soonest)
        return soonest

    def _receive(self, member: Member[Task, Result]) -> Generator[Event[Task, Result]]:
        said = member.receive()
        task = member.task
        if task is None:  # it ended while idle
            self._dismiss(member)
        elif said.kind == "advanced":
            yield Advanced(task, int(said.value))
        elif said.kind == "expects":
            yield Advanced(task, 0)
        elif said.kind == "done":
            member.finished()
            if member.tasks_done >= self._rules.recycle_after or not self._waiting:
                self._dismiss(member)
            yield Done(task, said.value)
        elif said.kind in {"failed", "gone"}:
            yield self._lost(member, task, str(said.value), said)

    def _lost(self, member: Member[Task, Result], task: Task, error: str, said: Said | None = None) -> Failed[Task]:
        """A failed attempt ends its member: the next one starts without a past."""
        del self._crew[member.pipe]
        details = (said.details if said else "") or member.last_words()
        member.terminate()
        member.kill()
        if self._gate():
            # What was not the task's fault is no attempt of it.
            self._waiting.appendleft(task)
            return Failed(task, error, details, self._attempts[task], is_last=False)
        self._attempts[task] += 1
        is_last = self._attempts[task] >= self._rules.attempts
        if not is_last:
            self._waiting.append(task)
        return Failed(task, error, details, self._attempts[task], is_last)

    def _dismiss(self, member: Member[Task, Result]) -> None:
        self._crew.pop(member.pipe, None)
        member.dismiss()
