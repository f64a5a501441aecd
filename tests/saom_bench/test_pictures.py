"""Pictures: what is drawn where."""

from pathlib import Path

import numpy as np
from PIL import Image

from saom_bench import pictures


def test_overlay_colours_the_mask_and_leaves_the_rest() -> None:
    rgb = np.full((40, 60, 3), 100, np.uint8)
    mask = np.zeros((40, 60), bool)
    mask[10:30, 20:40] = True
    drawn = pictures.overlay(rgb, [mask], colors=[(255, 0, 0)])
    assert np.array_equal(drawn[20, 30], [177, 50, 50])
    assert (drawn[:8] == 100).all()
    assert (rgb == 100).all()


def test_a_small_mask_stays_visible_over_a_large_one() -> None:
    rgb = np.zeros((40, 40, 3), np.uint8)
    large, small = np.ones((40, 40), bool), np.zeros((40, 40), bool)
    small[10:20, 10:20] = True
    drawn = pictures.overlay(rgb, [small, large], colors=[(0, 0, 255), (255, 0, 0)])
    assert drawn[15, 15, 2] > drawn[15, 15, 0]


def test_names_captions_and_sheets_have_the_sizes_they_should(tmp_path: Path) -> None:
    rgb = np.zeros((40, 60, 3), np.uint8)
    mask = np.zeros((40, 60), bool)
    mask[5:35, 5:55] = True
    named = pictures.overlay(rgb, [mask, np.zeros_like(mask)], names=["Sofa", "gone"])
    nameless = pictures.overlay(rgb, [mask], names=[None])
    assert not (nameless > 180).all(axis=2).any()
    assert (named > 180).all(axis=2).any()
    tile = pictures.captioned(named, "FloorPlan1")
    page = pictures.sheet([tile, tile, tile], columns=2, gap=4)
    assert tile.shape[0] > 40
    assert page.shape == (2 * tile.shape[0] + 12, 2 * 60 + 12, 3)
    pictures.save(tmp_path / "deep" / "page.png", pictures.shrink(page, 50))
    with Image.open(tmp_path / "deep" / "page.png") as saved:
        assert max(saved.size) == 50


def test_neighbouring_colours_differ() -> None:
    colors = np.array([pictures.color_of(i) for i in range(54)], float)
    steps = np.linalg.norm(np.diff(colors, axis=0), axis=1)
    assert steps.min() > 60
    assert len({tuple(c) for c in colors}) > 50
