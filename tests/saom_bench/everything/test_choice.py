"""Which points fast mode asks: as many as it says, where the features change first, and a sparse lattice everywhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saom_bench.everything.choice import chosen_points, lattice_levels
from saom_bench.prompts import grid_points

GRIDS = st.tuples(st.integers(1, 40), st.integers(1, 40))
INPUTS = st.tuples(st.integers(1, 256), st.integers(1, 256))


def _features(seed: int = 0, side: int = 16) -> np.ndarray:  # type: ignore[type-arg]
    return np.random.default_rng(seed).standard_normal((8, side, side)).astype(np.float32)


@given(grid=GRIDS, input_hw=INPUTS)
def test_a_share_of_the_points_each_once_and_the_sparse_lattice_whole(
    grid: tuple[int, int], input_hw: tuple[int, int]
) -> None:
    found = chosen_points(_features(), input_hw, input_hw, grid)
    assert (np.diff(found) > 0).all()
    assert found[0] >= 0
    assert found[-1] < grid[0] * grid[1]
    tokens = -(-input_hw[0] // 16) * -(-input_hw[1] // 16)
    assert len(found) >= min(0.45 * (grid[0] * grid[1]), 8 * tokens)
    levels = lattice_levels(grid, input_hw)
    assert set(np.flatnonzero(levels == levels.max())) <= set(found)


@given(grid=GRIDS, input_hw=INPUTS)
def test_the_sparsest_lattice_leaves_no_wide_gap(grid: tuple[int, int], input_hw: tuple[int, int]) -> None:
    levels = lattice_levels(grid, input_hw).reshape(grid[::-1])
    rows, columns = np.nonzero(levels == levels.max())
    for lines, count, length in ((rows, grid[1], input_hw[0]), (columns, grid[0], input_hw[1])):
        gaps = np.diff(np.append(np.unique(lines), count)) * length / count
        assert (gaps <= max(1.5 * 64, length / count)).all()


def test_lattices_are_as_fine_along_both_axes() -> None:
    counts = [int((lattice_levels((64, 64), (768, 1024)) >= level).sum()) for level in range(6)]
    assert counts == [4096, 2048, 1024, 512, 256, 0]
    on = np.flatnonzero(lattice_levels((320, 64), (768, 1024)) >= 2)
    assert (len(np.unique(on % 320)), len(np.unique(on // 320))) == (80, 64)


@pytest.mark.parametrize(("grid", "size_hw", "input_hw", "share"), [
    ((32, 32), (240, 320), (768, 1024), 0.78),
    ((64, 64), (240, 320), (768, 1024), 0.45),
    ((320, 64), (240, 320), (768, 1024), 0.1987),
    ((320, 64), (512, 2560), (205, 1024), 0.325),
])  # fmt: skip
def test_fewer_of_a_finer_grid(
    grid: tuple[int, int], size_hw: tuple[int, int], input_hw: tuple[int, int], share: float
) -> None:
    found = chosen_points(_features(side=64), size_hw, input_hw, grid)
    assert len(found) / (grid[0] * grid[1]) == pytest.approx(share, abs=0.005)


def test_points_go_to_where_the_features_change() -> None:
    features = np.zeros((8, 16, 16), np.float32)
    features[:, 6:9, 4:7] = 1
    size_hw = (256, 256)
    found = chosen_points(features, size_hw, size_hw, (40, 40))
    columns, rows = (grid_points(40, 40, size_hw) // 16).astype(int).T
    near = (rows >= 5) & (rows <= 9) & (columns >= 3) & (columns <= 7) & ~((rows == 7) & (columns == 5))
    assert near[found].sum() == near.sum()
    elsewhere = np.delete(np.arange(1600), np.flatnonzero(near))
    assert 0 < np.isin(found, elsewhere).mean() < 0.85


def test_a_grid_coarser_than_the_sparse_lattice_is_asked_whole() -> None:
    assert len(chosen_points(_features(), (256, 256), (256, 256), (4, 4))) == 16
