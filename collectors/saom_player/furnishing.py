"""From a placed object to a scene's: its builder's parts in its box, and how it looks open, closed, on and off."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from saom_player.layout_table import PlacedObject
from saom_player.mesh import Part
from saom_player.objects import build
from saom_player.objects.workbench import Order
from saom_player.openness import Changeable, posed
from saom_player.scene import Box, SceneObject, Shape

Style = Callable[[], np.random.Generator]
"""Gives an object's generator anew: equal ones, so that an object keeps its looks when it opens."""
_HINGE_SHARE = 0.3
_CHANGES = {"openable", "toggleable"}


def rng_of(seed: int, *names: str) -> np.random.Generator:
    """A generator that depends on the seed and the names alone, in any process."""
    digest = hashlib.sha256("\0".join(names).encode()).digest()[:8]
    return np.random.default_rng([seed, int.from_bytes(digest, "little")])


def built_object(o: PlacedObject, drawn: Box, order: Order, style: Style) -> SceneObject:
    """The object as its type's builder makes it, in a box that faces as it does."""
    parts = placed(build(o.object_type, drawn.size, style(), order), drawn)
    return scene_object(o, parts, _shape(o, drawn, order, style) if o.flags & _CHANGES else None)


def scene_object(o: PlacedObject, parts: tuple[Part, ...], shape: Shape | None = None) -> SceneObject:
    """The object with parts in the world."""
    return SceneObject(
        object_id=o.object_id,
        object_type=o.object_type,
        name=o.name,
        position=o.position,
        rotation_deg=o.rotation_deg,
        box=o.box,
        parts=parts,
        asset_id=o.asset_id,
        parent_receptacles=o.parents,
        salient_materials=o.materials,
        flags=o.flags,
        mass=o.mass,
        shape=shape,
    )


def order_of(o: PlacedObject, drawn: Box, objects: Sequence[PlacedObject]) -> Order:
    """What a builder may know of an object: its state, its hinges (a hinged door's pivot) and what it holds."""
    on = "isToggled" in o.flags if "toggleable" in o.flags else None
    base = drawn.center[1] - drawn.size[1] / 2
    held = [other.extent() for other in objects if o.object_id in other.parents]
    contents = tuple(sorted((low[1] - base, high[1] - base) for low, high in held))
    if "openable" not in o.flags:
        return Order(on=on, contents=contents)
    x, _, _ = (np.array(o.position) - drawn.center) @ drawn.axes() / drawn.size[0]
    hinge = int(np.sign(x)) if abs(x) > _HINGE_SHARE else 0
    return Order(boxed_open="isOpen" in o.flags, hinge=hinge, on=on, contents=contents)


def _shape(o: PlacedObject, drawn: Box, order: Order, style: Style) -> Changeable:
    """How the object looks at any openness, on and off, about its box's centre."""
    axes = o.box.axes()
    center = axes.T @ (np.array(drawn.center) - o.box.center)
    at = (float(center[0]), float(center[1]), float(center[2]))

    def make(openness: float, on: bool) -> tuple[Part, ...]:
        state = replace(order, openness=openness, on=None if order.on is None else on)
        parts = build(o.object_type, drawn.size, style(), state)
        return posed(parts, axes.T @ drawn.axes(), at)

    return Changeable(make, o.box.size, float(order.boxed_open or 0), bool(order.on))


def placed(parts: Sequence[Part], where: Box) -> tuple[Part, ...]:
    """Parts about the origin, put where a box is."""
    return posed(parts, where.axes(), where.center)
