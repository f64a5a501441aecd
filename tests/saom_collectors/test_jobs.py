"""The worker pool: every task is answered once, whatever becomes of the worker; a stop loses nothing that is done."""

import multiprocessing
import os
import signal
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path

import pytest

from saom_bench.errors import SaomBenchError
from saom_collectors.jobs import Advanced, Done, Failed, JobRules, Paused, run_jobs
from saom_collectors.stopping import Stop, stop_on_signals

ONCE = JobRules(attempts=1)
HANDLES = Path("/proc/self/fd")


@dataclass
class Doubler:
    """Tasks are numbers; some words make trouble."""

    def run(self, task: object, report) -> object:
        report(2)
        if task == "mistake":
            raise SaomBenchError("a mistake\nof the user")
        if task == "defect":
            raise ZeroDivisionError("ours")
        if task == "death":
            os.kill(os.getpid(), signal.SIGKILL)
        if task == "exit":
            os._exit(7)
        if task == "hang":
            report.expect("a long wait", 0.3)
            threading.Event().wait()
        if task == "spin":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            report.expect("a spin", 0.3)
            while True:
                pass
        return task * 2

    def close(self) -> None:
        return


@pytest.mark.parametrize("processes", [1, 3])
def test_all_tasks_are_done_once(processes: int) -> None:
    events = list(run_jobs(Doubler(), range(7), processes))
    assert sorted((e.task, e.result) for e in events if isinstance(e, Done)) == [(n, 2 * n) for n in range(7)]
    assert sum(e.units for e in events if isinstance(e, Advanced)) == 14


def test_a_worker_that_says_what_it_is_at_is_alive() -> None:
    events = list(run_jobs(Doubler(), ["hang"], 1, ONCE))
    assert [e.units for e in events if isinstance(e, Advanced)] == [2, 0]


@pytest.mark.parametrize(
    ("task", "error"),
    [
        ("mistake", "a mistake of the user"),
        ("defect", "ZeroDivisionError: ours"),
        ("death", "its worker process ended with signal 9 (out of memory?)"),
        ("exit", "its worker process ended with exit code 7"),
        ("hang", "it hung: no sign of life for 0 s at a long wait"),
    ],
)
def test_a_failure_costs_its_own_task(task: str, error: str) -> None:
    events = list(run_jobs(Doubler(), [1, task, 2], 1, ONCE))
    assert [(e.task, e.error) for e in events if isinstance(e, Failed)] == [(task, error)]
    assert [e.result for e in events if isinstance(e, Done)] == [2, 4]


def test_a_worker_that_spins_and_does_not_listen_is_ended() -> None:
    events = list(run_jobs(Doubler(), ["spin", 4], 1, ONCE))
    assert [e.error for e in events if isinstance(e, Failed)] == ["it hung: no sign of life for 0 s at a spin"]
    assert [e.result for e in events if isinstance(e, Done)] == [8]


def test_no_tasks_no_processes() -> None:
    assert list(run_jobs(Doubler(), [], 4)) == []


@dataclass
class Unlucky:
    """Every task fails twice, by its own process's death, and then tells which process did it."""

    folder: Path

    def run(self, task: str, report) -> int:
        mark = self.folder / task
        tries = len(mark.read_text()) if mark.exists() else 0
        mark.write_text("x" * (tries + 1))
        if tries < 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return os.getpid()

    def close(self) -> None:
        return


def test_a_task_is_tried_again_in_a_fresh_worker(tmp_path: Path) -> None:
    events = list(run_jobs(Unlucky(tmp_path), ["a", "b"], 2, JobRules(attempts=3)))
    failed = [e for e in events if isinstance(e, Failed)]
    assert Counter((e.task, e.is_last) for e in failed) == {("a", False): 2, ("b", False): 2}
    assert sorted(e.task for e in events if isinstance(e, Done)) == ["a", "b"]


def test_a_task_is_given_up_after_its_attempts(tmp_path: Path) -> None:
    events = list(run_jobs(Unlucky(tmp_path), ["a"], 1, JobRules(attempts=2)))
    assert [(e.attempt, e.is_last) for e in events if isinstance(e, Failed)] == [(1, False), (2, True)]


@dataclass
class Teller:
    """Tells which process it is."""

    def run(self, task: int, report) -> int:
        return os.getpid()

    def close(self) -> None:
        return


def test_workers_are_recycled() -> None:
    events = run_jobs(Teller(), range(7), 1, JobRules(recycle_after=3))
    pids = [e.result for e in events if isinstance(e, Done)]
    assert [len(set(pids[k : k + 3])) for k in (0, 3, 6)] == [1, 1, 1]
    assert len(set(pids)) == 3


@pytest.mark.skipif(not HANDLES.is_dir(), reason="counts handles in /proc")
def test_recycling_and_deaths_leave_no_handle_and_no_scratch_folder(tmp_path: Path) -> None:
    def run(tasks: list[object]) -> int:
        list(run_jobs(Doubler(), tasks, 2, JobRules(attempts=1, recycle_after=1)))
        return len(list(HANDLES.iterdir()))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path))
        first = run([1])
        assert run([1, "death", 2, "mistake", 3, 4, "exit", 5]) == first
    assert list(tmp_path.iterdir()) == []


def test_a_shut_gate_pauses_and_costs_no_attempt() -> None:
    answers = iter(["", "full", "full", "full", ""])
    events = list(run_jobs(Doubler(), ["death", 5], 1, ONCE, gate=lambda: next(answers, "")))
    # Each look at the disk is a sign of life.
    assert [e.reason for e in events if isinstance(e, Paused)] == ["full", "full", ""]
    # The first death is the disk's fault, the second its own.
    assert [(e.task, e.is_last) for e in events if isinstance(e, Failed)] == [("death", False), ("death", True)]
    assert [e.result for e in events if isinstance(e, Done)] == [10]


@dataclass
class Sealer:
    """Is asked to end while it seals, and while it waits."""

    def run(self, task: str, report) -> str:
        if task == "seals":
            report.finish()
            report(1)
            time.sleep(0.5)
            return "sealed"
        if task == "seals for ever":
            report.finish()
            report(1)
            threading.Event().wait()
        report(1)
        threading.Event().wait()
        return ""

    def close(self) -> None:
        return


def test_a_stop_lets_what_is_complete_be_sealed_and_ends_the_rest() -> None:
    stop = Stop()
    events = []
    started = time.monotonic()
    for event in run_jobs(Sealer(), ["seals", "waits", "never"], 2, stop=stop):
        events.append(event)
        if sum(isinstance(e, Advanced) for e in events) == 2 and not stop.is_requested:
            stop.request(signal.SIGINT)
    assert [(e.task, e.result) for e in events if isinstance(e, Done)] == [("seals", "sealed")]
    assert [e for e in events if isinstance(e, Failed)] == []
    assert stop.exit_code == 130
    assert time.monotonic() - started < 60
    stop.close()


def test_a_second_stop_waits_for_nobody() -> None:
    stop = Stop()
    events = []
    for event in run_jobs(Sealer(), ["seals for ever", "waits"], 2, stop=stop):
        events.append(event)
        if sum(isinstance(e, Advanced) for e in events) == 2 and not stop.is_requested:
            stop.request(signal.SIGINT)
            stop.request(signal.SIGINT)
    assert [e for e in events if not isinstance(e, Advanced)] == []
    assert multiprocessing.active_children() == []
    stop.close()


def test_a_stop_ends_a_wait_that_its_signal_did_not_interrupt() -> None:
    def signal_elsewhere() -> None:
        # As when it comes just before a wait begins: the main thread's system call goes on.
        time.sleep(0.2)
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    with stop_on_signals() as stop:
        thread = threading.Thread(target=signal_elsewhere)
        thread.start()
        assert wait([stop.fileno()], 30) == [stop.fileno()]
        thread.join()
        assert stop.is_requested
        stop.heard()
        assert wait([stop.fileno()], 0) == []
    assert signal.set_wakeup_fd(-1) == -1
