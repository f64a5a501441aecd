"""The embedding cache: hits, misses, damage, and what its keys depend on."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from tiny_sam import EMBEDDING_SIZE, tiny_sam

from saom_bench.errors import SaomBenchError
from saom_bench.train.cache import EmbeddingCache, default_cache_dir


@pytest.fixture
def rgb() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)


def test_the_second_time_an_image_comes_from_the_cache(tmp_path, rgb) -> None:
    sam = tiny_sam()
    first = EmbeddingCache(tmp_path, sam)
    made = first.get(rgb)
    second = EmbeddingCache(tmp_path, sam)
    found = second.get(rgb)
    assert (first.made, first.hits, second.made, second.hits) == (1, 0, 0, 1)
    assert torch.equal(made.features, found.features)
    assert (found.size_hw, found.input_hw) == ((40, 60), sam.input_size((40, 60)))
    torch.testing.assert_close(found.features, sam.encode(rgb).features, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "longer", "foreign"])
def test_a_damaged_entry_is_made_anew(tmp_path, rgb, damage) -> None:
    cache = EmbeddingCache(tmp_path, tiny_sam())
    wanted = cache.get(rgb).features
    path = cache.path(cache.key(rgb))
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 1
    damaged = {"cut": data[:-1], "empty": b"", "longer": bytes(data) + b"x", "foreign": b"hello" * 100}
    path.write_bytes(bytes(damaged.get(damage, data)))
    again = EmbeddingCache(tmp_path, tiny_sam())
    assert torch.equal(again.get(rgb).features, wanted)
    assert (again.repaired, again.made, again.hits) == (1, 1, 0)
    assert torch.equal(again.get(rgb).features, wanted)
    assert again.hits == 1


def test_keys_tell_images_shapes_and_models_apart(tmp_path, rgb) -> None:
    cache = EmbeddingCache(tmp_path, tiny_sam())
    changed = rgb.copy()
    changed[0, 0, 0] ^= 1
    keys = {cache.key(rgb), cache.key(changed), cache.key(rgb.reshape(60, 40, 3))}
    keys.add(EmbeddingCache(tmp_path, tiny_sam(seed=1)).key(rgb))
    assert len(keys) == 4
    assert cache.key(rgb) == cache.key(np.asfortranarray(rgb))


def test_several_processes_may_fill_one_cache(tmp_path, rgb) -> None:
    def fill(_: int) -> torch.Tensor:
        return EmbeddingCache(tmp_path, tiny_sam()).get(rgb).features

    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(fill, range(12))
    assert all(torch.equal(first, other) for other in others)
    assert [path.suffix for path in tmp_path.rglob("*.*")] == [".npy"]


def test_a_limit_keeps_what_was_used_last(tmp_path) -> None:
    sam = tiny_sam()
    pictures = [np.full((40, 60, 3), i, np.uint8) for i in range(6)]
    entry_gib = (256 * EMBEDDING_SIZE**2 * 2 + 132) / 2**30
    cache = EmbeddingCache(tmp_path, sam, limit_gib=3.5 * entry_gib)
    for number, rgb in enumerate(pictures[:3]):
        cache.get(rgb)
        os.utime(cache.path(cache.key(rgb)), (number, number))
    cache.get(pictures[0])  # used again, so the second is now the oldest
    EmbeddingCache(tmp_path, sam, limit_gib=3.5 * entry_gib).get(pictures[3])
    assert [cache.path(cache.key(rgb)).exists() for rgb in pictures[:4]] == [True, False, True, True]
    for rgb in pictures:
        cache.get(rgb)
    assert len(list(tmp_path.glob("*/*.npy"))) == 3
    assert cache.evicted >= 3


def test_a_limit_that_cannot_hold_the_run_is_refused(tmp_path) -> None:
    cache = EmbeddingCache(tmp_path, tiny_sam(), limit_gib=0.01)
    cache.require_space(5)
    with pytest.raises(SaomBenchError, match="raise --cache-limit"):
        cache.require_space(6)


def test_a_full_disk_is_found_before_the_work(tmp_path) -> None:
    cache = EmbeddingCache(tmp_path / "new", tiny_sam())
    cache.require_space(1)
    with pytest.raises(SaomBenchError, match="--cache"):
        cache.require_space(10**9)


def test_the_default_folder_follows_the_environment(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("SAOM_BENCH_CACHE", str(tmp_path))
    assert default_cache_dir() == tmp_path / "embeddings"
    monkeypatch.delenv("SAOM_BENCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_cache_dir() == tmp_path / "xdg" / "saom-bench" / "embeddings"
