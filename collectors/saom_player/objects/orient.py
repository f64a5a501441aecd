"""Builders for one way up, made to fit boxes that lie or hang another way."""

import numpy as np
from numpy.typing import NDArray

from saom_player.objects.workbench import Bench, Builder
from saom_player.shapes.mesh import Part
from saom_player.shapes.primitives import transformed

_TO_FRONT = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
_STAND_FACING = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
_STAND_SPINE_OUT = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])


def hung(builder: Builder) -> Builder:
    """For flat things on walls: a box thinner in x than in z gets its front towards +x instead of +z."""

    def turned(b: Bench) -> None:
        if b.w < 0.7 * b.d:
            b.w, b.d = b.d, b.w
            _built_and_turned(b, builder, _TO_FRONT)
        else:
            builder(b)

    return turned


def laid(builder: Builder) -> Builder:
    """For flat things that lie (thin in y): when another axis is the thinnest, the thing stands on its edge."""

    def turned(b: Bench) -> None:
        thinnest = min(b.w, b.h, b.d)
        if thinnest == b.h:
            builder(b)
        elif thinnest == b.d:
            b.h, b.d = b.d, b.h
            _built_and_turned(b, builder, _STAND_FACING)
        else:
            b.w, b.h, b.d = b.d, b.w, b.h
            _built_and_turned(b, builder, _STAND_SPINE_OUT)

    return turned


def standing(builder: Builder) -> Builder:
    """For long things that stand along y: a box longer in z than in y has them lying, their top towards +z."""

    def turned(b: Bench) -> None:
        if b.d > b.h:
            b.h, b.d = b.d, b.h
            _built_and_turned(b, builder, _STAND_FACING)
        else:
            builder(b)

    return turned


def _built_and_turned(b: Bench, builder: Builder, matrix: NDArray[np.float64]) -> None:
    builder(b)
    b.parts[:] = [Part(part.name, transformed(part.mesh, matrix)) for part in b.parts]
    b.motions[:] = [motion and motion.turned(matrix) for motion in b.motions]
