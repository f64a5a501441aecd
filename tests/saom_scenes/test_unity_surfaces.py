"""Materials in both of Unity's layouts, and textures made small: with alpha only where it is seen."""

import io
from pathlib import Path

import numpy as np
import pytest
import unity_project as unity
from PIL import Image
from unity_project import Project, guid

from saom_scenes.unity import UnityError, UnityProject
from saom_scenes.unity.surfaces import Surface, Surfaces
from saom_scenes.unity.textures import Textures
from saom_scenes.unity.yaml_text import Reference

OLD = unity.text("""--- !u!21 &2100000
Material:
  m_Name: Old
  m_Shader: {fileID: 46, guid: 0000000000000000f000000000000000, type: 0}
  m_ShaderKeywords: _EMISSION _METALLICGLOSSMAP
  m_SavedProperties:
    serializedVersion: 2
    m_TexEnvs:
    - first:
        name: _EmissionMap
      second:
        m_Texture: {fileID: 2800000, guid: 0123456789abcdef0123456789abcdef, type: 3}
        m_Scale: {x: 1, y: 1}
        m_Offset: {x: 0, y: 0}
    - first:
        name: _MainTex
      second:
        m_Texture: {fileID: 2800000, guid: fedcba9876543210fedcba9876543210, type: 3}
        m_Scale: {x: 3, y: 0.5}
        m_Offset: {x: 0.25, y: -1}
    m_Floats:
    - first:
        name: _Glossiness
      second: 0.863
    - first:
        name: _Metallic
      second: 1
    - first:
        name: _Mode
      second: 1
    - first:
        name: _Cutoff
      second: 0.33
    m_Colors:
    - first:
        name: _Color
      second: {r: 1, g: 0.88, b: 0.6, a: 0.9}
    - first:
        name: _EmissionColor
      second: {r: 0.2, g: 0.3, b: 2.5, a: 1}
""")


def surface_of(tmp_path: Path, content: str, name: str = "Some.mat") -> Surface:
    project = Project(tmp_path)
    project.put(f"Materials/{name}", content)
    return Surfaces(UnityProject.open(tmp_path)).of(Reference(2100000, guid(f"Materials/{name}")))


def test_the_older_layout_says_the_same_things(tmp_path: Path) -> None:
    surface = surface_of(tmp_path, OLD, "Old.mat")
    m = surface.material
    assert (m.name, m.color, m.mode, m.cutoff, m.gloss) == ("Old", (1, 0.88, 0.6, 0.9), "cutout", 0.33, 0.863)
    assert (m.scale, m.offset, m.emission) == ((3, 0.5), (0.25, -1), (0.2, 0.3, 2.5))
    assert m.metallic == 0.3  # by a map, which is mostly not metal
    assert (surface.texture, surface.emission_texture) == ("fedcba9876543210" * 2, "0123456789abcdef" * 2)


def test_what_does_not_shine_has_no_light_of_its_own(tmp_path: Path) -> None:
    surface = surface_of(tmp_path, OLD.replace("_EMISSION _METALLICGLOSSMAP", ""))
    assert (surface.material.emission, surface.emission_texture, surface.material.metallic) == ((0, 0, 0), "", 1)


@pytest.mark.parametrize(
    ("mode", "shader", "wanted"),
    [(0, 46, "opaque"), (2, 46, "fade"), (3, 46, "transparent"), (0, 10751, "transparent")],
)
def test_modes(tmp_path: Path, mode: int, shader: int, wanted: str) -> None:
    content = unity.material("Glass", mode=mode).replace("{fileID: 46,", f"{{fileID: {shader},")
    assert surface_of(tmp_path, content).material.mode == wanted


def test_mirrors_are_known_by_name_and_decals_are_not_drawn(tmp_path: Path) -> None:
    assert surface_of(tmp_path, unity.material("x"), "BathMirror.mat").material.mirror
    assert not surface_of(tmp_path, unity.material("x"), "Dirt_Decal.mat").drawn


def test_numbers_that_are_none_and_materials_that_are_none(tmp_path: Path) -> None:
    m = surface_of(tmp_path, OLD.replace("0.863", "nan").replace("2.5", "1e300")).material
    assert (m.gloss, m.emission) == (0.5, (0.2, 0.3, 0.0))
    grey = surface_of(tmp_path, "no YAML at all", "None.mat").material
    assert grey.color == (0.7, 0.7, 0.7, 1.0)


def picture(size: tuple[int, int], mode: str = "RGB", kind: str = "PNG") -> bytes:
    data = io.BytesIO()
    pixels = np.zeros((size[1], size[0], len(mode)), np.uint8)
    pixels[..., 0], pixels[..., -1] = 200, 90
    Image.fromarray(pixels, mode).save(data, kind)
    return data.getvalue()


def textures(tmp_path: Path, content: bytes, name: str, side_px: int = 64) -> tuple[Textures, str]:
    Project(tmp_path).put(f"Textures/{name}", content)
    return Textures(UnityProject.open(tmp_path), side_px), guid(f"Textures/{name}")


@pytest.mark.parametrize(("name", "kind"), [("a.png", "PNG"), ("a.tga", "TGA"), ("a.tif", "TIFF"), ("a.jpg", "JPEG")])
def test_pictures_of_many_kinds_are_made_small_in_their_shape(tmp_path: Path, name: str, kind: str) -> None:
    made, key = textures(tmp_path, picture((200, 100), kind=kind), name)
    data = made.encoded(key, with_alpha=False)
    assert data is not None
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (64, 32), "RGB")
        assert image.getpixel((30, 15)) == pytest.approx((200, 0, 90), abs=12)


def test_alpha_is_kept_only_where_it_is_seen(tmp_path: Path) -> None:
    made, key = textures(tmp_path, picture((32, 32), "RGBA"), "leaf.png")
    kept, dropped = made.encoded(key, with_alpha=True), made.encoded(key, with_alpha=False)
    assert kept is not None
    assert dropped is not None
    with Image.open(io.BytesIO(kept)) as image:
        assert (image.format, image.mode) == ("WEBP", "RGBA")
        assert image.getpixel((9, 9))[3] == pytest.approx(90, abs=4)
    assert dropped.startswith(b"\xff\xd8")


def test_pictures_that_are_none_are_left_out_and_said(tmp_path: Path) -> None:
    made, key = textures(tmp_path, b"\x89PNG\r\n\x1a\n", "cut.png")
    assert (made.encoded(key, False), made.encoded("0" * 32, True)) == (None, None)
    assert "cannot be read as a picture" in made.missing["Textures/cut.png"]
    assert made.missing[f"guid {'0' * 32}"] == "it is not in the project"
    pointer, key = textures(tmp_path, b"version https://git-lfs.github.com/spec/v1\noid x\n", "far.png")
    with pytest.raises(UnityError, match="git lfs pull"):
        pointer.encoded(key, False)
