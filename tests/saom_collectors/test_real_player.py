"""What only AI2-THOR's own player needs: wrong masks left out by name, its build recorded, and a leash."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from fake_thor import RULES, SIMULATOR, FakeSession

from saom_bench.classes import label_set
from saom_bench.types import Pose
from saom_collectors.collect import FAULTY, CollectConfig, take
from saom_collectors.known_faults import known_fault
from saom_collectors.leash import leashed
from saom_collectors.session import PlayerOptions
from saom_collectors.thor import ThorSession, simulator_of
from saom_collectors.views import choose_views


@pytest.mark.parametrize(
    ("scene", "object_id", "is_wrong"),
    [
        ("FloorPlan401", "Bathtub|-00.54|00.03|-01.10", True),
        ("FloorPlan402", "Bathtub|-00.54|00.03|-01.10", False),
        ("FloorPlan401", "Sink|+00.10|00.90|+00.20", False),
        ("FloorPlan212", "FP212:StandardDoor1  1|-1.45|1|0.775", True),
    ],
)
def test_wrong_masks_are_known_by_scene_and_name(scene: str, object_id: str, is_wrong: bool) -> None:
    assert bool(known_fault(scene, object_id)) is is_wrong


def test_wrong_masks_of_the_real_player_get_no_label_and_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the session itself: an embedded player that is taken for the real one."""
    with ThorSession(PlayerOptions(size_hw=(64, 64))) as session:
        session.reset("FloorPlan401")
        x, y, z = session.reachable()[0]
        whole = session.look(Pose(x, y, z, 0, 20))
        victim = next(name for name in whole.keys if name in whole.types and (whole.ids == whole.keys[name]).any())
        monkeypatch.setattr("saom_collectors.thor_view.known_fault", lambda scene, name: "bad" * (name == victim))
        assert session.look(Pose(x, y, z, 0, 20)).faulty == ()
        session.options = replace(session.options, kind="unity")
        seen = session.look(Pose(x, y, z, 0, 20))
        assert (seen.faulty, victim in seen.keys) == ((victim,), False)


def test_what_was_left_out_is_counted_with_the_scene() -> None:
    class Faulty(FakeSession):
        def look(self, pose: Pose):  # type: ignore[no-untyped-def]
            return replace(super().look(pose), faulty=("Bathtub|1",))

    config = CollectConfig("train", SIMULATOR, PlayerOptions(size_hw=(64, 64)))
    session, rejected = Faulty((64, 64)), Counter[str]()
    session.reset("FloorPlan1")
    view = choose_views(session, "FloorPlan1", 1, 0, label_set("saom-54"), RULES).views[0]
    take(session, view, config, rejected)
    assert rejected == {FAULTY: 1}


def test_the_build_is_recorded() -> None:
    pinned = simulator_of(PlayerOptions("unity"))["build"]
    assert len(pinned) == 40
    assert simulator_of(PlayerOptions("unity", commit="abc"))["build"] == "abc"
    assert simulator_of(PlayerOptions("unity", executable=Path("/some/where/thor")))["build"] == "local: thor"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's leash is Linux's")
def test_a_leashed_program_ends_with_its_parent() -> None:
    script = (
        "import subprocess, sys, time\n"
        "from saom_collectors.leash import leashed\n"
        "print(subprocess.Popen(leashed(['sleep', '60'])).pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        _until(lambda: b"sleep" in Path(f"/proc/{child}/cmdline").read_bytes())
        parent.send_signal(signal.SIGKILL)
    _until(lambda: not _runs(child))


def test_a_program_that_is_not_there_says_so() -> None:
    run = subprocess.run(leashed(["/no/such/player"]), capture_output=True, text=True, check=False)
    assert run.returncode == 127
    assert run.stderr == "/no/such/player cannot be started: No such file or directory\n"


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _until(condition, within_s: float = 20.0) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, f"pid {os.getpid()}: still not so"
        time.sleep(0.05)
