"""Everything mode gives the very masks of segment-anything's generator, on the shipped model and a drawn picture."""

import cv2
import numpy as np
import pytest
from stock_sam import as_array, stock_generator

from saom_bench.everything import EverythingConfig, everything
from saom_bench.masks import decode_rle
from saom_bench.prompts import grid_points
from saom_bench.sam.model import Sam
from saom_bench.sam.registry import load_model
from saom_bench.types import Proposals, RgbImage

GRID = (6, 4)
# A logit of all but zero may round to either side, in segment-anything too when it decodes other batches: of the two
# million pixels here, as many may differ.
ROUNDED_PX = 2


@pytest.fixture(scope="module")
def sam() -> Sam:
    return load_model("mobile-sam")


@pytest.fixture(scope="module")
def rgb() -> RgbImage:
    """Discs with a box on each over a mottled wall, 300 x 220: whole objects, parts, and ragged edges."""
    rng = np.random.default_rng(5)
    wall = cv2.resize(rng.integers(90, 150, (12, 16, 3), dtype=np.uint8), (300, 220))
    for x, y in grid_points(*GRID, (220, 300)) + rng.integers(-6, 7, (GRID[0] * GRID[1], 2)):
        size = int(rng.integers(12, 24))
        color = tuple(int(v) for v in rng.integers(0, 255, 3))
        cv2.circle(wall, (int(x), int(y)), size, color, -1)
        cv2.rectangle(wall, (int(x), int(y)), (int(x) + size, int(y) + size // 2), color[::-1], -1)
    return np.clip(wall + rng.normal(0, 9, wall.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "config",
    [
        EverythingConfig(grid=GRID, pred_iou=0.7, stability=0.85),
        EverythingConfig(grid=GRID, pred_iou=0.15, stability=0.7, box_nms=0.3, min_area_px=150, points_per_batch=3),
    ],
    ids=["plain", "clean-up"],
)
def test_the_same_masks_as_segment_anything(sam: Sam, rgb: RgbImage, config: EverythingConfig) -> None:
    unit = grid_points(*config.grid, (1, 1)).astype(np.float64)
    generator = stock_generator(
        sam,
        points_per_side=None,
        point_grids=[unit],
        pred_iou_thresh=config.pred_iou,
        stability_score_thresh=config.stability,
        box_nms_thresh=config.box_nms,
        min_mask_region_area=config.min_area_px,
    )
    expected = generator.generate(rgb)
    expected.sort(key=lambda item: -item["predicted_iou"])
    ours = everything(sam, rgb, config)
    assert len(ours) == len(expected) > 20
    masks = np.stack([decode_rle(rle) for rle in ours.rles])
    assert (masks != as_array(expected)).sum() <= ROUNDED_PX
    assert ours.predicted_iou == pytest.approx([item["predicted_iou"] for item in expected], abs=1e-5)
    assert ours.stability == pytest.approx([item["stability_score"] for item in expected], abs=1e-3)
    assert ours.points_xy == pytest.approx(np.array([item["point_coords"][0] for item in expected]), abs=1e-3)
    _require_boxes_fit(ours, masks)


def test_crops_are_segment_anythings(sam: Sam, rgb: RgbImage) -> None:
    config = EverythingConfig(
        grid=(4, 4), pred_iou=0.7, stability=0.8, crop_layers=1, crop_points_downscale=2, crop_nms=0.6, crop_overlap=0.4
    )
    generator = stock_generator(
        sam,
        points_per_side=4,
        pred_iou_thresh=0.7,
        stability_score_thresh=0.8,
        crop_n_layers=1,
        crop_n_points_downscale_factor=2,
        crop_nms_thresh=0.6,
        crop_overlap_ratio=0.4,
    )
    expected = [item for item in generator.generate(rgb) if item["area"]]
    ours = everything(sam, rgb, config)
    assert len(ours) == len(expected) > 10
    masks = np.stack([decode_rle(rle) for rle in ours.rles])
    assert (masks != as_array(expected)).sum() <= ROUNDED_PX
    assert ours.predicted_iou == pytest.approx([item["predicted_iou"] for item in expected], abs=1e-5)
    assert ours.points_xy == pytest.approx(np.array([item["point_coords"][0] for item in expected]), abs=1e-3)
    _require_boxes_fit(ours, masks)


def _require_boxes_fit(proposals: Proposals, masks: np.ndarray) -> None:  # type: ignore[type-arg]
    for mask, (x0, y0, x1, y1) in zip(masks, proposals.boxes_xyxy, strict=True):
        ys, xs = np.nonzero(mask)
        assert (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1) == (x0, y0, x1, y1)
