"""A model as the prefab that Unity makes of it: game objects, transforms, renderers under the ids that scenes use."""

import re
from pathlib import PurePosixPath

from saom_scenes.unity.model_tree import TreeNode
from saom_scenes.unity.models import Model, hashed_id
from saom_scenes.unity.prefabs import GAME_OBJECT, MESH_FILTER, MESH_RENDERER, TRANSFORM, Objects, UnityObject
from saom_scenes.unity.project import UnityProject
from saom_scenes.unity.yaml_text import fields, reference, text_of

_KINDS = {GAME_OBJECT: "GameObject", TRANSFORM: "Transform", MESH_RENDERER: "MeshRenderer", MESH_FILTER: "MeshFilter"}
_IDS_A_KIND = 100_000
_ROOT, _TOP = "//RootNode", "//RootNode/root"
_OLD_ID = re.compile(r"^fileIDToRecycleName\.(-?\d+)$")
_NEW_ID = re.compile(r"^internalIDToNameTable\.Array\.data\[(\d+)\]\.first\.(\d+)$")
_EXTERNAL = re.compile(r"^externalObjects\.Array\.data\[(\d+)\]\.first\.name$")
_FAR_LEVEL = re.compile(r"_LOD[1-9]\d*$")


def model_objects(model: Model, guid: str, settings: str, project: UnityProject) -> Objects:
    """The objects of a model's prefab.

    A single topmost node is the prefab's root, under the file's name; several hang below a root of their own. Ids are
    those of the settings' table, else Unity's hashes of where a node hangs.
    """
    values = fields(settings)
    ids, materials = _Ids(values), _Materials(values, model.name, project)
    stem = PurePosixPath(model.name).stem
    found: Objects = {}
    tops = [node for node in model.tree if node.parent < 0]
    whole = len(tops) == 1 and values.get("meshes.preserveHierarchy", "0") != "1"
    if not whole:
        root = TreeNode(stem, -1, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0), (1.0, 1.0, 1.0), False, True, ())
        _add(found, root, stem, (_ROOT, _TOP), 0, model, ids, ())
    paths: list[tuple[str, str]] = []
    counts: dict[str, int] = {}
    for node in model.tree:
        is_root = whole and node.parent < 0
        above = paths[node.parent] if node.parent >= 0 else (_ROOT, _TOP)
        place = (_ROOT, _TOP) if is_root else (node.name, f"{above[1]}/{node.name}")
        paths.append(place)
        mesh = ""
        if node.has_geometry:
            number = counts[node.name] = counts.get(node.name, -1) + 1
            mesh = f"{{fileID: {hashed_id('Mesh', node.name, number)}, guid: {guid}, type: 3}}"
        father = 0 if is_root else ids.of(TRANSFORM, *above)
        links = tuple(materials.link(name) for name in node.materials)
        _add(found, node, stem if is_root else node.name, place, father, model, ids, links, mesh)
    return found


def _add(
    found: Objects,
    node: TreeNode,
    name: str,
    place: tuple[str, str],
    father: int,
    model: Model,
    ids: "_Ids",
    materials: tuple[str, ...],
    mesh: str = "",
) -> None:
    game = ids.of(GAME_OBJECT, *place)
    owner = {"m_GameObject": f"{{fileID: {game}}}"}
    found[game] = UnityObject(GAME_OBJECT, {"m_Name": name, "m_IsActive": "1"})
    transform = {**owner, "m_Father": f"{{fileID: {father}}}"}
    for path, numbers, factor in (
        ("m_LocalPosition", node.position, model.scale),
        ("m_LocalRotation", node.rotation, 1.0),
        ("m_LocalScale", node.scale, 1.0),
    ):
        transform |= {f"{path}.{axis}": repr(v * factor) for axis, v in zip("xyzw", numbers, strict=False)}
    found[ids.of(TRANSFORM, *place)] = UnityObject(TRANSFORM, transform)
    if mesh:
        found[ids.of(MESH_FILTER, *place)] = UnityObject(MESH_FILTER, {**owner, "m_Mesh": mesh})
        drawn = node.visible and not _FAR_LEVEL.search(node.name)
        slots = {f"m_Materials.Array.data[{k}]": link for k, link in enumerate(materials)}
        renderer = {**owner, "m_Enabled": str(int(drawn)), "m_CastShadows": "1", **slots}
        found[ids.of(MESH_RENDERER, *place)] = UnityObject(MESH_RENDERER, renderer)


class _Ids:
    """Ids by kind and name."""

    def __init__(self, values: dict[str, str]) -> None:
        self._table: dict[tuple[int, str], int] = {}
        for path, value in values.items():
            old, new = _OLD_ID.match(path), _NEW_ID.match(path)
            if old:
                number = int(old[1])
                self._table.setdefault((abs(number) // _IDS_A_KIND, text_of(value)), number)
            elif new and re.fullmatch(r"-?\d+", value):
                name = text_of(values.get(f"internalIDToNameTable.Array.data[{new[1]}].second"))
                self._table.setdefault((int(new[2]), name), int(value))

    def of(self, kind: int, name: str, path: str) -> int:
        """The id of an object of a kind on the node of a name, which hangs at a path."""
        listed = self._table.get((kind, name))
        if listed is not None:
            return listed
        component = "" if kind == GAME_OBJECT else f"/{_KINDS[kind]}"
        return hashed_id(_KINDS[kind], path + component)


class _Materials:
    """Which material files a model's materials are: by its settings, else by name, the nearest first."""

    def __init__(self, values: dict[str, str], model: str, project: UnityProject) -> None:
        self._project, self._model = project, PurePosixPath(model)
        self._given = {
            text_of(value): values.get(f"externalObjects.Array.data[{match[1]}].second", "")
            for path, value in values.items()
            if (match := _EXTERNAL.match(path))
        }

    def link(self, name: str) -> str:
        """A reference to the file of a material; to none where there is no such file."""
        given = self._given.get(name)
        if given and reference(given).guid:
            return given
        found = self._project.find_all(f"{name}.mat") if name else []
        if not found:
            return "{fileID: 0}"
        guid, _ = max(found, key=lambda each: self._common(self._project.name(each[1])))
        return f"{{fileID: 2100000, guid: {guid}, type: 2}}"

    def _common(self, path: str) -> int:
        """How many folders a file shares with the model."""
        pairs = zip(PurePosixPath(path).parts, self._model.parts, strict=False)
        return next((k for k, (a, b) in enumerate(pairs) if a != b), 0)
