"""Colours of a panorama: views made equally bright, then blended across the seams.

"nearest" takes the owning view's colour, smoothly sampled; "feather" fades over a narrow band along each seam;
"multiband" fades coarse detail over wide bands and fine detail over narrow ones, for views that do not quite agree.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from saom_bench.errors import unknown
from saom_bench.panoramas.lenses import Lens
from saom_bench.panoramas.stitch import NOBODY, Patch, Stitching, bounds, linear_maps
from saom_bench.types import FloatArray, RgbImage

_FEATHER_DEG = 3.0
_RIM_PX = 4.0
"""A view's share fades out over so many pixels at its border."""
_LEVELS = 4
_GRID_PX = 8
"""Overlaps are compared at every so many-th pixel."""
_GAIN_NOISE, _GAIN_SPREAD = 1.0, 0.1
"""Of gains: grey levels by which equal surfaces differ, and how far a gain should stray from 1."""
_SAME_GAIN = 0.005
"""Gains this near to 1 are noise: colours then stay as they were taken."""


def colors(
    stitched: Stitching, pictures: Sequence[RgbImage], blend: str = "feather", equalise: bool = True
) -> RgbImage:
    """(H, W, 3) the panorama's colours; black where no view shows a pixel.

    Raises SaomBenchError for an unknown blend, or a picture that is missing or of another size.
    """
    if blend not in _BLENDS:
        raise unknown("blend", blend, _BLENDS)
    stitched.check_pictures(pictures)
    gains = exposure_gains(stitched, pictures) if equalise else np.ones(len(pictures))
    return _BLENDS[blend](stitched, pictures, gains)


def exposure_gains(stitched: Stitching, pictures: Sequence[RgbImage]) -> NDArray[np.float64]:
    """(N,) factors that make the views equally bright where they overlap (Brown and Lowe's least squares)."""
    means, counts = _overlaps(stitched, pictures)
    n = len(pictures)
    if not counts.any():
        return np.ones(n)
    normal = np.diag(counts.sum(axis=1) / _GAIN_SPREAD**2)
    normal += np.diag((counts * means**2).sum(axis=1) * 2 / _GAIN_NOISE**2)
    normal -= counts * means * means.T * 2 / _GAIN_NOISE**2
    wanted = counts.sum(axis=1) / _GAIN_SPREAD**2
    alone = wanted == 0
    normal[alone, alone], wanted[alone] = 1.0, 1.0
    gains = np.linalg.solve(normal, wanted)
    return np.where(np.abs(gains - 1) < _SAME_GAIN, 1.0, gains)


def _overlaps(stitched: Stitching, pictures: Sequence[RgbImage]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(N, N) mean brightness of view i where it overlaps view k, and the number of points compared."""
    points = _overlap_points(stitched)
    n = len(pictures)
    seen = np.full((n, points.shape[2]), np.nan)
    for k, picture in enumerate(pictures):
        x, y = points[k]
        inside = x >= 0
        level = picture[y[inside], x[inside]].mean(axis=1)
        # Black and burnt-out pixels tell nothing of a gain.
        seen[k, inside] = np.where((level > 8) & (level < 247), level, np.nan)
    valid = ~np.isnan(seen)
    filled = np.where(valid, seen, 0.0)
    counts = valid.astype(np.float64) @ valid.T.astype(np.float64)
    np.fill_diagonal(counts, 0)
    sums = filled @ valid.T.astype(np.float64)
    return np.where(counts > 0, sums / np.maximum(counts, 1), 0.0), counts


@lru_cache(maxsize=4)
def _overlap_points(stitched: Stitching) -> NDArray[np.int32]:
    """(N, 2, P) pixel x and y of each view at a coarse grid of points; -1 where a view does not show one."""
    rays = stitched.rays[:, _GRID_PX // 2 :: _GRID_PX, _GRID_PX // 2 :: _GRID_PX].reshape(3, -1)
    found = np.full((len(stitched.views), 2, rays.shape[1]), -1, np.int32)
    for k, view in enumerate(stitched.views):
        x, y, off = view.project(rays)
        inside = np.isfinite(off)
        found[k, 0, inside] = np.clip(x[inside], 0, view.size_hw[1] - 1)
        found[k, 1, inside] = np.clip(y[inside], 0, view.size_hw[0] - 1)
    return found


def _nearest(stitched: Stitching, pictures: Sequence[RgbImage], gains: NDArray[np.float64]) -> RgbImage:
    result = np.zeros((*stitched.target.size_hw, 3), np.uint8)
    for patch in _shares(stitched, 0.0):
        found = _sampled(pictures, gains, patch)
        for there, here in patch.spans(result.shape[1]):
            if patch.mask is None:
                result[patch.rows, there] = found[:, here]
            else:
                cv2.copyTo(found[:, here], patch.mask[:, here], result[patch.rows, there])
    return result


def _feathered(stitched: Stitching, pictures: Sequence[RgbImage], gains: NDArray[np.float64]) -> RgbImage:
    """Each pixel the weighted mean of the views that have a share in it."""
    total = np.zeros((*stitched.target.size_hw, 3), np.float32)
    width = total.shape[1]
    for patch in _shares(stitched, _FEATHER_DEG):
        found = _sampled(pictures, gains, patch)
        weight = np.repeat(patch.weight[..., None], 3, axis=2)
        for there, here in patch.spans(width):
            total[patch.rows, there] += found[:, here] * weight[:, here]
    total += np.float32(0.5)
    return total.astype(np.uint8)


def _multiband(stitched: Stitching, pictures: Sequence[RgbImage], gains: NDArray[np.float64]) -> RgbImage:
    """Burt and Adelson's pyramids: each band of detail is blended over a width of its own scale."""
    height, width = stitched.target.size_hw
    levels = _levels(stitched.target)
    step = 2**levels
    padded = (-(-height // step) * step, -(-width // step) * step)
    sums = [np.zeros((padded[0] >> n, padded[1] >> n, 3), np.float32) for n in range(levels + 1)]
    weights = [np.zeros(total.shape[:2], np.float32) for total in sums]
    for patch in _wide_shares(stitched, levels):
        bands = _bands(_sampled(pictures, gains, patch).astype(np.float32), levels)
        shares = _smaller(patch.weight, levels)
        for n, (band, share) in enumerate(zip(bands, shares, strict=True)):
            _add(sums[n], band * share[..., None], patch, n)
            _add(weights[n], share, patch, n)
    picture = _mean(sums[-1], weights[-1])
    for total, weight in zip(sums[-2::-1], weights[-2::-1], strict=True):
        picture = _larger(picture, stitched.target.wraps) + _mean(total, weight)
    result: RgbImage = np.clip(picture[:height, :width] + 0.5, 0, 255).astype(np.uint8)
    result[stitched.owners == NOBODY] = 0
    return result


_BLENDS: dict[str, Callable[[Stitching, Sequence[RgbImage], NDArray[np.float64]], RgbImage]] = {
    "nearest": _nearest,
    "feather": _feathered,
    "multiband": _multiband,
}
BLENDS = tuple(_BLENDS)


def _sampled(pictures: Sequence[RgbImage], gains: NDArray[np.float64], patch: Patch) -> RgbImage:
    """(h, w, 3) a patch of the panorama from one view."""
    picture = pictures[patch.view]
    found: RgbImage = np.asarray(cv2.remap(picture, *patch.maps, cv2.INTER_LINEAR, borderMode=patch.border), np.uint8)
    gain = float(gains[patch.view])
    return found if gain == 1 else np.asarray(cv2.convertScaleAbs(found, alpha=gain), np.uint8)


@lru_cache(maxsize=4)
def _shares(stitched: Stitching, feather_deg: float) -> tuple[Patch, ...]:
    """What each view gives to the blend, and its weight in it; the weights of a pixel sum to 1."""
    nearest = _nearest_off(stitched)
    total = np.zeros(nearest.shape, np.float32)
    found = []
    for k in range(len(stitched.views)):
        weight = _weight(stitched, k, nearest, np.radians(feather_deg))
        if weight.any():
            total += weight
            found.append((k, weight))
    return tuple(_patch(stitched, k, _mean(weight[..., None], total)[..., 0]) for k, weight in found)


def _weight(stitched: Stitching, view: int, nearest: FloatArray, feather_rad: float) -> FloatArray:
    """(H, W) before weights are made to sum to 1: falls from the owner's seams outwards, and at the view's rim."""
    lens = stitched.views[view]
    own = stitched.owners == view
    if feather_rad == 0:
        return np.asarray(own, np.float32)
    x, y, off = lens.project(stitched.rays)
    height, width = lens.size_hw
    rim = np.minimum(y, height - y) if lens.wraps else np.minimum(np.minimum(x, width - x), np.minimum(y, height - y))
    with np.errstate(invalid="ignore"):
        near = 1 - (off - nearest) / feather_rad
    weight = np.where(np.isfinite(off), np.clip(near, 0, 1) * np.clip(rim / _RIM_PX, 0, 1), 0)
    # A pixel that only its owner shows is the owner's, even at its very rim.
    result: FloatArray = np.where(own, np.maximum(weight, 1e-3), weight).astype(np.float32)
    return result


def _nearest_off(stitched: Stitching) -> FloatArray:
    """(H, W) radians from each pixel's ray to the middle of the view that owns it."""
    nearest: FloatArray = np.full(stitched.target.size_hw, np.inf, np.float32)
    for lens in stitched.views:
        np.minimum(nearest, lens.project(stitched.rays)[2], out=nearest, casting="same_kind")
    return nearest


@lru_cache(maxsize=2)
def _wide_shares(stitched: Stitching, levels: int) -> tuple[Patch, ...]:
    """Each view's own pixels, weight 1, with a margin wide enough for the coarsest band, on the coarsest grid."""
    found = []
    step = 2**levels
    for k in range(len(stitched.views)):
        own = stitched.owners == k
        if not own.any():
            continue
        rows, first, count = bounds(own, stitched.target.wraps)
        top, bottom = _spread(rows.start, rows.stop, step)
        left, right = _spread(first, first + count, step)
        height, width = (-(-n // step) * step for n in stitched.target.size_hw)
        if not stitched.target.wraps:
            left, right = max(0, left), min(width, right)
        elif right - left > width:
            left, right = 0, width
        found.append(_margin_patch(stitched, k, slice(max(0, top), min(height, bottom)), left, right - left))
    return tuple(found)


def _spread(start: int, stop: int, step: int) -> tuple[int, int]:
    return (start // step - 2) * step, (-(-stop // step) + 2) * step


def _margin_patch(stitched: Stitching, view: int, rows: slice, first: int, count: int) -> Patch:
    """A patch that may reach past the surface's rows and columns, where it repeats its border and weighs nothing."""
    height, width = stitched.target.size_hw
    row_at = np.minimum(np.arange(rows.start, rows.stop), height - 1)
    columns = np.arange(first, first + count)
    column_at = columns % width if stitched.target.wraps else np.minimum(columns, width - 1)
    own = (stitched.owners == view)[row_at][:, column_at]
    own[np.arange(rows.start, rows.stop) >= height] = False
    if not stitched.target.wraps:
        own[:, columns >= width] = False
    maps, border = linear_maps(stitched.views[view], stitched.rays[:, row_at][:, :, column_at])
    return Patch(view, rows, first, maps, own.astype(np.float32), border)


def _patch(stitched: Stitching, view: int, weight: FloatArray) -> Patch:
    rows, first, count = bounds(weight > 0, stitched.target.wraps)
    maps, border = linear_maps(stitched.views[view], stitched.block(rows, first, count))
    columns = np.arange(first, first + count) % weight.shape[1]
    return Patch(view, rows, first, maps, np.ascontiguousarray(weight[rows][:, columns]), border)


def _levels(target: Lens) -> int:
    """Bands of detail beside the rest: a surface that wraps must halve evenly."""
    levels = _LEVELS
    while levels and target.wraps and target.size_hw[1] % 2**levels:
        levels -= 1
    return levels


def _bands(picture: FloatArray, levels: int) -> list[FloatArray]:
    """The picture's detail, finest first, and what remains."""
    bands = []
    for _ in range(levels):
        rest = _half(picture)
        bands.append(picture - cv2.pyrUp(rest, dstsize=picture.shape[1::-1]))
        picture = rest
    return [*bands, picture]


def _smaller(weight: FloatArray, levels: int) -> list[FloatArray]:
    weights = [weight]
    for _ in range(levels):
        weights.append(_half(weights[-1]))
    return weights


def _mean(total: FloatArray, weight: FloatArray) -> FloatArray:
    return np.asarray(total / np.maximum(weight, np.float32(1e-6))[..., None], np.float32)


def _half(picture: FloatArray) -> FloatArray:
    return np.asarray(cv2.pyrDown(picture), np.float32)


def _larger(picture: FloatArray, wraps: bool) -> FloatArray:
    """Twice the size; where the surface wraps, the first and last columns are neighbours."""
    if not wraps:
        return np.asarray(cv2.pyrUp(picture), np.float32)
    padded: FloatArray = np.concatenate([picture[:, -2:], picture, picture[:, :2]], axis=1)
    return np.asarray(cv2.pyrUp(padded)[:, 4:-4], np.float32)


def _add(total: FloatArray, part: FloatArray, patch: Patch, level: int) -> None:
    """Add a patch's band to its place in the whole, which is smaller by 2 ** level."""
    height, width = part.shape[:2]
    top, start, left = patch.rows.start >> level, (patch.first_column >> level) % total.shape[1], 0
    while left < width:
        count = min(total.shape[1] - start, width - left)
        total[top : top + height, start : start + count] += part[:, left : left + count]
        start, left = 0, left + count
