"""Scenes that are damaged or mean ill: a pack or one error, in bounded time, and nothing else."""

from pathlib import Path

import pytest
import unity_project as unity
from hypothesis import given, settings
from hypothesis import strategies as st
from unity_project import SCENE

from saom_scenes.packs import read_pack, write_pack
from saom_scenes.unity import Assets, UnityError, UnityProject
from saom_scenes.unity.assemble import scene_pack

GARBAGE = ["nan", "-1e400", "{fileID: 130}", "[", "{x: 1e39, y: }", "", "99999999999999999999", "'", "1e39"]


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Assets:
    folder = tmp_path_factory.mktemp("clone")
    unity.build(folder)
    return Assets.open(UnityProject.open(folder))


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_a_scene_with_any_lines_changed_is_a_pack_or_one_error(assets: Assets, data: st.DataObject) -> None:
    lines = unity.scene().split("\n")
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(2, len(lines) - 1))
        changed = f"{lines[place].partition(':')[0]}: {data.draw(st.sampled_from(GARBAGE))}"
        lines[place] = data.draw(st.sampled_from([changed, "", "- - -", lines[place - 1]]))
    path = assets.project.assets / "Scenes" / "changed.unity"
    path.write_text("\n".join(lines))
    try:
        pack = scene_pack(SCENE, assets.prefabs.scene(path), assets, {})
    except UnityError:
        return
    target = path.with_suffix(".npz")
    write_pack(target, pack)
    assert len(read_pack(target).triangles) == len(pack.triangles) > 0


def test_thousands_of_objects_within_each_other_are_no_trouble(tmp_path: Path) -> None:
    project = unity.build(tmp_path)
    nested = [
        document
        for k in range(1, 6001, 3)
        for document in (
            unity.game(k, "Nested"),
            unity.transform(k + 1, k, k - 2 if k > 1 else 0),
            unity.script(k + 2, k, 24),
        )
    ]
    shown = unity.mesh_filter(9001, 5998, unity.CUBE, unity.BUILTIN), unity.renderer(9002, 5998, [""])
    path = project.put("Scenes/nested.unity", unity.text(*nested, *shown))
    assets = Assets.open(UnityProject.open(tmp_path))
    drawn = scene_pack(SCENE, assets.prefabs.scene(path), assets, {})
    assert len(drawn.instances) == 2001
