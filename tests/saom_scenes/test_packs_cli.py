"""``saom-bench scenes import|show|preview``: what they say, what they write, and each mistake in one line."""

import shutil
from pathlib import Path

import pytest
import unity_project as unity
from click.testing import Result
from filelock import FileLock
from PIL import Image
from typer.testing import CliRunner

from saom_bench.errors import SaomBenchError
from saom_scenes.cli import app
from saom_scenes.packs import Pack, read_pack, write_pack
from saom_scenes.unity import importing, prefabs

RUN = CliRunner()
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1234\n"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clone")
    unity.build(folder)
    return folder


@pytest.fixture
def clone(whole: Path, tmp_path: Path) -> Path:
    """A project of its own that a test may damage."""
    shutil.copytree(whole, tmp_path / "clone")
    return tmp_path / "clone"


def run(folder: Path, out: Path, *more: str) -> Result:
    return RUN.invoke(app, ["import", "--unity-project", str(folder), "--out", str(out), *more])


def fails(folder: Path, out: Path, *more: str) -> str:
    """The one line that an import ends with."""
    result = run(folder, out, *more)
    assert isinstance(result.exception, SaomBenchError), result.output
    assert "\n" not in str(result.exception)
    return str(result.exception)


def assets(folder: Path) -> Path:
    return folder / "unity" / "Assets"


def test_a_project_becomes_packs_and_the_next_steps_are_said(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "packs"
    result = run(whole, out)
    text = " ".join(result.output.split())
    assert result.exit_code == 0, result.output
    assert "1, 0 of them were there already, 0 failed" in text
    assert "objects that lack meshes, by type: Fridge: 1 times" in text
    assert "materials that are grey instead:" in text
    assert f"saom-bench scenes show {out}" in text
    assert f"--packs {out}" in text
    again = " ".join(run(whole, out).output.split())
    assert "1, 1 of them were there already" in again
    assert not list(out.glob("*.part"))


def test_a_dry_run_writes_nothing(whole: Path, tmp_path: Path) -> None:
    result = run(whole, tmp_path / "packs", "--dry-run")
    assert "would import 1 scenes: FloorPlan901" in result.output
    assert not (tmp_path / "packs").exists()


def test_mistakes_in_what_is_asked_for(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "packs"
    assert "is no folder" in fails(tmp_path / "nowhere", out)
    assert "no folder Assets" in fails(tmp_path, out)
    assert "did you mean 'FloorPlan901'" in fails(whole, out, "--scenes", "FloorPlan902")
    assert "names no scene" in fails(whole, out, "--scenes", "FloorPlan1-30")
    assert "names no scene" in fails(whole, out, "--scenes", f"FloorPlan1000-{10**18}")
    assert "--texture-size 4" in fails(whole, out, "--texture-size", "4")
    assert not out.exists()


def test_a_file_of_the_clone_that_cannot_be_read_is_named(clone: Path, tmp_path: Path) -> None:
    (assets(clone) / "gone.mat.meta").symlink_to(tmp_path / "nowhere")
    assert "gone.mat.meta cannot be read" in fails(clone, tmp_path / "packs")


def test_a_clone_without_a_folder_that_is_needed(clone: Path, tmp_path: Path) -> None:
    shutil.rmtree(assets(clone) / "Scripts")
    assert "unity/Assets/Scripts" in fails(clone, tmp_path / "packs")
    shutil.rmtree(assets(clone) / "Scenes")
    assert "unity/Assets/Scenes" in fails(clone, tmp_path / "packs")


@pytest.mark.parametrize(
    "name", ["Models/things.fbx", "Textures/halves.png", "Prefabs/Leg.prefab", "Scenes/FloorPlan901_physics.unity"]
)
def test_git_lfs_pointers_end_the_import_with_what_to_do(clone: Path, tmp_path: Path, name: str) -> None:
    scenes = assets(clone) / "Scenes"
    shutil.copy(scenes / "FloorPlan901_physics.unity", scenes / "FloorPlan902_physics.unity")
    plain = unity.text(
        unity.game(1, "Cube"),
        unity.transform(2, 1),
        unity.mesh_filter(3, 1, unity.CUBE, unity.BUILTIN),
        unity.renderer(4, 1, [""]),
    )
    (scenes / "FloorPlan1_physics.unity").write_text(plain)
    (assets(clone) / name).write_text(POINTER)
    message = fails(clone, tmp_path / "packs")
    assert name in message
    assert "git lfs pull" in message
    # What came before is whole and stays.
    assert len(read_pack(tmp_path / "packs" / "FloorPlan1.npz").triangles) == 12


def test_an_import_that_is_stopped_goes_on_where_it_was(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenes, out = assets(clone) / "Scenes", tmp_path / "packs"
    shutil.copy(scenes / "FloorPlan901_physics.unity", scenes / "FloorPlan902_physics.unity")

    def write_one(path: Path, pack: Pack) -> None:
        if path.stem == "FloorPlan902":
            raise KeyboardInterrupt
        write_pack(path, pack)

    with monkeypatch.context() as patch:
        patch.setattr(importing, "write_pack", write_one)
        result = run(clone, out)
    assert (result.exit_code, [p.name for p in out.glob("*.npz")]) == (130, ["FloorPlan901.npz"])
    assert "finished packs are kept" in result.output
    assert "2, 1 of them were there already" in " ".join(run(clone, out).output.split())


def test_two_imports_into_one_folder_are_refused(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "packs").mkdir()
    with FileLock(tmp_path / "packs" / ".lock"):
        assert "another import is writing" in fails(whole, tmp_path / "packs")


def test_a_damaged_model_is_one_line_and_its_objects_are_counted(clone: Path, tmp_path: Path) -> None:
    path = assets(clone) / "Models" / "things.fbx"
    path.write_bytes(path.read_bytes()[:300])
    result = run(clone, tmp_path / "packs")
    assert result.exit_code == 0
    lines = [line for line in result.output.splitlines() if "damaged FBX" in line]
    assert len(lines) == 1
    assert "Models/things.fbx" in lines[0]
    assert "Painting: 1 times" in result.output


def test_a_picture_that_lies_about_its_size_is_left_out(clone: Path, tmp_path: Path) -> None:
    path = assets(clone) / "Textures" / "halves.png"
    data = bytearray(path.read_bytes())
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    path.write_bytes(data)
    result = run(clone, tmp_path / "packs")
    assert result.exit_code == 0
    assert "Textures/halves.png" in result.output
    assert read_pack(tmp_path / "packs" / "FloorPlan901.npz").textures == ()


def scene_of(clone: Path, *documents: str) -> Path:
    path = assets(clone) / "Scenes" / "FloorPlan901_physics.unity"
    path.write_text(unity.text(*documents))
    return path


@pytest.mark.parametrize(
    "documents",
    [
        (),
        ("--- !u!1 &1\nGameObject:\n  m_Name: {{{{\n",),
        (unity.game(1, "A"), unity.transform(2, 1, 3), unity.transform(3, 1, 2)),
        ("--- !u!4 &2\nTransform:\n" + "".join(" " * k + "a:\n" for k in range(1, 3000)),),
        (unity.game(1, "A"), unity.transform(2, 1, 0, (float("nan"), 1e300, float("inf")))),
    ],
    ids=["nothing", "no YAML", "its own ancestor", "very deep", "no numbers"],
)
def test_scenes_that_are_none_fail_alone_in_one_line(clone: Path, tmp_path: Path, documents: tuple[str, ...]) -> None:
    shown = unity.mesh_filter(30, 1, unity.CUBE, unity.BUILTIN), unity.renderer(40, 1, [""])
    scene_of(clone, *documents, *shown)
    result = run(clone, tmp_path / "packs")
    assert result.exit_code == 1, result.output
    assert "FloorPlan901 was not imported: FloorPlan901 shows nothing" in " ".join(result.output.split())


def test_prefabs_that_multiply_without_end_are_refused(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefabs, "_MOST_OBJECTS", 5_000)
    project = unity.Project(clone)
    for k in range(12):
        # Ids as Unity makes them: of all 63 bits, so that their mixtures differ.
        inner = [
            unity.instance((12 * k + n + 1) * 0x1E3779B97F4A7C15 % 2**63, f"Prefabs/Bomb{k + 1}.prefab", 0, [])
            for n in range(12)
        ]
        plain = [unity.game(1, "Leaf"), unity.transform(2, 1)]
        project.put(f"Prefabs/Bomb{k}.prefab", unity.text(*(inner if k < 11 else plain)))
    scene_of(clone, unity.instance(7, "Prefabs/Bomb0.prefab", 0, []))
    result = run(clone, tmp_path / "packs")
    assert result.exit_code == 1
    assert "objects; no scene does" in result.output


def test_show_and_preview(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "packs"
    run(whole, out)
    text = " ".join(RUN.invoke(app, ["show", str(out)]).output.split())
    assert "FloorPlan901 6 5" in text
    assert "Painting 2" in text
    one = RUN.invoke(app, ["show", str(out / "FloorPlan901.npz")]).output
    assert "Scenes/FloorPlan901_physics.unity" in one
    assert "lacking meshes" in one
    result = RUN.invoke(app, ["preview", str(out), "--out", str(tmp_path / "packs.png")])
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "packs.png") as picture:
        # The table's green top, seen from above: x from -3 to -1, so on the left.
        r, g, b = picture.convert("RGB").getpixel((picture.width // 5, picture.height // 2))
    assert g > r + 40
    assert g > b + 40
    no_folder = tmp_path / "packs.png" / "again.png"
    refused = RUN.invoke(app, ["preview", str(out), "--out", str(no_folder)])
    assert f"{no_folder} cannot be written" in str(refused.exception)
    assert isinstance(refused.exception, SaomBenchError)


def test_show_names_damaged_packs_and_shows_the_others(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "packs"
    run(whole, out)
    (out / "FloorPlan1.npz").write_bytes(b"PK nothing")
    result = RUN.invoke(app, ["show", str(out)])
    assert result.exit_code == 2
    assert "FloorPlan1.npz" in result.output
    assert "FloorPlan901 " in result.output
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "scenes import" in str(RUN.invoke(app, ["show", str(empty)]).exception)


def test_help_has_examples() -> None:
    assert "saom-bench scenes import --unity-project ai2thor" in RUN.invoke(app, ["import", "--help"]).output
