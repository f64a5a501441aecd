"""Checkpoints come back as they were, and every wrong file is one clear line."""

import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tiny_sam import tiny_sam

from saom_bench.errors import SaomBenchError
from saom_bench.sam import checkpoint
from saom_bench.sam.checkpoint import load_checkpoint, read_metadata, save_checkpoint
from saom_bench.sam.model import Sam
from saom_bench.sam.registry import load_model


@pytest.fixture(autouse=True)
def _tiny_base(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "load_base", lambda name, device, weights: tiny_sam())


def _tuned() -> Sam:
    sam = tiny_sam(n_classes=3)
    with torch.no_grad():
        for parameter in sam.trainable_parameters(iou_head=True).values():
            parameter.add_(0.25)
    return sam


def test_round_trip_keeps_tensors_classes_and_metadata(tmp_path: Path) -> None:
    path = tmp_path / "best.safetensors"
    sam = _tuned()
    save_checkpoint(path, sam, {"recipe": "saomv1", "config": {"epochs": 3}})
    back = load_checkpoint(path)
    assert back.class_names == sam.class_names
    for name, value in sam.state_dict().items():
        assert torch.equal(back.state_dict()[name], value), name
    header = read_metadata(path)
    assert (header["base"], header["recipe"], header["config"]) == ("tiny-sam", "saomv1", {"epochs": 3})
    assert load_model(str(tmp_path)).class_names == sam.class_names


def test_a_checkpoint_of_other_weights_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint(tmp_path / "a.safetensors", _tuned(), {})
    monkeypatch.setattr(checkpoint, "load_base", lambda name, device, weights: tiny_sam(seed=9))
    with pytest.raises(SaomBenchError, match="fine-tuned from 'tiny-sam' with other weights"):
        load_checkpoint(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "no saom-bench checkpoint"),
        ({"version": 99}, "checkpoint version 99"),
    ],
)
def test_other_formats_are_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, _tuned(), {})
    header = read_metadata(path) | change
    tensors = {name: value.detach() for name, value in _tuned().trainable_parameters(iou_head=True).items()}
    save_file(tensors, path, {"saom": json.dumps(header)})
    with pytest.raises(SaomBenchError, match=message):
        load_checkpoint(path)


def test_a_missing_tensor_and_a_wrong_shape_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, _tuned(), {})
    text = {"saom": json.dumps(read_metadata(path))}
    tensors = {name: value.detach() for name, value in _tuned().trainable_parameters(iou_head=True).items()}
    short = {name: value for name, value in tensors.items() if name != "class_head.bias"}
    save_file(short, path, text)
    with pytest.raises(SaomBenchError, match=r"class_head\.bias"):
        load_checkpoint(path)
    save_file({**tensors, "class_head.bias": torch.zeros(7)}, path, text)
    with pytest.raises(SaomBenchError, match=r"class_head\.bias has shape \(7,\)"):
        load_checkpoint(path)


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "exploded",))  # type: ignore[return-value]

    path = tmp_path / "evil.pth"
    path.write_bytes(pickle.dumps({"weights": Bomb()}))
    with pytest.raises(SaomBenchError, match="never loaded"):
        load_model(str(path))
    assert not (tmp_path / "exploded").exists()


def test_names_are_helped() -> None:
    with pytest.raises(SaomBenchError, match="did you mean 'mobile-sam'"):
        load_model("sam:mobil-sam")
    with pytest.raises(SaomBenchError, match="there is no checkpoint"):
        load_model("nowhere/best.safetensors")
