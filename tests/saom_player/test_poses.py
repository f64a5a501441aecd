"""Objects put where they shall be: geometry, boxes, lights and receptacles follow; what is refused."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from player_table import Table
from tiny_room import CRATE, MUG, TABLE, room

from saom_player.physics.poses import Move, Placement, euler_deg, matrix_of, posed
from saom_player.scene import Lamp, Scene, SceneObject
from saom_player.shapes.transforms import bounds

LOW = {"x": 0.0, "y": 0.0, "z": 0.0}


def named(scene: Scene, object_id: str) -> SceneObject:
    return next(o for o in scene.objects if o.object_id == object_id)


@pytest.mark.parametrize("angles", [(0, 0, 0), (30, 40, 50), (90, 20, 0), (270, 10, 35), (10, 350, 180), (90, 0, 45)])
def test_euler_angles_come_back(angles: tuple[float, float, float]) -> None:
    turn = matrix_of(angles)
    assert np.abs(matrix_of(euler_deg(turn)) - turn).max() < 1e-6


def test_a_moved_object_keeps_its_shape_in_its_box() -> None:
    mug = named(room(), MUG)
    move = Move.about(matrix_of((20, 70, 10)), np.array(mug.position), np.array([1.0, 1.0, 1.0]))
    after = move.thing(mug)
    assert after.position == pytest.approx((1.0, 1.0, 1.0))
    corners = (after.parts[0].mesh.positions.reshape(-1, 3) - after.box.center) @ after.box.axes()
    assert corners.min(axis=0) == pytest.approx(np.array(mug.box.size) / -2, abs=1e-5)
    assert corners.max(axis=0) == pytest.approx(np.array(mug.box.size) / 2, abs=1e-5)


def test_listed_objects_move_others_vanish_and_copies_have_ids_of_their_own() -> None:
    lamps = (*room().lamps, Lamp((0.2, 0.9, -0.1), (1, 1, 1), object_id=MUG))
    scene = replace(room(), lamps=lamps)
    here, there = (1.5, 0.45, 1.5), (0.1, 0.85, 0.1)
    after = posed(scene, [Placement("Mug_1", here, (0, 90, 0)), Placement("Mug_1", there, (0, 0, 0))])
    assert [o.object_id for o in after.objects] == [MUG, CRATE, MUG + "_copy_1"], "the table is not listed"
    low, high = bounds(named(after, MUG).parts)
    assert (low + high) / 2 == pytest.approx(here)
    assert named(after, MUG).parent_receptacles == (), "the crate is no receptacle"
    assert [lamp.object_id for lamp in after.lamps] == ["", MUG, MUG + "_copy_1"]
    assert after.lamps[1].position == pytest.approx((1.5, 0.5, 1.5))
    assert posed(scene, [Placement("DiningTable_1", (0, 0.4, 0), (0, 0, 0))]).lamps == scene.lamps[:1]


def test_receptacles_follow_from_where_things_are() -> None:
    table = Table().start()
    event = table.do("Pass")
    poses = [
        {"objectName": o["name"], "position": o["position"], "rotation": o["rotation"]}
        for o in event["objects"]
        if o["pickupable"] or o["moveable"]
    ]
    table.ok("SetObjectPoses", objectPoses=poses)
    assert objects(table)[MUG]["parentReceptacles"] == [TABLE]
    assert objects(table)[TABLE]["receptacleObjectIds"] == [MUG]
    poses[[p["objectName"] for p in poses].index("Mug_1")]["position"] = {"x": 1.5, "y": 0.05, "z": 0.0}
    table.ok("SetObjectPoses", objectPoses=poses, placeStationary=False)
    assert objects(table)[MUG]["parentReceptacles"] is None
    assert objects(table)[MUG]["position"]["x"] == 1.5
    table.ok("Reset")
    assert objects(table)[MUG]["parentReceptacles"] == [TABLE]


def test_objects_go_and_come_back() -> None:
    table = Table().start()
    table.ok("DisableObject", objectId=TABLE)
    assert set(objects(table)) == {MUG, CRATE}
    assert objects(table)[MUG]["parentReceptacles"] is None
    table.ok("EnableObject", objectId=TABLE)
    table.ok("EnableObject", objectId=TABLE)
    assert list(objects(table)) == [TABLE, MUG, CRATE]
    table.ok("RemoveFromScene", objectId=CRATE)
    assert set(objects(table)) == {MUG, TABLE}


def objects(table: Table) -> dict[str, Any]:
    return {o["objectId"]: o for o in table.event["objects"]}


def pose(**changes: Any) -> dict[str, Any]:
    return {"objectPoses": [{"objectName": "Mug_1", "position": LOW, "rotation": LOW} | changes]}


BAD: list[tuple[str, dict[str, Any], str | None, str]] = [
    ("SetObjectPoses", {}, "MissingArguments", "objectPoses"),
    ("SetObjectPoses", {"objectPoses": "Mug_1"}, "InvalidArgument", "objectPoses"),
    ("SetObjectPoses", {"objectPoses": [3]}, "InvalidArgument", "ObjectPose"),
    ("SetObjectPoses", pose(objectName=7), "InvalidArgument", "ObjectPose"),
    ("SetObjectPoses", pose(position={"x": 0, "y": 0}), "InvalidArgument", "ObjectPose"),
    ("SetObjectPoses", pose(rotation={"x": 0, "y": "0", "z": 0}), "InvalidArgument", "float"),
    ("SetObjectPoses", pose(position={"x": float("nan"), "y": 0, "z": 0}), "InvalidArgument", "float"),
    ("SetObjectPoses", pose(scale=2), "InvalidArgument", "ObjectPose"),
    (
        "SetObjectPoses",
        pose(objectName="Cup_1"),
        None,
        "No Pickupable or Moveable object of name Cup_1 found in scene.",
    ),
    ("SetObjectPoses", pose(objectName="Box_1"), None, "Box_1 is not a Moveable or Pickupable object."),
    ("SetObjectPoses", {"objectPoses": [], "fast": True}, "InvalidArgument", "'fast'"),
    ("DisableObject", {"objectId": "Cup|1"}, None, "Cannot find sim object with id 'Cup|1'"),
    ("EnableObject", {"objectId": "Cup|1"}, None, "Cannot find sim object with id 'Cup|1'"),
]


@pytest.mark.parametrize(("action", "arguments", "code", "told"), BAD)
def test_bad_arguments_fail_and_change_nothing(
    action: str, arguments: dict[str, Any], code: str | None, told: str
) -> None:
    table = Table().start()
    before = table.do("Pass")["objects"]
    assert told in table.fails(action, code, **arguments)
    assert table.event["objects"] == before


def test_an_empty_list_of_poses_does_nothing() -> None:
    table = Table().start()
    table.ok("SetObjectPoses", objectPoses=[])
    assert len(objects(table)) == 3
