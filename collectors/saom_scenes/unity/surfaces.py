"""Materials of a Unity project in the pack's terms; textures stay the guids of their files."""

import re
from dataclasses import dataclass, replace

from saom_scenes.packs import PackMaterial
from saom_scenes.packs.model import MODES, Mode
from saom_scenes.unity.project import UnityProject
from saom_scenes.unity.yaml_text import Reference, documents, fields, number_of, reference

_MATERIAL = 21
_BUILTIN = "0000000000000000"
_DEFAULT_COLOR, _MISSING_COLOR = (0.8, 0.8, 0.8, 1.0), (0.7, 0.7, 0.7, 1.0)
_SAVED = "m_SavedProperties"
_NEW_NAME = re.compile(rf"^{_SAVED}\.m_(TexEnvs|Floats|Colors)\.Array\.data\[\d+\]\.(_\w+)(\.|$)")
_OLD_NAME = re.compile(rf"^({_SAVED}\.m_(TexEnvs|Floats|Colors)(?:\.Array)?\.data\[\d+\])\.first\.name$")
_UNDRAWN = re.compile(r"stencil|decal", re.I)
# Built-in shaders that are see-through whatever _Mode says, and those that are not: Unity's Unlit family.
_SHADER_MODES: dict[int, Mode] = {10750: "opaque", 10751: "transparent", 10752: "transparent", 10753: "transparent"}
_MAPPED_METAL = 0.3
_LARGEST = 1e5


@dataclass(frozen=True)
class Surface:
    """A material, and which textures it has by the guids of their files ("" for none)."""

    material: PackMaterial
    texture: str = ""
    emission_texture: str = ""
    drawn: bool = True
    """False for decals and stencils: what they do to the surface below is not a surface."""


@dataclass
class Surfaces:
    """The materials of a project, each read once."""

    project: UnityProject
    missing: dict[str, int]
    """Materials that could not be read, and how many renderers use them; they are grey."""
    _read: dict[Reference, Surface]

    def __init__(self, project: UnityProject) -> None:
        self.project, self.missing, self._read = project, {}, {}

    def of(self, link: Reference) -> Surface:
        """The surface of a renderer's material slot. Raises UnityError for files of Git LFS."""
        if link not in self._read:
            self._read[link] = self._surface(link)
        surface = self._read[link]
        if link.guid and not surface.material.name:
            name = self._name(link)
            self.missing[name] = self.missing.get(name, 0) + 1
        return surface

    def _name(self, link: Reference) -> str:
        path = self.project.path(link.guid)
        return self.project.name(path) if path else f"guid {link.guid}"

    def _surface(self, link: Reference) -> Surface:
        if not link.guid or link.guid.startswith(_BUILTIN):
            return Surface(PackMaterial(name="Default-Material", color=_DEFAULT_COLOR))
        path = self.project.path(link.guid)
        text = self.project.text_of(path) if path and path.suffix.lower() == ".mat" else None
        document = next((d for d in documents(text or "") if d.kind == _MATERIAL), None)
        if path is None or document is None:
            return Surface(PackMaterial(color=_MISSING_COLOR))
        values = fields(document.text)
        return self._described(path.stem, values)

    def _described(self, name: str, values: dict[str, str]) -> Surface:
        saved = _Saved(values)
        keywords = " ".join(v for k, v in values.items() if k.startswith(("m_ShaderKeywords", "m_ValidKeywords")))
        link = reference(values.get("m_Shader"))
        path = self.project.path(link.guid) if link.guid else None
        shader = self.project.name(path) if path else ""
        shines = "_EMISSION" in keywords.split()
        scale, offset = saved.tiling("_MainTex")
        mode = MODES[min(max(int(saved.number("_Mode", 0)), 0), len(MODES) - 1)]
        r, g, b, a = saved.color("_Color", (1.0, 1.0, 1.0, 1.0))
        red, green, blue, _ = saved.color("_EmissionColor", (0.0, 0.0, 0.0, 1.0))
        mapped = "_METALLICGLOSSMAP" in keywords.split()
        material = PackMaterial(
            name=name,
            color=(r, g, b, a),
            scale=scale,
            offset=offset,
            # A map of metal is mostly not metal.
            metallic=_MAPPED_METAL if mapped else saved.number("_Metallic", 0.0),
            gloss=min(max(saved.number("_Glossiness", 0.5), 0.0), 1.0),
            emission=(red, green, blue) if shines else (0.0, 0.0, 0.0),
            mode=mode if link.guid != "0000000000000000f000000000000000" else _SHADER_MODES.get(link.file_id, mode),
            cutoff=saved.number("_Cutoff", 0.5),
            mirror="mirror" in f"{shader} {name}".lower(),
        )
        drawn = not _UNDRAWN.search(f"{shader} {name}")
        emitted = saved.texture("_EmissionMap") if shines else ""
        return Surface(material, saved.texture("_MainTex"), emitted, drawn)


class _Saved:
    """A material's saved properties by their names, in either of Unity's two layouts."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values
        self._place: dict[str, str] = {}
        for path, value in values.items():
            new, old = _NEW_NAME.match(path), _OLD_NAME.match(path)
            if new:
                self._place.setdefault(new[2], path[: new.end(2)])
            elif old:
                self._place.setdefault(value, f"{old[1]}.second")

    def number(self, name: str, default: float) -> float:
        """A number of plausible size, else the default."""
        place = self._place.get(name)
        found = number_of(self._values, place, default) if place else default
        return found if abs(found) < _LARGEST else default

    def color(self, name: str, default: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        """(r, g, b, a)"""
        r, g, b, a = (self._inner(name, part, d) for part, d in zip("rgba", default, strict=True))
        return r, g, b, a

    def texture(self, name: str) -> str:
        """The guid of a texture's file; "" for none."""
        return reference(self._values.get(f"{self._place.get(name, '')}.m_Texture")).guid

    def tiling(self, name: str) -> tuple[tuple[float, float], tuple[float, float]]:
        """Scale and offset of a texture's coordinates."""
        scale = self._inner(name, "m_Scale.x", 1.0), self._inner(name, "m_Scale.y", 1.0)
        return scale, (self._inner(name, "m_Offset.x", 0.0), self._inner(name, "m_Offset.y", 0.0))

    def _inner(self, name: str, part: str, default: float) -> float:
        place = self._place.get(name)
        found = number_of(self._values, f"{place}.{part}", default) if place else default
        return found if abs(found) < _LARGEST else default


def with_textures(surface: Surface, numbers: dict[tuple[str, bool], int]) -> PackMaterial:
    """The material with its textures as numbers of the pack's pictures, which are known by (guid, has alpha)."""
    see_through = surface.material.mode != "opaque"
    return replace(
        surface.material,
        texture=numbers.get((surface.texture, see_through), -1),
        emission_texture=numbers.get((surface.emission_texture, False), -1),
    )
