"""Scenes as Ray tasks, on an existing cluster or on one that Ray starts here. Shards go straight to shared storage."""

import os
from collections import deque
from collections.abc import Callable, Generator, Sequence
from typing import Any

from saom_bench.errors import SaomBenchError
from saom_collectors.engines.unit import lost, run_unit
from saom_collectors.jobs import Engine, Event, Gate, JobRules, Paused
from saom_collectors.stopping import Stop
from saom_collectors.worker import Worker

_POLL_S = 1.0
_AHEAD = 2
"""Tasks submitted for each CPU of the cluster: enough to keep it busy, few enough to stop soon."""
Unit = Callable[[Worker[str, Any], str, JobRules], list[Event[str, Any]]]


def ray_engine(address: str = "", unit: Unit = run_unit) -> Engine:
    """An engine on the cluster at ``address`` (or $RAY_ADDRESS; "" starts one on this machine).

    Raises SaomBenchError when Ray is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise SaomBenchError("--engine ray needs Ray: pip install 'saom-bench[ray]'") from error

    def run(
        worker: Worker[str, Any],
        tasks: Sequence[str],
        processes: int,
        rules: JobRules,
        stop: Stop | None = None,
        gate: Gate = lambda: "",
    ) -> Generator[Event[str, Any]]:
        is_ours = not ray.is_initialized()
        if is_ours:
            _connect(ray, address or os.environ.get("RAY_ADDRESS", ""), processes)
        try:
            yield from _spread(ray, worker, tasks, rules, stop, gate, unit)
        finally:
            if is_ours:
                ray.shutdown()

    return run


def _connect(ray: Any, address: str, processes: int) -> None:
    common = {"log_to_driver": False, "logging_level": "ERROR", "include_dashboard": False}
    try:
        if address:
            ray.init(address=address, log_to_driver=False, logging_level="ERROR")
        else:
            ray.init(num_cpus=processes, **common)
    except (ConnectionError, ValueError, RuntimeError) as error:
        where = f"no Ray cluster answers at {address}" if address else "Ray could not be started here"
        raise SaomBenchError(f"{where}: {str(error).splitlines()[0]}") from error


def _spread(
    ray: Any,
    worker: Worker[str, Any],
    tasks: Sequence[str],
    rules: JobRules,
    stop: Stop | None,
    gate: Gate,
    unit: Unit,
) -> Generator[Event[str, Any]]:
    # Ray's own retries are for machines that vanish; a scene's attempts are counted where it runs.
    remote = ray.remote(num_cpus=1, max_retries=rules.attempts)(unit)
    shared, waiting = ray.put(worker), deque(tasks)
    running: dict[Any, str] = {}
    pause = ""
    while (waiting or running) and not (stop and stop.is_requested):
        room = _AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1))) - len(running)
        reason = gate() if waiting and room > 0 else pause
        # At every turn: while far machines work, this is the only sign of life.
        pause = reason
        yield Paused(pause)
        for _ in range(0 if pause else min(room, len(waiting))):
            task = waiting.popleft()
            running[remote.remote(shared, task, rules)] = task
        finished, _ = ray.wait(list(running), timeout=_POLL_S) if running else ([], [])
        for reference in finished:
            yield from _outcome(ray, reference, running.pop(reference))
    for reference in running:
        ray.cancel(reference, force=True)


def _outcome(ray: Any, reference: Any, task: str) -> list[Event[str, Any]]:
    try:
        events: list[Event[str, Any]] = ray.get(reference)
    except Exception as error:
        return [lost(task, error)]
    return events
