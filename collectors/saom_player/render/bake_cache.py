"""Baked light kept on disk by content hash: whole or absent, checked when read, the oldest dropped when too large."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saom_player.render.geometry import Triangles
from saom_player.scene import WindowOpening
from saom_player.shapes.mesh import Rgb

LARGEST_BYTES = 512 * 1024 * 1024
_DIGEST_BYTES = 32


def content_key(version: int, triangles: Triangles, windows: Sequence[WindowOpening], ambient: tuple[Rgb, Rgb]) -> str:
    """Hex digest of everything that the bake depends on."""
    digest = hashlib.sha256(f"{version} {windows!r} {ambient!r}".encode())
    kinds = [(material.emission >= 1 or material.opacity < 1, material.one_sided) for material in triangles.materials]
    digest.update(repr(kinds).encode())
    for array in (triangles.positions, triangles.normals, triangles.material, triangles.part):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


class BakeCache:
    """Files ``bake-<key>.light`` in a folder: a SHA-256 of the rest, then float16 values.

    A cache only saves time: whatever goes wrong with a file or the folder, the caller bakes anew.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, key: str, shape: tuple[int, ...]) -> NDArray[np.float16] | None:
        """The stored array, or None where there is none, or none that is whole."""
        path = self._path(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        payload = content[_DIGEST_BYTES:]
        values = np.frombuffer(payload[: len(payload) // 2 * 2], np.float16)
        if hashlib.sha256(payload).digest() != content[:_DIGEST_BYTES] or values.size != int(np.prod(shape)):
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # recently used: the last to be dropped
        return values.reshape(shape)

    def save(self, key: str, values: NDArray[np.float16]) -> None:
        """Store an array under a key; a full disk or a read-only folder is no error."""
        payload = np.ascontiguousarray(values).tobytes()
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.folder, prefix="bake-", suffix=".part")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(hashlib.sha256(payload).digest() + payload)
                Path(name).replace(self._path(key))
            except OSError:
                Path(name).unlink(missing_ok=True)
            self._drop_oldest()

    def _path(self, key: str) -> Path:
        return self.folder / f"bake-{key[:32]}.light"

    def _drop_oldest(self) -> None:
        found = [(path.stat().st_mtime, path.stat().st_size, path) for path in self.folder.glob("bake-*")]
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= LARGEST_BYTES:
                return
            path.unlink(missing_ok=True)
            total -= size
