"""A picture of the nearest neighbour assignment: each object's similarity map, location prior, grid point and mask."""

from collections.abc import Sequence

import cv2
import numpy as np

from saom_bench.errors import SaomBenchError, unknown
from saom_bench.pictures import Color, captioned, color_of, overlay, sheet
from saom_bench.prompts import FIXED_FRAME_PX, assign, grid_points, off_mask, similarity_map
from saom_bench.sam.model import Sam
from saom_bench.shards.dataset import ShardDataset
from saom_bench.train.recipe import Recipe
from saom_bench.types import BoolMask, FloatArray, PointPrompts, RgbImage, Sample

_MOST_OBJECTS = 11
_TILE_PX = 480
_PRIOR: Color = (255, 255, 255)
_POINT: Color = (40, 220, 60)
_GRID: Color = (200, 200, 200)


def sample_of(dataset: ShardDataset, image: str) -> Sample:
    """The image of that key or number. Raises SaomBenchError for one that is not there."""
    keys = dataset.keys
    if image in keys:
        return dataset[keys.index(image)]
    if not image.isdecimal():
        raise unknown("image", image, keys)
    if int(image) >= len(keys):
        raise SaomBenchError(f"there is no image {image}: the dataset has {len(keys)}, from 0 to {len(keys) - 1}")
    return dataset[int(image)]


def explained(sample: Sample, sam: Sam, recipe: Recipe) -> tuple[RgbImage, list[str]]:
    """The picture, and a line of text for each object; the largest objects have a tile of their own.

    Raises SaomBenchError for an image without an object.
    """
    instances = sorted(sample.instances, key=lambda item: -item.area_px)
    if not instances:
        raise SaomBenchError(f"{sample.key} shows no object to assign a point to; take another image")
    embedding = sam.encode(sample.rgb)
    features = embedding.features.float().cpu().numpy()
    wanted = [item.label for item in instances]
    prompts = assign(
        features,
        embedding.input_hw,
        sample.labels,
        wanted,
        grid=recipe.grid,
        prior=recipe.prior,
        grid_frame=recipe.grid_frame,
        snap=recipe.snap,
    )
    missed = off_mask(sample.labels, prompts)
    frame_hw = sample.size_hw if recipe.grid_frame == "image" else (FIXED_FRAME_PX, FIXED_FRAME_PX)
    grid_xy = grid_points(*recipe.grid, frame_hw)
    lines = [_line(item.object_id, prompts, i, bool(missed[i])) for i, item in enumerate(instances)]
    shown = range(min(len(instances), _MOST_OBJECTS))
    masks = [sample.labels == item.label for item in instances]
    caption = f"{sample.key}: {len(masks)} objects, grid {recipe.grid[0]} x {recipe.grid[1]}"
    tiles = [_overview(sample, masks, prompts, caption)]
    for i in shown:
        heat = similarity_map(features, embedding.input_hw, sample.labels, wanted[i])
        tiles.append(_tile(sample, masks[i], heat, grid_xy, prompts, i, instances[i].object_type))
    return sheet(tiles, columns=min(4, len(tiles))), lines


def _line(name: str, prompts: PointPrompts, i: int, missed: bool) -> str:
    notes = ["its point lies outside its mask"] if missed else []
    if prompts.no_cell[i]:
        notes.append("it half-covers no feature cell, and its best covered one stands for it")
    (px, py), (x, y) = prompts.priors_xy[i], prompts.points_xy[i]
    return f"{name}: prior ({px:.1f}, {py:.1f}), point ({x:.1f}, {y:.1f}){'; ' if notes else ''}{'; '.join(notes)}"


def _overview(sample: Sample, masks: Sequence[BoolMask], prompts: PointPrompts, caption: str) -> RgbImage:
    """All masks, and from each prior an arrow's shaft to its point."""
    scale = _scale(sample)
    picture = _scaled(overlay(sample.rgb, masks, colors=[color_of(i) for i in range(len(masks))]), scale)
    for i in range(len(masks)):
        _mark(picture, prompts, i, scale)
    return captioned(picture, caption)


def _tile(
    sample: Sample, mask: BoolMask, heat: FloatArray, grid_xy: FloatArray, prompts: PointPrompts, i: int, name: str
) -> RgbImage:
    """The similarity as heat, the mask's outline, the grid, the prior as a cross and the point as a ring."""
    scale = _scale(sample)
    low, high = float(heat.min()), float(heat.max())
    unit = (255 * (heat - low) / max(high - low, 1e-6)).astype(np.uint8)
    coloured = cv2.cvtColor(cv2.applyColorMap(unit, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    picture = _scaled((0.35 * sample.rgb + 0.65 * coloured).astype(np.uint8), scale)
    outline, _ = cv2.findContours(_scaled(mask.astype(np.uint8), scale), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, outline, -1, color_of(i), 2, cv2.LINE_AA)
    for x, y in grid_xy * scale:
        cv2.circle(picture, (int(x), int(y)), 0, _GRID, -1)
    _mark(picture, prompts, i, scale)
    return captioned(picture, f"{name}: similarity {low:.2f} to {high:.2f}")


def _mark(picture: RgbImage, prompts: PointPrompts, i: int, scale: float) -> None:
    prior, point = ((int(x), int(y)) for x, y in (prompts.priors_xy[i] * scale, prompts.points_xy[i] * scale))
    cv2.line(picture, prior, point, _POINT, 1, cv2.LINE_AA)
    cv2.drawMarker(picture, prior, (0, 0, 0), cv2.MARKER_TILTED_CROSS, 13, 4)
    cv2.drawMarker(picture, prior, _PRIOR, cv2.MARKER_TILTED_CROSS, 11, 2)
    cv2.circle(picture, point, 6, (0, 0, 0), 4, cv2.LINE_AA)
    cv2.circle(picture, point, 6, _POINT, 2, cv2.LINE_AA)


def _scale(sample: Sample) -> float:
    return _TILE_PX / max(sample.size_hw)


def _scaled(pixels: RgbImage, scale: float) -> RgbImage:
    size = round(pixels.shape[1] * scale), round(pixels.shape[0] * scale)
    interpolation = cv2.INTER_NEAREST if pixels.ndim == 2 else cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.ascontiguousarray(cv2.resize(pixels, size, interpolation=interpolation))
