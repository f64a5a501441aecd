"""The embedding cache: the frozen encoder's features of every image, kept as float16 on disk.

An entry's name is a hash of the image's pixels, the base weights and the preprocessing, so recipes, grids, training
and evaluation share entries, and a stale one cannot be met. An entry is a .npy file of (256, 64, 64) float16, 2 MiB,
with the CRC-32 of its values in four bytes after them: it is checked whenever it is read, and made anew if damaged.
Several processes and runs may fill one folder; with a limit, the entries that were unused for longest make room.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
import zlib
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from numpy.typing import NDArray

from saom_bench.errors import SaomBenchError
from saom_bench.files import PARTIAL_SUFFIX, cache_folder, seal
from saom_bench.sam.model import Embedding, Sam
from saom_bench.types import RgbImage

# Raise when the resize, the normalisation or the padding before the encoder changes.
PREPROCESSING_VERSION = 1
ENTRY_BYTES = 2 * 256 * 64 * 64
_CRC_BYTES = 4
_SPARE_BYTES = 256 * 2**20
_LOCK = ".making-room.lock"


def default_cache_dir() -> Path:
    """Where embeddings go unless told: $SAOM_BENCH_CACHE, else saom-bench/ in the user's cache folder; /embeddings."""
    return cache_folder("embeddings")


class EmbeddingCache:
    """Embeddings of one model's frozen encoder in ``folder``; ``hits``, ``made`` and the like count what it did.

    ``limit_gib`` bounds the whole folder, whoever filled it; 0 is no bound.
    """

    def __init__(self, folder: Path, sam: Sam, limit_gib: float = 0.0) -> None:
        self.folder = folder
        self.hits = self.made = self.repaired = self.evicted = 0
        self._sam = sam
        self._limit_bytes = int(limit_gib * 2**30)
        self._room_bytes: int | None = None
        """What may be added before the folder has to be looked through again."""

    def key(self, rgb: RgbImage) -> str:
        """The hex name of an image's entry."""
        digest = hashlib.sha256(f"{PREPROCESSING_VERSION} {self._sam.encoder_sha256} {rgb.shape} ".encode())
        digest.update(np.ascontiguousarray(rgb).tobytes())
        return digest.hexdigest()

    def path(self, key: str) -> Path:
        """The file of an entry, which may not exist."""
        return self.folder / key[:2] / f"{key}.npy"

    def get(self, rgb: RgbImage) -> Embedding:
        """The embedding of an (H, W, 3) image, on the model's device: from the cache, or encoded and kept."""
        path = self.path(self.key(rgb))
        features = _read(path)
        if features is None:
            self.repaired += path.exists()
            self.made += 1
            features = self._sam.encode(rgb).features.detach().cpu().numpy().astype(np.float16)
            _check_finite(features)
            self._make_room(features.nbytes)
            _write(path, features)
        else:
            self.hits += 1
            # When it was last used, for whoever needs room.
            with contextlib.suppress(OSError):
                os.utime(path)
        return self._sam.embedding_of(rgb, torch.from_numpy(features).to(self._sam.device, torch.float32))

    def require_space(self, images: int) -> None:
        """Raise SaomBenchError when the disk cannot hold the entries of so many images."""
        self.folder.mkdir(parents=True, exist_ok=True)
        entries = images * ENTRY_BYTES
        if 0 < self._limit_bytes < entries:
            raise SaomBenchError(
                f"the embeddings of {images} images take {entries / 2**30:.2f} GiB and the cache may hold "
                f"{self._limit_bytes / 2**30:.2f}; raise --cache-limit, or train on fewer images"
            )
        needed, free = entries + _SPARE_BYTES, shutil.disk_usage(self.folder).free
        if needed > free:
            raise SaomBenchError(
                f"the embedding cache {self.folder} needs {needed / 2**30:.1f} GiB for {images} images and has "
                f"{free / 2**30:.1f} GiB free; choose another folder with --cache"
            )

    def _make_room(self, wanted_bytes: int) -> None:
        """Delete the entries that were unused for longest, where an entry of so many bytes would pass the limit."""
        if not self._limit_bytes:
            return
        if self._room_bytes is None or self._room_bytes < wanted_bytes:
            with FileLock(self.folder / _LOCK):
                self._room_bytes = self._sweep(wanted_bytes)
        self._room_bytes -= wanted_bytes

    def _sweep(self, wanted_bytes: int) -> int:
        """Bytes free under the limit, after deleting what has to go."""
        entries = []
        for path in self.folder.glob("*/*.npy"):
            with contextlib.suppress(FileNotFoundError):
                entries.append((path.stat().st_mtime_ns, path.stat().st_size, path))
        room = self._limit_bytes - sum(size for _, size, _ in entries)
        # A little more than asked for, so that the folder is not looked through for every entry.
        goal = wanted_bytes if room >= wanted_bytes else max(wanted_bytes, self._limit_bytes // 50)
        for _, size, path in sorted(entries):
            if room >= goal:
                break
            path.unlink(missing_ok=True)
            self.evicted += 1
            room += size
        return room


def _read(path: Path) -> NDArray[np.float16] | None:
    """An entry's values, or None where it is missing, cut short, or damaged."""
    try:
        with path.open("rb") as file:
            features = np.load(file, allow_pickle=False)
            stored = file.read(_CRC_BYTES + 1)
    except (OSError, ValueError, EOFError):
        return None
    whole = isinstance(features, np.ndarray) and features.dtype == np.float16 and stored == _crc(features)
    return features if whole else None


def _write(path: Path, features: NDArray[np.float16]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own: several processes may fill one cache, and then the last whole entry stays.
    descriptor, name = tempfile.mkstemp(PARTIAL_SUFFIX, path.stem, path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            np.save(file, features)
            file.write(_crc(features))
        seal(Path(name), path)
    finally:
        Path(name).unlink(missing_ok=True)


def _crc(features: NDArray[np.float16]) -> bytes:
    return zlib.crc32(np.ascontiguousarray(features).data).to_bytes(_CRC_BYTES, "little")


def _check_finite(features: NDArray[np.float16]) -> None:
    if not np.isfinite(features).all():
        raise SaomBenchError("the encoder gave features that are not finite in float16; its weights are damaged")
