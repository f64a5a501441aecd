"""From the simulator's id frame to a label map and its objects, in one pass over runs of equal pixels.

The masks are those of the client's ``event.instance_masks``; the class comes from objectType, never from the id.
"""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from saom_bench.classes import LabelSet
from saom_bench.types import Instance, LabelMap

_Ints = NDArray[np.int64]


def decode(
    ids: NDArray[np.uint32],
    keys: Mapping[str, int],
    types: Mapping[str, str],
    label_set: LabelSet,
    min_area_px: int = 0,
) -> tuple[LabelMap, tuple[Instance, ...]]:
    """Label the pixels of every object of the label set: 1..N in the order of object ids; 0 is everything else.

    ``ids`` is (H, W); ``keys`` gives an object's value in it, ``types`` its objectType. Objects that show fewer than
    ``min_area_px`` pixels get no label, nor do objects whose colours collide: nothing in the frame tells them apart.
    """
    classes = {name: label_set.index_of(types[name]) for name in keys if name in types}
    wanted = {name: index for name, index in classes.items() if index is not None}
    shared = Counter(keys.values())
    names = sorted(name for name in wanted if shared[keys[name]] == 1)
    values = np.array([keys[name] for name in names], np.uint32)
    order = np.argsort(values)
    runs = _Runs(ids, values[order])
    areas, boxes = runs.areas(), runs.boxes()
    label_of_value = np.zeros(len(names) + 1, np.uint16)
    instances: list[Instance] = []
    for name, k in zip(names, np.argsort(order), strict=True):
        if areas[k] < max(1, min_area_px):
            continue
        label = len(instances) + 1
        label_of_value[k] = label
        x0, y0, x1, y1 = (int(n) for n in boxes[k])
        instances.append(Instance(label, name, types[name], wanted[name], int(areas[k]), (x0, y0, x1, y1)))
    return runs.paint(label_of_value), tuple(instances)


class _Runs:
    """An image as horizontal runs of one value: far fewer than pixels, and enough for areas, boxes and labels.

    ``values`` (K,) are sorted and unique; value K of a run stands for every other value.
    """

    def __init__(self, image: NDArray[np.uint32], values: NDArray[np.uint32]) -> None:
        self.height, self.width = image.shape
        # Row by row: the client's frame is a view that is upside down, and a copy of it would cost as much as the rest.
        begins = np.empty(image.shape, np.bool_)
        begins[:, 0] = True
        np.not_equal(image[:, 1:], image[:, :-1], out=begins[:, 1:])
        starts = np.flatnonzero(begins)
        self.lengths: _Ints = np.diff(starts, append=image.size)
        self.rows: _Ints = starts // self.width
        self.lefts: _Ints = starts - self.rows * self.width
        self._count = len(values) + 1
        found = image[self.rows, self.lefts]
        places = np.searchsorted(values, found)
        is_known = np.append(values, 0)[places] == found
        self.value_of_run: _Ints = np.where(is_known & (places < len(values)), places, len(values))

    def areas(self) -> _Ints:
        """(K + 1,) pixels of each value."""
        return np.bincount(self.value_of_run, self.lengths, self._count).astype(np.int64)

    def boxes(self) -> _Ints:
        """(K + 1, 4) half-open boxes of each value."""
        low = np.full((self._count, 2), max(self.height, self.width), np.int64)
        high = np.zeros((self._count, 2), np.int64)
        np.minimum.at(low[:, 0], self.value_of_run, self.lefts)
        np.minimum.at(low[:, 1], self.value_of_run, self.rows)
        np.maximum.at(high[:, 0], self.value_of_run, self.lefts + self.lengths)
        np.maximum.at(high[:, 1], self.value_of_run, self.rows + 1)
        return np.concatenate([low, high], axis=1)

    def paint(self, value_to_label: NDArray[np.uint16]) -> LabelMap:
        """(H, W) label of every pixel."""
        labels: LabelMap = np.repeat(value_to_label[self.value_of_run], self.lengths)
        return labels.reshape(self.height, self.width)
