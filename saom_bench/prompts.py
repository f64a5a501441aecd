"""Point grids, and the nearest neighbour assignment: one grid point for every ground-truth object of an image.

The assignment follows the published algorithm. For each object's mask:

1. its half-covered cells on the encoder's 64 x 64 map give a target feature, the mean of their maximum and average;
2. the cosine of that feature with every cell, brought to the image's size by SAM's own chain of bilinear
   resizings, is largest at the *location prior*;
3. the prompt is the point of the grid nearest to the prior.

All those resizings are linear and separable, so each axis is one small matrix, and a mask costs work only within its
bounding box; against the literal chain the result differs by float rounding, and by the rounding of resized masks to
8 bits (at most 1/255 of coverage at the threshold).

Departures from the published code, each with a switch that brings the old behaviour back:

* ``prior="mask"``: the prior is sought inside the mask ("image": anywhere, so it may lie on another object);
* ``snap="inside"``: where the nearest grid point misses the mask but another grid point hits it, the nearest one
  inside is taken ("nearest": always the nearest). Where no grid point hits the mask both take the nearest;
* ``grid_frame="image"``: the grid covers the image ("fixed-1024": it covers 1024 x 1024 pixels whatever the size);
* a mask without any half-covered cell takes its best covered cell and is marked ``no_cell`` (published: dropped).

Only numpy here: the encoder's features come in as an array.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from saom_bench.types import BoolMask, Box, FloatArray, LabelMap, PointPrompts, Size

Prior = Literal["mask", "image"]
Snap = Literal["inside", "nearest"]
GridFrame = Literal["image", "fixed-1024"]

FIXED_FRAME_PX = 1024
CELL_PX = 16
"""A feature cell's side on the encoder's input: 64 cells on 1024 pixels for every published SAM."""
# A mask is drawn as 0 or 255 and normalised like the red channel: a cell is foreground above SAM's red mean.
_FOREGROUND_COVERAGE = 123.675 / 255


@dataclass(frozen=True)
class _Axis:
    """One axis of an image of n pixels against the s cells of its feature map."""

    to_cells: FloatArray
    """(s, n): through SAM's antialiased resize and padding, down to cells."""
    from_cells: FloatArray
    """(n, s): cells x4, x4, without the padding, to the image, as SAM resizes its logits."""
    cell_of: NDArray[np.intp]
    """(n,) the cell that each pixel's centre lies in."""


def grid_points(nx: int, ny: int, size_hw: Size) -> FloatArray:
    """The cell centres of an nx by ny grid over an image of (H, W) pixels: (nx * ny, 2) x, y; row by row."""
    height, width = size_hw
    xs = (np.arange(nx, dtype=np.float32) + 0.5) * (width / nx)
    ys = (np.arange(ny, dtype=np.float32) + 0.5) * (height / ny)
    return np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2).astype(np.float32)


def assign(
    features: FloatArray,
    input_hw: Size,
    labels: LabelMap,
    instance_labels: Sequence[int],
    grid: tuple[int, int] = (32, 32),
    prior: Prior = "mask",
    grid_frame: GridFrame = "image",
    snap: Snap = "inside",
) -> PointPrompts:
    """Assign one grid point to each object of an image; the module's docstring says how.

    Args:
        features: (C, 64, 64) float32, the frozen encoder's output for this image (for a smaller model, (C, s, s)).
        input_hw: the image's size in pixels after the resize of its longest side to 1024 (16 s), before padding.
        labels: (H, W) label map at the image's own size.
        instance_labels: the N labels to assign points to, each present in ``labels``.
        grid: points along x and y.

    Returns:
        N prompts in the order of ``instance_labels``, points in pixels of the label map.

    Raises:
        ValueError: a label without any pixel, or a feature map that is not square or too small for ``input_hw``.
    """
    side = features.shape[-1]
    if features.ndim != 3 or features.shape[1] != side or max(input_hw) > side * CELL_PX:
        raise ValueError(f"features of shape {features.shape} do not fit an input of {input_hw} pixels")
    size_hw: Size = (labels.shape[0], labels.shape[1])
    axes = _axis(size_hw[0], input_hw[0], side), _axis(size_hw[1], input_hw[1], side)
    cells = np.ascontiguousarray(features.reshape(features.shape[0], -1).T, dtype=np.float32)
    unit_cells = cells / np.maximum(np.linalg.norm(cells, axis=1, keepdims=True), 1e-12)
    count = len(instance_labels)
    priors_xy = np.zeros((count, 2), np.float32)
    no_cell = np.zeros(count, np.bool_)
    for i, label in enumerate(instance_labels):
        mask, box = _crop(labels, label)
        foreground, no_cell[i] = _foreground_cells(mask, box, axes)
        similarity = unit_cells @ _target_feature(cells[foreground])
        priors_xy[i] = _location_prior(similarity, mask, box, axes, prior)
    frame_hw = size_hw if grid_frame == "image" else (FIXED_FRAME_PX, FIXED_FRAME_PX)
    wanted = np.asarray(instance_labels, np.uint16)
    grid_xy = grid_points(*grid, frame_hw)
    points_xy = grid_xy[_nearest(priors_xy, grid, frame_hw)]
    if snap == "inside":
        points_xy = _prefer_inside(points_xy, priors_xy, labels, wanted, grid_xy)
    return PointPrompts(points_xy, priors_xy, wanted, no_cell)


def similarity_map(features: FloatArray, input_hw: Size, labels: LabelMap, label: int) -> FloatArray:
    """(H, W) cosine of each pixel's feature with the object's: what ``assign`` seeks the location prior on."""
    side = features.shape[-1]
    axes = _axis(labels.shape[0], input_hw[0], side), _axis(labels.shape[1], input_hw[1], side)
    cells = np.ascontiguousarray(features.reshape(features.shape[0], -1).T, dtype=np.float32)
    unit_cells = cells / np.maximum(np.linalg.norm(cells, axis=1, keepdims=True), 1e-12)
    foreground, _ = _foreground_cells(*_crop(labels, label), axes)
    similarity = (unit_cells @ _target_feature(cells[foreground])).reshape(side, side)
    return np.asarray(axes[0].from_cells @ similarity @ axes[1].from_cells.T)


def off_mask(labels: LabelMap, prompts: PointPrompts) -> BoolMask:
    """(N,) True where a prompt's point does not lie on its own object, because no grid point does (or by choice)."""
    return np.asarray(_labels_at(labels, prompts.points_xy) != prompts.labels)


def _crop(labels: LabelMap, label: int) -> tuple[BoolMask, Box]:
    """The mask of a label cut to its bounding box, and that box."""
    mask = labels == label
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        raise ValueError(f"label {label} has no pixel in this label map")
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    return mask[box[1] : box[3], box[0] : box[2]], box


def _foreground_cells(mask: BoolMask, box: Box, axes: tuple[_Axis, _Axis]) -> tuple[NDArray[np.intp], bool]:
    """Flat indices of the feature cells that the mask half covers; or the cell with most of its pixels, and True."""
    (rows, columns), (x0, y0, x1, y1) = axes, box
    coverage = rows.to_cells[:, y0:y1] @ mask.astype(np.float32) @ columns.to_cells[:, x0:x1].T
    cells = np.flatnonzero(coverage > _FOREGROUND_COVERAGE)
    if cells.size:
        return cells, False
    ys, xs = np.nonzero(mask)
    cell_of_pixel = rows.cell_of[ys + y0] * len(coverage) + columns.cell_of[xs + x0]
    return np.array([np.bincount(cell_of_pixel).argmax()]), True


def _target_feature(cells: FloatArray) -> FloatArray:
    """The unit feature that stands for a set of (n, C) cells: half their maximum, half their mean."""
    target: FloatArray = (cells.max(axis=0) + cells.mean(axis=0)) / 2
    return target / max(float(np.linalg.norm(target)), 1e-12)


def _location_prior(
    similarity: FloatArray, mask: BoolMask, box: Box, axes: tuple[_Axis, _Axis], prior: Prior
) -> tuple[float, float]:
    """Centre (x, y) of the pixel where the upsampled similarity is largest: inside the mask, or anywhere."""
    rows, columns = (axis.from_cells for axis in axes)
    x0, y0, x1, y1 = box if prior == "mask" else (0, 0, len(columns), len(rows))
    upsampled = rows[y0:y1] @ similarity.reshape(rows.shape[1], -1) @ columns[x0:x1].T
    if prior == "mask":
        upsampled = np.where(mask, upsampled, -np.inf)
    y, x = np.unravel_index(int(upsampled.argmax()), upsampled.shape)
    return float(x) + x0 + 0.5, float(y) + y0 + 0.5


def _nearest(priors_xy: FloatArray, grid: tuple[int, int], frame_hw: Size) -> NDArray[np.intp]:
    """Index of the grid point nearest to each prior: on a rectangular grid, the centre of the cell that holds it."""
    counts = np.array(grid)
    cell_px = np.array((frame_hw[1], frame_hw[0])) / counts
    column, row = np.clip(np.floor(priors_xy / cell_px), 0, counts - 1).astype(np.intp).T
    return np.asarray(row * grid[0] + column)


def _prefer_inside(
    points_xy: FloatArray, priors_xy: FloatArray, labels: LabelMap, wanted: NDArray[np.uint16], grid_xy: FloatArray
) -> FloatArray:
    """Move each point that misses its mask to the nearest grid point inside the mask, where there is one."""
    label_of_grid = _labels_at(labels, grid_xy)
    chosen = points_xy.copy()
    for i in np.flatnonzero(_labels_at(labels, points_xy) != wanted):
        inside = grid_xy[label_of_grid == wanted[i]]
        if inside.size:
            chosen[i] = inside[((inside - priors_xy[i]) ** 2).sum(axis=1).argmin()]
    return chosen


def _labels_at(labels: LabelMap, points_xy: FloatArray) -> NDArray[np.uint16]:
    """(N,) the label under each point; 0 outside the image."""
    columns, rows = np.floor(points_xy).astype(np.intp).T
    inside = (columns >= 0) & (rows >= 0) & (columns < labels.shape[1]) & (rows < labels.shape[0])
    found = np.zeros(len(points_xy), np.uint16)
    found[inside] = labels[rows[inside], columns[inside]]
    return found


@lru_cache(maxsize=32)
def _axis(image_px: int, input_px: int, side: int) -> _Axis:
    """One axis of an image that is ``input_px`` long on the encoder's input of ``side`` cells."""
    full_px, low_px = CELL_PX * side, 4 * side
    resized = np.zeros((full_px, image_px), np.float32)
    resized[:input_px] = _antialiased(image_px, input_px)
    upscaled = _bilinear(low_px, full_px) @ _bilinear(side, low_px)
    centres = (np.arange(image_px) + 0.5) * (input_px / image_px)
    return _Axis(
        to_cells=_bilinear(full_px, side) @ resized,
        from_cells=_bilinear(input_px, image_px) @ upscaled[:input_px],
        cell_of=(centres / CELL_PX).astype(np.intp),
    )


def _bilinear(from_px: int, to_px: int) -> FloatArray:
    """(to_px, from_px): plain bilinear interpolation between pixel centres, as torch's without antialiasing."""
    position = np.clip((np.arange(to_px) + 0.5) * (from_px / to_px) - 0.5, 0, from_px - 1)
    weights = 1 - np.abs(np.arange(from_px) - position[:, None])
    return np.asarray(np.maximum(weights, 0), np.float32)


def _antialiased(from_px: int, to_px: int) -> FloatArray:
    """(to_px, from_px): bilinear resizing as Pillow's, whose triangle widens when it shrinks an image."""
    scale = from_px / to_px
    distance = np.arange(from_px) + 0.5 - (np.arange(to_px)[:, None] + 0.5) * scale
    weights = np.maximum(1 - np.abs(distance) / max(scale, 1.0), 0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)
