"""A model for other programs: ONNX files, transformers' SamModel, or all weights under segment-anything's own names.

Every format is a folder with a model card. What was written is read back and held against the model it came from:
ONNX by onnxruntime, SamModel by transformers, on the same random features and points; all weights tensor by tensor.
"""

from saom_bench.sam import runtime

runtime.prepare()

import json  # noqa: E402
import logging  # noqa: E402
import shutil  # noqa: E402
import warnings  # noqa: E402
from collections.abc import Callable, Mapping  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
import torch  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from saom_bench.errors import SaomBenchError, unknown  # noqa: E402
from saom_bench.files import write_text_atomically  # noqa: E402
from saom_bench.sam.card import model_card  # noqa: E402
from saom_bench.sam.encoders import OnnxEncoder, TorchEncoder  # noqa: E402
from saom_bench.sam.hf import to_transformers  # noqa: E402
from saom_bench.sam.model import Decoded, Embedding, Sam  # noqa: E402
from saom_bench.sam.preprocess import LOGIT_STRIDE_PX  # noqa: E402
from saom_bench.sam.scorer import look  # noqa: E402

ENCODER_ONNX, DECODER_ONNX, WEIGHTS, CLASSES, CARD = (
    "encoder.onnx",
    "decoder.onnx",
    "model.safetensors",
    "classes.json",
    "README.md",
)
_TOLERANCE = 1e-3
_OPSET = 18


def export(sam: Sam, out: Path, form: str, metadata: Mapping[str, Any]) -> float:
    """Write ``sam`` to the new folder ``out``; returns how far its outputs are off, as a share of their largest.

    Raises SaomBenchError for an unknown format, a folder that is not empty, a package that is missing, and a result
    that differs from the model.
    """
    if form not in FORMATS:
        raise unknown("export format", form, FORMATS)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SaomBenchError(f"{out} is not empty; choose a new folder")
    out.mkdir(parents=True, exist_ok=True)
    sam = sam.to("cpu").eval().requires_grad_(False)
    differs = FORMATS[form](sam, out)
    if not differs <= _TOLERANCE:
        raise SaomBenchError(f"the exported model's outputs differ by {differs:.1e} of their largest; do not use {out}")
    if sam.class_names is not None:
        write_text_atomically(out / CLASSES, json.dumps(list(sam.class_names), indent=1) + "\n")
    write_text_atomically(out / CARD, model_card(sam, form, differs, metadata))
    return differs


def _onnx(sam: Sam, out: Path) -> float:
    """encoder.onnx and decoder.onnx."""
    try:
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise SaomBenchError("ONNX export needs onnxscript; run: pip install 'saom-bench[export]'") from error
    encoder = sam.encoder[0]
    if isinstance(encoder, OnnxEncoder):
        shutil.copyfile(encoder.path, out / ENCODER_ONNX)
    elif isinstance(encoder, TorchEncoder):
        image = torch.zeros(1, 3, sam.image_size, sam.image_size)
        _to_onnx(encoder.module, (image,), out / ENCODER_ONNX, ["image"], ["features"], None)
    else:
        raise SaomBenchError(f"the image encoder of {sam.name} cannot be exported")
    decoder = _Decoder(sam)
    points = torch.tensor([[0.3, 0.4], [0.6, 0.5]]) * sam.image_size
    names = ["low_res_logits", "predicted_iou", *(["class_logits"] if sam.class_names is not None else [])]
    inputs = {"features": _features(sam), "points_xy": points, **_scorer_inputs(sam)}
    _to_onnx(decoder, tuple(inputs.values()), out / DECODER_ONNX, list(inputs), names, "points_xy")
    return _compare(sam, lambda given: _run(out / DECODER_ONNX, given))


def _full(sam: Sam, out: Path) -> float:
    """All weights under segment-anything's names, with the heads; an encoder in ONNX is a file beside them."""
    encoder = sam.encoder[0]
    tensors = dict(sam.state_dict())
    if isinstance(encoder, OnnxEncoder):
        shutil.copyfile(encoder.path, out / ENCODER_ONNX)
    elif isinstance(encoder, TorchEncoder):
        tensors |= {f"image_encoder.{name}": value for name, value in encoder.module.state_dict().items()}
    save_file({name: value.contiguous() for name, value in tensors.items()}, out / WEIGHTS, {"format": "pt"})
    written = load_file(out / WEIGHTS)
    is_whole = all(torch.equal(written[name], value) for name, value in tensors.items())
    return 0.0 if is_whole else float("inf")


def _hf(sam: Sam, out: Path) -> float:
    """A folder that transformers' ``SamModel.from_pretrained`` takes, and the heads that it has not beside it."""
    model = to_transformers(sam, out)
    for name, head in (("class_head", sam.class_head), ("scorer", sam.scorer)):
        if head is not None:
            tensors = {f"{name}.{key}": value.contiguous() for key, value in head.state_dict().items()}
            save_file(tensors, out / f"{name}.safetensors", {"format": "pt"})

    def run(given: Mapping[str, Tensor]) -> list[Tensor]:
        # A batch of one image with N prompts of one point each.
        points_xy = given["points_xy"][None, :, None]
        found = model(image_embeddings=given["features"], input_points=points_xy, multimask_output=True)
        return [found.pred_masks[0]]

    return _compare(sam, run)


FORMATS: dict[str, Callable[[Sam, Path], float]] = {"onnx": _onnx, "hf": _hf, "full": _full}


class _Decoder(nn.Module):
    """(1, C, h, w) features and (N, 2) points in pixels of the encoder's input to masks, scores and class logits.

    A mask scorer also wants the (1, 3, 4 h, 4 w) colours of the picture, and how many rows and columns of them show it.
    """

    def __init__(self, sam: Sam) -> None:
        super().__init__()
        self.sam = sam

    def forward(
        self, features: Tensor, points_xy: Tensor, colors: Tensor | None = None, shown_hw: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        sam, square = self.sam, (self.sam.image_size, self.sam.image_size)
        decoded = sam.decode(Embedding(features[0], square, square), points_xy)
        predicted_iou, classes = decoded.predicted_iou, None
        if sam.scorer is not None and colors is not None and shown_hw is not None:
            seen = look(*_parts(decoded), features[0], colors[0], (shown_hw[0], shown_hw[1]))
            predicted_iou, classes = sam.scorer(seen, predicted_iou)
            classes = None if classes is None else classes[:, :-1]
        if classes is None and sam.class_head is not None:
            classes = sam.classify(decoded.iou_token)
        return decoded.low_res_logits, predicted_iou, *(() if classes is None else (classes,))


def _parts(decoded: Decoded) -> tuple[Tensor, Tensor, Tensor]:
    return decoded.iou_token, decoded.low_res_logits, decoded.predicted_iou


def _scorer_inputs(sam: Sam) -> dict[str, Tensor]:
    """Inputs as a mask scorer wants them, of a picture that fills three quarters of the square; none without one."""
    if sam.scorer is None:
        return {}
    side = sam.image_size // LOGIT_STRIDE_PX
    shown_hw = torch.tensor([side * 3 // 4, side])
    colors = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    return {"colors": colors, "shown_hw": shown_hw}


def _features(sam: Sam) -> Tensor:
    side = sam.prompt_encoder.image_embedding_size[0]
    channels = sam.mask_decoder.iou_token.weight.shape[1]
    return 0.3 * torch.randn(1, channels, side, side, generator=torch.Generator().manual_seed(0))


def _to_onnx(
    module: nn.Module, inputs: tuple[Tensor, ...], path: Path, names: list[str], outputs: list[str], many: str | None
) -> None:
    """Export by torch; ``many`` names the input whose first axis may have any length, as have then all outputs."""
    shapes = None
    if many is not None:
        shapes = {name: {0: torch.export.Dim("prompts")} if name == many else None for name in names}
    # It says which operators of packages that are not installed it does without; none are ours.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with torch.no_grad(), warnings.catch_warnings(action="ignore"):
        torch.onnx.export(
            module,
            inputs,
            str(path),
            input_names=names,
            output_names=outputs,
            dynamic_shapes=shapes,
            opset_version=_OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def _run(path: Path, given: Mapping[str, Tensor]) -> list[Tensor]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    values = session.run(None, {name: value.numpy() for name, value in given.items()})
    return [torch.from_numpy(np.asarray(value)) for value in values]


def _compare(sam: Sam, other: Callable[[Mapping[str, Tensor]], list[Tensor]]) -> float:
    """The largest difference of what ``other`` gives for three points, as a share of that output's largest value."""
    points_xy = torch.tensor([[0.2, 0.3], [0.5, 0.5], [0.9, 0.1]]) * sam.image_size
    given = {"features": _features(sam), "points_xy": points_xy, **_scorer_inputs(sam)}
    with torch.no_grad():
        expected = _Decoder(sam)(**given)
        got = other(given)
    pairs = zip(got, expected, strict=False)  # SamModel gives masks alone
    # torch's maximum is NaN where one is; Python's may not be.
    return float(torch.stack([(ours - theirs).abs().max() / theirs.abs().max() for ours, theirs in pairs]).max())
