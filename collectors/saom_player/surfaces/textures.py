"""Seeded, tileable textures by name: "wood", "wood:2". The same key gives the same picture in any process.

Recipes that a tint should colour (plain, plaster, fabric, carpet, tiles, leather, brushed, concrete, wicker, cardboard,
bread, wallpaper) are near white; the others bring their own colours, and a variant picks among palettes. Motifs
("screen", "clock", "picture", ...) fill one tile, upright when v grows downwards: v = 0 is the motif's top.
"""

import hashlib
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from saom_player.surfaces import motifs as motifs
from saom_player.surfaces import patterns as surfaces
from saom_player.surfaces.noise import SIZE, FloatImage

Recipe = Callable[[np.random.Generator, int], FloatImage]

RECIPES: dict[str, Recipe] = {
    "plain": surfaces.plain,
    "plaster": surfaces.plaster,
    "wood": surfaces.wood,
    "planks": surfaces.planks,
    "parquet": surfaces.parquet,
    "tiles": surfaces.tiles,
    "mosaic": surfaces.mosaic,
    "brick": surfaces.brick,
    "fabric": surfaces.fabric,
    "carpet": surfaces.carpet,
    "marble": surfaces.marble,
    "granite": surfaces.granite,
    "brushed": surfaces.brushed,
    "leather": surfaces.leather,
    "wallpaper": surfaces.wallpaper,
    "cardboard": surfaces.cardboard,
    "bread": surfaces.bread,
    "concrete": surfaces.concrete,
    "wicker": surfaces.wicker,
    "soil": surfaces.soil,
    "leaf": surfaces.leaf,
    "rug": motifs.rug,
    "keyboard": motifs.keyboard,
    "screen": motifs.screen,
    "clock": motifs.clock,
    "newspaper": motifs.newspaper,
    "label": motifs.label,
    "picture": motifs.picture,
    "cover": motifs.cover,
    "buttons": motifs.buttons,
    "sky": motifs.sky,
}


class UnknownTexture(ValueError):
    """No recipe has this name, or the variant is no whole number."""


def split_key(key: str) -> tuple[str, int]:
    """ "wood:2" -> ("wood", 2), "wood" -> ("wood", 0). Raises UnknownTexture."""
    name, _, variant = key.partition(":")
    if name not in RECIPES or (variant and not variant.isdecimal()):
        raise UnknownTexture(f"no texture {key!r}; write recipe or recipe:number, recipes: {', '.join(RECIPES)}")
    return name, int(variant or 0)


@lru_cache(maxsize=64)  # 0.8 MB each; a scene copies what it uses into its atlas
def texture(key: str) -> NDArray[np.float32]:
    """(256, 256, 3) float32 in 0..1, sRGB, row 0 at v = 0; read-only. Raises UnknownTexture."""
    name, variant = split_key(key)
    seed = hashlib.sha256(f"{name}:{variant}".encode()).digest()[:8]
    rng = np.random.default_rng(int.from_bytes(seed, "little"))
    picture = np.clip(RECIPES[name](rng, variant), 0.0, 1.0).astype(np.float32)
    if picture.shape != (SIZE, SIZE, 3):
        raise ValueError(f"texture {key!r} has shape {picture.shape}")
    picture.flags.writeable = False
    return picture
