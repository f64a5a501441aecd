"""Faces in one plane, where ids are mixed: found by geometry where they are seen, and gone from the rooms."""

import numpy as np
import pytest

from saom_player.coplanar import Coplanar, coplanar_faces
from saom_player.physics.navigation import Navigation
from saom_player.rooms import layouts
from saom_player.rooms.layouts import load_scene
from saom_player.scene import Scene, Structure
from saom_player.shapes.blocks import block
from saom_player.shapes.mesh import Material, Mesh, Part

HERE = [(0.0, 0.9, -2.0)]
Corner = tuple[float, float, float]


def found(*things: Mesh) -> tuple[Coplanar, ...]:
    structures = tuple(Structure(f"Thing|{k}", (Part("part", mesh),)) for k, mesh in enumerate(things))
    return coplanar_faces(Scene("scene", (), structures), HERE)


def solid(low: Corner, high: Corner) -> Mesh:
    return block(low, high, Material())


def upright_sheet(z: float, toward: int, half: float = 0.2) -> Mesh:
    corners = np.array(
        [(-half, 0.8, z), (half, 0.8, z), (half, 0.8 + 2 * half, z), (-half, 0.8 + 2 * half, z)], np.float32
    )
    order = np.array([[0, 1, 2], [0, 2, 3]])[:, ::-toward]
    normals = np.broadcast_to(np.float32((0, 0, toward)), (2, 3, 3)).copy()
    return Mesh(corners[order], normals, np.zeros((2, 3, 2), np.float32), Material())


TABLE = solid((-0.5, 0.0, 0.0), (0.5, 0.7, 1.0))


def test_the_area_that_two_tops_share_is_measured() -> None:
    (pair,) = found(TABLE, solid((0.1, 0.3, -0.2), (0.9, 0.7, 0.3)))
    assert (pair.first, pair.second, pair.kinds) == ("Thing|0", "Thing|1", ("(Thing)", "(Thing)"))
    assert pair.area_m2 == pytest.approx(0.4 * 0.3, rel=0.15)
    assert np.allclose(pair.facing, (0, 1, 0))
    assert pair.at[1] == pytest.approx(0.7)
    assert 0.1 < pair.at[0] < 0.5
    assert 0.0 < pair.at[2] < 0.3


@pytest.mark.parametrize("apart", [-0.0005, 0.0005])
def test_a_hair_apart_is_apart(apart: float) -> None:
    assert found(TABLE, solid((0.1, 0.3, -0.2), (0.9, 0.7 + apart, 0.3))) == ()


@pytest.mark.parametrize(
    "other",
    [
        solid((-0.2, 0.7, 0.2), (0.2, 0.9, 0.4)),  # on it
        solid((-0.2, 0.0, 0.2), (0.2, 0.3, 0.4)),  # in it, down to the floor
        solid((0.5, 0.0, 0.2), (0.7, 0.7, 0.4)),  # beside it
        solid((-0.2, 0.2, 0.5), (0.2, 0.4, 1.0)),  # in it, up to its back, which nobody sees
    ],
)
def test_what_touches_or_is_not_seen_does_not_matter(other: Mesh) -> None:
    assert found(TABLE, other) == ()


@pytest.mark.parametrize("toward", [-1, 1])
def test_a_sheet_is_seen_from_both_sides(toward: int) -> None:
    (pair,) = found(solid((-0.3, 0.7, 0.5), (0.3, 1.5, 0.8)), upright_sheet(0.5, toward))
    assert pair.area_m2 == pytest.approx(0.16, rel=0.1)
    assert np.allclose(pair.facing, (0, 0, -1))


@pytest.mark.parametrize(
    "name",
    [
        "FloorPlan2",  # a drawer under the slab
        "FloorPlan212",  # shelves on boards
        "FloorPlan310",  # a corner that juts into the room; windows with sills
        "FloorPlan227",  # windows side by side
        "FloorPlan229",  # two paintings on one panel
        "FloorPlan224",  # drawers in a dresser
        "FloorPlan_Train11_1",  # a painting at a wall's end
    ],
)
def test_rooms_have_no_faces_in_one_plane(name: str) -> None:
    scene = load_scene(name)
    assert coplanar_faces(scene, Navigation(scene).reachable(0.25)) == ()


def test_without_its_hair_a_shelf_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "_PROUD_M", 0.0)
    scene = load_scene("FloorPlan212")
    pairs = coplanar_faces(scene, Navigation(scene).reachable(0.25))
    assert {pair.kinds for pair in pairs} == {("Shelf", "TVStand")}
    assert len(pairs) == 2
