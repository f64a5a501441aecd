"""The unmodified ai2thor client against the player as a program, in a tiny room: what its users rely on.

What AI2-THOR's own player does too is in test_either_player.py.
"""

import hashlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import real_client
import tiny_room
from real_client import AGENT_FIELDS, EVENT_FIELDS, OBJECT_FIELDS, md5_color
from tiny_room import CRATE, MUG, TABLE

from saom_player import __main__ as program
from saom_player.arguments import ActionError

PLAYER = f"{sys.executable} {tiny_room.__file__}"
EYE = {"x": -1.5, "y": 0.9, "z": -1.5}


def controller(home: Path, **options: Any) -> AbstractContextManager[Any]:
    return real_client.controller(home, **({"local_executable_path": PLAYER, "scene": "FloorPlan1"} | options))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def shared(home: Path) -> Iterator[Any]:
    with controller(home) as client:
        yield client


@pytest.fixture
def client(shared: Any) -> Any:
    """The shared controller, in a fresh scene, looking at the table from a corner."""
    shared.reset("FloorPlan1", width=300, height=300, renderSemanticSegmentation=False)
    look(shared)
    return shared


def look(client: Any, **changes: Any) -> Any:
    pose = {"position": EYE, "rotation": {"x": 0, "y": 45, "z": 0}, "horizon": 30, "standing": True} | changes
    return client.step(action="TeleportFull", **pose, raise_for_failure=True)


def test_all_metadata_fields_are_there(client: Any) -> None:
    event = client.last_event
    assert set(event.metadata) >= EVENT_FIELDS
    assert set(event.metadata["agent"]) >= AGENT_FIELDS
    assert event.metadata["sceneName"] == "FloorPlan1_physics"
    assert event.metadata["heldObjectPose"]["position"].keys() == {"x", "y", "z"}
    for found in event.metadata["objects"]:
        assert set(found) >= OBJECT_FIELDS
    assert [o["objectId"] for o in event.metadata["objects"]] == [TABLE, MUG, CRATE]
    assert event.get_object(MUG)["parentReceptacles"] == [TABLE]
    assert event.objects_by_type("Mug")[0]["name"] == "Mug_1"
    assert (event.pose[0], event.pose[2]) == (-1500, 45000)


def test_frames_have_the_clients_shapes_and_orientation(client: Any) -> None:
    event = client.last_event
    assert (event.frame.shape, event.frame.dtype) == ((300, 300, 3), np.uint8)
    assert (event.depth_frame.shape, event.depth_frame.dtype) == ((300, 300), np.float32)
    assert event.instance_segmentation_frame.shape == (300, 300, 3)
    # Looking down: the floor is nearer at the bottom, where it is the floor.
    assert event.depth_frame[299, 150] < event.depth_frame[150, 150]
    assert tuple(event.instance_segmentation_frame[299, 150]) == md5_color("Floor")
    assert event.frame.std() > 10


def test_depth_is_metres_along_the_view_axis(client: Any) -> None:
    event = look(client, position={"x": -1.5, "y": 0.9, "z": -1.5}, rotation={"y": 0}, horizon=0)
    assert event.depth_frame[150, 170] == pytest.approx(3.5, abs=0.01)
    # A wall square to the view is equally deep everywhere.
    wall = event.instance_segmentation_frame[:, :, :3] == md5_color("Wall|1")
    assert np.ptp(event.depth_frame[wall.all(axis=-1)]) < 0.01


def test_colors_are_the_md5_of_ids_and_classes(client: Any) -> None:
    event = client.last_event
    for name in (TABLE, MUG, CRATE, "DiningTable", "Mug", "Box", "Floor"):
        assert event.object_id_to_color[name] == md5_color(name)
        assert event.color_to_object_id[md5_color(name)] == name


def test_instance_masks_and_detections(client: Any) -> None:
    event = client.last_event
    assert {TABLE, MUG} <= set(event.instance_masks)
    ids = event.instance_masks.instance_segmentation_frame_uint32
    assert (ids >> 24 == 255).all()
    for name in (TABLE, MUG):
        rows, columns = np.nonzero(event.instance_masks[name])
        box = event.instance_detections2D[name]
        assert box == (columns.min(), rows.min(), columns.max(), rows.max())
    assert event.class_detections2D["Mug"] == (event.instance_detections2D[MUG],)
    assert np.array_equal(event.class_masks["Mug"], event.instance_masks[MUG])
    # Right of the line of sight in the room is right in the picture.
    ahead = look(client, position={"x": 0.0, "y": 0.9, "z": -1.25}, rotation={"y": 0}, horizon=30)
    assert np.nonzero(ahead.instance_masks[MUG])[1].mean() > 150


def test_semantic_frames_have_class_colors(client: Any) -> None:
    event = client.reset("FloorPlan1", renderSemanticSegmentation=True)
    event = look(client)
    mug = event.semantic_segmentation_frame[event.instance_masks[MUG]]
    assert {tuple(color) for color in mug.tolist()} == {md5_color("Mug")}


def test_a_third_party_camera_equals_the_agents_at_an_equal_pose(client: Any) -> None:
    eye = client.last_event.metadata["cameraPosition"]
    event = client.step("AddThirdPartyCamera", position=eye, rotation={"x": 30, "y": 45, "z": 0}, fieldOfView=90)
    assert np.array_equal(event.third_party_instance_segmentation_frames[0], event.instance_segmentation_frame)
    assert np.array_equal(event.third_party_camera_frames[0], event.frame)
    assert np.array_equal(event.third_party_depth_frames[0], event.depth_frame)
    assert np.array_equal(event.third_party_instance_masks[0][MUG], event.instance_masks[MUG])
    before = event.frame
    event = client.step("RotateRight")
    assert np.array_equal(event.third_party_camera_frames[0], before)
    event = client.step("UpdateThirdPartyCamera", thirdPartyCameraId=0, rotation={"y": 135})
    assert np.array_equal(event.third_party_camera_frames[0], event.frame)


def part_frame(told: dict[str, Any]) -> Any:
    return np.frombuffer(told["data"], told["dtype"]).reshape(told["shape"])


def test_part_ids_pass_through_the_client_for_every_camera(client: Any) -> None:
    client.reset("FloorPlan1", renderPartSegmentation=True)
    event = look(client)
    eye, parts = event.metadata["cameraPosition"], part_frame(event.metadata["partSegmentation"])
    names = {entry["part"]: entry["objectId"] for entry in client.step("GetParts").metadata["actionReturn"]}
    for number in np.unique(parts):
        assert {md5_color(names[number])} == {tuple(c) for c in event.instance_segmentation_frame[parts == number]}
    event = client.step("AddThirdPartyCamera", position=eye, rotation={"x": 30, "y": 45, "z": 0}, fieldOfView=90)
    (other,) = event.metadata["thirdPartyPartSegmentations"]
    assert np.array_equal(part_frame(other), parts)
    client.reset("FloorPlan1", renderPartSegmentation=False)
    assert "partSegmentation" not in client.last_event.metadata


def test_resolution_changes_by_action_and_by_reset(client: Any) -> None:
    event = client.step("ChangeResolution", x=320, y=240, raise_for_failure=True)
    assert event.frame.shape == (240, 320, 3)
    event = client.reset("FloorPlan2", width=200, height=100)
    assert event.frame.shape == (100, 200, 3)
    assert event.instance_masks.instance_segmentation_frame_uint32.shape == (100, 200)


def test_walking_and_teleporting_over_reachable_positions(client: Any) -> None:
    positions = client.step("GetReachablePositions").metadata["actionReturn"]
    assert len(positions) > 100
    for position in positions[::40]:
        assert look(client, position=position).metadata["agent"]["position"] == position
    blocked = client.step("TeleportFull", position={"x": 0, "y": 0.9, "z": 0}, rotation=0, horizon=0, standing=True)
    assert not blocked
    assert "DiningTable_1" in blocked.metadata["errorMessage"]
    with pytest.raises(RuntimeError, match="DiningTable_1 is blocking Agent 0"):
        client.step("Teleport", position={"x": 0, "y": 0.9, "z": 0}, raise_for_failure=True)


@pytest.mark.parametrize(
    ("action", "arguments", "message"),
    [
        ("FlyAway", {}, "Invalid action: FlyAway"),
        ("RotateRight", {"angle": 5}, "invalid argument: 'angle'"),
        ("RotateRight", {"degrees": "much"}, "Cannot convert to: float"),
        ("TeleportFull", {"position": EYE}, "missing the following arguments: rotation,horizon,standing"),
        ("ChangeResolution", {"x": -1, "y": 300}, "out of range"),
        ("ChangeResolution", {"x": 10**6, "y": 300}, "out of range"),
        ("AddThirdPartyCamera", {"position": {"x": 0}}, "missing the following arguments: rotation"),
    ],
)
def test_wrong_use_is_a_value_error_and_the_player_goes_on(
    client: Any, action: str, arguments: dict[str, Any], message: str
) -> None:
    player = client.server.unity_proc.pid
    with pytest.raises(ValueError, match=re.escape(message)):
        client.step(action=action, **arguments)
    assert client.step("Pass").frame.shape == (300, 300, 3)
    assert client.server.unity_proc.pid == player


def test_failed_actions_are_false_events(client: Any) -> None:
    assert not client.step("MoveAhead", moveMagnitude=20)
    assert client.last_event.metadata["errorCode"] is None
    assert not client.step("LookDown", degrees=45)
    assert client.last_event.metadata["errorCode"] == "LookDownCantExceedMin"
    assert client.step("MoveRight")


def test_unknown_scenes_are_refused_and_the_player_goes_on(client: Any) -> None:
    with pytest.raises(ValueError, match="FloorPlan77_physics' not contained in build"):
        client.reset("FloorPlan77")
    # Past the client's own list of scenes.
    client._scenes_in_build = set()
    with pytest.raises(RuntimeError, match="unknown scene 'FloorPlan77'"):
        client.reset("FloorPlan77")
    client._scenes_in_build = None
    assert not client.reset({"rooms": [], "metadata": {}})
    assert client.reset("FloorPlan2").metadata["lastActionSuccess"]


def digest(event: Any) -> str:
    picture = event.frame.tobytes() + event.depth_frame.tobytes() + event.instance_segmentation_frame.tobytes()
    return hashlib.sha256(picture + repr(dict(event.metadata)).encode()).hexdigest()


def test_the_same_commands_give_the_same_bytes_in_another_process(client: Any, home: Path) -> None:
    here = [digest(look(client)), digest(client.step("RotateRight"))]
    with controller(home) as other:
        assert [digest(look(other)), digest(other.step("RotateRight"))] == here


def test_headless_sends_no_pictures(home: Path) -> None:
    with controller(home, headless=True) as client:
        event = client.step("MoveRight")
        assert event.metadata["lastActionSuccess"]
        assert event.frame is None
        assert len(event.metadata["objects"]) == 3


def test_the_player_ends_when_its_client_does(home: Path) -> None:
    with controller(home) as client:
        process = client.server.unity_proc
        client.server.client_pipe.close()
        client.server.client_pipe = None
        assert process.wait(10) == 0


def test_an_interrupt_at_the_clients_terminal_does_not_end_the_player(home: Path) -> None:
    with controller(home) as client:
        client.server.unity_proc.send_signal(signal.SIGINT)
        assert client.step("MoveRight")


@pytest.mark.slow
def test_the_products_own_scenes(home: Path) -> None:
    """A kitchen and a bathroom, as `python -m saom_player` makes them, from many reachable places."""
    rng = np.random.default_rng(0)
    with controller(home, local_executable_path=f"{sys.executable} -m saom_player", scene="FloorPlan401") as client:
        assert {"FloorPlan1_physics", "FloorPlan430_physics"} <= client.scenes_in_build
        for scene in ("FloorPlan401", "FloorPlan1"):
            client.reset(scene)
            positions = client.step("GetReachablePositions").metadata["actionReturn"]
            assert len(positions) > 30
            seen: set[str] = set()
            for position in rng.choice(positions, 8):
                event = look(client, position=position, rotation={"y": float(rng.integers(0, 360))})
                assert event.frame.std() > 5
                seen |= set(event.instance_masks)
                visible = {o["objectId"] for o in event.metadata["objects"] if o["visible"]}
                assert visible <= set(event.instance_masks)
            assert len(seen & {o["objectId"] for o in event.metadata["objects"]}) > 10


def test_started_by_hand_it_says_who_starts_it() -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AI2THOR")}
    command = [sys.executable, "-m", "saom_player"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert "Controller(local_executable_path=" in run.stderr
    wsgi = environment | {"AI2THOR_SERVER_TYPE": "WSGI"}
    run = subprocess.run(command, env=wsgi, capture_output=True, text=True, timeout=60)
    assert (run.returncode, "not WSGI" in run.stderr) == (2, True)


def test_starting_imports_only_what_is_needed() -> None:
    program = "import sys, saom_player.__main__ as m; print(*sorted({n.split('.')[0] for n in sys.modules}))"
    names = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert {"msgpack", "numpy"} <= set(names)
    assert not {"embreex", "torch", "ai2thor", "cv2", "PIL", "scipy", "saom_bench", "saom_collectors"} & set(names)


def test_without_embree_it_says_so_at_start_and_at_every_reset(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "find_spec", lambda name: None)
    source = program.product_scenes()
    assert "aarch64" in capfd.readouterr().err
    with pytest.raises(ActionError, match="embreex, which is not installed"):
        source.load("FloorPlan1")


@pytest.mark.parametrize(("variable", "folder"), [("/x", "/x"), ("", "/h/.cache"), ("relative", "/h/.cache")])
def test_baked_light_is_kept_in_the_users_cache(variable: str, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/h")
    monkeypatch.setenv("XDG_CACHE_HOME", variable)
    assert program.cache_folder() == Path(folder) / "saom-bench" / "player"


def test_a_drawer_and_a_fridge_open_and_a_lamp_goes_out(tmp_path: Path) -> None:
    product = f"{sys.executable} -m saom_player"
    with controller(tmp_path, local_executable_path=product, scene="FloorPlan1", headless=True) as client:
        for kind in ("Drawer", "Fridge"):
            thing = next(o for o in client.last_event.metadata["objects"] if o["objectType"] == kind)
            event = client.step("OpenObject", objectId=thing["objectId"], openness=0.5, forceAction=True)
            now = event.get_object(thing["objectId"])
            assert (now["isOpen"], now["openness"]) == (True, 0.5)
            assert now["axisAlignedBoundingBox"] != thing["axisAlignedBoundingBox"]
            event = client.step("CloseObject", objectId=thing["objectId"], forceAction=True)
            assert event.get_object(thing["objectId"])["axisAlignedBoundingBox"] == thing["axisAlignedBoundingBox"]
        switch = next(o["objectId"] for o in event.metadata["objects"] if o["objectType"] == "LightSwitch")
        assert event.get_object(switch)["isToggled"]
        event = client.step("ToggleObjectOff", objectId=switch, forceAction=True)
        assert not event.get_object(switch)["isToggled"]
        event = client.step("ToggleObjectOff", objectId=switch, forceAction=True)
        assert event.metadata["errorMessage"] == "can't toggle object off if it's already off!"
        with pytest.raises(ValueError, match="invalid argument"):
            client.step("OpenObject", objectId=switch, wide=True)
