"""Scenes as SLURM jobs through submitit: one array, a scene a job. Shards go straight to shared storage."""

import time
from collections import Counter
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from saom_bench.errors import SaomBenchError
from saom_collectors.engines.unit import lost, run_unit
from saom_collectors.jobs import Engine, Event, Failed, Gate, JobRules, Paused
from saom_collectors.stopping import Stop
from saom_collectors.worker import Worker

_POLL_S = 1.0
_DEFAULTS: dict[str, Any] = {"timeout_min": 240, "cpus_per_task": 1, "name": "saom-collect"}


def slurm_engine(parameters: str = "", cluster: str | None = None) -> Engine:
    """An engine of SLURM jobs.

    Args:
        parameters: submitit's, as "slurm_partition=gpu,timeout_min=600,folder=/shared/logs".
        cluster: "local" runs the jobs as processes here; None takes "cluster" of the parameters, else SLURM.

    Raises SaomBenchError when submitit is not installed, or a parameter is not key=value.
    """
    try:
        import submitit
    except ImportError as error:
        raise SaomBenchError("--engine slurm needs submitit: pip install 'saom-bench[slurm]'") from error
    wanted = _parsed(parameters)
    chosen = cluster or str(wanted.pop("cluster", "slurm"))
    folder = Path(str(wanted.pop("folder", "slurm-logs")))

    def run(
        worker: Worker[str, Any],
        tasks: Sequence[str],
        processes: int,
        rules: JobRules,
        stop: Stop | None = None,
        gate: Gate = lambda: "",
    ) -> Generator[Event[str, Any]]:
        try:
            executor = submitit.AutoExecutor(folder=str(folder / "%j"), cluster=chosen)
            parallel = {"slurm_array_parallelism": processes}
            executor.update_parameters(**(_DEFAULTS | parallel | wanted))
        except (RuntimeError, TypeError, ValueError, NameError) as error:
            raise SaomBenchError(f"submitit refuses these jobs: {str(error).strip().splitlines()[0]}") from error
        yield from _spread(executor, worker, list(tasks), rules, stop, gate)

    return run


def _spread(
    executor: Any, worker: Worker[str, Any], tasks: list[str], rules: JobRules, stop: Stop | None, gate: Gate
) -> Generator[Event[str, Any]]:
    attempts: Counter[str] = Counter()
    jobs: dict[str, Any] = {}
    pause = ""
    while (tasks or jobs) and not (stop and stop.is_requested):
        reason = gate() if tasks else pause
        # At every turn: while far machines work, this is the only sign of life.
        pause = reason
        yield Paused(pause)
        if tasks and not pause:
            jobs |= _submitted(executor, worker, tasks, rules)
            tasks = []
        time.sleep(_POLL_S)
        for task in [task for task, job in jobs.items() if job.done()]:
            for event in _outcome(jobs.pop(task), task):
                if isinstance(event, Failed) and event.details == _VANISHED:
                    # The job itself was lost: to a node, to a limit. That is an attempt of the scene's, too.
                    attempts[task] += 1
                    again = attempts[task] < rules.attempts
                    tasks += [task] if again else []
                    yield Failed(task, event.error, event.details, attempts[task], not again)
                else:
                    yield event
    for job in jobs.values():
        job.cancel()


def _submitted(executor: Any, worker: Worker[str, Any], tasks: list[str], rules: JobRules) -> dict[str, Any]:
    with executor.batch():
        return {task: executor.submit(run_unit, worker, task, rules) for task in tasks}


_VANISHED = "the job ended without a result"


def _outcome(job: Any, task: str) -> list[Event[str, Any]]:
    try:
        events: list[Event[str, Any]] = job.result()
    except Exception as error:
        told = lost(task, error)
        return [Failed(task, f"job {job.job_id}: {told.error}", _VANISHED)]
    return events


def _parsed(parameters: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in filter(None, (part.strip() for part in parameters.split(","))):
        name, equals, value = item.partition("=")
        if not (name and equals and value):
            raise SaomBenchError(f"the SLURM parameter {item!r} is not key=value; write slurm_partition=gpu")
        found[name] = int(value) if value.lstrip("-").isdecimal() else value
    return found
