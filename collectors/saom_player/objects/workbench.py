"""The bench a builder works on: the box to fill, seeded choices, materials, and the parts made so far."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from saom_player.objects.motion import Motion
from saom_player.scene import Vector
from saom_player.shapes.mesh import Material, Mesh, Part
from saom_player.shapes.primitives import box, cylinder, moved, rotated, rounded_box
from saom_player.surfaces.materials import Palette

T = TypeVar("T")
Block = tuple[Vector, Vector]
"""The lowest and the highest corner of a box along the bench's axes, about the middle of the object's base."""
_SAME_LEVEL_M = 0.012
_NO_SHELF_M = 0.04
"""Shelves are further than this from each other, from the bottom, and from what they would cut."""


@dataclass(frozen=True)
class Order:
    """What is known of an object besides its box."""

    openness: float | None = None
    """How far to open it, 0..1; None: as its box shows it."""
    boxed_open: bool | None = None
    """Whether the box is the open object's; None: the builder judges by the box's shape or by chance."""
    hinge: int = 0
    """On which side the door's hinges are, seen along x: -1 or 1; 0 leaves it to the builder."""
    on: bool | None = None
    """Whether it is switched on; None: as the builder likes."""
    contents: tuple[tuple[float, float], ...] = ()
    """Lowest and highest y above the box's base, in metres, of what the object holds: it gets shelves to suit."""
    within: tuple[Block, ...] = ()
    """What stands inside the object's box, below its top: it must be open there. Shelves of their own are among it."""
    hollow: Block | None = None
    """Of a sink or bathtub: where its basin is."""
    plan: str = ""
    """Of what comes in several outlines, as counters do: "I", "L" (a side leg at +x), "C" (at both), "Island"."""


class Bench:
    """One object in the making, in a frame with its base at y = 0, centred in x and z, its front towards +z.

    ``w``, ``h``, ``d`` (x, y, z, metres) are the box to fill. Builders may miss it a little: the result is fitted.
    They build the object as it is in its box (``boxed_open`` says in which state that is), and say with ``moving``
    what moves on the way to its other state; ``travel`` is how much of that way to go, 0 for the box's own state.
    """

    def __init__(self, object_type: str, size: Vector, rng: np.random.Generator, order: Order) -> None:
        self.object_type = object_type
        self.w, self.h, self.d = size
        self.order = order
        self.boxed_open = bool(order.boxed_open)
        self.rng = rng
        self.mat = Palette(rng)
        self.parts: list[Part] = []
        self.motions: list[Motion | None] = []
        self.beyond: list[bool] = []
        """Of each part, whether it does not count for the box: what a closed or switched off object does not have."""
        self._motion: Motion | None = None
        self._beyond = False

    @property
    def travel(self) -> float:
        """How far, 0..1, the object is from the state of its box to its other one."""
        rest = float(self.boxed_open)
        return 0.0 if self.order.openness is None else abs(self.order.openness - rest)

    @contextmanager
    def moving(
        self,
        pivot: Vector = (0.0, 0.0, 0.0),
        *,
        turn_deg: Vector = (0.0, 0.0, 0.0),
        shift: Vector = (0.0, 0.0, 0.0),
        scale: Vector = (1.0, 1.0, 1.0),
        lean_deg: Vector = (0.0, 0.0, 0.0),
    ) -> Iterator[None]:
        """Parts added meanwhile move so by the end of the way, see ``Motion.of``."""
        before = self._motion
        if self.travel:
            self._motion = Motion.of(self.travel, pivot, turn_deg, shift, scale, lean_deg)
        try:
            yield
        finally:
            self._motion = before

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Parts added meanwhile may lie beyond the box: the box is fitted to the others."""
        self._beyond = True
        try:
            yield
        finally:
            self._beyond = False

    def screen(self, likely: float) -> Material:
        """A display: lit if the object is on, and with a probability where that is not known."""
        lit, picture = self.chance(likely), self.mat.screen()
        return picture if (lit if self.order.on is None else self.order.on) else self.mat.screen(lit=False)

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return bool(self.rng.random() < probability)

    def pick(self, options: Sequence[T]) -> T:
        """One of the options, each as likely."""
        return options[int(self.rng.integers(len(options)))]

    def uniform(self, low: float, high: float) -> float:
        """A number in [low, high)."""
        return float(self.rng.uniform(low, high))

    def count(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return int(self.rng.integers(low, high + 1))

    def add(
        self,
        name: str,
        mesh: Mesh,
        x: float = 0.0,
        y: float = 0.0,
        z: float = 0.0,
        *,
        x_deg: float = 0.0,
        y_deg: float = 0.0,
        z_deg: float = 0.0,
    ) -> None:
        """Turn a mesh about the origin, move it, and keep it as a part; a mesh without triangles is dropped."""
        if not len(mesh):
            return
        if x_deg or y_deg or z_deg:
            mesh = rotated(mesh, x_deg=x_deg, y_deg=y_deg, z_deg=z_deg)
        self.parts.append(Part(name, moved(mesh, x, y, z)))
        self.motions.append(self._motion)
        self.beyond.append(self._beyond)

    def add_each(self, name: str, mesh: Mesh, places: Iterable[Vector]) -> None:
        """The same mesh at several places, as "name 1", "name 2", ..."""
        for number, place in enumerate(places, start=1):
            self.add(f"{name} {number}", mesh, *place)

    def block(
        self, name: str, size: Vector, material: Material, at: Vector = (0.0, 0.0, 0.0), *, radius: float | None = None
    ) -> None:
        """A box (sharp without ``radius``) whose base centre is ``at``."""
        mesh = box(size, material) if radius is None else rounded_box(size, material, radius=radius)
        self.add(name, mesh, *at)

    def hollow(
        self, name: str, size: Vector, wall: float, material: Material, lining: Material, at: Vector = (0.0, 0.0, 0.0)
    ) -> None:
        """A case open towards +z, its base centre ``at``: what a closed one shows of itself is a ``block``."""
        w, h, d = size
        x, y, z = at
        skin = 0.15 * wall
        self.block(f"{name} back", (w, h, wall), material, (x, y, z - (d - wall) / 2))
        self.block(f"{name} bottom", (w, wall, d), material, (x, y, z))
        self.block(f"{name} top", (w, wall, d), material, (x, y + h - wall, z))
        self.add_each(f"{name} side", box((wall, h, d), material), [(x + s * (w - wall) / 2, y, z) for s in (-1, 1)])
        inner = (w - 2 * wall, h - 2 * wall, d - wall)
        ahead = z + wall / 2
        self.block("lining back", (inner[0], inner[1], skin), lining, (x, y + wall, ahead - (inner[2] - skin) / 2))
        self.block("lining bottom", (inner[0], skin, inner[2]), lining, (x, y + wall, ahead))
        self.block("lining top", (inner[0], skin, inner[2]), lining, (x, y + h - wall - skin, ahead))
        sides = [(x + s * (inner[0] - skin) / 2, y + wall, ahead) for s in (-1, 1)]
        self.add_each("lining side", box((skin, inner[1], inner[2]), lining), sides)

    def shelves(self, low: float, high: float, apart: float) -> list[float]:
        """Heights for shelves in a case from ``low`` to ``high``: under the contents, and where there is room."""
        held = [(a, b) for a, b in self.order.contents if low < a < high]
        levels = [a for a, _ in held if a > low + _NO_SHELF_M]
        count = max(0, round((high - low) / apart) - 1)
        regular = [low + (high - low) * (k + 1) / (count + 1) for k in range(count)]
        taken = [*((a - _NO_SHELF_M, b + _NO_SHELF_M) for a, b in held)]
        levels += [y for y in regular if not any(a < y < b for a, b in taken)]
        kept: list[float] = []
        for y in sorted(levels):
            if not kept or y - kept[-1] > _NO_SHELF_M:
                kept.append(y)
        return kept

    def usual_level(self, low: float, high: float) -> float | None:
        """At which height between two most of what the object holds lies: the higher of two that are as usual."""
        lying = sorted(y for y, _ in self.order.contents if low < y < high)
        return max(lying, key=lambda y: (sum(abs(y - other) < _SAME_LEVEL_M for other in lying), y), default=None)

    def holds_within(self, low: Vector, high: Vector) -> bool:
        """Whether something that stands inside the object would be cut by a block between two corners."""
        return any(all(a[k] < high[k] and b[k] > low[k] for k in range(3)) for a, b in self.order.within)

    def legs(self, material: Material, height: float, inset: float, thickness: float, *, round_: bool = False) -> None:
        """Four legs under the corners of the box; ``inset`` is from the box's sides to a leg's middle."""
        thickness = min(thickness, 0.2 * min(self.w, self.d))
        mesh = box((thickness, height, thickness), material)
        if round_:
            mesh = cylinder(thickness * 0.35, height, material, top_radius=thickness * 0.5, sides=10)
        x, z = max(self.w / 2 - inset, 0.2 * self.w), max(self.d / 2 - inset, 0.2 * self.d)
        self.add_each("leg", mesh, [(sx * x, 0.0, sz * z) for sx in (-1, 1) for sz in (-1, 1)])


Builder = Callable[[Bench], None]
