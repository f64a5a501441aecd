"""What the player keeps on disk: the same scenes, maps, textures and bytes with it as without, damaged or whole."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from saom_player import disk_cache
from saom_player.disk_cache import DiskCache, _source_digest
from saom_player.metadata import SceneMetadata
from saom_player.physics.navigation import Navigation
from saom_player.physics.occupancy import kept_occupancy, occupancy
from saom_player.physics.openness import opened, toggled
from saom_player.render.renderer import Camera, Renderer
from saom_player.rooms.layouts import load_scene
from saom_player.scene import Scene
from saom_player.shapes.mesh import Part
from saom_player.simulation import Agent
from saom_player.surfaces.textures import texture

NAME = "FloorPlan403"
KINDS = {"bake", "map", "scene", "texture"}


def loaded(folder: Path | None) -> str:
    """A digest of what a client sees of a scene on loading it: pictures, ids, metadata, where it can go."""
    texture.cache_clear()
    cache = DiskCache(folder) if folder is not None else None
    scene = load_scene(NAME, cache=cache)
    navigation = Navigation(scene, cache)
    x, y, z = navigation.start(0.25)
    frame = Renderer(scene, folder).render(Camera((x, y + 0.675, z), 40.0, 20.0, 90.0), (60, 80))
    assert frame.rgb is not None
    shown = SceneMetadata(scene)
    told = [shown.objects(Agent((x, y, z)), ()), shown.colors, shown.bounds, navigation.reachable(0.25)]
    pictures = frame.rgb.tobytes() + frame.instances.tobytes() + frame.parts.tobytes() + frame.depth.tobytes()
    return hashlib.sha256(pictures + json.dumps(told).encode()).hexdigest()


def meshes(parts: Iterable[Part]) -> list[object]:
    return [
        (p.name, p.mesh.positions.tobytes(), p.mesh.normals.tobytes(), p.mesh.uvs.tobytes(), p.mesh.material)
        for p in parts
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def cold(folder: Path) -> str:
    return loaded(folder)


def test_a_scene_from_the_cache_is_the_scene_built_anew_to_the_byte(folder: Path, cold: str) -> None:
    assert {path.name.partition("-")[0] for path in folder.iterdir()} == KINDS
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert loaded(folder) == cold == loaded(None)
    assert {path.name for path in folder.iterdir()} == {path.name for path in before}
    assert all(path.stat().st_mtime_ns > told for path, told in before.items()), "all were used"


def test_the_same_bytes_from_the_cache_in_another_process(folder: Path, cold: str) -> None:
    program = (
        f"import sys\nfrom pathlib import Path\nsys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        f"from test_disk_cache import loaded\nprint(loaded(Path({str(folder)!r})))"
    )
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == cold


@pytest.mark.parametrize("turn", [0, 2])
def test_damaged_entries_are_made_anew(turn: int, folder: Path, cold: str) -> None:
    whole = {path: path.read_bytes() for path in sorted(folder.iterdir())}
    for number, (path, content) in enumerate(whole.items(), turn):
        flipped = bytearray(content)
        flipped[len(flipped) // 2] ^= 0x40
        # The last is sound by its checksum, but not what is asked for.
        damage = (b"", content[:100], bytes(flipped), hashlib.sha256(path.stem.encode()).digest())
        path.write_bytes(damage[number % 4])
    assert loaded(folder) == cold
    assert {path: path.read_bytes() for path in sorted(folder.iterdir())} == whole, "mended"


@pytest.mark.parametrize("name", ["FloorPlan1", "FloorPlan301", "FloorPlan_Train1_1"])
def test_everything_about_a_scene_is_kept(name: str, tmp_path: Path) -> None:
    built, _, kept = (load_scene(name, cache=cache) for cache in (None, DiskCache(tmp_path), DiskCache(tmp_path)))
    assert isinstance(kept, Scene)
    for field in fields(Scene):
        if field.name not in {"objects", "structures", "textures"}:
            assert getattr(kept, field.name) == getattr(built, field.name), field.name
    for one, other in zip(built.instances(), kept.instances(), strict=True):
        assert meshes(one.parts) == meshes(other.parts)
        assert replace(one, parts=()) == replace(other, parts=())
    changing = [(one, other) for one, other in zip(built.objects, kept.objects, strict=True) if one.shape is not None]
    assert changing
    assert [o.object_id for o in kept.objects if o.shape] == [one.object_id for one, _ in changing]
    for one, other in changing[::7]:
        for change in (lambda thing: opened(thing, 0.4), lambda thing: toggled(thing, "isToggled" not in thing.flags)):
            assert meshes(change(one).parts) == meshes(change(other).parts)
            assert replace(change(one), parts=(), shape=None) == replace(change(other), parts=(), shape=None)


def test_seeds_are_kept_apart(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path)
    for _ in range(2):
        first, other = (load_scene(NAME, seed, cache) for seed in (0, 1))
        assert [meshes(o.parts) for o in first.objects] != [meshes(o.parts) for o in other.objects]


def test_what_other_code_made_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded(tmp_path)
    kinds = sorted(path.name.partition("-")[0] for path in tmp_path.iterdir())
    for module in ("surfaces.textures", "rooms.layouts", "physics.occupancy", "render.bake"):
        monkeypatch.setattr(f"saom_player.{module}.SOURCE_DIGEST", "other code")
    loaded(tmp_path)
    texture.cache_clear()
    assert sorted(path.name.partition("-")[0] for path in tmp_path.iterdir()) == sorted(2 * kinds)


def test_the_digest_of_the_source_covers_builders_and_tables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("objects/kitchen.py", "tables/data/rooms.json.xz", "disk_cache.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("as it was")
    monkeypatch.setattr(disk_cache, "__file__", str(tmp_path / "disk_cache.py"))
    before = _source_digest()
    assert before == _source_digest()
    for name in ("objects/kitchen.py", "tables/data/rooms.json.xz"):
        (tmp_path / name).write_text("changed")
        assert _source_digest() != before
        (tmp_path / name).write_text("as it was")
    assert _source_digest() == before


def test_a_map_is_not_taken_for_another_scenes(tmp_path: Path) -> None:
    scene, cache = load_scene(NAME), DiskCache(tmp_path)
    things = scene.structures
    passable = tuple(replace(thing, solid=False) if thing.name.startswith("Wall") else thing for thing in things)
    higher = replace(scene, agent_position=(scene.agent_position[0], 1.4, scene.agent_position[2]))
    for each in (scene, replace(scene, structures=passable), replace(scene, structures=things[:-1]), higher):
        for _ in range(2):
            kept, made = kept_occupancy(each, cache), occupancy(each)
            assert kept.origin_xz == made.origin_xz
            for name in ("owner", "floor", "free"):
                np.testing.assert_array_equal(getattr(kept, name), getattr(made, name))
                assert getattr(kept, name).dtype == getattr(made, name).dtype
    assert len(list(tmp_path.iterdir())) == 4


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    cache = DiskCache(file / "cache")
    cache.save("scene", "ab" * 32, b"value")
    assert cache.load("scene", "ab" * 32, bytes) is None


def test_the_cache_drops_the_oldest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_cache, "LARGEST_BYTES", 2 * (600 + 32))
    cache = DiskCache(tmp_path)
    others = tmp_path / "notes.txt"
    others.write_text("not the cache's")
    (tmp_path / "bake-folder").mkdir()
    for age, key in enumerate(("a" * 40, "b" * 40, "c" * 40)):
        cache.save("bake", key, bytes(600))
        os.utime(tmp_path / f"bake-{key[:32]}.kept", (1000 + age, 1000 + age))
    cache.save("scene", "d" * 40, bytes(600))
    assert cache.load("bake", "a" * 40, bytes) is None
    assert cache.load("scene", "d" * 40, bytes) == bytes(600)
    assert len(list(tmp_path.glob("*.kept"))) == 2
    assert others.exists()
