"""Houses in the embedded player: what CreateHouse makes of them, through the real client too."""

import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
from real_client import OBJECT_FIELDS, controller, md5_color
from small_house import BATHROOM, BOWL, DOOR, HEIGHT, KITCHEN, TABLE, TOILET, WALL_BETWEEN, WINDOW, small_house

from saom_player.arguments import ActionError
from saom_player.houses.build import load_house
from saom_player.houses.looks import floor_material, wall_material
from saom_player.houses.walls import wall_frames
from saom_player.objects import build
from saom_player.objects.workbench import Order
from saom_player.physics.navigation import Navigation
from saom_player.physics.openness import with_openness
from saom_player.scene import Scene, SceneObject, Structure
from saom_player.surfaces.textures import texture
from saom_scenes.houses.assets import assets, assets_of, floor_materials, wall_materials
from saom_scenes.houses.make.generator import generate_house
from saom_scenes.houses.model import Surface
from saom_scenes.houses.plan import inside
from saom_scenes.houses.reading import read_house


@cache
def small() -> Scene:
    return load_house(small_house())


def thing(scene: Scene, name: str) -> SceneObject:
    return next(o for o in scene.objects if o.object_id == name)


def structure(scene: Scene, name: str) -> Structure:
    return next(s for s in scene.structures if s.name == name)


def extent(instance: SceneObject | Structure) -> tuple[np.ndarray, np.ndarray]:
    points = np.concatenate([part.mesh.positions.reshape(-1, 3) for part in instance.parts])
    return points.min(0), points.max(0)


def test_everything_of_the_house_is_there_under_its_id() -> None:
    scene = small()
    assert [o.object_id for o in scene.objects] == [KITCHEN, BATHROOM, DOOR, WINDOW, TABLE, BOWL, TOILET]
    assert [o.object_type for o in scene.objects][:4] == ["Floor", "Floor", "Doorway", "Window"]
    walls = [s for s in scene.structures if s.name.startswith("wall|")]
    assert len(walls) == 9
    assert {s.object_type for s in walls} == {"Wall"}
    assert thing(scene, BOWL).parent_receptacles == (TABLE,)
    assert thing(scene, TABLE).parent_receptacles == (KITCHEN,)
    assert scene.bounds.size == pytest.approx((7.0, HEIGHT, 4.0))
    assert scene.agent_position == pytest.approx((3.0, 0.9, 1.0))
    assert len(scene.lamps) == 2
    assert len(scene.windows) == 1
    assert scene.windows[0].inward == pytest.approx((1.0, 0.0, 0.0))


def test_objects_fill_the_boxes_that_their_assets_have() -> None:
    for name, asset in ((TABLE, "Dining_Table_16_1"), (TOILET, "Toilet_1"), (WINDOW, "Window_Hung_48x44")):
        found = thing(small(), name)
        low, high = extent(found)
        size = assets()[asset].size
        turned = round(found.rotation_deg[1] / 90) % 2
        assert high - low == pytest.approx((size[2], size[1], size[0]) if turned else size, abs=0.01)


def test_children_are_set_down_on_what_they_lie_on() -> None:
    for given in (0.7, 0.95, 1.4):
        house = small_house()
        house["objects"][0]["children"][0]["position"]["y"] = given
        scene = load_house(house)
        assert extent(thing(scene, BOWL))[0][1] == pytest.approx(extent(thing(scene, TABLE))[1][1], abs=0.05)


def test_walls_have_holes_for_doors_and_windows_on_both_sides() -> None:
    for name, axis, low, high, top in (
        (f"wall|2|{WALL_BETWEEN}", 2, 1.92, 3.0, 2.13),
        (f"wall|3|{WALL_BETWEEN}", 2, 1.92, 3.0, 2.13),
        ("wall|2|0.00|0.00|0.00|4.00", 2, 1.4, 2.6, 1.9),
        ("wall|exterior|0.00|0.00|0.00|4.00", 2, 1.4, 2.6, 1.9),
    ):
        corners = np.concatenate([p.mesh.positions for p in structure(small(), name).parts])
        middle = corners.mean(axis=1)
        in_hole = (middle[:, axis] > low + 0.01) & (middle[:, axis] < high - 0.01) & (middle[:, 1] < top - 0.01)
        assert not (in_hole & (middle[:, 1] > 0.72)).any(), name


def test_walls_face_their_rooms() -> None:
    frames = wall_frames(read_house(small_house()))
    assert frames["wall|2|0.00|0.00|0.00|4.00"].inward == pytest.approx((1.0, 0.0))
    assert frames["wall|exterior|0.00|0.00|0.00|4.00"].inward == pytest.approx((-1.0, 0.0))
    assert frames[f"wall|2|{WALL_BETWEEN}"].inward == pytest.approx((-1.0, 0.0))
    assert frames[f"wall|3|{WALL_BETWEEN}"].inward == pytest.approx((1.0, 0.0))


def rooms_reached(house: dict[str, Any], scene: Scene) -> list[int]:
    places = Navigation(scene).reachable(0.25)
    return [sum(inside((x, z), room.outline) for x, _, z in places) for room in read_house(house).rooms]


def test_an_open_door_leads_on_and_a_shut_one_does_not() -> None:
    assert min(rooms_reached(small_house(), small())) > 10
    shut = small_house()
    shut["doors"][0]["openness"] = 0
    assert min(rooms_reached(shut, load_house(shut))) == 0
    opened = with_openness(load_house(shut), DOOR, 1.0)
    assert min(rooms_reached(shut, opened)) > 10


@pytest.mark.parametrize("rooms", [1, 4])
def test_every_room_of_a_new_house_can_be_reached(rooms: int) -> None:
    house = generate_house(rooms, 11, 0, "train")
    scene = load_house(house)
    assert min(rooms_reached(house, scene)) >= 5
    assert len({o.object_id for o in scene.objects}) == len(scene.objects)
    low, high = np.array(scene.bounds.center) - np.array(scene.bounds.size) / 2, np.array(scene.bounds.center)
    for found in scene.objects:
        assert found.parts or found.object_type == "Floor"
        if found.parts:
            assert extent(found)[0][1] > low[1] - 0.02, found.object_id
    assert high[1] > 1.2


def test_the_same_house_gives_the_same_scene() -> None:
    one, two = load_house(small_house()), load_house(small_house())
    for a, b in zip(one.instances(), two.instances(), strict=True):
        for p, q in zip(a.parts, b.parts, strict=True):
            assert p.name == q.name
            np.testing.assert_array_equal(p.mesh.positions, q.mesh.positions)
            assert p.mesh.material == q.mesh.material


def test_a_floor_of_any_outline_is_whole() -> None:
    house = small_house(doors=[], windows=[], objects=[])
    house["rooms"] = house["rooms"][:1]
    corners = [(0.0, 0.0), (1.0, 4.0), (5.0, 3.0), (4.0, 1.5), (5.0, 0.0)]
    house["rooms"][0]["floorPolygon"] = [{"x": x, "y": 0.0, "z": z} for x, z in corners]
    house["walls"] = [
        {
            "id": f"wall|2|{k}",
            "roomId": KITCHEN,
            "polygon": [{"x": x, "y": y, "z": z} for y in (0.0, 2.5) for x, z in (a, b)],
        }
        for k, (a, b) in enumerate(zip(corners, [*corners[1:], corners[0]], strict=True))
    ]
    house["metadata"]["agent"]["position"] = {"x": 2.5, "y": 0.95, "z": 1.5}
    scene = load_house(house)
    places = Navigation(scene).reachable(0.25)
    assert len(places) > 40
    assert all(inside((x, z), tuple(corners)) for x, _, z in places)


def test_malformed_houses_are_action_errors_in_ai2thor_s_words() -> None:
    house = small_house()
    house["objects"][0]["assetId"] = "Table_of_gold"
    with pytest.raises(ActionError, match=r"Exception creating house\.\n'objects\[0\]\.assetId: Asset not in Database"):
        load_house(house)


@pytest.mark.parametrize("name", sorted({*floor_materials()[::6], *wall_materials()[::10], "PureWhite", "?"}))
def test_materials_have_textures(name: str) -> None:
    for material in (
        floor_material(Surface(name)),
        wall_material(Surface(name)),
        wall_material(Surface(name, (0, 0, 1))),
    ):
        assert texture(material.texture).shape[2] == 3
        assert all(0 < value <= 1.2 for value in material.tint)


@pytest.mark.parametrize("object_type", ["Doorway", "Doorframe", "WashingMachine", "ClothesDryer", "CounterTop"])
def test_what_only_houses_have_is_built_from_parts_that_fill_its_box(object_type: str) -> None:
    for asset in assets_of(object_type)[::5]:
        plan = asset.asset_id.split("_")[1] if object_type == "CounterTop" else ""
        parts = build(object_type, asset.size, np.random.default_rng(1), Order(plan=plan))
        points = np.concatenate([part.mesh.positions.reshape(-1, 3) for part in parts])
        assert points.max(0) - points.min(0) == pytest.approx(asset.size, abs=1e-3)
        assert len({part.name for part in parts}) == len(parts) >= 3


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    player = f"{sys.executable} -m saom_player"
    home = tmp_path_factory.mktemp("home")
    with controller(home, local_executable_path=player, scene=small_house(), width=96, height=96) as opened:
        yield opened


def test_the_client_s_reset_takes_a_house(client: Any) -> None:
    event = client.reset(small_house())
    assert event.metadata["lastAction"] == "CreateHouse"
    assert event.metadata["lastActionSuccess"], event.metadata["errorMessage"]
    assert event.metadata["sceneName"] == "Procedural"
    names = {o["objectId"]: o for o in event.metadata["objects"]}
    assert set(names) == {KITCHEN, BATHROOM, DOOR, WINDOW, TABLE, BOWL, TOILET}
    assert all(set(o) >= OBJECT_FIELDS for o in names.values())
    assert names[BOWL]["parentReceptacles"] == [TABLE]
    assert BOWL in names[TABLE]["receptacleObjectIds"]
    assert names[TABLE]["assetId"] == "Dining_Table_16_1"
    assert names[DOOR]["isOpen"]
    assert (event.metadata["agent"]["position"]["x"], event.metadata["agent"]["position"]["z"]) == (3.0, 1.0)
    bounds = client.step("GetSceneBounds").metadata["actionReturn"]
    assert bounds["size"] == pytest.approx({"x": 7.0, "y": HEIGHT, "z": 4.0})
    reachable = client.step("GetReachablePositions").metadata["actionReturn"]
    assert {p["x"] < 4 for p in reachable} == {True, False}


def test_ids_of_houses_have_ai2thor_s_colors(client: Any) -> None:
    client.reset(small_house())
    pose = {"position": {"x": 3.0, "y": 0.9, "z": 1.0}, "rotation": {"y": 315}, "horizon": 30, "standing": True}
    event = client.step(action="TeleportFull", **pose, raise_for_failure=True)
    assert event.object_id_to_color[TABLE] == md5_color(TABLE)
    assert TABLE in event.instance_masks
    assert KITCHEN in event.instance_masks
    assert event.frame.std() > 5


@pytest.mark.parametrize("broken", ["wall", "asset", "hole", "schema", "size"])
def test_a_malformed_house_is_a_failed_action_and_the_player_lives_on(client: Any, broken: str) -> None:
    house = small_house()
    if broken == "wall":
        del house["walls"][1]
    elif broken == "asset":
        house["objects"][0]["assetId"] = "Table_of_gold"
    elif broken == "hole":
        house["windows"][0]["holePolygon"][1]["x"] = 40.0
    elif broken == "schema":
        house["metadata"]["schema"] = "0.0.1"
    else:
        house["rooms"][0]["floorPolygon"][2]["x"] = 1e300
    event = client.reset(house)
    assert not event.metadata["lastActionSuccess"]
    assert event.metadata["errorMessage"].startswith("Exception creating house.")
    assert event.metadata["objects"] == []
    assert client.step("Pass").metadata["sceneName"] == "Procedural"
    assert client.reset(small_house()).metadata["lastActionSuccess"]
