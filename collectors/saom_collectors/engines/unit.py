"""One task on another machine: done there under the same supervision as here, and told as its last events."""

from saom_collectors.jobs import Done, Event, Failed, JobRules, Result, Task, run_jobs
from saom_collectors.worker import Worker


def run_unit(worker: Worker[Task, Result], task: Task, rules: JobRules) -> list[Event[Task, Result]]:
    """Do one task in a worker process of its own, with all its attempts; returns its failures and its end."""
    return [event for event in run_jobs(worker, [task], 1, rules) if isinstance(event, Done | Failed)]


def lost(task: Task, error: BaseException) -> Failed[Task]:
    """The failure of a task of which nothing came back."""
    lines = str(error).strip().splitlines()
    return Failed(task, f"{type(error).__name__}: {lines[0] if lines else 'no reason given'}", str(error))
