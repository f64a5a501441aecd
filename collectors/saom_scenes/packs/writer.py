"""Writes packs: the same scene gives the same bytes, and a file is there whole or not at all."""

import hashlib
import io
import json
import os
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saom_scenes.packs.model import Pack, PackError, check

FORMAT = "saom-scene-pack"
VERSION = 1
_EPOCH = (1980, 1, 1, 0, 0, 0)
_SIGNATURES = {b"\xff\xd8\xff": "jpg", b"\x89PNG": "png", b"RIFF": "webp"}


def write_pack(path: Path, pack: Pack) -> None:
    """Write a pack, replacing a file of that name. Raises PackError for one that could not be read back."""
    check(pack, str(path))
    members = [("head.json", _json({**_head(pack), "content_sha256": content_sha256(pack)}))]
    members += [(f"{name}.npy", _npy(array)) for name, array in _arrays(pack).items()]
    members += [(_texture_file(k, t.data), t.data) for k, t in enumerate(pack.textures)]
    partial = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
            for name, data in members:
                stored = name.startswith("textures/")
                info = zipfile.ZipInfo(name, _EPOCH)
                # Else the bytes would depend on the system that writes.
                info.create_system, info.external_attr = 3, 0o644 << 16
                file.writestr(info, data, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED, 6)
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise PackError(f"{path}: it cannot be written ({error.strerror or error})") from error


def content_sha256(pack: Pack) -> str:
    """The hash of all that a pack shows: its head without this hash, its arrays as stored, its pictures."""
    digest = hashlib.sha256(_json(_head(pack)))
    for name, array in _arrays(pack).items():
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    for texture in pack.textures:
        digest.update(hashlib.sha256(texture.data).digest())
    return digest.hexdigest()


def _arrays(pack: Pack) -> dict[str, NDArray[Any]]:
    return {
        "positions": pack.positions.astype("<f4", copy=False),
        "normals": np.round(np.clip(pack.normals, -1, 1) * np.float32(127)).astype("i1"),
        "uvs": pack.uvs.astype("<f4", copy=False),
        "triangles": pack.triangles.astype("<i4", copy=False),
        "part": pack.part.astype("<i4", copy=False),
    }


def _head(pack: Pack) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "scene": pack.scene,
        "source": pack.source,
        "materials": [asdict(m) for m in pack.materials],
        "textures": [{"file": _texture_file(k, t.data), "name": t.name} for k, t in enumerate(pack.textures)],
        "instances": [
            {
                "name": i.name,
                "type": i.object_type,
                "id": i.object_id,
                "position": i.position,
                "missing": i.missing,
                "substitute": i.substitute,
            }
            for i in pack.instances
        ],
        "parts": [asdict(p) for p in pack.parts],
        "lights": [asdict(light) for light in pack.lights],
        "ambient": asdict(pack.ambient),
        "missing": [
            {"object": m.object_name, "type": m.object_type, "mesh": m.mesh, "count": m.count} for m in pack.missing
        ],
    }


def _texture_file(number: int, data: bytes) -> str:
    for signature, suffix in _SIGNATURES.items():
        if data.startswith(signature):
            return f"textures/{number:03d}.{suffix}"
    raise PackError(f"texture {number} is neither JPEG, PNG nor WebP")


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _npy(array: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
    return stream.getvalue()
