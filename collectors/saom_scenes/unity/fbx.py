"""FBX files, binary or text: a tree of named nodes, read without trust. Versions 7.0 to 7.7."""

import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from saom_scenes.unity.fbx_text import Loose, parse_text
from saom_scenes.unity.project import UnityError

_MAGIC = b"Kaydara FBX Binary  \x00\x1a\x00"
_OLDEST, _WIDE_FROM = 7000, 7500
_SCALARS = {b"Y": "<h", b"C": "<B", b"B": "<B", b"I": "<i", b"F": "<f", b"D": "<d", b"L": "<q"}
_ARRAYS = {b"f": "<f4", b"d": "<f8", b"l": "<i8", b"i": "<i4", b"b": "i1", b"c": "u1"}
_LARGEST_ARRAY_BYTES, _LARGEST_TOTAL_BYTES = 256 << 20, 1 << 30
_DEEPEST = 64


@dataclass(frozen=True)
class Node:
    """A node: its own values, and the nodes in it."""

    name: str
    values: tuple[Any, ...]
    children: tuple["Node", ...]

    def child(self, name: str) -> "Node | None":
        """The first node of a name in it."""
        return next((c for c in self.children if c.name == name), None)

    def all(self, name: str) -> list["Node"]:
        """The nodes of a name in it."""
        return [c for c in self.children if c.name == name]

    def array(self, name: str) -> Any:
        """The array of a node in it; empty where there is none."""
        found = self.child(name)
        return np.asarray(found.values[0]) if found is not None and found.values else np.zeros(0)

    def text(self, name: str) -> str:
        """The string of a node in it; "" where there is none."""
        found = self.child(name)
        return str(found.values[0]) if found is not None and found.values else ""

    def properties(self) -> dict[str, tuple[Any, ...]]:
        """Its Properties70 by name."""
        table = self.child("Properties70")
        return {str(p.values[0]): p.values[4:] for p in table.all("P") if len(p.values) > 4} if table else {}


def parse_fbx(data: bytes, name: str) -> Node:
    """The root of an FBX file. Raises UnityError for what is none, older than 7.0, or damaged."""
    is_text = not data.startswith(_MAGIC[:18])
    if is_text and b"FBX" not in data[:512]:
        raise UnityError(f"{name} is no FBX file")
    try:
        root = _tight(parse_text(data.decode("utf-8", "replace"))) if is_text else _Reader(data).root()
        version = _version(root) if is_text else struct.unpack_from("<I", data, 23)[0]
    except (struct.error, zlib.error, ValueError, IndexError, UnicodeDecodeError, RecursionError) as error:
        raise UnityError(f"{name} is a damaged FBX file ({error})") from error
    if version < _OLDEST:
        raise UnityError(f"{name} is an FBX file of version {version / 1000:.1f}; 7.0 and later are read")
    return root


def _version(root: Node) -> int:
    head = root.child("FBXHeaderExtension")
    found = head.child("FBXVersion") if head else None
    return int(found.values[0]) if found and found.values else _OLDEST


def _tight(node: Loose) -> Node:
    name, values, children = node
    return Node(name, tuple(values), tuple(_tight(child) for child in children))


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._unpacked = 0
        version = struct.unpack_from("<I", data, 23)[0]
        self._head, self._head_size = ("<QQQB", 25) if version >= _WIDE_FROM else ("<IIIB", 13)

    def root(self) -> Node:
        nodes, at = [], 27
        while at + self._head_size <= len(self._data):
            node, at = self._node(at, 0, len(self._data))
            if node is None:
                break
            nodes.append(node)
        return Node("", (), tuple(nodes))

    def _node(self, at: int, depth: int, limit: int) -> tuple[Node | None, int]:
        end, count, _, length = struct.unpack_from(self._head, self._data, at)
        if end == 0:
            return None, at + self._head_size
        # Beyond its parent, a crafted file could have the same bytes read again at every depth.
        if depth > _DEEPEST or not at < end <= limit:
            raise ValueError("a node reaches beyond the file or what it is in")
        at += self._head_size
        name = self._data[at : at + length].decode()
        at += length
        values = []
        for _ in range(count):
            if at > end:
                raise ValueError("a node's values reach beyond it")
            value, at = self._value(at)
            values.append(value)
        children = []
        while at < end:
            child, at = self._node(at, depth + 1, end)
            if child is None:
                break
            children.append(child)
        return Node(name, tuple(values), tuple(children)), end

    def _value(self, at: int) -> tuple[Any, int]:
        kind = self._data[at : at + 1]
        at += 1
        if kind in _SCALARS:
            form = _SCALARS[kind]
            return struct.unpack_from(form, self._data, at)[0], at + struct.calcsize(form)
        if kind in (b"S", b"R"):
            length = struct.unpack_from("<I", self._data, at)[0]
            raw = self._data[at + 4 : at + 4 + length]
            return raw.decode("utf-8", "replace") if kind == b"S" else raw, at + 4 + length
        if kind not in _ARRAYS:
            raise ValueError(f"a value of an unknown kind {kind!r}")
        return self._array(np.dtype(_ARRAYS[kind]), at)

    def _array(self, dtype: np.dtype[Any], at: int) -> tuple[Any, int]:
        count, packed, length = struct.unpack_from("<III", self._data, at)
        at += 12
        size = count * dtype.itemsize
        self._unpacked += size
        if size > _LARGEST_ARRAY_BYTES or self._unpacked > _LARGEST_TOTAL_BYTES:
            raise ValueError(f"an array of {size:,} bytes, {self._unpacked:,} in all")
        if not packed:
            return np.frombuffer(self._data, dtype, count, at), at + size
        # Never more than it says: a few bytes can unpack to gigabytes.
        raw = zlib.decompressobj().decompress(self._data[at : at + length], size + 1)
        if len(raw) != size:
            raise ValueError("an array of another length than it says")
        return np.frombuffer(raw, dtype), at + length
