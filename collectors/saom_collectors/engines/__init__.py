"""Where scenes are collected: processes of this machine, a Ray cluster, or SLURM jobs. The unit is always one scene."""

from collections.abc import Callable

from saom_bench.errors import unknown
from saom_collectors.jobs import Engine


def _local(options: str) -> Engine:
    from saom_collectors.jobs import run_jobs

    return run_jobs


def _ray(options: str) -> Engine:
    from saom_collectors.engines.ray_cluster import ray_engine

    return ray_engine(options)


def _slurm(options: str) -> Engine:
    from saom_collectors.engines.slurm import slurm_engine

    return slurm_engine(options)


ENGINES: dict[str, Callable[[str], Engine]] = {"local": _local, "ray": _ray, "slurm": _slurm}
"""Each from its options as text: a Ray address; SLURM's parameters as key=value,key=value."""


def engine_of(name: str, options: str = "") -> Engine:
    """An engine by name. Raises SaomBenchError for an unknown one, or one whose package is missing."""
    if name not in ENGINES:
        raise unknown("engine", name, ENGINES)
    return ENGINES[name](options)
