"""Everything mode: a grid of points in, the masks of all that a model sees out, as SamAutomaticMaskGenerator does.

``exact`` asks every point and gives segment-anything's own masks; ``fast`` asks where the picture changes.
Both keep masks as deflated bits until the suppression, and only the survivors become run lengths, so
memory does not grow with the grid. Unlike in segment-anything, empty masks are dropped, and each mask carries the class
of its own point.
"""

from saom_bench.sam import runtime

runtime.prepare()

from collections.abc import Callable  # noqa: E402
from dataclasses import replace  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from saom_bench.errors import SaomBenchError  # noqa: E402
from saom_bench.everything.boxes import IntBoxes, box_nms, clean_small_regions  # noqa: E402
from saom_bench.everything.config import EverythingConfig  # noqa: E402
from saom_bench.everything.crops import Crop, crops_of, cut_off  # noqa: E402
from saom_bench.everything.decoding import PointDecoder  # noqa: E402
from saom_bench.everything.exact import exact_masks  # noqa: E402
from saom_bench.everything.fast import fast_masks  # noqa: E402
from saom_bench.everything.kept import KeptMasks, join  # noqa: E402
from saom_bench.everything.panorama import cut, joined_at_seam, tiles_of  # noqa: E402
from saom_bench.masks import encode_rle  # noqa: E402
from saom_bench.prompts import grid_points  # noqa: E402
from saom_bench.sam.model import Embedding, Sam  # noqa: E402
from saom_bench.types import FloatArray, Proposals, RgbImage, Rle, Size  # noqa: E402

Progress = Callable[[int], None]


@torch.no_grad()
def everything(
    sam: Sam,
    image: RgbImage | Embedding,
    config: EverythingConfig | None = None,
    progress: Progress | None = None,
    wraps: bool = False,
) -> Proposals:
    """Segment all objects of an (H, W, 3) image, or of its embedding.

    Args:
        sam: any model; where it knows classes, every mask gets a class and its probability.
        image: the picture, or what ``sam.encode`` made of it; crops need the picture.
        config: mode, grid and thresholds; segment-anything's own by default.
        progress: called with the number of points after each batch of them.
        wraps: whether the picture is a panorama of the full circle. Masks that meet at 0/360 are then joined, and a
            box that crosses it ends past the last column.

    Returns:
        The masks, those of the highest predicted IoU first; with crops or tiles, those of the smallest first.

    Raises:
        SaomBenchError: crops or tiles of an embedding, or tiles of what does not wrap.
    """
    config = config or EverythingConfig()
    size_hw = image.size_hw if isinstance(image, Embedding) else (image.shape[0], image.shape[1])
    crops = _crops(size_hw, config, wraps)
    found = [_of_crop(sam, image, crop, size_hw, config, progress, wraps) for crop in crops]
    masks = join(found)
    if len(crops) > 1:
        areas = np.repeat([crop.area_px for crop in crops], [len(part) for part in found])
        masks = masks.take(
            box_nms(masks.boxes, (1 / areas).astype(np.float32), config.crop_nms, size_hw[1] if wraps else None)
        )
    masks, rles = _encoded(masks, size_hw, config, wraps)
    return _proposals(masks, rles, size_hw, has_classes=sam.class_names is not None)


def points_of(config: EverythingConfig, size_hw: Size, wraps: bool = False) -> int:
    """How many points ``everything`` reports as its progress on an image of (H, W)."""
    grids = [_grid(config, crop, size_hw) for crop in _crops(size_hw, config, wraps)]
    return sum(nx * ny for nx, ny in grids)


def _crops(size_hw: Size, config: EverythingConfig, wraps: bool) -> list[Crop]:
    if not config.tiles:
        return crops_of(size_hw, config.crop_layers, config.crop_overlap)
    if not wraps:
        raise SaomBenchError(f"{config.tiles} tiles are for panoramas of the full circle; use crop_layers for a view")
    return tiles_of(size_hw, config.tiles)


def _of_crop(
    sam: Sam,
    image: RgbImage | Embedding,
    crop: Crop,
    size_hw: Size,
    config: EverythingConfig,
    progress: Progress | None,
    wraps: bool,
) -> KeptMasks:
    """The masks of one crop in the image's frame, suppressed among each other."""
    x0, y0, _, _ = crop.box_xyxy
    if isinstance(image, Embedding):
        if config.crop_layers or config.tiles:
            raise SaomBenchError("crops and tiles need the picture itself, not its embedding")
        embedding = image
    else:
        embedding = sam.encode(cut(image, crop))
    decoder, grid = PointDecoder(sam, embedding, config), _grid(config, crop, size_hw)

    def is_cut(boxes: IntBoxes | FloatArray) -> NDArray[np.bool_]:
        return cut_off(boxes + np.array([x0, y0, x0, y0], boxes.dtype), crop, size_hw, wraps)

    if config.mode == "fast":
        masks = fast_masks(decoder, grid, config, progress, is_cut)
    else:
        masks = exact_masks(decoder, grid_points(*grid, embedding.size_hw), config, progress)
        masks = masks.take(np.flatnonzero(~is_cut(masks.boxes)))
    masks = masks.moved(x0, y0)
    masks = masks.take(box_nms(masks.boxes, masks.predicted_iou, config.box_nms))
    if not wraps:
        return masks
    return joined_at_seam(masks, size_hw) if crop.layer == 0 else masks.wrapped(size_hw[1])


def _grid(config: EverythingConfig, crop: Crop, size_hw: Size) -> tuple[int, int]:
    """Points along x and y in a crop; in a tile as many as in its share of the picture."""
    nx, ny = config.grid
    if config.tiles and crop.layer:
        x0, _, x1, _ = crop.box_xyxy
        return max(1, round(nx * (x1 - x0) / size_hw[1])), ny
    fewer = config.crop_points_downscale**crop.layer
    return max(1, nx // fewer), max(1, ny // fewer)


def _encoded(
    masks: KeptMasks, size_hw: Size, config: EverythingConfig, wraps: bool
) -> tuple[KeptMasks, tuple[Rle, ...]]:
    """Run lengths of the masks, after the clean-up where one is asked for."""
    if not config.min_area_px:
        return masks, tuple(encode_rle(masks.mask(i, size_hw)) for i in range(len(masks)))
    cleaned, untouched, rles = [], [], []
    for i in range(len(masks)):
        # In a panorama the seam goes to where the mask begins, so that it cuts nothing in two.
        turn = int(masks.boxes[i, 0]) if wraps else 0
        mask, changed = clean_small_regions(np.roll(masks.mask(i, size_hw), -turn, axis=1), config.min_area_px)
        mask = np.roll(mask, turn, axis=1)
        cleaned.append(masks.repacked(i, mask, wraps))
        untouched.append(not changed)
        rles.append(encode_rle(mask))
    result = join(cleaned)
    # Like segment-anything, suppress once more, and prefer the masks that needed no clean-up; then back to their order.
    kept = box_nms(
        result.boxes,
        np.array(untouched, np.float32),
        max(config.box_nms, config.crop_nms),
        size_hw[1] if wraps else None,
    )
    kept = np.sort(kept)
    return result.take(kept), tuple(rles[i] for i in kept)


def _proposals(masks: KeptMasks, rles: tuple[Rle, ...], size_hw: Size, has_classes: bool) -> Proposals:
    found = Proposals(
        size_hw=size_hw,
        rles=rles,
        boxes_xyxy=masks.boxes + np.array([0, 0, 1, 1], np.int32),
        predicted_iou=masks.predicted_iou,
        stability=masks.stability,
        points_xy=masks.points_xy,
    )
    return replace(found, class_index=masks.class_index, class_score=masks.class_score) if has_classes else found
