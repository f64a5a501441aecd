"""Textures: in range, seamless, the same in every process, upright motifs."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from saom_player.surfaces.textures import RECIPES, UnknownTexture, split_key, texture

# Seamless both ways; motifs are one whole picture and the sky has an up and a down.
TILING = [
    "plain", "plaster", "wood", "planks", "parquet", "tiles", "mosaic", "brick", "fabric", "carpet", "marble",
    "granite", "brushed", "leather", "wallpaper", "cardboard", "bread", "concrete", "wicker", "soil",
]  # fmt: skip


@pytest.mark.parametrize("name", list(RECIPES))
@pytest.mark.parametrize("variant", [0, 1, 2, 5])
def test_every_recipe_is_a_picture_with_something_on_it(name: str, variant: int) -> None:
    picture = texture(f"{name}:{variant}")
    assert picture.shape == (256, 256, 3)
    assert picture.dtype == np.uint8
    assert name == "plain" or picture.std() > 0.7


@pytest.mark.parametrize("name", TILING)
@pytest.mark.parametrize("axis", [0, 1])
def test_no_seam_where_a_tile_meets_the_next(name: str, axis: int) -> None:
    """The step over the border is like the largest step between neighbouring lines inside (joints are random)."""
    picture = np.moveaxis(texture(f"{name}:3").astype(float), axis, 0)
    inside = np.abs(np.diff(picture, axis=0)).mean(axis=(1, 2))
    border = np.abs(picture[0] - picture[-1]).mean()
    assert border <= inside.max() * 1.3 + 1e-3


def test_a_bare_name_is_variant_0_and_variants_differ() -> None:
    assert split_key("wood") == ("wood", 0)
    assert np.array_equal(texture("wood"), texture("wood:0"))
    assert not np.array_equal(texture("wood:0"), texture("wood:8"))


@pytest.mark.parametrize("key", ["wod", "wood:x", "", "wood:-1"])
def test_an_unknown_key_names_the_recipes(key: str) -> None:
    with pytest.raises(UnknownTexture, match="recipes: plain"):
        texture(key)


def test_row_0_is_the_motifs_top() -> None:
    sky = texture("sky")
    assert sky[:40, :, 2].mean() > sky[:40, :, 1].mean() > 128, "blue above"
    assert sky[-30:, :, 1].mean() > sky[-30:, :, 2].mean(), "green below"
    newspaper = texture("newspaper").mean(-1)
    assert newspaper[12:30].mean() < newspaper[-12:].mean(), "the dark title is at the top"


def test_the_same_in_another_process() -> None:
    keys = ["wood:2", "screen:4", "rug:1", "planks"]
    program = (
        "import hashlib\nfrom saom_player.surfaces.textures import texture\n"
        f"print(hashlib.sha256(b''.join(texture(k).tobytes() for k in {keys!r})).hexdigest())"
    )
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    assert other == hashlib.sha256(b"".join(texture(k).tobytes() for k in keys)).hexdigest()


def test_pictures_are_read_only_because_they_are_shared() -> None:
    with pytest.raises(ValueError, match="read-only"):
        texture("plain")[0, 0] = 0
