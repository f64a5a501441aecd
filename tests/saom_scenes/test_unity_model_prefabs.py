"""Models that scenes use whole, as prefabs: their nodes' places, ids and materials, worked out by hand."""

from pathlib import Path

import numpy as np
import pytest
import unity_project as unity
from fbx_file import Shape, fbx
from unity_project import SCENE, guid

from saom_scenes.packs import Pack
from saom_scenes.unity import Assets, UnityProject
from saom_scenes.unity.assemble import scene_pack
from saom_scenes.unity.fbx import parse_fbx
from saom_scenes.unity.model_tree import tree_of
from saom_scenes.unity.models import hashed_id

FLAG = unity.FLAG
ROOT, ROOT_RENDERER = -8679921383154817045, -7511558181221131132
"""Unity's own ids of the transform and the renderer of a model's root."""
# A flag of 1 m x 2 m, twice as wide; below it another, 1 m to its side and turned by 90 degrees from x to y.
TREE = [
    Shape("base", FLAG.points, FLAG.polygons, properties={"Lcl Scaling": (2, 1, 1)}, materials=["Cloth"]),
    Shape(
        "arm",
        FLAG.points,
        FLAG.polygons,
        properties={"Lcl Translation": (100, 0, 0), "Lcl Rotation": (0, 0, 90)},
        parent=0,
        materials=["Blue", "Wood"],
        slots=[1],
    ),
]
SETTINGS = (
    "ModelImporter:\n  internalIDToNameTable: []\n  externalObjects:\n  - first:\n      type: UnityEngine:Material\n"
    "      assembly: UnityEngine.CoreModule\n      name: Cloth\n"
    f"    second: {{fileID: 2100000, guid: {guid('Materials/Green.mat')}, type: 2}}\n"
    "  meshes:\n    globalScale: 1\n    useFileScale: 1\n"
)


def scene_with(tmp_path: Path, model: bytes, settings: str, *changes: tuple[object, ...]) -> Pack:
    """The pack of a scene that is one instance of a model."""
    project = unity.build(tmp_path / "clone")
    project.put("Models/whole.fbx", model, settings)
    project.put("Models/Materials/Wood.mat", unity.material("Wood"))
    project.put(f"Scenes/{SCENE}_physics.unity", unity.text(unity.instance(77, "Models/whole.fbx", 0, changes)))
    assets = Assets.open(UnityProject.open(tmp_path / "clone"))
    path = assets.project.scenes()[SCENE]
    pack = scene_pack(SCENE, assets.prefabs.scene(path), assets, {})
    assert assets.prefabs.missing == {}
    return pack


def box(pack: Pack, name: str) -> list[tuple[float, ...]]:
    """The lowest and highest corner of a part."""
    number = next(k for k, p in enumerate(pack.parts) if p.name == name)
    points = pack.positions[pack.triangles[pack.part == number]].reshape(-1, 3)
    return [tuple(np.round(v, 4).tolist()) for v in (points.min(axis=0), points.max(axis=0))]


def test_ids_are_unitys_own_hashes_of_where_a_node_hangs() -> None:
    assert hashed_id("Transform", "//RootNode/root/Transform") == ROOT
    assert hashed_id("MeshFilter", "//RootNode/root/MeshFilter") == -5754084199372789682
    assert hashed_id("MeshRenderer", "//RootNode/root/MeshRenderer") == ROOT_RENDERER
    assert hashed_id("MeshRenderer", "//RootNode/root/MeshNode/MeshRenderer") == -1659616240894028630


def test_a_single_topmost_node_is_the_root_and_the_instance_moves_it(tmp_path: Path) -> None:
    pack = scene_with(tmp_path, fbx(TREE), SETTINGS, (ROOT, "m_LocalPosition.x", "2"), (ROOT, "m_LocalPosition.z", "2"))
    # The flag reaches from x = -1 to 0 in Unity's frame, twice as wide from -2: and 2 m further.
    assert box(pack, "whole") == [(0, 0, 2), (2, 2, 2)]
    # In the file x: -2 m to 0 about the arm's place at 1 m, so -1 to 1 m; mirrored the same, doubled, and 2 m further.
    assert box(pack, "arm") == [(0, 0, 2), (4, 1, 2)]
    across, along = np.diff(pack.positions[pack.triangles[0]], axis=0)
    assert np.cross(across, along)[2] > 0
    # By the settings; by its name, and of two slots the one that is used.
    assert [pack.materials[p.material].name for p in pack.parts] == ["Green", "Wood"]


def test_overrides_reach_a_models_renderer(tmp_path: Path) -> None:
    pack = scene_with(
        tmp_path, fbx(TREE), SETTINGS, (ROOT_RENDERER, "m_Materials.Array.data[0]", "", "Materials/Blue.mat")
    )
    assert pack.materials[pack.parts[0].material].name == "Blue"
    hidden = scene_with(tmp_path / "two", fbx(TREE), SETTINGS, (ROOT_RENDERER, "m_Enabled", "0"))
    assert [p.name for p in hidden.parts] == ["arm"]


def test_several_topmost_nodes_hang_below_a_root_under_the_old_tables_ids(tmp_path: Path) -> None:
    table = (
        "ModelImporter:\n  fileIDToRecycleName:\n    100000: //RootNode\n    400000: //RootNode\n    400002: left\n"
        "    2300000: left\n    4300000: left\n  meshes:\n    globalScale: 1\n"
    )
    pivot = {"RotationPivot": (0.0, 100.0, 0.0), "Lcl Translation": (0.0, 0.0, 50.0)}
    shapes = [
        Shape("left", FLAG.points, FLAG.polygons, properties=pivot),
        Shape("right", FLAG.points, FLAG.polygons),
        Shape("right_LOD1", FLAG.points, FLAG.polygons),
    ]
    changes = (400000, "m_LocalPosition.y", "3"), (400002, "m_LocalScale.y", "0.5")
    pack = scene_with(tmp_path, fbx(shapes), table, *changes)
    # Its pivot is half way up: halved about it, 0.5 m on either side, 0.5 m to the front.
    assert box(pack, "left") == [(-1, 3.5, 0.5), (0, 4.5, 0.5)]
    assert box(pack, "right") == [(-1, 3, 0), (0, 5, 0)]
    assert len(pack.parts) == 2  # what is for looking from afar is not drawn


def test_a_file_whose_z_is_up_is_stood_up(tmp_path: Path) -> None:
    pack = scene_with(tmp_path, fbx([FLAG], up_axis=2.0), SETTINGS)
    # The root of an instance would keep its own turn: what lay along y points to -z in the file's new frame.
    assert box(pack, "whole") == [(-1, 0, -2), (0, 0, 0)]


@pytest.mark.parametrize("order", range(6))
def test_angles_turn_in_the_files_order(order: int) -> None:
    turned = {"Lcl Rotation": (90.0, 90.0, 90.0), "RotationOrder": (float(order),)}
    (tree,) = tree_of(parse_fbx(fbx([Shape("a", FLAG.points, FLAG.polygons, properties=turned)]), "x.fbx"))
    x, y, z, w = tree.rotation
    assert x * x + y * y + z * z + w * w == pytest.approx(1)
    # Turns of 90 degrees about x, y, z move axes as whole permutations; the first axis of the order turns first.
    moves = {"x": lambda v: (v[0], -v[2], v[1]), "y": lambda v: (v[2], v[1], -v[0]), "z": lambda v: (-v[1], v[0], v[2])}
    wanted = (1.0, 2.0, 3.0)
    for axis in ("xyz", "xzy", "yzx", "yxz", "zxy", "zyx")[order]:
        wanted = moves[axis](wanted)
    point = np.array([-1.0, 2.0, 3.0])  # mirrored, as all of Unity's frame
    axis = np.array([x, y, z])
    found = point + 2 * np.cross(axis, np.cross(axis, point) + w * point)
    assert found == pytest.approx([-wanted[0], wanted[1], wanted[2]])


def test_nodes_that_hang_in_a_ring_are_a_damaged_file(tmp_path: Path) -> None:
    ring = [Shape("a", FLAG.points, FLAG.polygons, parent=1), Shape("b", FLAG.points, FLAG.polygons, parent=0)]
    project = unity.build(tmp_path)
    project.put("Models/whole.fbx", fbx(ring), SETTINGS)
    assets = Assets.open(UnityProject.open(tmp_path))
    assert assets.model_objects(project.assets / "Models" / "whole.fbx", guid("Models/whole.fbx")) is None
    assert "without end" in assets.damaged["Models/whole.fbx"]
