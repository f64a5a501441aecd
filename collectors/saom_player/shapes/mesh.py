"""Meshes and materials: the values that builders make and the renderer draws; primitives live in primitives.py."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Material:
    """How a surface looks. Equal materials are one material: they hash by value."""

    texture: str = "plain"
    """A texture of textures.py, as "recipe" or "recipe:variant" ("wood:2")."""
    tint: Rgb = (1.0, 1.0, 1.0)
    """Multiplies the texture; sRGB in 0..1."""
    specular: float = 0.04
    """Highlight strength, 0..1."""
    gloss: float = 20.0
    """Phong exponent of the highlight."""
    emission: float = 0.0
    """1 or more: the surface shines by itself at texture * tint * emission; between 0 and 1 it is added."""
    reflect: float = 0.0
    """Mirror share, 0..1."""
    opacity: float = 1.0
    """Share of what lies behind that the surface hides; below 1 it is glass, and casts no shadow."""
    cutoff: float = 0.0
    """Above 0: texels with less alpha than this are holes; only a scene's own textures have alpha."""
    one_sided: bool = False
    """Whether the surface is seen from its front alone."""
    original: "Material | None" = field(default=None, compare=False, repr=False)
    """What the surface looked like before it was varied; None where it was not."""


@dataclass(frozen=True)
class Mesh:
    """Triangles with their own corners: positions and normals (T, 3, 3), texture coordinates (T, 3, 2), float32.

    Seen from outside, corners run so that cross(p1 - p0, p2 - p0) points outward in this left-handed frame's
    coordinates taken as plain numbers. One texture repeat per unit of texture coordinate.
    """

    positions: FloatArray
    normals: FloatArray
    uvs: FloatArray
    material: Material = field(default_factory=Material)

    def __len__(self) -> int:
        return len(self.positions)


@dataclass(frozen=True)
class Part:
    """A named piece of an object: "leg 2", "seat cushion 1", "screen"."""

    name: str
    mesh: Mesh
