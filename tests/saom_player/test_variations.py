"""Other materials and lights by seed: what changes, what stays, what is refused, and the way back."""

import colorsys
from typing import Any

import numpy as np
import pytest
from player_table import Table
from tiny_room import CRATE, room

from saom_player.physics.openness import opened
from saom_player.rooms.layouts import load_scene
from saom_player.scene import Scene
from saom_player.shapes.mesh import Material
from saom_player.surfaces.looks import LOOKS, ROOM_TYPES, kind_of, look
from saom_player.variations import (
    LightRules,
    MaterialRules,
    with_colors,
    with_lighting,
    with_materials,
    with_own_lighting,
    with_own_materials,
)

TRAIN = MaterialRules(("train",), ROOM_TYPES)


def materials(scene: Scene) -> list[Material]:
    return [part.mesh.material for instance in scene.instances() for part in instance.parts]


def test_materials_change_by_seed_and_only_they_do() -> None:
    scene = room()
    changed, considered = with_materials(scene, 3, TRAIN)
    assert materials(changed) != materials(scene)
    assert materials(changed) == materials(with_materials(scene, 3, TRAIN)[0])
    assert materials(changed) != materials(with_materials(scene, 4, TRAIN)[0])
    assert considered >= LOOKS["train"] * len(ROOM_TYPES)
    for before, after in zip(scene.instances(), changed.instances(), strict=True):
        for old, new in zip(before.parts, after.parts, strict=True):
            assert np.array_equal(old.mesh.positions, new.mesh.positions)


def test_materials_are_those_of_the_first_look_however_often_they_were_varied() -> None:
    scene = room()
    twice = with_materials(with_materials(scene, 1, TRAIN)[0], 2, TRAIN)[0]
    assert materials(twice) == materials(with_materials(scene, 2, TRAIN)[0])
    assert materials(with_own_materials(with_colors(twice, 5))) == materials(scene)


@pytest.mark.parametrize("split", sorted(LOOKS))
def test_surfaces_keep_their_kind(split: str) -> None:
    for number in range(LOOKS[split]):
        wall = look(Material("plaster", (0.9, 0.9, 0.9)), "wall", "kitchen", split, number)
        _, saturation, value = colorsys.rgb_to_hsv(*wall.tint)
        assert saturation < 0.25, "walls are pale"
        assert value > 0.7
        floor = look(Material("planks:2"), "planks", "kitchen", split, number)
        assert floor.texture.split(":")[0] in {"planks", "parquet"}
        assert max(floor.tint) - min(floor.tint) < 0.1
        apple = look(Material("plaster", (0.7, 0.1, 0.1)), "natural", "kitchen", split, number)
        assert np.abs(np.subtract(apple.tint, (0.7, 0.1, 0.1))).max() < 0.12


def test_glass_mirrors_and_what_shines_stay() -> None:
    for material in (Material(emission=1.0), Material(opacity=0.3), Material(reflect=0.85)):
        assert kind_of(material, "Mirror") == ""


def test_splits_have_looks_of_their_own() -> None:
    made = {split: {look(Material("fabric"), "fabric", "bedroom", split, k) for k in range(4)} for split in LOOKS}
    assert not made["train"] & made["test"]
    assert not made["train"] & made["val"]


def test_an_object_keeps_its_new_look_when_it_opens() -> None:
    scene = load_scene("FloorPlan402")
    changed = with_colors(scene, 1)
    name = next(o.object_id for o in scene.objects if o.object_type == "Toilet")
    before, after = (next(o for o in s.objects if o.object_id == name) for s in (scene, changed))
    old, new = ({p.mesh.material for p in opened(o, 1.0).parts} for o in (before, after))
    assert new == {p.mesh.material for p in after.parts} != old
    back = next(o for o in with_own_materials(changed).objects if o.object_id == name)
    assert {p.mesh.material for p in opened(back, 1.0).parts} == old


def test_lights_change_within_their_ranges_and_from_their_own_colour() -> None:
    scene = room()
    rules = LightRules(brightness=(0.5, 1.5), hue=(0.0, 0.1), saturation=(0.5, 0.6))
    for seed in range(10):
        lamp = with_lighting(with_lighting(scene, seed + 1, rules), seed, rules).lamps[0]
        assert lamp == with_lighting(scene, seed, rules).lamps[0]
        hue, saturation, value = colorsys.rgb_to_hsv(*lamp.color)
        assert 0.0 <= hue <= 0.1
        assert 0.49 <= saturation <= 0.61
        assert 1.0 <= value <= 3.0
    grey = with_lighting(scene, 1, LightRules(with_color=False)).lamps[0].color
    assert grey[0] == grey[1] == grey[2] != 2.0
    assert with_own_lighting(with_lighting(scene, 1, LightRules())).lamps == scene.lamps


def test_actions_answer_as_ai2_thor_does_and_reset_undoes_them() -> None:
    table = Table().start()
    answer = table.ok("RandomizeMaterials", seed=1)
    assert answer["useTrainMaterials"]
    assert not answer["useTestMaterials"]
    assert sorted(answer["chosenRoomTypes"]) == sorted(ROOM_TYPES)
    assert answer["totalMaterialsConsidered"] > 10
    one = present(table)
    table.ok("RandomizeMaterials")
    two = present(table)
    table.ok("RandomizeMaterials")
    assert one != two != present(table), "without a seed every call is another one"
    for action in ("RandomizeColors", "RandomizeLighting", "ResetLighting", "ResetColors"):
        table.ok(action)
    assert present(table) == materials(room())
    table.ok("RandomizeMaterials", seed=2)
    table.ok("RandomizeLighting", seed=2, synchronized=True)
    table.ok("Reset")
    assert present(table) == materials(room())
    assert table._player._sim.place.scene.lamps == room().lamps
    table.ok("RandomizeColors", seed=3)
    table.ok("OpenObject", objectId=CRATE, openness=0.5, forceAction=True)
    table.ok("ResetMaterials")
    assert present(table) == materials(room())


def present(table: Table) -> list[Material]:
    return materials(table._player._sim.place.scene)


BAD: list[tuple[str, dict[str, Any], str | None, str]] = [
    ("RandomizeMaterials", {"useTrainMaterials": False}, None, "inside of a train scene"),
    ("RandomizeMaterials", {"inRoomTypes": []}, None, "non-zero length"),
    ("RandomizeMaterials", {"inRoomTypes": ["Attic"]}, None, "unknown room type: Attic"),
    ("RandomizeMaterials", {"inRoomTypes": ["Bedroom"]}, None, 'must include "kitchen"'),
    ("RandomizeMaterials", {"inRoomTypes": "Kitchen"}, "InvalidArgument", "inRoomTypes"),
    ("RandomizeMaterials", {"useTrainMaterials": "yes"}, "InvalidArgument", "useTrainMaterials"),
    ("RandomizeMaterials", {"seed": 1.5}, "InvalidArgument", "seed"),
    ("RandomizeMaterials", {"colour": 1}, "InvalidArgument", "'colour'"),
    ("RandomizeLighting", {"brightness": [-1, 1]}, None, "Each brightness must be >= 0"),
    ("RandomizeLighting", {"brightness": [1, 2, 3]}, None, "must each have 2 values"),
    ("RandomizeLighting", {"hue": [0, 2]}, None, "hue range must be in [0:1]"),
    ("RandomizeLighting", {"saturation": [-0.1, 1]}, None, "saturation range must be in [0:1]"),
    ("RandomizeLighting", {"hue": [0, "1"]}, "InvalidArgument", "hue"),
    ("RandomizeLighting", {"hue": [0, 1], "randomizeColor": False}, None, "randomizeColor=False"),
    ("ResetLighting", {"seed": 1}, "InvalidArgument", "'seed'"),
]


@pytest.mark.parametrize(("action", "arguments", "code", "told"), BAD)
def test_bad_arguments_fail_and_change_nothing(
    action: str, arguments: dict[str, Any], code: str | None, told: str
) -> None:
    table = Table().start()
    assert told in table.fails(action, code, **arguments)
    assert present(table) == materials(room())
