"""The actions, by name. A handler's parameters are the action's: AI2-THOR's own names and defaults.

An action that is not here answers InvalidAction; nothing is accepted and then not done, except purely cosmetic options.
"""

import sys
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from saom_player.actions.agent import (
    crouch,
    get_reachable_positions,
    looker,
    mover,
    stand,
    teleport,
    teleport_full,
    turner,
)
from saom_player.actions.houses import HOUSE_ACTIONS
from saom_player.actions.objects import OBJECT_ACTIONS
from saom_player.actions.parts import PART_ACTIONS
from saom_player.actions.scenes import SCENE_ACTIONS
from saom_player.arguments import ActionError, Handler, PartialVector
from saom_player.metadata import bounds_metadata
from saom_player.simulation import (
    FAR_PLANE_M,
    MAX_SIDE_PX,
    NEAR_PLANE_M,
    PROCEDURAL,
    SCENE_SUFFIX,
    Settings,
    Simulation,
    ThirdPartyCamera,
    client_name,
)

_ORIGIN = (0.0, 0.0, 0.0)
_NOT_SIMULATED = "not simulated by the embedded player; AI2-THOR's own player has it"


def reset(sim: Simulation, sceneName: str | None = None) -> None:
    """Load a scene; the same one again without a name. "Procedural" is the empty one that CreateHouse fills."""
    name = sim.place.scene.name if sceneName is None else sceneName.removesuffix(SCENE_SUFFIX)
    if name == PROCEDURAL:
        sim.load_empty()
    else:
        sim.load(name)


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
    renderPartSegmentation: bool = False,
    fastActionEmit: bool = False,
    agentMode: str = "default",
    agentCount: int = 1,
    **others: object,
) -> dict[str, float]:
    """Set how the agent moves and what is rendered. As in AI2-THOR, unknown parameters are no error."""
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
        normals=renderNormalsImage,
        parts=renderPartSegmentation,
        fast_emit=fastActionEmit,
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


def change_fov(sim: Simulation, fieldOfView: float) -> None:
    """The agent's camera's, from top to bottom in degrees."""
    if not 0 < fieldOfView < 180:
        raise ActionError("fov must be set to (0, 180) noninclusive.")
    sim.settings = replace(sim.settings, fov_deg=fieldOfView)


def change_quality(sim: Simulation, quality: str) -> None:
    """Accepted for the client's sake: there is one quality."""


def do_nothing(sim: Simulation) -> None:
    """Pass, Done, NoOp."""


def get_scenes_in_build(sim: Simulation) -> list[str]:
    """The names that Reset takes."""
    return [client_name(name) for name in sim.source.names()]


def get_scene_bounds(sim: Simulation) -> dict[str, Any]:
    """The box around all there is."""
    bounds = sim.place.scene.bounds
    return bounds_metadata(bounds.center, bounds.size)


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
    "ChangeFOV": change_fov,
    "Pass": do_nothing,
    "Done": do_nothing,
    "NoOp": do_nothing,
    "MoveAhead": mover(0.0),
    "MoveRight": mover(90.0),
    "MoveBack": mover(180.0),
    "MoveLeft": mover(270.0),
    "RotateRight": turner(1.0),
    "RotateLeft": turner(-1.0),
    "LookUp": looker("LookUp", -1.0),
    "LookDown": looker("LookDown", 1.0),
    "Stand": stand,
    "Crouch": crouch,
    "GetReachablePositions": get_reachable_positions,
    "Teleport": teleport,
    "TeleportFull": teleport_full,
    "AddThirdPartyCamera": add_third_party_camera,
    "UpdateThirdPartyCamera": update_third_party_camera,
    "GetScenesInBuild": get_scenes_in_build,
    "GetSceneBounds": get_scene_bounds,
    **OBJECT_ACTIONS,
    **SCENE_ACTIONS,
    **PART_ACTIONS,
    **HOUSE_ACTIONS,
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
