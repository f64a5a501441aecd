"""Masks that passed the filters, as deflated bits inside their boxes: what is held of them until the suppression.

A grid of 320 x 64 points can leave 25,000 of them, which as plain bits could take gigabytes; deflated they take a
kilobyte or two each.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from saom_bench.everything.boxes import IntBoxes, inclusive_boxes
from saom_bench.masks import column_arc
from saom_bench.types import BoolMask, FloatArray, Size


@dataclass(frozen=True)
class KeptMasks:
    """N masks; all arrays have N rows."""

    bits: list[bytes]
    """Packed inside the box, row by row, and deflated."""
    boxes: IntBoxes
    """(N, 4) inclusive; round a full circle x1 may lie past the last column."""
    predicted_iou: FloatArray
    stability: FloatArray
    points_xy: FloatArray
    """(N, 2) the point that each mask comes from."""
    class_index: NDArray[np.int64]
    """(N,) -1 without classes."""
    class_score: FloatArray

    def __len__(self) -> int:
        return len(self.bits)

    def take(self, rows: NDArray[np.intp]) -> "KeptMasks":
        """Some rows, in the given order."""
        bits = [self.bits[i] for i in rows]
        return KeptMasks(bits, *(values[rows] for values in self._arrays()))

    def mask(self, row: int, size_hw: Size) -> BoolMask:
        """One mask at (H, W)."""
        x0, y0, x1, y1 = self.boxes[row]
        shape = (y1 + 1 - y0, x1 + 1 - x0)
        packed = np.frombuffer(zlib.decompress(self.bits[row]), np.uint8)
        inside = np.unpackbits(packed, count=shape[0] * shape[1]).reshape(shape)
        whole = np.zeros(size_hw, np.bool_)
        if x1 < size_hw[1]:
            whole[y0 : y1 + 1, x0 : x1 + 1] = inside
        else:
            whole[y0 : y1 + 1, np.arange(x0, x1 + 1) % size_hw[1]] = inside
        return whole

    def areas_px(self) -> NDArray[np.int64]:
        """(N,) pixels of each mask."""
        inside = (np.unpackbits(np.frombuffer(zlib.decompress(bits), np.uint8)) for bits in self.bits)
        return np.array([bits.sum(dtype=np.int64) for bits in inside], np.int64)

    def repacked(self, row: int, mask: BoolMask, wraps: bool = False) -> "KeptMasks":
        """One row with another (H, W) mask; where that wraps, in the shortest box round the circle."""
        one = self.take(np.array([row]))
        boxes = inclusive_boxes(mask[None])
        if wraps:
            first, count = column_arc(np.asarray(mask.any(axis=0)))
            boxes[0, [0, 2]] = first, first + count - 1
            mask = np.roll(mask, -first, axis=1)
            return replace(one, bits=[_packed(mask, boxes[0] - np.array([first, 0, first, 0]))], boxes=boxes)
        return replace(one, bits=[_packed(mask, boxes[0])], boxes=boxes)

    def scored(self, predicted_iou: FloatArray, stability: FloatArray) -> "KeptMasks":
        """The same masks with other scores."""
        return replace(self, predicted_iou=predicted_iou, stability=stability)

    def moved(self, x: int, y: int) -> "KeptMasks":
        """The same masks in a frame whose origin lies (x, y) pixels before theirs."""
        boxes = self.boxes + np.array([x, y, x, y], np.int32)
        return replace(self, boxes=boxes, points_xy=self.points_xy + np.array([x, y], np.float32))

    def wrapped(self, width: int) -> "KeptMasks":
        """The same masks round a circle of ``width`` columns: every box begins on it, and may end past its last."""
        turns = self.boxes[:, :1] // width * width * np.array([1, 0, 1, 0], np.int32)
        points_xy = self.points_xy.copy()
        points_xy[:, 0] %= width
        return replace(self, boxes=(self.boxes - turns).astype(np.int32), points_xy=points_xy)

    def _arrays(self) -> tuple[NDArray, ...]:  # type: ignore[type-arg]
        return (
            self.boxes,
            self.predicted_iou,
            self.stability,
            self.points_xy,
            self.class_index,
            self.class_score,
        )


def pack(
    masks: BoolMask,
    predicted_iou: FloatArray,
    stability: FloatArray,
    points_xy: FloatArray,
    classes: tuple[NDArray[np.int64], FloatArray],
) -> KeptMasks:
    """Pack (N, H, W) masks inside their boxes; empty ones are left out."""
    boxes = inclusive_boxes(masks)
    rows = np.flatnonzero(boxes[:, 2] >= 0)
    bits = [_packed(masks[row], boxes[row]) for row in rows]
    return KeptMasks(
        bits, boxes[rows], predicted_iou[rows], stability[rows], points_xy[rows], classes[0][rows], classes[1][rows]
    )


def join(parts: Sequence[KeptMasks]) -> KeptMasks:
    """The masks of all parts in order."""
    parts = [_NONE, *parts]
    bits = [bits for part in parts for bits in part.bits]
    return KeptMasks(
        bits, *(np.concatenate(arrays) for arrays in zip(*(part._arrays() for part in parts), strict=True))
    )


def _packed(mask: BoolMask, box: NDArray[np.int32]) -> bytes:
    x0, y0, x1, y1 = box
    return zlib.compress(np.packbits(mask[y0 : y1 + 1, x0 : x1 + 1]).tobytes(), level=1)


_NO_SCORES = np.zeros(0, np.float32)
_NONE = KeptMasks(
    [],
    np.zeros((0, 4), np.int32),
    _NO_SCORES,
    _NO_SCORES,
    np.zeros((0, 2), np.float32),
    np.zeros(0, np.int64),
    _NO_SCORES,
)
