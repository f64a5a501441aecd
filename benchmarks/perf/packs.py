"""Time the embedded player on scene packs against its parametric scenes, side by side in one process.

    python benchmarks/perf/packs.py PACKS [--scenes FloorPlan1,FloorPlan201,FloorPlan301,FloorPlan401]
        [--sizes 300x300,640x480] [--views 6] [--rounds 2]

Both show the same scenes from the same poses, which an agent reaches in both; rounds alternate between them and the
best of each counts, in processor time, so that other work on the machine weighs little and on both alike. A view is
RGB, instance and part ids and depth. Light is baked before the first round; what loading and baking take, without a
cache, stands beside it.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import numpy as np
from rich.table import Table

from saom_bench.console import console
from saom_player.packs.build import PackScenes
from saom_player.physics.navigation import Navigation
from saom_player.render.renderer import Camera, Renderer
from saom_player.rooms.layouts import load_scene
from saom_player.scene import Scene
from saom_player.simulation import CAMERA_ABOVE_AGENT_M

GRID_M = 0.25
NEAR_M = 0.13
SCENES = "FloorPlan1,FloorPlan201,FloorPlan301,FloorPlan401"


@dataclass
class Side:
    """One geometry of a scene."""

    scene: Scene
    renderer: Renderer
    load_s: float
    bake_s: float
    best_ms: float = np.inf

    @classmethod
    def of(cls, load: Callable[[str], Scene], name: str) -> "Side":
        """Load and bake a scene, without any cache."""
        start = process_time()
        scene = load(name)
        renderer = Renderer(scene)
        loaded = process_time()
        renderer.prepare()
        return cls(scene, renderer, loaded - start, process_time() - loaded)

    def time(self, cameras: list[Camera], size_hw: tuple[int, int]) -> None:
        """Render all views once; the best mean of all calls is kept."""
        start = process_time()
        for camera in cameras:
            self.renderer.render(camera, size_hw)
        self.best_ms = min(self.best_ms, (process_time() - start) * 1000 / len(cameras))


def main() -> None:
    """Measure, and print one row a scene and size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("packs", type=Path, help="a folder of packs, as saom-bench scenes import makes it")
    parser.add_argument("--scenes", default=SCENES)
    parser.add_argument("--sizes", default="300x300,640x480")
    parser.add_argument("--views", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    packs = PackScenes(arguments.packs)
    table = Table("scene", "size", "triangles", "load s", "bake s", "ms a view", "ratio")
    ratios = []
    for name in arguments.scenes.split(","):
        sides = {"parametric": Side.of(load_scene, name), "packs": Side.of(lambda n: packs.load(n).scene, name)}
        cameras = shared_cameras(sides["packs"].scene, sides["parametric"].scene, arguments.views)
        for text in arguments.sizes.split(","):
            width, height = (int(side) for side in text.split("x"))
            for side in sides.values():
                side.best_ms = np.inf
                side.time(cameras[:1], (height, width))  # what is made at the first picture of a size
                side.best_ms = np.inf
            for _ in range(arguments.rounds):
                for side in sides.values():
                    side.time(cameras, (height, width))
            ratios.append(sides["packs"].best_ms / sides["parametric"].best_ms)
            for kind, side in sides.items():
                counts = f"{side.renderer.triangles:,}", f"{side.load_s:.2f}", f"{side.bake_s:.2f}"
                ratio = f"{ratios[-1]:.2f}" if kind == "packs" else ""
                table.add_row(f"{name}\n{kind}", text, *counts, f"{side.best_ms:.0f}", ratio)
    console.print(table)
    console.print(f"packs / parametric, time a view: geometric mean {float(np.exp(np.mean(np.log(ratios)))):.2f}")


def shared_cameras(one: Scene, other: Scene, count: int) -> list[Camera]:
    """Poses of a standing agent's camera that are reachable in both scenes, by a fixed seed."""
    first, second = (np.array(Navigation(scene).reachable(GRID_M)) for scene in (one, other))
    away = np.linalg.norm(first[:, None, [0, 2]] - second[None, :, [0, 2]], axis=2).min(axis=1)
    places = first[away < NEAR_M]
    rng = np.random.default_rng(0)
    chosen = places[rng.integers(len(places), size=count)]
    yaw, horizon = rng.uniform(0, 360, count), rng.choice([0.0, 30.0], count)
    return [
        Camera((float(x), float(y) + CAMERA_ABOVE_AGENT_M, float(z)), float(yaw[k]), float(horizon[k]), 90.0)
        for k, (x, y, z) in enumerate(chosen)
    ]


if __name__ == "__main__":
    main()
