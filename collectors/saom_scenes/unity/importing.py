"""Scenes of a Unity project into a folder of packs, one after another; what is there and whole is left as it is."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from saom_scenes.packs import Pack, PackError, read_pack, write_pack
from saom_scenes.packs.folder import SUFFIX
from saom_scenes.unity.assemble import scene_pack
from saom_scenes.unity.assets import Assets
from saom_scenes.unity.project import NotFetched, UnityError

IMPORTER = "saom-scenes 1"
"""Counts up when the same project gives other packs."""
_LICENSE = "that of the project; AI2-THOR's: Apache-2.0, Copyright Allen Institute for AI"


@dataclass(frozen=True)
class Imported:
    """What became of one scene."""

    scene: str
    error: str = ""
    kept: bool = False
    """Its pack was there already."""
    triangles: int = 0
    objects: int = 0
    size_bytes: int = 0
    missing: Mapping[str, int] | None = None
    """Objects that lack meshes, by type."""


def import_scenes(assets: Assets, scenes: Mapping[str, Path], out: Path, redo: bool = False) -> Iterator[Imported]:
    """Write the packs that ``out`` still lacks; one outcome a scene.

    Args:
        redo: make packs anew that are there already.

    Raises NotFetched for files that Git LFS has not fetched, PackError where a pack cannot be written. What was
    written until then is whole, and the next call goes on from there.
    """
    for name, path in scenes.items():
        target = out / f"{name}{SUFFIX}"
        try:
            source = source_of(assets, path)
            pack = None if redo else _whole(target, source)
            kept = pack is not None
            if pack is None:
                pack = scene_pack(name, assets.prefabs.scene(path), assets, source)
        except NotFetched:
            raise
        except UnityError as error:
            yield Imported(name, error=str(error))
            continue
        if not kept:
            write_pack(target, pack)
        yield _outcome(pack, target, kept)


def source_of(assets: Assets, path: Path) -> dict[str, str]:
    """What a scene's pack says of where it is from. Raises UnityError when the scene file cannot be read."""
    content = assets.project.bytes_of(path)
    if content is None:
        raise UnityError(f"{path} is not there any more")
    return {
        "project": "Unity project of AI2-THOR",
        "unity": assets.project.unity_version(),
        "file": assets.project.name(path),
        "file_sha256": hashlib.sha256(content).hexdigest(),
        "importer": IMPORTER,
        "texture_px": str(assets.textures.side_px),
        "license": _LICENSE,
    }


def _whole(target: Path, source: dict[str, str]) -> Pack | None:
    """The pack that is there, if it is whole and made of the same scene in the same way."""
    if not target.exists():
        return None
    try:
        pack = read_pack(target)
    except PackError:
        return None
    return pack if pack.source == source else None


def _outcome(pack: Pack, target: Path, kept: bool) -> Imported:
    lacking = Counter(i.object_type for i in pack.instances[1:] if i.missing)
    lacking.update(m.object_type for m in pack.missing if not m.object_name)
    return Imported(
        pack.scene,
        kept=kept,
        triangles=len(pack.triangles),
        objects=len(pack.instances) - 1,
        size_bytes=target.stat().st_size,
        missing=dict(lacking),
    )
