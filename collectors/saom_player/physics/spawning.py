"""New places for what can be picked up: on and in receptacles that suit it, where it stands and nothing is near."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from saom_player.physics.occupancy import AGENT_RADIUS_M
from saom_player.physics.overlap import Floats, Obstacles, surfaces_at, triangles_of
from saom_player.physics.poses import Move, copy_of, with_moved
from saom_player.physics.resting import Body, Surface, body_of, settled, surface_of
from saom_player.scene import Scene, SceneObject, Vector
from saom_player.tables.placement import CLOSABLE, OPEN_TOPPED, hangs, receptacle_types

_TRIES_A_SPOT = 3
_LIES_ON_M = 0.015
_BEARS_M = 0.03
_ABOUT = np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)])
_INSIDE_M = 0.004
_SUNK_SHARE = 0.7
# Of a middle: lines straight up from it would run along the edges of many a mesh.
_ASIDE = np.array([1e-4, 0.0, 1.7e-4])


@dataclass(frozen=True)
class SpawnRules:
    """What InitialRandomSpawn may do."""

    attempts: int = 5
    """How many spots are tried on a receptacle."""
    only_outside: bool = False
    """Only receptacles into which one can look without opening them."""
    with_moveable: bool = False
    """Lamps, toasters and the like move too, not only what can be picked up."""
    excluded_types: frozenset[str] = frozenset()
    """Of receptacles."""
    excluded_ids: frozenset[str] = frozenset()
    """Of objects that stay."""
    only_ids: frozenset[str] | None = None
    """Of objects that may move; None: all."""
    only_receptacles: frozenset[str] | None = None
    """Ids of receptacles; None: all."""
    duplicates: Mapping[str, int] = field(default_factory=dict)
    """How many objects of a type there shall be."""


@dataclass(frozen=True)
class Spawned:
    """The scene afterwards, who moved, and which copies found no place: those are not in the scene."""

    scene: Scene
    moved: tuple[str, ...]
    left_out: tuple[str, ...]


def spawn(scene: Scene, seed: int, rules: SpawnRules, agent: Vector | None = None) -> Spawned:
    """Move objects at random; what finds no place in as many attempts stays where it is. Equal calls, equal scenes."""
    return _Spawner(scene, np.random.default_rng(seed), rules, agent).run()


class _Spawner:
    def __init__(self, scene: Scene, rng: np.random.Generator, rules: SpawnRules, agent: Vector | None) -> None:
        self._scene, self._rng, self._rules, self._agent = scene, rng, rules, agent
        self._obstacles = Obstacles(scene)
        self._things = {thing.object_id: thing for thing in scene.objects}
        self._surfaces: dict[str, Surface | None] = {}
        self._moves: dict[str, Move] = {}
        self._stood: set[str] = set()
        """Who was put onto a receptacle: nothing else bears those."""

    def run(self) -> Spawned:
        loose = sorted((o for o in self._scene.objects if self._may_move(o)), key=lambda o: o.object_id)
        copies = self._copies(loose)
        moved, left_out = [], []
        queue = [*loose, *copies]
        for k in self._rng.permutation(len(queue)):
            thing, is_copy = queue[k], k >= len(loose)
            if self._place(thing if is_copy else self._things[thing.object_id], is_copy):
                moved.append(thing.object_id)
            elif is_copy:
                left_out.append(thing.object_id)
        changed = [self._things[name] for name in self._things if name in self._moves or name in set(moved)]
        return Spawned(with_moved(self._scene, changed, self._moves), tuple(moved), tuple(left_out))

    def _may_move(self, thing: SceneObject) -> bool:
        rules = self._rules
        kinds = {"pickupable", "moveable"} if rules.with_moveable else {"pickupable"}
        asked = rules.only_ids is None or thing.object_id in rules.only_ids
        return bool(thing.flags & kinds and thing.parts and asked) and not (
            thing.object_id in rules.excluded_ids or hangs(thing)
        )

    def _copies(self, loose: Sequence[SceneObject]) -> list[SceneObject]:
        """What is missing of the types of which there shall be more."""
        made = []
        for kind in sorted(self._rules.duplicates):
            models = [thing for thing in loose if thing.object_type == kind]
            for number in range(self._rules.duplicates[kind] - len(models) if models else 0):
                model = models[int(self._rng.integers(len(models)))]
                made.append(copy_of(model, f"_copy_{number}", f"_random_copy_{number}"))
        return made

    def _place(self, thing: SceneObject, is_copy: bool) -> bool:
        """Find a new place for an object and all that it carries; whether there is one."""
        group = [thing] if is_copy else [thing, *self._carried(thing)]
        body = body_of(group)
        if body is None:
            return False
        names = {one.object_id for one in group}
        for receptacle in self._receptacles(thing, names):
            surface = self._surface(receptacle)
            for _ in range(self._rules.attempts if surface is not None else 0):
                move = self._try(body, receptacle, surface, names) if surface is not None else None
                if move is not None:
                    self._settle(group, move, receptacle)
                    return True
        return False

    def _receptacles(self, thing: SceneObject, names: Collection[str]) -> Iterator[SceneObject]:
        """Suitable receptacles in random order, common ones sooner; the same one again is as good as any other."""
        weights = receptacle_types(thing.object_type)
        rules = self._rules
        fit = [
            o
            for o in sorted(self._things.values(), key=lambda o: o.object_id)
            if o.object_type in weights
            and "receptacle" in o.flags
            and "pickupable" not in o.flags
            and o.object_id not in names
            and o.object_type not in rules.excluded_types
            and (rules.only_receptacles is None or o.object_id in rules.only_receptacles)
            and not (rules.only_outside and o.object_type in CLOSABLE)
        ]
        if not fit:
            return
        keys = self._rng.random(len(fit)) ** (1 / np.sqrt([weights[o.object_type] for o in fit]))
        yield from (fit[k] for k in np.argsort(-keys, kind="stable"))

    def _surface(self, receptacle: SceneObject) -> Surface | None:
        name = receptacle.object_id
        if name not in self._surfaces:
            self._surfaces[name] = surface_of(self._scene, self._things[name])
        return self._surfaces[name]

    def _try(self, body: Body, receptacle: SceneObject, surface: Surface, names: Collection[str]) -> Move | None:
        """One attempt: the first spot of a few on which the body would stay, if nothing is in its way there."""
        for _ in range(_TRIES_A_SPOT):
            spot, yaw_deg = surface.spot(self._rng), float(self._rng.uniform(0.0, 360.0))
            if surface.is_snug(body):
                middle = (surface.low + surface.high) / 2
                spot[[0, 2]] = middle[[0, 2]] + self._rng.uniform(-0.01, 0.01, 2)
            rest = settled(body, surface, spot, yaw_deg)
            if rest is None:
                continue
            space = body.space(rest, yaw_deg)
            if not self._fits_inside(space.center[1] - space.half[1], 2 * space.half[1], receptacle, surface):
                continue
            if self._meets_agent(space.center, body) or self._obstacles.overlap(space, names):
                continue
            if self._obstacles.buried(space.center + _ASIDE, names):
                continue
            return body.to(rest, yaw_deg)
        return None

    def _fits_inside(self, foot_y: float, height: float, receptacle: SceneObject, surface: Surface) -> bool:
        """Whether what belongs inside is inside: not on top of a fridge, nor on the rim of a bin."""
        kind = receptacle.object_type
        if kind not in CLOSABLE | OPEN_TOPPED:
            return True
        low, high = float(surface.low[1]), float(surface.high[1])
        if kind in OPEN_TOPPED:
            return foot_y < low + _SUNK_SHARE * (high - low)
        return foot_y + height < high - _INSIDE_M

    def _meets_agent(self, center: Floats, body: Body) -> bool:
        if self._agent is None:
            return False
        away = float(np.hypot(center[0] - self._agent[0], center[2] - self._agent[2]))
        return away < AGENT_RADIUS_M + float(np.hypot(body.half[0], body.half[2]))

    def _carried(self, thing: SceneObject) -> list[SceneObject]:
        """What is in or on an object, and what is in or on that: by its receptacles, or because it lies on it."""
        found: dict[str, SceneObject] = {}
        queue = [thing]
        while queue:
            below = queue.pop()
            for other in self._things.values():
                new = other.object_id not in found and other.object_id != thing.object_id
                if new and "pickupable" in other.flags and self._is_borne(other, below):
                    found[other.object_id] = other
                    queue.append(other)
        return list(found.values())

    def _is_borne(self, thing: SceneObject, below: SceneObject) -> bool:
        """Whether a thing would fall if ``below`` were taken away."""
        if below.object_id in thing.parent_receptacles:
            return True
        return thing.object_id not in self._stood and _lies_on(thing, below)

    def _settle(self, group: Sequence[SceneObject], move: Move, receptacle: SceneObject) -> None:
        for number, thing in enumerate(group):
            after = move.thing(thing)
            if number == 0:
                self._stood.add(after.object_id)
                after = replace(after, parent_receptacles=(receptacle.object_id,))
            name = after.object_id
            self._things[name] = after
            self._obstacles.move(name, triangles_of(after.parts))
            self._surfaces.pop(name, None)
            before = self._moves.get(name, Move(np.eye(3), np.zeros(3)))
            self._moves[name] = Move(move.turn @ before.turn, move.turn @ before.shift + move.shift)


def _lies_on(thing: SceneObject, below: SceneObject) -> bool:
    """Whether what is under a thing's foot is ``below``."""
    corners, under = thing.box.corners(), below.box.corners()
    low, high = under.min(axis=0), under.max(axis=0)
    foot = corners.min(axis=0)[1]
    middle = (corners.min(axis=0) + corners.max(axis=0))[[0, 2]] / 2
    above = bool((middle > low[[0, 2]]).all() and (middle < high[[0, 2]]).all())
    if not (above and low[1] + _LIES_ON_M < foot < high[1] + _LIES_ON_M):
        return False
    # A leaning knife's box is mostly air: its triangles tell whether it bears anything.
    around = middle + (corners.max(axis=0) - corners.min(axis=0))[[0, 2]] / 4 * _ABOUT
    heights, _ = surfaces_at(triangles_of(below.parts), around)
    return bool(((heights > foot - _BEARS_M) & (heights < foot + _LIES_ON_M)).any())
