"""Lenses: which ray passes through which pixel, for flat cameras, cylinders and spheres round one point.

All lenses of a set share their centre. Rays are in AI2-THOR's frame: left-handed, y up, yaw clockwise from +z, horizon
positive down. A pixel's centre lies at + 0.5.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from saom_bench.errors import SaomBenchError, unknown
from saom_bench.types import Size

Doubles = NDArray[np.float64]
FULL_CIRCLE_DEG = 360.0


class Lens(Protocol):
    """What is computed for a lens is kept by its hash."""

    def __hash__(self) -> int: ...

    @property
    def size_hw(self) -> Size:
        """(H, W) of the picture in pixels."""
        ...

    @property
    def fov_deg(self) -> float:
        """Vertical field of view."""
        ...

    @property
    def focal_px(self) -> float:
        """Pixels of one radian in the middle of the picture."""
        ...

    @property
    def wraps(self) -> bool:
        """Whether the last column is the first one's neighbour."""
        ...

    def rays(self) -> Doubles:
        """(3, H, W) unit vectors through the pixels' centres."""
        ...

    def project(self, rays: Doubles) -> tuple[Doubles, Doubles, Doubles]:
        """Where (3, ...) rays meet the picture: x and y in pixels, and ``off``, the angle in radians between each ray
        and the middle of the picture, infinite where the ray misses the picture."""
        ...


@dataclass(frozen=True)
class Camera:
    """A flat picture with square pixels, seen from its centre; ``fov_deg`` is vertical.

    Positive roll lifts the picture's right side.
    """

    size_hw: Size
    yaw_deg: float = 0.0
    horizon_deg: float = 0.0
    fov_deg: float = 90.0
    roll_deg: float = 0.0

    def __post_init__(self) -> None:
        _check_size(self.size_hw)
        if not 0 < self.fov_deg < 180:
            raise SaomBenchError(
                f"a flat picture of {self.fov_deg:g} degrees does not exist; give more than 0, under 180"
            )

    @property
    def wraps(self) -> bool:
        """Never."""
        return False

    @property
    def focal_px(self) -> float:
        """Distance of the picture from the centre, in pixels."""
        return self.size_hw[0] / 2 / math.tan(math.radians(self.fov_deg) / 2)

    @property
    def hfov_deg(self) -> float:
        """Horizontal field of view."""
        return math.degrees(2 * math.atan(self.size_hw[1] / 2 / self.focal_px))

    def rays(self) -> Doubles:
        """As Lens."""
        right, up, forward = (axis[:, None, None] for axis in self.axes())
        x, y = (steps / self.focal_px for steps in _centred(self.size_hw))
        return _unit(forward + right * x[None, None, :] - up * y[None, :, None])

    def project(self, rays: Doubles) -> tuple[Doubles, Doubles, Doubles]:
        """As Lens."""
        height, width = self.size_hw
        right, up, forward = (np.tensordot(axis, rays, 1) for axis in self.axes())
        ahead = forward > 1e-9
        depth = np.where(ahead, forward, 1.0)
        x = width / 2 + self.focal_px * right / depth
        y = height / 2 - self.focal_px * up / depth
        inside = ahead & _within(x, width) & _within(y, height)
        return x, y, np.where(inside, np.arccos(np.clip(forward, -1, 1)), np.inf)

    def slope_needed(self, rays: Doubles) -> Doubles:
        """(...) tangent of half the vertical field of view that would just show each of (3, ...) rays; infinite behind
        the camera."""
        right, up, forward = (np.tensordot(axis, rays, 1) for axis in self.axes())
        aspect = self.size_hw[0] / self.size_hw[1]
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.maximum(np.abs(right) * aspect, np.abs(up)) / forward
        return np.where(forward > 1e-9, slope, np.inf)

    def range_factors(self) -> Doubles:
        """(H, W) metres along each pixel's ray for a metre along the camera's axis."""
        x, y = (steps / self.focal_px for steps in _centred(self.size_hw))
        return np.asarray(np.sqrt(1 + x[None, :] ** 2 + y[:, None] ** 2))

    def axes(self) -> tuple[Doubles, Doubles, Doubles]:
        """Unit vectors right, up, forward of the picture."""
        yaw, horizon, roll = np.radians([self.yaw_deg, self.horizon_deg, self.roll_deg])
        right = np.array([np.cos(yaw), 0.0, -np.sin(yaw)])
        forward = np.array([np.sin(yaw) * np.cos(horizon), -np.sin(horizon), np.cos(yaw) * np.cos(horizon)])
        up = np.array([np.sin(yaw) * np.sin(horizon), np.cos(horizon), np.cos(yaw) * np.sin(horizon)])
        return right * np.cos(roll) + up * np.sin(roll), up * np.cos(roll) - right * np.sin(roll), forward


@dataclass(frozen=True)
class Cylinder:
    """An upright cylinder unrolled: columns are equal angles of yaw, rows equal heights. Pixels at the horizon are
    square. ``yaw_deg`` is the heading of the middle."""

    size_hw: Size
    hfov_deg: float = FULL_CIRCLE_DEG
    yaw_deg: float = 0.0

    def __post_init__(self) -> None:
        _check_size(self.size_hw)
        _check_circle(self.hfov_deg)

    @property
    def wraps(self) -> bool:
        """Whether it goes all the way round."""
        return self.hfov_deg == FULL_CIRCLE_DEG

    @property
    def focal_px(self) -> float:
        """Pixels of one radian at the horizon."""
        return self.size_hw[1] / math.radians(self.hfov_deg)

    @property
    def fov_deg(self) -> float:
        """Vertical field of view."""
        return math.degrees(2 * math.atan(self.size_hw[0] / 2 / self.focal_px))

    def rays(self) -> Doubles:
        """As Lens."""
        x, y = (steps / self.focal_px for steps in _centred(self.size_hw))
        yaw, rise = x + math.radians(self.yaw_deg), -y
        return _unit(_grid(np.sin(yaw), rise, np.cos(yaw)))

    def project(self, rays: Doubles) -> tuple[Doubles, Doubles, Doubles]:
        """As Lens."""
        turn = _turn(rays, self.yaw_deg)
        level = np.maximum(np.hypot(rays[0], rays[2]), 1e-9)
        y = self.size_hw[0] / 2 - self.focal_px * rays[1] / level
        return _on_surface(self, self.focal_px, turn, y, np.arctan2(rays[1], level))


@dataclass(frozen=True)
class Sphere:
    """A sphere in equal angles (equirectangular): columns are yaw, rows elevation, both by the same step; 2:1 for all
    of it. ``yaw_deg`` is the heading of the middle."""

    size_hw: Size
    hfov_deg: float = FULL_CIRCLE_DEG
    yaw_deg: float = 0.0

    def __post_init__(self) -> None:
        _check_size(self.size_hw)
        _check_circle(self.hfov_deg)
        if self.fov_deg > 180 + 1e-9:
            height, width = self.size_hw
            raise SaomBenchError(
                f"a sphere of {width}x{height} over {self.hfov_deg:g} degrees would be {self.fov_deg:g} degrees high; "
                f"give at most {int(width * 180 / self.hfov_deg)} rows"
            )

    @property
    def wraps(self) -> bool:
        """Whether it goes all the way round."""
        return self.hfov_deg == FULL_CIRCLE_DEG

    @property
    def focal_px(self) -> float:
        """Pixels of one radian."""
        return self.size_hw[1] / math.radians(self.hfov_deg)

    @property
    def fov_deg(self) -> float:
        """Vertical field of view."""
        return self.size_hw[0] * self.hfov_deg / self.size_hw[1]

    def rays(self) -> Doubles:
        """As Lens."""
        x, y = (steps / self.focal_px for steps in _centred(self.size_hw))
        yaw = x + math.radians(self.yaw_deg)
        rays = _grid(np.sin(yaw), np.sin(-y), np.cos(yaw))
        rays[[0, 2]] *= np.cos(y)[None, :, None]
        return rays

    def project(self, rays: Doubles) -> tuple[Doubles, Doubles, Doubles]:
        """As Lens."""
        turn = _turn(rays, self.yaw_deg)
        rise = np.arctan2(rays[1], np.hypot(rays[0], rays[2]))
        return _on_surface(self, self.focal_px, turn, self.size_hw[0] / 2 - self.focal_px * rise, rise)


PROJECTIONS = ("cylindrical", "equirectangular", "planar")


def surface(projection: str, size_hw: Size, hfov_deg: float = FULL_CIRCLE_DEG, yaw_deg: float = 0.0) -> Lens:
    """What a panorama is laid on, by name. Raises SaomBenchError for an unknown name or an impossible angle."""
    if projection == "cylindrical":
        return Cylinder(size_hw, hfov_deg, yaw_deg)
    if projection == "equirectangular":
        return Sphere(size_hw, hfov_deg, yaw_deg)
    if projection != "planar":
        raise unknown("projection", projection, PROJECTIONS)
    _check_size(size_hw)
    if not 0 < hfov_deg < 180:
        raise SaomBenchError(
            f"a flat panorama of {hfov_deg:g} degrees does not exist; give less than 180, or a cylinder"
        )
    slope = math.tan(math.radians(hfov_deg) / 2) * size_hw[0] / size_hw[1]
    return Camera(size_hw, yaw_deg, fov_deg=math.degrees(2 * math.atan(slope)))


def turn_between(a_deg: float, b_deg: float) -> float:
    """Degrees from one heading to another, 0 to 180."""
    return abs((a_deg - b_deg + 180.0) % 360.0 - 180.0)


def _check_size(size_hw: Size) -> None:
    if min(size_hw) < 1:
        raise SaomBenchError(f"a picture of {size_hw[1]}x{size_hw[0]} pixels is empty")


def _check_circle(hfov_deg: float) -> None:
    if not 0 < hfov_deg <= FULL_CIRCLE_DEG:
        raise SaomBenchError(f"a panorama of {hfov_deg:g} degrees does not exist; give more than 0, at most 360")


def _centred(size_hw: Size) -> tuple[Doubles, Doubles]:
    """Pixel centres from the middle of the picture: x of each column, y (downwards) of each row."""
    height, width = size_hw
    return np.arange(0.5, width) - width / 2, np.arange(0.5, height) - height / 2


def _grid(x: Doubles, y: Doubles, z: Doubles) -> Doubles:
    """(3, H, W) of x and z by column, y by row."""
    shape = (len(y), len(x))
    return np.stack([np.broadcast_to(x, shape), np.broadcast_to(y[:, None], shape), np.broadcast_to(z, shape)])


def _unit(rays: Doubles) -> Doubles:
    return np.asarray(rays / np.sqrt((rays * rays).sum(axis=0)))


def _turn(rays: Doubles, yaw_deg: float) -> Doubles:
    """Radians of yaw from a heading, -pi to pi."""
    yaw = np.arctan2(rays[0], rays[2]) - math.radians(yaw_deg)
    return np.asarray((yaw + math.pi) % (2 * math.pi) - math.pi)


def _within(at: Doubles, end: int) -> NDArray[np.bool_]:
    # The arithmetic's noise must not lose a ray that passes through the very edge.
    return (at >= -1e-6) & (at <= end + 1e-6)


def _on_surface(
    lens: Lens, focal_px: float, turn: Doubles, y: Doubles, rise: Doubles
) -> tuple[Doubles, Doubles, Doubles]:
    height, width = lens.size_hw
    x = width / 2 + focal_px * turn
    inside = _within(y, height) & (lens.wraps | _within(x, width))
    off = np.arccos(np.clip(np.cos(turn) * np.cos(rise), -1, 1))
    return x, y, np.where(inside, off, np.inf)
