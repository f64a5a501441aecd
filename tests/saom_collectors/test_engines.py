"""The engines: scenes as Ray tasks and as submitit's jobs give the shards that local processes give."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fake_thor import RULES, SIMULATOR, open_failing, open_fake
from rich.progress import Progress

from saom_bench.errors import SaomBenchError
from saom_bench.shards.manifest import ShardRecord, create_manifest, read_manifest
from saom_collectors.collect import CollectConfig, Opener, Outcome, collect
from saom_collectors.engines import engine_of
from saom_collectors.engines.ray_cluster import ray_engine
from saom_collectors.engines.slurm import slurm_engine
from saom_collectors.jobs import Done, Engine, Event, JobRules
from saom_collectors.runlog import RunLog
from saom_collectors.session import PlayerOptions
from saom_collectors.status import read_status

SCENES = ("FloorPlan1", "FloorPlan2", "FloorPlan3")
CONFIG = CollectConfig("train", SIMULATOR, PlayerOptions(size_hw=(60, 80)), views_per_scene=4, rules=RULES)


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other processes find the tests' fakes, and Ray says nothing to anybody outside."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(p for p in sys.path if p))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    # Its workers are polite by default: on a busy machine they would get no turn.
    monkeypatch.setenv("RAY_worker_niceness", "0")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


@pytest.fixture(params=["ray", "slurm"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    return ray_engine() if request.param == "ray" else slurm_engine(f"folder={tmp_path / 'jobs'}", cluster="local")


def run(folder: Path, engine: Engine, opener: Opener = open_fake, attempts: int = 1) -> Outcome:
    return collect(folder, SCENES, CONFIG, 2, opener, JobRules(attempts), engine=engine)


def hashes(folder: Path) -> dict[str, str]:
    return {record.file: record.sha256 for record in read_manifest(folder).shards}


@pytest.mark.slow
def test_every_engine_gives_the_same_shards_and_records_failures(tmp_path: Path, engine: Engine) -> None:
    local = tmp_path / "local"
    run(local, engine_of("local"))
    outcome = run(tmp_path / "data", engine, open_failing, attempts=2)
    assert [(f.scene, f.error, f.attempts) for f in outcome.failures] == [("FloorPlan2", "the scene has a hole", 2)]
    assert (tmp_path / "data" / outcome.failures[0].log).read_text().count("the scene has a hole") >= 2
    outcome = run(tmp_path / "data", engine)
    assert [r.scene for r in outcome.collected] == ["FloorPlan2"]
    assert hashes(tmp_path / "data") == hashes(local)


@dataclass
class Counter:
    """Work that costs nothing: what is measured is the tracking."""

    def run(self, task: str, report: Any) -> ShardRecord:
        return ShardRecord(f"{task}.h5", task, "0" * 64, 1, 1, 1)

    def close(self) -> None:
        return


def at_once(worker: Counter, task: str, rules: JobRules) -> list[Event]:
    return [Done(task, worker.run(task, None))]


@pytest.mark.slow
def test_a_thousand_scenes_go_through_ray_into_the_manifest(tmp_path: Path) -> None:
    tasks = [f"FloorPlan{n}" for n in range(1000)]
    create_manifest(tmp_path, {})
    with Progress(disable=True) as bar:
        log = RunLog(tmp_path, tasks, 1, bar, 300.0)
        for event in ray_engine(unit=at_once)(Counter(), tasks, 2, JobRules(), None, lambda: ""):
            log.heard(event)
        log.ended(was_stopped=False)
    assert sorted(record.scene for record in read_manifest(tmp_path).shards) == sorted(tasks)
    status = read_status(tmp_path)
    assert status is not None
    assert (status.state, status.scenes_done, status.frames_done) == ("finished", 1000, 1000)


def test_engines_by_name() -> None:
    with pytest.raises(SaomBenchError, match="did you mean 'slurm'"):
        engine_of("slrum")
    with pytest.raises(SaomBenchError, match="'gpu' is not key=value"):
        engine_of("slurm", "gpu")
