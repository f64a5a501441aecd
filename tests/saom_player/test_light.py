"""Light that is measured for each picture: the coarse grid and the way back from it, where the sun may reach."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saom_player.render.geometry import Triangles
from saom_player.render.light_grid import LightGrid
from saom_player.render.lighting import SunLight
from saom_player.render.surface import Place
from saom_player.render.tracing import RayTracer
from saom_player.scene import Sun, WindowOpening
from saom_player.shapes.mesh import Material

UP = np.array([[0.0], [1.0], [0.0]], np.float32)
WINDOW = WindowOpening((0.0, 1.5, 2.0), (0.6, 0.0, 0.0), (0.0, 0.5, 0.0), (0.0, 0.0, -1.0))


def grid_of(keys: np.ndarray) -> LightGrid:
    return LightGrid(keys.astype(np.int32), lambda pixels: np.repeat(UP, len(pixels), axis=1))


@pytest.mark.parametrize("size_hw", [(300, 301), (7, 5), (960, 961), (1300, 1282)])
def test_what_changes_evenly_on_one_surface_is_spread_as_it_is(size_hw: tuple[int, int]) -> None:
    height, width = size_hw
    slope = (np.arange(height)[:, None] * 2 + np.arange(width)).astype(np.float32)
    grid = grid_of(np.zeros(size_hw))
    measured = slope.ravel()[grid.pixels][None]
    spread = grid.spread(measured).reshape(size_hw)
    # Beyond the grid's last row and column there is nothing to go towards.
    last_y, last_x = (max(p // width for p in grid.pixels.tolist()), max(p % width for p in grid.pixels.tolist()))
    np.testing.assert_allclose(spread[: last_y + 1, : last_x + 1], slope[: last_y + 1, : last_x + 1], rtol=1e-5)


def test_large_pictures_measure_a_smaller_share_of_their_pixels() -> None:
    small, large = (grid_of(np.zeros((side, side))) for side in (300, 1024))
    assert len(small.pixels) == 150**2
    assert len(small.pixels) < len(large.pixels) < 1024**2 / 8


@pytest.mark.parametrize("side", [40, 1000])
def test_every_pixel_takes_light_from_its_own_surface(side: int) -> None:
    rng = np.random.default_rng(0)
    parts = np.kron(rng.integers(0, 4, (side // 4, side // 4)), np.ones((4, 4), np.int32))
    parts[rng.random(parts.shape) < 0.02] = 9  # specks that the grid misses
    grid = grid_of(parts * 27)
    measured = parts.ravel()[grid.pixels][None].astype(np.float32)
    np.testing.assert_array_equal(grid.spread(grid.smoothed(measured)).reshape(parts.shape), parts)


@given(st.integers(0, 2**32 - 1))
def test_the_sun_reaches_no_triangle_that_was_ruled_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    toward = rng.normal(size=3) * 0.6 + (0.0, 0.5, 1.0)
    sun = SunLight(Sun(tuple(toward.tolist()), (1.0, 1.0, 1.0)), (WINDOW,))
    corners = (rng.uniform((-2, 0, -2), (2, 2, 2), (60, 1, 3)) + rng.normal(size=(60, 3, 3)) * 0.1).astype(np.float32)
    ruled_in = sun.may_reach(triangles_of(corners))
    weights = rng.dirichlet((1, 1, 1), (60, 20)).astype(np.float32)
    points = np.einsum("tsc,tck->kts", weights, corners).reshape(3, -1)
    normals = np.repeat(sun.direction[:, None], points.shape[1], axis=1)
    place = Place(points, normals, np.ones(points.shape[1], np.float32), np.ones(points.shape[1], np.bool_))
    nothing_there = RayTracer(np.zeros((0, 3, 3), np.float32))
    lit = sun.arrives(nothing_there, place, rng.integers(0, 10_000, points.shape[1]), 100) > 0
    assert not (lit.reshape(60, 20).any(1) & ~ruled_in).any()


def test_what_lies_away_from_the_window_is_ruled_out() -> None:
    sun = SunLight(Sun((0.0, 0.0, 1.0), (1.0, 1.0, 1.0)), (WINDOW,))
    small = np.array([[0, 0, 0], [0.1, 0, 0], [0, 0.1, 0]], np.float32)
    places = np.array([[0, 1.5, 0], [1.5, 1.5, 0], [0, 0.2, 0], [0, 1.5, 3]], np.float32)
    assert sun.may_reach(triangles_of(places[:, None] + small)).tolist() == [True, False, False, False]


def triangles_of(corners: np.ndarray) -> Triangles:
    up = np.broadcast_to(np.float32([0, 1, 0]), corners.shape)
    numbers = np.ones(len(corners), np.int32)
    flat = np.zeros((len(corners), 3, 2), np.float32)
    return Triangles(corners, up, flat, up[:, 0], numbers * 0, numbers, numbers, (Material(),), ("part",))
