"""From linear light to bytes: a mild shoulder that keeps white walls and bright windows apart, then sRGB-like gamma."""

import numpy as np
from numpy.typing import NDArray

from saom_player.render.tracing import Floats

_STEPS = 1 << 14
_LARGEST = 8.0
_WHITE = 4.0


def _curve(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Reinhard's curve with a white point: slope 1 at black, 1 at _WHITE."""
    return light * (1 + light / _WHITE**2) / (1 + light)


# Indexed by the square root of light, so that dark tones get as many steps as bright ones.
_TABLE: NDArray[np.uint8] = (
    np.clip(_curve((np.arange(_STEPS) / (_STEPS - 1)) ** 2 * _LARGEST) ** (1 / 2.2), 0, 1) * 255 + 0.5
).astype(np.uint8)


def to_bytes(light: Floats, exposure: float) -> NDArray[np.uint8]:
    """Displayed values of linear light, same shape."""
    root = np.sqrt(np.maximum(light * np.float32(exposure / _LARGEST), 0))
    index = np.minimum(root * np.float32(_STEPS - 1), np.float32(_STEPS - 1)).astype(np.intp)
    return np.asarray(_TABLE.take(index), np.uint8)
