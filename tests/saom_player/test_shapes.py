"""Primitives are closed, face outwards, have unit normals, and keep to their sizes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saom_player.shapes import primitives as shapes
from saom_player.shapes.mesh import Material, Mesh, Part

WOOD = Material("wood:1")
CIRCLE = shapes.superellipse(0.2, 0.1, power=3)
ARC = [(0, 0, 0), (0.1, 0.2, 0), (0.3, 0.25, 0.1)]
SOLIDS: dict[str, Mesh] = {
    "box": shapes.box((0.3, 0.2, 0.1), WOOD),
    "rounded 1": shapes.rounded_box((0.3, 0.2, 0.1), WOOD, radius=0.02),
    "rounded 3": shapes.rounded_box((0.3, 0.2, 0.1), WOOD, radius=0.2, segments=3),
    "cushion": shapes.rounded_box((0.6, 0.15, 0.5), WOOD, radius=0.04, segments=2, puff=0.03),
    "cylinder": shapes.cylinder(0.1, 0.3, WOOD, bevel=0.01),
    "cone": shapes.cylinder(0.1, 0.3, WOOD, top_radius=0.0),
    "lathe": shapes.lathe([(0.05, 0), (0.1, 0.1), (0.03, 0.2)], WOOD),
    "ellipsoid": shapes.ellipsoid((0.3, 0.2, 0.1), WOOD),
    "loft": shapes.loft([(0, CIRCLE), (0.1, CIRCLE * 1.2), (0.3, CIRCLE * 0.8)], WOOD),
    "tube": shapes.tube(ARC, 0.02, WOOD),
    "ring": shapes.ring(0.1, 0.02, WOOD),
    "sheet": shapes.sheet(lambda u, v: (u, 0.1 * np.sin(9 * u), v), 12, 4, WOOD),
}
FLAT: dict[str, Mesh] = {"panel": shapes.panel(0.3, 0.2, WOOD), "disc": shapes.disc(0.1, WOOD)}


def volume(mesh: Mesh) -> float:
    p = mesh.positions.astype(np.float64)
    return float(np.einsum("ij,ij->i", p[:, 0], np.cross(p[:, 1], p[:, 2])).sum() / 6)


def extent(mesh: Mesh) -> np.ndarray:
    return np.ptp(mesh.positions.reshape(-1, 3), axis=0)


def open_edges(mesh: Mesh) -> int:
    """Edges that are not run through once in each direction: 0 for a closed surface."""
    corner = np.round(mesh.positions.astype(np.float64) / 1e-5).astype(np.int64).reshape(-1, 3)
    index = np.unique(corner, axis=0, return_inverse=True)[1].reshape(-1, 3)
    edges = np.concatenate([index[:, [0, 1]], index[:, [1, 2]], index[:, [2, 0]]])
    forward = {tuple(e) for e in edges}
    return sum((b, a) not in forward for a, b in forward)


@pytest.mark.parametrize("name", SOLIDS)
def test_solids_are_closed_and_face_outwards(name: str) -> None:
    mesh = SOLIDS[name]
    assert volume(mesh) > 0
    assert open_edges(mesh) == 0


@pytest.mark.parametrize("name", [*SOLIDS, *FLAT])
def test_values_are_finite_float32_with_unit_normals_on_the_outside(name: str) -> None:
    mesh = (SOLIDS | FLAT)[name]
    for array, width in ((mesh.positions, 3), (mesh.normals, 3), (mesh.uvs, 2)):
        assert array.shape == (len(mesh), 3, width)
        assert array.dtype == np.float32
        assert np.isfinite(array).all()
    assert np.allclose(np.linalg.norm(mesh.normals, axis=-1), 1, atol=1e-4)
    p = mesh.positions
    flat = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])
    assert (np.einsum("ijk,ik->ij", mesh.normals, flat) > 0).all()


def test_a_rounded_box_keeps_its_size_and_stays_cheap() -> None:
    assert np.allclose(extent(SOLIDS["rounded 1"]), (0.3, 0.2, 0.1), atol=1e-6)
    assert len(SOLIDS["rounded 1"]) == 44
    assert SOLIDS["rounded 1"].positions[..., 1].min() == pytest.approx(0, abs=1e-7)


def test_a_cushion_bulges_beyond_its_box() -> None:
    assert (extent(SOLIDS["cushion"]) > np.array([0.6, 0.15, 0.5]) + 0.005).all()


def test_a_crease_keeps_box_faces_flat_and_smooths_a_cylinder() -> None:
    assert set(np.round(np.abs(SOLIDS["box"].normals).max(axis=-1), 5).ravel()) == {1.0}
    side = SOLIDS["lathe"].normals
    first = SOLIDS["lathe"].positions[..., 1] == 0.1
    assert (np.abs(side[first][:, 1]) < 0.9).all()


def test_a_panel_is_upright_and_unmirrored_in_a_left_handed_frame() -> None:
    mesh = FLAT["panel"]
    assert np.allclose(mesh.normals, [0, 0, 1])
    # Who stands at +z and looks at -z has +x on the left hand.
    assert np.allclose(mesh.uvs[..., 0], 0.5 - mesh.positions[..., 0] / 0.3, atol=1e-6)
    assert np.allclose(mesh.uvs[..., 1], 1 - mesh.positions[..., 1] / 0.2, atol=1e-6)
    laid = shapes.rotated(mesh, x_deg=-90)
    assert np.allclose(laid.normals, [0, 1, 0], atol=1e-6)
    assert laid.positions[..., 2].min() == pytest.approx(-0.2)


def test_transforms_keep_the_outside_outside() -> None:
    mesh = SOLIDS["rounded 3"]
    mirrored = shapes.scaled(mesh, (-1, 2, 1))
    assert volume(mirrored) == pytest.approx(2 * volume(mesh), rel=1e-4)
    p = mirrored.positions
    flat = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])
    assert (np.einsum("ijk,ik->ij", mirrored.normals, flat) > 0).all()
    turned = shapes.rotated(shapes.moved(mesh, x=1), y_deg=90)
    assert turned.positions.reshape(-1, 3).mean(axis=0)[2] == pytest.approx(-1, abs=0.01)


def test_rotation_agrees_with_the_scene_boxes() -> None:
    from saom_player.scene import Box

    expected = Box((0, 0, 0), (1, 1, 1), (10, 20, 30)).axes()
    assert np.allclose(shapes.rotation(x_deg=10, y_deg=20, z_deg=30), expected)


sizes = st.floats(0.0, 5.0, allow_nan=False)


@settings(max_examples=40, deadline=None)
@given(st.tuples(sizes, sizes, sizes), st.tuples(sizes, sizes, sizes))
def test_fit_fills_any_box(source: tuple[float, float, float], wanted: tuple[float, float, float]) -> None:
    parts = [Part("a", shapes.rounded_box(source, WOOD)), Part("b", shapes.moved(shapes.box(source, WOOD), x=0.3))]
    low, high = shapes.bounds(shapes.fit(parts, wanted))
    assert np.allclose(high - low, np.maximum(wanted, 0.001), atol=1e-4)
    assert np.allclose(high + low, 0, atol=1e-4)


def test_nothing_to_measure_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        shapes.bounds([])
    with pytest.raises(ValueError, match="at least one"):
        shapes.merged([])
