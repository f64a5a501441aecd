"""Exact mode's short cuts: what is not drawn or not enlarged could not have passed, and bounds are bounds."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_sam import sharp, tiny_sam

from saom_bench.everything import EverythingConfig, everything
from saom_bench.everything import exact as module
from saom_bench.everything.decoding import PointDecoder
from saom_bench.everything.exact import stability_bound, stability_of
from saom_bench.prompts import grid_points
from saom_bench.sam.model import Embedding

CONFIG = EverythingConfig(grid=(6, 4), pred_iou=0, stability=0, box_nms=1)
SAM = tiny_sam()


@given(
    height=st.integers(20, 400),
    width=st.integers(20, 400),
    offset=st.sampled_from([0.5, 1.0, 2.0]),
    seed=st.integers(0, 1000),
)
@settings(deadline=None, max_examples=40)
def test_no_stability_exceeds_its_bound(height: int, width: int, offset: float, seed: int) -> None:
    embedding = Embedding(torch.zeros(256, 16, 16), (height, width), SAM.input_size((height, width)))
    decoder = PointDecoder(SAM, embedding, CONFIG)
    draws = torch.Generator().manual_seed(seed)
    coarse = torch.randn(3, 1, 12, 12, generator=draws) * torch.tensor([2.0, 8.0, 30.0]).view(3, 1, 1, 1)
    logits = torch.nn.functional.interpolate(coarse, (64, 64), mode="bicubic")[:, 0]
    exact = stability_of(decoder.upscale(logits), offset)
    assert (stability_bound(logits, decoder, offset) >= exact).all()


def test_a_flat_mask_is_never_enlarged() -> None:
    embedding = Embedding(torch.zeros(256, 16, 16), (90, 120), SAM.input_size((90, 120)))
    decoder = PointDecoder(SAM, embedding, CONFIG)
    logits = torch.full((2, 64, 64), -0.9)
    logits[:, 20:40, 20:40] = torch.tensor([0.9, 9.0]).view(2, 1, 1)
    assert stability_bound(logits, decoder, 1.0).tolist() == [0, pytest.approx(22 * 22 / 48 / 64, rel=0.05)]


def test_the_bound_changes_no_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (60, 100, 3), dtype=np.uint8)
    config, model = replace(CONFIG, stability=0.9), sharp(tiny_sam(seed=2))
    few = everything(model, rgb, config)
    monkeypatch.setattr(module, "stability_bound", lambda logits, *_: np.ones(len(logits), np.float32))
    assert everything(model, rgb, config).rles == few.rles
    assert len(few)


def test_points_without_a_passing_score_are_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    model = sharp(tiny_sam(seed=2))
    rgb = np.random.default_rng(0).integers(0, 255, (60, 100, 3), dtype=np.uint8)
    embedding = model.encode(rgb)
    scores = model.decode(embedding, torch.from_numpy(grid_points(6, 4, (60, 100)))).predicted_iou.detach().numpy()
    best = np.sort(scores.max(axis=1))
    bar = float(best[11] + best[12]) / 2
    drawn: list[int] = []
    whole = PointDecoder.draw
    monkeypatch.setattr(
        PointDecoder, "draw", lambda self, scored, rows: drawn.append(len(rows)) or whole(self, scored, rows)
    )
    assert len(everything(model, embedding, replace(CONFIG, pred_iou=bar)))
    assert sum(drawn) == (scores.max(axis=1) > bar).sum() < 24


def test_bfloat16_finds_about_the_same() -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (60, 100, 3), dtype=np.uint8)
    model = sharp(tiny_sam(seed=1, n_classes=3))
    full, half = (everything(model, rgb, replace(CONFIG, dtype=dtype)) for dtype in ("float32", "bfloat16"))
    assert abs(len(full) - len(half)) <= 3
    assert half.predicted_iou[0] == pytest.approx(full.predicted_iou[0], abs=0.05)
    assert half.class_index is not None
    assert next(model.mask_decoder.parameters()).dtype == torch.float32
