"""Fast mode: each point at most once, none where enough was found, and what it keeps is what exact mode would keep."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tiny_sam import sharp, tiny_sam
from torch import Tensor

from saom_bench.everything import EverythingConfig, everything
from saom_bench.everything.decoding import Scored
from saom_bench.everything.fast import fast_masks
from saom_bench.everything.waves import spread, waves
from saom_bench.sam.model import Embedding
from saom_bench.types import FloatArray

GRIDS = st.tuples(st.integers(1, 40), st.integers(1, 40))


@given(grid=GRIDS, size_hw=st.tuples(st.integers(1, 500), st.integers(1, 500)))
def test_waves_ask_every_point_once(grid: tuple[int, int], size_hw: tuple[int, int]) -> None:
    found = waves(grid, size_hw)
    assert np.sort(np.concatenate(found)).tolist() == list(range(grid[0] * grid[1]))


def test_waves_go_from_coarse_to_fine() -> None:
    assert [len(wave) for wave in waves((64, 64), (480, 640))] == [256, 768, 3072]
    first = waves((320, 64), (480, 640))[0]
    columns, rows = np.unique(first % 320), np.unique(first // 320)
    assert (len(columns), len(rows)) == (20, 16)
    assert columns[0] == 320 // 20 // 2


@given(count=st.integers(0, 100), batch=st.integers(1, 9))
def test_spreading_keeps_the_points(count: int, batch: int) -> None:
    wave = np.arange(count)
    assert sorted(spread(wave, batch)) == wave.tolist()
    steps = -(-count // batch)
    assert (np.diff(spread(wave, batch)[: count // max(steps, 1)]) == steps).all()


BOXES = {(10, 8, 60, 50): 0.95, (70, 20, 120, 90): 0.99}


class BoxDecoder:
    """Sees the two boxes from any point inside them; elsewhere its masks fail, by far or by little."""

    def __init__(self, miss_iou: float) -> None:
        self.embedding = Embedding(torch.zeros(256, 16, 16), (96, 128), (192, 256))
        self.asked: list[FloatArray] = []
        self.miss_iou = miss_iou

    def score(self, points_xy: FloatArray) -> Scored:
        self.asked.append(points_xy)
        found = [self._score(x, y) for x, y in points_xy]
        scores = np.array([[0.1, score, 0.2] for score in found], np.float32)
        count = len(points_xy)
        classes = np.zeros(count, np.int64), np.ones(count, np.float32)
        return Scored(points_xy, scores, classes, torch.zeros(count), torch.zeros(count))

    def draw(self, scored: Scored, rows: NDArray[np.intp]) -> Tensor:
        logits = torch.full((len(rows), 3, 64, 64), -9.0)
        for i, row in enumerate(rows):
            for (x0, y0, x1, y1), score in BOXES.items():
                if np.isclose(scored.predicted_iou[row, 1], score):
                    logits[i, 1, y0 // 2 : y1 // 2, x0 // 2 : x1 // 2] = 9.0
        return logits

    def visible(self, logits: Tensor) -> Tensor:
        return logits[..., :48, :64]

    def upscale(self, logits: Tensor) -> Tensor:
        return torch.nn.functional.interpolate(self.visible(logits)[:, None], (96, 128), mode="nearest")[:, 0]

    def _score(self, x: float, y: float) -> float:
        inside = [score for (x0, y0, x1, y1), score in BOXES.items() if x0 <= x < x1 and y0 <= y < y1]
        return inside[0] if inside else self.miss_iou


@pytest.mark.parametrize(("miss_iou", "most"), [(0.87, 1.0), (0.5, 0.4)], ids=["hopeful", "hopeless"])
def test_covered_and_hopeless_points_are_spared(miss_iou: float, most: float) -> None:
    decoder = BoxDecoder(miss_iou)
    counts: list[int] = []
    config = EverythingConfig(mode="fast", grid=(96, 72))
    found = fast_masks(decoder, config.grid, config, counts.append)  # type: ignore[arg-type]
    points = np.concatenate(decoder.asked)
    assert len(np.unique(points, axis=0)) == len(points)
    assert sum(counts) == 96 * 72
    assert found.boxes.tolist() == [[70, 20, 119, 89], [10, 8, 59, 49]]
    missed = np.array([decoder._score(x, y) == miss_iou for x, y in points])
    background = 96 * 72 - sum(((x1 - x0) * (y1 - y0)) for x0, y0, x1, y1 in BOXES) * 9 / 16
    assert missed.sum() <= most * background * 1.1
    assert most < 1 or missed.sum() >= 0.9 * background
    assert (~missed).sum() < 0.2 * (96 * 72 - background)


def test_without_sure_masks_fast_is_exact() -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (60, 100, 3), dtype=np.uint8)
    sam = sharp(tiny_sam(seed=2, n_classes=3))
    settings = {"grid": (5, 3), "pred_iou": 0.0, "stability": 0.0, "box_nms": 1.0, "sure_pred_iou": 1.0}
    exact, fast = (everything(sam, rgb, EverythingConfig(mode=mode, **settings)) for mode in ("exact", "fast"))  # type: ignore[arg-type]
    assert len(exact) == len(fast) > 5
    assert exact.predicted_iou == pytest.approx(fast.predicted_iou, abs=1e-5)
    assert fast.class_index is not None
