"""Small scene packs for tests, sound and damaged."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saom_scenes.packs import (
    Pack,
    PackInstance,
    PackLight,
    PackMaterial,
    PackMissing,
    PackPart,
    PackTexture,
    write_pack,
    writer,
)


def picture(color: tuple[int, int, int] = (200, 30, 30), kind: str = "PNG") -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (8, 8), color).save(data, kind)
    return data.getvalue()


def sound_pack(scene: str = "FloorPlan901") -> Pack:
    """A floor of 4 m by 4 m, and a red plate 1 m above it that is an object; a lamp."""
    floor = [(-2, 0, -2), (-2, 0, 2), (2, 0, 2), (2, 0, -2)]
    plate = [(-0.5, 1, -0.5), (-0.5, 1, 0.5), (0.5, 1, 0.5), (0.5, 1, -0.5)]
    return Pack(
        scene=scene,
        positions=np.array(floor + plate, np.float32),
        normals=np.array([(0, 1, 0)] * 8, np.float32),
        uvs=np.zeros((8, 2), np.float32),
        triangles=np.array([(0, 1, 2), (0, 2, 3), (4, 5, 6), (4, 6, 7)], np.int32),
        part=np.array([0, 0, 1, 1], np.int32),
        parts=(PackPart("floor", 0, 0), PackPart("plate", 1, 1, "two-sided")),
        materials=(PackMaterial("grey", (0.6, 0.6, 0.6, 1.0)), PackMaterial("red", texture=0)),
        instances=(PackInstance(), PackInstance("Plate_1", "Plate", "Plate|+00.00|+01.00|+00.00", (0.0, 1.0, 0.0))),
        textures=(PackTexture("red.png", picture()),),
        lights=(PackLight("point", (1.0, 1.0, 1.0), 1.5, position=(0.0, 2.2, 0.0)),),
        missing=(PackMissing("Cup_1", "Cup", "Models/cup.fbx", 2),),
        source={"project": "a test"},
    )


def write_unsound(path: Path, **changes: object) -> Path:
    """A pack whose hash is right and whose content is not: the writer's own check is passed over."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "check", lambda pack, where: pack)
        write_pack(path, replace(sound_pack(path.stem), **changes))  # type: ignore[arg-type]
    return path


def with_member(path: Path, name: str, data: bytes) -> Path:
    """The pack with one member replaced, or added."""
    with zipfile.ZipFile(path) as file:
        members = {info.filename: file.read(info) for info in file.infolist()}
    members[name] = data
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for member, content in members.items():
            file.writestr(member, content)
    return path
