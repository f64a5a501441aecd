"""Connected components of triangles: what holds together by shared places, within a group."""

import numpy as np
from numpy.typing import NDArray

_WELD_PER_M = 5000.0


def components(
    positions: NDArray[np.float32], triangles: NDArray[np.int32], group: NDArray[np.int32]
) -> NDArray[np.int64]:
    """(T,) a number for each triangle, equal for those of one ``group`` (T,) that touch, directly or through others.

    Vertices within about 0.2 mm are one place. Numbers are some triangle's own: whatever the order of others.
    """
    if len(triangles) == 0:
        return np.zeros(0, np.int64)
    place = _places(positions, triangles, group)
    label = np.arange(int(place.max()) + 1)
    while True:
        lowest = label[place].min(axis=1)
        new = label.copy()
        np.minimum.at(new, place.reshape(-1), np.repeat(lowest, 3))
        # Labels point to places with labels: following them halves the rounds.
        new = new[new]
        if (new == label).all():
            break
        label = new
    own = label[place[:, 0]]
    first = np.full(len(label), len(triangles), np.int64)
    np.minimum.at(first, own, np.arange(len(triangles)))
    return first[own]


def _places(
    positions: NDArray[np.float32], triangles: NDArray[np.int32], group: NDArray[np.int32]
) -> NDArray[np.int64]:
    """(T, 3) numbers of the triangles' corners, equal at one place within one group."""
    rounded = np.round(positions.astype(np.float64) * _WELD_PER_M).astype(np.int64)
    _, spot = np.unique(rounded, axis=0, return_inverse=True)
    key = spot.reshape(-1)[triangles] * (int(group.max()) + 1) + group[:, None]
    _, place = np.unique(key, return_inverse=True)
    return np.asarray(place.reshape(-1, 3), np.int64)
