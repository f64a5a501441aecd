"""What hangs on walls: paintings, light switches, towels and paper in bathrooms, blinds before windows, televisions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from saom_scenes.houses.assets import Asset
from saom_scenes.houses.make.floorplan import WallPlan
from saom_scenes.houses.make.furniture import Standing
from saom_scenes.houses.make.passages import Passage, strip, usable
from saom_scenes.houses.make.regions import meets

_GAP_M = 0.005
_END_M, _APART_M = 0.12, 0.15
_TRIES = 10
_PAINTINGS = ((0, 1, 2, 3, 4), (0.05, 0.2, 0.35, 0.25, 0.15))
_BLINDS_P = 0.45
_SWITCH_M, _PAPER_M, _TOWEL_M, _HAND_TOWEL_M, _SCREEN_M = 1.15, 0.68, 1.3, 1.35, 1.25
_NEAR_TOILET_M = 1.1


@dataclass(frozen=True)
class Hanging:
    """A thing on a wall: along it and up to the middle of its box; ``held`` hangs on it."""

    asset: Asset
    wall: WallPlan
    along: float
    height: float
    held: Asset | None = None
    out: float = 0.0
    """How much further from the wall than flat on it."""

    @property
    def place(self) -> tuple[float, float, float]:
        """The middle of its box."""
        (x0, z0), (x1, z1) = self.wall.start, self.wall.end
        ahead = ((x1 - x0) / self.wall.length, (z1 - z0) / self.wall.length)
        depth = self.asset.size[2] / 2 + _GAP_M + self.out
        return x0 + ahead[0] * self.along + ahead[1] * depth, self.height, z0 + ahead[1] * self.along - ahead[0] * depth

    @property
    def yaw_deg(self) -> float:
        """Its front looks into the room."""
        (x0, z0), (x1, z1) = self.wall.start, self.wall.end
        return float(np.degrees(np.arctan2((z1 - z0), -(x1 - x0)))) % 360.0


class Walls:
    """The walls of one room and what is on them."""

    def __init__(
        self,
        walls: Sequence[WallPlan],
        passages: Sequence[Passage],
        standing: Sequence[Standing],
        ceiling_m: float,
        split: str,
        rng: np.random.Generator,
    ) -> None:
        self._walls, self._passages, self._standing = list(walls), list(passages), list(standing)
        self._ceiling_m, self._split, self._rng = ceiling_m, split, rng
        self.hanging: list[Hanging] = []

    def fill(self, room_type: str) -> list[Hanging]:
        """Hang what a room of this type has."""
        self._blinds()
        self._hang("LightSwitch", _SWITCH_M, self._beside_doors())
        if room_type == "Bathroom":
            self._hang("ToiletPaperHanger", _PAPER_M, self._near("Toilet"))
            self._hang("TowelHolder", _TOWEL_M, held="Towel")
            self._hang("HandTowelHolder", _HAND_TOWEL_M, self._near("Sink"), held="HandTowel")
        if room_type == "LivingRoom" and not any(t.asset.object_type == "TVStand" for t in self._standing):
            self._hang("Television", _SCREEN_M)
        counts, shares = _PAINTINGS
        for _ in range(int(self._rng.choice(counts, p=shares))):
            self._hang("Painting", float(self._rng.uniform(1.4, 1.65)))
        return self.hanging

    def _pick(self, object_type: str) -> Asset:
        fit = usable(object_type, self._split)
        return fit[int(self._rng.integers(len(fit)))]

    def _hang(
        self, object_type: str, height: float, wishes: Sequence[tuple[WallPlan, float]] = (), held: str = ""
    ) -> None:
        """One of a type at the first place that is free: those wished for, then any."""
        asset = self._pick(object_type)
        anywhere = []
        walls = [wall for wall in self._walls if wall.length > asset.size[0] + 2 * _END_M]
        for _ in range(_TRIES if walls else 0):
            wall = walls[int(self._rng.integers(len(walls)))]
            reach = _END_M + asset.size[0] / 2
            anywhere.append((wall, float(self._rng.uniform(reach, wall.length - reach))))
        for wall, along in (*wishes, *anywhere):
            below = self._pick(held) if held else None
            thing = Hanging(asset, wall, round(along, 4), height, below)
            if self._is_free(thing):
                self.hanging.append(thing)
                return

    def _is_free(self, thing: Hanging) -> bool:
        half, rise = thing.asset.size[0] / 2, thing.asset.size[1] / 2
        low, high = thing.along - half, thing.along + half
        bottom, top = thing.height - rise, thing.height + rise
        if thing.held is not None:
            bottom = min(bottom, thing.height - thing.held.size[1])
        if low < _END_M or high > thing.wall.length - _END_M or bottom < 0.2 or top > self._ceiling_m - 0.1:
            return False
        holes = [(p.low, p.high, p.bottom, p.bottom + p.asset.size[1]) for p in self._on(thing.wall)]
        for a, b, _, _ in holes:
            if high > a - _APART_M and low < b + _APART_M:
                return False
        for other in self.hanging:
            reach = other.asset.size[0] / 2 + _APART_M
            if other.wall == thing.wall and high > other.along - reach and low < other.along + reach:
                return False
        floor = strip(thing.wall, low, high, 0.35)
        return not any(meets(t.footprint, floor) and t.asset.size[1] > bottom - 0.05 for t in self._standing)

    def _on(self, wall: WallPlan) -> list[Passage]:
        """What is cut out of a wall, as if measured along it."""
        found = []
        for passage in self._passages:
            if passage.wall == wall:
                found.append(passage)
            elif passage.wall.start == wall.end and passage.wall.end == wall.start:
                low = wall.length - passage.high
                found.append(Passage(passage.kind, wall, passage.asset, low, passage.bottom))
        return found

    def _beside_doors(self) -> list[tuple[WallPlan, float]]:
        return [
            (wall, end + side * 0.2)
            for wall in self._walls
            for passage in self._on(wall)
            if passage.kind != "window"
            for end, side in ((passage.high, 1), (passage.low, -1))
        ]

    def _near(self, object_type: str) -> list[tuple[WallPlan, float]]:
        """Places on walls within reach of a piece of furniture."""
        wishes = []
        for thing in self._standing:
            if thing.asset.object_type != object_type:
                continue
            for wall in self._walls:
                (x0, z0), (x1, z1) = wall.start, wall.end
                ahead = ((x1 - x0) / wall.length, (z1 - z0) / wall.length)
                offset = (thing.spot.x - x0, thing.spot.z - z0)
                out = abs(offset[0] * ahead[1] - offset[1] * ahead[0])
                along = offset[0] * ahead[0] + offset[1] * ahead[1]
                if out < _NEAR_TOILET_M:
                    wishes += [(wall, along + shift) for shift in (0.6, -0.6, 0.75, -0.75, 0.0)]
        return wishes

    def _blinds(self) -> None:
        """Drawn up blinds over windows of about their width."""
        asset = self._pick("Blinds")
        for wall in self._walls:
            for window in self._on(wall):
                width = window.asset.size[0]
                if window.kind != "window" or not 0.75 < width / asset.size[0] < 1.15 or self._rng.random() > _BLINDS_P:
                    continue
                top = window.bottom + window.asset.size[1]
                middle = (window.low + window.high) / 2
                out = window.asset.size[2] / 2 + 0.01
                self.hanging.append(Hanging(asset, wall, middle, top - asset.size[1] / 2, out=out))
