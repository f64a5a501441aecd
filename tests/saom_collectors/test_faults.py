"""Faults of a player, of every kind that AI2-THOR's users report: the collection goes on, to the same bytes."""

import os
import shlex
import sys
from pathlib import Path

import pytest
from fake_thor import SIMULATOR
from faulty_player import FAULTS

from saom_bench.shards.manifest import read_manifest
from saom_collectors.collect import CollectConfig, Outcome, collect
from saom_collectors.jobs import JobRules
from saom_collectors.session import PlayerOptions
from saom_collectors.thor import open_player
from saom_collectors.views import ViewRules

SCENES = ("FloorPlan1", "FloorPlan2")


def player(folder: Path) -> Path:
    """A program that takes the place of AI2-THOR's own build."""
    path = folder / "player"
    search = shlex.quote(os.pathsep.join(p for p in sys.path if p))
    path.write_text(f'#!/bin/sh\nPYTHONPATH={search} exec {shlex.quote(sys.executable)} -m faulty_player "$@"\n')
    path.chmod(0o755)
    return path


def run(folder: Path, executable: Path, attempts: int) -> Outcome:
    options = PlayerOptions(
        "unity", (60, 80), executable=executable, start_timeout_s=20, reset_timeout_s=3, step_timeout_s=3
    )
    rules = ViewRules(tries=4, min_objects=1)
    config = CollectConfig("train", SIMULATOR, options, views_per_scene=10, min_area_px=1, rules=rules)
    return collect(folder, SCENES, config, 1, open_player, JobRules(attempts))


def hashes(folder: Path) -> dict[str, str]:
    return {record.file: record.sha256 for record in read_manifest(folder).shards}


@pytest.mark.slow
def test_every_fault_is_survived_and_the_bytes_are_those_of_a_sound_player(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executable = player(tmp_path)
    monkeypatch.setenv("FAULTS", "")
    monkeypatch.setenv("FAULTS_TAKEN", str(tmp_path / "sound"))
    assert run(tmp_path / "whole", executable, 1).failures == ()
    monkeypatch.setenv("FAULTS", ",".join(FAULTS))
    monkeypatch.setenv("FAULTS_TAKEN", str(tmp_path / "taken"))
    outcome = run(tmp_path / "data", executable, attempts=len(FAULTS) + 1)
    assert outcome.failures == ()
    assert len((tmp_path / "taken").read_text()) >= len(FAULTS)
    assert hashes(tmp_path / "data") == hashes(tmp_path / "whole")
    logs = "".join(path.read_text() for path in (tmp_path / "data" / "logs").iterdir())
    for fault in set(FAULTS) - {"slow-start"}:
        assert f"this player {fault}" in logs


def test_a_scene_whose_player_always_dies_is_put_aside_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAULTS", "dies-before-pipe," * 9)
    monkeypatch.setenv("FAULTS_TAKEN", str(tmp_path / "taken"))
    outcome = run(tmp_path / "data", player(tmp_path), attempts=2)
    assert [(f.scene, f.attempts) for f in outcome.failures] == [("FloorPlan1", 2), ("FloorPlan2", 2)]
    assert "exit code 3" in outcome.failures[0].error
    assert "this player dies-before-pipe" in (tmp_path / "data" / outcome.failures[0].log).read_text()
