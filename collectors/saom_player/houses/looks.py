"""What AI2-THOR's material names look like here: a texture of the same kind, its variant and shade by the name.

The player has none of AI2-THOR's textures. A name that says nothing is plaster on a wall and planks on a floor; the
same name looks the same in every house.
"""

from collections.abc import Mapping

import numpy as np

from saom_player.rooms.furnishing import rng_of
from saom_player.shapes.mesh import Material, Rgb
from saom_player.surfaces.materials import Palette
from saom_scenes.houses.model import Surface

_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("brick", ("brick",)),
    ("tiles", ("tile", "ceramic", "porcelain", "subway")),
    ("mosaic", ("mosaic",)),
    ("marble", ("marble", "granite", "stone", "slate")),
    ("concrete", ("concrete", "cement", "grunge")),
    ("wicker", ("wicker",)),
    ("carpet", ("carpet", "fabric", "rug")),
    ("wallpaper", ("wallpaper", "pattern", "stripe", "floral")),
    ("wood", ("wood", "plank", "floor", "laminate", "panel", "beam", "cabinet", "parquet")),
    ("plaster", ("drywall", "plaster", "paint", "purewhite", "wall")),
)
_HUES: Mapping[str, Rgb] = {
    "white": (0.92, 0.91, 0.89), "cream": (0.88, 0.83, 0.72), "grey": (0.62, 0.62, 0.63), "gray": (0.62, 0.62, 0.63),
    "brown": (0.58, 0.47, 0.36), "beige": (0.78, 0.70, 0.58), "tan": (0.72, 0.60, 0.46), "black": (0.16, 0.16, 0.17),
    "blue": (0.52, 0.62, 0.72), "green": (0.56, 0.66, 0.54), "egg": (0.56, 0.72, 0.72), "red": (0.60, 0.36, 0.32),
    "orange": (0.76, 0.55, 0.36), "yellow": (0.86, 0.78, 0.52), "pink": (0.80, 0.62, 0.62),
    "purple": (0.60, 0.53, 0.66), "teal": (0.42, 0.60, 0.60), "dark": (0.42, 0.38, 0.35),
}  # fmt: skip
_SHADES: Mapping[str, float] = {"dark": 0.62, "black": 0.35, "pale": 1.1, "white": 1.12, "light": 1.06, "worn": 0.88}
REPEATS_M: Mapping[str, float] = {
    "brick": 1.2, "tiles": 1.0, "mosaic": 0.6, "marble": 1.5, "concrete": 1.8, "wicker": 0.6, "carpet": 0.5,
    "wallpaper": 1.1, "wood": 1.3, "planks": 1.4, "parquet": 1.2, "plaster": 1.5,
}  # fmt: skip
_MIRRORS: Mapping[str, float] = {"tiles": 0.05, "marble": 0.08, "planks": 0.05, "parquet": 0.05}


def repeat_of(material: Material) -> float:
    """Metres that a repeat of a wall's or floor's texture covers."""
    return REPEATS_M.get(material.texture.partition(":")[0], 1.2)


def wall_material(surface: Surface) -> Material:
    """Of a wall or a ceiling."""
    rng = rng_of(0, "wall", surface.name)
    kind = _kind(surface.name, "plaster")
    if surface.color is not None:
        return Material(f"plaster:{int(rng.integers(3))}", _readable(surface.color))
    if kind == "plaster":
        return Material(f"plaster:{int(rng.integers(3))}", _hue(surface.name) or Palette(rng).color("pastel"))
    if kind in {"wallpaper", "tiles", "carpet", "wicker"}:
        tint = _hue(surface.name) or Palette(rng).color("pastel")
        gloss = (0.2, 70.0) if kind == "tiles" else (0.01, 5.0)
        return Material(f"{kind}:{int(rng.integers(4))}", tint, *gloss)
    return _toned(kind, surface.name, rng, mirror=0.0)


def floor_material(surface: Surface) -> Material:
    """Of a floor."""
    rng = rng_of(0, "floor", surface.name)
    kind = _kind(surface.name, "wood")
    if kind == "wood":
        kind = "parquet" if rng.random() < 0.3 else "planks"
    if surface.color is not None:
        return Material(f"{kind}:{int(rng.integers(4))}", _readable(surface.color), 0.05, 30.0)
    if kind in {"plaster", "carpet", "tiles", "mosaic"}:
        tint = _hue(surface.name) or (0.86, 0.85, 0.82)
        mirror = _MIRRORS.get(kind, 0.0)
        return Material(f"{kind}:{int(rng.integers(4))}", tint, 0.1 if mirror else 0.01, 60.0, reflect=mirror)
    return _toned(kind, surface.name, rng, _MIRRORS.get(kind, 0.0))


def _toned(kind: str, name: str, rng: np.random.Generator, mirror: float) -> Material:
    """A texture that has colours of its own, lighter or darker as the name says."""
    lower = name.lower()
    shade = next((value for word, value in _SHADES.items() if word in lower), float(rng.uniform(0.8, 1.0)))
    tint: Rgb = (min(shade, 1.15), min(shade * 0.985, 1.15), min(shade * 0.97, 1.15))
    return Material(f"{kind}:{int(rng.integers(8))}", tint, 0.1 if mirror else 0.03, 50.0, reflect=mirror)


def _kind(name: str, default: str) -> str:
    lower = name.lower()
    return next((kind for kind, words in _KINDS if any(word in lower for word in words)), default)


def _hue(name: str) -> Rgb | None:
    lower = name.lower()
    return next((color for word, color in _HUES.items() if word in lower), None)


def _readable(color: Rgb) -> Rgb:
    """Paints are not quite as black or white as their numbers."""
    r, g, b = (float(np.clip(0.04 + 0.92 * c, 0.04, 0.94)) for c in color)
    return r, g, b
