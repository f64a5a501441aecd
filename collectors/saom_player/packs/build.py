"""Scene packs as scenes: real geometry under the metadata's ids, boxes and flags; what has no id is structure."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saom_player.arguments import ActionError
from saom_player.packs.lights import ambient, lamps, sun, window_openings
from saom_player.packs.materials import is_unseen, material_of, pictures_of, scene_textures
from saom_player.packs.rooms import indoors, room_bounds, shell_of
from saom_player.physics.occupancy import AGENT_CENTER_M
from saom_player.rooms.furnishing import scene_object
from saom_player.rooms.layouts import load_scene, stand_ins
from saom_player.scene import Box, Scene, SceneObject, Structure, Vector
from saom_player.shapes.mesh import Mesh, Part
from saom_player.simulation import SceneSource
from saom_player.tables.layout import PlacedObject, placed_objects, scene_names
from saom_scenes.packs import Pack, PackError, PackFolder, PackInstance

_STRUCTURE = "Structure"
_FLOOR = "Floor"


_HELPER_M, _HELPER_AWAY_M = 0.005, 0.05
_FARTHEST_M = 3.0
_INWARD_M = 0.0004
# AI2-THOR's own pictures of these rooms are darker than ours of others: their greys lie about half way up.
_EXPOSURE = 0.55


@dataclass(frozen=True)
class LoadedPack:
    """A pack's scene, and the ids of the objects that it lists without a single triangle of theirs."""

    scene: Scene
    unseen: tuple[str, ...]
    stand_ins: tuple[str, ...]
    """Ids of those whose models the pack's source lacked: they are the parametric scene's."""
    built_anew: bool
    """The pack has no floor: walls, floor and ceiling are those of the parametric scene."""

    def report(self) -> str:
        """One line for the log."""
        shown = len(self.scene.objects) - len(self.unseen) - len(self.stand_ins)
        stand_ins = f"; {len(self.stand_ins)} are parametric, for want of their models" if self.stand_ins else ""
        rest = f"; {len(self.unseen)} have no mesh in the pack" if self.unseen else ""
        anew = "; it has no floor: the parametric scene's walls and floor stand in" if self.built_anew else ""
        return f"{self.scene.name}: from its pack, {shown} of {len(self.scene.objects)} objects{stand_ins}{rest}{anew}"


class PackScenes:
    """The scenes of a folder of packs."""

    def __init__(self, folder: Path) -> None:
        """Raises PackError when there is no such folder, or no pack in it."""
        self._folder = PackFolder(folder)
        self.names = frozenset(self._folder.scenes())

    def load(self, name: str) -> LoadedPack:
        """The scene of a pack. Raises PackError, one line, when the pack cannot be used."""
        try:
            return pack_scene(self._folder.read(name))
        except PackError as error:
            raise PackError(str(error) if name in str(error) else f"{name}: {error}") from error


def with_packs(folder: Path, source: SceneSource) -> SceneSource:
    """A source that takes scenes from a folder's packs, and those without one from ``source``.

    A folder that cannot be used fails every load with one line: ending here would leave the client waiting.
    """
    try:
        packs = PackScenes(folder)
    except PackError as error:
        unusable = f"the scene packs cannot be used: {error}"
        print(f"saom_player: {unusable}", file=sys.stderr, flush=True)
        return replace(source, load=lambda name: _refused(unusable))

    def load(name: str) -> Scene:
        if name not in packs.names:
            return source.load(name)
        try:
            loaded = packs.load(name)
        except PackError as error:
            raise ActionError(f"the scene's pack cannot be used: {error}") from error
        print(f"saom_player: {loaded.report()}", file=sys.stderr, flush=True)
        return loaded.scene

    return replace(source, names=lambda: _merged(source.names(), packs.names), load=load)


def _refused(why: str) -> Scene:
    raise ActionError(why)


def _merged(names: Sequence[str], packs: frozenset[str]) -> list[str]:
    return [*names, *sorted(packs.difference(names))]


def pack_scene(pack: Pack) -> LoadedPack:
    """The scene of a pack. Raises PackError for textures that are no pictures."""
    placed = placed_objects(pack.scene) if pack.scene in scene_names() else ()
    pieces = _pieces(pack)
    number = _numbers(pack, placed)
    objects = _objects(pack, placed, number, pieces)
    lent = _stand_ins(pack, objects) if placed else {}
    objects = tuple(lent.get(o.object_id, o) for o in objects)
    structures = _structures(pack, {o.object_id for o in objects}, set(number.values()), pieces)
    shell = shell_of(_built(pack, pieces))
    built_anew = not len(shell.floor) and bool(placed)
    if built_anew:
        stand_in = load_scene(pack.scene)
        structures = (*structures, *stand_in.structures)
        # The floor that stands in is where the metadata's furniture stands; FloorPlan3's lies at 0.22 m.
        shell = replace(shell, floor_y=stand_in.agent_position[1] - AGENT_CENTER_M)
    everything = np.concatenate([np.zeros((0, 3, 3)), *(pieces.corners(k) for k in range(len(pack.instances)))])
    bounds = room_bounds(placed, shell, everything)
    x, y, z = bounds.center
    boxes = [o.box for o in objects if o.object_type == "Window" and o.parts]
    windows = window_openings(boxes, shell.floor, bounds.center)
    up, down = ambient(pack.ambient)
    scene = Scene(
        name=pack.scene,
        # AI2-THOR's floor is an object; here it is a structure under the floor's id, as in every scene of the player.
        objects=tuple(replace(o, parts=()) if o.object_type == _FLOOR else o for o in objects),
        structures=structures,
        lamps=lamps(pack.lights, shell.floor_y, shell.ceilings, (x, y + bounds.size[1] / 2, z)),
        windows=windows,
        sun=sun(pack.lights, windows),
        ambient_up=up,
        ambient_down=down,
        bounds=bounds,
        exposure=_EXPOSURE,
        agent_position=(x, shell.floor_y + AGENT_CENTER_M, z),
        roof=None if built_anew else indoors(shell, bounds),
        textures=scene_textures(pack.textures, {k for m in pack.materials for k in pictures_of(m)}),
    )
    return LoadedPack(scene, tuple(o.object_id for o in objects if not o.parts), tuple(lent), built_anew)


@dataclass(frozen=True)
class _Pieces:
    """Each instance's parts."""

    of: tuple[tuple[Part, ...], ...]

    def corners(self, instance: int) -> NDArray[np.float64]:
        """(T, 3, 3)"""
        found = [part.mesh.positions for part in self.of[instance]]
        return np.concatenate([np.zeros((0, 3, 3)), *found]).astype(np.float64)


def _pieces(pack: Pack) -> _Pieces:
    order = np.argsort(pack.part, kind="stable")
    ends = np.searchsorted(pack.part[order], np.arange(len(pack.parts) + 1))
    positions, normals, uvs = _corners(pack)
    materials = [material_of(m) for m in pack.materials]
    of: list[list[Part]] = [[] for _ in pack.instances]
    for number, part in enumerate(pack.parts):
        rows = order[ends[number] : ends[number + 1]]
        source = pack.materials[part.material]
        if len(rows) == 0 or is_unseen(source, on_object=part.instance > 0):
            continue
        where = _moved(uvs[rows], source.scale, source.offset)
        material = materials[part.material]
        corners = positions[rows] if material.opacity == 1 else _thinner(positions[rows])
        mesh = Mesh(corners, normals[rows], where, material)
        of[part.instance].append(Part(part.name, mesh))
    return _Pieces(tuple(tuple(parts) for parts in of))


def _thinner(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """Glass with its faces moved inward: a pane's underside often lies in the very plane of what it rests on, and who
    looks through would see now one, now the other."""
    face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.maximum(np.linalg.norm(face, axis=1, keepdims=True), 1e-12)
    return np.asarray(corners - (_INWARD_M * face / length)[:, None], np.float32)


def _corners(pack: Pack) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """(T, 3, 3) positions and normals, (T, 3, 2) texture coordinates; normals on the side that is seen."""
    positions, normals = pack.positions[pack.triangles], pack.normals[pack.triangles]
    face = np.cross(positions[:, 1] - positions[:, 0], positions[:, 2] - positions[:, 0])
    inside_out = (face * normals.sum(1)).sum(1) < 0
    normals = np.where(inside_out[:, None, None], -normals, normals)
    return positions, normals.astype(np.float32, copy=False), pack.uvs[pack.triangles]


def _moved(uvs: NDArray[np.float32], scale: tuple[float, float], offset: tuple[float, float]) -> NDArray[np.float32]:
    """Texture coordinates with the material's scale and offset; v runs up in Unity, and down here."""
    moved = uvs * np.array(scale, np.float32) + np.array(offset, np.float32)
    moved[..., 1] = 1 - moved[..., 1]
    return moved


def _built(pack: Pack, pieces: _Pieces) -> NDArray[np.float64]:
    """Triangles of what makes the room: whatever is no object, and the floor."""
    built = [k for k, i in enumerate(pack.instances) if k == 0 or i.object_type == _FLOOR or not i.object_id]
    return np.concatenate([np.zeros((0, 3, 3)), *(pieces.corners(k) for k in built)])


def _objects(
    pack: Pack, placed: Sequence[PlacedObject], number: dict[str, int], pieces: _Pieces
) -> tuple[SceneObject, ...]:
    """The metadata's objects, in its order; those that only the pack knows after them."""
    objects = []
    for o in placed:
        k = number[o.object_id]
        objects.append(scene_object(o, tuple(p for p in pieces.of[k] if not _is_stray(p, o.box)) if k > 0 else ()))
    known, used = {o.object_id for o in objects}, set(number.values())
    for k, instance in enumerate(pack.instances):
        if k and k not in used and instance.object_id and instance.object_id not in known:
            known.add(instance.object_id)
            objects.append(_unlisted(instance, pieces, k))
    return tuple(objects)


def _numbers(pack: Pack, placed: Sequence[PlacedObject]) -> dict[str, int]:
    """Which instance of the pack each of the metadata's objects is: by its id, else by its name; -1 for none."""
    by_id = {i.object_id: k for k, i in enumerate(pack.instances) if i.object_id}
    by_name = {i.name: k for k, i in enumerate(pack.instances) if i.name}
    found = {o.object_id: by_id.get(o.object_id, -1) for o in placed}
    taken = set(found.values())
    # An id is made from where an object stands, in hundredths: a rounding apart, its name still tells.
    return {o.object_id: _named(found[o.object_id], by_name.get(o.name, -1), taken) for o in placed}


def _named(by_id: int, by_name: int, taken: set[int]) -> int:
    return by_id if by_id >= 0 else -1 if by_name in taken else by_name


def _stand_ins(pack: Pack, objects: Sequence[SceneObject]) -> dict[str, SceneObject]:
    """The parametric scene's objects for those that show nothing because the pack's source lacked their models."""
    lacking = {name for i in pack.instances if i.missing for name in (i.object_id, i.name)}
    bare = {o.object_id for o in objects if not o.parts and {o.object_id, o.name} & lacking}
    found = stand_ins(pack.scene, bare) if bare else {}
    return {k: o for k, o in found.items() if o.parts}


def _is_stray(part: Part, box: Box) -> bool:
    """Whether a piece is none of the object's: a model's helper quad away from it, or a mesh of the wrong size."""
    low, high = part.mesh.positions.min(axis=(0, 1)), part.mesh.positions.max(axis=(0, 1))
    corners = box.corners()
    beyond = float(max((corners.min(axis=0) - low).max(), (high - corners.max(axis=0)).max()))
    if float((high - low).max()) < _HELPER_M:
        return beyond > _HELPER_AWAY_M
    return beyond > _FARTHEST_M


def _unlisted(instance: PackInstance, pieces: _Pieces, k: int) -> SceneObject:
    """An object of a scene that the player has no metadata of: its box is that of its triangles."""
    return SceneObject(
        object_id=instance.object_id,
        object_type=instance.object_type or instance.object_id.split("|")[0],
        name=instance.name,
        position=instance.position,
        rotation_deg=(0.0, 0.0, 0.0),
        box=_box_of(pieces.corners(k), instance.position),
        parts=pieces.of[k],
    )


def _structures(pack: Pack, object_ids: set[str], used: set[int], pieces: _Pieces) -> tuple[Structure, ...]:
    """What belongs to no object, and the floor under its own id."""
    structures = []
    for k, instance in enumerate(pack.instances):
        is_floor = instance.object_type == _FLOOR
        is_object = k in used or instance.object_id in object_ids
        if not pieces.of[k] or (is_object and not is_floor):
            continue
        name = instance.object_id or instance.name or _STRUCTURE
        structures.append(Structure(name, pieces.of[k]))
    return tuple(structures)


def _box_of(corners: NDArray[np.float64], position: Vector) -> Box:
    if len(corners) == 0:
        return Box(position, (0.0, 0.0, 0.0))
    low, high = corners.min((0, 1)), corners.max((0, 1))
    (x, y, z), (a, b, c) = ((low + high) / 2).tolist(), (high - low).tolist()
    return Box((x, y, z), (a, b, c))
