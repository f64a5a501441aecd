"""How everything mode is set: one frozen dataclass, and the published settings by name. Loads no torch."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from saom_bench.errors import SaomBenchError, unknown


@dataclass(frozen=True)
class EverythingConfig:
    """Settings of everything mode; the defaults are segment-anything's own. Impossible ones raise SaomBenchError."""

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
    """Points decoded at once; 4 to 8 are fastest on a CPU."""

    def __post_init__(self) -> None:
        if len(self.grid) != 2 or min(self.grid) < 1:
            raise SaomBenchError(
                f"the grid is {self.grid}; it needs at least 1 point along x and along y, such as 32x32"
            )
        for name in ("pred_iou", "stability", "box_nms"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise SaomBenchError(f"{name} is {value}; give a number from 0 to 1")
        for name, least in (("stability_offset", 0), ("min_area_px", 0), ("points_per_batch", 1)):
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
    if not (nx.isdecimal() and ny.isdecimal()):
        raise SaomBenchError(f"{text!r} is no grid; give points along x and y, such as 32x32")
    return int(nx), int(ny)
