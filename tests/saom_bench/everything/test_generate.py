"""Everything mode's own promises: classes follow their points, limits hold, bad settings are one clear line."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_sam import sharp, tiny_sam

from saom_bench.errors import SaomBenchError
from saom_bench.everything import PRESETS, EverythingConfig, everything, parse_grid, preset, settings_of
from saom_bench.masks import decode_rle
from saom_bench.prompts import grid_points
from saom_bench.sam.model import Sam
from saom_bench.types import RgbImage

KEEP_ALL = EverythingConfig(grid=(5, 3), pred_iou=0, stability=0, box_nms=1, points_per_batch=4)


def _picture() -> RgbImage:
    return np.random.default_rng(0).integers(0, 255, (60, 100, 3), dtype=np.uint8)


@torch.no_grad()
def _spread_classes(sam: Sam, rgb: RgbImage) -> None:
    """Have the class head tell apart the points of KEEP_ALL's grid, whose tokens differ little."""
    points_xy = torch.from_numpy(grid_points(*KEEP_ALL.grid, (60, 100)))
    tokens = sam.decode(sam.encode(rgb), points_xy).iou_token
    assert sam.class_head is not None
    sam.class_head.weight.mul_(100)
    sam.class_head.bias.copy_(-sam.class_head.weight @ tokens.mean(dim=0))


def test_each_mask_has_the_class_of_its_point() -> None:
    sam = sharp(tiny_sam(n_classes=4))
    rgb = _picture()
    _spread_classes(sam, rgb)
    proposals = everything(sam, rgb, KEEP_ALL)
    with torch.no_grad():
        decoded = sam.decode(sam.encode(rgb), torch.from_numpy(proposals.points_xy))
        expected = sam.classify(decoded.iou_token).softmax(dim=1)
    assert proposals.class_index is not None
    assert proposals.class_score is not None
    assert len(set(proposals.class_index.tolist())) > 1
    assert proposals.class_index.tolist() == expected.argmax(dim=1).tolist()
    assert proposals.class_score == pytest.approx(expected.max(dim=1).values.numpy(), abs=1e-4)


def test_every_field_is_aligned_and_best_first() -> None:
    sam = sharp(tiny_sam(seed=1))
    rgb = _picture()
    embedding = sam.encode(rgb)
    proposals = everything(sam, embedding, KEEP_ALL)
    assert len(proposals) > 10
    assert (np.diff(proposals.predicted_iou) <= 0).all()
    assert proposals.class_index is None
    for i in range(0, len(proposals), 5):
        with torch.no_grad():
            decoded = sam.decode(embedding, torch.from_numpy(proposals.points_xy[i : i + 1]))
            logits = sam.upscale(decoded.low_res_logits, embedding)[0]
        scores = decoded.predicted_iou[0].numpy()
        channel = int(np.abs(scores - proposals.predicted_iou[i]).argmin())
        assert scores[channel] == pytest.approx(proposals.predicted_iou[i], abs=1e-5)
        inner, outer = (logits[channel] > 1).sum(), (logits[channel] > -1).sum()
        assert proposals.stability[i] == pytest.approx(float(inner / outer), abs=1e-3)
        # The batch differs, so may a pixel whose logit is almost 0.
        assert (decode_rle(proposals.rles[i]) != (logits[channel] > 0).numpy()).mean() < 0.001


def test_batches_and_progress_do_not_change_the_result() -> None:
    sam = sharp(tiny_sam(seed=2))
    rgb = _picture()
    counts: list[int] = []
    whole = everything(sam, rgb, replace(KEEP_ALL, points_per_batch=15))
    parts = everything(sam, rgb, KEEP_ALL, progress=counts.append)
    assert counts == [4, 4, 4, 3]
    assert len(whole) == len(parts)
    assert whole.predicted_iou == pytest.approx(parts.predicted_iou, abs=1e-5)


def test_thresholds_drop_masks_and_may_drop_all() -> None:
    sam = sharp(tiny_sam(seed=2, n_classes=3))
    rgb = _picture()
    everything_kept = everything(sam, rgb, KEEP_ALL)
    bar = float(np.median(everything_kept.stability))
    stable = everything(sam, rgb, replace(KEEP_ALL, stability=bar))
    assert 0 < len(stable) < len(everything_kept)
    assert (stable.stability >= bar).all()
    none = everything(sam, rgb, replace(KEEP_ALL, pred_iou=1.0))
    assert len(none) == 0
    assert none.boxes_xyxy.shape == (0, 4)
    assert none.class_index is not None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"grid": (0, 32)}, r"the grid is \(0, 32\)"),
        ({"pred_iou": 1.5}, "pred_iou is 1.5"),
        ({"stability": float("nan")}, "stability is nan"),
        ({"min_area_px": -1}, "min_area_px is -1"),
        ({"points_per_batch": 0}, "points_per_batch is 0"),
        ({"mode": "fats"}, "did you mean 'fast'"),
        ({"dtype": "float16"}, "unknown everything mode dtype 'float16'"),
        ({"crop_layers": -1}, "crop_layers is -1"),
        ({"crop_points_downscale": 0}, "crop_points_downscale is 0"),
    ],
)
def test_impossible_settings_are_named(settings: dict[str, object], message: str) -> None:
    with pytest.raises(SaomBenchError, match=message):
        EverythingConfig(**settings)  # type: ignore[arg-type]


def test_grids_and_presets_by_name() -> None:
    assert parse_grid("320x64") == (320, 64)
    for text in ("32", "x32", "32x", "axb", "-1x4", "3x4x5"):
        with pytest.raises(SaomBenchError, match="is no grid"):
            parse_grid(text)
    assert preset("saomv2").grid == (64, 64)
    with pytest.raises(SaomBenchError, match="did you mean 'panosam'"):
        preset("panosan")
    assert PRESETS["sam"] == EverythingConfig()


def test_a_checkpoint_says_what_it_wants() -> None:
    wanted = settings_of({"everything_preset": "saomv2", "everything": {"pred_iou": 0.6, "grid": [8, 4]}}, "best")
    assert wanted == replace(PRESETS["saomv2"], pred_iou=0.6, grid=(8, 4))
    assert settings_of({}, "best") == PRESETS["saomv1"]
    with pytest.raises(SaomBenchError, match="did you mean 'pred_iou'"):
        settings_of({"everything": {"pred_iuo": 0.6}}, "best")
    for table in ({"pred_iou": "high"}, {"grid": 3}):
        with pytest.raises(SaomBenchError, match="best has everything mode settings that are no numbers"):
            settings_of({"everything": table}, "best")
