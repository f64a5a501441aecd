"""Cameras for tests that cast the embedded player's rays in a cylinder's or a sphere's own geometry: what a panorama
ought to show. Their arithmetic is their own, not that of the lenses they judge."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

import numpy as np

from saom_player.render import renderer as player_renderer
from saom_player.render.camera import Camera
from saom_player.render.renderer import Frame, Renderer


@dataclass
class RoundRays:
    """Stands in for the player's PixelRays; ``t`` counts horizontally on a cylinder, along the ray on a sphere."""

    camera: Camera
    size_hw: tuple[int, int]
    is_sphere: bool = False
    hfov_deg: float = 360.0

    def __post_init__(self) -> None:
        self.height, self.width = self.size_hw
        self.origin = np.array(self.camera.position, np.float32)
        self.radians_per_pixel = float(np.radians(self.hfov_deg) / self.width)

    def through(self, x_px: np.ndarray, y_px: np.ndarray) -> np.ndarray:
        turn = (np.asarray(x_px, np.float64) / self.width - 0.5) * np.radians(self.hfov_deg)
        yaw = turn + np.radians(self.camera.yaw_deg)
        up = (0.5 - np.asarray(y_px, np.float64) / self.height) * self.height * self.radians_per_pixel
        if self.is_sphere:
            return np.stack([np.sin(yaw) * np.cos(up), np.sin(up), np.cos(yaw) * np.cos(up)]).astype(np.float32)
        return np.stack([np.sin(yaw), up, np.cos(yaw)]).astype(np.float32)

    def rows(self, start: int, stop: int) -> np.ndarray:
        y, x = np.mgrid[start:stop, : self.width]
        return self.through(x.ravel() + 0.5, y.ravel() + 0.5)

    def pixels(self, index: np.ndarray) -> np.ndarray:
        y, x = np.divmod(index, self.width)
        return self.through(x + 0.5, y + 0.5)

    def lengths(self) -> np.ndarray:
        """(H, W) length of each pixel's direction: metres along the ray for each of ``t``."""
        return np.linalg.norm(self.rows(0, self.height), axis=0).reshape(self.size_hw)


@contextmanager
def _round(is_sphere: bool, hfov_deg: float) -> Iterator[None]:
    def rays(camera: Camera, size_hw: tuple[int, int]) -> RoundRays:
        return RoundRays(camera, size_hw, is_sphere, hfov_deg)

    with patch.object(player_renderer, "PixelRays", rays):
        yield


def direct(
    renderer: Renderer,
    position: tuple[float, float, float],
    yaw_deg: float,
    size_hw: tuple[int, int],
    is_sphere: bool = False,
    hfov_deg: float = 360.0,
) -> tuple[Frame, np.ndarray]:
    """The frame that rays of the panorama's own geometry give, and (H, W) metres along each pixel's ray."""
    camera = Camera(position, yaw_deg, 0.0, 90.0)
    with _round(is_sphere, hfov_deg):
        frame = renderer.render(camera, size_hw)
    return frame, frame.depth * RoundRays(camera, size_hw, is_sphere, hfov_deg).lengths()
