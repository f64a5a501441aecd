"""A room's lights: ceiling lamps that suit its size, standing and desk lamps, and the sun through a window."""

from collections.abc import Iterable, Sequence

import numpy as np

from saom_player.scene import Lamp, SceneObject, Sun, Vector, WindowOpening
from saom_player.shapes.mesh import Rgb
from saom_player.shapes.rectangles import Rectangle, area
from saom_player.tables.layout import PlacedObject

_AREA_OF_A_LAMP_M2 = 14.0
_BELOW_CEILING_M = 0.12
_LAMPS: dict[str, tuple[Rgb, float]] = {
    "FloorLamp": ((0.35, 0.29, 0.2), 0.1),
    "DeskLamp": ((0.16, 0.13, 0.09), 0.08),
    "Candle": ((0.05, 0.034, 0.014), 0.03),
}
"""Colour times intensity, and radius in metres."""


def ceiling_spots(plan: Sequence[Rectangle]) -> list[tuple[float, float]]:
    """(x, z) of the ceiling lamps: the middles of the plan's large parts, two in a long one."""
    spots: list[tuple[float, float]] = []
    for r in sorted(plan, key=area, reverse=True):
        if area(r) < 3.0 and spots:
            continue
        long, wide = max(r[2] - r[0], r[3] - r[1]), min(r[2] - r[0], r[3] - r[1])
        if wide < 0.9 and spots:
            continue
        count = 3 if long > 7.5 else 2 if long > 4.6 and area(r) > _AREA_OF_A_LAMP_M2 else 1
        for k in range(count):
            shift = (k - (count - 1) / 2) * long / max(count, 2)
            x, z = (r[0] + r[2]) / 2, (r[1] + r[3]) / 2
            spots.append((x + shift, z) if r[2] - r[0] >= r[3] - r[1] else (x, z + shift))
    return spots[:4]


def lamps(plan: Sequence[Rectangle], ceiling_y: float, objects: Sequence[PlacedObject]) -> tuple[Lamp, ...]:
    """Lamps at the ceiling, which the room's light switch turns on and off, and those of objects that are lamps."""
    spots = ceiling_spots(plan)
    power = float(np.clip(sum(area(r) for r in plan) / 9.0, 0.7, 2.8)) / len(spots)
    switch = next((o.object_id for o in objects if o.object_type == "LightSwitch"), "")
    found = [Lamp((x, ceiling_y - _BELOW_CEILING_M, z), (1.35 * power, 1.26 * power, 1.12 * power), 0.2, switch)
             for x, z in spots]  # fmt: skip
    return (*found, *lamps_of(objects))


def lamps_of(objects: Iterable[PlacedObject | SceneObject]) -> tuple[Lamp, ...]:
    """The lamps of objects that are lamps."""
    return tuple(Lamp(_above(o), *_LAMPS[o.object_type], o.object_id) for o in objects if o.object_type in _LAMPS)


def _above(o: PlacedObject | SceneObject) -> Vector:
    return (o.box.center[0], float(o.box.corners()[:, 1].max()) + 0.05, o.box.center[2])


def sun(openings: Sequence[WindowOpening], rng: np.random.Generator) -> Sun | None:
    """Sunlight that slants in through the largest window; on some days there is none."""
    if not openings:
        return None
    widest = max(openings, key=lambda o: float(np.linalg.norm(o.half_u) * np.linalg.norm(o.half_v)))
    turn, rise = np.radians(rng.uniform(-40, 40)), np.radians(rng.uniform(24, 50))
    out = -np.array([widest.inward[0], widest.inward[2]])
    flat = np.array([out[0] * np.cos(turn) - out[1] * np.sin(turn), out[0] * np.sin(turn) + out[1] * np.cos(turn)])
    direction = (float(flat[0] * np.cos(rise)), float(np.sin(rise)), float(flat[1] * np.cos(rise)))
    strength = float(rng.uniform(0.55, 1.0))
    return Sun(direction, (4.2 * strength, 3.7 * strength, 2.9 * strength)) if rng.random() < 0.85 else None
