"""What must hold of any player, through the unmodified client: the embedded one, and AI2-THOR's own build.

The second is marked ``unity``, and runs where SAOM_UNITY names an executable, or is "download" for the client's own
build: SAOM_UNITY=download pytest -m unity tests/saom_player/test_either_player.py
"""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import ai2thor.platform
import numpy as np
import pytest
from real_client import AGENT_FIELDS, EVENT_FIELDS, OBJECT_FIELDS, controller, md5_color

SCENE, OTHER = "FloorPlan401", "FloorPlan402"
UNITY = os.environ.get("SAOM_UNITY", "")
FRESH: dict[str, Any] = {
    "width": 300,
    "height": 300,
    "fieldOfView": 90,
    "visibilityDistance": 1.5,
    "snapToGrid": False,
    "gridSize": 0.25,
    "renderSemanticSegmentation": False,
    "renderNormalsImage": False,
    "fastActionEmit": False,
}


def start(kind: str, home: Path) -> AbstractContextManager[Any]:
    if kind == "embedded":
        return controller(home, local_executable_path=f"{sys.executable} -m saom_player", scene=SCENE, **FRESH)
    if UNITY == "download":
        return controller(home, platform=ai2thor.platform.CloudRendering, scene=SCENE, **FRESH)
    return controller(home, local_executable_path=UNITY, scene=SCENE, **FRESH)


PLAYERS = [
    "embedded",
    pytest.param("unity", marks=[pytest.mark.unity, pytest.mark.skipif(not UNITY, reason="SAOM_UNITY names no build")]),
]


@pytest.fixture(scope="module", params=PLAYERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def running(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with start(kind, tmp_path_factory.mktemp("home")) as client:
        yield client


class Shared:
    """The one player of this module, and whether its scene is as the next test wants it."""

    is_fresh = False


@pytest.fixture
def client(running: Any) -> Any:
    """The player in a scene that nobody changed, at a place from where most of the room is seen; for looking only."""
    if not Shared.is_fresh:
        running.reset(SCENE, **FRESH)
    Shared.is_fresh = True
    stand(running)
    return running


@pytest.fixture
def bare(running: Any) -> Any:
    """The player as the last test left it, for tests that begin with a reset of their own."""
    Shared.is_fresh = False
    return running


@pytest.fixture
def changing(client: Any) -> Any:
    """The same, for what changes the scene or how it is shown."""
    Shared.is_fresh = False
    return client


def places(client: Any) -> list[dict[str, float]]:
    found: list[dict[str, float]] = client.step("GetReachablePositions", raise_for_failure=True).metadata[
        "actionReturn"
    ]
    return sorted(found, key=lambda p: (p["x"], p["z"]))


def stand(client: Any, **changes: Any) -> Any:
    pose = {"position": places(client)[0], "rotation": {"x": 0, "y": 90, "z": 0}, "horizon": 30, "standing": True}
    return client.step(action="TeleportFull", **(pose | changes), raise_for_failure=True)


def named(event: Any, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(o for o in event.metadata["objects"] if o["objectType"] == kind)
    return found


def third_party(client: Any, **changes: Any) -> Any:
    """A camera in the agent's eye, but for the changes."""
    told = client.last_event.metadata
    turn = {"x": told["agent"]["cameraHorizon"], "y": told["agent"]["rotation"]["y"], "z": 0}
    own = {"position": told["cameraPosition"], "rotation": turn, "fieldOfView": told["fov"]}
    return client.step("AddThirdPartyCamera", **(own | changes), raise_for_failure=True)


def test_the_metadata_has_all_fields_and_their_types(client: Any) -> None:
    told = client.last_event.metadata
    assert set(told) >= EVENT_FIELDS
    assert set(told["agent"]) >= AGENT_FIELDS
    assert told["sceneName"] == f"{SCENE}_physics"
    assert (told["lastAction"], told["lastActionSuccess"], told["errorMessage"]) == ("TeleportFull", True, "")
    assert len(told["objects"]) > 20
    for found in told["objects"]:
        assert set(found) >= OBJECT_FIELDS
        for field in ("position", "rotation"):
            assert all(isinstance(found[field][axis], (int, float)) for axis in "xyz")
        assert len(found["axisAlignedBoundingBox"]["cornerPoints"]) == 8
        assert found["receptacle"] or not found["receptacleObjectIds"]
        assert isinstance(found["parentReceptacles"], (list, type(None)))
        assert 0 <= found["openness"] <= 1


def test_receptacles_and_what_they_hold_name_each_other(client: Any) -> None:
    objects = {o["objectId"]: o for o in client.last_event.metadata["objects"]}
    held = [(name, o) for o in objects.values() for name in o["receptacleObjectIds"] or ()]
    assert len(held) > 3
    assert all(o["objectId"] in objects[name]["parentReceptacles"] for name, o in held)


def test_colors_are_the_md5_of_ids(client: Any) -> None:
    event = client.last_event
    own = {o["objectId"] for o in event.metadata["objects"]}
    seen = own & set(event.instance_masks)
    assert len(seen) > 5
    for name in seen:
        assert event.object_id_to_color[name] == md5_color(name)
        rows, columns = np.nonzero(event.instance_masks[name])
        assert tuple(event.instance_segmentation_frame[rows[0], columns[0]]) == md5_color(name)


def test_frames_have_the_clients_shapes(bare: Any) -> None:
    event = bare.reset(SCENE, **(FRESH | {"renderSemanticSegmentation": True, "renderNormalsImage": True}))
    assert (event.frame.shape, event.frame.dtype) == ((300, 300, 3), np.uint8)
    assert (event.depth_frame.shape, event.depth_frame.dtype) == ((300, 300), np.float32)
    assert event.instance_segmentation_frame.shape == (300, 300, 3)
    assert event.semantic_segmentation_frame.shape == (300, 300, 3)
    assert event.normals_frame.shape == (300, 300, 3)
    assert 0 < event.depth_frame.min() < event.depth_frame.max() < 20


def test_semantic_segmentation_has_one_color_a_type(bare: Any) -> None:
    bare.reset(SCENE, **(FRESH | {"renderSemanticSegmentation": True}))
    event = stand(bare)
    types = {o["objectId"]: o["objectType"] for o in event.metadata["objects"]}
    seen = [name for name in event.instance_masks if name in types]
    assert len(seen) > 5
    for name in seen:
        colors = {tuple(c) for c in event.semantic_segmentation_frame[event.instance_masks[name]].tolist()}
        assert {event.color_to_object_id[c] for c in colors} == {types[name]}


def test_normals_are_the_cameras(bare: Any) -> None:
    bare.reset(SCENE, **(FRESH | {"renderNormalsImage": True}))
    event = stand(bare, horizon=0)
    floor = event.instance_masks[named(event, "Floor")["objectId"]]
    assert floor.sum() > 50
    assert np.median(event.normals_frame[floor], axis=0) == pytest.approx((127.5, 255, 127.5), abs=2)
    down = stand(bare, horizon=60)
    floor = down.instance_masks[named(down, "Floor")["objectId"]]
    half, most = 127.5 * (1 + np.cos(np.radians(60))), 127.5 * (1 + np.sin(np.radians(60)))
    assert np.median(down.normals_frame[floor], axis=0) == pytest.approx((127.5, half, most), abs=2)


def test_an_equal_third_party_camera_shows_equal_ids(changing: Any) -> None:
    event = third_party(changing)
    assert np.array_equal(event.third_party_instance_segmentation_frames[0], event.instance_segmentation_frame)
    assert np.abs(event.third_party_depth_frames[0] - event.depth_frame).max() < 1e-3
    for name in set(event.instance_masks) & {o["objectId"] for o in event.metadata["objects"]}:
        assert np.array_equal(event.third_party_instance_masks[0][name], event.instance_masks[name])


def test_several_third_party_cameras_each_have_all_pictures(bare: Any) -> None:
    bare.reset(SCENE, **(FRESH | {"renderSemanticSegmentation": True, "renderNormalsImage": True}))
    stand(bare)
    for fov in (90, 60, 30):
        event = third_party(bare, fieldOfView=fov)
    told = event.metadata["thirdPartyCameras"]
    assert [(c["thirdPartyCameraId"], c["fieldOfView"]) for c in told] == [(0, 90), (1, 60), (2, 30)]
    frames = [
        event.third_party_camera_frames,
        event.third_party_depth_frames,
        event.third_party_instance_segmentation_frames,
        event.third_party_semantic_segmentation_frames,
        event.third_party_normals_frames,
    ]
    assert [[f.shape[:2] for f in each] for each in frames] == [[(300, 300)] * 3] * 5
    assert np.array_equal(event.third_party_semantic_segmentation_frames[0], event.semantic_segmentation_frame)
    first, second, third = event.third_party_instance_segmentation_frames
    assert not np.array_equal(first, second)
    moved = bare.step("UpdateThirdPartyCamera", thirdPartyCameraId=1, fieldOfView=30, raise_for_failure=True)
    again = moved.third_party_instance_segmentation_frames
    assert np.array_equal(again[0], first)
    assert np.array_equal(again[1], third)
    assert bare.reset(SCENE).metadata["thirdPartyCameras"] == []


def test_field_of_view_and_resolution_change_with_reset(bare: Any) -> None:
    event = bare.reset(SCENE, **(FRESH | {"fieldOfView": 60, "width": 320, "height": 240}))
    assert event.metadata["fov"] == 60
    assert event.frame.shape == (240, 320, 3)
    event = bare.step("ChangeResolution", x=300, y=300, raise_for_failure=True)
    assert (event.frame.shape, event.depth_frame.shape) == ((300, 300, 3), (300, 300))
    assert (event.metadata["screenWidth"], event.metadata["screenHeight"]) == (300, 300)


def test_a_step_without_pictures_has_none(client: Any) -> None:
    event = client.step("RotateRight", renderImage=False, raise_for_failure=True)
    assert event.frame is None
    assert event.metadata["objects"]


def test_fast_action_emit_tells_the_same(bare: Any) -> None:
    bare.reset(SCENE, **(FRESH | {"fastActionEmit": True}))
    before = stand(bare)
    event = bare.step("GetReachablePositions", raise_for_failure=True)
    assert len(event.metadata["actionReturn"]) > 5
    assert np.array_equal(event.frame, before.frame)
    assert np.array_equal(event.instance_segmentation_frame, before.instance_segmentation_frame)
    assert event.metadata["agent"] == before.metadata["agent"]
    assert not bare.step("LookDown", degrees=60)
    assert bare.last_event.metadata["errorCode"] == "LookDownCantExceedMin"
    assert bare.step("Pass").metadata["errorMessage"] == ""


def test_crouching_lowers_the_camera_by_a_head(changing: Any) -> None:
    height = changing.last_event.metadata["cameraPosition"]["y"]
    assert height == pytest.approx(changing.last_event.metadata["agent"]["position"]["y"] + 0.675, abs=0.01)
    event = changing.step("Crouch", raise_for_failure=True)
    assert (event.metadata["agent"]["isStanding"], event.metadata["cameraPosition"]["y"] < height - 0.3) == (
        False,
        True,
    )
    assert changing.step("Stand", raise_for_failure=True).metadata["cameraPosition"]["y"] == pytest.approx(height)


def test_reachable_positions_lie_on_the_grid_and_can_be_stood_at(bare: Any) -> None:
    start_at = bare.reset(SCENE, **FRESH).metadata["agent"]["position"]
    found = places(bare)
    assert len(found) > 5
    for axis in "xz":
        steps = np.array([p[axis] - start_at[axis] for p in found]) / 0.25
        offsets = np.abs(steps - np.round(steps))
        assert (offsets < 0.01).all() or np.ptp(steps - np.floor(steps)) < 0.01
    for place in found[:: max(1, len(found) // 4)]:
        assert stand(bare, position=place).metadata["agent"]["position"] == pytest.approx(place, abs=0.01)
    bare.reset(SCENE, **(FRESH | {"gridSize": 0.5}))
    assert 0 < len(places(bare)) < len(found)


def test_moves_end_at_what_is_in_the_way(client: Any) -> None:
    for _ in range(40):
        before = client.last_event.metadata["agent"]["position"]
        if not client.step("MoveAhead"):
            break
    told = client.last_event.metadata
    assert not told["lastActionSuccess"]
    assert "is blocking Agent 0 from moving by" in told["errorMessage"]
    assert told["agent"]["position"] == pytest.approx(before, abs=0.001)


def test_looking_up_and_down_has_limits(client: Any) -> None:
    stand(client, horizon=60)
    assert not client.step("LookDown")
    assert client.last_event.metadata["errorCode"] == "LookDownCantExceedMin"
    stand(client, horizon=-30)
    assert not client.step("LookUp")
    assert client.last_event.metadata["errorCode"] == "LookUpCantExceedMax"
    assert client.last_event.metadata["agent"]["cameraHorizon"] == pytest.approx(-30, abs=0.1)


def test_visible_is_what_is_seen_within_the_distance(changing: Any) -> None:
    near = {o["objectId"] for o in changing.last_event.metadata["objects"] if o["visible"]}
    changing.reset(SCENE, **(FRESH | {"visibilityDistance": 20}))
    event = stand(changing)
    far = {o["objectId"] for o in event.metadata["objects"] if o["visible"]}
    assert near < far
    seen = [o for o in event.metadata["objects"] if o["visible"] and o["objectId"] in event.instance_masks]
    assert len(seen) > 0.6 * len(far)


@pytest.mark.parametrize(
    ("action", "arguments", "message"),
    [
        ("FlyAway", {}, "FlyAway"),
        ("RotateRight", {"angle": 5}, "angle"),
        ("RotateRight", {"degrees": "much"}, "degrees"),
        ("OpenObject", {}, "missing the following arguments"),
        ("AddThirdPartyCamera", {"position": {"x": 0, "y": 1, "z": 0}}, "rotation"),
        ("TeleportFull", {"position": {"x": 0, "y": 1, "z": 0}}, "missing the following arguments"),
    ],
)
def test_wrong_use_is_a_value_error(client: Any, action: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        client.step(action=action, **arguments)
    assert client.step("Pass")


@pytest.mark.parametrize(
    ("action", "arguments", "message"),
    [
        ("OpenObject", {"objectId": "Fridge|9|9|9"}, "is not the objectId on any object in the scene"),
        ("UpdateThirdPartyCamera", {"thirdPartyCameraId": 7}, "thirdPartyCameraId"),
        ("TeleportFull", {"position": {"x": 50, "y": 0.9, "z": 50}, "rotation": 0, "horizon": 0, "standing": True}, ""),
        ("RandomizeLighting", {"brightness": [-1, 1]}, "brightness"),
        ("RandomizeMaterials", {"inRoomTypes": ["Attic"]}, "Attic"),
    ],
)
def test_what_cannot_be_done_is_a_failed_event(
    client: Any, action: str, arguments: dict[str, Any], message: str
) -> None:
    before = client.last_event.metadata["agent"]
    event = client.step(action=action, **arguments)
    assert not event.metadata["lastActionSuccess"]
    assert message in event.metadata["errorMessage"] != ""
    assert event.metadata["agent"] == before


def test_objects_open_and_close_and_lamps_go_out(changing: Any) -> None:
    openable = next(o for o in changing.last_event.metadata["objects"] if o["openable"] and not o["isOpen"])
    name = openable["objectId"]
    opened = changing.step("OpenObject", objectId=name, forceAction=True, raise_for_failure=True).get_object(name)
    assert (opened["isOpen"], opened["openness"]) == (True, pytest.approx(1))
    assert not changing.step("CloseObject", objectId=name, forceAction=True).get_object(name)["isOpen"]
    other = next(o for o in changing.last_event.metadata["objects"] if not o["openable"] and o["pickupable"])
    assert (
        "Openable" in changing.step("OpenObject", objectId=other["objectId"], forceAction=True).metadata["errorMessage"]
    )
    switch = next(o for o in changing.last_event.metadata["objects"] if o["toggleable"])
    action = "ToggleObjectOff" if switch["isToggled"] else "ToggleObjectOn"
    event = changing.step(action, objectId=switch["objectId"], forceAction=True, raise_for_failure=True)
    assert event.get_object(switch["objectId"])["isToggled"] is not switch["isToggled"]


def positions(event: Any) -> dict[str, list[float]]:
    return {o["objectId"]: [round(o["position"][a], 2) for a in "xyz"] for o in event.metadata["objects"]}


def test_a_spawn_depends_on_its_seed_and_a_reset_undoes_it(changing: Any) -> None:
    before = positions(changing.last_event)
    first = positions(changing.step("InitialRandomSpawn", randomSeed=1, raise_for_failure=True))
    assert first != before
    assert positions(changing.reset(SCENE)) == before
    assert positions(changing.step("InitialRandomSpawn", randomSeed=1, raise_for_failure=True)) == first


def test_materials_and_lighting_change_pictures_and_not_ids(changing: Any) -> None:
    before = changing.last_event
    event = changing.step("RandomizeMaterials", raise_for_failure=True)
    assert event.metadata["actionReturn"]["totalMaterialsConsidered"] > 0
    assert not np.array_equal(event.frame, before.frame)
    assert np.array_equal(event.instance_segmentation_frame, before.instance_segmentation_frame)
    changing.step("ResetMaterials", raise_for_failure=True)
    event = changing.step("RandomizeLighting", brightness=[0.4, 0.5], randomizeColor=False, raise_for_failure=True)
    assert event.frame.mean() != before.frame.mean()


def test_set_poses_are_taken_and_what_is_disabled_is_gone(changing: Any) -> None:
    loose = [o for o in changing.last_event.metadata["objects"] if o["pickupable"] or o["moveable"]]
    poses = [{"objectName": o["name"], "position": o["position"], "rotation": o["rotation"]} for o in loose]
    poses[0]["position"] = dict(loose[0]["position"], y=loose[0]["position"]["y"] + 0.3)
    event = changing.step("SetObjectPoses", objectPoses=poses, placeStationary=True, raise_for_failure=True)
    assert event.get_object(loose[0]["objectId"])["position"]["y"] == pytest.approx(poses[0]["position"]["y"], abs=0.02)
    event = changing.step("DisableObject", objectId=loose[1]["objectId"], raise_for_failure=True)
    assert loose[1]["objectId"] not in event.instance_masks


def test_another_process_tells_and_shows_the_same(client: Any, kind: str, tmp_path: Path) -> None:
    def shown(one: Any) -> list[Any]:
        event = stand(one)
        other = one.step("RotateRight", raise_for_failure=True)
        # A GPU's colours may differ by a hair from run to run; a CPU's do not.
        pictures = [event.frame.tobytes()] if kind == "embedded" else []
        return [*pictures, positions(event), *(e.instance_segmentation_frame.tobytes() for e in (event, other))]

    with start(kind, tmp_path) as another:
        assert shown(another) == shown(client)


def test_scenes_change_and_unknown_ones_are_refused(bare: Any) -> None:
    event = bare.reset(OTHER)
    assert event.metadata["sceneName"] == f"{OTHER}_physics"
    with pytest.raises(ValueError, match="not contained in build"):
        bare.reset("FloorPlan77")
    assert bare.reset(SCENE).metadata["lastActionSuccess"]
