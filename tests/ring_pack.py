"""The ring room as a scene pack: the same things as triangles of one mesh, each in a picture of its own colours."""

import io
from pathlib import Path

import numpy as np
from PIL import Image
from ring_room import room

from saom_player.packs.build import PackScenes
from saom_player.scene import Scene
from saom_scenes.packs import Pack, PackInstance, PackLight, PackMaterial, PackPart, PackTexture, write_pack

SCENE = "RingRoom"


def packed_room(folder: Path) -> Scene:
    """The room as the player draws it from its pack, which is written to ``folder``."""
    write_pack(folder / f"{SCENE}.npz", _pack())
    return PackScenes(folder).load(SCENE).scene


def _pack() -> Pack:
    """Instance 0 is the walls and the ceiling; the floor and the things have ids."""
    scene = room()
    floor = next(s for s in scene.structures if s.name == "Floor")
    others = [part for s in scene.structures if s.name != "Floor" for part in s.parts]
    owned = [others, list(floor.parts), *(list(o.parts) for o in scene.objects)]
    instances = [
        PackInstance(),
        PackInstance("Floor_1", "Floor", "Floor|+00.00|+00.00|+00.00"),
        *(PackInstance(o.name, o.object_type, o.object_id, o.position) for o in scene.objects),
    ]
    meshes = [(k, part.mesh) for k, parts in enumerate(owned) for part in parts]
    corners = np.concatenate([mesh.positions for _, mesh in meshes])
    return Pack(
        scene=SCENE,
        positions=corners.reshape(-1, 3),
        normals=np.concatenate([mesh.normals for _, mesh in meshes]).reshape(-1, 3),
        uvs=np.concatenate([mesh.uvs for _, mesh in meshes]).reshape(-1, 2),
        triangles=np.arange(3 * len(corners), dtype=np.int32).reshape(-1, 3),
        part=np.repeat(np.arange(len(meshes), dtype=np.int32), [len(mesh) for _, mesh in meshes]),
        parts=tuple(PackPart(f"part {n}", k, k) for n, (k, _) in enumerate(meshes)),
        materials=tuple(PackMaterial(f"material {k}", texture=k) for k in range(len(owned))),
        instances=tuple(instances),
        textures=tuple(PackTexture(f"picture {k}", _picture(k)) for k in range(len(owned))),
        lights=(PackLight("point", (1.0, 0.95, 0.9), 1.2, position=(0.0, 2.3, 0.0)),),
    )


def _picture(seed: int) -> bytes:
    """Soft spots round a colour, as PNG."""
    rng = np.random.default_rng(seed)
    spots = rng.integers(-30, 31, (6, 6, 3)) + rng.integers(60, 200, 3)
    image = Image.fromarray(np.clip(spots, 0, 255).astype(np.uint8)).resize((64, 64), Image.Resampling.BICUBIC)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()
