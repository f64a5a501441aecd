"""FBX files as Unity sees them: ids, scales, axes, polygons; and files that lie."""

import struct
import zlib

import numpy as np
import pytest
from fbx_file import HEAD, Shape, array, fbx, node, whole
from hypothesis import given, settings
from hypothesis import strategies as st

from saom_scenes.unity import UnityError
from saom_scenes.unity.fbx import parse_fbx
from saom_scenes.unity.meshes import Mesh
from saom_scenes.unity.models import hashed_id, read_model, read_obj_model
from saom_scenes.unity.primitives import primitive

SQUARE = [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (1.0, 1.0, 0.0), (0.0, 1.0, 0.0)]
OLD = "ModelImporter:\n  fileIDToRecycleName:\n    4300000: door\n    4300002: door 1\n  meshes:\n    globalScale: 1\n"
NEW = (
    "ModelImporter:\n  internalIDToNameTable:\n  - first:\n      1: 4300000\n    second: other\n"
    "  - first:\n      43: 4300000\n    second: door\n  meshes:\n    globalScale: 100\n"
)


def shape(name: str = "door", at: float = 0.0, **more: object) -> Shape:
    return Shape(name, [(x + at, y, z) for x, y, z in SQUARE], [(0, 1, 2, 3)], **more)  # type: ignore[arg-type]


def mesh_of(shapes: list[Shape], file_id: int = 4300000, text: str = NEW, **more: float) -> Mesh:
    mesh = read_model("things.fbx", fbx(shapes, **more), text).mesh(file_id)
    assert mesh is not None
    return mesh


def area(mesh: Mesh) -> np.ndarray:
    """(T, 3) cross products, half of which are the triangles' areas by direction."""
    p = mesh.positions[mesh.triangles]
    return np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])


def test_ids_that_no_settings_list_are_unitys_own_hash() -> None:
    # Ids that Unity itself gave these names.
    assert hashed_id("Mesh", "Candy.001") == 812695599402130866
    assert hashed_id("Mesh", "obj_screw_new") == -1351841031486281740
    assert hashed_id("GameObject", "//RootNode/root") == 919132149155446097
    model = read_model(
        "x.fbx",
        fbx([shape("a", 0), shape("b", 10), shape("b", 20)]),
        "ModelImporter:\n  meshes:\n    globalScale: 100\n",
    )
    places = [model.mesh(hashed_id("Mesh", name, k)) for name, k in (("a", 0), ("b", 0), ("b", 1))]
    assert [round(float(m.positions[:, 0].max())) if m else None for m in places] == [0, -10, -20]
    assert model.mesh(4300000) is None


@pytest.mark.parametrize(("text", "file_id", "side"), [(OLD, 4300000, 0), (OLD, 4300002, 10), (NEW, 4300000, 0)])
def test_ids_by_both_of_unitys_tables(text: str, file_id: int, side: float) -> None:
    mesh = mesh_of([shape("ns:door"), shape("ns:door", 10)], file_id, text, unit_cm=100.0 if text is OLD else 1.0)
    assert -mesh.positions[:, 0].max() == pytest.approx(side)


@pytest.mark.parametrize(
    ("text", "unit", "metres"),
    [
        ("  meshes:\n    globalScale: 1\n    useFileScale: 1\n", 2.54, 0.0254),
        ("  meshes:\n    globalScale: 0.5\n    useFileScale: 0\n", 2.54, 0.5),
        ("  meshes:\n    globalScale: 3\n", 1.0, 0.03),
    ],
)
def test_the_scale_is_the_files_unit_times_the_settings(text: str, unit: float, metres: float) -> None:
    mesh = mesh_of([shape()], 4300000, f"ModelImporter:\n{text}", unit_cm=unit)
    assert np.ptp(mesh.positions, axis=0) == pytest.approx([metres, metres, 0])


def test_x_is_mirrored_and_the_front_stays_the_front() -> None:
    mesh = mesh_of([shape()])
    assert mesh.positions.min(axis=0) == pytest.approx([-1, 0, 0])
    assert mesh.normals == pytest.approx(np.array([[0, 0, 1]] * 4))
    assert area(mesh) == pytest.approx(np.array([[0, 0, 1]] * 2))


def test_pivots_and_geometric_transforms_move_points_and_turn_normals() -> None:
    turned = {"GeometricRotation": (0.0, 90.0, 0.0), "GeometricScaling": (1.0, 2.0, -1.0)}
    mesh = mesh_of([shape(properties={**turned, "RotationPivot": (0.0, 1.0, 0.0)})])
    # Pivot: y from -1 to 0; doubled: -2 to 0. About y by 90 degrees: x becomes -z. Mirroring z turns it inside out.
    assert mesh.positions.min(axis=0) == pytest.approx([0, -2, -1], abs=1e-9)
    assert mesh.positions.max(axis=0) == pytest.approx([0, 0, 0], abs=1e-9)
    assert (np.einsum("ij,ij->i", area(mesh), mesh.normals[mesh.triangles].sum(axis=1)) > 0).all()


def test_polygons_of_every_kind_become_triangles_of_the_same_area() -> None:
    arrow = [(0, 0, 0), (4, 0, 0), (4, 4, 0), (2, 1, 0), (0, 4, 0)]  # concave at (2, 1)
    kite = [(0, 0, 0), (2, -1, 0), (1, 0, 0), (2, 1, 0)]  # only one diagonal lies within
    for points in (arrow, kite, arrow[::-1]):
        polygon = tuple(range(len(points)))
        mesh = mesh_of([Shape("door", points, [polygon, (0, 1)])])
        x, y = np.array(points, float)[:, 0], np.array(points, float)[:, 1]
        signed = (x * np.roll(y, -1) - np.roll(x, -1) * y).sum()
        assert len(mesh.triangles) == len(points) - 2
        assert area(mesh)[:, 2].sum() == pytest.approx(signed)
        assert (np.sign(area(mesh)[:, 2]) == np.sign(signed)).all()


def test_slots_that_no_polygon_uses_are_left_out() -> None:
    two = [p for z in (0.0, 1.0) for p in [(x, y, z) for x, y, _ in SQUARE]]
    mesh = mesh_of([Shape("door", two, [(0, 1, 2, 3), (4, 5, 6)], slots=[1, 4])])
    assert sorted(mesh.submesh.tolist()) == [0, 0, 1]


@pytest.mark.parametrize("file_id", [10202, 10206, 10207, 10208, 10209, 10210])
def test_builtin_meshes_face_outward(file_id: int) -> None:
    mesh = primitive(file_id)
    assert mesh is not None
    along = np.einsum("ij,ij->i", area(mesh), mesh.normals[mesh.triangles].sum(axis=1))
    assert (along[np.linalg.norm(area(mesh), axis=1) > 1e-9] > 0).all()
    tall = {10206: 2.0, 10208: 2.0, 10209: 0.0}.get(file_id, 1.0)
    assert np.ptp(mesh.positions[:, 1]) == pytest.approx(tall)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"<html>no such file</html>", "no FBX file"),
        (b"; FBX 7.3.0 project file\nObjects: {\n", "ends in the middle|no objects|do not match"),
        (b"; FBX 7.3.0\n" + b"A: {\n" * 200, "braces do not match"),
        (b"; FBX 6.1\nFBXHeaderExtension: {\n FBXVersion: 6100\n}\n", "version 6.1; 7.0 and later"),
        (HEAD, "damaged"),
        (fbx([shape()])[:400], "damaged"),
        (whole([node("Objects", [], [node("Geometry", [array(np.zeros(3))])])]), "damaged"),
        (whole([node("Objects", [b"d" + struct.pack("<III", 1 << 30, 1, 8) + bytes(8)])]), "damaged"),
        # A thousandth of its size: nothing beyond what it says is unpacked.
        (whole([node("Objects", [b"i" + struct.pack("<III", 2, 1, 97) + zlib.compress(bytes(90_000))])]), "damaged"),
    ],
    ids=[
        "a page",
        "an open brace",
        "many open braces",
        "an old one",
        "empty",
        "cut",
        "numbers for an id",
        "a huge array",
        "a bomb",
    ],
)
def test_files_that_are_none_are_refused_in_one_line(data: bytes, says: str) -> None:
    with pytest.raises(UnityError, match=says) as caught:
        read_model("Models/x.fbx", data, "")
    assert str(caught.value).startswith("Models/x.fbx")
    assert "\n" not in str(caught.value)


def test_a_thousand_nodes_in_each_other_are_refused() -> None:
    deep = node("X")
    for _ in range(300):
        deep = node("X", [], [deep])
    with pytest.raises(UnityError, match="damaged"):
        parse_fbx(whole([deep]), "deep.fbx")


def test_a_node_that_reaches_beyond_the_one_it_is_in_is_refused() -> None:
    data = bytearray(whole([node("A", [], [node("B", [1])]), node("C", [2])]))
    child, after = len(HEAD) + 14, data.index(b"C", len(HEAD))
    assert parse_fbx(bytes(data), "sound.fbx")
    struct.pack_into("<I", data, child, after)
    with pytest.raises(UnityError, match="damaged"):
        parse_fbx(bytes(data), "crafted.fbx")


TEXT = """; FBX 7.3.0 project file
FBXHeaderExtension:  {
	FBXVersion: 7300
}
GlobalSettings:  {
	Properties70:  {
		P: "UnitScaleFactor", "double", "Number", "",2.54
	}
}
Objects:  {
	Geometry: 10, "Geometry::", "Mesh" {
		Vertices: *12 {
			a: 0,0,0,1,0,0,1,1e0,0,
0,1,0
		}
		PolygonVertexIndex: *4 {
			a: 0,1,2,-4
		}
		LayerElementUV: 0 {
			MappingInformationType: "ByPolygonVertex"
			ReferenceInformationType: "Direct"
			UV: *8 {
				a: 0,0,1,0,1,1,0,1
			}
		}
	}
	Model: 20, "Model::door", "Mesh" {
		Shading: Y
	}
}
Connections:  {
	;Geometry::, Model::door
	C: "OO",10,20
}
"""


def test_text_files_say_the_same_as_binary_ones() -> None:
    mesh = read_model("x.fbx", TEXT.encode(), NEW).mesh(4300000)
    same = mesh_of([shape(uvs=[(0, 0), (1, 0), (1, 1), (0, 1)])], unit_cm=2.54)
    assert mesh is not None
    for name in ("positions", "normals", "uvs", "triangles"):
        assert np.allclose(getattr(mesh, name), getattr(same, name)), name


OBJ = """# a square in its first group, a triangle in the second that counts backwards
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
vt 0 0
vt 1 1
vn 0 0 2
g door
usemtl oak
f 1/1/1 2/1/1 3/2/1 4/1/1
usemtl glass
f 1//1 3//1 \\
  4//1
g other
v 5 0 0
f -1 -5 -2
"""


def test_obj_files_by_group_with_a_slot_for_each_material() -> None:
    model = read_obj_model("x.obj", OBJ.encode(), NEW.replace("globalScale: 100", "globalScale: 2"))
    door, other = model.mesh(4300000), model.mesh(hashed_id("Mesh", "other"))
    assert door is not None
    assert other is not None
    assert sorted(door.submesh.tolist()) == [0, 0, 1]
    assert np.ptp(door.positions, axis=0) == pytest.approx([2, 2, 0])
    assert door.positions[:, 0].min() == -2
    assert (area(door)[:, 2] > 0).all()
    assert door.normals == pytest.approx(np.tile([0, 0, 1], (len(door.normals), 1)))
    assert other.positions[:, 0].min() == -10
    for damage in ("f 1 2 9\n", "f 1 x 2\n", "v 1 2\nf 1 2 3\n"):
        with pytest.raises(UnityError, match=r"x\.obj is a damaged OBJ file"):
            read_obj_model("x.obj", (OBJ + damage).encode(), "")


@given(st.integers(0, 100_000), st.integers(0, 255), st.integers(0, 100_000))
@settings(max_examples=150, deadline=None)
def test_a_changed_byte_is_an_error_or_a_mesh(place: int, value: int, cut: int) -> None:
    data = bytearray(fbx([shape(slots=[0], uvs=[(0, 0)] * 4, normals=[(0, 0, 1)] * 4)]))
    data[place % len(data)] = value
    if cut % 3 == 0:
        del data[cut % len(data) :]
    with np.errstate(all="ignore"):
        try:
            mesh = read_model("x.fbx", bytes(data), "").mesh(hashed_id("Mesh", "door"))
        except UnityError:
            return
    assert mesh is None or (mesh.triangles < len(mesh.positions)).all()
