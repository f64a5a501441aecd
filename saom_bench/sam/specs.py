"""The base models by name: what each is and where its weights come from. Loads no torch."""

from dataclasses import dataclass
from pathlib import Path

from saom_bench.errors import unknown
from saom_bench.sam.download import Download

SHIPPED = Path(__file__).with_name("weights")
_ADDRESS = "https://dl.fbaipublicfiles.com/segment_anything/"


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


def model_spec(name: str) -> ModelSpec:
    """Look a base model up by name. Raises SaomBenchError for an unknown one."""
    if name not in MODELS:
        raise unknown("model", name, MODELS)
    return MODELS[name]
