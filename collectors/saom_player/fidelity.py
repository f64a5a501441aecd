"""How true a scene is to the metadata it was laid out from: what is drawn, how well it fills its box, what is seen.

Distances are in metres. Seen means: by an agent that stands where it can walk to and looks within its limits.
"""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np

from saom_player.coplanar import Coplanar, coplanar_faces
from saom_player.physics.navigation import Navigation
from saom_player.physics.openness import with_openness
from saom_player.physics.overlap import Floats, triangles_of
from saom_player.physics.support import Afloat, floating
from saom_player.pictures import camera_of_agent
from saom_player.render.renderer import Renderer
from saom_player.render.tracing import RayTracer
from saom_player.scene import Scene, SceneObject, Vector
from saom_player.simulation import MAX_DOWN_DEG, MAX_UP_DEG, Agent

_VIEW_HW, _FOV_DEG = (200, 200), 90.0
_LEAST_PX = 12
_NEAREST_M, _FARTHEST_M = 0.4, 4.0
_TRIES_AN_OBJECT = 14
_VIEWS_AN_OBJECT = 4
_POINTS_AN_OBJECT = 48
_OFF_SURFACE_M = 1e-3
_GRID_M = 0.25
_TIGHT_FOV_DEG = 60.0
# AI2-THOR's id pictures are drawn with one shader for all: what is behind glass has no mask there either.
_GLASS = frozenset({"ShowerGlass", "ShowerDoor", "Window"})


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
    behind_glass: frozenset[str]
    """Those that glass alone hides even then: in AI2-THOR's masks the glass stands in their place, too."""
    without_mesh: frozenset[str]
    """Those that nothing is drawn of: basins, which are places in a sink or bathtub in AI2-THOR, without a mesh."""
    afloat: tuple[Afloat, ...]
    """Objects with nothing under them, or that should be fixed to something and are not."""
    coplanar: tuple[Coplanar, ...]
    """Faces of different instances in one plane, where their ids are mixed."""
    reachable: int

    @property
    def missing(self) -> tuple[str, ...]:
        """Types that no pose showed, and that AI2-THOR would not hide."""
        known = self.seen | self.seen_opened | self.behind_glass | self.without_mesh
        return tuple(sorted(self.types - known))


def fidelity(scene: Scene, types: Collection[str]) -> Fidelity:
    """Measure a scene; ``types`` are those that shall be seen."""
    drawn = {name for name, instance in ((_name(i), i) for i in scene.instances()) if instance.parts}
    present = frozenset(thing.object_type for thing in scene.objects) & frozenset(types)
    navigation = Navigation(scene)
    shown = frozenset(thing.object_type for thing in scene.objects if thing.parts) & present
    reachable = navigation.reachable(_GRID_M)
    places = set(reachable)
    seen = _seen(scene, shown, places)
    opened = _all_open(scene) if shown - seen else scene
    # An open door may let an agent in, and stand in another's way that came before it was opened.
    places |= set(Navigation(opened).reachable(_GRID_M)) if shown - seen else set()
    seen_opened = _seen(opened, shown - seen, places)
    hidden = shown - seen - seen_opened
    return Fidelity(
        scene=scene.name,
        objects=len(scene.objects),
        drawn=sum(thing.object_id in drawn for thing in scene.objects),
        fits=tuple(fit for thing in scene.objects if thing.parts for fit in (_fit(thing),)),
        types=present,
        seen=seen,
        seen_opened=seen_opened,
        behind_glass=_seen(_without_glass(opened), hidden, places),
        without_mesh=present - shown,
        afloat=floating(scene),
        coplanar=coplanar_faces(scene, reachable),
        reachable=len(reachable),
    )


def _name(instance: object) -> str:
    return instance.object_id if isinstance(instance, SceneObject) else str(getattr(instance, "name", ""))


def _all_open(scene: Scene) -> Scene:
    for thing in scene.objects:
        if "openable" in thing.flags and "isOpen" not in thing.flags:
            scene = with_openness(scene, thing.object_id, 1.0)
    return scene


def _without_glass(scene: Scene) -> Scene:
    """The scene with nothing in the place of what is of glass; an agent that walks it still has to go round."""
    shown = (replace(thing, parts=()) if thing.object_type in _GLASS else thing for thing in scene.objects)
    return replace(scene, objects=tuple(shown))


def _fit(thing: SceneObject) -> Fit:
    axes, half = thing.box.axes(), np.array(thing.box.size) / 2
    corners = (triangles_of(thing.parts).reshape(-1, 3) - thing.box.center) @ axes
    low, high = corners.min(axis=0), corners.max(axis=0)
    farthest = max(np.abs(low + half).max(), np.abs(high - half).max())
    return Fit(thing.object_id, thing.object_type, float(farthest), float(np.linalg.norm((low + high) / 2)))


def _seen(scene: Scene, types: Collection[str], places: Collection[Vector]) -> frozenset[str]:
    """The types that the best poses for their objects show; whatever else is in the same picture is seen too."""
    if not types:
        return frozenset()
    renderer, sight = Renderer(scene), Sight(scene, places)
    kinds = [thing.object_type for thing in scene.objects]
    seen: set[str] = set()
    for thing in scene.objects:
        if thing.object_type not in types or thing.object_type in seen or not thing.parts:
            continue
        for agent in sight.best(thing, _VIEWS_AN_OBJECT):
            frame = renderer.render(camera_of_agent(agent, _fov_deg(agent, middle_of(thing))), _VIEW_HW, rgb=False)
            counts = np.bincount(frame.instances.ravel(), minlength=len(kinds) + 1)[1 : len(kinds) + 1]
            seen |= {kinds[k] for k in np.flatnonzero(counts >= _LEAST_PX)}
            if thing.object_type in seen:
                break
    return frozenset(seen) & frozenset(types)


class Sight:
    """Which places of a scene show most of an object: rays to points of its surface from every place there is."""

    def __init__(self, scene: Scene, places: Collection[Vector]) -> None:
        self._triangles = [triangles_of(instance.parts) for instance in scene.instances()]
        self._first = np.cumsum([0, *map(len, self._triangles)])
        self._row = {thing.object_id: row for row, thing in enumerate(scene.objects)}
        self._tracer = RayTracer(np.concatenate(self._triangles).astype(np.float32))
        self._agents = [Agent(place, standing=standing) for place in sorted(places) for standing in (True, False)]

    def best(self, thing: SceneObject, count: int) -> list[Agent]:
        """At most so many agents, those first that see most of an object that has parts; none that see nothing."""
        row, target = self._row[thing.object_id], middle_of(thing)
        points = _on_surface(self._triangles[row])
        near = [agent for agent in self._agents if _away(agent.position, target) <= _FARTHEST_M]
        if not near:
            return []
        eyes = np.array([agent.camera_position for agent in near])
        rays = (points[None] - eyes[:, None]).reshape(-1, 3).astype(np.float32)
        hits = self._tracer.nearest(np.repeat(eyes, len(points), axis=0).astype(np.float32), rays).triangle
        own = (hits >= self._first[row]) & (hits < self._first[row + 1])
        size = own.reshape(len(near), -1).mean(axis=1) / ((eyes - target) ** 2).sum(axis=1)
        order = [int(k) for k in np.argsort(-size, kind="stable")[:count] if size[k] > 0]
        return [_looking(near[k], target) for k in order]


def _on_surface(triangles: Floats) -> Floats:
    """(P, 3) points spread over (T, 3, 3) triangles by area, a hair in front of them."""
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    areas = np.linalg.norm(normals, axis=1)
    rng = np.random.default_rng(0)
    chosen = rng.choice(len(triangles), _POINTS_AN_OBJECT, p=areas / areas.sum())
    weights = rng.dirichlet((1.0, 1.0, 1.0), _POINTS_AN_OBJECT)
    away = normals[chosen] / np.maximum(areas[chosen, None], 1e-12)
    return np.asarray((triangles[chosen] * weights[..., None]).sum(axis=1) + _OFF_SURFACE_M * away, np.float64)


def _looking(agent: Agent, target: Floats) -> Agent:
    """The agent, turned to a point as far as it can."""
    x, y, z = (float(a - b) for a, b in zip(target, agent.camera_position, strict=True))
    down = math.degrees(math.atan2(-y, math.hypot(x, z)))
    yaw = math.degrees(math.atan2(x, z)) % 360.0
    return Agent(agent.position, yaw, min(max(down, -MAX_UP_DEG), MAX_DOWN_DEG), agent.standing)


def _fov_deg(agent: Agent, target: Floats) -> float:
    return _TIGHT_FOV_DEG if _away(agent.position, target) > 2 else _FOV_DEG


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
        agent = _looking(Agent(place, standing=number % 3 != 2), target)
        yield agent, _fov_deg(agent, target)


def _away(place: Vector, target: Floats) -> float:
    return float(np.hypot(place[0] - target[0], place[2] - target[2]))
