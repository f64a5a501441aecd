"""Small things on furniture: how often each type lies on each, where on it, and at what height."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from saom_scenes.houses.assets import Asset, lies_on, object_types
from saom_scenes.houses.make.furniture import Standing
from saom_scenes.houses.make.passages import usable
from saom_scenes.houses.make.regions import Rect, meets

Level = tuple[Rect, float]
"""A rectangle in a piece's own frame (x to its right, z ahead), and its height as a share of the piece's."""
_PARENT_BIAS: dict[str, float] = {"ShelvingUnit": 0.4, "ArmChair": 0.05, "Sofa": 0.1, "Bed": 0.1, "Toilet": 0.1}
_CHILD_BIAS: dict[str, float] = {
    "HousePlant": 0.25, "SprayBottle": 0.2, "Pot": 0.1, "Pan": 0.1, "Bowl": 0.05, "BaseballBat": 0.1, "Statue": 0.1,
    "Newspaper": 0.15, "TissueBox": 0.15, "WateringCan": 0.15, "Box": 0.1, "Vase": 0.1, "BasketBall": 0.1,
}  # fmt: skip
_ALSO: dict[str, dict[str, float]] = {
    "SideTable": {"WateringCan": 0.1}, "ShelvingUnit": {"WateringCan": 0.15}, "CoffeeTable": {"WateringCan": 0.05},
    "Sink": {"SoapBar": 0.4, "SoapBottle": 0.3}, "Dresser": {"WateringCan": 0.05},
}  # fmt: skip
_OFTEN: dict[tuple[str, str], float] = {("Bed", "Pillow"): 1.0, ("Sofa", "Pillow"): 0.6}
_NOT_HERE = frozenset({"Window", "Faucet", "Painting", "ShowerCurtain"})
_MOST_OF_A_TYPE, _MOST_ON_ONE = 3, 14
_TRIES = 12
_CLEAR_M, _ABOVE_M = 0.015, 0.004
_HIGHEST_M = 0.75
_FACING = frozenset(
    {"Laptop", "Television", "Desktop", "AlarmClock", "CoffeeMachine", "Microwave", "Toaster", "Faucet"}
)
"""Stand with their front as the furniture has its own."""


@dataclass(frozen=True)
class Resting:
    """A thing on a piece of furniture: the middle of its box in the house."""

    asset: Asset
    x: float
    y: float
    z: float
    yaw_deg: float


def small_things(
    piece: Standing, fixed: Sequence[Asset], room_type: str, split: str, house_bias: float, rng: np.random.Generator
) -> list[Resting]:
    """What lies on a piece of furniture; ``fixed`` comes first and belongs at its back or its middle."""
    levels = _levels(piece.asset)
    if not levels:
        return []
    shelf = _Shelf(piece, levels, rng)
    for asset in fixed:
        shelf.fix(asset)
    for name in _wanted(piece.asset.object_type, room_type, house_bias, rng):
        if len(shelf.resting) >= _MOST_ON_ONE:
            break
        fit = [a for a in usable(name, split) if a.size[1] <= _HIGHEST_M]
        if fit:
            shelf.lay(fit[int(rng.integers(len(fit)))])
    return shelf.resting


def _wanted(receptacle: str, room_type: str, house_bias: float, rng: np.random.Generator) -> list[str]:
    """Types to lay on a receptacle, in random order."""
    kinds, bias = object_types(), house_bias + _PARENT_BIAS.get(receptacle, 0.2)
    found: list[str] = []
    chances = {**lies_on(receptacle), **_ALSO.get(receptacle, {})}
    for name in sorted(chances):
        often = _OFTEN.get((receptacle, name), 0.0)
        if name in _NOT_HERE or name not in kinds or not (kinds[name].rooms[room_type] or often):
            continue
        chance = max(chances[name] + bias + _CHILD_BIAS.get(name, 0.0), often)
        count = 0
        while count < (_MOST_OF_A_TYPE if kinds[name].many or often else 1) and rng.random() < chance:
            count += 1
            chance *= 0.55
        found += [name] * count
    return [found[k] for k in rng.permutation(len(found))]


def _levels(asset: Asset) -> list[Level]:
    """Where things lie on a piece."""
    w, h, d = asset.size
    kind = asset.object_type
    whole: Rect = (-0.44 * w, -0.43 * d, 0.44 * w, 0.43 * d)
    surface = object_types()[kind].surface
    if kind == "Bed":
        return [((-0.4 * w, -0.1 * d, 0.4 * w, 0.38 * d), 0.62)]
    if kind in {"Sofa", "ArmChair"}:
        return [((-0.32 * w, -0.12 * d, 0.32 * w, 0.34 * d), surface or 0.48)]
    if kind == "Toilet":
        return [((-0.36 * w, -0.48 * d, 0.36 * w, -0.3 * d), 1.0)]
    if kind == "Sink":
        return [((-0.46 * w, -0.47 * d, -0.2 * w, -0.28 * d), 1.0), ((0.2 * w, -0.47 * d, 0.46 * w, -0.28 * d), 1.0)]
    if kind == "CounterTop":
        return [(r, 1.0) for r in _counter(asset)]
    if kind == "ShelvingUnit":
        inner: Rect = (-0.4 * w, -0.36 * d, 0.4 * w, 0.36 * d)
        return [(inner, share) for share in (0.22, 0.48, 0.74)] + ([(inner, 1.0)] if h < 1.7 else [])
    if kind in {"CoffeeTable", "Desk", "DiningTable", "Dresser", "SideTable", "TVStand", "Ottoman"} and h < 1.5:
        return [(whole, 1.0)]
    return []


def _counter(asset: Asset) -> list[Rect]:
    """The slabs of a counter: along its back, and of an L along its right side, of a C along both."""
    w, _, d = asset.size
    deep = min(0.61, d)
    found: list[Rect] = [(-w / 2 + 0.05, -d / 2 + 0.05, w / 2 - 0.05, -d / 2 + deep - 0.05)]
    if "_Island_" in asset.asset_id:
        return [(-w / 2 + 0.08, -d / 2 + 0.08, w / 2 - 0.08, d / 2 - 0.08)]
    if d > deep + 0.2 and ("_L_" in asset.asset_id or "_C_" in asset.asset_id):
        found.append((w / 2 - 0.56, -d / 2 + deep, w / 2 - 0.05, d / 2 - 0.05))
    if d > deep + 0.2 and "_C_" in asset.asset_id:
        found.append((-w / 2 + 0.05, -d / 2 + deep, -w / 2 + 0.56, d / 2 - 0.05))
    return found


class _Shelf:
    """The surfaces of one piece as they fill up."""

    def __init__(self, piece: Standing, levels: list[Level], rng: np.random.Generator) -> None:
        self._piece, self._levels, self._rng = piece, levels, rng
        self._taken: list[list[Rect]] = [[] for _ in levels]
        self.resting: list[Resting] = []
        self._pillows = 0

    def fix(self, asset: Asset) -> None:
        """A television in the middle, a tap at the back."""
        d = self._piece.asset.size[2]
        at_back = asset.object_type == "Faucet"
        z = -d / 2 + asset.size[2] / 2 + 0.01 if at_back else -0.05 * d
        r = (-asset.size[0] / 2, z - asset.size[2] / 2, asset.size[0] / 2, z + asset.size[2] / 2)
        level = len(self._levels) - 1
        for taken in self._taken:
            taken.append(r)
        self._rest(asset, 0.0, z, 1.0 if at_back else self._levels[level][1], 0.0)

    def lay(self, asset: Asset) -> None:
        """Somewhere free, turned at random; pillows of beds at the head."""
        if asset.object_type == "Pillow" and self._piece.asset.object_type == "Bed":
            self._lay_pillow(asset)
            return
        for _ in range(_TRIES):
            number = int(self._rng.integers(len(self._levels)))
            (x0, z0, x1, z1), share = self._levels[number]
            turn = 0.0 if asset.object_type in _FACING else 90.0 * float(self._rng.integers(4))
            w, d = (asset.size[0], asset.size[2]) if turn % 180 == 0 else (asset.size[2], asset.size[0])
            if w > x1 - x0 or d > z1 - z0:
                continue
            x = float(self._rng.uniform(x0 + w / 2, x1 - w / 2))
            z = float(self._rng.uniform(z0 + d / 2, z1 - d / 2))
            own = (x - w / 2 - _CLEAR_M, z - d / 2 - _CLEAR_M, x + w / 2 + _CLEAR_M, z + d / 2 + _CLEAR_M)
            if not any(meets(own, taken) for taken in self._taken[number]):
                self._taken[number].append(own)
                self._rest(asset, x, z, share, turn)
                return

    def _lay_pillow(self, asset: Asset) -> None:
        w, _, d = self._piece.asset.size
        two = w > 2 * asset.size[0] + 0.1
        if self._pillows >= (2 if two else 1):
            return
        x = 0.0 if not two else (-0.25 * w, 0.25 * w)[self._pillows]
        self._pillows += 1
        self._rest(asset, x, -d / 2 + 0.1 * d + asset.size[2] / 2, self._levels[0][1], 0.0)

    def _rest(self, asset: Asset, x: float, z: float, share: float, turn_deg: float) -> None:
        piece = self._piece
        at_x, at_z = piece.spot.local(x, z)
        y = share * piece.asset.size[1] + asset.size[1] / 2 + _ABOVE_M
        self.resting.append(Resting(asset, at_x, y, at_z, (piece.spot.yaw_deg + turn_deg) % 360.0))
