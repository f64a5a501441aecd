"""Where a view might be taken from: each strategy proposes poses, views.py looks at them and chooses.

A proposal depends on the scene, the seed and the views before it alone, so that more views only add to earlier ones.
"""

import math
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from saom_bench.errors import unknown
from saom_bench.types import Pose
from saom_collectors.session import PlacedObject, Position

_YAW_STEP_DEG = 15
_HORIZONS_DEG = (-10.0, 0.0, 10.0, 20.0, 30.0)
_LIMITS_DEG = (-30.0, 60.0)
"""How far AI2-THOR's agent looks up and down."""
_CAMERA_M = {True: 0.675, False: 0.0}
"""Of a standing and of a crouching agent's camera, above the agent's position."""
_NEAR_M, _FAR_M = 0.6, 2.5
"""From an object when looking at it."""
_RING = 6
"""Views of one object in an orbit."""
_STEP_M = 0.5
_GRID_M = 0.25
_GOALS = 40
_Node = tuple[int, int]


@dataclass
class Surroundings:
    """What a strategy knows of a scene, and of the views chosen so far."""

    places: tuple[Position, ...]
    objects: tuple[PlacedObject, ...]
    """Of the label set, sorted by id."""
    seed: int
    """The same for every view of the scene."""
    crouch_rate: float = 0.0
    horizon_jitter_deg: float = 0.0
    target_per_class: int = 0
    shown: Counter[str] = field(default_factory=Counter)
    """Views that show each object."""
    path: tuple[Pose, ...] = ()
    """A trajectory's, once it is made."""

    def classes_shown(self) -> Counter[str]:
        """Views that show each class."""
        types = {thing.object_id: thing.object_type for thing in self.objects}
        counts: Counter[str] = Counter(dict.fromkeys(types.values(), 0))
        for name, views in self.shown.items():
            if name in types:
                counts[types[name]] = max(counts[types[name]], views)
        return counts


Strategy = Callable[[Surroundings, int, np.random.Generator], Iterator[Pose]]
"""Proposes poses for view k without end; whoever asks takes as many as it has tries."""


def reachable(around: Surroundings, view: int, rng: np.random.Generator) -> Iterator[Pose]:
    """Any place, any direction."""
    while True:
        x, y, z = around.places[int(rng.integers(len(around.places)))]
        yaw = float(rng.integers(360 // _YAW_STEP_DEG) * _YAW_STEP_DEG)
        yield _jittered(Pose(x, y, z, yaw, float(rng.choice(_HORIZONS_DEG))), around, rng)


def orbit(around: Surroundings, view: int, rng: np.random.Generator) -> Iterator[Pose]:
    """Round one object after another, six views each, evenly by angle as far as the floor allows."""
    if not around.objects:
        yield from reachable(around, view, rng)
        return
    order = np.random.default_rng(around.seed).permutation(len(around.objects))
    thing = around.objects[int(order[(view // _RING) % len(order)])]
    turn = 2 * math.pi * (view % _RING) / _RING
    while True:
        radius = rng.uniform(_NEAR_M + 0.3, _FAR_M)
        angle = turn + rng.uniform(-0.2, 0.2)
        wish = (thing.center[0] + radius * math.sin(angle), thing.center[2] + radius * math.cos(angle))
        place = min(around.places, key=lambda p: math.hypot(p[0] - wish[0], p[2] - wish[1]))
        yield aimed(place, thing.center, around, rng)


def trajectory(around: Surroundings, view: int, rng: np.random.Generator) -> Iterator[Pose]:
    """A walk through the room: a view every half metre, looking ahead."""
    if not around.path:
        around.path = _walk(around.places, np.random.default_rng(around.seed))
    pose = around.path[view % len(around.path)]
    while True:
        turned = (pose.yaw_deg + float(rng.choice((-15.0, 0.0, 0.0, 15.0)))) % 360.0
        horizon = float(rng.choice((0.0, 10.0, 20.0)))
        yield _jittered(Pose(pose.x, pose.y, pose.z, turned, horizon), around, rng)


def class_balanced(around: Surroundings, view: int, rng: np.random.Generator) -> Iterator[Pose]:
    """Towards an object of the class that the fewest views have shown, until each class has its target."""
    counts = around.classes_shown()
    least = min(counts.values(), default=0)
    if not counts or (around.target_per_class and least >= around.target_per_class):
        yield from reachable(around, view, rng)
        return
    rare = [thing for thing in around.objects if counts[thing.object_type] == least]
    while True:
        thing = rare[int(rng.integers(len(rare)))]
        near = [p for p in around.places if _NEAR_M <= _distance_m(p, thing) <= _FAR_M]
        pool = near or sorted(around.places, key=lambda p: _distance_m(p, thing))[:8]
        yield aimed(pool[int(rng.integers(len(pool)))], thing.center, around, rng)


STRATEGIES: Mapping[str, Strategy] = {
    "reachable": reachable,
    "orbit": orbit,
    "trajectory": trajectory,
    "class-balanced": class_balanced,
}


def strategy_of(name: str) -> Strategy:
    """A strategy by name. Raises SaomBenchError for an unknown one."""
    if name not in STRATEGIES:
        raise unknown("sampling strategy", name, STRATEGIES)
    return STRATEGIES[name]


def aimed(place: Position, target: Position, around: Surroundings, rng: np.random.Generator) -> Pose:
    """Standing at a place, with ``target`` in the middle of the picture as far as the neck goes; whole degrees."""
    standing = bool(rng.random() >= around.crouch_rate)
    across = math.hypot(target[0] - place[0], target[2] - place[2])
    yaw = math.degrees(math.atan2(target[0] - place[0], target[2] - place[2])) % 360.0
    drop = place[1] + _CAMERA_M[standing] - target[1]
    horizon = math.degrees(math.atan2(drop, max(across, 0.05)))
    jitter = rng.uniform(-1, 1) * around.horizon_jitter_deg
    return Pose(*place, float(round(yaw) % 360), _within_limits(horizon + jitter), standing)


def _jittered(pose: Pose, around: Surroundings, rng: np.random.Generator) -> Pose:
    """The same pose, crouching at times, its horizon shaken; unchanged where neither is asked for."""
    if not (around.crouch_rate or around.horizon_jitter_deg):
        return pose
    standing = bool(rng.random() >= around.crouch_rate)
    horizon = _within_limits(pose.horizon_deg + rng.uniform(-1, 1) * around.horizon_jitter_deg)
    return Pose(pose.x, pose.y, pose.z, pose.yaw_deg, horizon, standing)


def _within_limits(horizon_deg: float) -> float:
    return float(round(min(max(horizon_deg, _LIMITS_DEG[0]), _LIMITS_DEG[1])))


def _distance_m(place: Position, thing: PlacedObject) -> float:
    return math.hypot(place[0] - thing.center[0], place[2] - thing.center[2])


def _walk(places: tuple[Position, ...], rng: np.random.Generator) -> tuple[Pose, ...]:
    """Poses every half metre along the shortest ways between goals drawn at random."""
    nodes = {(round(p[0] / _GRID_M), round(p[2] / _GRID_M)): p for p in places}
    goals = [list(nodes)[int(i)] for i in rng.permutation(len(nodes))[:_GOALS]]
    every = max(1, round(_STEP_M / _GRID_M))
    poses = []
    at = goals[0]
    for goal in goals[1:]:
        way = _way(set(nodes), at, goal)
        if not way:
            continue
        for here, there in zip(way[:-1:every], [*way[every:-1:every], goal], strict=True):
            yaw = math.degrees(math.atan2(there[0] - here[0], there[1] - here[1])) % 360.0
            poses.append(Pose(*nodes[here], float(round(yaw) % 360), 0.0))
        at = goal
    return tuple(poses) or (Pose(*places[0], 0.0, 0.0),)


def _way(nodes: set[_Node], start: _Node, goal: _Node) -> list[_Node]:
    """Grid nodes from start to goal by the fewest steps; empty when there is no way."""
    before: dict[_Node, _Node] = {start: start}
    edge = deque([start])
    while edge and goal not in before:
        i, k = edge.popleft()
        for near in ((i + 1, k), (i - 1, k), (i, k + 1), (i, k - 1)):
            if near in nodes and near not in before:
                before[near] = (i, k)
                edge.append(near)
    if goal not in before or goal == start:
        return []
    way = [goal]
    while way[-1] != start:
        way.append(before[way[-1]])
    return way[::-1]
