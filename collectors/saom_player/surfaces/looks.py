"""Other looks for a surface, of the same kind: wood stays wood, white goods stay white, an apple stays an apple.

Looks are numbered. A number belongs to a split (train, val, test, external) and a room type, so that the looks of
one are never those of another.
"""

import colorsys
import hashlib
from dataclasses import replace

import numpy as np

from saom_player.shapes.mesh import Material, Rgb
from saom_player.surfaces.materials import WHITE, Palette

ROOM_TYPES = ("bedroom", "bathroom", "livingroom", "kitchen", "robothor")
LOOKS: dict[str, int] = {"train": 12, "val": 4, "test": 4, "external": 6}
"""How many looks a kind of surface has in each split, for each room type."""
_NATURAL = frozenset(
    "Apple Tomato Potato Lettuce Egg Bread AppleSliced TomatoSliced PotatoSliced LettuceSliced EggCracked "
    "BreadSliced HousePlant".split()
)
_MOTIFS = frozenset({"picture", "cover", "rug", "label", "clock", "newspaper"})
_MOTIF_VARIANTS = 8
_GREY_SATURATION = 0.12
_GLASSY = 0.3
_OF_PICTURES = "pack:"


def kind_of(material: Material, owner: str) -> str:
    """What kind of surface it is; ``owner`` is the type of its object, or the name of its structure. "" stays as is."""
    recipe = material.texture.partition(":")[0]
    if material.emission > 0 or material.reflect >= _GLASSY or material.opacity < 1:
        return ""
    if owner in _NATURAL or recipe in {"leaf", "soil", "bread"}:
        return "natural"
    if recipe in {"screen", "sky", "keyboard", "buttons"}:
        return ""
    if owner.startswith(("Wall", "Ceiling")) and recipe in {"plain", "plaster", "wallpaper", "tiles"}:
        return "ceiling" if owner.startswith("Ceiling") else "wall"
    if recipe == "plain":
        return (
            "metal"
            if material.specular >= 0.4
            else "plain"
            if _saturation(material.tint) > _GREY_SATURATION
            else "grey"
        )
    return "picture" if material.texture.startswith(_OF_PICTURES) or recipe not in _RECIPES else recipe


def look(material: Material, kind: str, room: str, split: str, number: int) -> Material:
    """Look ``number`` of a kind, a split and a room type, on a surface as it was made."""
    rng = np.random.default_rng(_digest(f"{kind} {room} {split} {number}"))
    palette = Palette(rng)
    texture, tint = _of_kind(material, kind, palette, rng)
    return replace(material, texture=texture, tint=tint, original=material)


def any_color(material: Material, rng: np.random.Generator) -> Material:
    """The surface in any colour at all."""
    tint = colorsys.hsv_to_rgb(float(rng.random()), float(rng.uniform(0.3, 1.0)), float(rng.uniform(0.3, 1.0)))
    return replace(material, tint=tint, original=material)


def _of_kind(material: Material, kind: str, palette: Palette, rng: np.random.Generator) -> tuple[str, Rgb]:
    same = material.texture
    if kind == "natural":
        return same, _shaded(material.tint, rng.uniform(0.9, 1.08), rng, 0.02)
    if kind == "wall":
        return same, _pale(rng)
    if kind == "ceiling":
        return same, _shaded(WHITE, rng.uniform(0.93, 1.03), rng, 0.01)
    if kind == "metal":
        return same, _shaded(material.tint, rng.uniform(0.8, 1.1), rng, 0.01)
    if kind == "grey":
        return same, _other_grey(material.tint, palette, rng)
    if kind == "plain":
        return same, palette.color("accent")
    if kind == "picture":
        return same, _shaded(material.tint, rng.uniform(0.72, 1.08), rng, 0.09)
    return _RECIPES[kind](material, palette, rng)


def _wood(material: Material, palette: Palette, rng: np.random.Generator) -> tuple[str, Rgb]:
    other = palette.wood()
    return other.texture.replace("wood", material.texture.partition(":")[0]), other.tint


def _floor(material: Material, palette: Palette, rng: np.random.Generator) -> tuple[str, Rgb]:
    shade = float(rng.uniform(0.78, 1.0))
    recipe = ("planks", "parquet")[int(rng.integers(2))]
    return f"{recipe}:{int(rng.integers(4))}", (shade, shade * 0.985, shade * 0.96)


def _tiles(material: Material, palette: Palette, rng: np.random.Generator) -> tuple[str, Rgb]:
    recipe = material.texture.partition(":")[0]
    return f"{recipe}:{int(rng.integers(4))}", _pale(rng)


def _cloth(material: Material, palette: Palette, rng: np.random.Generator) -> tuple[str, Rgb]:
    recipe = material.texture.partition(":")[0]
    pale = min(material.tint) > 0.7
    return f"{recipe}:{int(rng.integers(4))}", palette.color("pastel" if pale or rng.random() < 0.3 else "furnishing")


def _leather(material: Material, palette: Palette, rng: np.random.Generator) -> tuple[str, Rgb]:
    other = palette.leather()
    return other.texture, other.tint


def _stone(material: Material, palette: Palette, rng: np.random.Generator) -> tuple[str, Rgb]:
    other = palette.marble()
    return other.texture, other.tint


def _shade(material: Material, palette: Palette, rng: np.random.Generator) -> tuple[str, Rgb]:
    return material.texture, _shaded(material.tint, rng.uniform(0.82, 1.08), rng, 0.03)


def _motif(material: Material, palette: Palette, rng: np.random.Generator) -> tuple[str, Rgb]:
    return f"{material.texture.partition(':')[0]}:{int(rng.integers(_MOTIF_VARIANTS))}", material.tint


_RECIPES = {
    "wood": _wood,
    "planks": _floor,
    "parquet": _floor,
    "tiles": _tiles,
    "mosaic": _tiles,
    "wallpaper": _tiles,
    "fabric": _cloth,
    "carpet": _cloth,
    "leather": _leather,
    "marble": _stone,
    "granite": _stone,
    **dict.fromkeys(("plaster", "brick", "brushed", "cardboard", "concrete", "wicker"), _shade),
    **dict.fromkeys(_MOTIFS, _motif),
}


def _pale(rng: np.random.Generator) -> Rgb:
    """What walls are painted: whites, and light tones of any hue that are never loud."""
    if rng.random() < 0.35:
        return _shaded(WHITE, rng.uniform(0.92, 1.03), rng, 0.015)
    # Warm hues and blues more than pinks and violets.
    hue = float(rng.choice([0.08, 0.11, 0.14, 0.3, 0.45, 0.55, 0.6]) + rng.uniform(-0.03, 0.03))
    return colorsys.hsv_to_rgb(hue, float(rng.uniform(0.04, 0.2)), float(rng.uniform(0.74, 0.94)))


def _other_grey(tint: Rgb, palette: Palette, rng: np.random.Generator) -> Rgb:
    """White stays white and black black, more or less; what lies between may take a muted colour."""
    value = max(tint)
    if value > 0.8 or value < 0.2:
        return _shaded(tint, rng.uniform(0.85, 1.05), rng, 0.02)
    return palette.color("furnishing")


def _shaded(tint: Rgb, factor: float, rng: np.random.Generator, cast: float) -> Rgb:
    red, green, blue = (
        float(np.clip(c * factor + s, 0.02, 1.0)) for c, s in zip(tint, rng.uniform(-cast, cast, 3), strict=True)
    )
    return red, green, blue


def _saturation(tint: Rgb) -> float:
    return (max(tint) - min(tint)) / max(max(tint), 1e-6)


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
