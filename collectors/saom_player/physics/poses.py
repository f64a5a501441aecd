"""Moving, copying and removing objects as rigid bodies: geometry, boxes, lights and receptacles follow."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from saom_player.scene import Box, Lamp, Scene, SceneObject, Vector
from saom_player.shapes.mesh import Part
from saom_player.shapes.transforms import rotation, transformed

Floats = NDArray[np.float64]
_LIES_WITHIN_M = 0.03


@dataclass(frozen=True)
class Move:
    """A rigid motion: the point p goes to ``turn`` (3, 3) @ p + ``shift`` (3,)."""

    turn: Floats
    shift: Floats

    @classmethod
    def about(cls, turn: Floats, old: Floats, new: Floats) -> "Move":
        """A turn, and ``old`` going to ``new``."""
        return cls(turn, np.asarray(new - turn @ old, np.float64))

    def point(self, at: Vector) -> Vector:
        """Where a point goes."""
        return _vector(self.turn @ np.array(at) + self.shift)

    def angles(self, rotation_deg: Vector) -> Vector:
        """Euler angles after the motion."""
        return euler_deg(self.turn @ matrix_of(rotation_deg))

    def part(self, part: Part) -> Part:
        """A moved part."""
        matrix = np.concatenate([self.turn, self.shift[:, None]], axis=1)
        return Part(part.name, transformed(part.mesh, matrix))

    def thing(self, thing: SceneObject) -> SceneObject:
        """A moved object; what it stands in or on is for the caller to say."""
        box = Box(self.point(thing.box.center), thing.box.size, self.angles(thing.box.rotation_deg))
        return replace(
            thing,
            position=self.point(thing.position),
            rotation_deg=self.angles(thing.rotation_deg),
            box=box,
            parts=tuple(self.part(part) for part in thing.parts),
        )


@dataclass(frozen=True)
class Placement:
    """Where an object shall be; of an object that has several, the later ones are for copies of it."""

    name: str
    position: Vector
    rotation_deg: Vector


def matrix_of(rotation_deg: Vector) -> Floats:
    """(3, 3) rotation of Unity Euler angles."""
    x, y, z = rotation_deg
    return rotation(x_deg=x, y_deg=y, z_deg=z)


def euler_deg(turn: Floats) -> Vector:
    """Unity Euler angles in [0, 360) of a (3, 3) rotation."""
    sine = float(np.clip(-turn[1, 2], -1.0, 1.0))
    x = np.arcsin(sine)
    if abs(sine) > 1 - 1e-9:
        y, z = np.arctan2(-turn[2, 0], turn[0, 0]), 0.0
    else:
        y, z = np.arctan2(turn[0, 2], turn[2, 2]), np.arctan2(turn[1, 0], turn[1, 1])
    angles = np.degrees([x, y, z]) % 360.0
    # Rounded, lest 359.99999999999 tell of an angle of 0.
    return _vector(np.round(angles, 6) % 360.0)


def with_moved(scene: Scene, moved: Sequence[SceneObject], lamps: dict[str, Move]) -> Scene:
    """The scene with some objects replaced by id, unknown ids added, and the lamps of some moved."""
    by_id = {thing.object_id: thing for thing in moved}
    objects = [by_id.pop(thing.object_id, thing) for thing in scene.objects]
    return replace(
        scene,
        objects=(*objects, *by_id.values()),
        lamps=tuple(_carried(lamp, lamps.get(lamp.object_id)) for lamp in scene.lamps),
    )


def without(scene: Scene, ids: Collection[str]) -> Scene:
    """The scene without some objects: they are in no receptacle, and give no light."""
    kept = (thing for thing in scene.objects if thing.object_id not in ids)
    return replace(
        scene,
        objects=tuple(replace(o, parent_receptacles=_others(o.parent_receptacles, ids)) for o in kept),
        lamps=tuple(lamp for lamp in scene.lamps if lamp.object_id not in ids),
    )


def posed(scene: Scene, placements: Sequence[Placement]) -> Scene:
    """The scene with exactly these pickupable and moveable objects, where they shall be; the others stay as they are.

    Raises KeyError with the name of an object that is not there or cannot be moved.
    """
    loose = {thing.name: thing for thing in scene.objects if is_loose(thing)}
    moved: list[SceneObject] = []
    lamps: dict[str, Move] = {}
    added: list[Lamp] = []
    placed: set[str] = set()
    for number, placement in enumerate(placements):
        thing = loose[placement.name]
        turn = matrix_of(placement.rotation_deg) @ matrix_of(thing.rotation_deg).T
        move = Move.about(turn, np.array(thing.position), np.array(placement.position))
        after = move.thing(thing)
        if thing.object_id in placed:
            after = copy_of(after, f"_copy_{number}", f"_copy_{number}")
            lit = (lamp for lamp in scene.lamps if lamp.object_id == thing.object_id)
            added += [replace(_carried(lamp, move), object_id=after.object_id) for lamp in lit]
        else:
            lamps[thing.object_id] = move
        placed.add(thing.object_id)
        moved.append(after)
    gone = {thing.object_id for thing in loose.values()} - placed
    left = with_moved(without(scene, gone), moved, lamps)
    left = replace(left, lamps=(*left.lamps, *added))
    return with_receptacles(left, {thing.object_id for thing in moved})


def is_loose(thing: SceneObject) -> bool:
    """Whether an object can be moved at all."""
    return bool(thing.flags & {"pickupable", "moveable"})


def copy_of(thing: SceneObject, id_ending: str, name_ending: str) -> SceneObject:
    """Another one of an object."""
    return replace(thing, object_id=thing.object_id + id_ending, name=thing.name + name_ending)


def with_receptacles(scene: Scene, ids: Collection[str]) -> Scene:
    """The scene with the receptacles of some objects found anew, from where things are.

    An object is in or on a receptacle whose box holds the middle of the object's bottom, give or take some height.
    """
    receptacles = [thing for thing in scene.objects if "receptacle" in thing.flags]
    objects = (
        replace(o, parent_receptacles=tuple(_holding(o, receptacles))) if o.object_id in ids else o
        for o in scene.objects
    )
    return replace(scene, objects=tuple(objects))


def _holding(thing: SceneObject, receptacles: Iterable[SceneObject]) -> list[str]:
    corners = thing.box.corners()
    low, high = corners.min(axis=0), corners.max(axis=0)
    foot = np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2])
    return [o.object_id for o in receptacles if o.object_id != thing.object_id and _holds(o, foot, high - low)]


def _holds(receptacle: SceneObject, foot: Floats, extent: Floats) -> bool:
    corners = receptacle.box.corners()
    low, high = corners.min(axis=0), corners.max(axis=0)
    if np.prod((high - low)[[0, 2]]) < np.prod(extent[[0, 2]]) / 4:
        return False
    within = (foot >= low - _LIES_WITHIN_M) & (foot <= high + _LIES_WITHIN_M)
    # On the floor below a table is not on the table.
    above_legs = foot[1] > low[1] + min(_LIES_WITHIN_M, (high - low)[1] / 4) or receptacle.object_type == "Floor"
    return bool(within.all() and above_legs)


def _carried(lamp: Lamp, move: Move | None) -> Lamp:
    return lamp if move is None or not lamp.object_id else replace(lamp, position=move.point(lamp.position))


def _others(names: Sequence[str], gone: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in gone)


def _vector(values: Floats) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])
