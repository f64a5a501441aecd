"""Random places: everything stands, nothing is in anything's way, equal seeds give equal scenes; what is refused."""

import subprocess
import sys
from functools import cache
from typing import Any

import numpy as np
import pytest
from player_table import Table
from tiny_room import CRATE, MUG, TABLE, room

from saom_player.physics.overlap import Obstacles, Space, surfaces_at, triangles_of
from saom_player.physics.poses import Move, matrix_of
from saom_player.physics.resting import body_of, settled, surface_of
from saom_player.physics.spawning import Spawned, SpawnRules, spawn
from saom_player.rooms.layouts import load_scene
from saom_player.scene import Scene, SceneObject

NO_FLOOR = SpawnRules(excluded_types=frozenset({"Floor"}))
CASES = [(name, seed) for name in ("FloorPlan2", "FloorPlan212", "FloorPlan310") for seed in (0, 1)]
TOLERANCE_M = 0.005


@cache
def spawned(name: str, seed: int) -> tuple[Scene, Spawned]:
    scene = load_scene(name)
    return scene, spawn(scene, seed, NO_FLOOR)


def named(scene: Scene, object_id: str) -> SceneObject:
    return next(o for o in scene.objects if o.object_id == object_id)


def tight(thing: SceneObject) -> Space:
    """The box about an object's triangles, along its box's axes, less the tolerance."""
    axes = thing.box.axes()
    corners = triangles_of(thing.parts).reshape(-1, 3) @ axes
    low, high = corners.min(axis=0), corners.max(axis=0)
    return Space(axes @ ((low + high) / 2), axes, (high - low) / 2).shrunk(TOLERANCE_M)


@pytest.mark.parametrize(("name", "seed"), CASES)
def test_nothing_that_moved_meets_anything(name: str, seed: int) -> None:
    _, result = spawned(name, seed)
    scene, moved = result.scene, set(result.moved)
    obstacles = Obstacles(scene)
    every = {o.object_id for o in scene.objects}
    for object_id in result.moved:
        held = {o.object_id for o in scene.objects if object_id in o.parent_receptacles}
        space = tight(named(scene, object_id))
        assert not obstacles.overlap(space, {object_id, *held, *moved}), object_id
        for other in moved - {object_id, *held}:
            # A phone may lie below a spatula's raised end: then one's box holds the other, and not the other way round.
            meets = obstacles.overlap(space, every - {other} | structures(scene))
            back = obstacles.overlap(tight(named(scene, other)), every - {object_id} | structures(scene))
            assert not (meets and back), (object_id, other)


def structures(scene: Scene) -> set[str]:
    return {f"structure {k}" for k in range(len(scene.structures))}


@pytest.mark.parametrize(("name", "seed"), CASES)
def test_everything_that_moved_stands_on_something_below_its_middle(name: str, seed: int) -> None:
    _, result = spawned(name, seed)
    for object_id in result.moved:
        thing = named(result.scene, object_id)
        corners = triangles_of(thing.parts).reshape(-1, 3)
        low, high = corners.min(axis=0), corners.max(axis=0)
        others = [i for i in result.scene.instances() if getattr(i, "object_id", "") != object_id]
        below = triangles_of(part for i in others for part in i.parts)
        middle = ((low + high) / 2)[[0, 2]]
        around = middle + 0.25 * (high - low)[[0, 2]] * np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)])
        heights, _ = surfaces_at(below, around)
        gaps = np.nanmin(np.where(heights <= low[1] + TOLERANCE_M, low[1] - heights, np.nan), axis=1)
        assert (gaps < TOLERANCE_M).sum() >= 3, (object_id, gaps)


@pytest.mark.parametrize(("name", "seed"), CASES)
def test_objects_stay_who_they_are_and_receptacles_are_told(name: str, seed: int) -> None:
    scene, result = spawned(name, seed)
    assert [o.object_id for o in result.scene.objects] == [o.object_id for o in scene.objects]
    loose = [o for o in scene.objects if "pickupable" in o.flags]
    assert len(result.moved) > 0.6 * len(loose)
    for before, after in zip(scene.objects, result.scene.objects, strict=True):
        if "pickupable" not in before.flags:
            assert after == before
        assert after.box.size == before.box.size
    for object_id in result.moved:
        thing = named(result.scene, object_id)
        (parent,) = thing.parent_receptacles
        receptacle = named(scene, parent).box.corners()
        foot = thing.box.corners().mean(axis=0)[[0, 2]]
        assert (foot > receptacle.min(axis=0)[[0, 2]] - 0.02).all()
        assert (foot < receptacle.max(axis=0)[[0, 2]] + 0.02).all()


def test_seeds_decide_in_any_process() -> None:
    script = (
        "import hashlib; from saom_player.rooms.layouts import load_scene; from saom_player.physics.spawning import *\n"
        "scene = spawn(load_scene('FloorPlan2'), 1, SpawnRules(excluded_types=frozenset({'Floor'}))).scene\n"
        "places = b''.join(p.mesh.positions.tobytes() for o in scene.objects for p in o.parts)\n"
        "print(hashlib.sha256(places).hexdigest())"
    )
    here: dict[str, Any] = {}
    exec(script.replace("print(", "answer = ("), here)
    there = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here["answer"]
    first, second = (spawned("FloorPlan2", seed)[1].scene.objects for seed in (0, 1))
    assert [o.position for o in first] != [o.position for o in second]


def test_a_body_stands_in_the_middle_of_a_table_and_not_over_its_edge() -> None:
    scene = room()
    body, surface = body_of([named(scene, MUG)]), surface_of(scene, named(scene, TABLE))
    assert body is not None
    assert surface is not None
    assert settled(body, surface, np.array([0.1, 0.8, 0.2]), 30.0) == pytest.approx([0.1, 0.8, 0.2])
    assert settled(body, surface, np.array([0.47, 0.8, 0.0]), 0.0) is None
    assert surface_of(scene, named(scene, CRATE)) is not None


def test_what_leans_is_laid_flat_and_what_it_holds_comes_along() -> None:
    mug = named(room(), MUG)
    leaning = Move.about(matrix_of((0, 10, 30)), np.array(mug.position), np.array(mug.position)).thing(mug)
    body = body_of([leaning])
    assert body is not None
    assert body.half == pytest.approx([0.05, 0.05, 0.05], abs=1e-5)


def test_overlap_sees_triangles_that_only_pass_through() -> None:
    obstacles = Obstacles(room())
    inside_table = Space(np.array([0.5, 0.4, 0.0]), np.eye(3), np.full(3, 0.1))
    assert obstacles.overlap(inside_table)
    assert not obstacles.overlap(inside_table, {TABLE})
    assert obstacles.buried(np.array([0.01, 0.4, 0.02]))
    assert not obstacles.buried(np.array([0.01, 1.4, 0.02]))


def objects(table: Table) -> dict[str, Any]:
    return {o["objectId"]: o for o in table.event["objects"]}


def test_the_action_moves_and_copies_and_reset_undoes_it() -> None:
    table = Table().start()
    before = table.do("Pass")["objects"]
    duplicates = [{"objectType": "Mug", "count": 3}]
    table.ok("InitialRandomSpawn", randomSeed=1, numDuplicatesOfType=duplicates, numPlacementAttempts=20)
    mugs = [o for name, o in objects(table).items() if name.startswith("Mug")]
    assert [o["objectId"] for o in mugs] == [MUG, MUG + "_copy_0", MUG + "_copy_1"]
    assert all(o["parentReceptacles"] == [TABLE] for o in mugs)
    assert len({o["position"]["x"] for o in mugs} | {0.2}) == 4
    assert objects(table)[CRATE] == {o["objectId"]: o for o in before}[CRATE]
    table.start()
    assert table.do("Pass")["objects"] == before


@pytest.mark.parametrize(
    "arguments",
    [{"excludedObjectIds": [MUG]}, {"excludedReceptacles": ["DiningTable"]}, {"objectIds": []},
     {"receptacleObjectIds": [CRATE]}],
)  # fmt: skip
def test_what_is_excluded_stays(arguments: dict[str, Any]) -> None:
    table = Table().start()
    before = table.do("Pass")["objects"]
    table.ok("InitialRandomSpawn", randomSeed=1, **arguments)
    assert table.event["objects"] == before


BAD: list[tuple[dict[str, Any], str | None, str]] = [
    ({"numPlacementAttempts": 0}, None, "numPlacementAttempts must be a positive integer."),
    ({"excludedReceptacles": ["Tabel"]}, None, "invalid Object Type used in excludedReceptacles array: Tabel"),
    ({"excludedReceptacles": "Bed"}, "InvalidArgument", "excludedReceptacles"),
    ({"excludedReceptacles": [1]}, "InvalidArgument", "string[]"),
    ({"excludedObjectIds": ["Cup|1"]}, None, "Cannot find sim object with id 'Cup|1'"),
    ({"objectIds": ["Cup|1"]}, None, "Cannot find sim object with id 'Cup|1'"),
    ({"receptacleObjectIds": ["Cup|1"]}, None, "Cannot find sim object with id 'Cup|1'"),
    ({"numDuplicatesOfType": [{"objectType": "Mug"}]}, "InvalidArgument", "ObjectTypeCount"),
    ({"numDuplicatesOfType": [{"objectType": "Mugg", "count": 2}]}, None, "'Mugg' was not found"),
    ({"numDuplicatesOfType": [{"objectType": "Mug", "count": 10**6}]}, None, "out of range"),
    ({"randomSeed": "one"}, "InvalidArgument", "randomSeed"),
    ({"forceVisible": "yes"}, "InvalidArgument", "forceVisible"),
    ({"seed": 3}, "InvalidArgument", "'seed'"),
]


@pytest.mark.parametrize(("arguments", "code", "told"), BAD)
def test_bad_arguments_fail_and_change_nothing(arguments: dict[str, Any], code: str | None, told: str) -> None:
    table = Table().start()
    before = table.do("Pass")["objects"]
    assert told in table.fails("InitialRandomSpawn", code, **arguments)
    assert table.event["objects"] == before
