"""Every action in process: what it changes, what it answers, and that nothing ends the player."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from player_table import Table
from tiny_room import CRATE, MUG, NAMES, TABLE, BoxRenderer, box_source, room

from saom_player.actions.table import ACTIONS
from saom_player.protocol import Field
from saom_player.scene import Scene
from saom_player.simulation import SceneSource

CORNER = {"x": -1.5, "y": 0.9, "z": -1.5}


@pytest.fixture
def table() -> Table:
    return Table().start()


def test_the_first_message_is_unasked_and_has_number_0() -> None:
    table = Table()
    table._player.run()
    ((message, pictures),) = table.events
    assert (message["sequenceId"], message["activeAgentId"], pictures) == (0, 0, {})
    assert (message["agents"][0]["screenWidth"], message["agents"][0]["screenHeight"]) == (32, 24)


def test_reset_loads_a_scene_and_puts_the_agent_at_its_start(table: Table) -> None:
    table.look_from(-1.5, 1.5, 90)
    table.ok("AddThirdPartyCamera", position=CORNER, rotation={"y": 0})
    table.ok("Reset", sceneName="FloorPlan2_physics")
    assert table.event["sceneName"] == "FloorPlan2_physics"
    assert table.pose == (0.0, -1.25, 0.0, 0.0)
    assert table.event["thirdPartyCameras"] == []
    assert table.pictures == {}  # The client replaces this event at once.
    assert [o["objectId"] for o in table.event["objects"]] == [TABLE, MUG]
    table.ok("Initialize")
    assert set(table.pictures) == {Field.RGB}
    table.ok("Reset")
    assert table.event["sceneName"] == "FloorPlan2_physics"


@pytest.mark.parametrize("name", ["FloorPlan999_physics", "", "../FloorPlan1"])
def test_after_a_failed_reset_nothing_goes_on_in_the_old_scene(table: Table, name: str) -> None:
    why = table.fails("Reset", sceneName=name)
    assert why == table.fails("Initialize") == table.fails("MoveAhead") == table.fails("GetReachablePositions")
    assert (table.event["objects"], table.pictures) == ([], {})
    table.start()


def test_initialize_returns_the_clipping_planes_and_sets_what_is_rendered() -> None:
    table = Table().start(renderDepthImage=True, renderInstanceSegmentation=True, renderSemanticSegmentation=True)
    assert table.event["actionReturn"] == {"cameraNearPlane": 0.1, "cameraFarPlane": 20.0}
    assert table.event["fov"] == 90.0
    shapes = {field: [image.shape for image in images] for field, images in table.pictures.items()}
    assert shapes == {
        Field.RGB: [(24, 32, 3)],
        Field.DEPTH: [(24, 32)],
        Field.IDS: [(24, 32, 4)],
        Field.CLASSES: [(24, 32, 4)],
    }
    assert table.pictures[Field.DEPTH][0].dtype == np.float32


def test_initialize_takes_parameters_it_does_not_know_as_ai2thor_does(capfd: pytest.CaptureFixture[str]) -> None:
    Table().start(makeAgentsVisible=False, fieldOfView=60, flux=3)
    assert "parameters without effect here: flux, makeAgentsVisible" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gridSize": 0}, "grid size must be in the range"),
        ({"gridSize": 5.1}, "grid size must be in the range"),
        ({"fieldOfView": 180}, "fov must be set"),
        ({"fieldOfView": -1}, "fov must be set"),
        ({"visibilityDistance": -1}, "visibilityDistance"),
        ({"agentMode": "arm"}, "agentMode 'arm' is not simulated"),
        ({"agentCount": 2}, "agentCount 2 is not simulated"),
        ({"renderFlowImage": True}, "renderFlowImage is not simulated"),
    ],
)
def test_initialize_refuses_what_it_cannot_do(table: Table, arguments: dict[str, Any], message: str) -> None:
    assert message in table.fails("Initialize", **arguments)


def test_moves_go_by_the_heading(table: Table) -> None:
    table.look_from(-1.25, -1.25, 90)
    for action, step, pose in [
        ("MoveAhead", {}, (-1.0, -1.25)),
        ("MoveRight", {"moveMagnitude": 0.3}, (-1.0, -1.55)),
        ("MoveBack", {}, (-1.25, -1.55)),
        ("MoveLeft", {"moveMagnitude": 0.05}, (-1.25, -1.5)),
    ]:
        table.ok(action, **step)
        assert table.pose == (*pose, 90.0, 0.0)


def test_moves_keep_to_the_grid_when_told_to() -> None:
    table = Table().start(snapToGrid=True)
    table.look_from(-1.3, -1.2, 0)
    table.ok("MoveAhead")
    assert table.pose[:2] == (-1.25, -1.0)


def test_a_blocked_move_moves_nothing_and_names_what_blocks(table: Table) -> None:
    before = table.pose
    message = table.fails("MoveAhead", moveMagnitude=1.0)
    assert message == "DiningTable_1 is blocking Agent 0 from moving by (0.0000, 0.0000, 1.0000)."
    assert table.pose == before
    table.ok("MoveAhead", moveMagnitude=1.0, forceAction=True)


def test_a_whole_walk_never_leaves_the_reachable_positions() -> None:
    table = Table().start(snapToGrid=True)
    reachable = {(p["x"], p["z"]) for p in table.ok("GetReachablePositions")}
    rng = np.random.default_rng(0)
    for action in rng.choice(["MoveAhead", "MoveLeft", "MoveBack", "MoveRight", "RotateRight"], 150):
        table.do(action, renderImage=False)
        assert table.pose[:2] in reachable


def test_turning(table: Table) -> None:
    table.ok("RotateRight")
    table.ok("RotateRight", degrees=30)
    assert table.pose[2] == 120.0
    table.ok("RotateLeft", degrees=150)
    assert table.pose[2] == 330.0
    table.ok("Initialize", rotateStepDegrees=15)
    table.ok("RotateRight")
    assert table.pose[2] == 345.0


def test_looking_stops_at_30_up_and_60_down(table: Table) -> None:
    table.ok("LookUp")
    assert table.fails("LookUp", "LookUpCantExceedMax") == "can't look up beyond 30 degrees above the forward horizon"
    table.ok("LookDown", degrees=90)
    message = table.fails("LookDown", "LookDownCantExceedMin", degrees=1)
    assert message == "can't look down beyond 60 degrees below the forward horizon"
    assert table.pose[3] == 60.0
    assert "positive degree" in table.fails("LookUp", degrees=-5)


def test_crouching_lowers_the_camera(table: Table) -> None:
    assert table.event["cameraPosition"]["y"] == pytest.approx(1.575)
    table.ok("Crouch")
    assert table.event["cameraPosition"]["y"] == pytest.approx(0.9)
    assert not table.event["agent"]["isStanding"]
    assert table.fails("Crouch") == "already crouching"
    table.ok("Stand")
    assert table.fails("Stand") == "already standing"


def test_teleport_changes_only_what_is_given(table: Table) -> None:
    table.ok("Teleport", position={"x": 1.0})
    assert table.pose == (1.0, -1.25, 0.0, 0.0)
    table.ok("Teleport", rotation={"y": 45})
    table.ok("Teleport", horizon=30, standing=False)
    assert table.pose == (1.0, -1.25, 45.0, 30.0)
    assert not table.event["agent"]["isStanding"]
    table.ok("Teleport", x=-1.0, y=0.9, z=1.0)
    assert table.pose == (-1.0, 1.0, 45.0, 30.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"position": {"x": 0, "y": 0.9, "z": 0}}, "DiningTable_1 is blocking Agent 0 from teleporting to"),
        ({"position": {"x": 9, "y": 0.9, "z": 0}}, "the floor's edge is blocking"),
        ({"position": {"x": -1.5, "y": 1.2, "z": 0}}, "it stands at y=0.9000"),
        ({"horizon": 61}, "Each horizon must be in [-30:60]. You gave 61."),
        ({"rotation": {"x": 10, "y": 0, "z": 0}}, "No dimension of rotation other than y"),
    ],
)
def test_teleporting_where_the_agent_cannot_be(table: Table, changes: dict[str, Any], message: str) -> None:
    pose = {"position": CORNER, "rotation": {"y": 0}, "horizon": 0, "standing": True} | changes
    before = table.pose
    assert message in table.fails("TeleportFull", **pose)
    assert table.pose == before
    table.ok("TeleportFull", **pose, forceAction=True)


def test_teleporting_lands_on_the_floor_exactly(table: Table) -> None:
    table.ok("Teleport", position={"x": -1.5, "y": 0.9009992, "z": -1.5})
    assert table.event["agent"]["position"]["y"] == 0.9


@pytest.mark.parametrize("missing", ["rotation", "horizon", "standing", "position"])
def test_teleport_full_needs_a_whole_pose(table: Table, missing: str) -> None:
    pose: dict[str, Any] = {"position": CORNER, "rotation": {"y": 0}, "horizon": 0, "standing": True}
    del pose[missing]
    assert missing in table.fails("TeleportFull", "MissingArguments", **pose)


@pytest.mark.parametrize(
    ("action", "arguments", "code", "message"),
    [
        ("Fly", {}, "InvalidAction", "Invalid action: Fly"),
        ("MoveAhed", {}, "InvalidAction", "did you mean MoveAhead?"),
        ("", {}, "InvalidAction", "Invalid action"),
        ("MoveAhead", {"magnitude": 1}, "InvalidArgument", "called with invalid argument: 'magnitude'"),
        ("MoveAhead", {"moveMagnitude": "far"}, "InvalidArgument", "moveMagnitude (=='far'). Cannot convert to: float"),
        ("MoveAhead", {"moveMagnitude": float("nan")}, "InvalidArgument", "Cannot convert to: float"),
        ("MoveAhead", {"moveMagnitude": 10**400}, "InvalidArgument", "Cannot convert to: float"),
        ("MoveAhead", {"forceAction": "yes"}, "InvalidArgument", "Cannot convert to: bool"),
        ("Teleport", {"position": [1, 2, 3]}, "InvalidArgument", "Cannot convert to: Vector3"),
        ("Teleport", {"position": {"x": "a"}}, "InvalidArgument", "Cannot convert to: Vector3"),
        ("Teleport", {"position": {"x": 1, "w": 1}}, "InvalidArgument", "Cannot convert to: Vector3"),
        ("ChangeResolution", {}, "MissingArguments", "is missing the following arguments: x,y"),
        ("ChangeResolution", {"x": 0, "y": 300}, "InvalidArgument", "0x300 is out of range"),
        ("ChangeResolution", {"x": 100_000, "y": 300}, "InvalidArgument", "100000x300 is out of range"),
        ("ChangeResolution", {"x": 300.5, "y": 300}, "InvalidArgument", "Cannot convert to: int"),
        ("AddThirdPartyCamera", {"position": CORNER}, "MissingArguments", "rotation"),
        ("Reset", {"sceneName": 7}, "InvalidArgument", "Cannot convert to: string"),
        ("CreateHouse", {}, "MissingArguments", "house"),
        ("CreateHouse", {"house": {"rooms": []}}, None, "CreateHouse fills the scene 'Procedural' alone"),
        ("UpdateThirdPartyCamera", {"thirdPartyCameraId": 0}, None, "len(thirdPartyCameras)=0"),
        ("GetReachablePositions", {"gridSize": 0.00001}, None, "use a larger one"),
        ("ChangeFOV", {"fieldOfView": 180}, None, "fov must be set to (0, 180)"),
        ("ChangeFOV", {}, "MissingArguments", "fieldOfView"),
        ("GetParts", {"objectId": MUG}, "InvalidArgument", "'objectId'"),
        ("Pass", {"agentId": 3}, None, "there is no agent 3"),
    ],
)
def test_bad_actions_and_arguments(
    table: Table, action: str, arguments: dict[str, Any], code: str | None, message: str
) -> None:
    before = table.pose
    assert message in table.fails(action, code, **arguments)
    assert table.pose == before
    table.ok("Pass")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyzw"), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    "position rotation horizon standing x y z degrees moveMagnitude gridSize fieldOfView thirdPartyCameraId sceneName "
    "renderImage agentId renderInstanceSegmentation house quality snapToGrid nonsense".split()
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(ACTIONS)), st.dictionaries(KEYS, JSON, max_size=5)), min_size=6, max_size=12
    )
)
def test_no_message_ends_the_player(messages: list[tuple[str, dict[str, Any]]]) -> None:
    table = Table().start()
    for action, arguments in messages:
        if action != "ChangeResolution":
            event = table.do(action, **arguments)
            assert event["lastActionSuccess"] == (event["errorMessage"] == "")
            assert "the embedded player failed" not in event["errorMessage"]


def test_an_error_in_the_players_own_code_is_a_failed_action(capfd: pytest.CaptureFixture[str]) -> None:
    def broken(scene: Scene) -> Any:
        raise RuntimeError("no light today")

    table = Table(SceneSource(lambda: NAMES, room, broken))
    table.ok("Reset", sceneName="FloorPlan1")
    assert "the embedded player failed in Initialize: RuntimeError: no light today" in table.fails("Initialize")
    assert "Traceback" in capfd.readouterr().err
    assert table.event["screenWidth"] == 32


def test_an_error_while_a_scene_loads_is_told_by_what_follows(capfd: pytest.CaptureFixture[str]) -> None:
    def broken(name: str) -> Scene:
        raise KeyError("leg 5")

    table = Table(SceneSource(lambda: NAMES, broken, BoxRenderer))  # type: ignore[arg-type]
    assert "KeyError: 'leg 5'" in table.fails("Reset", sceneName="FloorPlan1")
    assert table.fails("Initialize") == "the scene 'FloorPlan1' could not be loaded: KeyError: 'leg 5'"
    assert "Traceback" in capfd.readouterr().err


def test_scenes_bounds_and_small_talk(table: Table) -> None:
    assert table.ok("GetScenesInBuild") == ["FloorPlan1_physics", "FloorPlan2_physics"]
    bounds = table.ok("GetSceneBounds")
    assert bounds["size"] == {"x": 4.2, "y": 2.6, "z": 4.2}
    assert len(bounds["cornerPoints"]) == 8
    for action in ("Pass", "Done", "NoOp"):
        table.ok(action)
    table.ok("ChangeQuality", quality="Ultra")


def test_third_party_cameras_come_and_move(table: Table) -> None:
    table.ok("AddThirdPartyCamera", position=CORNER, rotation={"x": 30, "y": 45, "z": 0}, fieldOfView=60)
    table.ok("AddThirdPartyCamera", position=CORNER, rotation={"x": 0, "y": 0, "z": 0})
    assert len(table.pictures[Field.THIRD_PARTY_RGB]) == 2
    table.ok("UpdateThirdPartyCamera", thirdPartyCameraId=0, rotation={"y": 90})
    first, second = table.event["thirdPartyCameras"]
    assert first == {
        "thirdPartyCameraId": 0,
        "position": CORNER,
        "rotation": {"x": 30.0, "y": 90.0, "z": 0.0},
        "fieldOfView": 60.0,
    }
    assert (second["thirdPartyCameraId"], second["fieldOfView"]) == (1, 90.0)
    assert "fieldOfView" in table.fails("UpdateThirdPartyCamera", fieldOfView=180)
    assert "orthographic" in table.fails(
        "AddThirdPartyCamera", position=CORNER, rotation={"y": 0}, orthographic=True, orthographicSize=3
    )
    assert len(table.event["thirdPartyCameras"]) == 2


def test_a_third_party_camera_in_the_agents_eye_sees_what_it_sees() -> None:
    table = Table().start(renderInstanceSegmentation=True, renderDepthImage=True)
    table.look_from(-1.5, -1.5, 45, 30)
    renders = len(table.renderers[0].calls)
    table.ok("AddThirdPartyCamera", position=table.event["cameraPosition"], rotation={"x": 30, "y": 45, "z": 0})
    for own, other in [
        (Field.RGB, Field.THIRD_PARTY_RGB),
        (Field.IDS, Field.THIRD_PARTY_IDS),
        (Field.DEPTH, Field.THIRD_PARTY_DEPTH),
    ]:
        assert np.array_equal(table.pictures[own][0], table.pictures[other][0])
    assert len(table.renderers[0].calls) == renders


def test_nothing_is_rendered_twice(table: Table) -> None:
    calls = table.renderers[0].calls
    table.look_from(-1.5, -1.5, 45)
    seen = len(calls)
    for action in ("Pass", "GetReachablePositions", "GetSceneBounds", "GetScenesInBuild"):
        table.ok(action)
    table.fails("LookUp", degrees=-1)
    assert len(calls) == seen
    table.ok("RotateRight")
    assert len(calls) == seen + 1


def test_without_pictures_wanted_none_are_painted(table: Table) -> None:
    table.do("RotateRight", renderImage=False)
    assert table.pictures == {}
    assert table.renderers[0].calls[-1][2] is False
    headless = Table(send_pictures=False).start()
    headless.ok("MoveRight")
    assert headless.pictures == {}
    assert not any(rgb for _, _, rgb in headless.renderers[0].calls)


def test_segmentation_can_be_asked_for_once(table: Table) -> None:
    table.ok("Pass", renderInstanceSegmentation=True)
    assert Field.IDS in table.pictures
    assert table.event["colors"]
    table.ok("Pass")
    assert Field.IDS not in table.pictures
    assert table.event["colors"] is None


def test_parts_come_with_every_picture_where_they_are_asked_for() -> None:
    table = Table().start(renderPartSegmentation=True, renderInstanceSegmentation=True)
    table.look_from(-1.5, -1.5, 45, 30)
    table.ok("AddThirdPartyCamera", position=CORNER, rotation={"x": 30, "y": 45, "z": 0})
    names = {entry["part"]: (entry["objectId"], entry["name"]) for entry in table.ok("GetParts")}
    assert (names[1], names[2], len(names)) == ((TABLE, "body"), (MUG, "body"), 9)
    told = table.event["partSegmentation"]
    parts = np.frombuffer(told["data"], told["dtype"]).reshape(told["shape"])
    colors = {c["name"]: c["color"] for c in table.event["colors"]}
    ids = table.pictures[Field.IDS][0][::-1, :, :3]
    for number in np.unique(parts):
        assert (ids[parts == number] == colors[names[int(number)][0]]).all()
    assert len(np.unique(parts)) >= 4
    assert [other["shape"] for other in table.event["thirdPartyPartSegmentations"]] == [[24, 32]]
    assert "partSegmentation" not in table.do("Pass", renderImage=False)
    assert "partSegmentation" not in Table().start().event


def test_with_fast_emit_only_an_actions_fate_is_sent_when_nothing_else_changed() -> None:
    fast, slow = Table().start(fastActionEmit=True), Table().start()
    for action, arguments in [
        ("GetReachablePositions", {}),
        ("RotateRight", {}),
        ("Pass", {}),
        ("FlyAway", {}),
        ("Pass", {"renderImage": False}),
        ("Pass", {}),
        ("AddThirdPartyCamera", {"position": CORNER, "rotation": {"y": 0}}),
        ("Pass", {}),
        ("DisableObject", {"objectId": MUG}),
        ("ChangeFOV", {"fieldOfView": 50}),
        ("LookDown", {"degrees": 45}),
    ]:
        told, expected = fast.do(action, **arguments), slow.do(action, **arguments)
        assert told == expected
        assert [*fast.pictures] == [*slow.pictures]
        for field, pictures in slow.pictures.items():
            assert all(np.array_equal(a, b) for a, b in zip(pictures, fast.pictures[field], strict=True))
    assert (fast.patches, slow.patches) == (4, 0)


def test_resolution_changes_with_the_next_picture(table: Table) -> None:
    table.ok("ChangeResolution", x=20, y=10)
    assert table.pictures[Field.RGB][0].shape == (10, 20, 3)
    assert (table.event["screenWidth"], table.event["screenHeight"]) == (20, 10)


def test_pictures_are_bottom_up_and_opaque() -> None:
    table = Table().start(renderInstanceSegmentation=True, renderDepthImage=True)
    table.look_from(-1.5, -1.5, 45, 30)
    ids = table.pictures[Field.IDS][0]
    names = {tuple(c["color"]): c["name"] for c in table.event["colors"]}
    assert names[tuple(ids[0, 16, :3].tolist())] == "Floor"
    assert (ids[..., 3] == 255).all()
    depth = table.pictures[Field.DEPTH][0]
    assert depth[0].max() < depth[-1].max() < 20


def objects(table: Table) -> dict[str, dict[str, Any]]:
    return {o["objectId"]: o for o in table.event["objects"]}


def test_objects_are_visible_when_seen_near_enough() -> None:
    table = Table().start()
    table.look_from(0.0, -1.0, 0, 30)
    assert [objects(table)[i]["visible"] for i in (TABLE, MUG, CRATE)] == [True, True, False]
    table.look_from(0.0, -1.0, 180)
    assert not any(o["visible"] for o in table.event["objects"])
    table.look_from(1.5, 0.9, 0, 30)
    assert objects(table)[CRATE]["visible"]
    # Hidden from here by the table, and from nearby by distance alone.
    table.ok("Initialize", visibilityDistance=0.1)
    assert not objects(table)[CRATE]["visible"]


def test_visible_does_not_depend_on_pictures(table: Table) -> None:
    table.look_from(0.0, -1.0, 0, 30)
    with_pictures = [o["visible"] for o in table.event["objects"]]
    table.ok("RotateRight", renderImage=False, degrees=360.0)
    assert [o["visible"] for o in table.event["objects"]] == with_pictures


def test_object_metadata(table: Table) -> None:
    mug, bench, crate = (objects(table)[i] for i in (MUG, TABLE, CRATE))
    assert mug["axisAlignedBoundingBox"]["center"] == pytest.approx({"x": 0.2, "y": 0.85, "z": -0.1})
    assert mug["axisAlignedBoundingBox"]["size"] == pytest.approx({"x": 0.1, "y": 0.1, "z": 0.1})
    for box in ("axisAlignedBoundingBox", "objectOrientedBoundingBox"):
        assert np.array(mug[box]["cornerPoints"]).max(axis=0) == pytest.approx([0.25, 0.9, -0.05])
    assert (mug["pickupable"], mug["receptacle"], mug["parentReceptacles"]) == (True, False, [TABLE])
    assert (bench["receptacle"], bench["receptacleObjectIds"], bench["mass"]) == (True, [MUG], 20.0)
    assert (crate["openable"], crate["isOpen"], crate["openness"]) == (True, True, 1.0)
    assert mug["distance"] == pytest.approx(math.dist((0.2, 0.85, -0.1), (0.0, 0.9, -1.25)))


def test_memory_holds_one_scene(table: Table) -> None:
    import gc
    import weakref

    first = weakref.ref(table.renderers.pop())
    table.start("FloorPlan2")
    table.start("FloorPlan1")
    gc.collect()
    assert first() is None


def test_the_same_commands_give_the_same_answers() -> None:
    def answers() -> list[Any]:
        table = Table(box_source()).start(renderInstanceSegmentation=True)
        table.ok("GetReachablePositions")
        table.look_from(-1.5, -1.5, 45, 30)
        return [(m, {f: [i.tobytes() for i in p] for f, p in fields.items()}) for m, fields in table.events]

    assert answers() == answers()
