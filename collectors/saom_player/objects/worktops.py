"""Kitchen counters that stand by themselves, as houses have them: straight, L- and C-shaped, and islands."""

from saom_player.objects.fronts import STYLES, doors, drawers
from saom_player.objects.tables import counter_top
from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes.mesh import Material, Part
from saom_player.shapes.primitives import moved, rotated

_DEEP_M = 0.61
_SLAB_M = 0.04
_TOE_M = 0.09
_MODULE_M = 0.55
_OVERHANG_M = 0.02
_TURNS = {"back": 0.0, "left": 90.0, "right": -90.0, "front": 180.0}
"""Which way a run of cupboards faces: away from the side it stands at. +90 degrees turn +z to +x."""


def worktop(b: Bench) -> None:
    """A counter of the outline that the order says; without one, a plain slab on a base."""
    if not b.order.plan:
        counter_top(b)
        return
    stone = b.mat.marble() if b.chance(0.6) else b.mat.wood() if b.chance(0.6) else b.mat.stone()
    run = _Runs(b, stone, b.mat.cabinetry(), b.mat.fitting())
    deep = min(_DEEP_M, b.d, b.w)
    if b.order.plan == "Island":
        run.add("front", b.w, b.d / 2, (0.0, -b.d / 4), 0.0)
        run.add("back", b.w, b.d / 2, (0.0, b.d / 4), 0.0)
        return
    left, right = b.order.plan == "C", b.order.plan in {"L", "C"}
    run.add("back", b.w, deep, (0.0, (deep - b.d) / 2), deep * left, deep * right)
    rest = b.d - deep
    if rest < 0.05:
        return
    if left:
        run.add("left", rest, deep, ((deep - b.w) / 2, deep / 2), 0.0)
    if right:
        run.add("right", rest, deep, ((b.w - deep) / 2, deep / 2), 0.0)


class _Runs:
    """Straight stretches of one counter, all in the same materials."""

    def __init__(self, bench: Bench, stone: Material, body: Material, pull: Material) -> None:
        self._b, self._stone, self._body, self._pull = bench, stone, body, pull
        self._style, self._knob = bench.pick(STYLES), bench.chance(0.4)
        self._toe = bench.mat.paint((0.16, 0.15, 0.14))

    def add(
        self, side: str, length: float, depth: float, middle: tuple[float, float], blind_left: float,
        blind_right: float = 0.0,
    ) -> None:  # fmt: skip
        """A stretch at a side, its middle in x and z; its blind ends, where the next one begins, have no fronts."""
        b = self._b
        before = len(b.parts)
        high = b.h - _SLAB_M
        b.block(f"{side} slab", (length, _SLAB_M, depth), self._stone, (0.0, high, 0.0))
        b.block(f"{side} body", (length, high - _TOE_M, depth - 0.06), self._body, (0.0, _TOE_M, -0.03))
        b.block(f"{side} plinth", (length, _TOE_M, depth - 0.12), self._toe, (0.0, 0.0, -0.06))
        self._fronts(side, -length / 2 + blind_left, length / 2 - blind_right, depth / 2 - 0.06)
        turn = _TURNS[side]
        for k in range(before, len(b.parts)):
            mesh = moved(rotated(b.parts[k].mesh, y_deg=turn), middle[0], 0.0, middle[1])
            b.parts[k] = Part(b.parts[k].name, mesh)

    def _fronts(self, side: str, low: float, high: float, z: float) -> None:
        b = self._b
        count = max(0, round((high - low) / _MODULE_M))
        if not count:
            return
        width, tall = (high - low) / count, b.h - _SLAB_M - _TOE_M - 0.01
        for k in range(count):
            at = (low + (k + 0.5) * width, _TOE_M, z)
            name = f"{side} {k + 1}"
            if b.chance(0.35):
                drawers(b, f"{name} drawer", (width, tall), 3, at, self._body, self._pull, self._style, self._knob)
                continue
            top = 0.2 * tall
            doors(b, f"{name} door", (width, tall - top), 1, at, self._body, self._pull, self._style, self._knob)
            above = (at[0], at[1] + tall - top, at[2])
            drawers(b, f"{name} drawer", (width, top), 1, above, self._body, self._pull, self._style, self._knob)


BUILDERS: dict[str, Builder] = {"CounterTop": worktop}
