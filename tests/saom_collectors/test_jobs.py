"""The worker pool: every task is answered once, whatever becomes of the worker."""

import os
import signal
from dataclasses import dataclass

import pytest

from saom_bench.errors import SaomBenchError
from saom_collectors.jobs import Advanced, Done, Failed, run_jobs


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
        return task * 2

    def close(self) -> None:
        return


@pytest.mark.parametrize("processes", [1, 3])
def test_all_tasks_are_done_once(processes: int) -> None:
    events = list(run_jobs(Doubler(), range(7), processes))
    assert sorted((e.task, e.result) for e in events if isinstance(e, Done)) == [(n, 2 * n) for n in range(7)]
    assert sum(e.units for e in events if isinstance(e, Advanced)) == 14


@pytest.mark.parametrize(
    ("task", "error"),
    [
        ("mistake", "a mistake of the user"),
        ("defect", "ZeroDivisionError: ours"),
        ("death", "its worker process ended with signal 9 (out of memory?)"),
        ("exit", "its worker process ended with exit code 7"),
    ],
)
def test_a_failure_costs_its_own_task(task: str, error: str) -> None:
    events = list(run_jobs(Doubler(), [1, task, 2], 1))
    assert [(e.task, e.error) for e in events if isinstance(e, Failed)] == [(task, error)]
    assert [e.result for e in events if isinstance(e, Done)] == [2, 4]


def test_no_tasks_no_processes() -> None:
    assert list(run_jobs(Doubler(), [], 4)) == []
