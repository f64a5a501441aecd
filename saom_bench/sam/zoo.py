"""The base models built: modules, weights checked by hash, device. Names and addresses are in ``specs``."""

from saom_bench.sam import runtime

runtime.prepare()

import hashlib  # noqa: E402
import pickle  # noqa: E402
import warnings  # noqa: E402
from collections.abc import Mapping  # noqa: E402
from functools import partial  # noqa: E402
from pathlib import Path  # noqa: E402

import torch  # noqa: E402
from safetensors import SafetensorError  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from saom_bench.errors import SaomBenchError  # noqa: E402
from saom_bench.files import sha256_file  # noqa: E402
from saom_bench.sam.download import fetch  # noqa: E402
from saom_bench.sam.encoders import OnnxEncoder, TorchEncoder  # noqa: E402
from saom_bench.sam.model import Sam  # noqa: E402
from saom_bench.sam.modules import ImageEncoderViT, MaskDecoder, PromptEncoder, TwoWayTransformer  # noqa: E402
from saom_bench.sam.specs import SHIPPED, Vit, model_spec  # noqa: E402

_CHANNELS = 256
_PATCH = 16


def load_base(name: str, device: str = "cpu", weights: Path | None = None) -> Sam:
    """Build a base model. ``weights`` replaces the download of a sam-vit model by a file the user has.

    Raises SaomBenchError for an unknown name, damaged or foreign weights, and where they cannot be fetched.
    """
    spec = model_spec(name)
    if spec.vit is None or spec.download is None:
        if weights is not None:
            raise SaomBenchError(f"{name} ships with its weights; --weights {weights} is for the sam-vit models")
        sam = _shipped(name)
    else:
        path = weights if weights is not None else fetch(spec.download, name)
        # A file that the user names may be any fine weights of this shape: its hash is kept, not required.
        sam = _vit(name, spec.vit, path, spec.download.sha256 if weights is None else None)
    sam.to(_device(device)).eval()
    return sam


def new_decoder(embedding_size: int = 64, mlp_dim: int = 2048) -> tuple[PromptEncoder, MaskDecoder]:
    """Segment-anything's prompt encoder and mask decoder, untrained, for an embedding of that many cells a side."""
    image_size = embedding_size * _PATCH
    prompt_encoder = PromptEncoder(
        embed_dim=_CHANNELS,
        image_embedding_size=(embedding_size, embedding_size),
        input_image_size=(image_size, image_size),
        mask_in_chans=16,
    )
    transformer = TwoWayTransformer(depth=2, embedding_dim=_CHANNELS, mlp_dim=mlp_dim, num_heads=8)
    mask_decoder = MaskDecoder(
        num_multimask_outputs=3,
        transformer=transformer,
        transformer_dim=_CHANNELS,
        iou_head_depth=3,
        iou_head_hidden_dim=_CHANNELS,
    )
    return prompt_encoder, mask_decoder


def new_encoder(vit: Vit) -> ImageEncoderViT:
    """Segment-anything's image encoder of that shape, untrained."""
    return ImageEncoderViT(
        depth=vit.depth,
        embed_dim=vit.width,
        img_size=64 * _PATCH,
        mlp_ratio=4,
        norm_layer=partial(nn.LayerNorm, eps=1e-6),
        num_heads=vit.heads,
        patch_size=_PATCH,
        qkv_bias=True,
        use_rel_pos=True,
        global_attn_indexes=vit.global_layers,
        window_size=14,
        out_chans=_CHANNELS,
    )


def _shipped(name: str) -> Sam:
    encoder_path = SHIPPED / "mobile_sam_encoder.fp16.onnx"
    decoder_path = SHIPPED / "mobile_sam_decoder.fp16.safetensors"
    try:
        tensors = load_file(decoder_path)
        both = sha256_file(encoder_path) + sha256_file(decoder_path)
    except (OSError, SafetensorError) as error:
        raise SaomBenchError(f"the weights of {name} are missing or damaged ({error}); reinstall saom-bench") from error
    prompt_encoder, mask_decoder = new_decoder()
    _fill({"prompt_encoder": prompt_encoder, "mask_decoder": mask_decoder}, tensors, decoder_path)
    sha256 = hashlib.sha256(both.encode()).hexdigest()
    return Sam(name, OnnxEncoder(encoder_path), prompt_encoder, mask_decoder, sha256)


def _vit(name: str, vit: Vit, path: Path, wanted_sha256: str | None) -> Sam:
    sha256 = _hash(path)
    if wanted_sha256 is not None and sha256 != wanted_sha256:
        raise SaomBenchError(f"{path} is damaged (SHA-256 {sha256}); delete it and run saom-bench models get {name}")
    encoder = new_encoder(vit)
    prompt_encoder, mask_decoder = new_decoder()
    parts = {"image_encoder": encoder, "prompt_encoder": prompt_encoder, "mask_decoder": mask_decoder}
    _fill(parts, _read_weights(path), path)
    return Sam(name, TorchEncoder(encoder), prompt_encoder, mask_decoder, sha256)


def _hash(path: Path) -> str:
    try:
        return sha256_file(path)
    except OSError as error:
        raise SaomBenchError(f"there is no readable weights file {path}; check --weights") from error


def _read_weights(path: Path) -> Mapping[str, Tensor]:
    """The tensors of a .pth or .safetensors file. A pickle that holds more than tensors is refused by torch."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings(action="ignore"):
            tensors = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError, SafetensorError) as error:
        # torch's own message advises to load the file in a way that could run its code.
        raise SaomBenchError(f"{path} is cut short or holds no plain tensors; fetch the official file again") from error
    if not isinstance(tensors, dict) or not all(isinstance(value, Tensor) for value in tensors.values()):
        raise SaomBenchError(f"{path} is no table of tensors; give the official sam_vit_*.pth file")
    return tensors


def _fill(modules: Mapping[str, nn.Module], tensors: Mapping[str, Tensor], path: Path) -> None:
    known = {prefix: {} for prefix in modules}  # type: dict[str, dict[str, Tensor]]
    for key, value in tensors.items():
        prefix, _, rest = key.partition(".")
        if prefix not in known:
            raise SaomBenchError(f"{path} is of another model: it has {key!r}, which this one has not")
        known[prefix][rest] = value.float()
    for prefix, module in modules.items():
        try:
            module.load_state_dict(known[prefix])
        except RuntimeError as error:
            first = " ".join(str(error).split())[:160]
            raise SaomBenchError(f"{path} is of another model: its {prefix} does not fit ({first})") from error


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise SaomBenchError(f"unknown device {name!r}; use auto, cpu, cuda or cuda:N") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise SaomBenchError(f"device {name!r} was asked for and torch sees no GPU; use --device cpu")
    return device
