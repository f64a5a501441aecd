"""Scenes and prefabs with every nested prefab instance expanded into plain objects, its modifications applied."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from saom_scenes.unity.project import UnityError, UnityProject
from saom_scenes.unity.yaml_text import Document, Reference, documents, fields, reference

GAME_OBJECT, TRANSFORM, RECT_TRANSFORM = 1, 4, 224
MESH_RENDERER, SKINNED_RENDERER, MESH_FILTER = 23, 137, 33
SCRIPT, LOD_GROUP, LIGHT, RENDER_SETTINGS = 114, 205, 108, 104
_PREFAB_INSTANCE = 1001
_WANTED = {
    GAME_OBJECT, TRANSFORM, RECT_TRANSFORM, MESH_RENDERER, SKINNED_RENDERER, MESH_FILTER, SCRIPT, LOD_GROUP, LIGHT,
    RENDER_SETTINGS,
}  # fmt: skip
_POSITIVE = 0x7FFFFFFFFFFFFFFF
_DEEPEST = 16
_MOST_OBJECTS = 300_000
_MODIFICATION = re.compile(r"^(m_Modification\.m_Modifications\.Array\.data\[\d+\])\.(target|propertyPath|value|"
                           r"objectReference)$")  # fmt: skip
_REMOVED = re.compile(r"^m_Modification\.m_Removed(?:Components|GameObjects)\.Array\.data\[\d+\]$")
_LINK = re.compile(r"^m_GameObject$|^m_Father$|^m_LODs\..*\.renderer$")


@dataclass
class UnityObject:
    """One object with its fields by property path. ``origins`` are the (guid, id) that it has in prefabs."""

    kind: int
    values: dict[str, str]
    origins: tuple[tuple[str, int], ...] = ()

    def link(self, path: str) -> int:
        """The id of an object of the same file that a field names; 0 for none."""
        return reference(self.values.get(path)).file_id


Objects = dict[int, UnityObject]


@dataclass
class Prefabs:
    """Expands scenes; prefabs are read once."""

    project: UnityProject
    scripts: frozenset[str]
    """Guids of the scripts whose components are kept."""
    models: Callable[[Path, str], Objects | None] = lambda path, guid: None
    """The objects of a model's prefab by its file and guid; None for one that cannot be read."""
    missing: dict[str, int] = field(default_factory=dict)
    """Prefabs that could not be read, and how often."""
    _read: dict[Path, Objects] = field(default_factory=dict, repr=False)

    def scene(self, path: Path) -> Objects:
        """All objects of a scene file."""
        return self._expanded(path, 0)

    def _prefab(self, path: Path, depth: int) -> Objects:
        if path not in self._read:
            self._read[path] = {}  # one that holds itself ends here
            self._read[path] = self._expanded(path, depth)
        return self._read[path]

    def _expanded(self, path: Path, depth: int) -> Objects:
        text = self.project.text_of(path)
        if text is None or depth > _DEEPEST:
            self._miss(self.project.name(path))
            return {}
        objects: Objects = {}
        stand_ins: dict[tuple[int, int], int] = {}
        instances: list[tuple[int, dict[str, str]]] = []
        for document in documents(text):
            if document.stripped:
                values = fields(document.text)
                source = _first(values, "m_CorrespondingSourceObject", "m_PrefabParentObject")
                stand_ins[_first(values, "m_PrefabInstance", "m_PrefabInternal").file_id, source.file_id] = (
                    document.file_id
                )
            elif document.kind == _PREFAB_INSTANCE:
                instances.append((document.file_id, fields(document.text)))
            elif self._is_wanted(document):
                objects[document.file_id] = UnityObject(document.kind, fields(document.text))
        for file_id, values in instances:
            objects.update(self._instance(file_id, values, stand_ins, depth))
            # A few prefabs that each hold the next one ten times would come to billions.
            if len(objects) > _MOST_OBJECTS:
                raise UnityError(f"{self.project.name(path)} holds over {_MOST_OBJECTS:,} objects; no scene does")
        return objects

    def _is_wanted(self, document: Document) -> bool:
        if document.kind != SCRIPT:
            return document.kind in _WANTED
        return any(guid in document.text for guid in self.scripts)

    def _instance(
        self, file_id: int, values: dict[str, str], stand_ins: dict[tuple[int, int], int], depth: int
    ) -> Objects:
        """The objects of one prefab instance under the ids that they have in the file that holds it."""
        source = _first(values, "m_SourcePrefab", "m_ParentPrefab")
        path = self.project.path(source.guid) if source.guid else None
        base = self._base(path, source.guid, depth + 1) if path else None
        if base is None:
            if source.guid:
                self._miss(self.project.name(path) if path else source.guid)
            return {}
        ids = {k: stand_ins.get((file_id, k), (file_id ^ k) & _POSITIVE) for k in base}
        new = {ids[k]: _moved(o, ids, (source.guid, k)) for k, o in base.items()}
        parent = values.get("m_Modification.m_TransformParent", "{fileID: 0}")
        for thing in new.values():
            if thing.kind in (TRANSFORM, RECT_TRANSFORM) and thing.link("m_Father") == 0:
                thing.values["m_Father"] = parent
        _modify(new, ids, values)
        return new

    def _base(self, path: Path, guid: str, depth: int) -> Objects | None:
        if path.suffix.lower() == ".prefab":
            return self._prefab(path, depth)
        return self.models(path, guid)

    def _miss(self, what: str) -> None:
        self.missing[what] = self.missing.get(what, 0) + 1


def _first(values: dict[str, str], *paths: str) -> Reference:
    """The reference of the first field that is there: Unity has renamed some."""
    return next((reference(values[path]) for path in paths if path in values), Reference())


def _moved(thing: UnityObject, ids: dict[int, int], origin: tuple[str, int]) -> UnityObject:
    """The object with its links into the same file turned to new ids."""
    values = dict(thing.values)
    for path, value in thing.values.items():
        if _LINK.match(path):
            linked = reference(value).file_id
            values[path] = f"{{fileID: {ids.get(linked, 0)}}}"
    return replace(thing, values=values, origins=(*thing.origins, origin))


def _modify(objects: Objects, ids: dict[int, int], values: dict[str, str]) -> None:
    """Apply an instance's modifications and removals."""
    by_origin = {origin: k for k, thing in objects.items() for origin in thing.origins}

    def found(target: Reference) -> int | None:
        return by_origin.get((target.guid, target.file_id), ids.get(target.file_id))

    entries: dict[str, dict[str, str]] = {}
    for path, value in values.items():
        match = _MODIFICATION.match(path)
        if match:
            entries.setdefault(match[1], {})[match[2]] = value
    for entry in entries.values():
        k = found(reference(entry.get("target")))
        if k is not None and k in objects:
            _set(objects[k].values, entry)
    for path, value in values.items():
        if _REMOVED.match(path):
            k = found(reference(value))
            if k is not None:
                objects.pop(k, None)


def _set(values: dict[str, str], entry: dict[str, str]) -> None:
    path, value = entry.get("propertyPath", "").strip("'\""), entry.get("value", "")
    replacement = entry.get("objectReference", "")
    is_link = values.get(path, "").startswith("{fileID") or (not value and reference(replacement).file_id != 0)
    values[path] = replacement if is_link and not value else value
    if path.endswith(".Array.size"):
        _resize(values, path.removesuffix(".Array.size"), value)


def _resize(values: dict[str, str], path: str, value: str) -> None:
    """A shorter array forgets its last entries."""
    if not value.isdecimal():
        return
    entry = re.compile(re.escape(path) + r"\.Array\.data\[(\d+)\]")
    for name in list(values):
        match = entry.match(name)
        if match and int(match[1]) >= int(value):
            del values[name]
