"""Panoramas in everything mode: masks joined at 0/360, tiles that cross it, boxes round the circle."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_sam import sharp, tiny_sam

from saom_bench.errors import SaomBenchError
from saom_bench.everything import EverythingConfig, everything
from saom_bench.everything.boxes import box_nms
from saom_bench.everything.kept import KeptMasks, join, pack
from saom_bench.everything.panorama import cut, joined_at_seam, tiles_of
from saom_bench.masks import decode_rle
from saom_bench.sam.registry import load_model
from saom_bench.types import BoolMask, RgbImage

SIZE_HW = (40, 200)


def _kept(*masks: tuple[BoolMask, float]) -> KeptMasks:
    """Masks with a predicted IoU each, and points that tell them apart."""
    parts = []
    for i, (mask, score) in enumerate(masks):
        one = np.array([score], np.float32)
        point = np.array([[i, i]], np.float32)
        parts.append(pack(mask[None], one, one, point, (np.array([i]), one)))
    return join(parts)


def _box(x0: int, x1: int, y0: int, y1: int) -> BoolMask:
    mask = np.zeros(SIZE_HW, np.bool_)
    mask[y0:y1, x0:x1] = True
    return mask


def test_the_two_ends_of_an_object_become_one() -> None:
    left, right = _box(0, 10, 5, 30), _box(170, 200, 6, 30)
    other, inner = _box(0, 8, 33, 40), _box(50, 90, 0, 40)
    found = joined_at_seam(_kept((inner, 0.95), (left, 0.7), (right, 0.9), (other, 0.8)), SIZE_HW)
    assert len(found) == 3
    assert found.predicted_iou == pytest.approx([0.95, (0.7 * 250 + 0.9 * 720) / 970, 0.8])
    assert (found.mask(1, SIZE_HW) == (left | right)).all()
    assert found.boxes[1].tolist() == [170, 5, 209, 29]
    assert found.points_xy[1].tolist() == [2, 2]


def test_what_spans_the_whole_circle_or_meets_nothing_stays() -> None:
    masks = _kept((_box(0, 200, 30, 40), 0.9), (_box(0, 9, 0, 10), 0.8), (_box(190, 200, 20, 30), 0.7))
    assert joined_at_seam(masks, SIZE_HW).boxes.tolist() == masks.boxes.tolist()


def test_boxes_meet_past_the_last_column() -> None:
    boxes = np.array([[190, 0, 209, 20], [0, 0, 9, 20], [-10, 0, 9, 20]], np.int32)
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    assert box_nms(boxes, scores, 0.7).tolist() == [0, 1, 2]
    assert box_nms(boxes, scores, 0.7, circle_px=200).tolist() == [0, 1]
    assert box_nms(boxes, scores, 0.4, circle_px=200).tolist() == [0]


def test_tiles_go_round_and_overlap_by_half() -> None:
    crops = tiles_of(SIZE_HW, 4)
    assert [crop.box_xyxy for crop in crops[1:]] == [(x, 0, x + 100, 40) for x in (0, 50, 100, 150)]
    rgb = np.random.default_rng(0).integers(0, 255, (*SIZE_HW, 3), dtype=np.uint8)
    assert (cut(rgb, crops[4]) == np.concatenate([rgb[:, 150:], rgb[:, :50]], axis=1)).all()
    with pytest.raises(SaomBenchError, match="2 tiles do not go round"):
        tiles_of(SIZE_HW, 2)


@pytest.fixture
def ring() -> RgbImage:
    """A panorama with one box across 0/360 and one in the middle."""
    rgb = np.full((96, 480, 3), 200, np.uint8)
    rgb[30:80, :30] = rgb[30:80, 450:] = (180, 30, 40)
    rgb[20:70, 220:270] = (30, 60, 170)
    return rgb


@pytest.mark.parametrize("tiles", [0, 4])
def test_an_object_across_the_seam_is_one(ring: RgbImage, tiles: int) -> None:
    config = EverythingConfig(grid=(12, 3), tiles=tiles, min_area_px=20)
    found = everything(load_model("mobile-sam"), ring, config, wraps=True)
    truth = (ring == (180, 30, 40)).all(axis=2)
    masks = [decode_rle(rle) for rle in found.rles]
    iou = [(mask & truth).sum() / (mask | truth).sum() for mask in masks]
    best = int(np.argmax(iou))
    assert iou[best] > 0.9
    assert found.boxes_xyxy[best] == pytest.approx((450, 30, 510, 80), abs=3)
    assert sum(value > 0.4 for value in iou) == 1  # neither half stands beside it
    assert (found.points_xy >= 0).all()
    assert (found.points_xy[:, 0] < 480).all()


def test_tiles_need_a_circle_and_a_picture() -> None:
    sam = sharp(tiny_sam())
    rgb = np.zeros((20, 100, 3), np.uint8)
    config = EverythingConfig(grid=(4, 2), tiles=4)
    with pytest.raises(SaomBenchError, match="4 tiles are for panoramas"):
        everything(sam, rgb, config)
    for wanted in (config, replace(config, tiles=0, crop_layers=1)):
        with pytest.raises(SaomBenchError, match="need the picture itself"):
            everything(sam, sam.encode(rgb), wanted, wraps=True)
