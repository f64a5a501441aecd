"""A small synthetic Unity project in AI2-THOR's layout, for tests: nested prefabs, FBX models, a texture, lights.

What is where is worked out by hand in the tests that use it (test_unity_import.py).
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from fbx_file import Shape, fbx
from PIL import Image

SCENE = "FloorPlan901"
BUILTIN = "0000000000000000e000000000000000"
CUBE, PLANE = 10202, 10209
ROOT_HALF = 0.70710678
TURNED_90 = (0.0, ROOT_HALF, 0.0, ROOT_HALF)
LOOKING_DOWN = (ROOT_HALF, 0.0, 0.0, ROOT_HALF)
TYPES = "Undefined = 0, Mug = 24, DiningTable = 26, // tables\n Painting = 48, Fridge = 18, Floor = 159"
BANNER_ID = 4095698799932796643
"""What Unity calls a mesh "banner" that no settings list; see test_unity_models.py."""

# A flag of 1 m by 2 m in cm, seen from +z; in Unity's frame it reaches to -x.
FLAG = Shape(
    "flag",
    [(0, 0, 0), (100, 0, 0), (100, 200, 0), (0, 200, 0)],
    [(0, 1, 2, 3)],
    uvs=[(0, 0), (1, 0), (1, 1), (0, 1)],
    normals=[(0, 0, 1)] * 4,
)
# Two plates of 1 m, one at the floor and one 50 cm above it, of the first and the third of three materials.
PLATES = Shape(
    "plates",
    [(x, y, z) for y in (0, 50) for x, z in ((0, 0), (0, 100), (100, 100), (100, 0))],
    [(0, 1, 2, 3), (4, 5, 6, 7)],
    slots=[0, 2],
)
BANNER = Shape("banner", FLAG.points, FLAG.polygons, FLAG.uvs)


def guid(name: str) -> str:
    """The guid of a file of the project."""
    return hashlib.md5(name.encode()).hexdigest()


class Project:
    """Writes files with their .meta files."""

    def __init__(self, folder: Path) -> None:
        self.assets = folder / "unity" / "Assets"

    def put(self, name: str, content: str | bytes, settings: str = "") -> Path:
        """Write a file below Assets, and its .meta file."""
        path = self.assets / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.with_name(path.name + ".meta").write_text(f"fileFormatVersion: 2\nguid: {guid(name)}\n{settings}")
        return path


def build(folder: Path) -> Project:
    """The whole project; a scene of it is FloorPlan901."""
    project = Project(folder)
    project.put("Scripts/SimObjPhysics.cs", "class SimObjPhysics {}")
    project.put("Scripts/SimObjType.cs", f"public enum SimObjType : int {{\n {TYPES},\n}}\n")
    table = "  fileIDToRecycleName:\n    4300000: flag\n    4300002: plates\n    100000: //RootNode\n"
    scale = "  meshes:\n    globalScale: {}\n    useFileScale: {}\n"
    project.put("Models/things.fbx", fbx([FLAG, PLATES]), f"ModelImporter:\n{table}{scale.format(1, 1)}")
    banner = f"ModelImporter:\n  internalIDToNameTable: []\n{scale.format(0.005, 0)}"
    project.put("Models/banner.fbx", fbx([BANNER], unit_cm=2.54), banner)
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, :32], picture[:, 32:] = (220, 20, 20), (20, 200, 20)
    path = project.put("Textures/halves.png", b"")
    Image.fromarray(picture).save(path)
    project.put("Materials/Halves.mat", material("Halves", texture="Textures/halves.png"))
    project.put("Materials/Blue.mat", material("Blue", color=(0.1, 0.2, 0.9, 1.0)))
    project.put("Materials/Green.mat", material("Green", color=(0.1, 0.8, 0.2, 1.0)))
    project.put("Materials/Glass.mat", material("Glass", color=(0.9, 0.9, 0.9, 0.3), mode=3))
    project.put("Materials/Stencil.mat", material("StencilMask"))
    project.put("Prefabs/Leg.prefab", leg_prefab())
    project.put("Prefabs/Table.prefab", table_prefab())
    project.put(f"Scenes/{SCENE}_physics.unity", scene())
    version = project.assets.parent / "ProjectSettings" / "ProjectVersion.txt"
    version.parent.mkdir(parents=True)
    version.write_text("m_EditorVersion: 2020.3.18f1\n")
    return project


def leg_prefab() -> str:
    """A root, and a cube of 0.1 x 0.7 x 0.1 m that stands on it."""
    return text(
        game(1, "Leg"),
        transform(2, 1),
        game(3, "post"),
        transform(4, 3, 2, (0, 0.35, 0), scale=(0.1, 0.7, 0.1)),
        mesh_filter(5, 3, CUBE, BUILTIN),
        renderer(6, 3, ["Materials/Blue.mat"]),
    )


def table_prefab() -> str:
    """A table whose top is the upper plate (1 m x 1 m at 0.5 m); a leg by a nested prefab, 0.25 m to the right."""
    return text(
        game(11, "Table"),
        transform(12, 11),
        script(13, 11, 26),
        game(14, "top"),
        transform(15, 14, 12),
        mesh_filter(16, 14, 4300002, guid("Models/things.fbx")),
        renderer(17, 14, ["Materials/Stencil.mat", "Materials/Green.mat"], casts=2),
        instance(1810000, "Prefabs/Leg.prefab", 12, [(2, "m_LocalPosition.x", "0.25"), (1, "m_Name", "leg one")]),
        # How Unity says that this file speaks of an object inside the instance.
        stripped(19, 4, "Prefabs/Leg.prefab", 1810000),
        game(20, "foot"),
        transform(21, 20, 19, (0, -0.5, 0), scale=(2, 0.02, 2)),
        mesh_filter(22, 20, CUBE, BUILTIN),
        renderer(23, 20, ["Materials/Blue.mat"]),
    )


def scene() -> str:
    """The room: see the tests for where everything is."""
    things, banner = guid("Models/things.fbx"), guid("Models/banner.fbx")
    table = "Prefabs/Table.prefab"
    walls = []
    for k, (x, z, sx, sz) in enumerate(((0, 3, 6, 0.1), (0, -3, 6, 0.1), (3, 0, 0.1, 6), (-3, 0, 0.1, 6))):
        at = 200 + 10 * k
        walls += [game(at, f"Wall{k}"), transform(at + 1, at, 0, (x, 1.25, z), scale=(sx, 2.5, sz))]
        walls += [mesh_filter(at + 2, at, CUBE, BUILTIN), renderer(at + 3, at, ["Materials/White.mat"])]
    return text(
        "--- !u!104 &9\nRenderSettings:\n  m_AmbientSkyColor: {r: 0.4, g: 0.5, b: 0.6, a: 1}\n"
        "  m_AmbientEquatorColor: {r: 0.3, g: 0.3, b: 0.3, a: 1}\n"
        "  m_AmbientGroundColor: {r: 0.1, g: 0.1, b: 0.1, a: 1}\n  m_AmbientMode: 1\n",
        game(100, "Floor"),
        transform(101, 100, scale=(0.6, 1, 0.6)),
        script(102, 100, 159),
        mesh_filter(103, 100, PLANE, BUILTIN),
        renderer(104, 100, [""]),
        game(110, "Painting_1a2b"),
        transform(111, 110, 0, (1, 1, 1), TURNED_90),
        script(112, 110, 48),
        mesh_filter(113, 110, 4300000, things),
        renderer(114, 110, ["Materials/Halves.mat"]),
        game(120, "Painting_mirrored"),
        transform(121, 120, 0, (0, 0.25, -1), scale=(-1, 0.5, 1)),
        script(122, 120, 48),
        mesh_filter(123, 120, BANNER_ID, banner),
        renderer(124, 120, ["Materials/Halves.mat"]),
        # A table, twice as large, mirrored along z; its leg's post is green here, and hidden in the second one.
        instance(
            1300000,
            table,
            0,
            [
                (12, "m_LocalPosition.x", "-1"),
                (12, "m_LocalPosition.z", "1"),
                *((12, f"m_LocalScale.{k}", v) for k, v in zip("xyz", ("2", "2", "-2"), strict=True)),
                (11, "m_Name", "Table_of_the_scene"),
                (1810000 ^ 6, "m_Materials.Array.data[0]", "", "Materials/Green.mat"),
            ],
        ),
        instance(1400000, table, 0, [(12, "m_LocalPosition.y", "-9"), (11, "m_IsActive", "0")]),
        stripped(150, 12, table, 1300000),
        game(160, "Mug_on_table"),
        transform(161, 160, 150, (-0.25, 0.55, 0.125), scale=(0.05, 0.05, 0.05)),
        script(162, 160, 24),
        mesh_filter(163, 160, CUBE, BUILTIN),
        renderer(164, 160, ["Materials/Blue.mat"]),
        game(170, "Fridge_lost"),
        transform(171, 170, 0, (2, 0, -2)),
        script(172, 170, 18),
        mesh_filter(173, 170, 4300000, guid("Models/nowhere.fbx")),
        renderer(174, 170, ["Materials/Glass.mat"]),
        game(180, "Lamp"),
        transform(181, 180, 0, (0, 2.2, 0)),
        light(182, 180, 2, 1.5),
        game(190, "Sun"),
        transform(191, 190, 0, (0, 5, 0), LOOKING_DOWN),
        light(192, 190, 1, 0.8),
        game(195, "FPSController"),
        transform(196, 195),
        mesh_filter(197, 195, CUBE, BUILTIN),
        renderer(198, 195, ["Materials/Blue.mat"]),
        *walls,
    )


def text(*documents: str) -> str:
    return "%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n" + "".join(documents)


def game(k: int, name: str, active: int = 1, layer: int = 0) -> str:
    return f"--- !u!1 &{k}\nGameObject:\n  m_Layer: {layer}\n  m_Name: {name}\n  m_IsActive: {active}\n"


def transform(
    k: int,
    owner: int,
    father: int = 0,
    position: Sequence[float] = (0, 0, 0),
    rotation: Sequence[float] = (0, 0, 0, 1),
    scale: Sequence[float] = (1, 1, 1),
) -> str:
    def flow(names: str, values: Sequence[float]) -> str:
        return "{" + ", ".join(f"{n}: {v:g}" for n, v in zip(names, values, strict=True)) + "}"

    turn = "{" + ", ".join(f"{n}: {v:.8f}" for n, v in zip("xyzw", rotation, strict=True)) + "}"
    return (
        f"--- !u!4 &{k}\nTransform:\n  m_GameObject: {{fileID: {owner}}}\n  m_LocalRotation: {turn}\n"
        f"  m_LocalPosition: {flow('xyz', position)}\n  m_LocalScale: {flow('xyz', scale)}\n"
        f"  m_Children: []\n  m_Father: {{fileID: {father}}}\n"
    )


def mesh_filter(k: int, owner: int, mesh: int, source: str) -> str:
    link = f"{{fileID: {mesh}, guid: {source}, type: 3}}"
    return f"--- !u!33 &{k}\nMeshFilter:\n  m_GameObject: {{fileID: {owner}}}\n  m_Mesh: {link}\n"


def renderer(k: int, owner: int, materials: Sequence[str], casts: int = 1) -> str:
    listed = "".join(
        f"  - {{fileID: 2100000, guid: {guid(m)}, type: 2}}\n" if m else "  - {fileID: 0}\n" for m in materials
    )
    return (
        f"--- !u!23 &{k}\nMeshRenderer:\n  m_GameObject: {{fileID: {owner}}}\n  m_Enabled: 1\n"
        f"  m_CastShadows: {casts}\n  m_Materials:\n{listed}  m_StaticBatchInfo:\n    firstSubMesh: 0\n"
    )


def script(k: int, owner: int, kind: int) -> str:
    return (
        f"--- !u!114 &{k}\nMonoBehaviour:\n  m_GameObject: {{fileID: {owner}}}\n"
        f"  m_Script: {{fileID: 11500000, guid: {guid('Scripts/SimObjPhysics.cs')}, type: 3}}\n  Type: {kind}\n"
    )


def light(k: int, owner: int, kind: int, intensity: float) -> str:
    return (
        f"--- !u!108 &{k}\nLight:\n  m_GameObject: {{fileID: {owner}}}\n  m_Enabled: 1\n  m_Type: {kind}\n"
        f"  m_Color: {{r: 1, g: 0.9, b: 0.8, a: 1}}\n  m_Intensity: {intensity}\n  m_Range: 6\n  m_SpotAngle: 30\n"
        "  m_Shadows:\n    m_Type: 2\n"
    )


def instance(k: int, prefab: str, parent: int, changes: Sequence[tuple[object, ...]]) -> str:
    """A prefab instance; changes are (id, property, value) or (id, property, value, a file to refer to)."""
    lines = []
    for target, path, value, *more in changes:
        link = f"{{fileID: 2100000, guid: {guid(str(more[0]))}, type: 2}}" if more else "{fileID: 0}"
        lines.append(
            f"    - target: {{fileID: {target}, guid: {guid(prefab)}, type: 3}}\n      propertyPath: {path}\n"
            f"      value: {value}\n      objectReference: {link}\n"
        )
    return (
        f"--- !u!1001 &{k}\nPrefabInstance:\n  serializedVersion: 2\n  m_Modification:\n"
        f"    m_TransformParent: {{fileID: {parent}}}\n    m_Modifications:\n{''.join(lines)}"
        f"    m_RemovedComponents: []\n  m_SourcePrefab: {{fileID: 100100000, guid: {guid(prefab)}, type: 3}}\n"
    )


def camera(k: int, bits: int, enabled: int = 1) -> str:
    return (
        f"--- !u!20 &{k}\nCamera:\n  m_Enabled: {enabled}\n  m_CullingMask:\n    serializedVersion: 2\n"
        f"    m_Bits: {bits}\n"
    )


def stripped(k: int, source: int, prefab: str, holder: int) -> str:
    """A transform that stands for one inside a prefab instance; Unity breaks the long line."""
    link = f"{{fileID: {source}, guid: {guid(prefab)},\n    type: 3}}"
    return (
        f"--- !u!4 &{k} stripped\nTransform:\n  m_CorrespondingSourceObject: {link}\n"
        f"  m_PrefabInstance: {{fileID: {holder}}}\n  m_PrefabAsset: {{fileID: 0}}\n"
    )


def material(
    name: str, color: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0), texture: str = "", mode: int = 0, keywords: str = ""
) -> str:
    r, g, b, a = color
    link = f"{{fileID: 2800000, guid: {guid(texture)}, type: 3}}" if texture else "{fileID: 0}"
    place = "        m_Scale: {x: %s, y: 1}\n        m_Offset: {x: %s, y: 0}\n"
    return text(
        f"--- !u!21 &2100000\nMaterial:\n  m_Name: {name}\n"
        "  m_Shader: {fileID: 46, guid: 0000000000000000f000000000000000, type: 0}\n"
        f"  m_ShaderKeywords: {keywords}\n  m_SavedProperties:\n    serializedVersion: 3\n    m_TexEnvs:\n"
        f"    - _BumpMap:\n        m_Texture: {{fileID: 0}}\n{place % (1, 0)}"
        f"    - _MainTex:\n        m_Texture: {link}\n{place % (2, 0.5)}"
        f"    m_Floats:\n    - _Cutoff: 0.5\n    - _Glossiness: 0.25\n    - _Metallic: 0.125\n    - _Mode: {mode}\n"
        f"    m_Colors:\n    - _Color: {{r: {r}, g: {g}, b: {b}, a: {a}}}\n"
        "    - _EmissionColor: {r: 0, g: 0, b: 0, a: 1}\n"
    )
