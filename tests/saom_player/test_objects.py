"""Every builder fills its box exactly, with several named parts in several materials, the same for the same seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saom_bench.classes import LABEL_SETS
from saom_player.objects import BUILDERS, build
from saom_player.objects.workbench import Order
from saom_player.shapes.mesh import Part
from saom_player.shapes.primitives import bounds
from saom_player.surfaces.textures import split_key

CLASSES = LABEL_SETS["saom-55"].classes
# Real boxes of AI2-THOR objects (x, y, z in metres) where a type's shape depends on them; else the first.
USUAL = (0.4, 0.45, 0.35)
ROOM_SIZED = {
    "Sofa": (2.4, 0.96, 0.93), "Bed": (1.3, 0.9, 2.2), "Laptop": (0.4, 0.29, 0.29), "Book": (0.22, 0.03, 0.3),
    "CounterTop": (1.0, 0.017, 1.3), "Blinds": (0.87, 1.1, 0.03), "Cabinet": (0.37, 0.66, 0.41),
    "Painting": (0.02, 0.5, 0.7), "ShowerDoor": (0.07, 1.96, 0.81), "Toilet": (0.45, 0.9, 0.7),
    "Desk": (1.5, 0.8, 0.66), "Fridge": (0.9, 1.9, 0.9), "Plate": (0.24, 0.02, 0.24), "Pencil": (0.009, 0.009, 0.18),
}  # fmt: skip


def made(object_type: str, size: tuple[float, float, float] | None = None, seed: int = 0) -> tuple[Part, ...]:
    box = size or ROOM_SIZED.get(object_type, USUAL)
    return build(object_type, box, np.random.default_rng(seed))


def check(parts: tuple[Part, ...], size: tuple[float, float, float]) -> None:
    names = [part.name for part in parts]
    assert len(names) >= 2
    assert len(set(names)) == len(names)
    for part in parts:
        assert np.isfinite(part.mesh.positions).all(), part.name
        assert np.isfinite(part.mesh.uvs).all(), part.name
        assert np.allclose(np.linalg.norm(part.mesh.normals, axis=-1), 1, atol=1e-3), part.name
    low, high = bounds(parts)
    assert np.allclose(high - low, np.maximum(size, 0.001), atol=1e-3)
    assert np.allclose(high + low, 0, atol=1e-3)


def test_all_classes_have_their_own_builder() -> None:
    assert set(CLASSES) <= set(BUILDERS)
    basins = {"BathtubBasin", "SinkBasin"}
    own = [BUILDERS[name] for name in CLASSES if name not in basins]
    assert len(set(own)) == len(own)


@pytest.mark.parametrize("object_type", [*sorted(BUILDERS), "NeverHeardOf"])
def test_a_builder_fills_its_box_with_parts(object_type: str) -> None:
    size = ROOM_SIZED.get(object_type, USUAL)
    for seed in range(2):
        parts = made(object_type, size, seed)
        check(parts, size)
        assert 20 <= sum(len(part.mesh) for part in parts) <= 3500
        for part in parts:
            split_key(part.mesh.material.texture)


@pytest.mark.parametrize("object_type", sorted(CLASSES))
def test_parts_of_a_class_differ_in_material(object_type: str) -> None:
    materials = {part.mesh.material for seed in range(3) for part in made(object_type, seed=seed)}
    assert len(materials) >= 2


@pytest.mark.parametrize("object_type", [*sorted(CLASSES), "NeverHeardOf"])
def test_the_seed_decides_everything(object_type: str) -> None:
    first, again = made(object_type, seed=3), made(object_type, seed=3)
    assert [part.name for part in first] == [part.name for part in again]
    for one, other in zip(first, again, strict=True):
        assert one.mesh.material == other.mesh.material
        assert np.array_equal(one.mesh.positions, other.mesh.positions)
        assert np.array_equal(one.mesh.uvs, other.mesh.uvs)
    looks = {tuple((part.name, part.mesh.material) for part in made(object_type, seed=seed)) for seed in range(4)}
    assert len(looks) > 1


lengths = st.one_of(st.floats(0.0, 0.02), st.floats(0.02, 3.0), st.just(0.001))


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([*sorted(BUILDERS), "NeverHeardOf"]),
    st.tuples(lengths, lengths, lengths),
    st.integers(0, 2**32),
    st.booleans(),
)
def test_any_box_is_filled(object_type: str, size: tuple[float, float, float], seed: int, open_: bool) -> None:
    check(build(object_type, size, np.random.default_rng(seed), Order(boxed_open=open_)), size)


@pytest.mark.parametrize("object_type", sorted(BUILDERS))
def test_a_millimetre_box_is_filled(object_type: str) -> None:
    check(made(object_type, (0.001, 0.001, 0.001)), (0.001, 0.001, 0.001))


def test_senseless_sizes_do_not_crash() -> None:
    check(made("Mug", (float("nan"), 0.1, 0.1)), (0.001, 0.1, 0.1))
    check(made("Sofa", (float("inf"), 1.0, -2.0)), (20.0, 1.0, 0.001))


def test_a_bottom_board_lies_below_and_a_drawer_front_in_front() -> None:
    drawer = {part.name: part for part in made("Drawer", (0.4, 0.2, 0.45))}
    front = next(part for name, part in drawer.items() if name.startswith("front"))
    assert bounds([front])[0][2] > 0.1
    assert bounds([drawer["handle"]])[1][2] == pytest.approx(0.225, abs=1e-3)
    laptop = {part.name: part for part in made("Laptop")}
    assert bounds([laptop["keyboard"]])[1][1] < bounds([laptop["screen"]])[0][1] + 0.02


def test_flat_things_stand_or_lie_as_their_box_does() -> None:
    for size, axis in (((0.2, 0.03, 0.3), 1), ((0.2, 0.3, 0.03), 2), ((0.03, 0.3, 0.2), 0)):
        book = {part.name: part for part in made("Book", size)}
        extent = np.subtract(*bounds([book["cover print"]])[::-1])
        assert int(np.argmin(extent)) == axis
    painting = {part.name: part for part in made("Painting", (0.03, 0.5, 0.7))}
    assert abs(painting["canvas"].mesh.normals[0, 0, 0]) == pytest.approx(1, abs=1e-4)


def test_a_flat_laptop_is_closed() -> None:
    names = {part.name for part in made("Laptop", (0.4, 0.03, 0.28))}
    assert "screen" not in names
    assert "lid" in names


def test_an_open_book_shows_its_pages() -> None:
    names = {part.name for part in build("Book", (0.3, 0.03, 0.2), np.random.default_rng(0), Order(boxed_open=True))}
    assert {"left page", "right page"} <= names
