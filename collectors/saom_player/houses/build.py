"""From a ProcTHOR house to a scene: what AI2-THOR's CreateHouse makes of the same JSON, from parametric parts."""

from typing import Any

import numpy as np

from saom_player.arguments import ActionError
from saom_player.houses.items import house_objects
from saom_player.houses.shell import ceiling_y, floor_y, lamps, shell, sun, window_opening
from saom_player.houses.walls import wall_frames
from saom_player.physics.occupancy import AGENT_CENTER_M
from saom_player.rooms.lights import lamps_of
from saom_player.scene import Box, Scene, Vector
from saom_player.simulation import PROCEDURAL
from saom_scenes.houses.model import House, HouseError
from saom_scenes.houses.plan import area_of, centroid
from saom_scenes.houses.reading import read_house


def load_house(data: dict[str, Any]) -> Scene:
    """The scene of a house of schema 1.0.0. Raises ActionError, with AI2-THOR's kind of message, for any other."""
    try:
        return house_scene(read_house(data))
    except HouseError as error:
        raise ActionError(f"Exception creating house.\n'{error}'") from error


def house_scene(house: House) -> Scene:
    """The scene of a house. The same house gives the same scene, whatever else the player has shown."""
    frames, floor = wall_frames(house), floor_y(house)
    windows = [opening for window in house.windows if (opening := window_opening(window, frames)) is not None]
    objects = house_objects(house, frames, floor)
    return Scene(
        name=PROCEDURAL,
        objects=tuple(objects),
        structures=tuple(shell(house, frames)),
        lamps=(*lamps(house), *lamps_of(objects)),
        windows=tuple(windows),
        sun=sun(house, windows),
        bounds=_bounds(house, floor),
        agent_position=_start(house, floor),
        agent_yaw_deg=house.start.yaw_deg if house.start else 0.0,
    )


def _bounds(house: House, floor: float) -> Box:
    corners = np.array([corner for room in house.rooms for corner in room.outline])
    (x0, z0), (x1, z1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    height = max(ceiling_y(house, room) for room in house.rooms) - floor
    return Box(((x0 + x1) / 2, floor + height / 2, (z0 + z1) / 2), (x1 - x0, height, z1 - z0))


def _start(house: House, floor: float) -> Vector:
    if house.start is not None:
        x, _, z = house.start.position
    else:
        x, z = centroid(max(house.rooms, key=lambda room: area_of(room.outline)).outline)
    return x, floor + AGENT_CENTER_M, z
