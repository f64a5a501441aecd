"""The mask scorer: it sees what is under the masks and no padding, and untrained it changes no predicted IoU."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_sam import sharp, tiny_sam

from saom_bench.everything import EverythingConfig, everything
from saom_bench.prompts import grid_points
from saom_bench.sam.checkpoint import load_checkpoint, save_checkpoint
from saom_bench.sam.model import Sam
from saom_bench.sam.scorer import look

NAMES = ("cup", "bed", "box")


def _picture(size_hw: tuple[int, int] = (60, 100)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (*size_hw, 3), dtype=np.uint8)


def _learned(sam: Sam, names: tuple[str, ...] | None = NAMES) -> Sam:
    """A scorer that says something, as if it had learned."""
    scorer = sam.attach_scorer(names, seed=1)
    with torch.no_grad():
        scorer.iou.weight.normal_(0, 0.1, generator=torch.Generator().manual_seed(2))
    return sam


def test_what_is_seen_is_what_lies_under_the_mask() -> None:
    draws = torch.Generator().manual_seed(0)
    features, colors = torch.randn(256, 8, 8, generator=draws), torch.rand(3, 32, 32, generator=draws)
    logits = torch.full((1, 3, 32, 32), -50.0)
    logits[0, 0, 4:12, 8:24] = 50.0
    seen = look(torch.randn(1, 256, generator=draws), logits, torch.full((1, 3), 0.75), features, colors, (32, 32))[0]
    of_mask = seen[256:].view(3, -1)[0]
    under = torch.nn.functional.layer_norm(features[:, 1:3, 2:6].mean(dim=(1, 2)), (256,))
    torch.testing.assert_close(of_mask[:256], under, atol=1e-2, rtol=0)
    x, y, spread_x, spread_y, area = of_mask[512:517].tolist()
    assert np.allclose([x, y], [0, -0.5], atol=2e-2)
    assert np.allclose([spread_x, spread_y], [5 * 0.5 / 12**0.5, 5 * 0.25 / 12**0.5], atol=2e-2)
    assert np.isclose(area, 3 * 8 * 16 / 32**2, atol=1e-2)
    torch.testing.assert_close(of_mask[521:524], 4 * colors[:, 4:12, 8:24].mean(dim=(1, 2)) - 2, atol=1e-2, rtol=0)
    torch.testing.assert_close(of_mask[524:527], 8 * colors[:, 4:12, 8:24].flatten(1).std(dim=1), atol=0.05, rtol=0)
    assert of_mask[527] == 0.5


@torch.no_grad()
def test_padding_is_not_seen() -> None:
    sam = sharp(tiny_sam(seed=2))
    embedding = sam.encode(_picture())
    points_xy = torch.from_numpy(grid_points(3, 2, (60, 100)))
    cropped, padded = (sam.look(sam.decode(embedding, points_xy, padding=p), embedding) for p in (False, True))
    torch.testing.assert_close(cropped, padded, atol=1e-4, rtol=1e-4)
    whole = sam.decode(embedding, points_xy)
    height, width = 38, 64  # of the logits; 60 x 100 pixels become 154 x 256 of the encoder's 256
    colors = torch.zeros(3, 64, 64)
    assert embedding.colors is not None
    colors[:, :height, :width] = embedding.colors
    parts = whole.iou_token, whole.low_res_logits, whole.predicted_iou
    torch.testing.assert_close(look(*parts, embedding.features, colors, (height, width)), cropped, atol=1e-3, rtol=1e-3)


@torch.no_grad()
def test_an_untrained_scorer_changes_no_mask_and_no_score() -> None:
    sam, config = sharp(tiny_sam(seed=2)), EverythingConfig(grid=(6, 4), pred_iou=0, stability=0, box_nms=1)
    plain = everything(sam, _picture(), config)
    sam.attach_scorer(NAMES)
    scored = everything(sam, _picture(), config)
    assert len(plain) > 5
    assert scored.rles == plain.rles
    np.testing.assert_array_equal(scored.predicted_iou, plain.predicted_iou)
    assert plain.class_index is None
    assert scored.class_index is not None


@torch.no_grad()
def test_everything_mode_has_the_scores_and_classes_of_its_scorer() -> None:
    sam = _learned(sharp(tiny_sam(seed=2)))
    keep_all = EverythingConfig(grid=(5, 3), pred_iou=0, stability=0, box_nms=1, points_per_batch=4)
    embedding = sam.encode(_picture())
    points_xy = torch.from_numpy(grid_points(*keep_all.grid, (60, 100)))
    assert sam.scorer is not None
    sam.mask_decoder.iou_prediction_head.layers[-1].bias += 2  # all pass by the decoder's own scores
    sam.scorer.iou.bias -= sam.judge(sam.decode(embedding, points_xy), embedding).predicted_iou.mean(dim=0) - 0.5
    found = everything(sam, embedding, keep_all)
    judged = sam.judge(sam.decode(embedding, torch.from_numpy(found.points_xy)), embedding)
    assert judged.class_logits is not None
    assert found.class_index is not None
    assert found.class_index.tolist() == judged.class_logits.argmax(dim=1).tolist()
    known = torch.cat([judged.class_logits, judged.none_logit], dim=1).softmax(dim=1)[:, :-1]
    np.testing.assert_allclose(found.class_score, known.max(dim=1).values, atol=1e-4)
    apart = np.abs(judged.predicted_iou.numpy() - found.predicted_iou[:, None]).min(axis=1)
    assert apart.max() < 1e-4
    bar = float(np.sort(judged.predicted_iou.flatten())[-4])
    raised = everything(sam, embedding, replace(keep_all, pred_iou=bar))
    assert 0 < len(raised) <= 3
    assert (raised.predicted_iou > bar).all()


@torch.no_grad()
def test_fast_mode_finds_what_exact_mode_finds_with_a_scorer(monkeypatch) -> None:
    sam = _learned(sharp(tiny_sam(seed=2)))
    config = EverythingConfig(grid=(6, 4), pred_iou=0, stability=0.2, box_nms=1, points_per_batch=24)
    exact = everything(sam, _picture(), config)
    monkeypatch.setattr("saom_bench.everything.fast.chosen_points", lambda *_: np.arange(24))
    fast = everything(sam, _picture(), replace(config, mode="fast"))
    wanted = dict(zip(map(str, exact.rles), exact.predicted_iou, strict=True))
    assert len(fast) > 3
    for rle, iou in zip(fast.rles, fast.predicted_iou, strict=True):
        assert abs(wanted[str(rle)] - iou) < 1e-4


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_it_judges_in_float32_whatever_the_decoder_does(dtype) -> None:
    sam = _learned(sharp(tiny_sam(seed=2)))
    embedding = sam.encode(np.full((256, 256, 3), 255, np.uint8))
    decoded = sam.decode(embedding, torch.tensor([[30.0, 20.0]]))
    expected = sam.judge(decoded, embedding)
    with torch.autocast("cpu", dtype):
        got = sam.judge(decoded, embedding)
    assert torch.equal(got.predicted_iou, expected.predicted_iou)
    assert torch.equal(got.class_logits, expected.class_logits)


@torch.no_grad()
def test_a_checkpoint_keeps_its_scorer(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("saom_bench.sam.checkpoint.load_base", lambda *_: tiny_sam())
    for names, n_classes in ((NAMES, None), (None, 4), (None, None)):
        sam = _learned(tiny_sam(n_classes=n_classes), names)
        save_checkpoint(tmp_path / "c.safetensors", sam, {})
        again = load_checkpoint(tmp_path / "c.safetensors")
        assert again.class_names == sam.class_names
        embedding = sam.encode(_picture())
        decoded = sam.decode(embedding, torch.tensor([[30.0, 20.0]]))
        ours, theirs = sam.judge(decoded, embedding), again.judge(decoded, embedding)
        assert torch.equal(ours.predicted_iou, theirs.predicted_iou)
        assert (ours.class_logits is None) == (names is None and n_classes is None)
        if ours.class_logits is not None and theirs.class_logits is not None:
            assert torch.equal(ours.class_logits, theirs.class_logits)
