"""Fast mode: each point at most once, one good mask of each object, and what it keeps is what exact mode would keep."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tiny_sam import sharp, tiny_sam
from torch import Tensor

from saom_bench.everything import EverythingConfig, everything
from saom_bench.everything.boxes import box_nms
from saom_bench.everything.decoding import Scored
from saom_bench.everything.fast import _Found, fast_masks
from saom_bench.everything.kept import join, pack
from saom_bench.sam.model import Embedding
from saom_bench.types import FloatArray

BOXES = {(10, 8, 60, 50): 0.95, (70, 20, 120, 90): 0.99}


class BoxDecoder:
    """Sees the two boxes from any point inside them, and scores them a little lower away from the column x = 30."""

    logit_px = 4

    def __init__(self) -> None:
        features = np.random.default_rng(0).standard_normal((8, 16, 16)).astype(np.float32)
        self.embedding = Embedding(torch.from_numpy(features), (96, 128), (192, 256))
        self.asked: list[FloatArray] = []
        self.enlarged = 0

    def score(self, points_xy: FloatArray) -> Scored:
        self.asked.append(points_xy)
        scores = np.array([[0.1, self._score(x, y), 0.2] for x, y in points_xy], np.float32)
        count = len(points_xy)
        classes = np.zeros(count, np.int64), np.ones(count, np.float32)
        return Scored(points_xy, scores, classes, torch.zeros(count), torch.zeros(count))

    def draw(self, scored: Scored, rows: NDArray[np.intp]) -> Tensor:
        logits = torch.full((len(rows), 3, 64, 64), -9.0)
        for i, row in enumerate(rows):
            for x0, y0, x1, y1 in _boxes_at(*scored.points_xy[row]):
                logits[i, 1, y0 // 2 : y1 // 2, x0 // 2 : x1 // 2] = 9.0
        return logits

    def on_merged_tokens(self) -> "BoxDecoder":
        self.screen = BoxDecoder()
        return self.screen

    def visible(self, logits: Tensor) -> Tensor:
        return logits[..., :48, :64]

    def upscale(self, logits: Tensor) -> Tensor:
        self.enlarged += len(logits)
        return torch.nn.functional.interpolate(self.visible(logits)[:, None], (96, 128), mode="nearest")[:, 0]

    def _score(self, x: float, y: float) -> float:
        return max((BOXES[box] - abs(x - 30) / 5000 for box in _boxes_at(x, y)), default=0.5)


def _boxes_at(x: float, y: float) -> list[tuple[int, int, int, int]]:
    return [(x0, y0, x1, y1) for x0, y0, x1, y1 in BOXES if x0 <= x < x1 and y0 <= y < y1]


@pytest.mark.parametrize("batch", [1, 8])
def test_each_object_is_found_and_few_points_are_asked_again(batch: int) -> None:
    decoder = BoxDecoder()
    counts: list[int] = []
    config = EverythingConfig(mode="fast", grid=(96, 72), points_per_batch=batch)
    found = fast_masks(decoder, config.grid, config, counts.append)  # type: ignore[arg-type]
    points, again = (np.concatenate(asked) for asked in (decoder.screen.asked, decoder.asked))
    assert len(np.unique(points, axis=0)) == len(points) < 0.46 * 96 * 72
    assert sum(counts) == 96 * 72
    assert len(decoder.screen.asked) == len(counts)
    inside = sum(len(_boxes_at(x, y)) for x, y in points)
    assert {tuple(point) for point in again} <= {tuple(point) for point in points}
    assert len(found) == len(again) == decoder.enlarged < 0.1 * inside
    kept = found.take(box_nms(found.boxes, found.predicted_iou, config.box_nms))
    assert kept.boxes.tolist() == [[70, 20, 119, 89], [10, 8, 59, 49]]
    best = [max(decoder._score(x, y) for x, y in points if box in _boxes_at(x, y)) for box in BOXES]
    assert kept.predicted_iou == pytest.approx(sorted(best, reverse=True))


def test_a_mask_of_the_same_box_and_half_the_area_is_another_one() -> None:
    masks = np.zeros((2, 40, 50), np.bool_)
    masks[:, 10:30, 5:25] = True
    masks[1, 11:21, 6:25] = False
    one, half = (
        pack(
            masks[[i]],
            np.float32([0.9]),
            np.float32([1]),
            np.zeros((1, 2), np.float32),
            (np.int64([0]), np.float32([1])),
        )  # type: ignore[arg-type]
        for i in (0, 1)
    )
    assert join([one, half]).areas_px().tolist() == [400, 210]
    found = _Found(one)
    box = one.boxes[0].astype(np.float32)
    assert found.has(box, 390, 0.89, 0.85)
    assert not found.has(box, 390, 0.91, 0.85)
    assert not found.has(box, 210, 0.89, 0.85)
    found.add(half)
    assert found.has(box, 210, 0.89, 0.85)


def test_a_grid_that_is_asked_whole_gives_what_exact_mode_gives() -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (100, 100, 3), dtype=np.uint8)
    sam = sharp(tiny_sam(seed=2, n_classes=3))
    settings = {"grid": (4, 3), "pred_iou": 0.0, "stability": 0.0, "box_nms": 1.0}
    exact, fast = (everything(sam, rgb, EverythingConfig(mode=mode, **settings)) for mode in ("exact", "fast"))  # type: ignore[arg-type]
    assert len(exact) == len(fast) > 2
    assert exact.predicted_iou == pytest.approx(fast.predicted_iou, abs=1e-5)
    assert exact.boxes_xyxy.tolist() == fast.boxes_xyxy.tolist()
    assert np.array_equal(fast.class_index, exact.class_index)  # type: ignore[arg-type]
