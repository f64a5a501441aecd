"""Members of a ZIP file as bytes, JSON and arrays, without trust: no pickle, and no allocation before a size check."""

import json
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from saom_scenes.packs.model import PackError

LARGEST_FILE_BYTES = 512 << 20
LARGEST_MEMBER_BYTES = 256 << 20
LARGEST_TOTAL_BYTES = 768 << 20
LARGEST_HEAD_BYTES = 64 << 20
MOST_MEMBERS = 4096
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    OSError,
)


class Archive:
    """An open pack; every method raises PackError, with the file's name, for what is missing or damaged."""

    def __init__(self, name: str, file: zipfile.ZipFile) -> None:
        self.name = name
        self._zip = file
        self._sizes = {info.filename: info.file_size for info in file.infolist()}
        if len(self._sizes) != len(file.infolist()) or len(self._sizes) > MOST_MEMBERS:
            raise PackError(f"{name}: it has {len(file.infolist())} members, some of the same name or too many")
        if sum(self._sizes.values()) > LARGEST_TOTAL_BYTES:
            raise PackError(f"{name}: it unpacks to {sum(self._sizes.values()):,} bytes; no scene does")

    def __contains__(self, member: str) -> bool:
        return member in self._sizes

    def bytes_of(self, member: str, most: int = LARGEST_MEMBER_BYTES) -> bytes:
        """A member's bytes, at most so many."""
        if member not in self._sizes:
            raise PackError(f"{self.name}: it lacks {member}; it is no scene pack, or an unfinished one")
        if self._sizes[member] > most:
            raise PackError(
                f"{self.name}: {member} says it has {self._sizes[member]:,} bytes; at most {most:,} are read"
            )
        try:
            with self._zip.open(member) as stream:
                # One more than is said: a member that lies about its size shall not unpack further.
                data = stream.read(self._sizes[member] + 1)
        except _DAMAGED as error:
            raise PackError(f"{self.name}: {member} is damaged ({error or type(error).__name__})") from error
        if len(data) != self._sizes[member]:
            raise PackError(f"{self.name}: {member} is damaged (it is longer or shorter than it says)")
        return data

    def json(self, member: str) -> dict[str, Any]:
        """A member that is a JSON object."""
        return parse_json(self.name, self.bytes_of(member, LARGEST_HEAD_BYTES))

    def array(self, member: str, dtypes: str, width: int | None) -> NDArray[Any]:
        """An array (n, width), or (n,) for None, whose kind is one of ``dtypes`` ("f4 i4")."""
        data = self.bytes_of(member)
        shape, dtype, start = self._header(member, data)
        # Against the real length before anything is made of it.
        if dtype.str.lstrip("<|") not in dtypes.split():
            raise PackError(f"{self.name}: {member} holds {dtype}, not {dtypes}")
        if len(shape) != (1 if width is None else 2) or (width is not None and shape[1] != width):
            raise PackError(f"{self.name}: {member} has shape {shape}, not (n, {width})")
        if int(np.prod(shape, dtype=object)) * dtype.itemsize != len(data) - start:
            raise PackError(f"{self.name}: {member} says {shape} and has {len(data) - start} bytes")
        return np.frombuffer(data, dtype, offset=start).reshape(shape)

    def _header(self, member: str, data: bytes) -> tuple[tuple[int, ...], np.dtype[Any], int]:
        from io import BytesIO

        stream = BytesIO(data[:4096])
        try:
            if npy.read_magic(stream) != (1, 0):
                raise ValueError("an unknown version")
            shape, fortran, dtype = npy.read_array_header_1_0(stream)
        except Exception as error:
            raise PackError(f"{self.name}: {member} has no numpy header that can be read") from error
        if fortran and len(shape) > 1:
            raise PackError(f"{self.name}: {member} is stored column by column")
        return shape, dtype, stream.tell()


def parse_json(name: str, data: bytes) -> dict[str, Any]:
    """A JSON object. Raises PackError."""
    try:
        head = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise PackError(f"{name}: its head is no JSON") from error
    if not isinstance(head, dict):
        raise PackError(f"{name}: its head is no JSON object")
    return head


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """A pack's archive. Raises PackError."""
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE_BYTES:
            raise PackError(f"{path}: {size:,} bytes; no scene pack is larger than {LARGEST_FILE_BYTES:,}")
        file = zipfile.ZipFile(path)
    except OSError as error:
        raise PackError(f"{path}: it cannot be read ({error.strerror or error})") from error
    except _DAMAGED as error:
        raise PackError(f"{path}: it is no scene pack ({error or type(error).__name__})") from error
    with file:
        yield Archive(str(path), file)
