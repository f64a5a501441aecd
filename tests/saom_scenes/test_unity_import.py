"""A synthetic Unity project becomes a pack; every number here is worked out by hand from tests/unity_project.py."""

from pathlib import Path

import numpy as np
import pytest
from unity_project import BUILTIN, CUBE, SCENE, build, camera, game, light, mesh_filter, renderer, text, transform

from saom_player.tables.layout import PlacedObject, placed_objects, scene_names
from saom_scenes.packs import Pack, read_pack
from saom_scenes.unity import Assets, UnityProject, import_scenes
from saom_scenes.unity.assemble import scene_pack
from saom_scenes.unity.hierarchy import object_id


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Assets:
    folder = tmp_path_factory.mktemp("clone")
    build(folder)
    return Assets.open(UnityProject.open(folder))


@pytest.fixture(scope="module")
def pack(assets: Assets, tmp_path_factory: pytest.TempPathFactory) -> Pack:
    out = tmp_path_factory.mktemp("packs")
    outcomes = list(import_scenes(assets, assets.project.scenes(), out))
    assert [(o.scene, o.error, o.kept) for o in outcomes] == [(SCENE, "", False)]
    return read_pack(out / f"{SCENE}.npz")


def corners(pack: Pack, object_id: str, part: str = "") -> np.ndarray:
    """(T, 3, 3) of an object, or of one part of it."""
    number = next(k for k, i in enumerate(pack.instances) if i.object_id == object_id)
    wanted = [p.instance == number and (not part or p.name == part) for p in pack.parts]
    return pack.positions[pack.triangles[np.array(wanted)[pack.part]]].astype(np.float64)


def faces(triangles: np.ndarray) -> np.ndarray:
    """(T, 3) unit vectors to who sees them."""
    cross = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    return cross / np.linalg.norm(cross, axis=1, keepdims=True)


def assert_box(triangles: np.ndarray, low: tuple[float, ...], high: tuple[float, ...]) -> None:
    assert triangles.min(axis=(0, 1)) == pytest.approx(low, abs=1e-5)
    assert triangles.max(axis=(0, 1)) == pytest.approx(high, abs=1e-5)


FLAG, BANNER = "Painting|+01.00|+01.00|+01.00", "Painting|+00.00|+00.25|-01.00"
TABLE, MUG = "DiningTable|-01.00|+00.00|+01.00", "Mug|-01.50|+01.10|+00.75"
FRIDGE, FLOOR = "Fridge|+02.00|+00.00|-02.00", "Floor|+00.00|+00.00|+00.00"


def test_objects_have_ai2thors_ids_types_and_names(pack: Pack) -> None:
    assert {i.object_id: (i.object_type, i.name) for i in pack.instances[1:]} == {
        FLOOR: ("Floor", "Floor"),
        FLAG: ("Painting", "Painting_1a2b"),
        BANNER: ("Painting", "Painting_mirrored"),
        TABLE: ("DiningTable", "Table_of_the_scene"),
        MUG: ("Mug", "Mug_on_table"),
        FRIDGE: ("Fridge", "Fridge_lost"),
    }  # the hidden table is none of them, nor is the agent


def test_a_turned_flag_of_centimetres_in_fbxs_right_handed_frame(pack: Pack) -> None:
    flag = corners(pack, FLAG)
    # 1 m by 2 m; it reached to -x of its own, which a quarter turn from +z towards +x makes +z of the room.
    assert_box(flag, (1, 1, 1), (1, 3, 2))
    assert faces(flag) == pytest.approx(np.array([[1, 0, 0]] * 2), abs=1e-6)
    number = next(
        k for k, p in enumerate(pack.parts) if p.name == "flag" or pack.instances[p.instance].object_id == FLAG
    )
    used = np.unique(pack.triangles[pack.part == number])
    assert pack.normals[used] == pytest.approx(np.array([[1, 0, 0]] * 4), abs=0.01)
    # The file's corner (0, 0) is where the texture begins; (100, 200) is its other end.
    by_place = {tuple(np.round(pack.positions[k], 4).tolist()): tuple(pack.uvs[k].tolist()) for k in used.tolist()}
    assert by_place == {(1, 1, 1): (0, 0), (1, 1, 2): (1, 0), (1, 3, 2): (1, 1), (1, 3, 1): (0, 1)}


def test_a_mirrored_object_keeps_its_front(pack: Pack) -> None:
    banner = corners(pack, BANNER)
    # 0.005 m a unit, whatever the file says its unit is: 0.5 m by 1 m, then half as high, mirrored to +x.
    assert_box(banner, (0, 0.25, -1), (0.5, 0.75, -1))
    assert faces(banner) == pytest.approx(np.array([[0, 0, 1]] * 2), abs=1e-6)


def test_a_nested_prefab_takes_its_place_from_the_instances_round_it(pack: Pack) -> None:
    assert_box(corners(pack, TABLE, "top"), (-3, 1, -1), (-1, 1, 1))
    assert faces(corners(pack, TABLE, "top")) == pytest.approx(np.array([[0, 1, 0]] * 2), abs=1e-6)
    assert_box(corners(pack, TABLE, "post"), (-0.6, 0, 0.9), (-0.4, 1.4, 1.1))
    # Hung up in the table's file under an object of the leg's instance, which stands there stripped.
    assert_box(corners(pack, TABLE, "foot"), (-0.7, -0.014, 0.8), (-0.3, 0.014, 1.2))
    # The same in the scene's file: a mug on the table's stripped root. Its cube of 0.05 m is 0.1 m large there.
    assert_box(corners(pack, MUG), (-1.55, 1.05, 0.7), (-1.45, 1.15, 0.8))
    outward = corners(pack, MUG).mean(axis=1) - [-1.5, 1.1, 0.75]
    assert (np.einsum("ij,ij->i", faces(corners(pack, MUG)), outward) > 0).all()


def test_materials_are_those_of_the_slots_and_of_the_scenes_overrides(pack: Pack) -> None:
    material = {p.name: pack.materials[p.material].name for p in pack.parts}
    # The upper plate has the file's third material, its second that is used; the first slot is a stencil's.
    assert (material["top"], material["post"], material["foot"]) == ("Green", "Green", "Blue")
    assert material["Floor"] == "Default-Material"
    halves = next(m for m in pack.materials if m.name == "Halves")
    assert (halves.scale, halves.offset, halves.gloss, halves.metallic) == ((2, 1), (0.5, 0), 0.25, 0.125)
    assert pack.textures[halves.texture].name == "Textures/halves.png"
    assert next(p.casts for p in pack.parts if p.name == "top") == "two-sided"
    wall = next(p for p in pack.parts if p.name == "Wall0")
    assert (wall.instance, pack.materials[wall.material].color) == (0, (0.7, 0.7, 0.7, 1.0))


def test_what_is_missing_is_said(pack: Pack, assets: Assets) -> None:
    fridge = next(i for i in pack.instances if i.object_id == FRIDGE)
    assert (fridge.missing, len(corners(pack, FRIDGE))) == (1, 0)
    assert [(m.object_name, m.object_type, m.count) for m in pack.missing] == [("Fridge_lost", "Fridge", 1)]
    assert list(assets.surfaces.missing.values()) == [4]


def test_lights_and_the_light_from_all_around(pack: Pack) -> None:
    lamp, sun = pack.lights
    assert (lamp.kind, lamp.intensity, lamp.range_m, lamp.shadows) == ("point", 1.5, 6.0, True)
    assert lamp.position == pytest.approx((0, 2.2, 0))
    assert lamp.color == pytest.approx((1, 0.9, 0.8))
    assert (sun.kind, sun.direction) == ("directional", pytest.approx((0, -1, 0), abs=1e-6))
    assert pack.ambient.sky == pytest.approx((0.4, 0.5, 0.6))
    assert pack.ambient.ground == pytest.approx((0.1, 0.1, 0.1))


def test_the_pack_says_where_it_is_from(pack: Pack) -> None:
    assert pack.source["file"] == f"Scenes/{SCENE}_physics.unity"
    assert (pack.source["unity"], pack.source["texture_px"]) == ("2020.3.18f1", "256")
    assert "Apache-2.0" in pack.source["license"]


def test_the_same_project_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        build(tmp_path / name / "clone")
        assets = Assets.open(UnityProject.open(tmp_path / name / "clone"))
        list(import_scenes(assets, assets.project.scenes(), tmp_path / name))
    one, two = ((tmp_path / name / f"{SCENE}.npz").read_bytes() for name in ("one", "two"))
    assert one == two


def test_whole_packs_are_kept_and_damaged_ones_made_anew(assets: Assets, tmp_path: Path) -> None:
    def run(**options: bool) -> list[bool]:
        return [o.kept for o in import_scenes(assets, assets.project.scenes(), tmp_path, **options)]

    path = tmp_path / f"{SCENE}.npz"
    assert (run(), run()) == ([False], [True])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert (run(), path.read_bytes() == whole) == ([False], True)
    assert run(redo=True) == [False]


def test_ids_are_made_as_ai2thor_makes_them() -> None:
    """The ids of all 195 scenes from their objects' positions, where 4 digits tell which hundredth is meant."""
    compared = 0
    for scene in scene_names():
        for thing in placed_objects(scene):
            position = np.array(thing.position)
            told = ((np.abs(np.abs(position) * 100 % 1 - 0.5) > 0.011) & (np.abs(position) > 0.005)).all()
            if told and thing.object_id.count("|") == 3 and not _has_moved(thing):
                compared += 1
                assert object_id(thing.object_type, position) == thing.object_id
    assert compared > 2000
    # What becomes 0 from below has no sign; a tie is rounded away from 0.
    assert object_id("Mug", np.array([-0.0049, 0.0049, -0.475])) == "Mug|00.00|+00.00|-00.48"
    assert object_id("SinkBasin", np.zeros(3), "Sink|+01.00|+00.90|-02.00") == "Sink|+01.00|+00.90|-02.00|SinkBasin"


def _has_moved(thing: PlacedObject) -> bool:
    """Some things settled, or rolled away, between the start, when ids are made, and when the table was taken."""
    start = np.array([float(text) for text in thing.object_id.split("|")[1:]])
    return bool(np.abs(start - thing.position).max() > 0.0051)


def test_what_the_agents_camera_does_not_draw_is_left_out(tmp_path: Path) -> None:
    project = build(tmp_path)
    lamp = light(1, 2, 2, 1.0) + "  m_CullingMask:\n    serializedVersion: 2\n    m_Bits: 4294967295\n"
    project.put("Prefabs/FPSController.prefab", text(lamp, camera(3, 0, enabled=0), camera(4, 0b10000001)))
    cubes = [
        document
        for k, layer in ((10, 0), (20, 7), (30, 1))
        for document in (
            game(k, f"Cube{layer}", layer=layer),
            transform(k + 1, k),
            mesh_filter(k + 2, k, CUBE, BUILTIN),
            renderer(k + 3, k, [""]),
        )
    ]
    project.put(f"Scenes/{SCENE}_physics.unity", text(*cubes))
    assets = Assets.open(UnityProject.open(tmp_path))
    drawn = scene_pack(SCENE, assets.prefabs.scene(assets.project.scenes()[SCENE]), assets, {})
    assert [p.name for p in drawn.parts] == ["Cube0", "Cube7"]
