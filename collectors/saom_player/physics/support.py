"""What hangs in the air: objects that would fall, with nothing under them, and fixed ones that touch nothing.

Drawn geometry decides, not the metadata's receptacles. Something that sinks into its support by a few centimetres is
held by it. Distances are in metres.
"""

from dataclasses import dataclass

import numpy as np

from saom_player.physics.overlap import Floats, surfaces_at, triangles_of
from saom_player.scene import Scene
from saom_player.tables.placement import hangs

WITHIN_M = 0.03
"""Support further below than this is none."""
_SUNK_M = 0.05
_FIXED_WITHIN_M = 0.06
_FOOT_SHARE, _FOOT_M = 0.05, 0.02
_FOOT_POINTS = 32
_FALLS = {"pickupable", "moveable"}
_MAY_HANG = {"Microwave", "Television"}


@dataclass(frozen=True)
class Afloat:
    """An object that nothing holds."""

    object_id: str
    gap_m: float
    """Down to the next surface below; infinite where there is none, and for what is fixed."""


class Surroundings:
    """The triangles of all that a scene shows, by instance."""

    def __init__(self, scene: Scene) -> None:
        self._triangles = [triangles_of(instance.parts) for instance in scene.instances()]
        nothing = np.full((1, 1, 3), np.inf)
        self._low = np.stack([np.amin(t if len(t) else nothing, axis=(0, 1)) for t in self._triangles])
        self._high = np.stack([np.amax(t if len(t) else -nothing, axis=(0, 1)) for t in self._triangles])

    def own(self, row: int) -> Floats:
        """(T, 3, 3) of one instance."""
        return self._triangles[row]

    def others(self, row: int, low: Floats, high: Floats) -> Floats:
        """(T, 3, 3) of all other instances within a box."""
        near = np.flatnonzero(((self._low <= high) & (self._high >= low)).all(axis=1))
        found = np.concatenate([np.zeros((0, 3, 3)), *(self._triangles[k] for k in near if k != row)])
        return np.asarray(found[((found.min(axis=1) <= high) & (found.max(axis=1) >= low)).all(axis=1)], np.float64)


def floating(scene: Scene) -> tuple[Afloat, ...]:
    """All objects of a scene that nothing holds, in the scene's order; not what is in something shut, of whose inside
    nothing is drawn."""
    around = Surroundings(scene)
    shut = {o.object_id for o in scene.objects if "openable" in o.flags and not ("isOpen" in o.flags and o.openness)}
    found = []
    for row, thing in enumerate(scene.objects):
        if not thing.parts or hangs(thing) or shut & set(thing.parent_receptacles):
            continue
        gap = _below(around, row) if thing.flags & _FALLS else _beside(around, row)
        if thing.object_type in _MAY_HANG:
            gap = min(gap, _beside(around, row))
        if gap > WITHIN_M:
            found.append(Afloat(thing.object_id, gap))
    return tuple(found)


def _below(around: Surroundings, row: int) -> float:
    """How far an object's foot is above the nearest surface that could carry it."""
    corners = around.own(row).reshape(-1, 3)
    low, high = corners.min(axis=0), corners.max(axis=0)
    foot = corners[corners[:, 1] <= low[1] + max(_FOOT_M, _FOOT_SHARE * (high[1] - low[1]))]
    points = np.concatenate([foot[:: max(1, len(foot) // _FOOT_POINTS)], foot.mean(axis=0)[None]])[:, [0, 2]]
    top = np.array([high[0], low[1] + _SUNK_M, high[2]])
    heights, _ = surfaces_at(around.others(row, low - (0.0, 100.0, 0.0), top), points)
    heights = np.where(heights <= low[1] + _SUNK_M, heights, np.nan)
    return float(max(low[1] - np.nanmax(heights), 0.0)) if np.isfinite(heights).any() else np.inf


def _beside(around: Surroundings, row: int) -> float:
    """0 where something else is about as near as what is fixed to it must be."""
    corners = around.own(row).reshape(-1, 3)
    low, high = corners.min(axis=0) - _FIXED_WITHIN_M, corners.max(axis=0) + _FIXED_WITHIN_M
    return 0.0 if len(around.others(row, low, high)) else np.inf
