"""A stand-in for a simulator session, for tests of what lies above it: no ai2thor, no process, a few coloured boxes."""

import hashlib
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from saom_bench.types import Pose, Size
from saom_collectors.session import ActionFailed, PlacedObject, PlayerLost, PlayerOptions, Position, View
from saom_collectors.views import ViewRules

TYPES = ("ArmChair", "Bed", "Bowl", "Floor", "Laptop", "Mug", "Painting", "Sofa")
SIMULATOR = {"name": "fake", "version": "1", "arguments": {}}
BLOCKED: Position = (9.0, 0.9, 9.0)
RULES = ViewRules(tries=6)
HALF_WAY = 4 * RULES.tries + 2
"""Looks in a scene: 4 views have been chosen, and 2 taken."""


@dataclass
class FakeSession:
    """Objects stand round the agent by yaw; the same pose always shows the same."""

    size_hw: Size
    scene: str = ""
    looks: list[tuple[Size, Pose]] = field(default_factory=list)
    closed: bool = False
    looks_in_scene: int = 0
    randomized: list[tuple[str, int]] = field(default_factory=list)

    def scenes(self) -> tuple[str, ...]:
        return ("FloorPlan1", "FloorPlan2", "FloorPlan3", "FloorPlan21", "FloorPlan201")

    def reset(self, scene: str) -> None:
        self.scene, self.looks_in_scene = scene, 0

    def resize(self, size_hw: Size) -> None:
        self.size_hw = size_hw

    def reachable(self) -> tuple[Position, ...]:
        return (*((x / 2, 0.9, z / 2) for x in range(4) for z in range(4)), BLOCKED)

    def objects(self) -> tuple[PlacedObject, ...]:
        return tuple(PlacedObject(f"{name}|{k}", name, (k / 4, 0.5, 3.0)) for k, name in enumerate(TYPES))

    def randomize(self, what: str, seed: int) -> None:
        self.randomized.append((what, seed))

    def look(self, pose: Pose) -> View:
        self.looks.append((self.size_hw, pose))
        self.looks_in_scene += 1
        if (pose.x, pose.y, pose.z) == BLOCKED:
            raise ActionFailed("no room")
        height, width = self.size_hw
        ids = np.full(self.size_hw, key("nothing"), np.uint32)
        types = {f"{name}|{k}": name for k, name in enumerate(TYPES)}
        for k, name in enumerate(types):
            left = ((45 * k - pose.yaw_deg + pose.x * 20) % 360) / 180 * width
            top = height * (0.2 + 0.05 * k) - pose.horizon_deg
            box = (slice(max(0, int(top)), int(top + height * 0.3)), slice(int(left), int(left + width * 0.15)))
            ids[box] = key(name)
        rgb = ids[..., None].view(np.uint8)[..., :3].copy()
        return View(rgb, ids, {name: key(name) for name in types}, types, pose)

    def log(self) -> str:
        return f"the fake stood in {self.scene}"

    def close(self) -> None:
        self.closed = True


def key(name: str) -> int:
    """As AI2-THOR: the first three bytes of the id's MD5, opaque."""
    return int.from_bytes(hashlib.md5(name.encode()).digest()[:3] + b"\xff", "little")


def open_fake(options: PlayerOptions) -> FakeSession:
    return FakeSession(options.size_hw)


class _FailsInScene2(FakeSession):
    def reset(self, scene: str) -> None:
        super().reset(scene)
        if scene == "FloorPlan2":
            raise ActionFailed("the scene has a hole")


class _DiesInScene2(FakeSession):
    """Takes its whole process down, half way through a shard."""

    def look(self, pose: Pose) -> View:
        if self.scene == "FloorPlan2" and self.looks_in_scene == HALF_WAY:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().look(pose)


def open_failing(options: PlayerOptions) -> FakeSession:
    return _FailsInScene2(options.size_hw)


def open_dying(options: PlayerOptions) -> FakeSession:
    return _DiesInScene2(options.size_hw)


class _StallsInScene2(FakeSession):
    """Says on standard output where it stands, then waits for its end."""

    def look(self, pose: Pose) -> View:
        if self.scene == "FloorPlan2" and self.looks_in_scene == HALF_WAY:
            os.write(1, b"half way\n")
            threading.Event().wait()
        return super().look(pose)


def open_stalling(options: PlayerOptions) -> FakeSession:
    return _StallsInScene2(options.size_hw)


class _WithPlayer(FakeSession):
    """Every look asks a process of its own, as a real player would be: when that is killed, so is the session."""

    def __init__(self, size_hw: Size) -> None:
        super().__init__(size_hw)
        self.player = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

    def look(self, pose: Pose) -> View:
        time.sleep(0.004)
        assert self.player.stdin is not None
        assert self.player.stdout is not None
        try:
            self.player.stdin.write(b"look\n")
        except OSError as error:
            raise PlayerLost("the player is gone") from error
        if self.player.stdout.readline() != b"look\n":
            raise PlayerLost("the player is gone")
        return super().look(pose)

    def close(self) -> None:
        self.player.kill()
        self.player.wait()


def open_with_player(options: PlayerOptions) -> FakeSession:
    return _WithPlayer(options.size_hw)


SMALL_DISK = "SAOM_TEST_SMALL_DISK"
"""Environment variable: the file whose absence makes a worker's disk fill up; the worker makes it."""


def open_on_a_small_disk(options: PlayerOptions) -> FakeSession:
    mark = Path(os.environ[SMALL_DISK])
    if not mark.exists():
        mark.touch()
        resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    return FakeSession(options.size_hw)


KILL_SCENES = tuple(f"FloorPlan{n}" for n in range(1, 9))


def collect_under_fire(folder: str) -> None:
    """What the kill test runs, in a process of its own or here: many attempts, two workers that are recycled."""
    from saom_collectors.collect import CollectConfig, collect
    from saom_collectors.jobs import JobRules

    config = CollectConfig("train", SIMULATOR, PlayerOptions(size_hw=(60, 80)), views_per_scene=4, rules=RULES)
    collect(Path(folder), KILL_SCENES, config, 2, open_with_player, JobRules(attempts=1000, recycle_after=3))


def collect_and_stall(folder: str, heeds_signals: bool = False) -> None:
    """What the test of a killed collect runs as a process of its own; with signals heeded as the command does."""
    from saom_bench.console import console
    from saom_collectors.collect import CollectConfig, collect
    from saom_collectors.jobs import JobRules
    from saom_collectors.stopping import stop_on_signals

    console.quiet = True
    config = CollectConfig("train", SIMULATOR, PlayerOptions(size_hw=(60, 80)), views_per_scene=4, rules=RULES)
    scenes = ("FloorPlan1", "FloorPlan2", "FloorPlan3")
    if not heeds_signals:
        # A shell's background job is started with SIGINT ignored, and passes that on.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        collect(Path(folder), scenes, config, 1, open_stalling)
        return
    with stop_on_signals() as stop:
        collect(Path(folder), scenes, config, 1, open_stalling, JobRules(), stop)
    sys.exit(stop.exit_code)
