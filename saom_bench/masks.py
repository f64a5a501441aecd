"""Masks: label maps to boxes and areas in one pass, boolean masks to COCO run lengths and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
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


def encode_labels(labels: LabelMap, wanted: Sequence[int]) -> list[Rle]:
    """``encode_rle`` of each wanted label's mask, in one pass over the (H, W) map; an absent label's mask is empty."""
    if not wanted:
        return []
    flat = np.ascontiguousarray(labels.T).reshape(-1)
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    bounds = np.stack([starts, np.append(starts[1:], flat.size)], axis=1)
    of_run = flat[starts]
    order = np.argsort(of_run, kind="stable")
    first, last = (np.searchsorted(of_run[order], wanted, side=side) for side in ("left", "right"))
    found = []
    for low, high in zip(first, last, strict=True):
        runs = bounds[order[low:high]].reshape(-1)
        # COCO begins with a run of zeros, however short, and ends with the last run that is not empty.
        ends = runs if runs.size and runs[-1] == flat.size else np.append(runs, flat.size)
        found.append({"size": list(labels.shape), "counts": np.diff(ends, prepend=0).tolist()})
    height, width = labels.shape
    return [
        {"size": [height, width], "counts": rle["counts"].decode("ascii")}
        for rle in _coco.frPyObjects(found, height, width)
    ]


def decode_rle(rle: Rle) -> BoolMask:
    """The (H, W) boolean mask of COCO's compressed run lengths."""
    height, width = rle["size"]
    return np.ascontiguousarray(rle_runs([rle])[0].columns(height, 0, width).T)


@dataclass(frozen=True)
class Runs:
    """Where the runs of a mask begin and end (half-open), counted down the columns, in order and apart."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    def inside(self, start: int, stop: int) -> BoolMask:
        """(stop - start,) True inside the runs, from one place to another."""
        bounds = np.empty(2 * len(self.starts) + 2, np.int64)
        bounds[0], bounds[1:-1:2], bounds[2:-1:2], bounds[-1] = start, self.starts, self.ends, stop
        bounds = bounds.clip(start, stop)
        lengths = bounds[1:] - bounds[:-1]
        return np.repeat(np.arange(lengths.size) % 2 == 1, lengths)

    def columns(self, height: int, x0: int, x1: int) -> BoolMask:
        """(x1 - x0, height): the columns from x0 to x1 (half-open), each as a row, which is how runs lie in memory."""
        columns: BoolMask = self.inside(x0 * height, x1 * height).reshape(x1 - x0, height)
        return columns


def rle_runs(rles: Sequence[Rle]) -> list[Runs]:
    """The runs of each mask.

    COCO writes the lengths of runs, of zeros first, in groups of five bits with a flag for "more follows"; from the
    fourth on as the difference to the one before the last.
    """
    texts = [rle["counts"].encode("ascii") for rle in rles]
    digits = np.frombuffer(b"".join(texts), np.uint8) - 48
    last = np.flatnonzero(digits < 32)
    numbers = _signed_numbers(digits, last)
    bounds = np.searchsorted(last, np.cumsum([0, *map(len, texts)]))
    return [_runs(numbers[start:stop]) for start, stop in pairwise(bounds)]


def _signed_numbers(digits: NDArray[np.uint8], last: NDArray[np.intp]) -> NDArray[np.int64]:
    """The numbers whose groups of bits, lowest first, end at ``last``; the last group's highest bit is the sign."""
    if not last.size:
        return np.zeros(0, np.int64)
    first = np.concatenate([[0], last[:-1] + 1])
    widths = last - first + 1
    shifts = 5 * (np.arange(digits.size) - np.repeat(first, widths))
    numbers = np.add.reduceat((digits & 31).astype(np.int64) << shifts, first)
    numbers[digits[last] & 16 > 0] -= (1 << (5 * widths))[digits[last] & 16 > 0]
    return numbers


def _runs(lengths: NDArray[np.int64]) -> Runs:
    lengths[1::2] = lengths[1::2].cumsum()
    lengths[2::2] = lengths[2::2].cumsum()
    bounds = lengths.cumsum()
    ends = bounds[1::2]
    return Runs(bounds[0::2][: ends.size], ends)


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


def shares_inside(masks: Sequence[Rle], others: Sequence[Rle]) -> NDArray[np.float64]:
    """(N, M) share of each of N masks, 0 to 1, that lies in each of M others of its size; 0 of an empty mask."""
    if not masks or not others:
        return np.zeros((len(masks), len(others)))
    # COCO's IoU with a crowd is over the first mask alone.
    return np.asarray(_coco.iou([_bytes(r) for r in masks], [_bytes(r) for r in others], [1] * len(others)))


def rle_boxes(rles: Sequence[Rle]) -> list[list[float]]:
    """COCO's box [x, y, width, height] around each mask."""
    if not rles:
        return []
    return [[float(v) for v in box] for box in np.asarray(_coco.toBbox([_bytes(r) for r in rles]))]


def _bytes(rle: Rle) -> dict[str, object]:
    return {"size": rle["size"], "counts": rle["counts"].encode("ascii")}
