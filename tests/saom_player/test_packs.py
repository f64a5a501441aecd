"""The player with scene packs: a pack made from a synthetic Unity project is drawn where, how and as what it should be.

Places and colours are worked out by hand from tests/unity_project.py: a room of 6 m by 6 m, a flag of two colours.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pack_files import sound_pack, with_member, write_unsound
from player_table import Table
from tiny_room import NAMES, room
from unity_project import SCENE, build

from saom_player.__main__ import embree_renderer
from saom_player.packs.build import pack_scene, with_packs
from saom_player.physics.navigation import Navigation
from saom_player.render.renderer import Camera, Frame, Renderer
from saom_player.rooms.layouts import load_scene
from saom_player.scene import Scene
from saom_player.simulation import SceneSource
from saom_player.tables.layout import placed_objects
from saom_scenes.packs import PackInstance, PackMaterial, PackPart, PackTexture, read_pack, write_pack
from saom_scenes.unity import Assets, UnityProject, import_scenes

FLAG, BANNER = "Painting|+01.00|+01.00|+01.00", "Painting|+00.00|+00.25|-01.00"
TABLE, MUG = "DiningTable|-01.00|+00.00|+01.00", "Mug|-01.50|+01.10|+00.75"
FRIDGE, FLOOR = "Fridge|+02.00|+00.00|-02.00", "Floor|+00.00|+00.00|+00.00"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packs of the synthetic project."""
    clone, out = tmp_path_factory.mktemp("clone"), tmp_path_factory.mktemp("packs")
    build(clone)
    assets = Assets.open(UnityProject.open(clone))
    assert [o.error for o in import_scenes(assets, assets.project.scenes(), out)] == [""]
    return out


@pytest.fixture(scope="module")
def scene(folder: Path) -> Scene:
    return pack_scene(read_pack(folder / f"{SCENE}.npz")).scene


@pytest.fixture(scope="module")
def renderer(scene: Scene) -> Renderer:
    return Renderer(scene)


def source(folder: Path) -> SceneSource:
    return with_packs(folder, SceneSource(lambda: NAMES, room, embree_renderer))


def look(renderer: Renderer, x: float, z: float, yaw: float, y: float = 1.575, horizon: float = 0.0) -> Frame:
    """120 x 160 pixels of 90 degrees: at d metres a metre is 60 / d pixels, about the middle (60, 80)."""
    return renderer.render(Camera((x, y, z), yaw, horizon, 90.0), (120, 160))


def seen(scene: Scene, frame: Frame, row: int, column: int) -> str:
    """The object id, or a structure's name, at a pixel."""
    thing = scene.instances()[int(frame.instances[row, column]) - 1]
    return getattr(thing, "object_id", "") or getattr(thing, "name", "")


def test_objects_are_the_packs_with_their_boxes(scene: Scene) -> None:
    boxes = {o.object_id: (o.object_type, o.box.center, o.box.size) for o in scene.objects}
    assert set(boxes) == {FLAG, BANNER, TABLE, MUG, FRIDGE, FLOOR}
    kind, center, size = boxes[FLAG]
    assert (kind, center, size) == ("Painting", pytest.approx((1, 2, 1.5)), pytest.approx((0, 2, 1), abs=1e-6))
    assert boxes[MUG][2] == pytest.approx((0.1, 0.1, 0.1), abs=1e-6)
    assert next(o for o in scene.objects if o.object_id == FRIDGE).parts == ()
    assert scene.agent_position[1] == pytest.approx(0.9)


def test_the_flag_is_seen_from_its_front_in_its_texture(scene: Scene, renderer: Renderer) -> None:
    """1.5 m before the flag a metre is 40 pixels. Its texture repeats twice over its metre, half a repeat shifted:
    green, red, green, red from z = 1, which is on the left for who looks along -x."""
    frame = look(renderer, 2.5, 1.5, 270)
    assert frame.rgb is not None
    for column, first in ((65, "green"), (75, "red"), (85, "green"), (95, "red")):
        assert seen(scene, frame, 60, column) == FLAG
        assert frame.depth[60, column] == pytest.approx(1.5, abs=1e-3)
        r, g, b = frame.rgb[60, column].astype(int)
        assert (g > 2 * r and g > 2 * b) if first == "green" else (r > 2 * g and r > 2 * b), (column, r, g, b)
    # The flag's edges are at 40 and 60 pixels from the left of the middle half: columns 60 and 100.
    assert [seen(scene, frame, 60, c) == FLAG for c in (59, 60, 99, 100)] == [False, True, True, False]


def test_from_behind_it_is_not_there(scene: Scene, renderer: Renderer) -> None:
    frame = look(renderer, 0.2, 1.5, 90)
    assert seen(scene, frame, 60, 85) == "Structure"
    assert frame.depth[60, 85] == pytest.approx(3 - 0.05 - 0.2, abs=1e-3)


def test_the_mirrored_banner_faces_its_viewer(scene: Scene, renderer: Renderer) -> None:
    frame = look(renderer, 0.25, 0.0, 180, y=0.5)
    assert seen(scene, frame, 60, 80) == BANNER
    assert frame.depth[60, 80] == pytest.approx(1.0, abs=1e-3)
    assert seen(scene, look(renderer, 0.25, -2.0, 0, y=0.5), 60, 80) != BANNER


def test_the_table_and_the_mug_on_it_from_above(scene: Scene, renderer: Renderer) -> None:
    frame = look(renderer, -1.5, 0.75, 0, y=2.15, horizon=90)
    assert frame.rgb is not None
    assert (seen(scene, frame, 60, 80), frame.depth[60, 80]) == (MUG, pytest.approx(1.0, abs=1e-3))
    assert (seen(scene, frame, 90, 80), frame.depth[90, 80]) == (TABLE, pytest.approx(1.15, abs=1e-3))
    mug, top = frame.rgb[60, 80].astype(int), frame.rgb[60, 50].astype(int)
    assert mug[2] > mug[1] > mug[0]  # blue
    assert top[1] > max(top[0], top[2])  # green
    names = renderer.part_names
    assert names[int(frame.parts[90, 80]) - 1] == "top"


def test_actions_on_a_scene_from_a_pack(folder: Path) -> None:
    table = Table(source(folder)).start(f"{SCENE}_physics", renderInstanceSegmentation=True)
    assert {o["objectId"] for o in table.event["objects"]} == {FLAG, BANNER, TABLE, MUG, FRIDGE, FLOOR}
    places = table.ok("GetReachablePositions")
    assert len(places) > 50
    assert all(abs(p["x"]) < 3 and abs(p["z"]) < 3 and p["y"] == pytest.approx(0.9) for p in places)
    # The table's top stands 1 m high from x = -3 to -1 and z = -1 to 1.
    assert not [p for p in places if -2.9 < p["x"] < -1.2 and -0.8 < p["z"] < 0.8]
    assert {"FloorPlan901_physics", "FloorPlan1_physics"} <= set(table.ok("GetScenesInBuild"))
    # Scenes without a pack are the other source's.
    table.ok("Reset", sceneName="FloorPlan2_physics")


DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut": lambda p: p.write_bytes(p.read_bytes()[:-50]),
    "empty": lambda p: p.write_bytes(b""),
    "no JSON": lambda p: with_member(p, "head.json", b"{"),
    "index": lambda p: write_unsound(p, triangles=np.full((4, 3), 99, np.int32)),
    "no picture": lambda p: write_unsound(p, textures=(PackTexture("x", b"\x89PNG nothing"),)),
    "no numbers": lambda p: write_unsound(p, positions=np.full((8, 3), np.inf, np.float32)),
    "another scene": lambda p: write_pack(p, sound_pack("FloorPlan7")),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_pack_is_a_failed_reset_and_the_player_goes_on(tmp_path: Path, damage: str) -> None:
    for name in ("FloorPlan901", "FloorPlan902"):
        write_pack(tmp_path / f"{name}.npz", sound_pack(name))
    DAMAGE[damage](tmp_path / "FloorPlan901.npz")
    table = Table(source(tmp_path))
    table.start("FloorPlan902_physics")
    why = table.fails("Reset", sceneName="FloorPlan901_physics")
    assert why.startswith("the scene's pack cannot be used: ")
    assert "FloorPlan901" in why
    assert "\n" not in why
    assert table.fails("GetReachablePositions") == why
    table.start("FloorPlan902_physics")
    assert table.event["objects"][0]["objectId"] == "Plate|+00.00|+01.00|+00.00"


def test_a_folder_that_is_none_fails_every_reset_with_what_to_do(tmp_path: Path) -> None:
    table = Table(source(tmp_path / "nowhere"))
    assert "scenes import" in table.fails("Reset", sceneName="FloorPlan1_physics")


def test_listed_objects_are_found_by_name_and_lacking_ones_lent_by_the_parametric_scene() -> None:
    """A pack of a scene that the player knows: its metadata's boxes and flags, whatever the pack calls them."""
    listed = {o.object_type: o for o in placed_objects("FloorPlan1")}
    mug, fridge = listed["Mug"], listed["Fridge"]
    known = (
        PackInstance(),
        PackInstance(mug.name, "Mug", "Mug|a|rounding|apart", mug.position),
        PackInstance(fridge.name, "Fridge", fridge.object_id, fridge.position, missing=2),
    )
    pack = sound_pack("FloorPlan1")
    near = (pack.positions * 0.02 + np.array(mug.box.center, np.float32) - [0, 0.02, 0]).astype(np.float32)
    positions = np.concatenate([pack.positions[:4], near[4:]])
    loaded = pack_scene(replace(pack, positions=positions, instances=known))
    objects = {o.object_id: o for o in loaded.scene.objects}
    assert len(objects) == len(placed_objects("FloorPlan1")) == len(loaded.scene.objects)
    assert objects[mug.object_id].parts[0].name == "plate"
    assert objects[mug.object_id].box == mug.box
    # The mug is drawn once, as an object.
    assert [s.name for s in loaded.scene.structures if any(p.name == "plate" for p in s.parts)] == []
    assert loaded.stand_ins == (fridge.object_id,)
    parametric = next(o for o in load_scene("FloorPlan1").objects if o.object_id == fridge.object_id)
    assert [p.name for p in objects[fridge.object_id].parts] == [p.name for p in parametric.parts]
    assert "1 are parametric, for want of their models" in loaded.report()


def test_a_room_without_a_floor_is_walked_on_the_one_that_stands_in() -> None:
    """FloorPlan3's lies at 0.22 m, where its metadata's furniture stands."""
    pack = sound_pack("FloorPlan3")
    loaded = pack_scene(
        replace(pack, positions=pack.positions + np.float32([0, 3, 0]), instances=(PackInstance(),) * 2)
    )
    assert loaded.built_anew
    assert loaded.scene.agent_position[1] == load_scene("FloorPlan3").agent_position[1] > 1.0
    assert len(Navigation(loaded.scene).reachable(0.25)) > 50


def test_what_lies_right_under_glass_is_seen_through_it_everywhere() -> None:
    """A slab of clear glass on a red plate: its underside, which faces down, lies in the plate's own plane."""
    pack = sound_pack()
    plate = pack.positions[4:]
    top, under = plate + np.float32([0, 0.01, 0]), plate[::-1]
    glass = PackMaterial("glass", (1.0, 1.0, 1.0, 0.0), mode="transparent")
    slab = replace(
        pack,
        positions=np.concatenate([pack.positions, top, under]),
        normals=np.concatenate([pack.normals, pack.normals[4:], -pack.normals[4:]]),
        uvs=np.zeros((16, 2), np.float32),
        triangles=np.concatenate([pack.triangles, pack.triangles[2:] + 4, pack.triangles[2:] + 8]),
        part=np.array([0, 0, 1, 1, 2, 2, 2, 2], np.int32),
        parts=(*pack.parts, PackPart("pane", 1, 2)),
        materials=(*pack.materials, glass),
    )
    frame = look(Renderer(pack_scene(slab).scene), 0.1, 0.05, 30, y=2.2, horizon=90)
    assert frame.rgb is not None
    r, g, b = np.moveaxis(frame.rgb[frame.instances == 1].astype(int), -1, 0)
    assert len(r) > 500
    assert ((r > g + 20) & (r > b + 20)).mean() > 0.97


def test_a_scene_may_be_drawn_darker() -> None:
    scene = pack_scene(sound_pack()).scene
    bright, dark = (
        look(Renderer(replace(scene, exposure=share)), 0.1, 0.05, 30, y=2.2, horizon=90).rgb for share in (1.0, 0.3)
    )
    assert bright is not None
    assert dark is not None
    assert np.median(dark) < 0.8 * np.median(bright)
