"""A scene as a pure description: objects and structures made of parts, lights, windows. Renderers are views of it.

World frame: metres, left-handed, y up, yaw clockwise from +z seen from above, as AI2-THOR's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from saom_player.shapes.mesh import Part, Rgb

Vector = tuple[float, float, float]
Shape = Callable[[float], tuple[Part, ...]]
"""From openness (0 closed, 1 open) to parts about a box's centre, along its axes; equal calls give equal parts."""


@dataclass(frozen=True)
class Box:
    """An oriented box: its centre and full size in metres, its rotation as Unity Euler angles in degrees."""

    center: Vector
    size: Vector
    rotation_deg: Vector = (0.0, 0.0, 0.0)

    def axes(self) -> NDArray[np.float64]:
        """(3, 3) matrix whose columns are the box's x, y, z axes in the world: Unity order, y * x * z."""
        x, y, z = np.radians(self.rotation_deg)
        cx, sx, cy, sy, cz, sz = np.cos(x), np.sin(x), np.cos(y), np.sin(y), np.cos(z), np.sin(z)
        about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
        about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
        return np.asarray(about_y @ about_x @ about_z, np.float64)

    def corners(self) -> NDArray[np.float64]:
        """(8, 3) corners in the world."""
        signs = np.array([[i, j, k] for i in (-0.5, 0.5) for j in (-0.5, 0.5) for k in (-0.5, 0.5)])
        return np.asarray(self.center + (signs * self.size) @ self.axes().T, np.float64)


@dataclass(frozen=True)
class SceneObject:
    """A simulation object: it has an id, metadata and a mask. ``parts`` are in world coordinates."""

    object_id: str
    object_type: str
    name: str
    position: Vector
    rotation_deg: Vector
    box: Box
    parts: tuple[Part, ...]
    asset_id: str = ""
    parent_receptacles: tuple[str, ...] = ()
    salient_materials: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()
    """The metadata's true booleans: "pickupable", "receptacle", "openable", "toggleable", "moveable", ..."""
    mass: float = 0.0
    openness: float = 1.0
    """How far it is open, if its flags say that it is."""
    shape: Shape | None = field(default=None, compare=False, repr=False)
    """How to build ``parts`` anew when the object opens or closes; None where nothing about it can change."""


@dataclass(frozen=True)
class Structure:
    """What is drawn but is no simulation object: walls, floor, ceiling, window frames, doors, rugs' undersides."""

    name: str
    parts: tuple[Part, ...]
    solid: bool = True
    """Whether agents collide with it."""
    object_type: str = ""
    """Of the simulation object that it shows, such as a house's floors; "" where its name says what it is."""


@dataclass(frozen=True)
class Lamp:
    """A soft spherical-ish light: position, linear colour times intensity, radius in metres."""

    position: Vector
    color: Rgb
    radius: float = 0.15
    object_id: str = ""
    """Of the object that gives this light; "" for a lamp that is the room's own."""
    original: Rgb | None = field(default=None, compare=False, repr=False)
    """Its colour before it was varied; None where it was not."""


@dataclass(frozen=True)
class WindowOpening:
    """A rectangle in a wall that lets the sky and sun in; ``inward`` is the wall's unit normal into the room."""

    center: Vector
    half_u: Vector
    half_v: Vector
    inward: Vector


@dataclass(frozen=True)
class Sun:
    """A directional light: unit vector towards the sun, and its linear colour times intensity."""

    direction: Vector
    color: Rgb
    original: Rgb | None = field(default=None, compare=False, repr=False)
    """Its colour before it was varied; None where it was not."""


@dataclass(frozen=True)
class Scene:
    """Everything there is. Instance k (1-based) in a rendered id image is ``instances()[k - 1]``."""

    name: str
    objects: tuple[SceneObject, ...]
    structures: tuple[Structure, ...]
    lamps: tuple[Lamp, ...] = ()
    windows: tuple[WindowOpening, ...] = ()
    sun: Sun | None = None
    ambient_up: Rgb = (0.34, 0.34, 0.35)
    ambient_down: Rgb = (0.26, 0.23, 0.20)
    bounds: Box = field(default_factory=lambda: Box((0.0, 1.25, 0.0), (6.0, 2.5, 6.0)))
    exposure: float = 1.0
    """How bright its pictures are, as a factor on the light that the renderer would let in by itself."""
    agent_position: Vector = (0.0, 0.9, 0.0)
    """The floor height is this y minus 0.9 m (AI2-THOR's standing agent has its centre at 0.9 m)."""
    agent_yaw_deg: float = 0.0
    roof: NDArray[np.float64] | None = field(default=None, compare=False, repr=False)
    """(R, 3, 3) triangles overhead that agents stay below, where the floor goes on outdoors; None: it does not."""
    textures: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict, compare=False, repr=False)
    """Pictures (256, 256, 3) sRGB, or 4 with alpha, of the scene's own, by the key that its materials use for them."""

    def lit_lamps(self) -> tuple[Lamp, ...]:
        """The lamps that give light: the room's own, and those of objects that are on."""
        on = {thing.object_id for thing in self.objects if "isToggled" in thing.flags}
        return tuple(lamp for lamp in self.lamps if not lamp.object_id or lamp.object_id in on)

    def instances(self) -> tuple[SceneObject | Structure, ...]:
        """Objects, then structures: the order of instance numbers."""
        return (*self.objects, *self.structures)
