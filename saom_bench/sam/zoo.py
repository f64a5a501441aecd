"""The base models by name: how each is built, where its weights come from, and their hashes."""

from saom_bench.sam import runtime

runtime.prepare()

import hashlib  # noqa: E402
import pickle  # noqa: E402
from collections.abc import Mapping  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from functools import partial  # noqa: E402
from pathlib import Path  # noqa: E402

import torch  # noqa: E402
from safetensors import SafetensorError  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from saom_bench.errors import SaomBenchError, unknown  # noqa: E402
from saom_bench.files import sha256_file  # noqa: E402
from saom_bench.sam.download import Download, fetch  # noqa: E402
from saom_bench.sam.encoders import OnnxEncoder, TorchEncoder  # noqa: E402
from saom_bench.sam.model import Sam  # noqa: E402
from saom_bench.sam.modules import ImageEncoderViT, MaskDecoder, PromptEncoder, TwoWayTransformer  # noqa: E402

_SHIPPED = Path(__file__).with_name("weights")
_ADDRESS = "https://dl.fbaipublicfiles.com/segment_anything/"
_CHANNELS = 256
_PATCH = 16


@dataclass(frozen=True)
class Vit:
    """The shape of one of segment-anything's image encoders."""

    width: int
    depth: int
    heads: int
    global_layers: tuple[int, ...]


@dataclass(frozen=True)
class ModelSpec:
    """A base model: what it is, and where its weights are."""

    name: str
    encoder: str
    parameters: str
    speed: str
    """Encoder time for an image on two CPU cores."""
    origin: str
    download: Download | None = None
    """None: the weights ship with the package."""
    vit: Vit | None = None


def _sam(size: str, file: str, sha256: str, megabytes: int, vit: Vit, parameters: str, speed: str) -> ModelSpec:
    download = Download(_ADDRESS + file, file, sha256, megabytes)
    origin = f"{_ADDRESS}{file} ({megabytes} MB)"
    return ModelSpec(f"sam-vit-{size}", f"ViT-{size.upper()}", parameters, speed, origin, download, vit)


MODELS: dict[str, ModelSpec] = {
    "mobile-sam": ModelSpec("mobile-sam", "TinyViT-5M", "9.8 M", "0.7 s", "ships with saom-bench (25 MB)"),
    "sam-vit-b": _sam(
        "b",
        "sam_vit_b_01ec64.pth",
        "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
        375,
        Vit(768, 12, 12, (2, 5, 8, 11)),
        "94 M",
        "20 s",
    ),
    "sam-vit-l": _sam(
        "l",
        "sam_vit_l_0b3195.pth",
        "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
        1249,
        Vit(1024, 24, 16, (5, 11, 17, 23)),
        "312 M",
        "about a minute",
    ),
    "sam-vit-h": _sam(
        "h",
        "sam_vit_h_4b8939.pth",
        "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
        2564,
        Vit(1280, 32, 16, (7, 15, 23, 31)),
        "641 M",
        "minutes",
    ),
}
DEFAULT_MODEL = "mobile-sam"


def load_base(name: str, device: str = "cpu", weights: Path | None = None) -> Sam:
    """Build a base model. ``weights`` replaces the download of a sam-vit model by a file the user has.

    Raises SaomBenchError for an unknown name, damaged or foreign weights, and where they cannot be fetched.
    """
    if name not in MODELS:
        raise unknown("model", name, MODELS)
    spec = MODELS[name]
    if spec.vit is None or spec.download is None:
        if weights is not None:
            raise SaomBenchError(f"{name} ships with its weights; --weights {weights} is for the sam-vit models")
        sam = _shipped(name)
    else:
        path = weights if weights is not None else fetch(spec.download, name)
        sam = _vit(name, spec.vit, path)
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


def _shipped(name: str) -> Sam:
    encoder_path = _SHIPPED / "mobile_sam_encoder.fp16.onnx"
    decoder_path = _SHIPPED / "mobile_sam_decoder.fp16.safetensors"
    try:
        tensors = load_file(decoder_path)
        both = sha256_file(encoder_path) + sha256_file(decoder_path)
    except (OSError, SafetensorError) as error:
        raise SaomBenchError(f"the weights of {name} are missing or damaged ({error}); reinstall saom-bench") from error
    prompt_encoder, mask_decoder = new_decoder()
    _fill({"prompt_encoder": prompt_encoder, "mask_decoder": mask_decoder}, tensors, decoder_path)
    sha256 = hashlib.sha256(both.encode()).hexdigest()
    return Sam(name, OnnxEncoder(encoder_path), prompt_encoder, mask_decoder, sha256)


def _vit(name: str, vit: Vit, path: Path) -> Sam:
    encoder = ImageEncoderViT(
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
    prompt_encoder, mask_decoder = new_decoder()
    parts = {"image_encoder": encoder, "prompt_encoder": prompt_encoder, "mask_decoder": mask_decoder}
    _fill(parts, _read_weights(path), path)
    return Sam(name, TorchEncoder(encoder), prompt_encoder, mask_decoder, sha256_file(path))


def _read_weights(path: Path) -> Mapping[str, Tensor]:
    """The tensors of a .pth or .safetensors file. A pickle that holds more than tensors is refused by torch."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise SaomBenchError(f"there is no weights file {path}; check --weights") from error
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise SaomBenchError(f"{path} holds no plain tensors ({reason}); fetch the official file again") from error
    if not isinstance(tensors, dict):
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
