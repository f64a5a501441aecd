"""How true a scene is to the metadata it was laid out from: what is drawn, how well it fills its box, what is seen.

Distances are in metres. Seen means: by an agent that stands where it can walk to and looks within its limits.
"""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from saom_player.navigation import Navigation
from saom_player.openness import with_openness
from saom_player.overlap import Floats, triangles_of
from saom_player.pictures import camera_of_agent
from saom_player.render.renderer import Renderer
from saom_player.scene import Scene, SceneObject, Vector
from saom_player.simulation import MAX_DOWN_DEG, MAX_UP_DEG, Agent

_VIEW_HW, _FOV_DEG = (200, 200), 90.0
_LEAST_PX = 12
_NEAREST_M, _FARTHEST_M = 0.4, 4.0
_TRIES_AN_OBJECT = 14
_GRID_M = 0.25
_TIGHT_FOV_DEG = 60.0


@dataclass(frozen=True)
class Fit:
    """One object's drawn geometry against its metadata's oriented box."""

    object_id: str
    object_type: str
    farthest_face_m: float
    """Between a face of the box and the same face of the box, along the same axes, around what is drawn."""
    center_m: float


@dataclass(frozen=True)
class Fidelity:
    """What was measured of one scene."""

    scene: str
    objects: int
    drawn: int
    fits: tuple[Fit, ...]
    types: frozenset[str]
    """The asked types that the scene's metadata has."""
    seen: frozenset[str]
    """Those of them that some reachable pose shows."""
    seen_opened: frozenset[str]
    """Those that one shows once all doors and drawers are open: what lies in a closed one is hidden in AI2-THOR too."""
    reachable: int

    @property
    def missing(self) -> tuple[str, ...]:
        """Types that no pose showed."""
        return tuple(sorted(self.types - self.seen - self.seen_opened))


def fidelity(scene: Scene, types: Collection[str]) -> Fidelity:
    """Measure a scene; ``types`` are those that shall be seen."""
    drawn = {name for name, instance in ((_name(i), i) for i in scene.instances()) if instance.parts}
    present = frozenset(thing.object_type for thing in scene.objects) & frozenset(types)
    navigation = Navigation(scene)
    seen = _seen(scene, present, navigation)
    hidden = present - seen
    return Fidelity(
        scene=scene.name,
        objects=len(scene.objects),
        drawn=sum(thing.object_id in drawn for thing in scene.objects),
        fits=tuple(fit for thing in scene.objects if thing.parts for fit in (_fit(thing),)),
        types=present,
        seen=seen,
        seen_opened=_seen(_all_open(scene), hidden, navigation) if hidden else frozenset(),
        reachable=len(navigation.reachable(_GRID_M)),
    )


def _name(instance: object) -> str:
    return instance.object_id if isinstance(instance, SceneObject) else str(getattr(instance, "name", ""))


def _all_open(scene: Scene) -> Scene:
    for thing in scene.objects:
        if "openable" in thing.flags and "isOpen" not in thing.flags:
            scene = with_openness(scene, thing.object_id, 1.0)
    return scene


def _fit(thing: SceneObject) -> Fit:
    axes, half = thing.box.axes(), np.array(thing.box.size) / 2
    corners = (triangles_of(thing.parts).reshape(-1, 3) - thing.box.center) @ axes
    low, high = corners.min(axis=0), corners.max(axis=0)
    farthest = max(np.abs(low + half).max(), np.abs(high - half).max())
    return Fit(thing.object_id, thing.object_type, float(farthest), float(np.linalg.norm((low + high) / 2)))


def _seen(scene: Scene, types: Collection[str], navigation: Navigation) -> frozenset[str]:
    """The types that poses near their objects show; whatever else is in the same picture is seen too."""
    renderer = Renderer(scene)
    kinds = [thing.object_type for thing in scene.objects]
    seen: set[str] = set()
    for thing in scene.objects:
        if thing.object_type not in types or thing.object_type in seen:
            continue
        for agent, fov_deg in looks_at(middle_of(thing), navigation):
            frame = renderer.render(camera_of_agent(agent, fov_deg), _VIEW_HW, rgb=False)
            counts = np.bincount(frame.instances.ravel(), minlength=len(kinds) + 1)[1 : len(kinds) + 1]
            seen |= {kinds[k] for k in np.flatnonzero(counts >= _LEAST_PX)}
            if thing.object_type in seen:
                break
    return frozenset(seen) & frozenset(types)


def middle_of(thing: SceneObject) -> Floats:
    """(3,) of what is drawn of an object, or of its box."""
    corners = triangles_of(thing.parts).reshape(-1, 3) if thing.parts else thing.box.corners()
    return np.asarray((corners.min(axis=0) + corners.max(axis=0)) / 2, np.float64)


def looks_at(
    target: Floats, navigation: Navigation, nearest_m: float = _NEAREST_M, tries: int = _TRIES_AN_OBJECT
) -> Iterator[tuple[Agent, float]]:
    """Agents that look at a point, with a field of view: nearest places first, standing and crouching in turn."""
    places = sorted(navigation.reachable(_GRID_M), key=lambda p: _away(p, target))
    usable = [p for p in places if nearest_m <= _away(p, target) <= _FARTHEST_M] or places[-tries:]
    # Every third or so, lest all tries come from one side.
    step = max(1, min(3, len(usable) // tries))
    for number, place in enumerate(usable[::step][:tries]):
        agent = Agent(place, standing=number % 3 != 2)
        x, y, z = (float(a - b) for a, b in zip(target, agent.camera_position, strict=True))
        down = math.degrees(math.atan2(-y, math.hypot(x, z)))
        yaw = math.degrees(math.atan2(x, z)) % 360.0
        horizon = min(max(down, -MAX_UP_DEG), MAX_DOWN_DEG)
        fov_deg = _TIGHT_FOV_DEG if _away(place, target) > 2 else _FOV_DEG
        yield Agent(place, yaw, horizon, agent.standing), fov_deg


def _away(place: Vector, target: Floats) -> float:
    return float(np.hypot(place[0] - target[0], place[2] - target[2]))
