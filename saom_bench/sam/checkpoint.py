"""Checkpoints: the fine-tuned tensors in safetensors, with what made them in the header. None can run code."""

from saom_bench.sam import runtime

runtime.prepare()

import json  # noqa: E402
from collections.abc import Mapping  # noqa: E402
from dataclasses import asdict  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import torch  # noqa: E402
from safetensors import SafetensorError, safe_open  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from torch import Tensor  # noqa: E402

from saom_bench.errors import SaomBenchError  # noqa: E402
from saom_bench.files import write_atomically  # noqa: E402
from saom_bench.sam.adapt import PREFIX, apply_changes  # noqa: E402
from saom_bench.sam.model import Lora, Sam  # noqa: E402
from saom_bench.sam.zoo import load_base  # noqa: E402

FORMAT, VERSION = "saom-checkpoint", 1
_KEY = "saom"


def save_checkpoint(path: Path, sam: Sam, metadata: Mapping[str, Any]) -> None:
    """Write the parts of a model that fine-tuning may change, and ``metadata`` (JSON values), whole or not at all."""
    changed = {**_tuned(sam), **sam.encoder_changes}
    tensors = {name: value.detach().cpu().contiguous() for name, value in changed.items()}
    header = {
        **metadata,
        "format": FORMAT,
        "version": VERSION,
        "base": sam.name,
        "base_sha256": sam.weights_sha256,
        "class_names": None if sam.class_names is None else list(sam.class_names),
        "class_head": sam.class_head is not None,
        "mask_scorer": None if sam.scorer is None else {"classes": sam.scorer.classes is not None},
        "lora": None if sam.lora is None else asdict(sam.lora),
    }
    text = {_KEY: json.dumps(header, ensure_ascii=False, sort_keys=True)}
    write_atomically(path, lambda partial: save_file(tensors, partial, text))


def read_metadata(path: Path) -> dict[str, Any]:
    """A checkpoint's header. Raises SaomBenchError for a file that is no checkpoint of this format and version."""
    return _read(path)[0]


def selection_scenes(header: Mapping[str, Any]) -> tuple[str, ...]:
    """The scenes on which a checkpoint was chosen among others of its run; older ones do not tell, and count as such
    that were."""
    return tuple(map(str, header.get("selection_scenes", header.get("val_scenes")) or ()))


def load_checkpoint(path: Path, device: str = "cpu", weights: Path | None = None) -> Sam:
    """The fine-tuned model: its base by name, then the checkpoint's tensors over it.

    Raises SaomBenchError when the file is damaged, of another format, or made from another base model.
    """
    header, tensors = _read(path)
    sam = load_base(str(header["base"]), device, weights)
    overlay(sam, header, tensors, path)
    return sam


def overlay(sam: Sam, header: Mapping[str, Any], tensors: Mapping[str, Tensor], path: Path) -> None:
    """Put a checkpoint's tensors over those of its base model, all or none."""
    if header.get("base_sha256") != sam.weights_sha256:
        raise SaomBenchError(
            f"{path} was fine-tuned from {header.get('base')!r} with other weights (SHA-256 "
            f"{str(header.get('base_sha256'))[:12]}..., these have {sam.weights_sha256[:12]}...); use those weights"
        )
    names = header.get("class_names")
    if names and header.get("class_head", True):
        sam.attach_class_head(names)
    if scorer := header.get("mask_scorer"):
        sam.attach_scorer(names if scorer["classes"] else None)
    encoder_tensors = {name: value for name, value in tensors.items() if name.startswith(PREFIX)}
    tensors = {name: value for name, value in tensors.items() if name not in encoder_tensors}
    wanted = _tuned(sam)
    if wanted.keys() != tensors.keys():
        odd = sorted(wanted.keys() ^ tensors.keys())
        raise SaomBenchError(f"{path} does not fit {sam.name}: {odd[0]} is in one and not in the other")
    for name, value in tensors.items():
        if value.shape != wanted[name].shape:
            shapes = f"{tuple(value.shape)}, not {tuple(wanted[name].shape)}"
            raise SaomBenchError(f"{path} does not fit {sam.name}: {name} has shape {shapes}")
    if encoder_tensors:
        lora = header.get("lora")
        apply_changes(sam, encoder_tensors, Lora(**lora) if lora else None, str(path))
    with torch.no_grad():
        for name, value in tensors.items():
            wanted[name].copy_(value)


def _tuned(sam: Sam) -> dict[str, torch.nn.Parameter]:
    scorer = {} if sam.scorer is None else {f"scorer.{name}": p for name, p in sam.scorer.named_parameters()}
    return {**sam.trainable_parameters(iou_head=True), **scorer}


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    if not path.is_file():
        raise SaomBenchError(f"there is no checkpoint {path}; train one with saom-bench train")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get(_KEY, "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, json.JSONDecodeError) as error:
        raise SaomBenchError(
            f"{path} is no readable safetensors file ({error}); a pickle is never loaded as a checkpoint"
        ) from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise SaomBenchError(f"{path} is no saom-bench checkpoint: its header names no format {FORMAT!r}")
    if header.get("version") != VERSION:
        raise SaomBenchError(f"{path} has checkpoint version {header.get('version')}; this saom-bench reads {VERSION}")
    return header, tensors
