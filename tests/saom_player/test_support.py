"""Nothing hangs in the air: what is held, by what, and what the rooms draw where the metadata has nothing."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_room import CRATE, room, thing

from saom_player.physics.overlap import triangles_of
from saom_player.physics.support import floating
from saom_player.rooms.layouts import load_scene
from saom_player.rooms.shell import floor_level
from saom_player.scene import Scene, SceneObject
from saom_player.tables.layout import placed_objects


def with_thing(added: SceneObject) -> Scene:
    scene = room()
    return replace(scene, objects=(*scene.objects, added))


def cup(y: float, **more: object) -> SceneObject:
    """A cup over the table, whose top is at 0.8; its foot is at ``y``."""
    return thing("Cup|0|0|0", (0.1, 0.1, 0.1), (-0.2, y + 0.05, 0.2), (0.9, 0.9, 0.1), "pickupable", **more)


@pytest.mark.parametrize(("foot_m", "gap_m"), [(0.8, None), (0.82, None), (0.78, None), (0.85, 0.05), (1.4, 0.6)])
def test_a_thing_is_held_by_a_surface_just_below_it(foot_m: float, gap_m: float | None) -> None:
    found = [afloat.gap_m for afloat in floating(with_thing(cup(foot_m)))]
    assert found == ([] if gap_m is None else [pytest.approx(gap_m, abs=1e-6)])


def test_what_is_fixed_needs_something_beside_it_and_what_hangs_its_holder() -> None:
    switch = thing("LightSwitch|0|0|0", (0.1, 0.1, 0.02), (0.5, 1.2, 1.98), (1.0, 1.0, 1.0), "toggleable")
    assert floating(with_thing(switch)) == ()
    moved = thing("LightSwitch|0|0|0", (0.1, 0.1, 0.02), (0.5, 1.2, 1.5), (1.0, 1.0, 1.0), "toggleable")
    assert [(a.object_id, a.gap_m) for a in floating(with_thing(moved))] == [("LightSwitch|0|0|0", np.inf)]
    assert floating(with_thing(cup(1.4, parent_receptacles=("TowelHolder|0|0|0",)))) == ()


def test_what_is_shut_in_is_not_judged() -> None:
    scene = with_thing(cup(1.4, parent_receptacles=(CRATE,)))
    assert floating(scene)
    shut = tuple(replace(o, flags=frozenset({"openable"})) if o.object_id == CRATE else o for o in scene.objects)
    assert floating(replace(scene, objects=shut)) == ()


@pytest.mark.parametrize(
    "name",
    [
        "FloorPlan4",  # a deep basin
        "FloorPlan8",  # knobs above the stove
        "FloorPlan16",  # a counter over drawers
        "FloorPlan212",  # a plant on a board that the metadata lacks
        "FloorPlan221",  # a floor 10 cm high
        "FloorPlan304",  # a tall desk
        "FloorPlan306",  # things on a shelf, below its box
        "FloorPlan308",  # a desk under a high hutch
        "FloorPlan327",  # shelves far from a wall
        "FloorPlan428",  # a shower head at no wall
    ],
)
def test_no_room_has_things_in_the_air(name: str) -> None:
    assert max((afloat.gap_m for afloat in floating(load_scene(name))), default=0.0) < 0.09


def test_a_ledge_is_just_under_what_stands_on_it() -> None:
    scene = load_scene("FloorPlan212")
    (ledge,) = (s for s in scene.structures if s.name.startswith("Ledge|HousePlant"))
    plant = next(o for o in scene.objects if ledge.name.endswith(o.object_id))
    foot, board = triangles_of(plant.parts)[..., 1].min(), triangles_of(ledge.parts)[..., 1].max()
    assert board == pytest.approx(foot, abs=2e-3)


@pytest.mark.parametrize(("name", "level_m"), [("FloorPlan3", 0.222), ("FloorPlan221", 0.097), ("FloorPlan1", 0.0)])
def test_the_floor_is_where_things_stand_on_it(name: str, level_m: float) -> None:
    assert floor_level(placed_objects(name)) == pytest.approx(level_m, abs=2e-3)
    assert load_scene(name).agent_position[1] == pytest.approx(level_m + 0.9, abs=2e-3)
