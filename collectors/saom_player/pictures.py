"""Turns what the simulation shows into the protocol's picture fields: rows bottom-up, ids as AI2-THOR's colours.

Normals are as seen by the camera, x to its right, y up, z towards it, -1 to 1 spread over 0 to 255; nothing is black.

Frames are kept until the view changes, so actions that change nothing to see cost no rendering.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from saom_player.metadata import class_name, color_of, instance_name
from saom_player.protocol import Field, Picture
from saom_player.simulation import FAR_PLANE_M, Agent, Place, Renderer, Settings, Simulation, Size, ThirdPartyCamera

if TYPE_CHECKING:
    from saom_player.render.renderer import Camera, Frame

    _View = tuple[Camera, Size]

_AGENT_FIELDS = {
    "rgb": Field.RGB,
    "depth": Field.DEPTH,
    "normals": Field.NORMALS,
    "classes": Field.CLASSES,
    "ids": Field.IDS,
}
_CAMERA_FIELDS = {
    "rgb": Field.THIRD_PARTY_RGB,
    "depth": Field.THIRD_PARTY_DEPTH,
    "normals": Field.THIRD_PARTY_NORMALS,
    "classes": Field.THIRD_PARTY_CLASSES,
    "ids": Field.THIRD_PARTY_IDS,
}


@dataclass(frozen=True)
class Taken:
    """What one event shows."""

    pictures: list[Picture] = field(default_factory=list)
    """Third-party cameras' first."""
    visible: frozenset[int] = frozenset()
    """The objects (1-based) that count as visible."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """Pictures for which the protocol has no field."""


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

    def take(self, sim: Simulation, place: Place, instances: bool, rgb: bool) -> Taken:
        """All that an event shows. Without ``rgb`` there are no pictures.

        An object is visible when some pixel of the agent's camera shows a point of it that is, seen from above, no
        further away than the visibility distance.
        """
        self._used = {}
        pictures: list[Picture] = []
        extra = []
        for other in place.cameras if rgb else ():
            view = camera_of(other)
            extra.append(self._frame(view, sim, rgb))
            pictures += self._fields(extra[-1], view, sim.settings, instances, _CAMERA_FIELDS)
        camera = camera_of_agent(place.agent, sim.settings.fov_deg)
        frame = self._frame(camera, sim, rgb)
        if rgb:
            pictures += self._fields(frame, camera, sim.settings, instances, _AGENT_FIELDS)
        self._frames = self._used
        visible = visible_in(frame, camera, sim.settings.visibility_distance_m, self._objects)
        return Taken(pictures, frozenset(visible), part_metadata(frame, extra) if rgb and sim.settings.parts else {})

    def _frame(self, camera: "Camera", sim: Simulation, rgb: bool) -> "Frame":
        key = camera, sim.size_hw
        frame = self._used.get(key) or self._frames.get(key)
        normals = rgb and sim.settings.normals
        if frame is None or (rgb and frame.rgb is None) or (normals and frame.normals is None):
            frame = self._renderer.render(camera, sim.size_hw, rgb, normals)
        self._used[key] = frame
        return frame

    def _fields(
        self, frame: "Frame", camera: "Camera", settings: Settings, instances: bool, fields: dict[str, Field]
    ) -> list[Picture]:
        result: list[Picture] = []
        if frame.rgb is not None:
            result.append((fields["rgb"], _bottom_up(frame.rgb)))
        if settings.depth:
            result.append((fields["depth"], _bottom_up(np.minimum(frame.depth, np.float32(FAR_PLANE_M)))))
        if settings.normals and frame.normals is not None:
            result.append((fields["normals"], _bottom_up(_normal_colors(frame.normals, camera))))
        # As AI2-THOR, classes never come without ids.
        if instances or settings.classes:
            result.append((fields["ids"], _colored(self._id_colors, frame.instances)))
        if settings.classes:
            result.append((fields["classes"], _colored(self._class_colors, frame.instances)))
        return result


def part_metadata(frame: "Frame", extra: Sequence["Frame"]) -> dict[str, Any]:
    """Part images, the agent's and the third-party cameras', as metadata: shape, dtype and the bytes of an array.

    Row 0 is the top; 0 is nothing, other numbers are those of GetParts.
    """
    return {
        "partSegmentation": _array_metadata(frame.parts),
        "thirdPartyPartSegmentations": [_array_metadata(other.parts) for other in extra],
    }


def _array_metadata(parts: NDArray[np.int32]) -> dict[str, Any]:
    small = parts.astype("<u2" if parts.max(initial=0) < 2**16 else "<u4")
    return {"shape": list(small.shape), "dtype": small.dtype.str, "data": small.tobytes()}


def _normal_colors(normals: NDArray[np.float32], camera: "Camera") -> NDArray[np.uint8]:
    right, up, forward = camera.axes()
    seen = normals @ np.stack([right, up, -forward], axis=1)
    colors = np.round((seen + np.float32(1)) * np.float32(127.5)).astype(np.uint8)
    colors[~normals.any(axis=-1)] = 0
    return colors


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
