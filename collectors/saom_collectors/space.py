"""Room on the disk: refused before a run that cannot fit, waited for while one goes on."""

import shutil
from pathlib import Path

from saom_bench.errors import SaomBenchError
from saom_bench.types import Size

_BYTES_A_PIXEL = 2.0
"""Of a frame in a shard, pictures and labels together: less in every dataset that was measured."""
_LEAST_FREE_BYTES = 64 * 1024 * 1024


def check_space(folder: Path, frames: int, size_hw: Size) -> None:
    """Raise SaomBenchError when so many frames do not fit on the disk of ``folder``, which need not exist."""
    where = _existing(folder)
    needed, free = shard_bytes(frames, size_hw), shutil.disk_usage(where).free
    if free < needed:
        raise SaomBenchError(
            f"{frames} frames need up to {needed / 1e9:.1f} GB and the disk of {where} has {free / 1e9:.1f} GB free; "
            "free some, or ask for fewer scenes or views"
        )


def shard_bytes(frames: int, size_hw: Size) -> float:
    """What so many frames take at most."""
    return frames * size_hw[0] * size_hw[1] * _BYTES_A_PIXEL


class DiskGate:
    """Shut while the disk has no room for what is being written: HDF5 does not survive a disk that fills under it."""

    def __init__(self, folder: Path, frames: int, size_hw: Size) -> None:
        """``frames``: of all shards that are written at the same time."""
        self._folder = folder
        self._needed = shard_bytes(frames, size_hw) + _LEAST_FREE_BYTES

    def __call__(self) -> str:
        """Why no scene may begin, or ""."""
        free = shutil.disk_usage(self._folder).free
        if free >= self._needed:
            return ""
        return (
            f"the disk of {self._folder} is full: {free / 1e9:.2f} GB free, the next shards may need "
            f"{self._needed / 1e9:.2f} GB; free some and it goes on by itself, or stop it: nothing is lost"
        )


def _existing(folder: Path) -> Path:
    where = folder.resolve()
    while not where.exists():
        where = where.parent
    return where
