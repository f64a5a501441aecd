"""Exported models: read back by other programs they say what ours says, and a card says what they are."""

import json
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_sam import EMBEDDING_SIZE, sharp, tiny_sam, tiny_vit_sam

from saom_bench.errors import SaomBenchError
from saom_bench.sam import export as exporting
from saom_bench.sam.export import export
from saom_bench.sam.preprocess import low_size, to_input_frame

METADATA = {
    "recipe": "saomv1-cpu",
    "train_scenes": ["FloorPlan1", "FloorPlan2"],
    "train_fingerprint": "abc",
    "val": {"miou": 51.25},
    "step": 7,
    "command": "saom-bench train x",
}


def test_onnx_gives_masks_and_classes_for_any_number_of_points(tmp_path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    sam = tiny_vit_sam(n_classes=4)
    assert export(sam, tmp_path, "onnx", METADATA) < 1e-4
    side = 16 * EMBEDDING_SIZE
    picture = np.random.default_rng(0).normal(size=(1, 3, side, side)).astype(np.float32)
    encoder, decoder = (onnxruntime.InferenceSession(tmp_path / f"{name}.onnx") for name in ("encoder", "decoder"))
    (features,) = encoder.run(None, {"image": picture})
    expected = sam.encoder[0](picture[0], torch.device("cpu"))
    np.testing.assert_allclose(features[0], expected.numpy(), atol=1e-4)
    for count in (1, 5):
        points = np.linspace(10, 200, 2 * count, dtype=np.float32).reshape(count, 2)
        logits, iou, classes = decoder.run(None, {"features": features, "points_xy": points})
        assert (logits.shape[:2], iou.shape, classes.shape) == ((count, 3), (count, 3), (count, 4))
    card = (tmp_path / "README.md").read_text("utf-8")
    assert "saomv1-cpu on tiny-sam" in card
    assert "2 scenes, fingerprint `abc`" in card
    assert "| 51.2 |" in card
    assert json.loads((tmp_path / "classes.json").read_text()) == [f"class {i}" for i in range(4)]


def test_onnx_takes_what_a_mask_scorer_wants(tmp_path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    sam, size_hw = sharp(tiny_sam(seed=2)), (60, 100)
    scorer = sam.attach_scorer(("cup", "bed"), seed=1)
    with torch.no_grad():
        scorer.iou.weight.normal_(0, 0.1, generator=torch.Generator().manual_seed(2))
    sam.encoder[0] = tiny_vit_sam().encoder[0]
    assert export(sam, tmp_path, "onnx", {}) < 1e-4
    assert "`shown_hw`" in (tmp_path / "README.md").read_text("utf-8")
    embedding = sam.encode(np.random.default_rng(0).integers(0, 255, (*size_hw, 3), dtype=np.uint8))
    points_xy, side = torch.tensor([[30.0, 20.0], [80.0, 50.0]]), 4 * EMBEDDING_SIZE
    shown_hw = low_size(embedding.input_hw)
    colors = np.zeros((1, 3, side, side), np.float32)
    colors[0, :, : shown_hw[0], : shown_hw[1]] = embedding.colors
    decoder = onnxruntime.InferenceSession(tmp_path / "decoder.onnx")
    given = {
        "features": embedding.features[None].numpy(),
        "points_xy": points_xy.numpy() * np.array(to_input_frame(size_hw, embedding.input_hw), np.float32),
        "colors": colors,
        "shown_hw": np.array(shown_hw),
    }
    _, iou, classes = decoder.run(None, given)
    with torch.no_grad():
        judged = sam.judge(sam.decode(embedding, points_xy), embedding)
    np.testing.assert_allclose(iou, judged.predicted_iou, atol=1e-3)
    np.testing.assert_allclose(classes, judged.class_logits, atol=1e-3)


def test_transformers_gives_equal_masks_from_the_picture_on(tmp_path) -> None:
    transformers = pytest.importorskip("transformers")
    sam = tiny_vit_sam(seed=2, n_classes=3)
    assert export(sam, tmp_path, "hf", {}) < 1e-4
    model = transformers.SamModel.from_pretrained(tmp_path, local_files_only=True).eval()
    side = 16 * EMBEDDING_SIZE
    picture = np.random.default_rng(1).normal(size=(3, side, side)).astype(np.float32)
    points = torch.tensor([[30.0, 40.0], [200.0, 100.0]])
    with torch.no_grad():
        found = model(torch.from_numpy(picture)[None], input_points=points[None, :, None], multimask_output=True)
        features = sam.encoder[0](picture, torch.device("cpu"))
        decoded = sam.decode(exporting.Embedding(features, (side, side), (side, side)), points)
    scale = decoded.low_res_logits.abs().max()
    torch.testing.assert_close(found.pred_masks[0] / scale, decoded.low_res_logits / scale, atol=1e-4, rtol=0)
    torch.testing.assert_close(found.iou_scores[0], decoded.predicted_iou, atol=1e-4, rtol=1e-3)
    assert set(load_file(tmp_path / "class_head.safetensors")) == {"class_head.weight", "class_head.bias"}


def test_full_has_every_tensor_under_segment_anythings_names(tmp_path) -> None:
    sam = tiny_vit_sam(n_classes=3)
    export(sam, tmp_path, "full", {})
    tensors = load_file(tmp_path / "model.safetensors")
    assert {name.split(".")[0] for name in tensors} == {"image_encoder", "prompt_encoder", "mask_decoder", "class_head"}
    torch.testing.assert_close(tensors["mask_decoder.iou_token.weight"], sam.mask_decoder.iou_token.weight.detach())


def test_without_the_extra_nothing_is_written(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(SaomBenchError, match=r"saom-bench\[export\]"):
        export(tiny_vit_sam(), tmp_path, "onnx", {})
    assert not list(tmp_path.iterdir())  # so that the same command may be given again


def test_weights_that_were_not_written_whole_are_refused(tmp_path, monkeypatch) -> None:
    def save(tensors, path, metadata) -> None:
        save_file({name: torch.zeros_like(value) for name, value in tensors.items()}, path, metadata)

    monkeypatch.setattr(exporting, "save_file", save)
    with pytest.raises(SaomBenchError, match="do not use"):
        export(tiny_vit_sam(), tmp_path, "full", {})


def test_what_cannot_be_exported_is_refused(tmp_path, monkeypatch) -> None:
    with pytest.raises(SaomBenchError, match="did you mean 'onnx'"):
        export(tiny_sam(), tmp_path, "onx", {})
    with pytest.raises(SaomBenchError, match="no place for the image encoder of tiny-sam"):
        export(tiny_sam(), tmp_path / "hf", "hf", {})
    (tmp_path / "file").write_text("")
    with pytest.raises(SaomBenchError, match="is not empty"):
        export(tiny_sam(), tmp_path, "full", {})
    monkeypatch.setitem(exporting.FORMATS, "full", lambda *_: float("nan"))
    with pytest.raises(SaomBenchError, match="outputs differ by nan"):
        export(tiny_sam(), tmp_path / "new", "full", {})
