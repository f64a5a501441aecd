"""What is slow to make, kept on disk by content hash: whole or absent, checked when read, the oldest dropped.

A cache only saves time: whatever goes wrong with a file or the folder, the caller makes the value anew. Values are the
plain bytes of arrays and JSON: nothing that is read can run.
"""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

LARGEST_BYTES = 1024 * 1024 * 1024
Value = TypeVar("Value")
_KINDS = {"bake", "map", "scene", "texture"}
_DIGEST_BYTES = 32
_DECIDING = {".py", ".xz"}


def _source_digest() -> str:
    digest = hashlib.sha256(np.__version__.encode())
    root = Path(__file__).parent
    for path in sorted(path for path in root.rglob("*") if path.suffix in _DECIDING):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root)} {len(content)} ".encode() + content)
    return digest.hexdigest()


SOURCE_DIGEST = _source_digest()
"""Hex digest of the player's source and tables, and numpy's version, for keys: what other code made is never taken.
Taken when this is imported, with the code that runs: the source may change while it does."""


@dataclass(frozen=True)
class DiskCache:
    """Files ``<kind>-<key>.kept`` in a folder: a SHA-256 of the name and the rest, then the value."""

    folder: Path

    def load(self, kind: str, key: str, read: Callable[[memoryview], Value]) -> Value | None:
        """The stored value as ``read`` makes it of bytes; None where there is none that is whole and can be read."""
        path = self._path(kind, key)
        try:
            content = memoryview(path.read_bytes())
        except OSError:
            return None
        if _digest(path, content[_DIGEST_BYTES:]) != content[:_DIGEST_BYTES]:
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # recently used: the last to be dropped
        try:
            return read(content[_DIGEST_BYTES:])
        except Exception:  # whole, but not what is asked for
            return None

    def save(self, kind: str, key: str, value: bytes) -> None:
        """Store a value of one of ``_KINDS`` under a hex key; a full disk or a read-only folder is no error."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.folder, prefix=f"{kind}-", suffix=".part")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(_digest(self._path(kind, key), value))
                    file.write(value)
                Path(name).replace(self._path(kind, key))
            except OSError:
                Path(name).unlink(missing_ok=True)
            self._drop_oldest()

    def _path(self, kind: str, key: str) -> Path:
        return self.folder / f"{kind}-{key[:32]}.kept"

    def _drop_oldest(self) -> None:
        found = []
        with os.scandir(self.folder) as entries:
            for entry in entries:
                # Others may clear the folder at the same time.
                with contextlib.suppress(OSError):
                    if entry.name.partition("-")[0] in _KINDS and entry.is_file():
                        found.append((entry.stat().st_mtime, entry.stat().st_size, entry.path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= LARGEST_BYTES:
                return
            with contextlib.suppress(OSError):
                Path(path).unlink()
                total -= size


def _digest(path: Path, value: bytes | memoryview) -> bytes:
    digest = hashlib.sha256(path.stem.encode())
    digest.update(value)
    return digest.digest()
