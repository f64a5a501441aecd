"""One scene of a Unity project as a pack: what the agent's camera draws, in the world, by simulation object."""

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from saom_scenes.packs import Pack, PackInstance, PackMaterial, PackMissing, PackPart, PackTexture
from saom_scenes.packs.model import CASTS, Casts
from saom_scenes.unity.assets import Assets
from saom_scenes.unity.hierarchy import Hierarchy, object_id
from saom_scenes.unity.lighting import ambient_of, lights_of
from saom_scenes.unity.meshes import Mesh, unit
from saom_scenes.unity.prefabs import LOD_GROUP, MESH_FILTER, MESH_RENDERER, SKINNED_RENDERER, Objects, UnityObject
from saom_scenes.unity.project import UnityError
from saom_scenes.unity.surfaces import Surface, with_textures
from saom_scenes.unity.yaml_text import Reference, number_of, reference

Floats = NDArray[np.float64]
_SHADOWS_ONLY = 3
_SMALLEST_M = 1e-4
_MOST_TRIANGLES = 8_000_000
_MOST_MATERIALS = 256
# Some models carry a square of a millimetre for each material slot, somewhere in the room.
_HELPER_M2, _HELPER_AWAY_M = 6e-7, 0.05


def scene_pack(name: str, objects: Objects, assets: Assets, source: dict[str, str]) -> Pack:
    """The pack of a scene's expanded objects.

    Raises UnityError for files that Git LFS has not fetched, and for scenes with nothing to see or far too much.
    """
    builder = _Builder(assets, Hierarchy(objects, assets.sim_script))
    filters = {o.link("m_GameObject"): o for o in objects.values() if o.kind == MESH_FILTER}
    off = _far_levels(objects)
    for k, thing in objects.items():
        if thing.kind in (MESH_RENDERER, SKINNED_RENDERER) and k not in off:
            holder = thing if thing.kind == SKINNED_RENDERER else filters.get(thing.link("m_GameObject"))
            builder.add(thing, reference(holder.values.get("m_Mesh")) if holder else Reference())
    for game in builder.hierarchy.sims:
        if builder.hierarchy.place(game).active:
            builder.instance(game)
    pack = builder.pack(name, source)
    if not len(pack.triangles):
        raise UnityError(f"{name} shows nothing: none of its meshes could be read")
    return replace(pack, lights=lights_of(objects, builder.hierarchy), ambient=ambient_of(objects))


def _far_levels(objects: Objects) -> set[int]:
    """The renderers that are for looking from afar only."""
    far: set[int] = set()
    for group in objects.values():
        if group.kind == LOD_GROUP:
            levels: dict[bool, set[int]] = {True: set(), False: set()}
            for path, value in group.values.items():
                if path.startswith("m_LODs.") and path.endswith(".renderer"):
                    levels[path.startswith("m_LODs.Array.data[0].")].add(reference(value).file_id)
            far |= levels[False] - levels[True]
    return far


@dataclass
class _Builder:
    """Collects renderers into arrays."""

    assets: Assets
    hierarchy: Hierarchy
    _instances: list[PackInstance] = field(default_factory=lambda: [PackInstance()])
    _numbers: dict[int, int] = field(default_factory=dict)
    """Instances by their game objects."""
    _surfaces: dict[Surface, int] = field(default_factory=dict)
    _parts: list[PackPart] = field(default_factory=list)
    _names: Counter[tuple[int, str]] = field(default_factory=Counter)
    _missing: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _vertices: list[tuple[Floats, Floats, Floats]] = field(default_factory=list)
    _triangles: list[NDArray[np.int64]] = field(default_factory=list)
    _part: list[NDArray[np.int64]] = field(default_factory=list)
    _count: int = 0

    def instance(self, game: int) -> int:
        """The number of a simulation object; 0 for none."""
        chain: list[int] = []
        while game and game not in self._numbers:
            chain.append(game)
            game = self.hierarchy.owner_above(game)
        number = self._numbers.get(game, 0)
        # From the outermost: a basin's id begins with its sink's.
        for inner in reversed(chain):
            number = self._numbers[inner] = self._new_instance(inner, self._instances[number].object_id)
        return number

    def _new_instance(self, game: int, above: str) -> int:
        position = self.hierarchy.place(game).matrix[:3, 3]
        kind = self.assets.types.get(int(number_of(self.hierarchy.sims[game].values, "Type", 0)), "Undefined")
        x, y, z = position.tolist()
        self._instances.append(
            PackInstance(self.hierarchy.name(game), kind, object_id(kind, position, above), (x, y, z))
        )
        return len(self._instances) - 1

    def add(self, renderer: UnityObject, link: Reference) -> None:
        """Add what a renderer shows, if it is there and drawn."""
        game = renderer.link("m_GameObject")
        place = self.hierarchy.place(game)
        casts = int(number_of(renderer.values, "m_CastShadows", 1))
        drawn = renderer.values.get("m_Enabled", "1") == "1" and casts != _SHADOWS_ONLY
        if not (place.active and drawn and link.file_id and self.assets.camera_mask >> self.hierarchy.layer(game) & 1):
            return
        number = self.instance(place.owner)
        mesh = self.assets.mesh(link)
        if mesh is None:
            self._miss(number, self.assets.mesh_name(link))
            return
        self._draw(mesh, place.matrix, number, renderer, CASTS[casts] if 0 <= casts < len(CASTS) else CASTS[1])

    def _miss(self, number: int, mesh: str) -> None:
        instance = self._instances[number]
        self._missing[instance.name, instance.object_type or "Structure", mesh] += 1
        if number:
            self._instances[number] = replace(instance, missing=instance.missing + 1)

    def _draw(self, mesh: Mesh, matrix: Floats, number: int, renderer: UnityObject, casts: Casts) -> None:
        linear = matrix[:3, :3]
        positions = mesh.positions @ linear.T + matrix[:3, 3]
        turned = np.linalg.det(linear)
        if np.ptp(positions, axis=0).max() < _SMALLEST_M or abs(turned) < 1e-18:
            return  # shrunk to nothing: that is how some objects are hidden
        kept, part = self._parted(mesh, number, renderer, casts)
        if not kept.any():
            return
        triangles = mesh.triangles[kept] if turned > 0 else mesh.triangles[kept][:, [0, 2, 1]]
        used, corner = np.unique(triangles, return_inverse=True)
        normals = unit(mesh.normals[used] @ np.linalg.inv(linear))
        self._vertices.append((positions[used], normals, mesh.uvs[used]))
        self._triangles.append(corner.reshape(-1, 3) + self._count)
        self._part.append(part)
        self._count += len(used)
        if sum(map(len, self._part)) > _MOST_TRIANGLES:
            raise UnityError(f"the scene has over {_MOST_TRIANGLES:,} triangles; no room has")

    def _parted(
        self, mesh: Mesh, number: int, renderer: UnityObject, casts: Casts
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Which triangles are drawn, and the parts of those: a part for each material of the renderer."""
        name = self.hierarchy.name(renderer.link("m_GameObject"))
        part_of = np.full(max(int(mesh.submesh.max(initial=0)) + 1, 1), -1, np.int64)
        for k in np.unique(mesh.submesh).tolist():
            link = renderer.values.get(f"m_Materials.Array.data[{k}]")
            if (link is None and k) or k >= _MOST_MATERIALS:
                continue  # Unity draws no sub-mesh without a material slot
            surface = self.assets.surfaces.of(reference(link))
            if surface.drawn:
                material = self._surfaces.setdefault(surface, len(self._surfaces))
                part_of[k] = self._new_part(name, number, material, casts)
        part = part_of[mesh.submesh]
        return part >= 0, part[part >= 0]

    def _new_part(self, name: str, number: int, material: int, casts: Casts) -> int:
        self._names[number, name] += 1
        times = self._names[number, name]
        self._parts.append(PackPart(f"{name} {times}" if times > 1 else name or "piece", number, material, casts))
        return len(self._parts) - 1

    def pack(self, name: str, source: dict[str, str]) -> Pack:
        """All that was added, without lights."""
        textures, numbers = self._textures()
        nothing = np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 2))
        columns = zip(nothing, *self._vertices, strict=True)
        positions, normals, uvs = (np.concatenate(c).astype(np.float32) for c in columns)
        triangles = np.concatenate([np.zeros((0, 3), np.int64), *self._triangles]).astype(np.int32)
        part = np.concatenate([np.zeros(0, np.int64), *self._part]).astype(np.int32)
        instance = np.array([p.instance for p in self._parts] or [0], np.int32)[part] if len(part) else part
        sound = ~_helpers(positions[triangles], instance)
        return Pack(
            scene=name,
            positions=positions,
            normals=normals,
            uvs=uvs,
            triangles=triangles[sound],
            part=part[sound],
            parts=tuple(self._parts),
            materials=tuple(with_textures(s, numbers) for s in self._surfaces) or (PackMaterial(),),
            instances=tuple(self._instances),
            textures=textures,
            missing=tuple(PackMissing(*key, count) for key, count in sorted(self._missing.items())),
            source=source,
        )

    def _textures(self) -> tuple[tuple[PackTexture, ...], dict[tuple[str, bool], int]]:
        wanted: dict[tuple[str, bool], None] = {}
        for surface in self._surfaces:
            wanted[surface.texture, surface.material.mode != "opaque"] = None
            wanted[surface.emission_texture, False] = None
        made: list[PackTexture] = []
        numbers: dict[tuple[str, bool], int] = {}
        for guid, with_alpha in wanted:
            data = self.assets.textures.encoded(guid, with_alpha) if guid else None
            if data is not None:
                numbers[guid, with_alpha] = len(made)
                made.append(PackTexture(self.assets.textures.name(guid), data))
        return tuple(made), numbers


def _helpers(corners: NDArray[np.float32], instance: NDArray[np.int32]) -> NDArray[np.bool_]:
    """(T,) which triangles of an object are a model's helpers: tiny, and away from all that is not."""
    helper = np.zeros(len(corners), np.bool_)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    tiny = area <= _HELPER_M2
    for k in np.unique(instance[tiny & (instance > 0)]).tolist():
        own = instance == k
        large = corners[own & ~tiny].reshape(-1, 3)
        if len(large):
            middle = corners.mean(axis=1)
            low, high = large.min(axis=0) - _HELPER_AWAY_M, large.max(axis=0) + _HELPER_AWAY_M
            helper |= own & tiny & ((middle < low) | (middle > high)).any(axis=1)
    return helper
