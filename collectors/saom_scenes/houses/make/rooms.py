"""What furniture a room gets: what its type must have, groups that belong together, and more as there is room."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from saom_scenes.houses.assets import Asset, object_types
from saom_scenes.houses.make.furniture import Ground, Spot, Standing
from saom_scenes.houses.make.passages import usable
from saom_scenes.houses.plan import area_of

_M2_A_THING = 2.2
_MOST_THINGS = 14
_TALL_PLANT_M = 0.75
_ON_TOP_P = 0.35
_RARE = {"BaseballBat": 2.0, "BasketBall": 2.0, "Box": 1.6, "Ottoman": 2.0, "LaundryHamper": 2.0, "Safe": 1.6}
"""What ProcTHOR's annotations make rare and detectors need to see: more likely by so much."""
_PRIORITY = frozenset(
    "Bed Dresser TVStand Sofa DiningTable CounterTop Fridge Toilet Sink Television CoffeeTable Desk".split()
)


@dataclass
class Furnished:
    """A room with its furniture, and what stands on which piece because the two belong together."""

    room_type: str
    ground: Ground
    split: str
    rng: np.random.Generator
    on_top: dict[int, list[Asset]] = field(default_factory=dict)
    """By the number of the piece: a television on its stand, a tap on its sink."""

    def pick(self, object_type: str, fits: Callable[[Asset], bool] = lambda asset: True) -> Asset | None:
        """One of the type's assets that the split may use."""
        fit = [asset for asset in usable(object_type, self.split) if fits(asset)]
        return fit[int(self.rng.integers(len(fit)))] if fit else None

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return bool(self.rng.random() < probability)

    def add(self, object_type: str, fits: Callable[[Asset], bool] = lambda asset: True) -> Standing | None:
        """Place one of a type where its kind may stand; several of its assets are tried."""
        kind = object_types()[object_type]
        may = {"corner": kind.in_corner, "edge": kind.at_edge, "middle": kind.in_middle}
        anchors = [name for name, allowed in may.items() if allowed]
        for _ in range(3 if anchors else 0):
            asset = self.pick(object_type, fits)
            found = self.ground.place(asset, anchors, self.rng) if asset else None
            if found is not None:
                return found
        return None

    def set_on(self, below: Standing | None, object_type: str) -> None:
        """Put one of a type on a piece, if it is there and the other fits on it."""
        if below is None:
            return
        width, _, depth = below.asset.size
        asset = self.pick(object_type, lambda a: a.size[0] < width and a.size[2] < depth + 0.05)
        if asset is not None:
            self.on_top.setdefault(self.ground.standing.index(below), []).append(asset)


def furnish(room: Furnished) -> None:
    """Fill a room."""
    {"Kitchen": _kitchen, "LivingRoom": _living_room, "Bedroom": _bedroom, "Bathroom": _bathroom}[room.room_type](room)
    _more(room)


def is_needed(thing: Standing) -> bool:
    """Whether a room would not be what it is without a thing."""
    return thing.asset.object_type in _PRIORITY


def _kitchen(room: Furnished) -> None:
    ground, rng = room.ground, room.rng
    area = area_of(ground.outline)
    _counter(room)
    room.add("Fridge")
    if area > 12 and room.chance(0.45):
        _counter(room)
    if area > 22 and room.chance(0.3):
        island = room.pick("CounterTop", lambda a: "_Island_" in a.asset_id)
        if island is not None:
            ground.place(island, ["middle"], rng)
    elif area > 11:
        _dining(room)
    room.add("GarbageCan")


def _counter(room: Furnished) -> None:
    """An L in a corner, or a straight counter, the longest that is found a place for."""
    corners = [a for a in usable("CounterTop", room.split) if "_L_" in a.asset_id and max(a.size[0], a.size[2]) < 2.6]
    straight = [a for a in usable("CounterTop", room.split) if "_I_" in a.asset_id and a.size[0] > 1.0]
    if corners and room.chance(0.6):
        asset = corners[int(room.rng.integers(len(corners)))]
        if room.ground.place(asset, ["corner"], room.rng, room.ground.is_walled_right):
            return
    for asset in sorted(straight, key=lambda a: -a.size[0] + float(room.rng.uniform(0.0, 0.8))):
        if room.ground.place(asset, ["corner", "edge"], room.rng):
            return


def _living_room(room: Furnished) -> None:
    stand = room.add("TVStand")
    room.set_on(stand, "Television")
    sofa = _opposite(room, stand) or room.add("Sofa")
    if sofa is not None:
        _coffee_table(room, sofa, stand)
    if area_of(room.ground.outline) > 16 and room.chance(0.55):
        _dining(room)
    if room.chance(0.7):
        room.add("ArmChair")


def _opposite(room: Furnished, stand: Standing | None) -> Standing | None:
    """A sofa that faces the television."""
    if stand is None:
        return None
    for gap in (float(g) for g in room.rng.permutation(np.arange(1.3, 3.0, 0.2))):
        asset = room.pick("Sofa")
        if asset is None:
            return None
        x, z = stand.spot.local(0.0, stand.asset.size[2] / 2 + gap + asset.size[2] / 2)
        sofa = Standing(asset, Spot(x, z, (stand.spot.yaw_deg + 180.0) % 360.0))
        if room.ground.put(sofa):
            return sofa
    return None


def _coffee_table(room: Furnished, sofa: Standing, stand: Standing | None) -> None:
    asset = room.pick("CoffeeTable", lambda a: a.size[0] < 1.5 and a.size[2] < 0.9)
    if asset is None:
        return
    x, z = sofa.spot.local(0.0, sofa.asset.size[2] / 2 + 0.4 + asset.size[2] / 2)
    table = Standing(asset, Spot(x, z, sofa.spot.yaw_deg))
    # Somebody must get past it, to the television too.
    room.ground.put(table, [sofa, *([stand] if stand else [])])


def _dining(room: Furnished) -> None:
    """A table with chairs at its sides: in the middle with chairs all round, else at a wall."""
    table = room.pick("DiningTable", lambda a: a.size[0] < 2.2 and a.size[2] < 1.4)
    chair = room.pick("Chair", lambda a: a.size[0] < 0.65 and a.size[2] < 0.7)
    if table is None or chair is None:
        return
    reach = chair.size[2] + 0.1
    ground = room.ground
    wide = replace(table, size=(table.size[0] + 2 * reach, table.size[1], table.size[2] + 2 * reach))
    held = ground.place(wide, ["middle"], room.rng)
    if held is not None:
        ground.standing.remove(held)
        placed = Standing(table, held.spot)
        ground.standing.append(placed)
    else:
        found = ground.place(table, ["edge", "corner"], room.rng)
        if found is None:
            return
        placed = found
    seats = _seats(placed, chair)
    count = int(room.rng.integers(2, len(seats) + 1)) if len(seats) > 2 else len(seats)
    for k in room.rng.permutation(len(seats))[:count]:
        ground.put(seats[int(k)], [placed])


def _seats(table: Standing, chair: Asset) -> list[Standing]:
    """Chairs that face a table from its four sides."""
    width, _, depth = table.asset.size
    seats = []
    for turn, half, along in (
        (0, depth / 2, width),
        (180, depth / 2, width),
        (90, width / 2, depth),
        (270, width / 2, depth),
    ):
        count = max(1, int(along // (chair.size[0] + 0.15))) if turn % 180 == 0 else 1
        side = Spot(table.spot.x, table.spot.z, (table.spot.yaw_deg + turn) % 360.0)
        for k in range(count):
            offset = (k - (count - 1) / 2) * along / count
            x, z = side.local(offset, half + chair.size[2] / 2 + 0.03)
            seats.append(Standing(chair, Spot(x, z, (side.yaw_deg + 180.0) % 360.0)))
    return seats


def _bedroom(room: Furnished) -> None:
    bed = room.add("Bed")
    if bed is not None:
        _nightstands(room, bed)
    dresser = room.add("Dresser")
    if dresser is not None and room.chance(_ON_TOP_P):
        room.set_on(dresser, "Television")
    if room.chance(0.65):
        _desk(room)


def _nightstands(room: Furnished, bed: Standing) -> None:
    asset = room.pick("SideTable", lambda a: max(a.size[0], a.size[2]) < 0.65 and a.size[1] < 0.85)
    if asset is None:
        return
    width, _, depth = bed.asset.size
    for side in (-1, 1):
        if room.chance(0.75):
            x, z = bed.spot.local(side * (width / 2 + asset.size[0] / 2 + 0.05), -depth / 2 + asset.size[2] / 2)
            room.ground.put(Standing(asset, Spot(x, z, bed.spot.yaw_deg)), [bed])


def _desk(room: Furnished) -> None:
    desk = room.add("Desk", lambda a: a.size[0] < 1.9)
    chair = room.pick("Chair", lambda a: a.size[0] < 0.75 and a.size[2] < 0.75)
    if desk is None or chair is None:
        return
    x, z = desk.spot.local(float(room.rng.uniform(-0.1, 0.1)), desk.asset.size[2] / 2 + chair.size[2] / 2 + 0.03)
    room.ground.put(Standing(chair, Spot(x, z, (desk.spot.yaw_deg + 180.0) % 360.0)), [desk])


def _bathroom(room: Furnished) -> None:
    toilet = room.add("Toilet")
    sink = room.add("Sink", lambda a: a.size[1] > 0.6)
    room.set_on(sink, "Faucet")
    if toilet is not None:
        for name, chance in (("ScrubBrush", 0.6), ("Plunger", 0.5)):
            if room.chance(chance):
                _beside(room, toilet, name)


def _beside(room: Furnished, other: Standing, object_type: str) -> None:
    """A small thing on the floor next to a piece, near the wall."""
    asset = room.pick(object_type)
    if asset is None:
        return
    width, _, depth = other.asset.size
    for side in room.rng.permutation([-1, 1]).tolist():
        x, z = other.spot.local(side * (width / 2 + asset.size[0] / 2 + 0.08), -depth / 2 + asset.size[2] / 2 + 0.02)
        if room.ground.put(Standing(asset, Spot(x, z, other.spot.yaw_deg)), [other]):
            return


def _more(room: Furnished) -> None:
    """Further things that rooms of this type have, as many as its floor takes."""
    kinds = object_types()
    weights = {
        name: kind.rooms[room.room_type] * _RARE.get(name, 1.0)
        for name, kind in sorted(kinds.items())
        if kind.on_floor and kind.rooms[room.room_type] > 0
    }
    if kinds["HousePlant"].rooms[room.room_type]:
        weights["HousePlant"] = 2.0
    target = min(_MOST_THINGS, round(area_of(room.ground.outline) / _M2_A_THING))
    misses = 0
    while weights and len(room.ground.standing) < target and misses < 8:
        names = sorted(weights)
        shares = np.array([weights[name] for name in names])
        name = names[int(room.rng.choice(len(names), p=shares / shares.sum()))]
        there = any(thing.asset.object_type == name for thing in room.ground.standing)
        if there and not (kinds[name].many and room.chance(0.4)):
            weights.pop(name)
            continue
        fits = (lambda a: a.size[1] > _TALL_PLANT_M) if name == "HousePlant" else _is_modest
        misses += room.add(name, fits) is None


def _is_modest(asset: Asset) -> bool:
    """Nothing that would fill a room by itself."""
    return asset.size[0] * asset.size[2] < 1.6 and "_C_" not in asset.asset_id
