"""The nodes of an FBX file as Unity's transforms, for models that scenes use whole, as prefabs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saom_scenes.unity.fbx import Node

Floats = NDArray[np.float64]
_SEPARATOR = "\x00\x01"
# Euler angles in the order in which FBX's numbers name it: the first axis turns first.
_ORDERS = ("xyz", "xzy", "yzx", "yxz", "zxy", "zyx")
_MIRROR = np.diag([-1.0, 1.0, 1.0])
_Z_UP = 2
_DEEPEST = 256


@dataclass(frozen=True)
class TreeNode:
    """A node below ``parent``, the number of another one before it; -1 for none."""

    name: str
    parent: int
    position: tuple[float, float, float]
    """Below its parent, in Unity's frame, in the file's units."""
    rotation: tuple[float, float, float, float]
    """x, y, z, w, in Unity's frame."""
    scale: tuple[float, float, float]
    has_geometry: bool
    visible: bool
    materials: tuple[str, ...]
    """Names of the materials that its polygons use, one a sub-mesh."""


def tree_of(root: Node) -> tuple[TreeNode, ...]:
    """All nodes, parents before children. Raises ValueError, IndexError or TypeError for a damaged file."""
    objects, connections = root.child("Objects"), root.child("Connections")
    if objects is None or connections is None:
        raise ValueError("it has no objects")
    kinds = {kind: {int(n.values[0]): n for n in objects.all(kind)} for kind in ("Model", "Geometry", "Material")}
    parent: dict[int, int] = {}
    geometry: dict[int, Node] = {}
    materials: dict[int, list[str]] = {}
    for link in connections.all("C"):
        kind, child, owner = link.values[0], link.values[1], link.values[2]
        if kind != "OO" or owner not in kinds["Model"]:
            continue
        if child in kinds["Model"]:
            parent.setdefault(child, owner)
        elif child in kinds["Geometry"] and kinds["Geometry"][child].child("Vertices") is not None:
            geometry.setdefault(owner, kinds["Geometry"][child])
        elif child in kinds["Material"]:
            materials.setdefault(owner, []).append(_name(kinds["Material"][child]))
    order = sorted(kinds["Model"], key=lambda k: _depth(k, parent))
    numbers = {k: n for n, k in enumerate(order)}
    turn = _upright(root)
    pivots = {k: _triple(kinds["Model"][k], "RotationPivot") for k in order}
    return tuple(
        _node(
            kinds["Model"][k],
            numbers.get(parent.get(k, 0), -1),
            pivots[k] - pivots.get(parent.get(k, 0), np.zeros(3)),
            turn if parent.get(k, 0) not in numbers else np.eye(3),
            _used(geometry.get(k), materials.get(k, [])),
            k in geometry,
        )
        for k in order
    )


def _node(
    model: Node, parent: int, pivot: Floats, turn: Floats, materials: tuple[str, ...], has_geometry: bool
) -> TreeNode:
    order = int(_number(model, "RotationOrder", 0))
    own = _euler(_triple(model, "Lcl Rotation"), _ORDERS[order] if 0 <= order < len(_ORDERS) else "xyz")
    before, after = (_euler(_triple(model, name), "xyz") for name in ("PreRotation", "PostRotation"))
    rotation = _MIRROR @ turn @ before @ own @ after.T @ _MIRROR
    place = _MIRROR @ turn @ (_triple(model, "Lcl Translation") + _triple(model, "RotationOffset") + pivot)
    x, y, z = place.tolist()
    a, b, c = _triple(model, "Lcl Scaling", 1.0).tolist()
    visible = _number(model, "Visibility", 1) != 0
    return TreeNode(_name(model), parent, (x, y, z), _quaternion(rotation), (a, b, c), has_geometry, visible, materials)


def _used(geometry: Node | None, names: list[str]) -> tuple[str, ...]:
    """The names of the material slots that polygons use, in order."""
    layer = geometry.child("LayerElementMaterial") if geometry else None
    slots = np.unique(layer.array("Materials")).astype(int).tolist() if layer else []
    return tuple(names[k] if 0 <= k < len(names) else "" for k in (slots or [0]))


def _depth(k: int, parent: dict[int, int]) -> int:
    depth = 0
    while k in parent:
        k, depth = parent[k], depth + 1
        if depth > _DEEPEST:
            raise ValueError("its nodes lie within each other without end")
    return depth


def _upright(root: Node) -> Floats:
    """What stands a file up whose z is up: a turn about x of what has no parent."""
    settings = root.child("GlobalSettings")
    up = int(_number(settings, "UpAxis", 1)) if settings else 1
    return _euler(np.array([-90.0, 0, 0]), "xyz") if up == _Z_UP else np.eye(3)


def _euler(degrees: Floats, order: str) -> Floats:
    """(3, 3); the axis that comes first in ``order`` turns first."""
    product = np.eye(3)
    for axis in order:
        k = "xyz".index(axis)
        angle = np.radians(degrees[k])
        turn, (i, j) = np.eye(3), ((k + 1) % 3, (k + 2) % 3)
        turn[i, i] = turn[j, j] = np.cos(angle)
        turn[j, i], turn[i, j] = np.sin(angle), -np.sin(angle)
        product = turn @ product
    return product


def _quaternion(m: Floats) -> tuple[float, float, float, float]:
    """x, y, z, w of a rotation: from the eigenvector of its largest eigenvalue, which no angle makes inexact."""
    k = np.array(
        [
            [m[0, 0] - m[1, 1] - m[2, 2], m[0, 1] + m[1, 0], m[0, 2] + m[2, 0], m[2, 1] - m[1, 2]],
            [m[0, 1] + m[1, 0], m[1, 1] - m[0, 0] - m[2, 2], m[1, 2] + m[2, 1], m[0, 2] - m[2, 0]],
            [m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], m[2, 2] - m[0, 0] - m[1, 1], m[1, 0] - m[0, 1]],
            [m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], m[0, 0] + m[1, 1] + m[2, 2]],
        ]
    )
    if not np.isfinite(k).all():
        raise ValueError("its angles are no numbers")
    x, y, z, w = np.linalg.eigh(k / 3)[1][:, -1].tolist()
    return x, y, z, w


def _triple(node: Node, name: str, default: float = 0.0) -> Floats:
    values = node.properties().get(name, ())[:3]
    return np.array([float(v) for v in values]) if len(values) == 3 else np.full(3, default)


def _number(node: Node, name: str, default: float) -> float:
    values = node.properties().get(name, ())
    return float(values[0]) if values else default


def _name(node: Node) -> str:
    return str(node.values[1]).split(_SEPARATOR)[0]
