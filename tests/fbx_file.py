"""Writes small binary FBX files (version 7.4) for tests: nodes, arrays plain or compressed, and whole models."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

HEAD = b"Kaydara FBX Binary  \x00\x1a\x00" + struct.pack("<I", 7400)
_NULL = b"\x00" * 13


def node(name: str, values: Sequence[Any] = (), children: Sequence["bytes | Later"] = ()) -> "Later":
    return Later(name, list(values), list(children))


class Later:
    """A node whose end is known only once it is placed: FBX counts from the start of the file."""

    def __init__(self, name: str, values: list[Any], children: list[Any]) -> None:
        self.name, self.values, self.children = name, values, children

    def at(self, start: int) -> bytes:
        values = b"".join(map(_value, self.values))
        name = self.name.encode()
        inner = b""
        first = start + 13 + len(name) + len(values)
        for child in self.children:
            inner += child.at(first + len(inner))
        if self.children:
            inner += _NULL
        end = first + len(inner)
        return struct.pack("<IIIB", end, len(self.values), len(values), len(name)) + name + values + inner


def _value(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value  # a value that a test made itself
    if isinstance(value, str):
        return b"S" + struct.pack("<I", len(value.encode())) + value.encode()
    if isinstance(value, int):
        return b"L" + struct.pack("<q", value)
    if isinstance(value, float):
        return b"D" + struct.pack("<d", value)
    return array(np.asarray(value), packed=len(value) > 8)


def array(values: np.ndarray, packed: bool = False) -> bytes:
    kind, dtype = (b"d", "<f8") if values.dtype.kind == "f" else (b"i", "<i4")
    raw = values.astype(dtype).tobytes()
    data = zlib.compress(raw) if packed else raw
    return kind + struct.pack("<III", values.size, int(packed), len(data)) + data


def whole(nodes: Sequence[Later]) -> bytes:
    data = HEAD
    for each in nodes:
        data += each.at(len(data))
    return data + _NULL + b"\x00" * 160


@dataclass
class Shape:
    """One node with a geometry: polygons over points, in the file's own units and right-handed frame."""

    name: str
    points: Sequence[tuple[float, float, float]]
    polygons: Sequence[Sequence[int]]
    uvs: Sequence[tuple[float, float]] | None = None
    """One for each corner."""
    normals: Sequence[tuple[float, float, float]] | None = None
    """One for each corner."""
    slots: Sequence[int] | None = None
    """One for each polygon."""
    properties: dict[str, tuple[float, ...]] = field(default_factory=dict)
    parent: int | None = None
    """The number of the shape below which it hangs."""
    materials: Sequence[str] = ()


def fbx(shapes: Sequence[Shape], unit_cm: float = 1.0, up_axis: float = 1.0) -> bytes:
    """A file of some shapes; one without polygons is a node that only holds others."""
    objects, links = [], []
    for k, shape in enumerate(shapes):
        objects.append(_model(2000 + k, shape))
        links.append(node("C", ["OO", 2000 + k, 0 if shape.parent is None else 2000 + shape.parent]))
        if shape.polygons:
            objects.append(_geometry(1000 + k, shape))
            links.append(node("C", ["OO", 1000 + k, 2000 + k]))
        for n, name in enumerate(shape.materials):
            number = 3000 + 100 * k + n
            objects.append(node("Material", [number, f"{name}\x00\x01Material", ""]))
            links.append(node("C", ["OO", number, 2000 + k]))
    settings = node("GlobalSettings", [], [_properties({"UnitScaleFactor": (unit_cm,), "UpAxis": (up_axis,)})])
    return whole([settings, node("Objects", [], objects), node("Connections", [], links)])


def _properties(values: dict[str, tuple[float, ...]]) -> Later:
    return node("Properties70", [], [node("P", [k, "double", "Number", "", *map(float, v)]) for k, v in values.items()])


def _model(number: int, shape: Shape) -> Later:
    return node("Model", [number, f"{shape.name}\x00\x01Model", "Mesh"], [_properties(shape.properties)])


def _geometry(number: int, shape: Shape) -> Later:
    index = [k if n < len(polygon) - 1 else ~k for polygon in shape.polygons for n, k in enumerate(polygon)]
    points = np.array(shape.points, np.float64).reshape(-1)
    children = [node("Vertices", [points]), node("PolygonVertexIndex", [np.array(index, np.int32)])]
    if shape.normals is not None:
        children.append(_layer("Normal", "ByPolygonVertex", "Direct", "Normals", shape.normals))
    if shape.uvs is not None:
        corners = np.arange(len(shape.uvs), dtype=np.int32)
        children.append(_layer("UV", "ByPolygonVertex", "IndexToDirect", "UV", shape.uvs, UVIndex=corners))
    if shape.slots is not None:
        slots = node("Materials", [np.array(shape.slots, np.int32)])
        children.append(node("LayerElementMaterial", [0], [*_kinds("ByPolygon", "IndexToDirect"), slots]))
    return node("Geometry", [number, f"{shape.name}\x00\x01Geometry", "Mesh"], children)


def _kinds(mapping: str, kind: str) -> list[Later]:
    return [node("MappingInformationType", [mapping]), node("ReferenceInformationType", [kind])]


def _layer(name: str, mapping: str, kind: str, data: str, values: Any, **index: np.ndarray) -> Later:
    flat = np.array(values, np.float64).reshape(-1)
    more = [node(k, [v]) for k, v in index.items()]
    return node(f"LayerElement{name}", [0], [*_kinds(mapping, kind), node(data, [flat]), *more])
