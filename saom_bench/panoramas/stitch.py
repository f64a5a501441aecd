"""Stitching: which view each pixel of a surface is taken from, and where in it. Worked out once for each geometry.

Each pixel belongs to the view whose middle it is nearest to. Labels, parts and depth are that view's nearest pixel,
never a mixture; colours are blended (blending.py) across the same seams.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from saom_bench.errors import SaomBenchError
from saom_bench.masks import column_arc
from saom_bench.panoramas.lenses import Camera, Doubles, Lens
from saom_bench.types import FloatArray, Size

NOBODY = 255
"""The owner of a pixel that no view shows."""
MAX_VIEWS = 254
WIDEST_FOV_DEG = 150.0
"""A flat picture wider than this is all border: more views are the remedy."""
_BAND_ROWS = 128
_SNAP = 1e-6
_TIE_RAD = 1e-9
Owners = NDArray[np.uint8]


@dataclass(frozen=True)
class Patch:
    """A rectangle of the surface and where one view shows it. Columns may run on past the last into the first."""

    view: int
    rows: slice
    first_column: int
    maps: tuple[NDArray[Any], NDArray[Any]] = field(repr=False)
    """For cv2.remap."""
    weight: FloatArray = field(repr=False)
    """(h, w) the view's share of each pixel."""
    border: int = cv2.BORDER_REPLICATE

    @cached_property
    def mask(self) -> NDArray[np.uint8] | None:
        """(h, w) 1 where the view has a share, else 0; None where it has one everywhere."""
        return None if self.weight.all() else np.asarray(self.weight > 0, np.uint8)

    @property
    def size_hw(self) -> Size:
        """(h, w) of the patch."""
        height, width = self.maps[0].shape[:2]
        return int(height), int(width)

    def spans(self, width: int) -> Iterator[tuple[slice, slice]]:
        """Pairs of columns of a surface ``width`` wide and columns of the patch."""
        start, left = self.first_column % width, 0
        while left < self.size_hw[1]:
            count = min(width - start, self.size_hw[1] - left)
            yield slice(start, start + count), slice(left, left + count)
            start, left = 0, left + count


class Stitching:
    """From posed views to one surface. Build it with ``stitching``, which keeps the recent ones."""

    def __init__(self, views: tuple[Lens, ...], target: Lens) -> None:
        self.views, self.target = views, target
        _check_views(views)
        self._rays = target.rays()
        self.owners = self._owners()
        """(H, W) uint8 number of the view that each pixel is taken from, NOBODY where none shows it."""
        self.patches = tuple(self._owned(k) for k in range(len(views)) if (self.owners == k).any())

    @property
    def rays(self) -> Doubles:
        """(3, H, W) rays through the surface's pixels."""
        return self._rays

    @property
    def covered(self) -> float:
        """Share of the surface's pixels that some view shows."""
        return float((self.owners != NOBODY).mean())

    def check_coverage(self) -> None:
        """Raise SaomBenchError, with the field of view that would be needed, unless every pixel is shown."""
        if self.covered < 1:
            raise SaomBenchError(_uncovered(self))

    def nearest(self, layers: Sequence[NDArray[Any]], empty: float = 0) -> NDArray[Any]:
        """(H, W) the owning view's nearest pixel of one layer a view: labels, ids, parts or depth. Never blended.

        Pixels that no view shows are ``empty``. Raises SaomBenchError when a layer is missing or of another size.
        """
        self.check_pictures(layers, "layers")
        result = np.full(self.target.size_hw, empty, layers[0].dtype)
        for patch in self.patches:
            found = _remapped(layers[patch.view], patch)
            for there, here in patch.spans(result.shape[1]):
                where = True if patch.mask is None else patch.mask[:, here].view(np.bool_)
                np.copyto(result[patch.rows, there], found[:, here], where=where)
        return result

    def check_pictures(self, pictures: Sequence[NDArray[Any]], what: str = "pictures") -> None:
        """Raise SaomBenchError unless there is one for each view, each of its view's size."""
        if len(pictures) != len(self.views):
            raise SaomBenchError(
                f"{len(pictures)} {what} for {len(self.views)} views; a panorama needs one of each view"
            )
        for k, (picture, view) in enumerate(zip(pictures, self.views, strict=True)):
            if picture.shape[:2] != view.size_hw:
                raise SaomBenchError(
                    f"view {k} is {picture.shape[1]}x{picture.shape[0]} and should be {view.size_hw[1]}x"
                    f"{view.size_hw[0]}; take all views of one size"
                )

    def _owners(self) -> Owners:
        height, width = self.target.size_hw
        owners = np.full((height, width), NOBODY, np.uint8)
        for start in range(0, height, _BAND_ROWS):
            rows = slice(start, start + _BAND_ROWS)
            nearest = np.full(owners[rows].shape, np.inf)
            for k, view in enumerate(self.views):
                off = view.project(self._rays[:, rows])[2]
                # Half way between two views the first has it, whatever the arithmetic's noise.
                closer = off < nearest - _TIE_RAD
                owners[rows][closer], nearest[closer] = k, off[closer]
        return owners

    def _owned(self, view: int) -> Patch:
        rows, first, count = bounds(self.owners == view, self.target.wraps)
        x, y, _ = self.views[view].project(self.block(rows, first, count))
        height, width = self.views[view].size_hw
        column = np.floor(x + _SNAP).astype(np.int64)
        column = column % width if self.views[view].wraps else np.clip(column, 0, width - 1)
        row = np.clip(np.floor(y + _SNAP), 0, height - 1)
        places = np.stack([column, row], axis=-1).astype(np.int16)
        # Whole pixels: no fractions to interpolate by.
        columns = np.arange(first, first + count) % self.target.size_hw[1]
        own = np.asarray(self.owners[rows][:, columns] == view, np.float32)
        return Patch(view, rows, first, (places, np.empty((0, 0), np.uint16)), own)

    def block(self, rows: slice, first: int, count: int) -> Doubles:
        """(3, h, count) rays of some rows, and of columns that may run on past the last."""
        columns = np.arange(first, first + count) % self.target.size_hw[1]
        return self._rays[:, rows][:, :, columns]


def linear_maps(view: Lens, rays: Doubles) -> tuple[tuple[NDArray[Any], NDArray[Any]], int]:
    """Maps of cv2.remap that sample a view along (3, h, w) rays, and how it treats the view's border."""
    x, y, _ = view.project(rays)
    height, width = view.size_hw
    y = np.clip(y - 0.5, 0, height - 1)
    x = x - 0.5 if view.wraps else np.clip(x - 0.5, 0, width - 1)
    maps = cv2.convertMaps(x.astype(np.float32), y.astype(np.float32), cv2.CV_16SC2)
    return maps, cv2.BORDER_WRAP if view.wraps else cv2.BORDER_REPLICATE


@lru_cache(maxsize=4)
def stitching(views: tuple[Lens, ...], target: Lens) -> Stitching:
    """The stitching of a geometry, the last four of which are kept. Raises SaomBenchError for fewer than one view."""
    return Stitching(views, target)


def bounds(mask: NDArray[np.bool_], wraps: bool) -> tuple[slice, int, int]:
    """The rows, the first column and the number of columns of the smallest rectangle round a mask that is not empty;
    where the surface wraps, it may run on past the last column."""
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.asarray(mask.any(axis=0))
    at = np.flatnonzero(columns)
    first, count = column_arc(columns) if wraps else (int(at[0]), int(at[-1] - at[0]) + 1)
    return slice(int(rows[0]), int(rows[-1]) + 1), first, count


def _remapped(layer: NDArray[Any], patch: Patch) -> NDArray[Any]:
    """OpenCV copies pixels of 1, 2 or 4 bytes, whatever they mean."""
    stand_in = {1: np.uint8, 2: np.uint16, 4: np.float32}.get(layer.dtype.itemsize)
    if stand_in is None or layer.ndim != 2:
        raise SaomBenchError(
            f"a layer of {layer.dtype} {layer.shape} cannot be stitched; give (H, W) of 1, 2 or 4 bytes"
        )
    if layer.dtype.itemsize == 4 and layer.dtype != np.float32:
        # As four channels: as a float, an integer might be taken for no number.
        bytes_ = np.ascontiguousarray(layer).view(np.uint8).reshape(*layer.shape, 4)
        return np.ascontiguousarray(cv2.remap(bytes_, *patch.maps, cv2.INTER_NEAREST)).view(layer.dtype)[..., 0]
    found = cv2.remap(np.ascontiguousarray(layer).view(stand_in), *patch.maps, cv2.INTER_NEAREST)
    return found.view(layer.dtype)


def _check_views(views: tuple[Lens, ...]) -> None:
    if not views:
        raise SaomBenchError("no views: a panorama needs at least one")
    if len(views) > MAX_VIEWS:
        raise SaomBenchError(f"{len(views)} views are more than {MAX_VIEWS}; take fewer, wider ones")
    sizes = list(dict.fromkeys(view.size_hw for view in views))
    if len(sizes) > 1:
        listed = " and ".join(f"{width}x{height}" for height, width in sizes[:3])
        raise SaomBenchError(f"the views have mixed sizes, {listed}; take all views of one size")


def _uncovered(stitched: Stitching) -> str:
    """One line: how much is missing, and what would mend it."""
    views = stitched.views
    line = f"{len(views)} views leave {100 * (1 - stitched.covered):.1f} % of the panorama uncovered"
    cameras = [view for view in views if isinstance(view, Camera)]
    if len(cameras) < len(views):
        return f"{line}; add views"
    open_ = stitched.rays[:, stitched.owners == NOBODY]
    slope = np.full(open_.shape[1], np.inf)
    for camera in cameras:
        slope = np.minimum(slope, camera.slope_needed(open_))
    needed = math.degrees(2 * math.atan(float(slope.max())))
    has = max(camera.fov_deg for camera in cameras)
    if needed > WIDEST_FOV_DEG:
        return f"{line} with a field of view of {has:g} degrees, and no wider one would do: take more views"
    return f"{line}: their field of view is {has:g} degrees, and {math.ceil(needed * 10) / 10:g} would be needed"
