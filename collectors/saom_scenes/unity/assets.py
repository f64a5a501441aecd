"""What scenes refer to: meshes by file id, materials, textures, and the project's own names of object types."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from saom_scenes.unity.meshes import Mesh
from saom_scenes.unity.model_prefab import model_objects
from saom_scenes.unity.models import Model, read_model, read_obj_model
from saom_scenes.unity.prefabs import Objects, Prefabs
from saom_scenes.unity.primitives import BUILTIN_GUID, primitive
from saom_scenes.unity.project import UnityError, UnityProject
from saom_scenes.unity.surfaces import Surfaces
from saom_scenes.unity.textures import Textures
from saom_scenes.unity.yaml_text import Reference, documents, fields

_SIM_SCRIPT, _TYPES, _AGENT = "SimObjPhysics.cs", "SimObjType.cs", "FPSController.prefab"
_ENUM = re.compile(r"enum\s+SimObjType\b[^{]*\{(.*?)\}", re.S)
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
_CAMERA = 20
# The layers that the agent's camera draws in AI2-THOR 2.4 and later, for clones without its prefab.
_USUAL_MASK = 1847
_MOST_KEPT_BYTES = 512 << 20
_READERS = {".fbx": read_model, ".obj": read_obj_model}


@dataclass
class Assets:
    """A project's assets, each read once."""

    project: UnityProject
    prefabs: Prefabs
    surfaces: Surfaces
    textures: Textures
    sim_script: str
    """The guid of the script that makes a game object a simulation object."""
    types: dict[int, str]
    """Names of object types by their numbers."""
    camera_mask: int
    """Which layers the agent's camera draws, as bits."""
    damaged: dict[str, str] = field(default_factory=dict)
    """Models that could not be read, and why."""
    _models: dict[Path, Model | None] = field(default_factory=dict, repr=False)

    @classmethod
    def open(cls, project: UnityProject, side_px: int = 256) -> "Assets":
        """A project's assets. Raises UnityError where the project is not AI2-THOR's, or lacks its scripts."""
        script, types = project.find(_SIM_SCRIPT), project.find(_TYPES)
        text = project.text_of(types[1]) if types else None
        if script is None or text is None:
            raise UnityError(
                f"{project.assets} lacks {_SIM_SCRIPT if script is None else _TYPES}: it is not AI2-THOR's Unity "
                "project, or a clone without unity/Assets/Scripts"
            )
        assets = cls(
            project=project,
            prefabs=Prefabs(project, frozenset({script[0]})),
            surfaces=Surfaces(project),
            textures=Textures(project, side_px),
            sim_script=script[0],
            types=_enum(text),
            camera_mask=_camera_mask(project),
        )
        assets.prefabs.models = assets.model_objects
        return assets

    def mesh(self, link: Reference) -> Mesh | None:
        """The mesh that a reference means; None for one that is not there or damaged, which ``damaged`` then says.

        Raises UnityError for files that Git LFS has not fetched.
        """
        if link.guid == BUILTIN_GUID:
            return primitive(link.file_id)
        path = self.project.path(link.guid)
        model = self._model(path) if path else None
        try:
            return model.mesh(link.file_id) if model else None
        except UnityError as error:
            self.damaged.setdefault(f"{self.mesh_name(link)} {link.file_id}", str(error))
            return None

    def model_objects(self, path: Path, guid: str) -> Objects | None:
        """The objects of the prefab that a model is; None for one that cannot be read."""
        model = self._model(path)
        if model is None:
            return None
        return model_objects(model, guid, self._settings(path), self.project)

    def mesh_name(self, link: Reference) -> str:
        """What a mesh is called in reports: its file's path below Assets."""
        path = self.project.path(link.guid)
        if not link.guid:
            return "a mesh inside the scene's own file"
        if path is None:
            return f"built-in {link.file_id}" if link.guid == BUILTIN_GUID else f"guid {link.guid}"
        return self.project.name(path)

    def _model(self, path: Path) -> Model | None:
        """A file's model; of those read, the last half a gigabyte is kept."""
        if path not in self._models:
            self._models[path] = self._read(path)
            while sum(m.size_bytes for m in self._models.values() if m) > _MOST_KEPT_BYTES and len(self._models) > 1:
                del self._models[next(iter(self._models))]
        return self._models[path]

    def _read(self, path: Path) -> Model | None:
        name = self.project.name(path)
        read = _READERS.get(path.suffix.lower())
        if read is None:
            self.damaged.setdefault(name, f"{name} is neither FBX nor OBJ; meshes of other kinds are not read")
            return None
        data = self.project.bytes_of(path)
        if data is None:
            return None
        try:
            return read(name, data, self._settings(path))
        except UnityError as error:
            self.damaged.setdefault(name, str(error))
            return None

    def _settings(self, path: Path) -> str:
        return self.project.text_of(path.with_name(path.name + ".meta")) or ""


def _enum(text: str) -> dict[int, str]:
    """The members of C#'s enum SimObjType by number."""
    match = _ENUM.search(text)
    if match is None:
        raise UnityError(f"{_TYPES} holds no enum SimObjType")
    found, number = {}, -1
    for entry in _COMMENT.sub("", match[1]).split(","):
        name, _, value = (part.strip() for part in entry.partition("="))
        if name:
            number = int(value) if value.isdecimal() else number + 1
            found[number] = name
    return found


def _camera_mask(project: UnityProject) -> int:
    """Which layers the agent's first camera draws; lights have masks too, and mean something else."""
    agent = project.find(_AGENT)
    text = project.text_of(agent[1]) or "" if agent else ""
    cameras = (fields(d.text) for d in documents(text) if d.kind == _CAMERA)
    bits = next((c["m_CullingMask.m_Bits"] for c in cameras if c.get("m_Enabled", "1") == "1"), "")
    return int(bits) if bits.isdecimal() else _USUAL_MASK
