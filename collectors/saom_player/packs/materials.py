"""How a pack's surfaces look here: Unity's Standard shader in the player's terms, pictures at the atlas's size."""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from saom_player.shapes.mesh import Material, Rgb
from saom_player.surfaces.noise import SIZE
from saom_scenes.packs import PackError, PackMaterial, PackTexture

_FORMATS = ("JPEG", "PNG", "WEBP")
_LARGEST_SIDE_PX = 4096
# Glass of alpha 0 still shows its reflections in Unity; here it keeps this much of its own colour.
_CLEAREST = 0.14
_MIRROR, _POLISHED = 0.86, 0.22
_METAL_SHADE = 0.25
# Every surface of Unity's reflects a little of the grey room around it: none is quite black, none quite as colourful.
_HAZE = 0.04
_BRIGHTEST_GLOW = 2.0
_FAINTEST_GLOW = 0.25


def texture_key(number: int) -> str:
    """What materials call a pack's picture; no recipe of textures.py has such a name."""
    return f"pack:{number}"


def scene_textures(textures: Sequence[PackTexture], used: set[int]) -> dict[str, NDArray[np.uint8]]:
    """The pictures that materials use, by key. Raises PackError for one that cannot be decoded."""
    return {texture_key(k): _picture(textures[k]) for k in sorted(used)}


def _picture(texture: PackTexture) -> NDArray[np.uint8]:
    """(256, 256, 3), or 4 where it has alpha."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(texture.data), formats=_FORMATS) as image:
            # The size stands in the file's first bytes: a bomb is seen before it is unpacked.
            if max(image.size) > _LARGEST_SIDE_PX:
                raise PackError(f"texture {texture.name!r} is {image.size[0]} x {image.size[1]}; at most 4096 a side")
            rgb = image.convert("RGBA" if image.mode in ("RGBA", "LA", "PA") else "RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PackError(f"texture {texture.name!r} is no picture that can be read") from error
    if rgb.size != (SIZE, SIZE):
        rgb = rgb.resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    return np.asarray(rgb, np.uint8)


def pictures_of(material: PackMaterial) -> set[int]:
    """Which pictures a material shows."""
    return {k for k in (_shown(material),) if k >= 0}


def _shown(material: PackMaterial) -> int:
    """The picture on a surface: what shines has none of its own, perhaps, but one of its light."""
    return material.texture if material.texture >= 0 else material.emission_texture


def material_of(material: PackMaterial) -> Material:
    """The player's material. What is see-through by a picture's alpha alone becomes a cut-out."""
    shown = _shown(material)
    glow = _glow(material)
    metal = min(max(material.metallic, 0.0), 1.0)
    gloss = min(max(material.gloss, 0.0), 0.95)
    clear = material.mode in ("fade", "transparent")
    return Material(
        texture=texture_key(shown) if shown >= 0 else "plain:0",
        tint=_tint(material, glow, metal),
        specular=0.04 + 0.5 * metal * gloss + (0.3 if clear else 0.0),
        gloss=min(max(2 / (1 - gloss) ** 2, 4.0), 300.0),
        emission=glow,
        reflect=_reflect(material, metal, gloss),
        opacity=min(max(material.color[3], _CLEAREST), 1.0) if clear and not _by_picture(material) else 1.0,
        cutoff=material.cutoff if material.mode == "cutout" else 0.5 if _by_picture(material) else 0.0,
        one_sided=True,
    )


def is_unseen(material: PackMaterial, on_object: bool) -> bool:
    """Whether a surface is not drawn: light rays, and decals that are switched off; dirt laid over walls.

    The real camera shows faint dirt and labels what is behind it.
    """
    faint = material.mode in ("fade", "transparent") and material.texture >= 0 and material.color[3] < 0.7
    off = material.mode == "cutout" and material.texture < 0 and material.color[3] < material.cutoff
    return off or (faint and (not on_object or max(material.emission) > 0.5))


def _by_picture(material: PackMaterial) -> bool:
    return material.mode in ("fade", "transparent") and material.texture >= 0 and material.color[3] > 0.95


def _glow(material: PackMaterial) -> float:
    """How much it shines by itself: lamps do; a screen's or a display's faint picture does not."""
    strength = max(material.emission)
    if strength < _FAINTEST_GLOW or material.mirror or (material.texture >= 0 and material.emission_texture >= 0):
        return 0.0
    if material.mode in ("fade", "transparent"):
        return 0.0
    return min(max(strength, 1.0), _BRIGHTEST_GLOW) if strength >= 0.6 else strength


def _tint(material: PackMaterial, glow: float, metal: float) -> Rgb:
    if material.mirror:
        return 0.92, 0.93, 0.93
    color: tuple[float, ...] = material.color[:3]
    if glow >= 1 or (glow > 0 and material.emission_texture >= 0):
        color = tuple(c / max(material.emission) for c in material.emission)
    # Metal has no colour of its own but what it mirrors: darker than paint of that colour.
    shade = 1 - _METAL_SHADE * metal if glow == 0 else 1.0
    r, g, b = (_HAZE + (1 - _HAZE) * min(max(c * shade, 0.0), 1.0) for c in color)
    return r, g, b


def _reflect(material: PackMaterial, metal: float, gloss: float) -> float:
    if material.mirror:
        return _MIRROR
    return _POLISHED * metal * gloss if metal > 0.6 and gloss > 0.55 else 0.0
