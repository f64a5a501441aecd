"""Packs of version 0: one flat set of arrays, textures in one blob, no parts; these are derived."""

import numpy as np
from numpy.typing import NDArray

from saom_scenes.packs.archive import Archive, parse_json
from saom_scenes.packs.fields import Fields
from saom_scenes.packs.model import (
    CASTS,
    LIGHT_KINDS,
    MODES,
    LightKind,
    Pack,
    PackAmbient,
    PackError,
    PackInstance,
    PackLight,
    PackMaterial,
    PackMissing,
    PackPart,
    PackTexture,
    check,
)
from saom_scenes.packs.parts import components

_KINDS: dict[int, LightKind] = {0: LIGHT_KINDS[1], 1: LIGHT_KINDS[2], 2: LIGHT_KINDS[0]}
_AMBIENT_SKYBOX, _AMBIENT_FLAT = 0, 3


def read(archive: Archive, scene: str) -> Pack:
    """The pack in an open archive. Raises PackError."""
    head = Fields(parse_json(archive.name, bytes(archive.array("head.npy", "u1", None))), archive.name)
    positions = archive.array("V.npy", "f4", 3)
    triangles = archive.array("F.npy", "i4", 3)
    materials = tuple(_material(f) for f in head.each("mats"))
    instances = tuple(_instance(f) for f in head.each("insts"))
    numbers = [archive.array(f"{name}.npy", "i2 i4 u1", None).astype(np.int32) for name in ("inst", "mat", "cs")]
    for name, values, count in zip(("inst", "mat", "cs"), numbers, (len(instances), len(materials), 256), strict=True):
        if values.shape != (len(triangles),) or (len(values) and not 0 <= values.min() <= values.max() < count):
            raise PackError(f"{archive.name}: {name} does not fit {len(triangles)} triangles and {count} entries")
    if len(triangles) and not 0 <= triangles.min() <= triangles.max() < len(positions):
        raise PackError(f"{archive.name}: its triangles name vertices that are not there")
    part, parts = _parts(positions, triangles, numbers, materials)
    pack = Pack(
        scene=scene,
        positions=positions,
        normals=archive.array("N.npy", "i1", 3).astype(np.float32) / np.float32(127),
        uvs=archive.array("UV.npy", "f4", 2),
        triangles=triangles,
        part=part,
        parts=parts,
        materials=materials,
        instances=instances,
        textures=_textures(archive, head),
        lights=tuple(_light(f) for f in head.each("lights") if f.whole("type") in _KINDS),
        ambient=_ambient(head.inner("ambient")),
        missing=tuple(_missing(archive.name, entry) for entry in head.list("unresolved")),
        version=0,
    )
    return check(pack, archive.name)


def _parts(
    positions: NDArray[np.float32],
    triangles: NDArray[np.int32],
    numbers: list[NDArray[np.int32]],
    materials: tuple[PackMaterial, ...],
) -> tuple[NDArray[np.int32], tuple[PackPart, ...]]:
    """Each triangle's part: one for every instance, material and connected component."""
    columns = np.stack(numbers, axis=1) if len(triangles) else np.zeros((0, 3), np.int32)
    groups, group = np.unique(columns, axis=0, return_inverse=True)
    component = components(positions, triangles, group.reshape(-1).astype(np.int32))
    first, part = np.unique(component, return_inverse=True)
    group_of = np.zeros(len(first), np.int64)
    group_of[part] = group.reshape(-1)
    counts: dict[tuple[int, int], int] = {}
    parts = []
    for instance, material, casts in groups[group_of].tolist():
        number = counts[instance, material] = counts.get((instance, material), 0) + 1
        name = materials[material].name or "piece"
        parts.append(PackPart(f"{name} {number}", instance, material, CASTS[min(casts, 2)]))
    return part.reshape(-1).astype(np.int32), tuple(parts)


def _material(f: Fields) -> PackMaterial:
    r, g, b, a = f.numbers("color", 4)
    across, up, right, above = f.numbers("st", 4)
    name, shader = f.text("name"), f.text("shader", "")
    return PackMaterial(
        name=name,
        color=(r, g, b, a),
        texture=f.whole("tex"),
        emission_texture=f.whole("etex"),
        scale=(across, up),
        offset=(right, above),
        metallic=f.number("metallic"),
        gloss=f.number("gloss"),
        emission=f.triple("emission"),
        mode=MODES[min(max(f.whole("mode"), 0), len(MODES) - 1)],
        cutoff=f.number("cutoff"),
        mirror="mirror" in shader.lower() or "mirror" in name.lower(),
    )


def _instance(f: Fields) -> PackInstance:
    return PackInstance(
        name=f.text("name"),
        object_type=f.text("objectType"),
        object_id=f.text("objectId"),
        position=f.triple("position", (0.0, 0.0, 0.0)),
        missing=f.whole("missing", 0),
        substitute=f.text("substitute", ""),
    )


def _light(f: Fields) -> PackLight:
    return PackLight(
        kind=_KINDS[f.whole("type")],
        color=f.triple("color"),
        intensity=f.number("intensity"),
        range_m=f.number("range"),
        spot_deg=f.number("spot"),
        shadows=f.number("shadows") > 0,
        position=f.triple("pos"),
        direction=f.triple("dir"),
        name=f.text("name", ""),
    )


def _ambient(f: Fields) -> PackAmbient:
    mode = f.whole("m_AmbientMode", 1)
    if mode == _AMBIENT_SKYBOX:
        return PackAmbient()
    sky = f.triple("m_AmbientSkyColor", PackAmbient.sky)
    if mode == _AMBIENT_FLAT:
        return PackAmbient(sky, sky, sky)
    equator, ground = (f.triple(f"m_Ambient{name}Color", sky) for name in ("Equator", "Ground"))
    return PackAmbient(sky, equator, ground)


def _textures(archive: Archive, head: Fields) -> tuple[PackTexture, ...]:
    blob = bytes(archive.array("tex.npy", "u1", None))
    ends = archive.array("texoff.npy", "i8", None)
    names = head.list("textures")
    sound = len(ends) == len(names) + 1 and ends[0] == 0 and ends[-1] == len(blob) and (np.diff(ends) > 0).all()
    if not sound:
        raise PackError(f"{archive.name}: its textures' offsets do not fit")
    return tuple(
        PackTexture(str(name), blob[start:end])
        for name, start, end in zip(names, ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    )


def _missing(where: str, entry: object) -> PackMissing:
    if not isinstance(entry, list) or len(entry) != 4 or not isinstance(entry[3], int):
        raise PackError(f"{where}: an entry of its unresolved meshes is not [object, type, mesh, count]")
    return PackMissing(str(entry[0]), str(entry[1]), str(entry[2]), entry[3])
