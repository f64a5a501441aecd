"""FBX and OBJ files as Unity imports them: which mesh a file id means, at what scale, in Unity's frame."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from saom_scenes.unity.fbx import Node, parse_fbx
from saom_scenes.unity.meshes import Mesh, unity_mesh
from saom_scenes.unity.model_tree import TreeNode, tree_of
from saom_scenes.unity.obj import read_obj
from saom_scenes.unity.polygons import Polygons, polygons_of
from saom_scenes.unity.project import UnityError
from saom_scenes.unity.yaml_text import fields, number_of, text_of

Floats = NDArray[np.float64]
_SEPARATOR = "\x00\x01"
_OLD_ID = re.compile(r"^fileIDToRecycleName\.(-?\d+)$")
_TABLE_ID = re.compile(r"^internalIDToNameTable\.Array\.data\[(\d+)\]\.first\.(\d+)$")
_NUMBERED = re.compile(r"^(.*) (\d+)$")
_MESH_KIND = 43
_METRES_PER_CM = 0.01


@dataclass(frozen=True)
class ModelNode:
    """A node of a model that has a geometry."""

    name: str
    geometry: int
    matrix: Floats
    """(4, 4): its pivot and geometric transform."""


@dataclass
class Model:
    """A file with its import settings."""

    name: str
    nodes: tuple[ModelNode, ...]
    scale: float
    """Metres to a unit of the file."""
    names: dict[int, str]
    """What the settings call a mesh, by file id."""
    tree: tuple[TreeNode, ...]
    """All its nodes, for scenes that use it whole."""
    size_bytes: int
    """Of its file."""
    _geometries: dict[int, Callable[[], Polygons]] = field(repr=False)
    _meshes: dict[int, Mesh | None] = field(default_factory=dict, repr=False)

    def mesh(self, file_id: int) -> Mesh | None:
        """The mesh of a file id, or None where the file has none such. Raises UnityError for a damaged one."""
        if file_id not in self._meshes:
            node = self._node(file_id)
            self._meshes[file_id] = self._converted(node) if node else None
        return self._meshes[file_id]

    def _converted(self, node: ModelNode) -> Mesh | None:
        try:
            polygons = self._geometries[node.geometry]()
            mesh = unity_mesh(polygons, node.matrix, self.scale) if len(polygons.triangles) else None
        except (ValueError, IndexError, TypeError) as error:
            raise UnityError(f"{self.name}: the mesh {node.name!r} is damaged ({error})") from error
        return mesh

    def _node(self, file_id: int) -> ModelNode | None:
        """The node that a file id means: by the settings' table, else by the hash that Unity makes since 2019."""
        name = self.names.get(file_id)
        if name is not None:
            return self._named(name)
        found = self._hashed().get(file_id)
        return found or (self.nodes[0] if len(self.nodes) == 1 else None)

    def _named(self, name: str) -> ModelNode | None:
        for key in (_as_is, _without_namespace):
            by_name: dict[str, list[ModelNode]] = {}
            for node in self.nodes:
                by_name.setdefault(key(node.name), []).append(node)
            if key(name) in by_name:
                return by_name[key(name)][0]
            # Nodes of one name are told apart by a number: "door", "door 1".
            match = _NUMBERED.match(key(name))
            if match and len(by_name.get(match[1], ())) > int(match[2]):
                return by_name[match[1]][int(match[2])]
        return self.nodes[0] if len(self.nodes) == 1 else None

    def _hashed(self) -> dict[int, ModelNode]:
        counts: dict[str, int] = {}
        found = {}
        for node in self.nodes:
            number = counts[node.name] = counts.get(node.name, -1) + 1
            found[hashed_id("Mesh", node.name, number)] = node
        return found


def _as_is(name: str) -> str:
    return name


def _without_namespace(name: str) -> str:
    return name.strip().split(":")[-1]


def hashed_id(kind: str, name: str, number: int = 0) -> int:
    """The file id that Unity since 2019 gives an imported object that its settings do not list."""
    import xxhash

    value = xxhash.xxh64_intdigest(f"Type:{kind}->{name}{number}".encode())
    return value - (1 << 64) if value >> 63 else value


def read_model(name: str, data: bytes, settings: str) -> Model:
    """A model from the bytes of its FBX file and the text of its .meta file. Raises UnityError."""
    root = parse_fbx(data, name)
    try:
        nodes, geometries = _nodes(root)
        tree = tree_of(root)
        unit_cm = _number(root.child("GlobalSettings"), "UnitScaleFactor", 1.0)
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        raise UnityError(f"{name} is a damaged FBX file ({error})") from error
    values = fields(settings)
    scale = number_of(values, "meshes.globalScale", 1.0)
    if values.get("meshes.useFileScale", "1") == "1":
        scale *= unit_cm * _METRES_PER_CM
    if not 1e-9 < abs(scale) < 1e9:
        raise UnityError(f"{name} has a scale of {scale:g} metres to a unit")
    return Model(name, nodes, scale, _names(values), tree, len(data), geometries)


def _names(values: dict[str, str]) -> dict[int, str]:
    """Names by file id: the table of Unity before 2019, and that of files that it once imported so."""
    found = {}
    for path, value in values.items():
        old, new = _OLD_ID.match(path), _TABLE_ID.match(path)
        if old:
            found[int(old[1])] = text_of(value)
        elif new and int(new[2]) == _MESH_KIND:
            second = values.get(f"internalIDToNameTable.Array.data[{new[1]}].second")
            if second is not None and re.fullmatch(r"-?\d+", value):
                found[int(value)] = text_of(second)
    return found


def read_obj_model(name: str, data: bytes, settings: str) -> Model:
    """A model from the bytes of its OBJ file, whose unit is the metre. Raises UnityError."""
    try:
        groups = read_obj(data.decode("utf-8", "replace"))
    except (ValueError, IndexError) as error:
        raise UnityError(f"{name} is a damaged OBJ file ({error})") from error
    values = fields(settings)
    nodes = tuple(ModelNode(group, k, np.eye(4)) for k, group in enumerate(groups))
    scale = number_of(values, "meshes.globalScale", 1.0)
    geometries: dict[int, Callable[[], Polygons]] = {k: partial(_as_read, p) for k, p in enumerate(groups.values())}
    tree = tuple(TreeNode(n.name, -1, (0.0,) * 3, (0.0, 0.0, 0.0, 1.0), (1.0,) * 3, True, True, ()) for n in nodes)
    return Model(name, nodes, scale, _names(values), tree, len(data), geometries)


def _as_read(polygons: Polygons) -> Polygons:
    return polygons


def _nodes(root: Node) -> tuple[tuple[ModelNode, ...], dict[int, Callable[[], Polygons]]]:
    objects, connections = root.child("Objects"), root.child("Connections")
    if objects is None or connections is None:
        raise ValueError("it has no objects")
    geometries: dict[int, Callable[[], Polygons]] = {
        int(g.values[0]): partial(polygons_of, g)
        for g in objects.all("Geometry")
        if g.child("Vertices") is not None and g.child("PolygonVertexIndex") is not None
    }
    models = {int(m.values[0]): m for m in objects.all("Model")}
    owned: dict[int, int] = {}
    for link in connections.all("C"):
        if link.values[0] == "OO" and link.values[1] in geometries and link.values[2] in models:
            owned.setdefault(int(link.values[2]), int(link.values[1]))
    nodes = tuple(
        ModelNode(str(model.values[1]).split(_SEPARATOR)[0], owned[k], _matrix(model))
        for k, model in models.items()
        if k in owned
    )
    return nodes, geometries


def _matrix(model: Node) -> Floats:
    properties = model.properties()

    def triple(name: str, default: float) -> Floats:
        values = properties.get(name, (default,) * 3)[:3]
        return np.array([float(v) for v in values]) if len(values) == 3 else np.full(3, default)

    matrix = np.eye(4)
    matrix[:3, :3] = _rotation(triple("GeometricRotation", 0.0)) * triple("GeometricScaling", 1.0)
    matrix[:3, 3] = triple("GeometricTranslation", 0.0) - matrix[:3, :3] @ triple("RotationPivot", 0.0)
    return matrix


def _rotation(degrees: Floats) -> Floats:
    """FBX's Euler angles: about x first, then y, then z."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x)


def _number(node: Node | None, name: str, default: float) -> float:
    values = node.properties().get(name, ()) if node else ()
    return float(values[0]) if values else default
