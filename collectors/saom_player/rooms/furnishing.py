"""From a placed object to a scene's: its builder's parts in its box, and how it looks open, closed, on and off."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from saom_player.objects import build
from saom_player.objects.workbench import Block, Order
from saom_player.physics.openness import Changeable, posed
from saom_player.physics.overlap import Floats
from saom_player.scene import Box, SceneObject, Shape
from saom_player.shapes.mesh import Part
from saom_player.tables.layout import PlacedObject

Style = Callable[[], np.random.Generator]
"""Gives an object's generator anew: equal ones, so that an object keeps its looks when it opens."""
_HINGE_SHARE = 0.3
_CHANGES = {"openable", "toggleable"}
_OPEN_FURNITURE = {"SideTable", "TVStand", "Desk", "Dresser", "CoffeeTable", "DiningTable"}
_FRONTS = {"Drawer", "Cabinet"}
_BELOW_TOP_M = 0.05
_BASINS = {"Sink", "Bathtub"}


def rng_of(seed: int, *names: str) -> np.random.Generator:
    """A generator that depends on the seed and the names alone, in any process."""
    digest = hashlib.sha256("\0".join(names).encode()).digest()[:8]
    return np.random.default_rng([seed, int.from_bytes(digest, "little")])


def built_object(o: PlacedObject, drawn: Box, order: Order, style: Style) -> SceneObject:
    """The object as its type's builder makes it, in a box that faces as it does."""
    parts = placed(build(o.object_type, drawn.size, style(), order), drawn)
    return scene_object(o, parts, shape_of(o, lambda: (drawn, order), style))


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
        return Order(on=on, contents=contents, within=_within(o, drawn, objects), hollow=_hollow(o, drawn, objects))
    x, _, _ = (np.array(o.position) - drawn.center) @ drawn.axes() / drawn.size[0]
    hinge = int(np.sign(x)) if abs(x) > _HINGE_SHARE else 0
    return Order(boxed_open="isOpen" in o.flags, hinge=hinge, on=on, contents=contents)


def _within(o: PlacedObject, drawn: Box, objects: Sequence[PlacedObject]) -> tuple[Block, ...]:
    """What stands inside a piece of furniture, on its boards or under it, in its builder's frame."""
    if o.object_type not in _OPEN_FURNITURE | _BASINS:
        return ()
    half, found = np.array(drawn.size) / 2, []
    for other in objects:
        if other is o or other.object_type in _FRONTS | _OPEN_FURNITURE:
            continue
        low, high = _on_bench(other.box, drawn)
        middle = (low + high) / 2
        beside = (np.abs(middle[[0, 2]]) > half[[0, 2]]).any()
        if not beside and -_BELOW_TOP_M < low[1] < drawn.size[1] - 2 * _BELOW_TOP_M and high[1] < drawn.size[1]:
            found.append(_block(low, high))
    return tuple(found)


def _hollow(o: PlacedObject, drawn: Box, objects: Sequence[PlacedObject]) -> Block | None:
    """The basin of a sink or bathtub, in its builder's frame: down to what lies in it."""
    basin = next((b for b in objects if o.object_type in _BASINS and b.object_id.startswith(f"{o.object_id}|")), None)
    if basin is None:
        return None
    low, high = _on_bench(basin.box, drawn)
    return _block(low, high)


def _on_bench(box: Box, drawn: Box) -> tuple[Floats, Floats]:
    """(3,) lowest and highest corner of a box in the frame of another's builder."""
    corners = (box.corners() - drawn.center) @ drawn.axes() + (0.0, drawn.size[1] / 2, 0.0)
    return corners.min(axis=0), corners.max(axis=0)


def _block(low: Floats, high: Floats) -> Block:
    return (float(low[0]), float(low[1]), float(low[2])), (float(high[0]), float(high[1]), float(high[2]))


def shape_of(o: PlacedObject, fitted: Callable[[], tuple[Box, Order]], style: Style) -> Changeable | None:
    """How the object looks at any openness, on and off, about its box's centre; None where nothing of it can change.

    ``fitted`` gives the box to fill and the builder's order, and is asked when something changes.
    """
    if not o.flags & _CHANGES:
        return None

    def make(openness: float, on: bool) -> tuple[Part, ...]:
        drawn, order = fitted()
        axes = o.box.axes()
        center = axes.T @ (np.array(drawn.center) - o.box.center)
        at = (float(center[0]), float(center[1]), float(center[2]))
        state = replace(order, openness=openness, on=None if order.on is None else on)
        parts = build(o.object_type, drawn.size, style(), state)
        return posed(parts, axes.T @ drawn.axes(), at)

    is_open, is_on = ({able, state} <= o.flags for able, state in (("openable", "isOpen"), ("toggleable", "isToggled")))
    return Changeable(make, o.box.size, float(is_open), is_on)


def placed(parts: Sequence[Part], where: Box) -> tuple[Part, ...]:
    """Parts about the origin, put where a box is."""
    return posed(parts, where.axes(), where.center)
