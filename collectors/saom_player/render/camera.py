"""A pinhole camera in AI2-THOR's frame: left-handed, y up, yaw clockwise from +z, horizon positive looks down."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saom_player.render.tracing import Floats
from saom_player.scene import Vector


@dataclass(frozen=True)
class Camera:
    """Position in metres, angles in degrees; ``fov_deg`` is vertical. Positive roll lifts the picture's right side."""

    position: Vector
    yaw_deg: float
    horizon_deg: float
    fov_deg: float
    roll_deg: float = 0.0

    def axes(self) -> tuple[Floats, Floats, Floats]:
        """Unit vectors right, up, forward of the picture in the world."""
        yaw, horizon, roll = np.radians([self.yaw_deg, self.horizon_deg, self.roll_deg])
        right = np.array([np.cos(yaw), 0.0, -np.sin(yaw)])
        forward = np.array([np.sin(yaw) * np.cos(horizon), -np.sin(horizon), np.cos(yaw) * np.cos(horizon)])
        up = np.array([np.sin(yaw) * np.sin(horizon), np.cos(horizon), np.cos(yaw) * np.sin(horizon)])
        rolled_right = right * np.cos(roll) + up * np.sin(roll)
        rolled_up = up * np.cos(roll) - right * np.sin(roll)
        return rolled_right.astype(np.float32), rolled_up.astype(np.float32), forward.astype(np.float32)


class PixelRays:
    """Rays through a picture's pixels. Directions have length 1 along the view axis, so that t is the depth."""

    def __init__(self, camera: Camera, size_hw: tuple[int, int]) -> None:
        self.height, self.width = size_hw
        self.origin = np.array(camera.position, np.float32)
        self._right, self._up, self._forward = camera.axes()
        self._slope = np.float32(np.tan(np.radians(camera.fov_deg) / 2))
        self.radians_per_pixel = float(2 * self._slope / self.height)

    def through(self, x_px: Floats, y_px: Floats) -> Floats:
        """(3, ...) directions through points of the picture in pixels; a pixel's centre is at + 0.5.

        Columns ``x_px`` and rows ``y_px`` may be of any shapes that broadcast.
        """
        scale = self._slope * np.float32(2 / self.height)
        right = (np.asarray(x_px, np.float32) - np.float32(self.width / 2)) * scale
        up = (np.float32(self.height / 2) - np.asarray(y_px, np.float32)) * scale
        directions = np.empty((3, *np.broadcast_shapes(right.shape, up.shape)), np.float32)
        for k in range(3):
            np.add(self._forward[k] + right * self._right[k], up * self._up[k], out=directions[k])
        return directions

    def rows(self, start: int, stop: int) -> Floats:
        """(3, (stop - start) * width) directions through the centres of whole rows."""
        half = np.float32(0.5)
        y, x = np.arange(start, stop, dtype=np.float32)[:, None], np.arange(self.width, dtype=np.float32)
        return self.through(x + half, y + half).reshape(3, -1)

    def pixels(self, index: NDArray[np.intp]) -> Floats:
        """(3, n) directions through the centres of pixels, numbered row by row."""
        half = np.float32(0.5)
        y, x = np.divmod(index, self.width)
        return self.through(x.astype(np.float32) + half, y.astype(np.float32) + half)
