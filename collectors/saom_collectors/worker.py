"""One worker process of a pool, from both sides: the parent's handle on it, and the loop that runs in it.

A worker has a process group and a scratch folder of its own; whatever becomes of it, its parent ends the group and
removes the folder, and it ends by itself when its parent is gone.
"""

import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from saom_bench.errors import SaomBenchError

Task = TypeVar("Task")
Result = TypeVar("Result")
TaskIn = TypeVar("TaskIn", contravariant=True)
ResultOut = TypeVar("ResultOut", covariant=True)
SCRATCH_PREFIX = "saom-worker-"
_LOG_BYTES = 20_000


class Report(Protocol):
    """What a worker tells its parent while it is at a task."""

    def __call__(self, units: int) -> None:
        """So many more units are done."""
        ...

    def expect(self, what: str, within_s: float) -> None:
        """The next sign of life comes within so many seconds; else this worker hangs at ``what``."""
        ...

    def finish(self) -> None:
        """From here to the task's end no request to end is heeded: what is complete shall be sealed."""
        ...


class Worker(Protocol[TaskIn, ResultOut]):
    """What runs in a worker process; it is pickled on its way there."""

    def run(self, task: TaskIn, report: Report) -> ResultOut:
        """Do a task."""
        ...

    def close(self) -> None:
        """Let go of what was kept between tasks."""
        ...


def sweep_scratch() -> None:
    """Remove the scratch folders of runs on this machine that ended without a chance to."""
    for folder in Path(tempfile.gettempdir()).glob(f"{SCRATCH_PREFIX}*"):
        pid = folder.name.removeprefix(SCRATCH_PREFIX).split("-")[0]
        if pid.isdecimal() and not Path(f"/proc/{pid}").exists() and Path("/proc/self").exists():
            shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Said:
    """One message of a worker: "advanced", "expects", "done", "failed", or "gone" when there is nobody to speak."""

    kind: str
    value: Any
    details: str = ""


@dataclass
class Member(Generic[Task, Result]):
    """The parent's side of one worker process."""

    GRACE_S: ClassVar[float] = 10.0
    process: BaseProcess
    pipe: Connection
    scratch: Path
    task: Task | None = None
    tasks_done: int = 0
    deadline: float = float("inf")
    """On the monotonic clock: when silence becomes a hang."""
    _what: str = ""
    _within_s: float = 0.0
    _silence_s: float = 0.0

    @classmethod
    def start(cls, worker: Worker[Task, Result]) -> "Member[Task, Result]":
        """Start a process that waits for tasks."""
        # Spawned, not forked: HDF5 handles and threads do not survive a fork.
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        scratch = Path(tempfile.mkdtemp(prefix=f"{SCRATCH_PREFIX}{os.getpid()}-"))
        process = context.Process(target=_serve, args=(worker, theirs, scratch))
        process.start()
        theirs.close()
        return cls(process, ours, scratch)

    def give(self, task: Task, silence_s: float) -> None:
        """Have it do a task; ``silence_s`` holds until it asks for another limit."""
        self.task, self._silence_s = task, silence_s
        self._expect("its start", silence_s)
        with suppress(OSError):  # A dead worker is noticed when it is heard.
            self.pipe.send(task)

    def receive(self) -> Said:
        """What the worker says next."""
        try:
            said: Said = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join(self.GRACE_S)
            return Said("gone", f"its worker process ended with {_ending(self.process.exitcode)}")
        if said.kind == "expects":
            self._expect(*said.value)
        elif said.kind == "advanced":
            self._expect(self._what, self._within_s)
        return said

    def finished(self) -> None:
        """It is idle again."""
        self.task, self.tasks_done, self.deadline = None, self.tasks_done + 1, float("inf")

    def overdue(self) -> str:
        """What it does not come back from."""
        return f"no sign of life for {self._within_s:.0f} s at {self._what}"

    def last_words(self) -> str:
        """The end of the logs that it leaves in its scratch folder."""
        logs = sorted(self.scratch.rglob("*.log"))
        return "\n".join(path.read_bytes()[-_LOG_BYTES:].decode(errors="replace") for path in logs if path.is_file())

    def terminate(self) -> None:
        """Ask it to end, without waiting."""
        if self.process.is_alive():
            self.process.terminate()

    def dismiss(self) -> None:
        """Tell it that there is no more to do, and wait for it."""
        with suppress(OSError):
            self.pipe.send(None)
        self.kill()

    def kill(self, grace_s: float = GRACE_S) -> None:
        """End the worker and what it started; a worker that was told to end has a while to clear up."""
        self.process.join(grace_s)
        # Its group outlives it; there is none yet when it dies very young.
        with suppress(ProcessLookupError):
            if self.process.pid is not None:
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.join(10)
        self.pipe.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _expect(self, what: str, within_s: float) -> None:
        self._what, self._within_s = what, within_s
        self.deadline = time.monotonic() + within_s


class _Reporter:
    """The worker's side of ``Report``, and its answer to requests to end."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._is_finishing = False
        self.is_asked_to_end = False

    def __call__(self, units: int) -> None:
        self._pipe.send(Said("advanced", units))

    def expect(self, what: str, within_s: float) -> None:
        self._pipe.send(Said("expects", (what, within_s)))

    def finish(self) -> None:
        self._is_finishing = True

    def finished(self) -> None:
        """The task is over, and its end is told."""
        self._is_finishing = False

    def end(self, *_: object) -> None:
        """A signal handler. It raises in the main thread, so that shards and players are let go of in the usual way."""
        self.is_asked_to_end = True
        if not self._is_finishing:
            sys.exit(128 + signal.SIGTERM)


def _serve(worker: Worker[Task, Result], pipe: Connection, scratch: Path) -> None:
    """A worker process: tasks in, messages out, until None, a request to end, or the parent's end."""
    os.setpgrp()
    # Everything temporary, of any library, lies where the parent removes it.
    os.environ["TMPDIR"] = tempfile.tempdir = str(scratch)
    reporter = _Reporter(pipe)
    signal.signal(signal.SIGTERM, reporter.end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to hear.
    threading.Thread(target=_end_with_parent, args=(scratch,), daemon=True).start()
    try:
        while not reporter.is_asked_to_end and (task := pipe.recv()) is not None:
            pipe.send(_attempt(lambda task=task: worker.run(task, reporter)))  # type: ignore[misc]
            reporter.finished()
    except EOFError:
        return
    finally:
        worker.close()


def _attempt(run: Callable[[], object]) -> Said:
    try:
        return Said("done", run())
    except SaomBenchError as error:
        return Said("failed", " ".join(str(error).split()), "".join(traceback.format_exception(error)))
    except Exception as error:
        # A defect of ours, or a full disk: the manifest gets one line, the log all of it.
        line = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return Said("failed", line, "".join(traceback.format_exception(error)))


def _end_with_parent(scratch: Path) -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(Member.GRACE_S)
        shutil.rmtree(scratch, ignore_errors=True)
        os.killpg(0, signal.SIGKILL)


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {-code}" + (" (out of memory?)" if code == -signal.SIGKILL else "")
    return f"exit code {code}"
