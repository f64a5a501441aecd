"""Scene packs as scenes: real geometry under the metadata's ids, boxes and flags; what has no id is structure."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saom_player.arguments import ActionError
from saom_player.layout_table import PlacedObject, placed_objects, scene_names
from saom_player.mesh import Mesh, Part
from saom_player.occupancy import AGENT_CENTER_M
from saom_player.pack_lights import ambient, lamps, sun, window_openings
from saom_player.pack_materials import is_overlay, material_of, pictures_of, scene_textures
from saom_player.scene import Box, Scene, SceneObject, Structure, Vector
from saom_player.simulation import SceneSource
from saom_scenes.packs import Pack, PackError, PackFolder, PackInstance

_STRUCTURE = "Structure"
_FLOOR = "Floor"
_LEVEL = 0.9
_FLOOR_BAND_M = 0.6
_BIN_M = 0.02
_LOWEST_ROOM_M, _HIGHEST_ROOM_M = 2.0, 6.0


@dataclass(frozen=True)
class LoadedPack:
    """A pack's scene, and the ids of the objects that it lists without a single triangle."""

    scene: Scene
    unseen: tuple[str, ...]

    def report(self) -> str:
        """One line for the log."""
        shown = len(self.scene.objects) - len(self.unseen)
        rest = f"; {len(self.unseen)} have no mesh in the pack" if self.unseen else ""
        return f"{self.scene.name}: from its pack, {shown} of {len(self.scene.objects)} objects{rest}"


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
    floor = _floor(pack, pieces)
    objects = _objects(pack, placed, pieces)
    shown = {o.object_id for o in objects if o.parts}
    structures = _structures(pack, {o.object_id for o in objects}, pieces)
    # AI2-THOR's floor is an object; here it is a structure under the floor's id, as in every scene of the player.
    objects = tuple(replace(o, parts=()) if o.object_type == _FLOOR else o for o in objects)
    bounds = _bounds(placed, floor, pieces)
    middle = bounds.center
    windows = window_openings(
        [o.box for o in objects if o.object_type == "Window" and o.parts], floor.triangles, middle
    )
    up, down = ambient(pack.ambient)
    used = set().union(*(pictures_of(m) for m in pack.materials)) if pack.materials else set()
    scene = Scene(
        name=pack.scene,
        objects=objects,
        structures=structures,
        lamps=lamps(pack.lights, floor.ceilings, (middle[0], bounds.center[1] + bounds.size[1] / 2, middle[2])),
        windows=windows,
        sun=sun(pack.lights, windows),
        ambient_up=up,
        ambient_down=down,
        bounds=bounds,
        agent_position=(middle[0], floor.height + AGENT_CENTER_M, middle[2]),
        textures=scene_textures(pack.textures, used),
    )
    return LoadedPack(scene, tuple(o.object_id for o in objects if o.object_id not in shown))


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
        # Dirt and light rays that belong to no object would hide what the real camera shows through them.
        if len(rows) == 0 or (part.instance == 0 and is_overlay(source)):
            continue
        where = _moved(uvs[rows], source.scale, source.offset)
        mesh = Mesh(positions[rows], normals[rows], where, materials[part.material])
        of[part.instance].append(Part(part.name, mesh))
    return _Pieces(tuple(tuple(parts) for parts in of))


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


@dataclass(frozen=True)
class _Floor:
    """Level triangles: the floor at its height, and whatever faces down above it."""

    height: float
    triangles: NDArray[np.float64]
    ceilings: NDArray[np.float64]


def _floor(pack: Pack, pieces: _Pieces) -> _Floor:
    built = [k for k, i in enumerate(pack.instances) if k == 0 or i.object_type == _FLOOR or not i.object_id]
    corners = np.concatenate([np.zeros((0, 3, 3)), *(pieces.corners(k) for k in built)])
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(cross, axis=1)
    lean = cross[:, 1] / np.maximum(area, 1e-12)
    y = corners[:, :, 1].mean(1)
    level = (lean > _LEVEL) & (np.abs(y) < _FLOOR_BAND_M) & (area > 0)
    height = 0.0
    if level.any():
        bins = np.round(y[level] / _BIN_M).astype(np.int64)
        total = np.bincount(bins - bins.min(), area[level])
        near = np.abs(y[level] - (int(total.argmax()) + bins.min()) * _BIN_M) < _BIN_M
        height = float(np.average(y[level][near], weights=area[level][near]))
    ceilings = corners[(lean < -_LEVEL) & (y > height + 1.8)]
    return _Floor(round(height, 4), corners[level & (np.abs(y - height) < 0.05)], ceilings)


def _objects(pack: Pack, placed: Sequence[PlacedObject], pieces: _Pieces) -> tuple[SceneObject, ...]:
    """The metadata's objects, in its order; those that only the pack knows after them."""
    by_id = {i.object_id: k for k, i in enumerate(pack.instances) if i.object_id}
    by_name = {i.name: k for k, i in enumerate(pack.instances) if i.name}
    objects = []
    for o in placed:
        k = by_id.get(o.object_id, by_name.get(o.name, -1))
        objects.append(_listed(o, pieces.of[k] if k > 0 else ()))
    known = {o.object_id for o in objects}
    for k, instance in enumerate(pack.instances):
        if k and instance.object_id and instance.object_id not in known:
            objects.append(_unlisted(instance, pieces, k))
    return tuple(objects)


def _listed(o: PlacedObject, parts: tuple[Part, ...]) -> SceneObject:
    return SceneObject(
        object_id=o.object_id,
        object_type=o.object_type,
        name=o.name,
        position=o.position,
        rotation_deg=o.rotation_deg,
        box=o.box,
        parts=parts,
        asset_id=o.asset_id,
        parent_receptacles=o.parents,
        salient_materials=o.materials,
        flags=o.flags,
        mass=o.mass,
    )


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


def _structures(pack: Pack, object_ids: set[str], pieces: _Pieces) -> tuple[Structure, ...]:
    """What belongs to no object, and the floor under its own id."""
    structures = []
    for k, instance in enumerate(pack.instances):
        is_floor = instance.object_type == _FLOOR
        if not pieces.of[k] or (instance.object_id in object_ids and not is_floor):
            continue
        name = instance.object_id or instance.name or _STRUCTURE
        structures.append(Structure(name, pieces.of[k]))
    return tuple(structures)


def _bounds(placed: Sequence[PlacedObject], floor: _Floor, pieces: _Pieces) -> Box:
    """The room: the metadata's boxes where there are any, for packs may show a garden too."""
    corners = [o.box.corners() for o in placed] or [floor.triangles.reshape(-1, 3)]
    if not placed and not len(floor.triangles):
        corners = [pieces.corners(k).reshape(-1, 3) for k in range(len(pieces.of))]
    points = np.concatenate(corners)
    if len(points) == 0:
        return Box((0.0, 1.25, 0.0), (6.0, 2.5, 6.0))
    low, high = points.min(0), points.max(0)
    inside = floor.ceilings.mean(1) if len(floor.ceilings) else np.zeros((0, 3))
    over = ((inside[:, [0, 2]] > low[[0, 2]]) & (inside[:, [0, 2]] < high[[0, 2]])).all(1)
    top = max([float(high[1]), *inside[over, 1].tolist()])
    tall = min(max(top - floor.height, _LOWEST_ROOM_M), _HIGHEST_ROOM_M)
    middle: Vector = (float(low[0] + high[0]) / 2, floor.height + tall / 2, float(low[2] + high[2]) / 2)
    return Box(middle, (float(high[0] - low[0]), tall, float(high[2] - low[2])))


def _box_of(corners: NDArray[np.float64], position: Vector) -> Box:
    if len(corners) == 0:
        return Box(position, (0.0, 0.0, 0.0))
    low, high = corners.min((0, 1)), corners.max((0, 1))
    (x, y, z), (a, b, c) = ((low + high) / 2).tolist(), (high - low).tolist()
    return Box((x, y, z), (a, b, c))
