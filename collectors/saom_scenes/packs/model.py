"""A pack's contents as plain values, checked: whatever a reader returns can be indexed without further care."""

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Triple = tuple[float, float, float]
Mode = Literal["opaque", "cutout", "fade", "transparent"]
Casts = Literal["off", "on", "two-sided"]
LightKind = Literal["point", "spot", "directional"]
MODES: tuple[Mode, ...] = get_args(Mode)
CASTS: tuple[Casts, ...] = get_args(Casts)
LIGHT_KINDS: tuple[LightKind, ...] = get_args(LightKind)


class PackError(ValueError):
    """A pack cannot be read or written; the message is one line that names the file."""


@dataclass(frozen=True)
class PackMaterial:
    """A surface as Unity's Standard shader describes it."""

    name: str = ""
    color: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    texture: int = -1
    emission_texture: int = -1
    scale: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)
    metallic: float = 0.0
    gloss: float = 0.5
    emission: Triple = (0.0, 0.0, 0.0)
    mode: Mode = "opaque"
    cutoff: float = 0.5
    mirror: bool = False


@dataclass(frozen=True)
class PackTexture:
    """An encoded picture (JPEG, PNG or WebP)."""

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class PackInstance:
    """A simulation object; instance 0 is everything else."""

    name: str = ""
    object_type: str = ""
    object_id: str = ""
    position: Triple = (0.0, 0.0, 0.0)
    missing: int = 0
    """How many of its meshes could not be read."""
    substitute: str = ""
    """The prefab of the same type that stands in for it."""


@dataclass(frozen=True)
class PackPart:
    """Triangles of one instance and one material that belong together."""

    name: str
    instance: int
    material: int
    casts: Casts = "on"


@dataclass(frozen=True)
class PackLight:
    """A light of Unity's; ``direction`` is that of its rays."""

    kind: LightKind
    color: Triple
    intensity: float
    range_m: float = 10.0
    spot_deg: float = 30.0
    shadows: bool = False
    position: Triple = (0.0, 0.0, 0.0)
    direction: Triple = (0.0, -1.0, 0.0)
    name: str = ""


@dataclass(frozen=True)
class PackAmbient:
    """Light from all around: sRGB colours from above, the sides, below."""

    sky: Triple = (0.55, 0.58, 0.62)
    equator: Triple = (0.5, 0.5, 0.5)
    ground: Triple = (0.4, 0.38, 0.36)


@dataclass(frozen=True)
class PackMissing:
    """A mesh that the source did not hold."""

    object_name: str
    object_type: str
    mesh: str
    count: int


@dataclass(frozen=True, eq=False)
class Pack:
    """A scene: V vertices, T triangles. Every index is in range, every number finite."""

    scene: str
    positions: NDArray[np.float32]
    """(V, 3) metres in the world."""
    normals: NDArray[np.float32]
    """(V, 3), about unit length."""
    uvs: NDArray[np.float32]
    """(V, 2)"""
    triangles: NDArray[np.int32]
    """(T, 3)"""
    part: NDArray[np.int32]
    """(T,)"""
    parts: tuple[PackPart, ...]
    materials: tuple[PackMaterial, ...]
    instances: tuple[PackInstance, ...]
    textures: tuple[PackTexture, ...] = ()
    lights: tuple[PackLight, ...] = ()
    ambient: PackAmbient = PackAmbient()
    missing: tuple[PackMissing, ...] = ()
    source: dict[str, str] = field(default_factory=dict)
    version: int = 1

    def instance_of(self) -> NDArray[np.int32]:
        """(T,) each triangle's instance."""
        return np.array([p.instance for p in self.parts], np.int32)[self.part]

    def material_of(self) -> NDArray[np.int32]:
        """(T,) each triangle's material."""
        return np.array([p.material for p in self.parts], np.int32)[self.part]


def check(pack: Pack, where: str) -> Pack:
    """The pack, if it is sound. Raises PackError, which begins with ``where``."""
    vertices, count = len(pack.positions), len(pack.triangles)
    shapes: tuple[tuple[str, Any, tuple[int, ...]], ...] = (
        ("positions", pack.positions, (vertices, 3)),
        ("normals", pack.normals, (vertices, 3)),
        ("uvs", pack.uvs, (vertices, 2)),
        ("triangles", pack.triangles, (count, 3)),
        ("part", pack.part, (count,)),
    )
    for name, array, shape in shapes:
        if array.shape != shape:
            raise PackError(f"{where}: its {name} have shape {array.shape}, not {shape}")
        if array.dtype == np.float32 and not np.isfinite(array).all():
            raise PackError(f"{where}: its {name} hold numbers that are not finite")
    if not pack.instances:
        raise PackError(f"{where}: it has no instances; entry 0 stands for what belongs to no object")
    _in_range(where, "triangles", pack.triangles, vertices)
    _in_range(where, "part", pack.part, len(pack.parts))
    _in_range(where, "a part's instance", [p.instance for p in pack.parts], len(pack.instances))
    _in_range(where, "a part's material", [p.material for p in pack.parts], len(pack.materials))
    numbers = [n for m in pack.materials for n in (m.texture, m.emission_texture)]
    _in_range(where, "a material's texture", numbers, len(pack.textures), low=-1)
    return pack


def _in_range(where: str, what: str, numbers: Any, count: int, low: int = 0) -> None:
    values = np.asarray(numbers)
    if values.size and (values.min() < low or values.max() >= count):
        raise PackError(f"{where}: {what} names {int(values.max())} (lowest {int(values.min())}) of {count}")
