"""Handlers of the actions that move the agent: walking, turning, looking, teleporting, and where it can go."""

import math
from dataclasses import replace

from saom_player.arguments import ActionError, Handler, PartialVector
from saom_player.metadata import vector_metadata
from saom_player.scene import Vector
from saom_player.simulation import MAX_DOWN_DEG, MAX_UP_DEG, Agent, Simulation

_FLOOR_TOLERANCE_M = 0.05
_ANGLE_TOLERANCE_DEG = 1e-3
_ORIGIN = (0.0, 0.0, 0.0)


def mover(angle_deg: float) -> Handler:
    """Walk at an angle to the heading, clockwise in degrees."""

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


def turner(sign: float) -> Handler:
    """Turn; positive is to the right."""

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


def looker(name: str, sign: float) -> Handler:
    """Tilt the camera; positive is down."""

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
