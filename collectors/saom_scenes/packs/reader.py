"""Reads a pack of any version into a checked `Pack`."""

import math
from pathlib import Path

import numpy as np

from saom_scenes.packs import legacy
from saom_scenes.packs.archive import Archive, opened
from saom_scenes.packs.fields import Fields
from saom_scenes.packs.model import (
    CASTS,
    LIGHT_KINDS,
    MODES,
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
from saom_scenes.packs.writer import FORMAT, VERSION, content_sha256


def read_pack(path: Path) -> Pack:
    """The pack in a file. Raises PackError: missing, damaged, hostile, of a later version."""
    with opened(path) as archive:
        if "head.json" in archive:
            return _version_1(archive)
        if "head.npy" in archive:
            return legacy.read(archive, path.stem)
        raise PackError(f"{path}: it has no head; it is no scene pack")


def _version_1(archive: Archive) -> Pack:
    values = archive.json("head.json")
    head = Fields(values, archive.name)
    if values.get("format") != FORMAT:
        raise PackError(f"{archive.name}: its format is {str(values.get('format'))[:60]!r}, not {FORMAT!r}")
    if values.get("version") != VERSION:
        raise PackError(
            f"{archive.name}: it is a pack of version {str(values.get('version'))[:20]}; this program reads up to "
            f"{VERSION}: update saom-bench, or import the scene again"
        )
    ambient = head.inner("ambient")
    pack = Pack(
        scene=head.text("scene"),
        positions=archive.array("positions.npy", "f4", 3),
        normals=archive.array("normals.npy", "i1", 3).astype(np.float32) / np.float32(127),
        uvs=archive.array("uvs.npy", "f4", 2),
        triangles=archive.array("triangles.npy", "i4", 3),
        part=archive.array("part.npy", "i4", None),
        parts=tuple(
            PackPart(f.text("name"), f.whole("instance"), f.whole("material"), f.choice("casts", CASTS))
            for f in head.each("parts")
        ),
        materials=tuple(_material(f) for f in head.each("materials")),
        instances=tuple(_instance(f) for f in head.each("instances")),
        textures=tuple(
            PackTexture(f.text("name"), archive.bytes_of(f.text("file"), 1 << 26)) for f in head.each("textures")
        ),
        lights=tuple(_light(f) for f in head.each("lights")),
        ambient=PackAmbient(ambient.triple("sky"), ambient.triple("equator"), ambient.triple("ground")),
        missing=tuple(
            PackMissing(f.text("object"), f.text("type"), f.text("mesh"), f.whole("count"))
            for f in head.each("missing")
        ),
        source=head.texts("source"),
    )
    if head.text("content_sha256") != content_sha256(pack):
        raise PackError(f"{archive.name}: its content is not what its hash says; it is damaged or was changed")
    return check(pack, archive.name)


def _material(f: Fields) -> PackMaterial:
    r, g, b, a = f.numbers("color", 4)
    return PackMaterial(
        name=f.text("name"),
        color=(r, g, b, a),
        texture=f.whole("texture"),
        emission_texture=f.whole("emission_texture"),
        scale=f.pair("scale"),
        offset=f.pair("offset"),
        metallic=f.number("metallic"),
        gloss=f.number("gloss"),
        emission=f.triple("emission"),
        mode=f.choice("mode", MODES),
        cutoff=f.number("cutoff"),
        mirror=f.truth("mirror"),
    )


def _instance(f: Fields) -> PackInstance:
    return PackInstance(
        f.text("name"), f.text("type"), f.text("id"), f.triple("position"), f.whole("missing"), f.text("substitute")
    )


def _light(f: Fields) -> PackLight:
    x, y, z = f.triple("direction")
    if math.hypot(x, y, z) < 1e-6:
        x, y, z = 0.0, -1.0, 0.0
    return PackLight(
        kind=f.choice("kind", LIGHT_KINDS),
        color=f.triple("color"),
        intensity=f.number("intensity"),
        range_m=f.number("range_m"),
        spot_deg=f.number("spot_deg"),
        shadows=f.truth("shadows"),
        position=f.triple("position"),
        direction=(x, y, z),
        name=f.text("name"),
    )
