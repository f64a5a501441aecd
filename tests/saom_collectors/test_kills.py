"""Killing a collection: whatever is killed, and when, a resume gives the bytes of an uninterrupted run."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_thor import KILL_SCENES, collect_under_fire

from saom_bench.shards.manifest import read_manifest

KILLS = 50
_CODE = "import fake_thor, sys; fake_thor.collect_under_fire(sys.argv[1])"


def hashes(folder: Path) -> dict[str, str]:
    return {record.file: record.sha256 for record in read_manifest(folder).shards}


def start(folder: Path) -> "subprocess.Popen[bytes]":
    search = os.pathsep.join(p for p in sys.path if p)
    environment = {**os.environ, "PYTHONPATH": search, "TMPDIR": str(temporary(folder))}
    silent = subprocess.DEVNULL
    return subprocess.Popen([sys.executable, "-c", _CODE, str(folder)], env=environment, stdout=silent, stderr=silent)


def temporary(folder: Path) -> Path:
    """Where the runs' scratch folders lie: nobody else's."""
    path = folder.parent / "scratch"
    path.mkdir(exist_ok=True)
    return path


def descendants(pid: int) -> list[int]:
    """Living processes below one, the nearest first."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            state = stat(int(entry.name))
            if state is not None:
                parents.setdefault(state[1], []).append(int(entry.name))
    found, edge = [], [pid]
    while edge:
        below = parents.get(edge.pop(0), [])
        found += below
        edge += below
    return found


def stat(pid: int) -> tuple[str, int] | None:
    """State and parent of a living process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else (fields[0], int(fields[1]))


def wait_until_gone(pids: list[int]) -> None:
    end = time.monotonic() + 30
    while left := [pid for pid in pids if stat(pid) is not None]:
        assert time.monotonic() < end, f"orphans: {left}"
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
def test_any_sequence_of_kills_and_resumes_gives_the_same_bytes(tmp_path: Path) -> None:
    collect_under_fire(str(tmp_path / "whole"))
    expected = hashes(tmp_path / "whole")
    assert sorted(expected) == sorted(f"{scene}.h5" for scene in KILL_SCENES)
    rng = random.Random(0)
    kills = {"parent": 0, "worker": 0, "player": 0}
    finished = 0
    while sum(kills.values()) < KILLS:
        folder = tmp_path / f"run-{finished}"
        child = start(folder)
        while child.poll() is None and sum(kills.values()) < KILLS:
            victim = rng.choice(["parent", "worker", "worker", "player", "player"])
            targets = living(child, victim)
            time.sleep(rng.uniform(0.05, 0.5))
            below = descendants(child.pid)
            kills[victim] += shoot(rng.choice(targets)) if targets else 0
            if victim == "parent":
                child.wait(30)
                wait_until_gone(below)
        child.wait(120)
        if child.returncode == 0:
            assert hashes(folder) == expected
            finished += 1
    folder = tmp_path / f"run-{finished}"
    assert start(folder).wait(120) == 0
    assert hashes(folder) == expected
    assert list(folder.glob("*.part")) == []
    assert min(kills.values()) > 3, kills
    assert list(temporary(folder).iterdir()) == []


def living(child: "subprocess.Popen[bytes]", kind: str) -> list[int]:
    """The run's processes of a kind, as soon as there are any; none when the run ends before."""
    found: list[int] = []
    while not found and child.poll() is None:
        time.sleep(0.02)
        below = descendants(child.pid)
        found = [pid for pid in (child.pid, *below) if kind == role(pid, child.pid)]
    return found


def role(pid: int, parent: int) -> str:
    if pid == parent:
        return "parent"
    return "player" if name(pid) == "cat" else "worker"


def name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def shoot(pid: int) -> int:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return 0
    return 1
