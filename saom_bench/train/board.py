"""TensorBoard: a run's losses, learning rate, scores and a validation picture. Needs the extra ``tensorboard``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from saom_bench.errors import SaomBenchError
from saom_bench.types import RgbImage

FOLDER = "tensorboard"
_NO_SCALARS = {"kind", "step", "epoch", "of", "scorer_epoch", "images"}


class Board:
    """Takes the lines of the run's log and writes them as events; ``picture`` draws one for every validation."""

    def __init__(self, out: Path, step: int, picture: Callable[[], RgbImage]) -> None:
        """Raises SaomBenchError where tensorboard is not installed. Events past ``step`` are marked as undone."""
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise SaomBenchError("--tensorboard needs a package; run: pip install 'saom-bench[tensorboard]'") from error
        self._writer: Any = SummaryWriter(str(out / FOLDER), purge_step=step + 1 if step else None)
        self._picture = picture

    def write(self, **values: Any) -> None:
        """One line of the log."""
        kind, step = values["kind"], values.get("scorer_epoch", values["step"])
        for key, value in values.items():
            if key not in _NO_SCALARS:
                self._writer.add_scalar(f"{'train' if kind == 'step' else kind}/{key}", value, step)
        if kind == "val":
            self._writer.add_image("val/masks", self._picture(), step, dataformats="HWC")
            self._writer.flush()

    def close(self) -> None:
        """Write out what is left."""
        self._writer.close()
