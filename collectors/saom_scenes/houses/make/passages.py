"""Doors, open passages and windows of a floor plan, and the floor before them that furniture leaves free."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from saom_scenes.houses.assets import Asset, assets_of
from saom_scenes.houses.make.floorplan import OUTSIDE, FloorPlan, NoPlan, WallPlan
from saom_scenes.houses.make.regions import Rect

_END_M = 0.15
_BEFORE_M, _SWING_EXTRA_M = 0.55, 0.3
_TWO_LEAVES_M, _LEAF_M, _JAMB_M, _THROUGH_M = 1.4, 0.12, 0.32, 0.45
_OPEN_P, _FRAME_P = 0.75, 0.7
_WINDOW_ROOMS = {"Bedroom", "Kitchen", "LivingRoom"}
_WINDOWS = (0.125, 0.375, 0.5)
_WINDOW_END_M = 0.1
_CENTER_M, _HIGHEST_CENTER_M = 3.0, 1.75
_COSTS = {
    frozenset({"Kitchen", "LivingRoom"}): 0, frozenset({"LivingRoom"}): 1, frozenset({"LivingRoom", "Bedroom"}): 2,
    frozenset({"LivingRoom", "Bathroom"}): 3, frozenset({"Bedroom", "Bathroom"}): 3,
    frozenset({"Kitchen", "Bedroom"}): 5, frozenset({"Kitchen", "Bathroom"}): 6, frozenset({"Kitchen"}): 6,
    frozenset({"Bedroom"}): 7, frozenset({"Bathroom"}): 9,
}  # fmt: skip
"""How unlikely a door between rooms of two types is."""


@dataclass(frozen=True)
class Passage:
    """A door, a frame or a window in a wall; metres along the wall and up."""

    kind: str
    """"door", "frame" or "window"."""
    wall: WallPlan
    asset: Asset
    low: float
    bottom: float

    @property
    def high(self) -> float:
        """Where it ends along the wall."""
        return self.low + self.asset.size[0]


@dataclass(frozen=True)
class Openings:
    """All openings of a house."""

    passages: tuple[Passage, ...]
    open_walls: tuple[WallPlan, ...]
    """Between rooms that are one space: both of the rooms' walls."""
    links: frozenset[tuple[int, int]]
    """Rooms that one can walk between, the smaller number first."""

    def keep_free(self, room: int) -> list[Rect]:
        """The floor of a room before its doors and passages."""
        found = [self._before(p, room) for p in self.passages if p.kind != "window" and room in _rooms(p.wall)]
        found += [strip(wall, 0.0, wall.length, 0.35) for wall in self.open_walls if wall.room == room]
        return found

    def ways(self) -> list[Rect]:
        """Where an agent's middle may be on its way through the holes between rooms."""
        found = [
            strip(p.wall, p.low + _JAMB_M, p.high - _JAMB_M, depth)
            for p in self.passages
            if p.kind != "window" and p.wall.other != OUTSIDE
            for depth in (_THROUGH_M, -_THROUGH_M)
        ]
        return found + [strip(w, _THROUGH_M, w.length - _THROUGH_M, _THROUGH_M) for w in self.open_walls]

    def leaves(self) -> list[Rect]:
        """The floor under the open leaves of doors: on the far side of their walls, at the hinges."""
        found = []
        for p in self.passages:
            if p.kind != "door" or p.wall.other == OUTSIDE:
                continue
            width = p.asset.size[0]
            found.append(strip(p.wall, p.high - _LEAF_M, p.high, -width / (2 if width > _TWO_LEAVES_M else 1)))
            if width > _TWO_LEAVES_M:
                found.append(strip(p.wall, p.low, p.low + _LEAF_M, -width / 2))
        return found

    def _before(self, passage: Passage, room: int) -> Rect:
        """A door's leaf swings away from its wall's own room."""
        is_own = room == passage.wall.room
        swings = passage.kind == "door" and not is_own
        width = passage.asset.size[0]
        depth = (width / (2 if width > _TWO_LEAVES_M else 1) + _SWING_EXTRA_M) if swings else _BEFORE_M
        return strip(passage.wall, passage.low - 0.05, passage.high + 0.05, depth if is_own else -depth)


def strip(wall: WallPlan, low: float, high: float, depth: float) -> Rect:
    """The floor along a wall, so deep into its room; a negative depth lies beyond it."""
    (x0, z0), (x1, z1) = wall.start, wall.end
    ahead = ((x1 - x0) / wall.length, (z1 - z0) / wall.length)
    right = (ahead[1], -ahead[0])
    corners = [
        (x0 + ahead[0] * along + right[0] * out, z0 + ahead[1] * along + right[1] * out)
        for along in (low, high)
        for out in (0.0, depth)
    ]
    xs, zs = [c[0] for c in corners], [c[1] for c in corners]
    return min(xs), min(zs), max(xs), max(zs)


def openings(plan: FloorPlan, ceiling_m: float, split: str, rng: np.random.Generator) -> Openings:
    """Doors between all rooms, one to the outside, and windows. Raises NoPlan."""
    passages: list[Passage] = []
    open_walls: list[WallPlan] = []
    links = set()
    for wall in _chosen(plan, rng):
        links.add((min(wall.room, wall.other), max(wall.room, wall.other)))
        types = {plan.types[wall.room], plan.types[wall.other]}
        kind = "door"
        if types == {"Kitchen", "LivingRoom"} and rng.random() < _OPEN_P:
            kind = "frame" if rng.random() < _FRAME_P else "open"
        if kind == "open" and wall.length < 5.0:
            open_walls += [wall, _other_side(plan, wall)]
            continue
        found = _fitted("frame" if kind != "door" else kind, wall, split, passages, rng)
        if found is None:
            raise NoPlan("no door fits between two rooms")
        passages.append(found)
    passages += _to_outside(plan, split, passages, rng)
    for room in range(len(plan.types)):
        passages += _windows(plan, room, ceiling_m, split, passages, rng)
    return Openings(tuple(passages), tuple(open_walls), frozenset(links))


def _rooms(wall: WallPlan) -> tuple[int, int]:
    return wall.room, wall.other


def _other_side(plan: FloorPlan, wall: WallPlan) -> WallPlan:
    return next(w for w in plan.walls if w.room == wall.other and w.start == wall.end and w.end == wall.start)


def _chosen(plan: FloorPlan, rng: np.random.Generator) -> list[WallPlan]:
    """One wall for each door that makes all rooms one house, likely doors first."""
    least = min(a.size[0] for a in assets_of("Doorway")) + 2 * _END_M
    inner = [wall for wall in plan.walls if wall.other != OUTSIDE and wall.length >= least]
    ranked: list[tuple[float, int, WallPlan]] = []
    for wall in inner:
        cost = _COSTS[frozenset({plan.types[wall.room], plan.types[wall.other]})]
        ranked.append((cost + 2 * float(rng.random()), len(ranked), wall))
    group = list(range(len(plan.types)))
    chosen = []
    for _, _, wall in sorted(ranked):
        a, b = group[wall.room], group[wall.other]
        if a != b:
            chosen.append(wall)
            group = [a if g == b else g for g in group]
    return chosen


def _fitted(
    kind: str, wall: WallPlan, split: str, others: Iterable[Passage], rng: np.random.Generator
) -> Passage | None:
    """A door or a frame somewhere in a wall; None where none fits."""
    fit = [a for a in usable("Doorway" if kind == "door" else "Doorframe", split)
           if a.size[0] + 2 * _END_M <= wall.length]  # fmt: skip
    wide = [a for a in fit if a.size[0] > _TWO_LEAVES_M]
    # Two leaves, or a wide frame, are for long walls.
    if wide and wall.length > 3.5 and rng.random() < (0.5 if kind == "frame" else 0.25):
        fit = wide
    else:
        fit = [a for a in fit if a.size[0] <= _TWO_LEAVES_M] or fit
    if not fit:
        return None
    asset = fit[int(rng.integers(len(fit)))]
    low = float(rng.uniform(_END_M, wall.length - _END_M - asset.size[0]))
    found = Passage(kind, wall, asset, round(low, 4), 0.0)
    return None if any(_clash(found, other) for other in others) else found


def usable(object_type: str, split: str) -> list[Asset]:
    """The assets of a type that a split may use."""
    every = assets_of(object_type)
    return [a for a in every if a.split in ("", split)] or list(every)


def _clash(a: Passage, b: Passage) -> bool:
    """AI2-THOR takes one hole a wall."""
    return a.wall == b.wall


def _to_outside(plan: FloorPlan, split: str, others: Sequence[Passage], rng: np.random.Generator) -> list[Passage]:
    """The front door, shut: of the kitchen or a living room, if they have an outer wall for it."""
    outer = [wall for wall in plan.walls if wall.other == OUTSIDE]
    first = [w for w in outer if plan.types[w.room] in {"Kitchen", "LivingRoom"}]
    for wall in (*_shuffled(first, rng), *_shuffled(outer, rng)):
        found = _fitted("door", wall, split, others, rng)
        if found is not None:
            return [found]
    return []


def _shuffled(walls: Sequence[WallPlan], rng: np.random.Generator) -> list[WallPlan]:
    return [walls[k] for k in rng.permutation(len(walls))]


def _windows(
    plan: FloorPlan, room: int, ceiling_m: float, split: str, others: Sequence[Passage], rng: np.random.Generator
) -> list[Passage]:
    if plan.types[room] not in _WINDOW_ROOMS:
        return []
    count = int(rng.choice(len(_WINDOWS), p=_WINDOWS))
    outer = [wall for wall in plan.walls if wall.room == room and wall.other == OUTSIDE]
    models = [a for a in usable("Window", split) if a.size[2] < 0.3]
    found: list[Passage] = []
    for wall in _shuffled(outer, rng)[:count]:
        center = min(min(ceiling_m, _CENTER_M) * float(rng.beta(12, 12)), _HIGHEST_CENTER_M)
        fit = [a for a in models if a.size[0] + 2 * _WINDOW_END_M <= wall.length and a.size[1] < ceiling_m - 0.6]
        if not fit:
            continue
        asset = fit[int(rng.integers(len(fit)))]
        low = float(rng.uniform(_WINDOW_END_M, wall.length - _WINDOW_END_M - asset.size[0]))
        bottom = float(np.clip(center - asset.size[1] / 2, 0.3, ceiling_m - asset.size[1] - 0.15))
        window = Passage("window", wall, asset, round(low, 4), round(bottom, 4))
        if not any(_clash(window, other) for other in (*others, *found)):
            found.append(window)
    return found
