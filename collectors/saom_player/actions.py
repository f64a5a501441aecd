"""The actions, by name. A handler's parameters are the action's: AI2-THOR's own names and defaults.

An action that is not here answers InvalidAction; nothing is accepted and then not done, except purely cosmetic options.
"""

import math
import sys
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from saom_player.arguments import ActionError, Handler, PartialVector
from saom_player.metadata import bounds_metadata, vector_metadata
from saom_player.scene import Vector
from saom_player.simulation import (
    FAR_PLANE_M,
    MAX_DOWN_DEG,
    MAX_SIDE_PX,
    MAX_UP_DEG,
    NEAR_PLANE_M,
    SCENE_SUFFIX,
    Agent,
    Settings,
    Simulation,
    ThirdPartyCamera,
)

_FLOOR_TOLERANCE_M = 0.05
_ANGLE_TOLERANCE_DEG = 1e-3
_ORIGIN = (0.0, 0.0, 0.0)
_NOT_SIMULATED = "not simulated by the embedded player; AI2-THOR's own player has it"
_HOUSES = f"a ProcTHOR house is {_NOT_SIMULATED}"


def reset(sim: Simulation, sceneName: str | None = None) -> None:
    """Load a scene; the same one again without a name."""
    if sceneName == "Procedural":
        sim.unload(_HOUSES)
        raise ActionError(_HOUSES)
    sim.load(sim.place.scene.name if sceneName is None else sceneName.removesuffix(SCENE_SUFFIX))


def initialize(
    sim: Simulation,
    gridSize: float = 0.25,
    snapToGrid: bool = True,
    fieldOfView: float = 0.0,
    visibilityDistance: float = 0.0,
    rotateStepDegrees: float = 90.0,
    renderDepthImage: bool = False,
    renderInstanceSegmentation: bool = False,
    renderSemanticSegmentation: bool = False,
    renderNormalsImage: bool = False,
    renderFlowImage: bool = False,
    agentMode: str = "default",
    agentCount: int = 1,
    **others: object,
) -> dict[str, float]:
    """Set how the agent moves and what is rendered. As in AI2-THOR, unknown parameters are no error."""
    _refuse("renderNormalsImage", renderNormalsImage)
    _refuse("renderFlowImage", renderFlowImage)
    _refuse(f"agentMode {agentMode!r}", agentMode.lower() != "default")
    _refuse(f"agentCount {agentCount}", agentCount != 1)
    if not 0 < gridSize <= 5:
        raise ActionError("grid size must be in the range (0,5]")
    if not 0 <= fieldOfView < 180:
        raise ActionError("fov must be set to (0, 180) noninclusive.")
    if visibilityDistance < 0 or rotateStepDegrees <= 0:
        raise ActionError("visibilityDistance must not be negative, and rotateStepDegrees must be above 0")
    place = sim.place
    if others:
        print(f"Initialize: parameters without effect here: {', '.join(sorted(others))}", file=sys.stderr, flush=True)
    defaults = Settings()
    sim.settings = Settings(
        grid_size_m=gridSize,
        snap_to_grid=snapToGrid,
        fov_deg=fieldOfView or defaults.fov_deg,
        visibility_distance_m=visibilityDistance or defaults.visibility_distance_m,
        rotate_step_deg=rotateStepDegrees,
        depth=renderDepthImage,
        instances=renderInstanceSegmentation,
        classes=renderSemanticSegmentation,
    )
    sim.initialized = True
    x, _, z = sim.agent.position
    if place.navigation.fits(sim.snapped(x), sim.snapped(z)):
        sim.stand_at(sim.snapped(x), sim.snapped(z))
    return {"cameraNearPlane": NEAR_PLANE_M, "cameraFarPlane": FAR_PLANE_M}


def change_resolution(sim: Simulation, x: int, y: int) -> None:
    """Picture width and height in pixels."""
    if not (1 <= x <= MAX_SIDE_PX and 1 <= y <= MAX_SIDE_PX):
        raise ActionError(f"resolution {x}x{y} is out of range: 1 to {MAX_SIDE_PX} pixels a side", "InvalidArgument")
    sim.size_hw = (y, x)


def change_quality(sim: Simulation, quality: str) -> None:
    """Accepted for the client's sake: there is one quality."""


def do_nothing(sim: Simulation) -> None:
    """Pass, Done, NoOp."""


def get_scenes_in_build(sim: Simulation) -> list[str]:
    """The names that Reset takes."""
    return [name + SCENE_SUFFIX for name in sim.source.names()]


def get_scene_bounds(sim: Simulation) -> dict[str, Any]:
    """The box around all there is."""
    bounds = sim.place.scene.bounds
    return bounds_metadata(bounds.center, bounds.size)


def create_house(sim: Simulation, house: dict[str, Any]) -> None:
    """ProcTHOR houses are not simulated yet."""
    raise ActionError(_HOUSES)


def _mover(angle_deg: float) -> Handler:
    def move(
        sim: Simulation,
        moveMagnitude: float | None = None,
        forceAction: bool = False,
        manualInteract: bool = False,
        allowAgentsToIntersect: bool = False,
    ) -> None:
        _walk(sim, angle_deg, moveMagnitude or sim.settings.grid_size_m, forceAction)

    return move


def _walk(sim: Simulation, angle_deg: float, magnitude_m: float, force: bool) -> None:
    navigation = sim.place.navigation
    heading = math.radians(sim.agent.yaw_deg + angle_deg)
    x, y, z = sim.agent.position
    to_x = sim.snapped(x + magnitude_m * math.sin(heading))
    to_z = sim.snapped(z + magnitude_m * math.cos(heading))
    blocker = None if force else navigation.obstacle((x, y, z), (to_x, y, to_z))
    if blocker is not None:
        offset = f"({to_x - x:.4f}, 0.0000, {to_z - z:.4f})"
        raise ActionError(f"{blocker} is blocking Agent 0 from moving by {offset}.")
    sim.stand_at(to_x, to_z)


def _turner(sign: float) -> Handler:
    def rotate(
        sim: Simulation,
        degrees: float | None = None,
        manualInteract: bool = False,
        forceAction: bool = False,
        speed: float = 1.0,
        waitForFixedUpdate: bool = False,
        returnToStart: bool = True,
        disableRendering: bool = True,
        fixedDeltaTime: float = 0.02,
    ) -> None:
        by_deg = sign * (sim.settings.rotate_step_deg if degrees is None else degrees)
        sim.agent = replace(sim.agent, yaw_deg=(sim.agent.yaw_deg + by_deg) % 360.0)

    return rotate


def _looker(name: str, sign: float) -> Handler:
    def look(sim: Simulation, degrees: float = 30.0, manualInteract: bool = False, forceAction: bool = False) -> None:
        if degrees < 0:
            raise ActionError(f"{name} action requires positive degree value. Invalid value used: {degrees}")
        horizon_deg = sim.agent.horizon_deg + sign * (degrees or 30.0)
        if horizon_deg < -MAX_UP_DEG - _ANGLE_TOLERANCE_DEG:
            message = f"can't look up beyond {MAX_UP_DEG:g} degrees above the forward horizon"
            raise ActionError(message, "LookUpCantExceedMax")
        if horizon_deg > MAX_DOWN_DEG + _ANGLE_TOLERANCE_DEG:
            message = f"can't look down beyond {MAX_DOWN_DEG:g} degrees below the forward horizon"
            raise ActionError(message, "LookDownCantExceedMin")
        sim.agent = replace(sim.agent, horizon_deg=horizon_deg)

    return look


def stand(sim: Simulation) -> None:
    """Straighten up."""
    if sim.agent.standing:
        raise ActionError("already standing")
    sim.agent = replace(sim.agent, standing=True)


def crouch(sim: Simulation) -> None:
    """Lower the camera."""
    if not sim.agent.standing:
        raise ActionError("already crouching")
    sim.agent = replace(sim.agent, standing=False)


def get_reachable_positions(sim: Simulation, gridSize: float | None = None) -> list[dict[str, float]]:
    """Grid positions that can be walked to, sorted by x, then z."""
    grid_size_m = sim.settings.grid_size_m if gridSize is None else gridSize
    if not 0 < grid_size_m <= 5:
        raise ActionError("grid size must be in the range (0,5]")
    try:
        return [vector_metadata(position) for position in sim.place.navigation.reachable(grid_size_m)]
    except ValueError as error:
        raise ActionError(str(error)) from error


def teleport(
    sim: Simulation,
    position: PartialVector | None = None,
    rotation: PartialVector | None = None,
    horizon: float | None = None,
    standing: bool | None = None,
    forceAction: bool = False,
    x: float | None = None,
    y: float | None = None,
    z: float | None = None,
) -> None:
    """Put the agent somewhere; what is not given stays."""
    agent = sim.agent
    target = (position or PartialVector(x, y, z)).over(agent.position)
    turned = (rotation or PartialVector()).over((0.0, agent.yaw_deg, 0.0))
    _place_agent(
        sim,
        target,
        turned,
        agent.horizon_deg if horizon is None else horizon,
        agent.standing if standing is None else standing,
        forceAction,
    )


def teleport_full(
    sim: Simulation,
    rotation: PartialVector,
    horizon: float,
    standing: bool,
    position: PartialVector | None = None,
    forceAction: bool = False,
    x: float | None = None,
    y: float | None = None,
    z: float | None = None,
) -> None:
    """Put the agent into a complete pose."""
    given = position or PartialVector(x, y, z)
    if None in (given.x, given.y, given.z):
        message = "action: TeleportFull is missing the following arguments: position (with x, y and z)"
        raise ActionError(message, "MissingArguments")
    _place_agent(sim, given.over(_ORIGIN), rotation.over(_ORIGIN), horizon, standing, forceAction)


def _place_agent(
    sim: Simulation, position: Vector, rotation_deg: Vector, horizon_deg: float, standing: bool, force: bool
) -> None:
    place = sim.place
    if not force:
        if abs(rotation_deg[0]) > _ANGLE_TOLERANCE_DEG or abs(rotation_deg[2]) > _ANGLE_TOLERANCE_DEG:
            raise ActionError(f"No dimension of rotation other than y can be non-zero. You gave {rotation_deg}.")
        if not -MAX_UP_DEG - _ANGLE_TOLERANCE_DEG <= horizon_deg <= MAX_DOWN_DEG + _ANGLE_TOLERANCE_DEG:
            limits = f"[{-MAX_UP_DEG:g}:{MAX_DOWN_DEG:g}]"
            raise ActionError(f"Each horizon must be in {limits}. You gave {horizon_deg:g}.")
        floor_y = place.scene.agent_position[1]
        if abs(position[1] - floor_y) > _FLOOR_TOLERANCE_M:
            raise ActionError(
                f"the agent cannot stand at y={position[1]:.4f}: on this floor it stands at y={floor_y:.4f}. "
                "Use forceAction=True to teleport anyway."
            )
        if not place.navigation.fits(position[0], position[2]):
            blocker = place.navigation.blocker(position[0], position[2])
            at = f"({position[0]:.4f}, {position[1]:.4f}, {position[2]:.4f})"
            raise ActionError(f"{blocker} is blocking Agent 0 from teleporting to {at}.")
        position = (position[0], floor_y, position[2])
    sim.agent = Agent(position, rotation_deg[1] % 360.0, horizon_deg, standing)


def add_third_party_camera(
    sim: Simulation,
    position: PartialVector,
    rotation: PartialVector,
    fieldOfView: float = 90.0,
    skyboxColor: str | None = None,
    orthographic: bool = False,
    orthographicSize: float | None = None,
    nearClippingPlane: float | None = None,
    farClippingPlane: float | None = None,
    antiAliasing: str = "none",
) -> None:
    """Add a camera, seen in every event from now on until the next reset."""
    _check_camera(fieldOfView, orthographic, orthographicSize, nearClippingPlane)
    camera = ThirdPartyCamera(position.over(_ORIGIN), rotation.over(_ORIGIN), fieldOfView)
    sim.place.cameras.append(camera)


def update_third_party_camera(
    sim: Simulation,
    thirdPartyCameraId: int = 0,
    position: PartialVector | None = None,
    rotation: PartialVector | None = None,
    fieldOfView: float | None = None,
    skyboxColor: str | None = None,
    orthographic: bool = False,
    orthographicSize: float | None = None,
    nearClippingPlane: float | None = None,
    farClippingPlane: float | None = None,
) -> None:
    """Move or turn a camera; what is not given stays."""
    cameras = sim.place.cameras
    if not 0 <= thirdPartyCameraId < len(cameras):
        raise ActionError(
            f"thirdPartyCameraId: {thirdPartyCameraId} (int: default=0) must in "
            f"0 <= thirdPartyCameraId < len(thirdPartyCameras)={len(cameras)}."
        )
    old = cameras[thirdPartyCameraId]
    fov_deg = old.fov_deg if fieldOfView is None else fieldOfView
    _check_camera(fov_deg, orthographic, orthographicSize, nearClippingPlane)
    cameras[thirdPartyCameraId] = ThirdPartyCamera(
        (position or PartialVector()).over(old.position),
        (rotation or PartialVector()).over(old.rotation_deg),
        fov_deg,
    )


def _check_camera(
    fov_deg: float, orthographic: bool, orthographic_size: float | None, near_plane: float | None
) -> None:
    if not 0 < fov_deg < 180:
        raise ActionError(f"fieldOfView: {fov_deg:g} must be in 0 < fieldOfView < 180.")
    _refuse("an orthographic camera", orthographic or orthographic_size is not None)
    _refuse(f"nearClippingPlane {near_plane}", near_plane is not None and near_plane > NEAR_PLANE_M)


def _refuse(what: str, asked: bool) -> None:
    if asked:
        raise ActionError(f"{what} is {_NOT_SIMULATED}")


ACTIONS: dict[str, Handler] = {
    "Reset": reset,
    "Initialize": initialize,
    "ChangeResolution": change_resolution,
    "ChangeQuality": change_quality,
    "Pass": do_nothing,
    "Done": do_nothing,
    "NoOp": do_nothing,
    "MoveAhead": _mover(0.0),
    "MoveRight": _mover(90.0),
    "MoveBack": _mover(180.0),
    "MoveLeft": _mover(270.0),
    "RotateRight": _turner(1.0),
    "RotateLeft": _turner(-1.0),
    "LookUp": _looker("LookUp", -1.0),
    "LookDown": _looker("LookDown", 1.0),
    "Stand": stand,
    "Crouch": crouch,
    "GetReachablePositions": get_reachable_positions,
    "Teleport": teleport,
    "TeleportFull": teleport_full,
    "AddThirdPartyCamera": add_third_party_camera,
    "UpdateThirdPartyCamera": update_third_party_camera,
    "GetScenesInBuild": get_scenes_in_build,
    "GetSceneBounds": get_scene_bounds,
    "CreateHouse": create_house,
}


def handler_of(action: str) -> Handler:
    """The handler of an action. Raises ActionError (InvalidAction) with the nearest name there is."""
    if action not in ACTIONS:
        near = get_close_matches(action, ACTIONS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ActionError(
            f"Invalid action: {action:.100}{hint} The embedded player simulates: {', '.join(ACTIONS)}", "InvalidAction"
        )
    return ACTIONS[action]
