"""Contact sheets of what the embedded player draws: every class in several styles, and rooms of each kind.

    python benchmarks/fidelity/contact_sheets.py [--out data/pictures] [--packs DIR] [--only rooms|classes]

Writes classes.jpg (each class that is drawn, cropped from views of rooms) and rooms.jpg (24 rooms). All views are from
where an agent can stand; those of classes have a narrower field of view. The same command gives the same pictures.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saom_bench.classes import label_set
from saom_bench.console import console
from saom_bench.pictures import captioned, save, sheet, shrink
from saom_bench.types import RgbImage
from saom_player.__main__ import cache_folder, product_scenes
from saom_player.fidelity import looks_at, middle_of
from saom_player.physics.navigation import Navigation
from saom_player.pictures import camera_of_agent
from saom_player.render.renderer import Camera, Renderer
from saom_player.scene import Scene, SceneObject
from saom_player.simulation import Agent
from saom_player.tables.layout import placed_objects

# Basins are drawn as their sink or bathtub, but for a few: AI2-THOR has no mesh for them either.
TYPES = tuple(kind for kind in label_set("saom-55").classes if not kind.endswith("Basin"))
ROOMS = [f"FloorPlan{first + n}" for first in (1, 201, 301, 401) for n in (0, 4, 9, 14, 19, 24)]
STYLES = 4
CROP_PX, ROOM_HW = 150, (300, 400)
_SCOUT_HW = (72, 96)
LONGEST_SIDE_PX = 2200


def examples() -> dict[str, list[tuple[str, str]]]:
    """(scene, object id) of each class: from the fewest scenes, no two of one class in a scene where that can be."""
    places: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name in ROOMS + [f"FloorPlan{b + n}" for b in (1, 201, 301, 401) for n in range(30)]:
        for thing in placed_objects(name):
            if thing.object_type in TYPES and thing.object_id not in places[thing.object_type][name]:
                places[thing.object_type][name].append(thing.object_id)
    return {
        kind: [(name, ids[0]) for name, ids in places[kind].items()]
        + [(n, i) for n, ids in places[kind].items() for i in ids[1:]]
        for kind in TYPES
    }


class Studio:
    """The loaded scene, one at a time."""

    def __init__(self, load: Callable[[str], Scene]) -> None:
        self._load = load
        self.name = ""

    def open(self, name: str) -> None:
        """Load a scene."""
        self.name, self.scene = name, self._load(name)
        self.navigation = Navigation(self.scene)
        self.renderer = Renderer(self.scene, cache_folder())

    def portrait(self, object_id: str) -> RgbImage | None:
        """The object, filling most of a square; None where no place shows enough of it."""
        number = next((k for k, o in enumerate(self.scene.objects, 1) if o.object_id == object_id), None)
        if number is None or not self.scene.objects[number - 1].parts:
            return None
        best: tuple[float, Camera] | None = None
        thing = self.scene.objects[number - 1]
        # From far enough to see all of a sofa, and not from the other end of the room.
        for agent, _ in looks_at(middle_of(thing), self.navigation, 1.1 * max(thing.box.size), 18):
            camera = _closeup(agent, thing)
            seen = self.renderer.render(camera, (48, 48), rgb=False).instances == number
            merit = float(seen.mean()) * max(0.0, 1 - 3 * _border(seen))
            if best is None or merit > best[0]:
                best = merit, camera
        if best is None or best[0] < 0.015:
            return None
        return self.renderer.render(best[1], (CROP_PX, CROP_PX)).rgb

    def overview(self) -> RgbImage:
        """The room from the place that shows most objects, floors and ceilings aside."""
        places = self.navigation.reachable(0.25)
        rng = np.random.default_rng(0)
        chosen = [places[k] for k in rng.choice(len(places), min(len(places), 14), replace=False)]
        views = [Agent(place, yaw, 12.0) for place in chosen for yaw in range(0, 360, 45)]
        best = max(views, key=lambda agent: self._richness(camera_of_agent(agent, 75.0)))
        rgb = self.renderer.render(camera_of_agent(best, 75.0), ROOM_HW).rgb
        assert rgb is not None
        return rgb

    def _richness(self, camera: Camera) -> float:
        frame = self.renderer.render(camera, _SCOUT_HW, rgb=False)
        counts = np.bincount(frame.instances.ravel(), minlength=len(self.scene.objects) + 1)[
            1 : len(self.scene.objects) + 1
        ]
        far = float(np.clip(np.median(frame.depth), 0, 4))
        return float((np.minimum(counts, 200) ** 0.5).sum()) * (1 + far) * (1 if counts.max(initial=0) < 2500 else 0.3)


def _closeup(agent: Agent, thing: SceneObject) -> Camera:
    """From an agent's eye straight at an object, as narrow as it is large."""
    camera = camera_of_agent(agent, 60.0)
    corners = np.concatenate([part.mesh.positions.reshape(-1, 3) for part in thing.parts])
    away = (corners.min(axis=0) + corners.max(axis=0)) / 2 - np.array(camera.position)
    distance = float(np.linalg.norm(away))
    radius = float(np.linalg.norm(corners.max(axis=0) - corners.min(axis=0))) / 2
    fov = float(np.degrees(2 * np.arctan(1.15 * radius / max(distance, 0.3))))
    flat = float(np.hypot(away[0], away[2]))
    return replace(
        camera,
        yaw_deg=float(np.degrees(np.arctan2(away[0], away[2]))),
        horizon_deg=float(np.degrees(np.arctan2(-away[1], flat))),
        fov_deg=float(np.clip(fov, 8.0, 80.0)),
    )


def _border(seen: NDArray[np.bool_]) -> float:
    return float(np.concatenate([seen[0], seen[-1], seen[:, 0], seen[:, -1]]).mean())


def classes(studio: Studio) -> RgbImage:
    """The sheet of all classes."""
    wanted = examples()
    tiles: dict[str, list[RgbImage]] = {kind: [] for kind in TYPES}
    tried: set[tuple[str, str]] = set()
    while any(len(tiles[kind]) < STYLES and set(wanted[kind]) - tried for kind in TYPES):
        open_kinds = [kind for kind in TYPES if len(tiles[kind]) < STYLES]
        votes: dict[str, int] = defaultdict(int)
        for kind in open_kinds:
            for name in {name for name, object_id in wanted[kind] if (name, object_id) not in tried}:
                votes[name] += 1
        studio.open(max(votes, key=lambda name: votes[name]))
        console.print(f"{studio.name}: {votes[studio.name]} of {len(open_kinds)} open classes")
        for kind in open_kinds:
            for name, object_id in [item for item in wanted[kind] if item[0] == studio.name and item not in tried][:3]:
                tried.add((name, object_id))
                picture = studio.portrait(object_id)
                if picture is not None:
                    tiles[kind].append(picture)
                    break
            # One a scene, so that styles differ; what is left counts as tried.
            tried |= {item for item in wanted[kind] if item[0] == studio.name}
    blank = np.full((CROP_PX, CROP_PX, 3), 24, np.uint8)
    rows = [
        captioned(np.concatenate([*tiles[kind], *[blank] * (STYLES - len(tiles[kind]))], axis=1), kind)
        for kind in TYPES
    ]
    return sheet(rows, 4)


def rooms(studio: Studio) -> RgbImage:
    """The sheet of rooms."""
    pictures = []
    for name in ROOMS:
        studio.open(name)
        console.print(name)
        pictures.append(captioned(studio.overview(), name))
    return sheet(pictures, 6)


def main() -> None:
    """Draw the sheets."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("data/pictures"))
    parser.add_argument("--packs", type=Path, help="a folder of scene packs, used for the scenes that it has")
    parser.add_argument("--only", choices=("rooms", "classes"))
    arguments = parser.parse_args()
    studio = Studio(product_scenes(arguments.packs).load)
    for name, draw in (("rooms", rooms), ("classes", classes)):
        if arguments.only in (None, name):
            save(arguments.out / f"{name}.jpg", shrink(draw(studio), LONGEST_SIDE_PX))
            console.print(str(arguments.out / f"{name}.jpg"))


if __name__ == "__main__":
    main()
