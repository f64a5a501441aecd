"""A pack's room as seen from straight above, for a quick look: no renderer, no light but a little shade."""

import io

import numpy as np
from numpy.typing import NDArray

from saom_scenes.packs.model import Pack, PackMaterial

_CEILING_FROM_M = 1.9
_LEVEL = 0.05
_SUBPIXEL_BITS = 4
_MARGIN = 0.04
_GROUND = 236


def plan_view(pack: Pack, side_px: int = 480) -> NDArray[np.uint8]:
    """(side, side, 3) RGB, x to the right and z up; what faces down or hangs near the ceiling is left out."""
    import cv2

    corners = pack.positions[pack.triangles].astype(np.float64)
    face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lean = face[:, 1] / np.maximum(np.linalg.norm(face, axis=1), 1e-12)
    shown = (lean > _LEVEL) & (corners[:, :, 1].mean(axis=1) < _floor(pack) + _CEILING_FROM_M)
    corners, lean, material = corners[shown], lean[shown], pack.material_of()[shown]
    picture = np.full((side_px, side_px, 3), _GROUND, np.uint8)
    if not len(corners):
        return picture
    pixels = _pixels(corners[:, :, [0, 2]], side_px)
    colors = _colors(pack)[material] * (0.55 + 0.45 * lean[:, None])
    order = np.argsort(corners[:, :, 1].mean(axis=1), kind="stable")
    for k in order.tolist():
        color = tuple(int(c) for c in colors[k])
        cv2.fillConvexPoly(picture, pixels[k], color, cv2.LINE_AA, _SUBPIXEL_BITS)
    return picture


def _floor(pack: Pack) -> float:
    """The height of most of the objects' lowest points: rooms of packs stand near 0."""
    return float(np.clip(np.quantile(pack.positions[:, 1], 0.02), -1.0, 1.0)) if len(pack.positions) else 0.0


def _pixels(plan: NDArray[np.float64], side_px: int) -> NDArray[np.int32]:
    """(T, 3, 2) of OpenCV's fixed point numbers; the room fills the picture, a garden round it may be cut off."""
    low, high = np.quantile(plan.reshape(-1, 2), [0.01, 0.99], axis=0)
    scale = (1 - 2 * _MARGIN) * side_px / max(float((high - low).max()), 1e-6)
    middle = (low + high) / 2
    centred = (plan - middle) * np.array([scale, -scale]) + side_px / 2
    bound = 8 * side_px
    return np.asarray(np.round(np.clip(centred, -bound, bound) * (1 << _SUBPIXEL_BITS)).astype(np.int32))


def _colors(pack: Pack) -> NDArray[np.float64]:
    """(M, 3) each material's mean colour, 0..255."""
    means = [_mean(texture.data) for texture in pack.textures]
    return np.array([_color(m, means) for m in pack.materials]).reshape(-1, 3)


def _color(material: PackMaterial, means: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    base = means[material.texture] if material.texture >= 0 else np.full(3, 255.0)
    return np.clip(base * material.color[:3], 0, 255)


def _mean(data: bytes) -> NDArray[np.float64]:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as image:
            image.draft("RGB", (8, 8))
            return np.asarray(image.convert("RGB").resize((1, 1), Image.Resampling.BOX), np.float64).reshape(3)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return np.full(3, 255.0)
