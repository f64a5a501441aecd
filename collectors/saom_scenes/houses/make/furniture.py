"""Where furniture of one room stands: anchors in the largest free rectangles, with floor left free before it.

By ProcTHOR's recipe: the largest free rectangle is taken most often; things stand in its corners, at its sides that
are walls, or in its middle, each as its type may; margins keep a way before, and a gap to the walls.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from saom_scenes.houses.assets import Asset
from saom_scenes.houses.make.regions import Rect, free_rectangles, meets, within
from saom_scenes.houses.model import Point
from saom_scenes.houses.plan import inside

WALL_GAP_M = 0.05
_FRONT_M, _MIDDLE_M = 0.5, 0.35
_LARGEST_P, _EDGE_P = 0.8, 0.7
_LEAST_M = 0.4
_RECTANGLES = 12
_TRIES = 6
_PROBE_M = 0.1
_YAWS = (0, 90, 180, 270)


@dataclass(frozen=True)
class Spot:
    """Where an asset stands: the middle of its footprint, and where its front looks."""

    x: float
    z: float
    yaw_deg: float

    @property
    def ahead(self) -> Point:
        """x and z of the way that the front looks; quarter turns exactly."""
        return {0: (0.0, 1.0), 90: (1.0, 0.0), 180: (0.0, -1.0), 270: (-1.0, 0.0)}[round(self.yaw_deg) % 360]

    def local(self, right: float, ahead: float) -> Point:
        """A point so far to its right (its +x) and ahead (+z)."""
        dx, dz = self.ahead
        return self.x + dz * right + dx * ahead, self.z - dx * right + dz * ahead


@dataclass(frozen=True)
class Standing:
    """A piece of furniture on the floor."""

    asset: Asset
    spot: Spot

    @property
    def footprint(self) -> Rect:
        """The floor that it covers."""
        return box_at(self.spot, self.asset.size[0], self.asset.size[2])

    @property
    def reach(self) -> Rect:
        """With the floor before it that stays free."""
        return union(self.footprint, before(self, _FRONT_M))


def box_at(spot: Spot, width: float, depth: float) -> Rect:
    """The footprint of something so wide and deep."""
    x, z = (width, depth) if spot.ahead[0] == 0 else (depth, width)
    return spot.x - x / 2, spot.z - z / 2, spot.x + x / 2, spot.z + z / 2


def before(thing: Standing, depth: float) -> Rect:
    """The floor before a thing, as wide as it."""
    half = thing.asset.size[2] / 2
    x, z = thing.spot.local(0.0, half + depth / 2)
    return box_at(Spot(x, z, thing.spot.yaw_deg), thing.asset.size[0], depth)


def union(a: Rect, b: Rect) -> Rect:
    """The rectangle around two."""
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


@dataclass
class Ground:
    """The floor of one room: what stands there, and what must stay free."""

    outline: tuple[Point, ...]
    doors: list[Rect]
    """Before doors."""
    windows: list[tuple[Rect, float]]
    """The floor at each window, and the height of its sill."""
    standing: list[Standing] = field(default_factory=list)

    def place(
        self,
        asset: Asset,
        anchors: Sequence[str],
        rng: np.random.Generator,
        accept: Callable[[Standing], bool] = lambda thing: True,
    ) -> Standing | None:
        """Find a spot of one of the kinds "corner", "edge" and "middle" and take it; None where none is found."""
        rectangles = free_rectangles(self.outline, self._taken(), _LEAST_M)[:_RECTANGLES]
        for _ in range(_TRIES if rectangles else 0):
            chosen = 0 if rng.random() < _LARGEST_P else int(rng.integers(len(rectangles)))
            options = [
                thing
                for rectangle in (rectangles[chosen], *rectangles)
                for kind in self._ordered(anchors, rng)
                for spot in self._spots(rectangle, asset, kind, rng)
                if self.is_free(thing := Standing(asset, spot)) and accept(thing)
            ]
            if options:
                self.standing.append(options[0])
                return options[0]
        return None

    def put(self, thing: Standing, beside: Iterable[Standing] = ()) -> bool:
        """Take a given spot, if it is free; the floor before what it belongs ``beside`` counts as free."""
        if not self.is_free(thing, beside):
            return False
        self.standing.append(thing)
        return True

    def is_free(self, thing: Standing, beside: Iterable[Standing] = ()) -> bool:
        """Whether a thing may stand where it does: in the room, in no way, with some floor before it."""
        spared = list(beside)
        own, ahead = thing.footprint, before(thing, 0.25)
        if not within(own, self.outline) or any(meets(own, door) for door in self.doors):
            return False
        if any(meets(own, at) and thing.asset.size[1] > sill + 0.1 for at, sill in self.windows):
            return False
        if any(meets(own, other.footprint) for other in self.standing):
            return False
        others = [other for other in self.standing if other not in spared]
        return not any(meets(ahead, other.footprint) or meets(own, before(other, 0.4)) for other in others)

    def is_backed(self, thing: Standing) -> bool:
        """Whether a wall is right behind a thing, all along its back."""
        width, half = thing.asset.size[0], thing.asset.size[2] / 2
        points = [thing.spot.local(share * width * 0.48, -half - _PROBE_M) for share in (-1, 0, 1)]
        return not any(inside(point, self.outline) for point in points)

    def is_walled_right(self, thing: Standing) -> bool:
        """Whether a wall is right beside a thing, at its +x."""
        half, depth = thing.asset.size[0] / 2, thing.asset.size[2]
        points = [thing.spot.local(half + _PROBE_M, share * depth * 0.48) for share in (-1, 0, 1)]
        return not any(inside(point, self.outline) for point in points)

    def _taken(self) -> list[Rect]:
        return [*self.doors, *(thing.reach for thing in self.standing)]

    def _ordered(self, anchors: Sequence[str], rng: np.random.Generator) -> list[str]:
        """The kinds of anchors in the order in which they are tried: mostly walls first."""
        order = [anchors[k] for k in rng.permutation(len(anchors))]
        if rng.random() < _EDGE_P:
            order.sort(key=lambda kind: kind == "middle")
        return order

    def _spots(self, r: Rect, asset: Asset, kind: str, rng: np.random.Generator) -> list[Spot]:
        width, _, depth = asset.size
        spots = []
        for k in rng.permutation(4):
            yaw = _YAWS[int(k)]
            x_size, z_size = (width, depth) if yaw % 180 == 0 else (depth, width)
            room_x, room_z = r[2] - r[0] - x_size, r[3] - r[1] - z_size
            if kind == "middle":
                if min(room_x, room_z) >= 2 * _MIDDLE_M:
                    spots.append(Spot((r[0] + r[2]) / 2, (r[1] + r[3]) / 2, float(yaw)))
                continue
            if min(room_x, room_z) < WALL_GAP_M:
                continue
            spots += self._at_wall(r, yaw, (x_size, z_size), kind, rng)
        if kind == "middle":
            return spots[:1]
        return [spot for spot in spots if self.is_backed(Standing(asset, spot))]

    def _at_wall(self, r: Rect, yaw: int, size: tuple[float, float], kind: str, rng: np.random.Generator) -> list[Spot]:
        """With the back at the rectangle's side that the front looks away from."""
        x_size, z_size = size
        low_x, high_x = r[0] + x_size / 2 + WALL_GAP_M, r[2] - x_size / 2 - WALL_GAP_M
        low_z, high_z = r[1] + z_size / 2 + WALL_GAP_M, r[3] - z_size / 2 - WALL_GAP_M
        if low_x > high_x or low_z > high_z:
            return []
        along = (low_x, high_x) if yaw % 180 == 0 else (low_z, high_z)
        if kind == "corner":
            places = [along[int(k)] for k in rng.permutation(2)]
        else:
            places = [float(rng.uniform(*along)) for _ in range(3)]
        back = {0: low_z, 180: high_z, 90: low_x, 270: high_x}[yaw]
        return [Spot(p, back, float(yaw)) if yaw % 180 == 0 else Spot(back, p, float(yaw)) for p in places]
