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

from saom_player.disk_cache import SOURCE_DIGEST, DiskCache
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


@lru_cache(maxsize=256)  # 0.2 MB each; a scene copies what it uses into its atlas
def texture(key: str, cache: DiskCache | None = None) -> NDArray[np.uint8]:
    """(256, 256, 3) sRGB, row 0 at v = 0; read-only. ``cache`` keeps it between processes. Raises UnknownTexture."""
    name, variant = split_key(key)
    if cache is None:
        return _made(name, variant)
    kept_as = hashlib.sha256(f"{SOURCE_DIGEST} {key}".encode()).hexdigest()
    stored = cache.load("texture", kept_as, lambda value: np.frombuffer(value, np.uint8).reshape(SIZE, SIZE, 3))
    if stored is not None:
        return stored
    picture = _made(name, variant)
    cache.save("texture", kept_as, picture.tobytes())
    return picture


def _made(name: str, variant: int) -> NDArray[np.uint8]:
    seed = hashlib.sha256(f"{name}:{variant}".encode()).digest()[:8]
    rng = np.random.default_rng(int.from_bytes(seed, "little"))
    values = np.clip(RECIPES[name](rng, variant), 0.0, 1.0)
    if values.shape != (SIZE, SIZE, 3):
        raise ValueError(f"texture {name}:{variant} has shape {values.shape}")
    picture = np.round(values * 255).astype(np.uint8)
    picture.flags.writeable = False
    return picture
