"""Time the embedded player through the real client, against MuJoCo's OSMesa renderer on as many triangles, in one run.

    pip install mujoco; apt-get install libosmesa6      (for the comparison alone; --without-mujoco does without)
    python benchmarks/perf/player.py [--scene FloorPlan10] [--frames 40] [--only load,frames,memory] [--json OUT]

frames: RGB and ids at 300x300 and 1024x1024 from the same poses, in turns, all on one core. Ours go through the client,
pipes and decoding included; MuJoCo draws in this process, its picture and then its segmentation. It has neither shadows
of our kind nor baked light nor smooth edges. load: a scene's first reset with an empty cache, and one after the player
was started again with a full one. memory: the player's resident size over many steps and scene changes.

Wall time counts whatever else the machine does; processor seconds (of player and client) stand beside.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

# Before anything loads OpenGL or a pool of threads: one core is what is measured.
os.environ |= {"MUJOCO_GL": "osmesa", "LP_NUM_THREADS": "0", "OMP_NUM_THREADS": "1"}

import ai2thor.controller
import numpy as np
from rich.table import Table

from saom_bench.console import console
from saom_player.render.geometry import flatten, tessellated
from saom_player.render.renderer import LONGEST_EDGE_M, Renderer
from saom_player.rooms.layouts import load_scene

SIZES_HW = ((300, 300), (1024, 1024))
FOV_DEG = 90.0
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
Pose = tuple[dict[str, float], float]


@contextmanager
def player(scene: str, home: Path, **options: Any) -> Iterator[Any]:
    """A controller of a fresh player whose caches lie in ``home``."""
    os.environ |= {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    chosen = {
        "width": 300,
        "height": 300,
        "fieldOfView": FOV_DEG,
        "renderInstanceSegmentation": True,
        "server_timeout": 900.0,
    } | options
    command = f"{sys.executable} -m saom_player"
    client = ai2thor.controller.Controller(local_executable_path=command, x_display="0", scene=scene, **chosen)
    try:
        yield client
    finally:
        client.stop()
        client.server.unity_proc.wait(10)


def used_s(client: Any) -> float:
    """Processor seconds of the player and of this process so far."""
    fields = Path(f"/proc/{client.server.unity_proc.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS + process_time()


def resident_mib(client: Any) -> float:
    """Of the player."""
    return int(Path(f"/proc/{client.server.unity_proc.pid}/statm").read_text().split()[1]) * _PAGE / 2**20


def timed(work: Callable[[], Any], processor_s: Callable[[], float]) -> tuple[float, float]:
    """Wall and processor seconds."""
    started, before = perf_counter(), processor_s()
    work()
    return perf_counter() - started, processor_s() - before


def poses_of(client: Any, count: int) -> list[Pose]:
    """Places to stand at, with a yaw each."""
    rng = np.random.default_rng(0)
    places = client.step("GetReachablePositions").metadata["actionReturn"]
    return [(places[int(rng.integers(len(places)))], float(rng.integers(0, 360))) for _ in range(count)]


def our_frame(client: Any, pose: Pose) -> Any:
    """One step through the client, to pictures in this process."""
    place, yaw = pose
    event = client.step("TeleportFull", position=place, rotation={"y": yaw}, horizon=20.0, standing=True)
    if not event.metadata["lastActionSuccess"]:
        raise SystemExit(event.metadata["errorMessage"])
    return event.frame, event.instance_segmentation_frame


class MuJoCo:
    """The same triangles in MuJoCo: one mesh an instance, drawn by Mesa in software."""

    def __init__(self, scene: str) -> None:
        import mujoco

        spec = mujoco.MjSpec()
        spec.visual.global_.fovy = FOV_DEG
        spec.visual.global_.offwidth, spec.visual.global_.offheight = (max(s[1] for s in SIZES_HW), 1024)
        spec.visual.map.znear, spec.visual.map.zfar = 0.01, 10.0
        traced = tessellated(flatten(load_scene(scene)), LONGEST_EDGE_M)
        self.triangles = 0
        for number in np.unique(traced.instance):
            self._add(spec, int(number), traced.positions[traced.instance == number])
        spec.worldbody.add_light(pos=[0, 0, 2.2], dir=[0, 0, -1])
        self._mujoco, self._model = mujoco, spec.compile()
        self._data = mujoco.MjData(self._model)
        mujoco.mj_forward(self._model, self._data)
        self._renderers = {size: self._both(size) for size in SIZES_HW}

    def _both(self, size_hw: tuple[int, int]) -> tuple[Any, Any]:
        picture, ids = (self._mujoco.Renderer(self._model, *size_hw) for _ in range(2))
        ids.enable_segmentation_rendering()
        return picture, ids

    def _add(self, spec: Any, number: int, corners: Any) -> None:
        import mujoco

        # Ours is left-handed with y up, MuJoCo's right-handed with z up; to swap the two is a mirror, so faces turn.
        points = np.ascontiguousarray(corners[:, ::-1, [0, 2, 1]].reshape(-1, 3), np.float32)
        vertices, faces = np.unique(points, axis=0, return_inverse=True)
        if len(vertices) < 4:
            return
        mesh = spec.add_mesh(name=f"mesh {number}", uservert=vertices.ravel(), userface=faces.astype(np.int32).ravel())
        mesh.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL
        color = np.random.default_rng(number).uniform(0.3, 0.9, 3)
        spec.worldbody.add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH, meshname=mesh.name, contype=0, conaffinity=0, rgba=[*color, 1.0]
        )
        self.triangles += len(corners)

    def frame(self, pose: Pose, size_hw: tuple[int, int]) -> tuple[Any, Any]:
        """Picture and ids."""
        place, yaw = pose
        camera = self._mujoco.MjvCamera()
        camera.azimuth, camera.elevation, camera.distance = 90.0 - yaw, -20.0, 1.0
        turn, down = np.radians([yaw, 20.0])
        ahead = np.array([np.sin(turn) * np.cos(down), np.cos(turn) * np.cos(down), -np.sin(down)])
        camera.lookat = np.array([place["x"], place["z"], place["y"] + 0.675]) + ahead
        drawn = []
        for renderer in self._renderers[size_hw]:
            renderer.update_scene(self._data, camera=camera)
            drawn.append(renderer.render())
        return drawn[0], drawn[1]


def frames(scene: str, count: int, home: Path, with_mujoco: bool) -> dict[str, Any]:
    """Frames a second at both sizes, ours and MuJoCo's, in turns."""
    other = MuJoCo(scene) if with_mujoco else None
    figures: dict[str, Any] = {"triangles, ours": Renderer(load_scene(scene)).triangles}
    figures["triangles, MuJoCo"] = other.triangles if other else None
    with player(scene, home) as client:
        for height, width in SIZES_HW:
            client.step("ChangeResolution", x=width, y=height, raise_for_failure=True)
            chosen = poses_of(client, count if height < 500 else max(4, count // 4))
            our_frame(client, chosen[-1])
            seconds = {"ours": np.zeros(2), "MuJoCo": np.zeros(2)}
            if other is not None:
                other.frame(chosen[-1], (height, width))
            for number, pose in enumerate(chosen):
                ways: dict[str, tuple[Callable[[], Any], Callable[[], float]]] = {
                    "ours": (partial(our_frame, client, pose), partial(used_s, client))
                }
                if other is not None:
                    ways["MuJoCo"] = (partial(other.frame, pose, (height, width)), process_time)
                for name in sorted(ways, reverse=bool(number % 2)):
                    seconds[name] += timed(*ways[name])
            for name, (wall, processor) in seconds.items():
                if wall:
                    figures[f"{name} {width}x{height}, frames/s"] = len(chosen) / wall
                    figures[f"{name} {width}x{height}, frames a processor second"] = len(chosen) / processor
    return figures


def load(scenes: list[str], home: Path) -> dict[str, Any]:
    """Seconds of a reset with an empty cache, with a full one in a new player, and to the scene that is loaded."""
    found: dict[str, dict[str, tuple[float, float]]] = {"cold": {}, "warm": {}, "same": {}}
    for state in ("cold", "warm"):
        # Another scene first: starting Python and Embree is no scene's load.
        with player("FloorPlan430", home) as client:
            for scene in scenes:
                found[state][scene] = timed(partial(client.reset, scene), partial(used_s, client))
                if state == "warm":
                    found["same"][scene] = timed(partial(client.reset, scene), partial(used_s, client))
    figures = {
        f"reset {state}, s {what}": float(np.median([pair[k] for pair in pairs.values()]))
        for state, pairs in found.items()
        for k, what in enumerate(("wall", "processor"))
    }
    each = {
        f"reset {state}, {scene}, s processor": found[state][scene][1] for state in ("cold", "warm") for scene in scenes
    }
    return figures | each


def memory(scene: str, steps: int, changes: int, side_px: int, home: Path) -> dict[str, Any]:
    """The player's resident MiB: while it steps, and over scene changes."""
    with player(scene, home, width=side_px, height=side_px) as client:
        chosen = poses_of(client, 50)
        stepping, changing = [], []
        for number in range(steps):
            our_frame(client, chosen[number % len(chosen)])
            stepping.append(resident_mib(client))
        names = [f"FloorPlan{first + n}" for n in range(30) for first in (1, 201, 301, 401)]
        for number in range(changes):
            # Ten scenes in turn: growth that is no leak but a larger scene shows in the first round alone.
            client.reset(names[number % 10])
            changing.append(resident_mib(client))
    half = len(stepping) // 2
    return {
        "steps": steps,
        "pixels a side": side_px,
        "scene changes": changes,
        "MiB, most": max(*stepping, *changing),
        "MiB, first half of the steps": float(np.mean(stepping[len(stepping) // 10 : half])),
        "MiB, second half of the steps": float(np.mean(stepping[half:])),
        "MiB, scene changes 11 to 20": float(np.mean(changing[10:20] or changing)),
        "MiB, last ten scene changes": float(np.mean(changing[-10:])),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scene", default="FloorPlan10")
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--changes", type=int, default=50)
    parser.add_argument("--memory-side", type=int, default=300, help="of pictures, px, while memory is watched")
    parser.add_argument("--only", default="load,frames,memory")
    parser.add_argument("--without-mujoco", action="store_true")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # inherited by the player
    figures: dict[str, Any] = {}
    home = Path(tempfile.mkdtemp())
    try:
        if "load" in arguments.only:
            figures |= load(["FloorPlan1", "FloorPlan212", "FloorPlan310", "FloorPlan415", arguments.scene], home)
        if "frames" in arguments.only:
            figures |= frames(arguments.scene, arguments.frames, home, not arguments.without_mujoco)
        if "memory" in arguments.only:
            figures |= memory(arguments.scene, arguments.steps, arguments.changes, arguments.memory_side, home)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    table = Table("what", "figure", title=f"the embedded player on one core, {arguments.scene}")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.2f}" if isinstance(value, float) else str(value))
    console.print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
