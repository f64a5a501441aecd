"""Masks: label maps to boxes and areas in one pass, boolean masks to COCO run lengths and back."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from faster_coco_eval.core import mask as _coco
from numpy.typing import NDArray

from saom_bench.types import BoolMask, Box, LabelMap, Rle, Size


def areas_and_boxes(labels: LabelMap, wraps: bool = False) -> dict[int, tuple[int, Box]]:
    """Area in pixels and half-open box of every non-zero label of an (H, W) map, in one pass over its pixels.

    Where the map wraps, a box is the shortest way round: it may begin before the last column and end after the first.
    """
    found = _areas_and_boxes(labels)
    if not wraps:
        return found
    width = labels.shape[1]
    # The shortest way round is another only for an object with a gap wider than that between its ends and the edges.
    broad = [label for label, (_, (x0, _, x1, _)) in found.items() if 2 * (x1 - x0) > width]
    for label in broad:
        area, (_, y0, _, y1) = found[label]
        first, count = column_arc(np.asarray((labels[y0:y1] == label).any(axis=0)))
        found[label] = area, (first, y0, first + count, y1)
    return found


def column_arc(columns: BoolMask) -> tuple[int, int]:
    """First column and length of the shortest run, round the circle, that holds all True columns of at least one."""
    at = np.flatnonzero(columns)
    gaps = np.diff(at, append=at[0] + len(columns))
    # Of equal gaps the last: a run that need not wrap does not.
    widest = len(gaps) - 1 - int(np.argmax(gaps[::-1]))
    return int(at[(widest + 1) % len(at)]), len(columns) - int(gaps[widest]) + 1


def _areas_and_boxes(labels: LabelMap) -> dict[int, tuple[int, Box]]:
    ys, xs = np.nonzero(labels)
    if ys.size == 0:
        return {}
    values = labels[ys, xs]
    order = np.argsort(values, kind="stable")
    values, ys, xs = values[order], ys[order], xs[order]
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    areas = np.diff(np.r_[starts, values.size])
    x0, x1 = np.minimum.reduceat(xs, starts), np.maximum.reduceat(xs, starts) + 1
    y0, y1 = np.minimum.reduceat(ys, starts), np.maximum.reduceat(ys, starts) + 1
    return {
        int(values[s]): (int(a), (int(left), int(top), int(right), int(bottom)))
        for s, a, left, top, right, bottom in zip(starts, areas, x0, y0, x1, y1, strict=True)
    }


def encode_rle(mask: BoolMask) -> Rle:
    """An (H, W) boolean mask as COCO's compressed run lengths."""
    rle = _coco.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": [int(n) for n in rle["size"]], "counts": rle["counts"].decode("ascii")}


def decode_rle(rle: Rle) -> BoolMask:
    """The (H, W) boolean mask of COCO's compressed run lengths."""
    mask: BoolMask = np.ascontiguousarray(_coco.decode(_bytes(rle))).astype(np.bool_)
    return mask


def rle_runs(rle: Rle) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where a mask's runs begin and end (half-open), counted down the columns.

    COCO writes the lengths of runs, of zeros first, in groups of five bits with a flag for "more follows"; from the
    fourth on as the difference to the one before the last.
    """
    digits = np.frombuffer(rle["counts"].encode("ascii"), np.uint8).astype(np.int64) - 48
    last = np.flatnonzero(digits & 32 == 0)
    if not last.size:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    first = np.r_[0, last[:-1] + 1]
    widths = last - first + 1
    shifts = 5 * (np.arange(digits.size) - np.repeat(first, widths))
    lengths = np.add.reduceat((digits & 31) << shifts, first)
    lengths -= np.where(digits[last] & 16, 1 << (5 * widths), 0)
    lengths[1::2] = lengths[1::2].cumsum()
    lengths[2::2] = lengths[2::2].cumsum()
    bounds = lengths.cumsum()
    ends = bounds[1::2]
    return bounds[0::2][: ends.size], ends


def decode_segmentation(segmentation: Any, size_hw: Size) -> BoolMask:
    """The (H, W) mask of any of COCO's kinds: polygons, plain run lengths, compressed run lengths.

    Raises ValueError for anything else, and for run lengths of another size.
    """
    height, width = size_hw
    if isinstance(segmentation, dict):
        if list(segmentation.get("size", [])) != [height, width]:
            raise ValueError(f"run lengths of size {segmentation.get('size')} for a picture of {[height, width]}")
        counts = segmentation["counts"]
        if isinstance(counts, str):
            return decode_rle(Rle(size=[height, width], counts=counts))
        if sum(counts) != height * width or min(counts, default=0) < 0:
            raise ValueError("run lengths that do not fill the picture")
        values = np.arange(len(counts)) % 2 == 1
        mask: BoolMask = np.repeat(values, counts).reshape(width, height).T
        return np.ascontiguousarray(mask)
    if not isinstance(segmentation, list) or not segmentation:
        raise ValueError("neither polygons nor run lengths")
    if any(len(polygon) < 6 or len(polygon) % 2 for polygon in segmentation):
        raise ValueError("a polygon needs 3 or more points")
    merged = _coco.merge(_coco.frPyObjects(segmentation, height, width))
    return np.ascontiguousarray(_coco.decode(merged)).astype(np.bool_)


def rle_areas(rles: Sequence[Rle]) -> NDArray[np.int64]:
    """(N,) pixels in each mask."""
    if not rles:
        return np.zeros(0, np.int64)
    return np.asarray(_coco.area([_bytes(r) for r in rles]), np.int64)


def rle_boxes(rles: Sequence[Rle]) -> list[list[float]]:
    """COCO's box [x, y, width, height] around each mask."""
    if not rles:
        return []
    return [[float(v) for v in box] for box in np.asarray(_coco.toBbox([_bytes(r) for r in rles]))]


def _bytes(rle: Rle) -> dict[str, object]:
    return {"size": rle["size"], "counts": rle["counts"].encode("ascii")}
