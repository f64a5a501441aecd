"""What opening and switching change in a scene: an object's parts, its box, and where a drawer's contents are."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from saom_player.scene import Box, Scene, SceneObject, Vector
from saom_player.shapes.mesh import Part
from saom_player.shapes.transforms import bounds, moved, transformed

Floats = NDArray[np.float64]
_FILLS_TO_M = 0.02
_CARRIERS = {"Drawer"}
"""Their contents move with them: they slide as a whole."""


def posed(parts: Iterable[Part], axes: Floats, center: Vector) -> tuple[Part, ...]:
    """Parts about the origin, turned by ``axes`` (3, 3) and put at a centre."""
    matrix = np.concatenate([axes, np.array(center, np.float64)[:, None]], axis=1)
    return tuple(Part(part.name, transformed(part.mesh, matrix)) for part in parts)


@dataclass(frozen=True)
class Changeable:
    """A ``scene.Shape`` that knows the box the object came with, so that its box can follow its openness."""

    make: Callable[[float, bool], tuple[Part, ...]]
    """From openness, and whether it is on, to parts about the centre of the box that it came with, along its axes."""
    size: Vector
    """Of that box."""
    openness: float
    """At which it is the object's box."""
    on: bool = False
    center: Vector = (0.0, 0.0, 0.0)
    """The present box's centre from that box's, along its axes."""

    def __call__(self, openness: float) -> tuple[Part, ...]:
        """Parts about the present box's centre. Equal calls give equal parts."""
        x, y, z = self.center
        return tuple(Part(p.name, moved(p.mesh, -x, -y, -z)) for p in self.make(openness, self.on))

    def extent(self, openness: float) -> tuple[Floats, Floats]:
        """(3,) lowest and highest corner of the box at an openness, from the centre that ``make`` works about.

        Of what does not fill its box, such as a cabinet's door, the box still holds all that it held.
        """
        half = np.array(self.size) / 2
        low, high = bounds(self.make(self.openness, False))
        fills = bool(np.all(np.abs(low + half) < _FILLS_TO_M) and np.all(np.abs(high - half) < _FILLS_TO_M))
        if openness == self.openness:
            return -half, half
        low, high = bounds(self.make(openness, False))
        return (low, high) if fills else (np.minimum(low, -half), np.maximum(high, half))

    def at(self, openness: float) -> "Changeable":
        """The same, about the centre of the box at an openness."""
        low, high = self.extent(openness)
        return replace(self, center=_vector((low + high) / 2))


def openness_of(thing: SceneObject) -> float:
    """How far an object is open, 0..1."""
    return thing.openness if "isOpen" in thing.flags else 0.0


def opened(thing: SceneObject, openness: float) -> SceneObject:
    """The object at another openness: its parts, its box and its flags. Without a shape only the flags follow."""
    flags = thing.flags | {"isOpen"} if openness > 0 else thing.flags - {"isOpen"}
    thing = replace(thing, flags=flags, openness=openness)
    if thing.shape is None:
        return thing
    axes = thing.box.axes()
    shape = thing.shape
    parts = posed(shape(openness), axes, thing.box.center)
    if not isinstance(shape, Changeable):
        return replace(thing, parts=parts)
    after = shape.at(openness)
    low, high = shape.extent(openness)
    step = axes @ (np.array(after.center) - np.array(shape.center))
    box = Box(_vector(thing.box.center + step), _vector(high - low), thing.box.rotation_deg)
    position = _vector(thing.position + step) if thing.object_type in _CARRIERS else thing.position
    return replace(thing, parts=parts, box=box, shape=after, position=position)


def toggled(thing: SceneObject, on: bool) -> SceneObject:
    """The object switched on or off: its flags, and what of it shines."""
    flags = thing.flags | {"isToggled"} if on else thing.flags - {"isToggled"}
    thing = replace(thing, flags=flags)
    if not isinstance(thing.shape, Changeable):
        return thing
    shape = replace(thing.shape, on=on)
    return replace(thing, shape=shape, parts=posed(shape(openness_of(thing)), thing.box.axes(), thing.box.center))


def with_toggle(scene: Scene, object_id: str, on: bool) -> Scene:
    """The scene with one object switched on or off."""
    return replace(scene, objects=tuple(toggled(o, on) if o.object_id == object_id else o for o in scene.objects))


def with_openness(scene: Scene, object_id: str, openness: float) -> Scene:
    """The scene with one object at another openness; what lies in a drawer moves with it."""
    before = next(thing for thing in scene.objects if thing.object_id == object_id)
    after = opened(before, openness)
    step = np.array(after.position) - before.position
    carried = _carried(scene.objects, object_id) if before.object_type in _CARRIERS else set()
    objects = [
        after if thing is before else shifted(thing, step) if thing.object_id in carried else thing
        for thing in scene.objects
    ]
    return replace(scene, objects=tuple(objects))


def shifted(thing: SceneObject, step: Floats) -> SceneObject:
    """The object moved by metres along the world's axes."""
    parts = tuple(Part(p.name, moved(p.mesh, *map(float, step))) for p in thing.parts)
    box = replace(thing.box, center=_vector(thing.box.center + step))
    return replace(thing, position=_vector(thing.position + step), box=box, parts=parts)


def _carried(objects: Sequence[SceneObject], object_id: str) -> set[str]:
    """Ids of what lies in a receptacle, and of what lies on that."""
    found: set[str] = set()
    added = {object_id}
    while added:
        found |= added
        added = {o.object_id for o in objects if added & set(o.parent_receptacles)} - found
    return found - {object_id}


def _vector(values: Floats) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])
