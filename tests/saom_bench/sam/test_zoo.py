"""Base models from files: small ViT weights are built and recorded, foreign and dangerous files are refused."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from saom_bench.errors import SaomBenchError
from saom_bench.files import sha256_file
from saom_bench.sam import specs
from saom_bench.sam.modules import ImageEncoderViT
from saom_bench.sam.preprocess import encoder_input, input_size
from saom_bench.sam.registry import load_model
from saom_bench.sam.zoo import load_base, new_decoder

VIT = specs.Vit(width=16, depth=1, heads=2, global_layers=())


@pytest.fixture
def tensors(monkeypatch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    """Random weights of a sam-vit-b that is made tiny."""
    spec = specs.MODELS["sam-vit-b"]
    monkeypatch.setitem(specs.MODELS, "sam-vit-b", specs.ModelSpec(**{**vars(spec), "vit": VIT}))
    encoder = ImageEncoderViT(
        img_size=1024,
        patch_size=16,
        embed_dim=VIT.width,
        depth=VIT.depth,
        num_heads=VIT.heads,
        out_chans=256,
        norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
        use_rel_pos=True,
        window_size=14,
    )
    prompt_encoder, mask_decoder = new_decoder()
    parts = {"image_encoder": encoder, "prompt_encoder": prompt_encoder, "mask_decoder": mask_decoder}
    return {f"{part}.{name}": value for part, module in parts.items() for name, value in module.state_dict().items()}


def test_weights_from_a_file_are_used_and_their_hash_is_kept(tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    path = tmp_path / "mine.pth"
    torch.save(tensors, path)
    sam = load_model("sam:sam-vit-b", weights=path)
    assert sam.weights_sha256 == sha256_file(path)
    embedding = sam.encode(np.zeros((90, 160, 3), np.uint8))
    assert embedding.features.shape == (256, 64, 64)
    assert embedding.input_hw == (576, 1024)
    assert torch.equal(sam.mask_decoder.iou_token.weight, tensors["mask_decoder.iou_token.weight"])
    assert not any(name.startswith("image_encoder") for name, _ in sam.named_parameters())


def test_damaged_weights_in_the_cache_are_named(
    tmp_path: Path, tensors: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAOM_BENCH_CACHE", str(tmp_path))
    (tmp_path / "weights").mkdir()
    torch.save(tensors, tmp_path / "weights" / "sam_vit_b_01ec64.pth")
    with pytest.raises(SaomBenchError, match=r"sam_vit_b_01ec64\.pth is damaged.*saom-bench models get sam-vit-b"):
        load_base("sam-vit-b")


def test_foreign_weights_are_refused(tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    path = tmp_path / "other.pth"

    def refused(change: Callable[[dict[str, Tensor]], object], message: str) -> None:
        changed = dict(tensors)
        change(changed)
        torch.save(changed, path)
        with pytest.raises(SaomBenchError, match=message):
            load_base("sam-vit-b", weights=path)

    refused(lambda table: table.update(extra=torch.zeros(1)), "is of another model: it has 'extra'")
    refused(lambda table: table.pop("mask_decoder.iou_token.weight"), "is of another model: its mask_decoder")
    key = "image_encoder.pos_embed"
    refused(lambda table: table.update({key: torch.zeros(1, 64, 64, 32)}), "its image_encoder does not fit")
    with pytest.raises(SaomBenchError, match="no readable weights file"):
        load_base("sam-vit-b", weights=tmp_path / "nowhere.pth")
    with pytest.raises(SaomBenchError, match="ships with its weights"):
        load_base("mobile-sam", weights=path)


def test_a_pickle_that_runs_code_is_refused(tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return (os.mkdir, (tmp_path / "exploded",))

    path = tmp_path / "evil.pth"
    for content in (pickle.dumps({"image_encoder.x": Bomb()}, protocol=2), b"not weights at all", b""):
        path.write_bytes(content)
        with pytest.raises(SaomBenchError, match="cut short or holds no plain tensors"):
            load_base("sam-vit-b", weights=path)
    torch.save({"model": tensors, "epoch": 3}, path)
    with pytest.raises(SaomBenchError, match="no table of tensors"):
        load_base("sam-vit-b", weights=path)
    assert not (tmp_path / "exploded").exists()


def test_an_unknown_device_is_named() -> None:
    with pytest.raises(SaomBenchError, match="unknown device 'tpu9x'"):
        load_base("mobile-sam", device="tpu9x")


@pytest.mark.parametrize("size_hw", [(480, 640), (300, 100), (2000, 1500), (1, 1), (1024, 1024)])
def test_the_longest_side_fills_the_input(size_hw: tuple[int, int]) -> None:
    height, width = input_size(size_hw, 1024)
    assert max(height, width) == 1024
    rgb = np.full((*size_hw, 3), 255, np.uint8)
    image = encoder_input(rgb, 1024)
    assert (image[:, :height, :width] > 2).all()
    assert not image[:, height:].any()
    assert not image[:, :, width:].any()


# A program, because a module that was imported once is not imported again: a torchvision that cannot be loaded stands
# before the real one, if there is any.
_PROGRAM = """
import sys
from saom_bench.sam.modules import MaskDecoder, PromptEncoder
import segment_anything.utils.amg
assert sys.modules["segment_anything"].__path__
assert MaskDecoder.__module__ == "segment_anything.modeling.mask_decoder"
import saom_bench.sam.registry
print("imported")
"""


@pytest.mark.parametrize(
    "failure", ["raise RuntimeError('operator torchvision::nms does not exist')", "raise OSError('libcudart.so.12')"]
)
def test_a_torchvision_that_does_not_fit_is_no_obstacle(tmp_path: Path, failure: str) -> None:
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(failure)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", _PROGRAM]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "imported\n", done.stderr
