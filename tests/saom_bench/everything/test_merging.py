"""Merging tokens: which are merged, that they weigh what they weighed, and how little masks change by it."""

import numpy as np
import torch
from tiny_sam import sharp, tiny_sam
from torch import Tensor

from saom_bench.everything import EverythingConfig
from saom_bench.everything.decoding import PointDecoder
from saom_bench.everything.merging import merged
from saom_bench.prompts import grid_points
from saom_bench.sam.decoder import ImageTokens
from saom_bench.sam.model import Embedding


def _tokens(keys_hwc: Tensor) -> ImageTokens:
    height, width, channels = keys_hwc.shape
    places = torch.stack(torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"), dim=-1)
    return ImageTokens(keys_hwc.flatten(0, 1), torch.zeros(channels), places.flatten(0, 1).float(), (height, width))


def test_alike_squares_and_padding_are_merged_and_nothing_else() -> None:
    keys = torch.randn(7, 9, 16, generator=torch.Generator().manual_seed(0))
    keys[2:4, 4:6] = keys[2, 4]
    few = merged(_tokens(keys), (5, 7))
    assert few.places is not None
    assert few.log_counts is not None
    places, counts = few.places, few.log_counts.exp()
    alike = places[2:4, 4:6]
    assert len(alike.unique()) == 1
    shown = torch.ones(7, 9, dtype=torch.bool)
    shown[5:], shown[:, 7:] = False, False
    others = places[shown & (places != alike[0, 0])]
    assert len(others.unique()) == len(others) == 5 * 7 - 4
    # The padding's part of each square of 4 x 4: two beside the image, one below, two at the corner.
    assert sorted(counts[places[~shown].unique()].round().tolist()) == [3, 4, 4, 8, 9]
    assert counts.sum() == 7 * 9
    for token in (int(alike[0, 0]), int(places[6, 8]), int(places[0, 0])):
        own = places == token
        assert counts[token].round() == own.sum()
        torch.testing.assert_close(few.keys[token], keys[own].mean(dim=0))
        torch.testing.assert_close(few.position[token], own.nonzero().float().mean(dim=0))


def test_a_flat_image_is_merged_and_a_varied_one_is_not() -> None:
    flat = merged(_tokens(torch.ones(8, 8, 4)), (8, 8))
    assert len(flat.keys) == 16
    varied = torch.randn(8, 8, 4, generator=torch.Generator().manual_seed(1))
    assert len(merged(_tokens(varied), (8, 8)).keys) == 64


def test_without_alike_tokens_masks_are_the_same() -> None:
    sam = sharp(tiny_sam(seed=2))
    features = torch.randn(256, 16, 16, generator=torch.Generator().manual_seed(3))
    exact, fast = _decoded(sam, Embedding(features, (256, 256), (256, 256)))
    torch.testing.assert_close(fast, exact, rtol=1e-4, atol=1e-4)


def test_with_half_of_the_tokens_masks_are_nearly_the_same() -> None:
    sam = sharp(tiny_sam(seed=2))
    coarse = torch.randn(1, 256, 4, 4, generator=torch.Generator().manual_seed(3))
    features = torch.nn.functional.interpolate(coarse, (16, 16), mode="nearest")[0]
    embedding = Embedding(features, (160, 256), (160, 256))
    assert len(merged(sam.image_tokens(embedding), sam.tokens_shown(embedding)).keys) < 16 * 16 / 3
    exact, fast = _decoded(sam, embedding)
    differs = ((exact > 0) != (fast > 0)).float().mean()
    assert 0 < differs < 0.02


def _decoded(sam, embedding) -> list[Tensor]:  # type: ignore[no-untyped-def]
    found = []
    whole = PointDecoder(sam, embedding, EverythingConfig())
    for decoder in (whole, whole.on_merged_tokens()):
        with torch.no_grad():
            scored = decoder.score(grid_points(3, 3, embedding.size_hw))
            found.append(decoder.visible(decoder.draw(scored, np.arange(9))))
    return found
