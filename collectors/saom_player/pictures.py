"""Turns what the simulation shows into the protocol's picture fields: rows bottom-up, ids as AI2-THOR's colours.

Frames are kept until the view changes, so actions that change nothing to see cost no rendering.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from saom_player.metadata import class_name, color_of, instance_name
from saom_player.protocol import Field, Picture
from saom_player.simulation import FAR_PLANE_M, Agent, Place, Renderer, Settings, Simulation, Size, ThirdPartyCamera

if TYPE_CHECKING:
    from saom_player.render.renderer import Camera, Frame

    _View = tuple[Camera, Size]

_AGENT_FIELDS = {"rgb": Field.RGB, "depth": Field.DEPTH, "classes": Field.CLASSES, "ids": Field.IDS}
_CAMERA_FIELDS = {
    "rgb": Field.THIRD_PARTY_RGB,
    "depth": Field.THIRD_PARTY_DEPTH,
    "classes": Field.THIRD_PARTY_CLASSES,
    "ids": Field.THIRD_PARTY_IDS,
}


class PictureMaker:
    """The pictures of one loaded scene."""

    def __init__(self, place: Place) -> None:
        instances = place.scene.instances()
        self._renderer: Renderer = place.renderer
        self._id_colors = _palette([instance_name(instance) for instance in instances])
        self._class_colors = _palette([class_name(instance) for instance in instances])
        self._objects = len(place.scene.objects)
        self._frames: dict[_View, Frame] = {}
        self._used: dict[_View, Frame] = {}

    def take(self, sim: Simulation, place: Place, instances: bool, rgb: bool) -> tuple[list[Picture], set[int]]:
        """All pictures of an event, third-party cameras first, and the objects (1-based) that count as visible.

        Without ``rgb`` there are no pictures. An object is visible when some pixel of the agent's camera shows a point
        of it that is, seen from above, no further away than the visibility distance.
        """
        self._used = {}
        pictures: list[Picture] = []
        if rgb:
            for extra in place.cameras:
                frame = self._frame(camera_of(extra), sim.size_hw, rgb)
                pictures += self._fields(frame, sim.settings, instances, _CAMERA_FIELDS)
        camera = camera_of_agent(place.agent, sim.settings.fov_deg)
        frame = self._frame(camera, sim.size_hw, rgb)
        if rgb:
            pictures += self._fields(frame, sim.settings, instances, _AGENT_FIELDS)
        self._frames = self._used
        return pictures, visible_in(frame, camera, sim.settings.visibility_distance_m, self._objects)

    def _frame(self, camera: "Camera", size_hw: Size, rgb: bool) -> "Frame":
        key = camera, size_hw
        frame = self._used.get(key) or self._frames.get(key)
        if frame is None or (rgb and frame.rgb is None):
            frame = self._renderer.render(camera, size_hw, rgb)
        self._used[key] = frame
        return frame

    def _fields(self, frame: "Frame", settings: Settings, instances: bool, fields: dict[str, Field]) -> list[Picture]:
        result: list[Picture] = []
        if frame.rgb is not None:
            result.append((fields["rgb"], _bottom_up(frame.rgb)))
        if settings.depth:
            result.append((fields["depth"], _bottom_up(np.minimum(frame.depth, np.float32(FAR_PLANE_M)))))
        # As AI2-THOR, classes never come without ids.
        if instances or settings.classes:
            result.append((fields["ids"], _colored(self._id_colors, frame.instances)))
        if settings.classes:
            result.append((fields["classes"], _colored(self._class_colors, frame.instances)))
        return result


def visible_in(frame: "Frame", camera: "Camera", distance_m: float, objects: int) -> set[int]:
    """The 1-based objects that count as visible in a frame, see ``PictureMaker.take``."""
    reach = _horizontal_reach(camera.horizon_deg, camera.fov_deg, frame.instances.shape)
    near = frame.instances[frame.depth * reach <= distance_m]
    counts = np.bincount(near, minlength=objects + 1)
    return set((np.flatnonzero(counts[1 : objects + 1]) + 1).tolist())


def camera_of_agent(agent: Agent, fov_deg: float) -> "Camera":
    """The agent's eye."""
    from saom_player.render.renderer import Camera

    return Camera(agent.camera_position, agent.yaw_deg, agent.horizon_deg, fov_deg)


def camera_of(camera: ThirdPartyCamera) -> "Camera":
    """A third-party camera's: Unity's Euler angles are pitch, yaw and roll."""
    from saom_player.render.renderer import Camera

    pitch_deg, yaw_deg, roll_deg = camera.rotation_deg
    return Camera(camera.position, yaw_deg, pitch_deg, camera.fov_deg, roll_deg)


@lru_cache(maxsize=2)
def _horizontal_reach(horizon_deg: float, fov_deg: float, size_hw: Size) -> NDArray[np.float32]:
    """(H, W) how far, seen from above, each pixel's ray gets in 1 m of depth."""
    height, width = size_hw
    slope = np.tan(np.radians(fov_deg) / 2) * 2 / height
    right = ((np.arange(width) + 0.5) - width / 2) * slope
    up = (height / 2 - (np.arange(height) + 0.5)) * slope
    ahead = np.cos(np.radians(horizon_deg)) + up * np.sin(np.radians(horizon_deg))
    return np.asarray(np.hypot(right[None, :], ahead[:, None]), np.float32)


def _palette(names: list[str]) -> NDArray[np.uint32]:
    """(N + 1,) opaque RGBA of instances by number, four bytes in one; nothing is black."""
    colors = np.array([(0, 0, 0, 255), *((*color_of(name), 255) for name in names)], np.uint8)
    return colors.view(np.uint32)[:, 0]


def _colored(palette: NDArray[np.uint32], instances: NDArray[np.int32]) -> memoryview:
    colors = palette.take(instances[::-1])
    return colors.view(np.uint8).reshape(*instances.shape, 4).data


def _bottom_up(image: NDArray[np.uint8] | NDArray[np.float32]) -> memoryview:
    return np.ascontiguousarray(image[::-1]).data
