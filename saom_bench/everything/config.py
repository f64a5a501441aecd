"""How everything mode is set: one frozen dataclass, and the published settings by name. Loads no torch."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from saom_bench.errors import SaomBenchError, unknown

MODES = ("exact", "fast")
_LEAST = {
    "stability_offset": 0,
    "min_area_px": 0,
    "points_per_batch": 1,
    "crop_layers": 0,
    "crop_points_downscale": 1,
    "tiles": 0,
}
DTYPES = ("float32", "bfloat16")


@dataclass(frozen=True)
class EverythingConfig:
    """Settings of everything mode; the defaults are segment-anything's own. Impossible ones raise SaomBenchError."""

    mode: str = "exact"
    """"exact": every point of the grid, segment-anything's own masks. "fast": the points where the encoder sees the
    picture change, as merged tokens show them first; masks are drawn as in exact mode."""
    grid: tuple[int, int] = (32, 32)
    """Points along x and y: the centres of that many cells over the image."""
    pred_iou: float = 0.88
    """Masks whose predicted IoU is not above this are dropped; 0 keeps all."""
    stability: float = 0.95
    """Masks whose stability is below this are dropped; 0 keeps all."""
    stability_offset: float = 1.0
    """Stability is the IoU of the mask at logits above +offset with the mask at logits above -offset."""
    box_nms: float = 0.7
    """Of two masks whose boxes overlap by more than this IoU, the one of the lower predicted IoU is dropped."""
    min_area_px: int = 0
    """Holes and islands of fewer pixels are filled and removed, as segment-anything does; the largest part stays."""
    points_per_batch: int = 8
    """Points decoded at once; 4 to 8 are fastest on a CPU, 64 or more on a GPU."""
    crop_layers: int = 0
    """Run again on that many layers of crops: layer i has 2**i x 2**i of them, each with an embedding of its own."""
    crop_overlap: float = 512 / 1500
    """Overlap of the first layer's crops, in lengths of the image's shorter side; halved with each further layer."""
    crop_points_downscale: int = 1
    """The grid of layer i has its points along x and y divided by this to the power of i."""
    crop_nms: float = 0.7
    """As box_nms, between masks of different crops; the smaller crop's wins."""
    tiles: int = 0
    """In panoramas of the full circle: so many overlapping pieces, each with an embedding of its own, instead of one
    encoding of the whole; 0 for none."""
    dtype: str = "float32"
    """What the decoder computes in. bfloat16 is for GPUs, and for CPUs with AMX; scores then have two digits."""
    compile: bool = False
    """Have torch compile the decoder first: half a minute or more, once a process."""

    def __post_init__(self) -> None:
        if len(self.grid) != 2 or min(self.grid) < 1:
            raise SaomBenchError(
                f"the grid is {self.grid}; it needs at least 1 point along x and along y, such as 32x32"
            )
        for name, known in (("mode", MODES), ("dtype", DTYPES)):
            if getattr(self, name) not in known:
                raise unknown(f"everything mode {name}", str(getattr(self, name)), known)
        for name in ("pred_iou", "stability", "box_nms", "crop_nms", "crop_overlap"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise SaomBenchError(f"{name} is {value}; give a number from 0 to 1")
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if not value >= least:
                raise SaomBenchError(f"{name} is {value}; give {least} or more")


# From the authors' versions (mariiak2021/SAOMv1-SAOMv2-and-PanoSAM). Their thresholds are low because their fine-tuning
# does not train the IoU head while the token that it reads drifts.
PRESETS: dict[str, EverythingConfig] = {
    "sam": EverythingConfig(),
    "saomv1": EverythingConfig(pred_iou=0.15),
    "saomv2": EverythingConfig(grid=(64, 64), pred_iou=0.3, box_nms=0.3, min_area_px=150),
    "panosam": EverythingConfig(grid=(320, 64), pred_iou=0.3, box_nms=0.3, min_area_px=150),
    "panosam-late": EverythingConfig(grid=(320, 64), pred_iou=0.05, box_nms=0.05, min_area_px=30),
}
DEFAULT_PRESET = "sam"


def preset(name: str) -> EverythingConfig:
    """Settings by name. Raises SaomBenchError for an unknown one."""
    if name not in PRESETS:
        raise unknown("preset", name, PRESETS)
    return PRESETS[name]


def settings_of(header: Mapping[str, Any], source: str) -> EverythingConfig:
    """What a checkpoint wants for itself: its "everything_preset", changed by its "everything" table.

    Thresholds belong to the weights, because fine-tuning moves the scores that they are compared with.

    Args:
        header: the checkpoint's metadata.
        source: the checkpoint's name, for messages.

    Raises:
        SaomBenchError: an unknown preset or setting, or a value that is none.
    """
    settings = preset(str(header.get("everything_preset", "saomv1")))
    table: Mapping[str, Any] = header.get("everything") or {}
    known = [item.name for item in fields(EverythingConfig)]
    for name in table:
        if name not in known:
            raise unknown(f"everything mode setting in {source}:", name, known)
    changes: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in table.items()
    }
    try:
        return replace(settings, **changes)
    except TypeError as error:
        raise SaomBenchError(f"{source} has everything mode settings that are no numbers: {dict(table)}") from error


def parse_grid(text: str) -> tuple[int, int]:
    """(nx, ny) from text such as "32x32" or "320x64". Raises SaomBenchError for any other text."""
    nx, _, ny = text.lower().partition("x")
    if not (nx.isdecimal() and ny.isdecimal() and int(nx) and int(ny)):
        raise SaomBenchError(f"{text!r} is no grid; give points along x and y, such as 32x32")
    return int(nx), int(ny)
