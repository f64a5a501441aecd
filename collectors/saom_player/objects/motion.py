"""How a piece of an object moves when the object opens: a turn, a shift or a squeeze about a pivot."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from saom_player.scene import Vector
from saom_player.shapes.mesh import Mesh
from saom_player.shapes.primitives import rotation, transformed

Floats = NDArray[np.float64]
_STILL = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Motion:
    """Where a piece goes: ``linear`` applied about ``pivot``, then ``shift``; metres in the frame of the builder."""

    pivot: Floats
    linear: Floats
    shift: Floats

    @classmethod
    def of(
        cls, travel: float, pivot: Vector = _STILL, turn_deg: Vector = _STILL, shift: Vector = _STILL,
        scale: Vector = (1.0, 1.0, 1.0), lean_deg: Vector = _STILL,
    ) -> "Motion":  # fmt: skip
        """The motion after ``travel`` (0 to 1) of the whole way: a turn as in ``rotation``, a shift, a squeeze.

        ``lean_deg`` is how the piece is turned before it moves: the squeeze is along its own axes.
        """
        x, y, z = (travel * angle for angle in turn_deg)
        squeeze = 1.0 + travel * (np.array(scale) - 1.0)
        turn = rotation(x_deg=x, y_deg=y, z_deg=z)
        lean = rotation(x_deg=lean_deg[0], y_deg=lean_deg[1], z_deg=lean_deg[2])
        linear = turn @ lean @ np.diag(squeeze) @ lean.T
        return cls(np.array(pivot, np.float64), linear, travel * np.array(shift, np.float64))

    def turned(self, matrix: Floats) -> "Motion":
        """The same motion after the whole object was turned by ``matrix`` (3, 3)."""
        return Motion(matrix @ self.pivot, matrix @ self.linear @ matrix.T, matrix @ self.shift)

    def fitted(self, factors: Floats, offset: Floats) -> "Motion":
        """The motion after the object was scaled and moved to fill its box: turns stay turns."""
        return replace(self, pivot=factors * self.pivot + offset, shift=factors * self.shift)

    def applied(self, mesh: Mesh) -> Mesh:
        """The mesh where the motion takes it."""
        moved = self.pivot + self.shift - self.linear @ self.pivot
        return transformed(mesh, np.concatenate([self.linear, moved[:, None]], axis=1))
