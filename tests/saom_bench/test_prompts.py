"""The nearest neighbour assignment: known answers, properties, and a literal transcription of the published chain."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from saom_bench.prompts import assign, grid_points, off_mask, similarity_map


def _features(seed: int = 0, channels: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(channels, 64, 64)).astype(np.float32)


def _peak(cell_yx: tuple[int, int], inside: tuple[slice, slice]) -> np.ndarray:
    """Features where a region points one way, more so at one cell, and everything else points another way."""
    features = np.zeros((2, 64, 64), np.float32)
    features[1] = 1.0
    features[0][inside] = 1.0
    features[:, cell_yx[0], cell_yx[1]] = (5.0, 0.0)
    return features


def test_grid_points_are_cell_centres_row_by_row() -> None:
    points = grid_points(2, 3, (30, 40))
    assert points.tolist() == [[10, 5], [30, 5], [10, 15], [30, 15], [10, 25], [30, 25]]
    assert points.dtype == np.float32


def test_the_prior_is_where_features_resemble_the_mask_most() -> None:
    labels = np.zeros((1024, 1024), np.uint16)
    labels[320:640, 160:480] = 7
    features = _peak((30, 20), (slice(20, 40), slice(10, 30)))
    got = assign(features, (1024, 1024), labels, [7], grid=(64, 64))
    assert np.abs(got.priors_xy[0] - (20.5 * 16, 30.5 * 16)).max() <= 4
    assert got.points_xy.tolist() == [[20.5 * 16, 30.5 * 16]]
    assert got.labels.tolist() == [7]
    assert not got.no_cell[0]


def test_the_prior_is_the_peak_of_the_map_that_explains_it() -> None:
    labels = np.zeros((90, 120), np.uint16)
    labels[20:60, 30:80] = 7
    features = _features()
    heat = similarity_map(features, (768, 1024), labels, 7)
    assert heat.shape == labels.shape
    y, x = np.unravel_index(np.where(labels == 7, heat, -np.inf).argmax(), heat.shape)
    assert assign(features, (768, 1024), labels, [7]).priors_xy.tolist() == [[x + 0.5, y + 0.5]]


def test_the_published_prior_may_leave_the_mask_and_ours_does_not() -> None:
    labels = np.zeros((1024, 1024), np.uint16)
    labels[320:640, 160:480] = 1
    features = np.full((2, 64, 64), -1.0, np.float32)
    features[:, 20:40, 10:20] = np.array([1.0, 0.0])[:, None, None]
    features[:, 20:40, 20:30] = np.array([0.0, 1.0])[:, None, None]
    features[:, 5:8, 50:53] = 1.0  # the target is (1, 1): only here, on no object, does a cell equal it
    anywhere = assign(features, (1024, 1024), labels, [1], prior="image", snap="nearest")
    confined = assign(features, (1024, 1024), labels, [1], prior="mask")
    assert off_mask(labels, anywhere).tolist() == [True]
    assert off_mask(labels, confined).tolist() == [False]


def test_a_fixed_frame_reaches_only_a_corner_of_the_grid() -> None:
    labels = (np.arange(224)[:, None] // 16 * 14 + np.arange(224)[None] // 16 + 1).astype(np.uint16)
    wanted, options = range(1, 197), {"grid": (32, 32), "snap": "nearest"}
    old = assign(_features(), (1024, 1024), labels, wanted, grid_frame="fixed-1024", **options)
    new = assign(_features(), (1024, 1024), labels, wanted, **options)
    assert {tuple(p) for p in old.points_xy.tolist()} <= {
        (16 + 32 * i, 16 + 32 * j) for i in range(7) for j in range(7)
    }
    assert len({tuple(p) for p in new.points_xy.tolist()}) > 150


def test_a_mask_without_a_half_covered_cell_keeps_a_prompt_and_says_so() -> None:
    labels = np.zeros((1024, 1024), np.uint16)
    labels[500:504, 700:704] = 3
    labels[0:200, 0:200] = 4
    got = assign(_features(), (1024, 1024), labels, [3, 4])
    assert got.no_cell.tolist() == [True, False]
    assert np.abs(got.priors_xy[0] - 702).max() <= 202
    assert labels[int(got.priors_xy[0, 1]), int(got.priors_xy[0, 0])] == 3


def test_snap_prefers_a_grid_point_on_the_object() -> None:
    labels = np.zeros((64, 64), np.uint16)
    labels[1:63, 2] = 1  # a thin bar that the grid's first column, x = 4, misses ...
    labels[40:43, 2:30] = 1  # ... and that bends into the grid's other columns at y = 40..42
    features = np.zeros((2, 64, 64), np.float32)
    features[1] = 1.0
    features[:, 4, 2] = (1.0, 4.0)
    inside = assign(features, (1024, 1024), labels, [1], grid=(8, 64))
    nearest = assign(features, (1024, 1024), labels, [1], grid=(8, 64), snap="nearest")
    assert off_mask(labels, nearest).tolist() == [True]
    assert off_mask(labels, inside).tolist() == [False]


def test_a_label_without_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="label 9 has no pixel"):
        assign(_features(), (1024, 1024), np.ones((10, 10), np.uint16), [9])


@pytest.mark.parametrize(("shape", "input_hw"), [((8, 32, 64), (512, 512)), ((8, 32, 32), (1024, 1024))])
def test_features_that_do_not_fit_are_refused(shape, input_hw) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        assign(np.zeros(shape, np.float32), input_hw, np.ones((10, 10), np.uint16), [1])


@st.composite
def _scenes(draw: st.DrawFn) -> tuple[np.ndarray, tuple[int, int], tuple[int, int], int]:
    height, width = draw(st.integers(20, 140)), draw(st.integers(20, 140))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    labels = np.zeros((height, width), np.uint16)
    for label in range(1, draw(st.integers(2, 6))):
        y, x = rng.integers(0, height), rng.integers(0, width)
        labels[y : y + rng.integers(1, height), x : x + rng.integers(1, width)] = label
    longest = max(height, width)
    input_hw = (int(height * 1024 / longest + 0.5), int(width * 1024 / longest + 0.5))
    return labels, input_hw, (draw(st.integers(1, 40)), draw(st.integers(1, 40))), int(rng.integers(0, 1000))


@settings(max_examples=40, deadline=None)
@given(_scenes())
def test_points_are_on_the_grid_and_in_the_mask_whenever_the_grid_is(scene) -> None:
    labels, input_hw, grid, seed = scene
    present = [int(v) for v in np.unique(labels) if v]
    if not present:
        return
    got = assign(_features(seed), input_hw, labels, present, grid=grid)
    points = grid_points(*grid, labels.shape)
    assert {tuple(p) for p in got.points_xy.tolist()} <= {tuple(p) for p in points.tolist()}
    rows, columns = points[:, 1].astype(int), points[:, 0].astype(int)
    for i, label in enumerate(present):
        x, y = np.floor(got.priors_xy[i]).astype(int)
        assert labels[y, x] == label
        assert off_mask(labels, got)[i] == (label not in labels[rows, columns])


@settings(max_examples=40, deadline=None)
@given(_scenes())
def test_the_nearest_point_is_nearest(scene) -> None:
    labels, input_hw, grid, seed = scene
    present = [int(v) for v in np.unique(labels) if v]
    if not present:
        return
    got = assign(_features(seed), input_hw, labels, present, grid=grid, snap="nearest")
    distances = np.linalg.norm(got.priors_xy[:, None] - grid_points(*grid, labels.shape)[None], axis=2)
    np.testing.assert_allclose(np.linalg.norm(got.priors_xy - got.points_xy, axis=1), distances.min(axis=1), atol=1e-3)


def _published_prior(features: np.ndarray, input_hw: tuple[int, int], mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Steps 2 to 5 of the published chain, as they are written: similarity map (H, W) and number of cells."""
    height, width = mask.shape
    picture = Image.fromarray(mask.astype(np.uint8) * 255).resize(input_hw[::-1], Image.Resampling.BILINEAR)
    drawn = (torch.from_numpy(np.array(picture)).float() - 123.675) / 58.395
    padded = F.pad(drawn, (0, 1024 - input_hw[1], 0, 1024 - input_hw[0]))[None, None]
    foreground = F.interpolate(padded, size=(64, 64), mode="bilinear")[0, 0] > 0
    maps = torch.from_numpy(features)
    chosen = maps[:, foreground]
    target = (chosen.max(dim=1).values + chosen.mean(dim=1)) / 2
    target = target / target.norm()
    similarity = (target[:, None, None] * (maps / maps.norm(dim=0, keepdim=True))).sum(dim=0)[None, None]
    up = F.interpolate(F.interpolate(similarity, scale_factor=4, mode="bilinear"), (1024, 1024), mode="bilinear")
    up = F.interpolate(up[..., : input_hw[0], : input_hw[1]], (height, width), mode="bilinear")
    return up[0, 0].numpy(), int(foreground.sum())


@pytest.mark.parametrize(
    ("size_hw", "input_hw"), [((96, 128), (768, 1024)), ((300, 300), (1024, 1024)), ((1400, 700), (1024, 512))]
)
def test_it_equals_the_published_chain(size_hw, input_hw) -> None:
    height, width = size_hw
    ys, xs = np.mgrid[:height, :width]
    labels = np.zeros(size_hw, np.uint16)
    labels[(ys / height - 0.4) ** 2 + (xs / width - 0.3) ** 2 < 0.04] = 1
    labels[(ys / height - 0.7) ** 2 + (xs / width - 0.7) ** 2 < 0.02] = 2
    features = F.interpolate(torch.from_numpy(_features(3, 16))[None], scale_factor=1.0)[0].numpy()
    got = assign(features, input_hw, labels, [1, 2], prior="image", snap="nearest")
    for i, label in enumerate((1, 2)):
        wanted, cells = _published_prior(features, input_hw, labels == label)
        y, x = np.unravel_index(int(wanted.argmax()), wanted.shape)
        assert cells > 3
        assert got.priors_xy[i].tolist() == [x + 0.5, y + 0.5]
