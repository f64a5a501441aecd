"""Light in a pack's scene: Unity's lamps, sun and ambient light in the player's terms, windows from Window objects."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from saom_player.scene import Box, Lamp, Sun, Vector, WindowOpening
from saom_player.shapes.mesh import Rgb
from saom_scenes.packs import PackAmbient, PackLight

Floats64 = NDArray[np.float64]
_MOST_LAMPS = 5
_WEAKEST_SHARE = 0.06
_LAMP_RADIUS_M = 0.22
_BELOW_CEILING_M = 0.12
# Unity's lamps fall off as 1 / (1 + 25 (d / range)^2): beyond the nearest metre about as range^2 / 25 d^2.
_FALLOFF = 25.0
_BRIGHTEST_LAMP = 4.0
# Unity's lamps are nowhere brighter than their intensity; these are, close by: a table lamp must not burn its wall.
_LOW_M, _BRIGHTEST_LOW_LAMP = 2.0, 0.5
_SUN = 2.6
_AMBIENT = 1.6
_DARKEST_AMBIENT = 0.16
_FRAME_M = 0.03
_DEFAULT_LAMP: Rgb = (1.5, 1.42, 1.3)


def linear(color: Sequence[float]) -> Rgb:
    """An sRGB colour's linear light."""
    r, g, b = (max(float(c), 0.0) ** 2.2 for c in color)
    return r, g, b


def lamps(lights: Sequence[PackLight], floor_y: float, ceilings: Floats64, default: Vector) -> tuple[Lamp, ...]:
    """The strongest few point and spot lights; one at ``default`` where a room has none.

    ``ceilings`` (C, 3, 3) are triangles that face down: Unity's light passes them from above, here it must start below.
    """
    found = []
    for light in lights:
        if light.kind == "directional" or light.intensity <= 0:
            continue
        place = _under(light.position, ceilings)
        most = _BRIGHTEST_LOW_LAMP if place[1] < floor_y + _LOW_M else _BRIGHTEST_LAMP
        power = min(light.intensity * light.range_m**2 / _FALLOFF, most)
        r, g, b = linear(light.color)
        found.append(Lamp(place, (r * power, g * power, b * power), _LAMP_RADIUS_M))
    found.sort(key=lambda lamp: (-max(lamp.color), lamp.position))
    strong = [lamp for lamp in found if max(lamp.color) > _WEAKEST_SHARE * max(found[0].color)]
    return tuple(strong[:_MOST_LAMPS]) or (Lamp(_under(default, ceilings), _DEFAULT_LAMP, _LAMP_RADIUS_M),)


def _under(position: Vector, ceilings: Floats64) -> Vector:
    """The position, or that below the lowest ceiling under it."""
    x, y, z = position
    heights = heights_at(ceilings, x, z)
    below = heights[heights < y + 0.05]
    return (x, float(below.min()) - _BELOW_CEILING_M, z) if len(below) else position


def heights_at(triangles: Floats64, x: float, z: float) -> Floats64:
    """(n,) heights of the (T, 3, 3) triangles that lie above or below a point of the floor plan."""
    a, b, c = (triangles[:, k] for k in range(3))
    u, v = b - a, c - a
    cross = u[:, 0] * v[:, 2] - u[:, 2] * v[:, 0]
    sound = np.abs(cross) > 1e-12
    cross = np.where(sound, cross, 1.0)
    dx, dz = x - a[:, 0], z - a[:, 2]
    s = (dx * v[:, 2] - dz * v[:, 0]) / cross
    t = (u[:, 0] * dz - u[:, 2] * dx) / cross
    within = sound & (s >= 0) & (t >= 0) & (s + t <= 1)
    return np.asarray((a[:, 1] + s * u[:, 1] + t * v[:, 1])[within], np.float64)


def sun(lights: Sequence[PackLight], windows: Sequence[WindowOpening]) -> Sun | None:
    """The strongest directional light that comes in through some window."""
    for light in sorted(lights, key=lambda light: -light.intensity):
        if light.kind != "directional" or light.intensity <= 0:
            continue
        toward = -np.array(light.direction) / np.linalg.norm(light.direction)
        if toward[1] > 0.05 and any(float(np.dot(w.inward, toward)) < -0.1 for w in windows):
            r, g, b = linear(light.color)
            strength = _SUN * min(light.intensity, 1.5)
            direction = (float(toward[0]), float(toward[1]), float(toward[2]))
            return Sun(direction, (r * strength, g * strength, b * strength))
    return None


def ambient(light: PackAmbient) -> tuple[Rgb, Rgb]:
    """Colours from above and from below."""
    sky, equator, ground = (np.array(linear(c)) for c in (light.sky, light.equator, light.ground))
    up = np.maximum((0.5 * sky + 0.5 * equator) * _AMBIENT, _DARKEST_AMBIENT)
    # Light bounces off floors here as anywhere; Unity's ground colour is often black.
    down = np.maximum((0.5 * equator + 0.5 * ground) * _AMBIENT, 0.55 * up)
    return (float(up[0]), float(up[1]), float(up[2])), (float(down[0]), float(down[1]), float(down[2]))


def window_openings(boxes: Sequence[Box], floor: Floats64, middle: Vector) -> tuple[WindowOpening, ...]:
    """The panes of Window objects' boxes, facing the side that has ``floor`` (F, 3, 3) below it, else ``middle``."""
    found = []
    for box in boxes:
        axes, size = box.axes(), np.array(box.size)
        thin = int(np.argmin(size))
        up = int(np.argmax(np.abs(axes[1])))
        if thin == up or min(size[k] for k in range(3) if k != thin) < 0.1:
            continue  # a skylight, or no window at all
        across = 3 - thin - up
        inward = _inward(np.array(box.center), axes[:, thin], floor, np.array(middle))
        half_u = axes[:, across] * (size[across] / 2 - _FRAME_M)
        half_v = axes[:, up] * (size[up] / 2 - _FRAME_M)
        found.append(WindowOpening(box.center, _vector(half_u), _vector(half_v), _vector(inward)))
    return tuple(found)


def _inward(center: Floats64, normal: Floats64, floor: Floats64, middle: Floats64) -> Floats64:
    sides = []
    for sign in (1.0, -1.0):
        x, _, z = center + normal * sign * 0.45
        sides.append(len(heights_at(floor, float(x), float(z))) > 0)
    if sides[0] != sides[1]:
        return normal if sides[0] else -normal
    return normal if float(np.dot(middle - center, normal)) >= 0 else -normal


def _vector(values: Floats64) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])
