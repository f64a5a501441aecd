"""Fast mode: each point at most once, one good mask of each object, and what it keeps is what exact mode would keep."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tiny_sam import sharp, tiny_sam
from torch import Tensor

from saom_bench.everything import EverythingConfig, everything
from saom_bench.everything.boxes import box_nms
from saom_bench.everything.choice import chosen_points
from saom_bench.everything.decoding import Classes, Scored
from saom_bench.everything.exact import exact_masks
from saom_bench.everything.fast import _best_likeness, _Hints, fast_masks
from saom_bench.everything.kept import pack
from saom_bench.prompts import grid_points
from saom_bench.sam.model import Embedding
from saom_bench.types import FloatArray

Box = tuple[int, int, int, int]
Seen = dict[Box, tuple[float, int, int]]
"""The score of each box, and the columns from which it is seen."""
APART: Seen = {(10, 8, 60, 50): (0.95, 10, 60), (70, 20, 120, 90): (0.99, 70, 120)}
# From the small box another is seen, too, that is like the third, and that the last one suppresses: it must not stand
# for the third.
CHAIN: Seen = {
    (42, 20, 50, 30): (0.995, 42, 50),
    (18, 8, 68, 50): (0.95, 42, 50),
    (10, 8, 60, 50): (0.92, 10, 42),
    (26, 8, 76, 50): (0.99, 50, 76),
}


class BoxDecoder:
    """Sees boxes from points inside them, and scores them a little lower away from the column x = 30.

    ``edges``: how many logits wide the unstable right edge of a box is.
    """

    logit_px = 4

    def __init__(self, boxes: Seen, edges: dict[Box, int] | None = None, screen: "BoxDecoder | None" = None) -> None:
        features = np.random.default_rng(0).standard_normal((8, 16, 16)).astype(np.float32)
        self.embedding = Embedding(torch.from_numpy(features), (96, 128), (192, 256))
        self.boxes = boxes
        self.edges = edges or {}
        self.screen = screen or self
        self.asked: list[FloatArray] = []

    def score(self, points_xy: FloatArray) -> Scored:
        self.asked.append(points_xy)
        scores = np.full((len(points_xy), 3), 0.1, np.float32)
        for row, (x, y) in enumerate(points_xy):
            for slot, box in self._at(x, y):
                scores[row, slot] = self.boxes[box][0] - abs(x - 30) / 5000
        count = len(points_xy)
        return Scored(points_xy, scores, torch.zeros(count), torch.zeros(count))

    def draw(self, scored: Scored, rows: NDArray[np.intp]) -> Tensor:
        logits = torch.full((len(rows), 3, 64, 64), -9.0)
        for i, row in enumerate(rows):
            for slot, box in self._at(*scored.points_xy[row]):
                x0, y0, x1, y1 = (length // 2 for length in box)
                logits[i, slot, y0:y1, x0:x1] = 9.0
                logits[i, slot, y0:y1, x1 - self._edge(box, scored.points_xy[row]) : x1] = 0.5
        return logits

    def judge(self, scored: Scored, rows: NDArray[np.intp], logits: Tensor) -> tuple[FloatArray, Classes]:
        return scored.predicted_iou[rows], (np.zeros(len(rows), np.int64), np.ones(len(rows), np.float32))

    def on_merged_tokens(self) -> "BoxDecoder":
        return self.screen

    def visible(self, logits: Tensor) -> Tensor:
        return logits[..., :48, :64]

    def upscale(self, logits: Tensor) -> Tensor:
        return torch.nn.functional.interpolate(self.visible(logits)[:, None], (96, 128), mode="nearest")[:, 0]

    def _edge(self, box: Box, point_xy: FloatArray) -> int:
        return self.edges.get(box, 0)

    def _at(self, x: float, y: float) -> list[tuple[int, Box]]:
        """The boxes that are seen from a point, each with its place among the point's three masks."""
        seen = [(box, first, last) for box, (_, first, last) in self.boxes.items() if box[1] <= y < box[3]]
        return list(enumerate(box for box, first, last in seen if first <= x < last))


@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.parametrize("boxes", [APART, CHAIN])
def test_few_points_are_asked_again_and_what_stays_is_what_exact_mode_keeps(boxes: Seen, batch: int) -> None:
    decoder = BoxDecoder(boxes, screen=BoxDecoder(boxes))
    counts: list[int] = []
    config = EverythingConfig(mode="fast", grid=(96, 72), points_per_batch=batch)
    found = fast_masks(decoder, config.grid, config, counts.append)  # type: ignore[arg-type]
    points, again = (np.concatenate(asked) for asked in (decoder.screen.asked, decoder.asked))
    assert len(np.unique(points, axis=0)) == len(points) < 0.46 * 96 * 72
    assert sum(counts) == 96 * 72
    assert len(decoder.screen.asked) == len(counts) - 1
    assert {tuple(point) for point in again} <= {tuple(point) for point in points}
    assert len(np.unique(again, axis=0)) == len(again) <= 3 * batch
    every = exact_masks(BoxDecoder(boxes), points, config, None)  # type: ignore[arg-type]
    fast, exact = (masks.take(box_nms(masks.boxes, masks.predicted_iou, config.box_nms)) for masks in (found, every))
    assert len(fast) == len(boxes) - (boxes is CHAIN)
    assert fast.boxes.tolist() == exact.boxes.tolist()
    assert fast.predicted_iou == pytest.approx(exact.predicted_iou)


def test_what_merged_tokens_may_be_wrong_by_is_allowed_for() -> None:
    small, faint, ragged = (12, 10, 24, 22), (40, 8, 64, 32), (70, 20, 120, 90)
    seen: Seen = {small: (0.95, 12, 24), faint: (0.89, 40, 64), ragged: (0.99, 70, 120)}
    lower = {box: (score - 0.012, *columns) for box, (score, *columns) in seen.items()}
    # Their inner parts are 0.83 and 0.88 of the masks: of the small one's that is an edge, of the large one's a lot.
    screen = BoxDecoder(lower, {small: 1, ragged: 3})  # type: ignore[arg-type]
    decoder = BoxDecoder(seen, screen=screen)
    found = fast_masks(decoder, (64, 48), EverythingConfig(mode="fast"), None)  # type: ignore[arg-type]
    assert {tuple(box) for box in found.boxes.tolist()} == {(12, 10, 23, 21), (40, 8, 63, 31)}


class SureOfOnePoint(BoxDecoder):
    """From any other point than ``best_xy`` the edges are unstable."""

    best_xy: FloatArray

    def _edge(self, box: Box, point_xy: FloatArray) -> int:
        return 0 if np.array_equal(point_xy, self.best_xy) else super()._edge(box, point_xy)


def test_an_object_of_which_one_point_passes_is_found_though_that_point_was_left_out() -> None:
    box, grid = (40, 20, 64, 44), (32, 24)
    seen: Seen = {box: (0.95, 40, 64)}
    decoder = SureOfOnePoint(seen, {box: 1}, BoxDecoder(seen, {box: 1}))
    points_xy = grid_points(*grid, decoder.embedding.size_hw)
    x, y = points_xy.T
    inside = (x > 40) & (x < 64) & (y > 20) & (y < 44)
    chosen = chosen_points(decoder.embedding.features.numpy(), (96, 128), (192, 256), grid)
    decoder.best_xy = points_xy[np.setdiff1d(np.flatnonzero(inside), chosen)[0]]
    found = fast_masks(decoder, grid, EverythingConfig(mode="fast"), None)  # type: ignore[arg-type]
    assert found.boxes.tolist() == [[40, 20, 63, 43]]
    assert found.points_xy.tolist() == [decoder.best_xy.tolist()]
    asked = np.concatenate(decoder.asked)
    assert len(asked) == len(np.unique(asked, axis=0)) < inside.sum() + 20


def test_what_is_cut_by_the_edge_stands_for_nothing() -> None:
    whole, bleeding = (30, 24, 98, 72), (18, 22, 98, 72)
    decoder = BoxDecoder({whole: (0.92, 30, 98), bleeding: (0.98, 18, 98)})
    config = EverythingConfig(mode="fast", grid=(64, 48))
    for is_cut, box in ((None, bleeding), (lambda boxes: boxes[:, 0] <= 20, whole)):
        found = fast_masks(decoder, config.grid, config, None, is_cut)  # type: ignore[arg-type]
        best = found.boxes[found.predicted_iou.argmax()]
        assert best.tolist() == [box[0], box[1], box[2] - 1, box[3] - 1]


def test_a_mask_of_the_same_box_and_half_the_area_is_another_one() -> None:
    masks = np.zeros((2, 40, 50), np.bool_)
    masks[:, 10:30, 5:25] = True
    masks[1, 11:21, 6:25] = False
    scores, stability, points = np.float32([0.9, 0.9]), np.float32([1, 1]), np.zeros((2, 2), np.float32)
    found = pack(masks, scores, stability, points, (np.zeros(2, np.int64), np.ones(2, np.float32)))  # type: ignore[arg-type]
    assert found.areas_px().tolist() == [400, 210]
    box = np.repeat(found.boxes[:1].astype(np.float32), 3, axis=0)
    hints = _Hints(np.arange(3), box, np.float32([390, 390, 210]), np.float32([0.89, 0.91, 0.89]))  # type: ignore[arg-type]
    one = np.array([0])
    first = _best_likeness(hints, found.take(one), found.areas_px()[one], 0.7)
    assert first == pytest.approx([0.9, 0.9, -np.inf])
    assert _best_likeness(hints, found, found.areas_px(), 0.7) == pytest.approx([0.9, 0.9, 0.9])


@pytest.mark.parametrize("pieces", [{}, {"crop_layers": 1}, {"tiles": 3}])
def test_a_grid_that_is_asked_whole_gives_what_exact_mode_gives(pieces: dict[str, int]) -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (100, 100, 3), dtype=np.uint8)
    sam = sharp(tiny_sam(seed=2, n_classes=3))
    settings = {"grid": (4, 3), "pred_iou": 0.0, "stability": 0.0, "box_nms": 1.0, "crop_nms": 1.0} | pieces
    configs = (EverythingConfig(mode=mode, **settings) for mode in ("exact", "fast"))
    exact, fast = (everything(sam, rgb, config, wraps="tiles" in pieces) for config in configs)  # type: ignore[arg-type]
    assert len(exact) == len(fast) > 2
    assert exact.predicted_iou == pytest.approx(fast.predicted_iou, abs=1e-5)
    assert exact.boxes_xyxy.tolist() == fast.boxes_xyxy.tolist()
    assert np.array_equal(fast.class_index, exact.class_index)  # type: ignore[arg-type]
