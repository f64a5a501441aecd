"""The pack format: what is written comes back, both versions; what is damaged or hostile is one line."""

import contextlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pack_files import picture, sound_pack, with_member, write_unsound

from saom_scenes.packs import (
    Pack,
    PackError,
    PackFolder,
    PackInstance,
    PackPart,
    PackTexture,
    archive,
    read_pack,
    write_pack,
)

NAME = "FloorPlan901.npz"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_pack(tmp_path / NAME, sound_pack())
    return tmp_path / NAME


def assert_equal(left: Pack, right: Pack) -> None:
    for name in ("positions", "normals", "uvs", "triangles", "part"):
        assert np.array_equal(getattr(left, name), getattr(right, name)), name
    for name in ("scene", "parts", "materials", "instances", "textures", "lights", "ambient", "missing", "source"):
        assert getattr(left, name) == getattr(right, name), name


def test_what_is_written_comes_back(path: Path) -> None:
    assert_equal(read_pack(path), sound_pack())


def test_the_same_pack_gives_the_same_bytes_and_numpy_opens_it(path: Path, tmp_path: Path) -> None:
    write_pack(tmp_path / "again.npz", sound_pack())
    assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()
    with np.load(path) as file:
        assert file["triangles"].tolist() == [[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]]


def test_a_folder_knows_its_scenes_and_has_a_fingerprint(path: Path, tmp_path: Path) -> None:
    folder = PackFolder(tmp_path)
    first = folder.fingerprint()
    (tmp_path / "notes.txt").write_text("nothing of a pack")
    assert (folder.scenes(), folder.fingerprint()) == (["FloorPlan901"], first)
    write_pack(tmp_path / "FloorPlan1.npz", sound_pack("FloorPlan1"))
    assert (folder.scenes(), folder.fingerprint() == first) == (["FloorPlan1", "FloorPlan901"], False)
    path.rename(tmp_path / "FloorPlan2.npz")
    with pytest.raises(PackError, match=r"holds FloorPlan901"):
        folder.read("FloorPlan2")


def test_the_first_proofs_packs_are_read_and_their_parts_derived(tmp_path: Path) -> None:
    """Version 0: two squares of one object and material that do not touch are two parts."""
    square = np.array([(0, 0, 0), (0, 0, 1), (1, 0, 1), (1, 0, 0)], np.float32)
    faces = np.array([(0, 1, 2), (0, 2, 3)], np.int32)
    blob = picture(kind="JPEG")
    material = {"name": "oak", "color": [1, 1, 1, 1], "tex": 0, "etex": -1, "st": [2, 1, 0, 0], "metallic": 0}
    head = {
        "mats": [{**material, "gloss": 0.5, "emission": [0, 0, 0], "mode": 3, "cutoff": 0.5, "shader": "x/Mirror"}],
        "insts": [
            {"name": "", "objectType": "", "objectId": ""},
            {"name": "Box_1", "objectType": "Box", "objectId": "Box|1", "position": [0, 0, 0], "missing": 1},
        ],
        "lights": [
            {"type": 1, "color": [1, 1, 1], "intensity": 1, "range": 10, "spot": 30, "shadows": 1, "pos": [0, 3, 0],
             "dir": [0, -1, 0], "name": "Sun"}
        ],
        "ambient": {"m_AmbientMode": 3, "m_AmbientSkyColor": [0.2, 0.3, 0.4]},
        "textures": ["oak.jpg"],
        "unresolved": [["Cup_1", "Cup", "cup.fbx", 3]],
    }  # fmt: skip
    np.savez_compressed(
        tmp_path / "FloorPlan5.npz",
        V=np.concatenate([square, square + np.float32([3, 0, 0])]).astype(np.float32),
        N=np.tile(np.array([0, 127, 0], np.int8), (8, 1)),
        UV=np.zeros((8, 2), np.float32),
        F=np.concatenate([faces, faces + 4]),
        mat=np.zeros(4, np.int16),
        inst=np.ones(4, np.int16),
        cs=np.ones(4, np.uint8),
        tex=np.frombuffer(blob, np.uint8),
        texoff=np.array([0, len(blob)], np.int64),
        head=np.frombuffer(json.dumps(head).encode(), np.uint8),
    )
    pack = read_pack(tmp_path / "FloorPlan5.npz")
    assert (pack.version, pack.scene, pack.part.tolist()) == (0, "FloorPlan5", [0, 0, 1, 1])
    assert pack.parts == (PackPart("oak 1", 1, 0), PackPart("oak 2", 1, 0))
    assert (pack.instances[1].object_id, pack.instances[1].missing) == ("Box|1", 1)
    assert (pack.materials[0].mode, pack.materials[0].scale, pack.materials[0].mirror) == ("transparent", (2, 1), True)
    assert (pack.lights[0].kind, pack.ambient.ground) == ("directional", (0.2, 0.3, 0.4))
    assert (pack.missing[0].count, pack.textures[0].data) == (3, blob)


def head_with(path: Path, **changes: object) -> Path:
    with zipfile.ZipFile(path) as file:
        head = json.loads(file.read("head.json"))
    return with_member(path, "head.json", json.dumps({**head, **changes}).encode())


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-40])
    return path


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (cut, "it is no scene pack"),
        (lambda p: with_member(p, "head.json", b"[1]"), "no JSON object"),
        (lambda p: with_member(p, "head.json", b"[" * 100_000), "no JSON"),
        (lambda p: head_with(p, version=2), "update saom-bench"),
        (lambda p: head_with(p, format="other"), "its format is 'other'"),
        (lambda p: head_with(p, parts=[{"name": "x"}]), "parts 0: it lacks instance"),
        (lambda p: head_with(p, lights=[{"kind": "candle", "direction": [0, 1, 0]}]), "not one of point, spot"),
        (lambda p: head_with(p, ambient={"sky": [1, 2, "x"]}), "not a finite number"),
        (lambda p: head_with(p, source={"project": "another"}), "not what its hash says"),
        (lambda p: with_member(p, "triangles.npy", npy(np.zeros((2, 4), np.int32))), r"shape \(2, 4\)"),
        (lambda p: with_member(p, "positions.npy", npy(np.zeros((4, 3), np.float64))), "holds float64"),
        (lambda p: with_member(p, "part.npy", npy(np.array([{}], object))), "part.npy"),
        (lambda p: with_member(p, "uvs.npy", b"\x93NUMPY\x01\x00"), "no numpy header"),
        (lambda p: write_unsound(p, triangles=np.full((4, 3), 99, np.int32)), "triangles names 99"),
        (lambda p: write_unsound(p, part=np.array([0, 0, 1, -1], np.int32)), r"lowest -1\) of 2"),
        (lambda p: write_unsound(p, parts=(PackPart("a", 7, 0), PackPart("b", 0, 0))), "a part's instance names 7"),
        (lambda p: write_unsound(p, positions=np.full((8, 3), np.nan, np.float32)), "not finite"),
        (lambda p: write_unsound(p, instances=()), "no instances"),
    ],
)  # fmt: skip
def test_damage_is_one_line_that_names_the_file(path: Path, damage: Callable[[Path], Path], says: str) -> None:
    damage(path)
    with pytest.raises(PackError, match=says) as caught:
        read_pack(path)
    assert NAME in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_would_unpack_to_too_much_is_not_unpacked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "LARGEST_TOTAL_BYTES", 4 << 20)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr("bomb.npy", bytes(8 << 20))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(PackError, match="no scene does"):
        read_pack(path)


def test_what_could_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    pack = sound_pack()
    with pytest.raises(PackError, match="neither JPEG, PNG nor WebP"):
        write_pack(tmp_path / NAME, Pack(**{**vars(pack), "textures": (PackTexture("x", b"GIF89a"),)}))
    with pytest.raises(PackError, match="a part's instance names 1"):
        write_pack(tmp_path / NAME, Pack(**{**vars(pack), "instances": (PackInstance(),)}))
    assert list(tmp_path.iterdir()) == []


@given(st.integers(0, 1 << 20), st.integers(1, 255))
@settings(max_examples=60, deadline=None)
def test_a_changed_byte_is_found_or_harmless(tmp_path_factory: pytest.TempPathFactory, place: int, change: int) -> None:
    path = tmp_path_factory.mktemp("packs") / NAME
    write_pack(path, sound_pack())
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= change
    path.write_bytes(data)
    with contextlib.suppress(PackError):
        assert_equal(read_pack(path), sound_pack())
