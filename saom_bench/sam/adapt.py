"""The image encoder opened for training: its neck, or low-rank matrices (LoRA) on its attention, and put back for use.

LoRA adds B A * alpha / rank to the weight of each attention's ``qkv`` projection. Training uses peft (extra ``lora``);
a checkpoint holds A and B under plain names, and loading it adds the product to the weights, without peft. Limit:
encoders in torch; mobile-sam's is an ONNX file and stays as it is.
"""

from saom_bench.sam import runtime

runtime.prepare()

import hashlib  # noqa: E402
from collections.abc import Mapping  # noqa: E402
from typing import Any, cast  # noqa: E402

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from saom_bench.errors import SaomBenchError  # noqa: E402
from saom_bench.sam.encoders import TorchEncoder  # noqa: E402
from saom_bench.sam.model import Lora, Sam  # noqa: E402

PREFIX = "image_encoder."
_TARGET = "qkv"
_ADAPTER = "default"  # peft's own name for the only adapter


def open_encoder(sam: Sam, neck: bool, lora: Lora | None, seed: int = 0) -> dict[str, nn.Parameter]:
    """Have the encoder's neck, or LoRA matrices drawn from ``seed``, train; returns the parameters by checkpoint name.

    Raises SaomBenchError for an encoder that cannot train, was changed by an earlier training, or where peft is absent.
    """
    encoder: Any = _module(sam)
    if sam.encoder_changes and sam.lora == lora and _opened(sam.encoder_changes):
        return cast(dict[str, nn.Parameter], sam.encoder_changes)
    if sam.encoder_changes:
        raise SaomBenchError(
            f"this checkpoint's image encoder was trained already; set parts to the decoder alone, or start from "
            f"{sam.name}"
        )
    parameters: dict[str, nn.Parameter] = {}
    if neck:
        parameters |= {f"neck.{name}": value for name, value in encoder.neck.named_parameters()}
    if lora is not None:
        _inject(encoder, lora, seed)
        for name, value in encoder.named_parameters():
            if ".lora_" in name:
                parameters[name.removesuffix(f".{_ADAPTER}.weight")] = value
    for value in parameters.values():
        value.requires_grad_(True)
    encoder.to(sam.device)
    named = {PREFIX + name: value for name, value in parameters.items()}
    sam.encoder_changes, sam.lora = dict(named), lora
    return named


def apply_changes(sam: Sam, tensors: Mapping[str, Tensor], lora: Lora | None, origin: str) -> None:
    """Put a checkpoint's encoder tensors into the encoder. Raises SaomBenchError, naming ``origin``, for odd ones."""
    encoder = _module(sam)
    own = dict(encoder.named_parameters())
    digest = hashlib.sha256(sam.weights_sha256.encode())
    with torch.no_grad():
        for name, value in sorted(tensors.items()):
            digest.update(name.encode() + value.contiguous().cpu().numpy().tobytes())
            place = name.removeprefix(PREFIX)
            if place.endswith(".lora_B"):
                continue
            down = tensors.get(name.removesuffix("lora_A") + "lora_B") if place.endswith(".lora_A") else None
            weight = own.get(place if down is None else place.removesuffix("lora_A") + "weight")
            change = value if down is None or lora is None else down @ value * (lora.alpha / lora.rank)
            if weight is None or weight.shape != change.shape:
                raise SaomBenchError(f"{origin} does not fit {sam.name}: {name} has no place in its image encoder")
            weight.copy_(change.to(weight) if down is None else weight + change.to(weight))
    sam.encoder_changes, sam.lora, sam.encoder_sha256 = dict(tensors), lora, digest.hexdigest()


def _opened(changes: Mapping[str, Tensor]) -> bool:
    """Whether these are the parameters that train, and not what an earlier training left behind."""
    return all(isinstance(value, nn.Parameter) for value in changes.values())


def _module(sam: Sam) -> nn.Module:
    encoder = sam.encoder[0]
    if not isinstance(encoder, TorchEncoder):
        raise SaomBenchError(
            f"the image encoder of {sam.name} cannot train: it is an ONNX file; take --model sam-vit-b, or leave "
            '"neck" and "lora" out of parts'
        )
    return encoder.module


def _inject(encoder: nn.Module, lora: Lora, seed: int) -> None:
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise SaomBenchError("LoRA needs the package peft; run: pip install 'saom-bench[lora]'") from error
    config = LoraConfig(r=lora.rank, lora_alpha=lora.alpha, target_modules=[_TARGET], lora_dropout=0.0)
    # peft draws from torch's global state; the run's other draws must not depend on that.
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        inject_adapter_in_model(config, encoder, adapter_name=_ADAPTER)
