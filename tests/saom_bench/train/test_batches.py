"""What a step trains on: assignment per image, draws that depend only on the seed, targets."""

from dataclasses import replace

import numpy as np
import pytest
from shards_fixture import make_shards
from tiny_sam import tiny_sam

from saom_bench.prompts import grid_points
from saom_bench.shards.dataset import open_dataset
from saom_bench.train.batches import draw, draw_points, epoch_order, mirror, prepare, prompts_drawn
from saom_bench.train.cache import EmbeddingCache
from saom_bench.train.recipe import Recipe
from saom_bench.train.targets import low_targets, targets

RECIPE = Recipe(grid=(16, 12), seed=3)


@pytest.fixture
def data(tmp_path):
    return open_dataset(make_shards(tmp_path / "data", frames=4))


@pytest.fixture
def cache(tmp_path):
    return EmbeddingCache(tmp_path / "cache", tiny_sam())


def test_every_object_gets_a_prompt_of_its_class(data, cache) -> None:
    images, tally = prepare(data, cache, RECIPE)
    assert len(images) == len(data) == tally.images
    assert tally.prompts == sum(len(data.objects(i)) for i in range(len(data)))
    for (image,), sample in zip(images, data, strict=True):
        assert image.key == sample.key
        assert image.labels.tolist() == [i.label for i in sample.instances]
        assert image.class_index.tolist() == [i.class_index for i in sample.instances]
    assert sum(tally.per_class.values()) == tally.prompts


def test_what_the_recipe_drops_is_counted(data, cache) -> None:
    coarse = replace(RECIPE, grid=(3, 3))
    kept, all_of_them = prepare(data, cache, coarse)
    dropped_images, tally = prepare(data, cache, replace(coarse, off_mask_prompts="drop"))
    assert all_of_them.off_mask == tally.off_mask > 0
    assert (all_of_them.dropped, tally.dropped) == (0, tally.off_mask)
    assert sum(len(v[0]) for v in kept) - tally.off_mask == sum(len(v[0]) for v in dropped_images)
    big_only = prepare(data, cache, replace(RECIPE, min_area_px=10**6))
    assert big_only[0] == []
    assert big_only[1].empty_images == len(data)


def test_a_mirrored_variant_lies_on_the_mirrored_objects(data, cache) -> None:
    images, _ = prepare(data, cache, replace(RECIPE, flip=True))
    plain, mirrored = images[0]
    assert (plain.mirrored, mirrored.mirrored) == (False, True)
    labels = mirror(data[0].labels)
    columns, rows = np.floor(mirrored.points_xy).astype(int).T
    assert (labels[rows, columns] == mirrored.labels).mean() > 0.5


def test_draws_depend_on_the_epoch_and_the_seed_alone(data, cache) -> None:
    images, _ = prepare(data, cache, RECIPE)
    few = replace(RECIPE, max_prompts_per_image=2)
    draws = [draw(images[0], few, epoch, 0).labels.tolist() for epoch in range(20)]
    assert draws == [draw(images[0], few, epoch, 0).labels.tolist() for epoch in range(20)]
    assert all(len(set(d)) == 2 for d in draws)
    assert len({tuple(d) for d in draws}) > 1
    assert epoch_order(9, 0, 1) == epoch_order(9, 0, 1) != epoch_order(9, 0, 2)
    assert sorted(epoch_order(9, 0, 1)) == list(range(9))


def test_moved_points_stay_on_the_grid_and_on_their_object(data, cache) -> None:
    (image,) = prepare(data, cache, RECIPE)[0][0]
    labels = data[0].labels
    moved = draw_points(image, labels, replace(RECIPE, random_point_rate=1.0), epoch=0, position=0)
    grid = {tuple(p) for p in grid_points(16, 12, labels.shape).tolist()}
    assert {tuple(p) for p in moved.points_xy.tolist()} <= grid
    columns, rows = np.floor(moved.points_xy).astype(int).T
    on_before = labels[tuple(np.floor(image.points_xy).astype(int).T[::-1])] == image.labels
    assert (labels[rows, columns] == image.labels)[on_before].all()
    assert not np.array_equal(moved.points_xy, image.points_xy)
    assert draw_points(image, labels, RECIPE, 0, 0) is image


def test_several_points_of_an_object_lie_on_it_and_change_by_epoch(data, cache) -> None:
    (image,) = prepare(data, cache, RECIPE)[0][0]
    labels, recipe = data[0].labels, replace(RECIPE, points_per_mask=3)
    one, two = (draw_points(image, labels, recipe, epoch, position=0) for epoch in (0, 1))
    assert one.labels.tolist() == np.repeat(image.labels, 3).tolist()
    assert len(one) == prompts_drawn([image], recipe, 0, 0) == 3 * len(image)
    np.testing.assert_array_equal(one.points_xy[::3], image.points_xy)  # the assigned one comes first
    assert not np.array_equal(one.points_xy, two.points_xy)
    columns, rows = np.floor(one.points_xy).astype(int).T
    assert (labels[rows, columns] == one.labels).all()


def test_ignored_classes_make_no_prompts(data, cache) -> None:
    name = data[0].instances[0].object_type
    images, tally = prepare(data, cache, replace(RECIPE, ignore_classes=(name,)))
    index = data.label_set.index_of(name)
    assert tally.dropped > 0
    assert index not in tally.per_class
    assert data[0].instances[0].label in images[0][0].ignored


@pytest.mark.parametrize(("balance", "power"), [("sqrt", 0.5), ("full", 1.0)])
def test_rare_classes_weigh_more_and_all_weigh_one_on_average(data, cache, balance, power) -> None:
    images, tally = prepare(data, cache, replace(RECIPE, class_balance=balance))
    weights = np.concatenate([image.weight for (image,) in images])
    classes = np.concatenate([image.class_index for (image,) in images])
    assert weights.mean() == pytest.approx(1.0, abs=1e-6)
    counts = np.array([tally.per_class[int(index)] for index in classes])
    assert len(set(counts.tolist())) > 1
    np.testing.assert_allclose(weights * counts**power, weights[0] * counts[0] ** power, rtol=1e-5)


def test_the_border_of_an_object_may_be_ignored() -> None:
    labels = np.zeros((40, 40), np.uint16)
    labels[10:30, 10:30] = 3
    got = targets(labels, np.array([3], np.uint16), np.zeros(0, np.uint16), border_px=2)
    assert got.valid[0, 20, [5, 9, 10, 20]].tolist() == [1, 0, 0, 1]
    assert got.valid[0].sum() == 40 * 40 - (24**2 - 16**2) + 4 * 2  # a disc leaves two pixels of each outer corner
    low = targets(labels, np.array([3], np.uint16), np.array([3], np.uint16), 0, (80, 80))
    assert low.masks.shape == low.valid.shape == (1, 20, 20)
    assert low.valid[0, 10, 10] == 0
    assert targets(labels, np.array([3], np.uint16), np.zeros(0, np.uint16), 0).valid is None


def test_low_targets_are_coverage() -> None:
    labels = np.zeros((64, 128), np.uint16)
    labels[:32] = 5
    labels[40:41, :4] = 6
    low = low_targets(labels, np.array([5, 6], np.uint16), (128, 256))
    assert low.shape == (2, 32, 64)
    assert low[0].sum() == 16 * 64
    assert low[1].sum() == pytest.approx(1.0)
    assert low[1].max() == pytest.approx(0.5)
