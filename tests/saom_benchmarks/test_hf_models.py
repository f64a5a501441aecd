"""Models of transformers behind the benchmark's two methods: tiny random ones, held against the library's own path."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from shards_fixture import make_shards

from saom_bench.errors import SaomBenchError
from saom_bench.masks import decode_rle
from saom_bench.shards.dataset import open_dataset
from saom_bench.types import Sample
from saom_benchmarks.hf_models import Look, PointPromptModel
from saom_benchmarks.models import EverythingOverrides, Model, PointRule, load_models
from saom_benchmarks.protocols import PROTOCOLS, score

transformers = pytest.importorskip("transformers")

DECODER = {
    "hidden_size": 32,
    "num_attention_heads": 2,
    "mlp_dim": 32,
    "num_hidden_layers": 2,
    "iou_head_hidden_dim": 32,
}
PROMPTS = {"hidden_size": 32, "image_size": 64, "patch_size": 8, "mask_input_channels": 4}
LOOSE = EverythingOverrides(grid=(3, 2), pred_iou=0.0, stability=0.0)


def _sam(kind: str) -> Any:
    vision = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 64,
        "patch_size": 8,
        "output_channels": 32,
        "mlp_dim": 32,
        "window_size": 4,
        "global_attn_indexes": [1],
        "num_pos_feats": 16,
        "initializer_range": 0.05,
    }
    decoder = DECODER | ({"vit_dim": 32} if kind == "SamHQ" else {})
    prompts = PROMPTS | {"image_embedding_size": 8}
    config = getattr(transformers, f"{kind}Config")
    parts = {"vision_config": vision, "prompt_encoder_config": prompts, "mask_decoder_config": decoder}
    return getattr(transformers, f"{kind}Model")(config(**parts))


def _sam2() -> Any:
    backbone = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": 8,
        "image_size": [64, 64],
        "blocks_per_stage": [1, 1, 2, 1],
        "embed_dim_per_stage": [8, 16, 32, 64],
        "num_attention_heads_per_stage": [1, 1, 2, 2],
        "window_size_per_stage": [4, 4, 4, 4],
        "global_attention_blocks": [3],
        "window_positional_embedding_background_size": [4, 4],
    }
    vision = {
        "backbone_config": backbone,
        "backbone_channel_list": [64, 32, 16, 8],
        "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
        "fpn_hidden_size": 32,
    }
    prompts = PROMPTS | {"patch_size": 16}
    config = transformers.Sam2Config(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=DECODER)
    return transformers.Sam2Model(config)


def _mask2former() -> Any:
    swin = transformers.SwinConfig(
        image_size=64, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], window_size=2,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )  # fmt: skip
    config = transformers.Mask2FormerConfig(
        backbone_config=swin, num_queries=6, hidden_dim=32, feature_size=32, mask_feature_size=32, encoder_layers=1,
        decoder_layers=2, num_attention_heads=2, encoder_feedforward_dim=32, dim_feedforward=32, num_labels=3,
    )  # fmt: skip
    return transformers.Mask2FormerForUniversalSegmentation(config)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("hf")
    made = {}
    for name, build in (
        ("sam", lambda: _sam("Sam")),
        ("sam-hq", lambda: _sam("SamHQ")),
        ("sam2", _sam2),
        ("mask2former", _mask2former),
    ):
        torch.manual_seed(1)
        made[name] = root / name
        build().save_pretrained(made[name])
    sizes = {"shortest_edge": 64, "longest_edge": 128}
    transformers.Mask2FormerImageProcessorPil(size=sizes).save_pretrained(made["mask2former"])
    return made


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return open_dataset(make_shards(tmp_path_factory.mktemp("data"), frames=1))[0]


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    transformers.logging.set_verbosity_error()


def _load(folder: Path) -> Model:
    (model,), _ = load_models([f"hf:{folder}"], None, "cpu", LOOSE)
    return model


@pytest.mark.parametrize("name", ["sam", "sam-hq", "sam2", "mask2former"])
def test_every_family_is_scored_under_both_protocols(folders: dict[str, Path], picture: Sample, name: str) -> None:
    model = _load(folders[name])
    assert (model.card.kind, model.card.base) == ("other", name)
    assert model.card.base_weights_sha256 is not None
    answers = list(model.points(picture, PointRule()))
    assert all(answer.masks.shape[1:] == picture.size_hw for answer in answers)
    if name != "mask2former":
        assert [answer.label for answer in answers] == [item.label for item in picture.instances]
        assert all(answer.masks.shape[0] == 3 for answer in answers)
    found = model.everything(picture)
    for rle, (x0, y0, x1, y1) in zip(found.rles, found.boxes_xyxy, strict=True):
        ys, xs = np.nonzero(decode_rle(rle))
        assert (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1) == (x0, y0, x1, y1)
    for protocol in ("oracle-point", "everything"):
        frame = score(PROTOCOLS[protocol], model, picture, lambda: 0.0)
        assert len(frame.objects) == len(picture.instances)


def test_sam_answers_as_the_librarys_own_path(folders: dict[str, Path], picture: Sample) -> None:
    model = _load(folders["sam"])
    assert isinstance(model, PointPromptModel)
    points = np.array([[20.5, 30.5], [90.0, 10.0]], np.float32)
    with torch.no_grad():
        ours = list(model._answers(model._encode(picture.rgb), points))
    processor = transformers.SamImageProcessorPil(size={"longest_edge": 64}, pad_size={"height": 64, "width": 64})
    made = processor(picture.rgb, return_tensors="pt")
    height, width = made["reshaped_input_sizes"][0].tolist()
    scaled = points * np.array([width / 128, height / 96], np.float32)
    with torch.no_grad():
        out = model._model(made["pixel_values"], input_points=torch.from_numpy(scaled)[None, :, None])
    theirs = processor.post_process_masks(
        out.pred_masks, made["original_sizes"], made["reshaped_input_sizes"], binarize=False,
        pad_size={"height": 64, "width": 64},
    )[0]  # fmt: skip
    for (logits, scores), masks, wanted in zip(ours, theirs, out.iou_scores[0], strict=True):
        torch.testing.assert_close(logits, masks, atol=1e-4, rtol=1e-4)
        np.testing.assert_allclose(scores, wanted.numpy(), atol=1e-5)


def test_pictures_are_padded_or_stretched() -> None:
    rgb = np.full((30, 60, 3), 255, np.uint8)
    padded, frame_hw = Look(40, is_padded=True).prepare(rgb)
    assert (tuple(padded.shape), frame_hw) == ((1, 3, 40, 40), (20, 40))
    assert (padded[0, :, 20:] == 0).all()
    assert padded[0, 0, 0, 0] == pytest.approx((1 - 0.485) / 0.229)
    stretched, frame_hw = Look(40, is_padded=False, mean=(0.5,) * 3, std=(0.5,) * 3).prepare(rgb)
    assert frame_hw == (40, 40)
    assert (stretched == 1).all()


def test_what_is_not_here_is_one_clear_line(tmp_path: Path) -> None:
    for name in (str(tmp_path / "nowhere"), "facebook/sam2.1-hiera-nothing"):
        with pytest.raises(SaomBenchError, match=r"no weights of .* on this machine.*hf download"):
            load_models([f"hf:{name}"], None, "cpu", LOOSE)
    transformers.BertConfig().save_pretrained(tmp_path)
    with pytest.raises(SaomBenchError, match="no weights of"):
        load_models([f"hf:{tmp_path}"], None, "cpu", LOOSE)
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(SaomBenchError, match=r"unknown family of hf:.* 'bert'"):
        load_models([f"hf:{tmp_path}"], None, "cpu", LOOSE)
