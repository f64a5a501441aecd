"""The way back: flat views cut out of a panorama, and what was found on such views laid on the panorama again by id."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saom_bench.panoramas.blending import colors
from saom_bench.panoramas.lenses import Camera, Lens
from saom_bench.panoramas.stitch import NOBODY, stitching
from saom_bench.types import BoolMask, RgbImage


def unproject(
    panorama: Lens, rgb: RgbImage, layers: Sequence[NDArray[Any]], view: Lens
) -> tuple[RgbImage, list[NDArray[Any]], BoolMask]:
    """Cut a view out of a panorama: its colours, its layers (labels, ids, parts, ray distances), and where it covers.

    Colours are (H, W, 3) and smoothly sampled; a layer's pixel is the panorama's nearest one, 0 where the panorama does
    not reach. Raises SaomBenchError when a picture has not the panorama's size.
    """
    cut = stitching((panorama,), view)
    picture = colors(cut, [rgb], "nearest", equalise=False)
    return picture, [cut.nearest([layer]) for layer in layers], cut.owners != NOBODY


def project(views: Sequence[Lens], layers: Sequence[NDArray[Any]], panorama: Lens) -> NDArray[Any]:
    """(H, W) one layer of each view, whose ids mean the same in all of them, laid on the panorama; 0 where no view
    reaches. With views fine enough (``tiles``) what ``unproject`` cut out comes back to the last pixel."""
    return stitching(tuple(views), panorama).nearest(layers)


def tiles(panorama: Lens, count: int, size_hw: tuple[int, int], fov_deg: float = 90.0) -> tuple[Camera, ...]:
    """Cameras of ``size_hw`` that look evenly round a panorama of a full circle, or along a part of one."""
    hfov_deg = getattr(panorama, "hfov_deg", 360.0)
    yaw_deg = float(getattr(panorama, "yaw_deg", 0.0))
    step = hfov_deg / count
    first = yaw_deg - (hfov_deg - step) / 2
    return tuple(Camera(size_hw, (first + k * step) % 360.0, fov_deg=fov_deg) for k in range(count))


def joined(
    views: Sequence[Lens], masks: Sequence[NDArray[Any]], panorama: Lens, least_iou: float = 0.5
) -> NDArray[Any]:
    """(H, W) uint16 label maps that were numbered view by view, joined to one of the panorama's, numbered 1..N.

    Where two views both show a place, their objects are one when, over what both views show, the one's pixels are the
    other's (intersection over union of at least ``least_iou``). An object is thus joined across seams, 0/360 included.
    """
    stitched = stitching(tuple(views), panorama)
    laid = [_laid(view, mask, panorama) for view, mask in zip(views, masks, strict=True)]
    offsets = np.cumsum([0, *(int(mask.max()) for mask in masks)])
    parent = np.arange(int(offsets[-1]) + 1)
    for i in range(len(views)):
        for k in range(i):
            for a, b in _same(laid[i], laid[k], least_iou):
                _unite(parent, int(offsets[i]) + a, int(offsets[k]) + b)
    roots = np.array([_root(parent, n) for n in range(len(parent))])
    numbered = [
        np.where(mask > 0, mask.astype(np.int64) + int(offset), 0).astype(np.uint16)
        for mask, offset in zip(masks, offsets[:-1], strict=True)
    ]
    found = roots[stitched.nearest(numbered)]
    kept = np.unique(found[found > 0])
    lookup = np.zeros(len(parent), np.uint16)
    lookup[kept] = np.arange(1, len(kept) + 1)
    return np.asarray(lookup[found])


def _laid(view: Lens, mask: NDArray[Any], panorama: Lens) -> tuple[NDArray[Any], BoolMask]:
    """All that one view shows of the panorama, its own pixels or not."""
    alone = stitching((view,), panorama)
    return alone.nearest([mask]), alone.owners != NOBODY


def _same(
    one: tuple[NDArray[Any], BoolMask], other: tuple[NDArray[Any], BoolMask], least_iou: float
) -> list[tuple[int, int]]:
    """Pairs of labels of two views that are one object."""
    both = one[1] & other[1]
    a, b = one[0][both].astype(np.int64), other[0][both].astype(np.int64)
    if not a.size:
        return []
    width = int(b.max()) + 1
    pairs, counts = np.unique(a * width + b, return_counts=True)
    areas_a, areas_b = np.bincount(a), np.bincount(b)
    found = []
    for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
        i, k = divmod(pair, width)
        if i and k and count / (areas_a[i] + areas_b[k] - count) >= least_iou:
            found.append((i, k))
    return found


def _root(parent: NDArray[Any], n: int) -> int:
    while parent[n] != n:
        parent[n] = parent[parent[n]]
        n = int(parent[n])
    return n


def _unite(parent: NDArray[Any], a: int, b: int) -> None:
    low, high = sorted((_root(parent, a), _root(parent, b)))
    parent[high] = low
