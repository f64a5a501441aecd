"""A house's objects: their boxes from the assets' sizes, built to fit, and set down on what they lie on."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from saom_player.houses.walls import WallFrame
from saom_player.objects.workbench import Order
from saom_player.physics.openness import Changeable, opened
from saom_player.physics.overlap import Floats, surfaces_at, triangles_of
from saom_player.rooms.facing import bed_box, front_box
from saom_player.rooms.furnishing import built_object, order_of, rng_of
from saom_player.rooms.outline import WallSegment
from saom_player.scene import Box, SceneObject, Vector
from saom_player.tables.layout import PlacedObject
from saom_scenes.houses.assets import Asset, assets, object_types
from saom_scenes.houses.model import House, Item, Opening
from saom_scenes.houses.plan import inside

_COUNTER = re.compile(r"Countertop_(I|L|C|Island)_")
_SET_DOWN_M = 0.08
"""What stands so near to the floor stands on it."""
_UP_M, _DOWN_M = 0.15, 1.2
"""How far above and below its own foot a thing's support is looked for: these models' seats are not AI2-THOR's."""
_FOOT_SHARE, _FOOT_POINTS = 0.35, 5
_AS_GIVEN = frozenset({"Fridge", "Microwave", "Safe", "Cabinet", "Drawer", "CoffeeMachine"})
"""What lies in these is inside, where only their open doors show it."""
_HOLLOW = frozenset({"Sink", "GarbageCan", "Pot", "Bowl"})


def house_objects(house: House, frames: Mapping[str, WallFrame], floor: float) -> list[SceneObject]:
    """All objects: floors without parts of their own, then doors and windows, then what was put in, parents first."""
    walls = [segment for frame in frames.values() if (segment := frame.segment) is not None]
    found = [_floor_object(house, k, floor) for k in range(len(house.rooms))]
    found += [_fitted(opening, frames) for opening in (*house.doors, *house.windows)]
    tree = house.everything()
    rows = [_placed(item, parent, house, floor) for item, parent in tree]
    built: dict[str, SceneObject] = {}
    for (item, parent), row in zip(tree, rows, strict=True):
        below = built.get(parent.item_id) if parent else None
        thing = _built(row if below is None else _set_down(row, below), rows, walls)
        built[item.item_id] = _as_open_as_asked(thing, item)
    return [*found, *built.values()]


def _floor_object(house: House, number: int, floor: float) -> SceneObject:
    room = house.rooms[number]
    xs, zs = zip(*room.outline, strict=True)
    middle = ((min(xs) + max(xs)) / 2, floor, (min(zs) + max(zs)) / 2)
    return SceneObject(
        object_id=room.room_id,
        object_type="Floor",
        name=room.room_id,
        position=middle,
        rotation_deg=(0.0, 0.0, 0.0),
        box=Box(middle, (max(xs) - min(xs), 0.0, max(zs) - min(zs))),
        parts=(),
        flags=frozenset({"receptacle"}),
    )


def _fitted(opening: Opening, frames: Mapping[str, WallFrame]) -> SceneObject:
    """A door or a window. As AI2-THOR places them: x runs against its wall's direction; a door's own box is shut."""
    frame, asset = frames[opening.walls[0]], assets()[opening.asset_id]
    yaw_deg = float(np.degrees(np.arctan2(frame.ahead[1], -frame.ahead[0]))) % 360.0
    turn = (0.0, round(yaw_deg, 4), 0.0)
    row = _row(opening.opening_id, asset, frame.point(*opening.position), turn, (), asset.flags)
    thing = _built(row, [], [])
    return opened(thing, opening.openness) if opening.openness > 0 and "openable" in asset.flags else thing


def _placed(item: Item, parent: Item | None, house: House, floor: float) -> PlacedObject:
    asset = assets()[item.asset_id]
    flags = set(asset.flags)
    states = set(object_types()[asset.object_type].states)
    if item.is_on is not None:
        states = states | {"isToggled"} if item.is_on else states - {"isToggled"}
    flags |= {"isToggled"} & states if "toggleable" in flags else set()
    flags |= {"isDirty"} if item.is_dirty and "dirtyable" in flags else set()
    flags |= {"isOpen"} if asset.comes_open else set()
    x, y, z = item.position
    bottom = y - asset.size[1] / 2
    if parent is None and abs(bottom - floor) < _SET_DOWN_M:
        y = floor + asset.size[1] / 2
    room = next((room.room_id for room in house.rooms if inside((x, z), room.outline)), None)
    lies_in = (parent.item_id,) if parent else (room,) if room and abs(bottom - floor) < _SET_DOWN_M else ()
    return _row(item.item_id, asset, (x, y, z), item.rotation_deg, lies_in, frozenset(flags))


def _row(
    name: str, asset: Asset, center: Vector, rotation_deg: Vector, parents: tuple[str, ...], flags: frozenset[str]
) -> PlacedObject:
    turned = (rotation_deg[0] % 360.0, rotation_deg[1] % 360.0, rotation_deg[2] % 360.0)
    return PlacedObject(
        object_id=name,
        object_type=asset.object_type,
        name=name,
        asset_id=asset.asset_id,
        position=center,
        rotation_deg=turned,
        box=Box(center, asset.size, turned),
        parents=parents,
        materials=asset.materials,
        flags=flags,
        mass=asset.mass,
    )


def _built(row: PlacedObject, rows: Sequence[PlacedObject], walls: Sequence[WallSegment]) -> SceneObject:
    asset_id = row.asset_id
    if match := _COUNTER.match(asset_id):
        return built_object(row, row.box, Order(plan=match[1]), lambda: _style(asset_id))
    drawn = bed_box(row, rows, walls) if row.object_type == "Bed" else front_box(row, rows, walls)
    return built_object(row, drawn, order_of(row, drawn, rows), lambda: _style(asset_id))


def _style(asset_id: str) -> np.random.Generator:
    """The same asset looks the same in every house."""
    return rng_of(0, "asset", asset_id)


def _as_open_as_asked(thing: SceneObject, item: Item) -> SceneObject:
    if item.openness is None or "openable" not in thing.flags or not isinstance(thing.shape, Changeable):
        return thing
    return opened(thing, item.openness)


def _set_down(row: PlacedObject, below: SceneObject) -> PlacedObject:
    """An object at the height at which it rests on another: on the highest surface under its middle that is near."""
    if below.object_type in _AS_GIVEN or not below.parts:
        return row
    low, high = row.extent()
    half = (np.array(high) - low)[[0, 2]] / 2 * _FOOT_SHARE
    along = np.linspace(-1.0, 1.0, _FOOT_POINTS)
    grid = np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2) * half
    rest = _support(triangles_of(below.parts), grid + np.array(row.box.center)[[0, 2]], float(low[1]))
    if rest is None:
        return row
    return _raised(row, rest - float(low[1]))


def _support(triangles: Floats, points: Floats, foot: float) -> float | None:
    """The height of the highest surface near a foot, from what most of the points are over; None: there is none."""
    flat = triangles[..., [0, 2]]
    near = (flat.min(axis=1) <= points.max(axis=0)).all(axis=1) & (flat.max(axis=1) >= points.min(axis=0)).all(axis=1)
    triangles = triangles[near]
    if not len(triangles):
        return None
    heights, faces_up = surfaces_at(triangles, points)
    usable = np.where(faces_up & (heights <= foot + _UP_M) & (heights >= foot - _DOWN_M), heights, -np.inf)
    highest = usable.max(axis=1)
    found = np.sort(highest[np.isfinite(highest)])
    # A high quantile: the odd point on a raised edge or a cushion's seam must not hold up the whole.
    return float(found[int(0.8 * (len(found) - 1))]) if len(found) else None


def _raised(row: PlacedObject, by_m: float) -> PlacedObject:
    x, y, z = row.box.center
    center = (x, y + by_m, z)
    return replace(row, position=center, box=replace(row.box, center=center))
