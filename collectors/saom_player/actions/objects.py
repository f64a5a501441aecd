"""Actions on single objects: opening and closing them, switching them on and off."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from saom_player.arguments import ActionError, Handler
from saom_player.physics.occupancy import AGENT_CENTER_M, AGENT_HEIGHT_M, AGENT_RADIUS_M, STEP_M
from saom_player.physics.openness import opened, openness_of, with_openness, with_toggle
from saom_player.pictures import camera_of_agent, visible_in
from saom_player.scene import SceneObject
from saom_player.shapes.mesh import Part
from saom_player.simulation import Simulation

_LOOKS_ON_THE_WAY = 4
_ONLY_CLOSED = {"Microwave"}
"""What AI2-THOR opens only when it is off, and switches on only when it is closed."""


def open_object(
    sim: Simulation,
    objectId: str | None = None,
    x: float | None = None,
    y: float | None = None,
    openness: float = 1.0,
    forceAction: bool = False,
    forceVisible: bool = False,
    moveMagnitude: float | None = None,
    returnToStart: bool = True,
    ignoreAgentInTransition: bool = False,
    stopAtNonStaticCol: bool = False,
    physicsInterval: float | None = None,
    simplifyPhysics: bool = False,
) -> None:
    """Open an object so far; moveMagnitude is openness' old name, where 0 was all the way."""
    if moveMagnitude is not None:
        openness = moveMagnitude or 1.0
    force = forceAction or forceVisible
    target = _target(sim, "OpenObject", objectId, x, y, force)
    _open(sim, target, openness, force, ignoreAgentInTransition)


def close_object(
    sim: Simulation,
    objectId: str | None = None,
    x: float | None = None,
    y: float | None = None,
    forceAction: bool = False,
    forceVisible: bool = False,
) -> None:
    """Close an object; as in AI2-THOR, closing a closed one succeeds."""
    force = forceAction or forceVisible
    _open(sim, _target(sim, "CloseObject", objectId, x, y, force), 0.0, force, False)


def _open(sim: Simulation, target: SceneObject, openness: float, force: bool, through_agent: bool) -> None:
    if not 0 <= openness <= 1:
        raise ActionError("openness must be in [0:1]")
    if "openable" not in target.flags:
        raise ActionError(f"{target.object_id} is not an Openable object")
    if target.object_type in _ONLY_CLOSED and "isToggled" in target.flags:
        raise ActionError("Target must be OFF to open!")
    if not (force or through_agent) and _hits_agent(sim, target, openness):
        raise ActionError("Openable object collided with FPSController")
    sim.change(with_openness(sim.place.scene, target.object_id, openness))


def toggler(name: str, on: bool) -> Handler:
    """Switch an object on or off."""

    def toggle(
        sim: Simulation,
        objectId: str | None = None,
        x: float | None = None,
        y: float | None = None,
        forceAction: bool = False,
        forceVisible: bool = False,
    ) -> None:
        target = _target(sim, name, objectId, x, y, forceAction or forceVisible)
        if "toggleable" not in target.flags:
            raise ActionError("object is not toggleable.")
        if ("isToggled" in target.flags) == on:
            raise ActionError(f"can't toggle object {'on' if on else 'off'} if it's already {'on' if on else 'off'}!")
        if on and target.object_type in _ONLY_CLOSED and "isOpen" in target.flags:
            raise ActionError("Target must be closed to Toggle On!")
        if on and "isBroken" in target.flags:
            raise ActionError("Target is broken and cannot be Toggled On!")
        sim.change(with_toggle(sim.place.scene, target.object_id, on))

    return toggle


def _target(
    sim: Simulation, action: str, object_id: str | None, x: float | None, y: float | None, force: bool
) -> SceneObject:
    """The object that an action names, by id or as what is seen at x, y (0..1 from the top left)."""
    if object_id is not None:
        return _by_id(sim, object_id, force)
    missing = [name for name, value in (("x", x), ("y", y)) if value is None]
    if x is None or y is None:
        named = "objectId" if len(missing) == 2 else ",".join(missing)
        raise ActionError(f"action: {action} is missing the following arguments: {named}", "MissingArguments")
    return _at_screen(sim, x, y, force)


def _by_id(sim: Simulation, object_id: str, force: bool) -> SceneObject:
    objects = sim.place.scene.objects
    number = next((k for k, thing in enumerate(objects, 1) if thing.object_id == object_id), None)
    if number is None:
        raise ActionError(
            f"ArgumentException: objectId: {object_id:.200} is not the objectId on any object in the scene!"
        )
    if not force and number not in _visible(sim):
        raise ActionError("NullReferenceException: Target object not found within the specified visibility.")
    return objects[number - 1]


def _at_screen(sim: Simulation, x: float, y: float, force: bool) -> SceneObject:
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise ActionError("ArgumentOutOfRangeException: x/y must be in [0:1]")
    place = sim.place
    frame = place.renderer.render(camera_of_agent(place.agent, sim.settings.fov_deg), sim.size_hw, rgb=False)
    height, width = sim.size_hw
    number = int(frame.instances[min(int(y * height), height - 1), min(int(x * width), width - 1)])
    if not 1 <= number <= len(place.scene.objects):
        raise ActionError(f"InvalidOperationException: No SimObject found at (x: {x}, y: {y})")
    target = place.scene.objects[number - 1]
    if not force and number not in _visible(sim):
        raise ActionError(
            f"InvalidOperationException: Target sim object: ({target.object_id}) at screen coordinate: ({x}, {y}) "
            f"is beyond your visibilityDistance: {sim.settings.visibility_distance_m:g}!"
        )
    return target


def _visible(sim: Simulation) -> set[int]:
    """The 1-based objects that the agent sees within its visibility distance."""
    camera = camera_of_agent(sim.agent, sim.settings.fov_deg)
    frame = sim.place.renderer.render(camera, sim.size_hw, rgb=False)
    return visible_in(frame, camera, sim.settings.visibility_distance_m, len(sim.place.scene.objects))


def _hits_agent(sim: Simulation, target: SceneObject, openness: float) -> bool:
    """Whether what moves of an object comes to where the agent stands, on the way or at the end of it."""
    start = openness_of(target)
    before = {part.name: part.mesh.positions for part in target.parts}
    for share in np.linspace(0.0, 1.0, _LOOKS_ON_THE_WAY + 1)[1:]:
        parts = opened(target, float(start + share * (openness - start))).parts
        moved = [p for p in parts if p.name not in before or not np.array_equal(p.mesh.positions, before[p.name])]
        if _within_agent(sim, moved):
            return True
    return False


def _within_agent(sim: Simulation, parts: Sequence[Part]) -> bool:
    """Whether parts reach into the cylinder that the agent fills."""
    if not parts:
        return False
    x, y, z = sim.agent.position
    floor_y = y - AGENT_CENTER_M
    corners = np.concatenate([part.mesh.positions for part in parts]).astype(np.float64)
    height = corners[:, :, 1]
    near = corners[(height.max(axis=1) > floor_y + STEP_M) & (height.min(axis=1) < floor_y + AGENT_HEIGHT_M)]
    if not len(near):
        return False
    return bool(_distance(near[:, :, [0, 2]] - (x, z)).min() < AGENT_RADIUS_M)


def _distance(triangles: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T,) distances of flat triangles (T, 3, 2) from the origin."""
    start, edge = triangles, np.roll(triangles, -1, axis=1) - triangles
    along = -(start * edge).sum(-1) / np.maximum((edge**2).sum(-1), 1e-12)
    nearest = start + np.clip(along, 0.0, 1.0)[..., None] * edge
    side = edge[..., 0] * -start[..., 1] + edge[..., 1] * start[..., 0]
    inside = (side > 0).all(axis=1) | (side < 0).all(axis=1)
    return np.where(inside, 0.0, np.linalg.norm(nearest, axis=-1).min(axis=1))


OBJECT_ACTIONS: dict[str, Handler] = {
    "OpenObject": open_object,
    "CloseObject": close_object,
    "ToggleObjectOn": toggler("ToggleObjectOn", True),
    "ToggleObjectOff": toggler("ToggleObjectOff", False),
}
