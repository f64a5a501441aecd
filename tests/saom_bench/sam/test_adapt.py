"""The encoder's neck and LoRA: what trains, and that a checkpoint put into plain weights gives the same features."""

import numpy as np
import pytest
import torch
from tiny_sam import tiny_sam, tiny_vit_sam

from saom_bench.errors import SaomBenchError
from saom_bench.sam import checkpoint
from saom_bench.sam.adapt import open_encoder
from saom_bench.sam.checkpoint import load_checkpoint, save_checkpoint
from saom_bench.sam.model import Lora

LORA = Lora(rank=2, alpha=4)


@pytest.fixture
def rgb():
    return np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)


@pytest.mark.parametrize(("neck", "lora"), [(True, None), (False, LORA), (True, LORA)])
def test_a_changed_encoder_comes_back_from_a_checkpoint(tmp_path, monkeypatch, rgb, neck, lora) -> None:
    sam = tiny_vit_sam(n_classes=3)
    before = sam.encode(rgb).features
    parameters = open_encoder(sam, neck, lora)
    assert open_encoder(sam, neck, lora) is not None  # a second time is no second opening
    kinds = {"neck" if ".neck." in name else "lora" for name in parameters}
    assert kinds == {kind for kind, wanted in (("neck", neck), ("lora", lora is not None)) if wanted}
    torch.testing.assert_close(sam.encode(rgb).features, before)  # nothing has moved yet
    draws = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for value in parameters.values():
            value += 0.1 * torch.randn(value.shape, generator=draws)
    after = sam.encode(rgb).features
    assert (after - before).abs().max() > 0.01
    path = tmp_path / "tuned.safetensors"
    save_checkpoint(path, sam, {})
    monkeypatch.setattr(checkpoint, "load_base", lambda *_: tiny_vit_sam())
    loaded = load_checkpoint(path)
    torch.testing.assert_close(loaded.encode(rgb).features, after, atol=1e-5, rtol=1e-4)
    assert loaded.encoder_sha256 not in {loaded.weights_sha256, sam.encoder_sha256}
    # A later checkpoint of that model still has what was changed.
    save_checkpoint(path, loaded, {})
    torch.testing.assert_close(load_checkpoint(path).encode(rgb).features, after, atol=1e-5, rtol=1e-4)
    with pytest.raises(SaomBenchError, match="was trained already"):
        open_encoder(loaded, neck, lora)


def test_gradients_reach_the_opened_parts_alone(rgb) -> None:
    sam = tiny_vit_sam()
    parameters = open_encoder(sam, True, LORA)
    sam.encode_with_gradient(rgb).features.square().sum().backward()
    assert all(value.grad is not None for name, value in parameters.items())
    named = sam.encoder[0].module.named_parameters()
    assert not [name for name, p in named if p.grad is not None and "neck" not in name and "lora" not in name]


def test_an_encoder_that_cannot_train_is_named() -> None:
    with pytest.raises(SaomBenchError, match="cannot train: it is an ONNX file; take --model sam-vit-b"):
        open_encoder(tiny_sam(), True, None)


def test_a_change_without_a_place_is_refused(tmp_path, monkeypatch) -> None:
    sam = tiny_vit_sam()
    sam.encoder_changes = {"image_encoder.neck.9.weight": torch.zeros(2)}
    save_checkpoint(tmp_path / "odd.safetensors", sam, {})
    monkeypatch.setattr(checkpoint, "load_base", lambda *_: tiny_vit_sam())
    with pytest.raises(SaomBenchError, match=r"neck.9.weight has no place"):
        load_checkpoint(tmp_path / "odd.safetensors")
