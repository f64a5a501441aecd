"""A step: what moves and what does not, chunks, the schedule, and what stops it. ``test_published`` has the sums."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from shards_fixture import make_shards
from tiny_sam import tiny_sam

from saom_bench.errors import SaomBenchError
from saom_bench.shards.dataset import open_dataset
from saom_bench.train.batches import image_prompts
from saom_bench.train.loop import trainable
from saom_bench.train.recipe import Recipe
from saom_bench.train.step import StepImage, learning_rate_at, move, step_losses

PUBLISHED = Recipe(
    grid=(16, 16), prior="image", snap="nearest", small_masks="drop", mask_reduction="sum", prompts_per_chunk=2
)
CLASSES = 54


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return open_dataset(make_shards(tmp_path_factory.mktemp("data"), frames=1, size_hw=(60, 80)))[0]


def _double_sam():
    return tiny_sam(n_classes=CLASSES).double()


def _step_image(sam, sample, recipe):
    embedding = sam.encode(sample.rgb)
    return StepImage(image_prompts(sample, 0, embedding, recipe), embedding, sample.labels)


def test_frozen_parts_do_not_move(sample) -> None:
    sam = _double_sam()
    before = {name: value.clone() for name, value in sam.state_dict().items()}
    parameters = trainable(sam, PUBLISHED)
    optimizer = torch.optim.AdamW(parameters.values(), lr=1e-2)
    step_losses(sam, [_step_image(sam, sample, PUBLISHED)], PUBLISHED)
    move(optimizer, 1e-2, 0.0)
    still = {name for name, value in sam.state_dict().items() if torch.equal(value, before[name])}
    assert {n for n in before if "iou_prediction_head" in n or "mask_downscaling" in n} <= still
    assert "mask_decoder.mask_tokens.weight" not in still
    assert "class_head.weight" not in still


def test_the_iou_head_trains_when_its_loss_has_weight(sample) -> None:
    recipe = replace(PUBLISHED, iou_weight=1.0, class_weight=0.0, loss_size="low")
    sam = _double_sam()
    parameters = trainable(sam, recipe)
    losses = step_losses(sam, [_step_image(sam, sample, recipe)], recipe)
    assert losses["iou"] > 0
    assert losses["class"] == 0
    assert parameters["mask_decoder.iou_prediction_head.layers.0.weight"].grad.abs().sum() > 0
    assert not any(name.startswith("class_head") for name in parameters)


@pytest.mark.parametrize("change", [{}, {"loss_size": "low"}, {"mask_choice": "loss", "iou_weight": 0.5}])
def test_gradients_do_not_depend_on_the_chunk_size(sample, change) -> None:
    gradients = []
    for size in (1, 100):
        recipe = replace(PUBLISHED, prompts_per_chunk=size, mask_reduction="mean", **change)
        sam = _double_sam()
        parameters = trainable(sam, recipe)
        step_losses(sam, [_step_image(sam, sample, recipe)] * 2, recipe)
        gradients.append([p.grad for p in parameters.values() if p.grad is not None])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-9, rtol=1e-6)


def test_a_loss_that_is_not_finite_names_the_image(sample) -> None:
    sam = _double_sam()
    image = _step_image(sam, sample, PUBLISHED)
    with torch.no_grad():
        sam.mask_decoder.mask_tokens.weight.fill_(float("nan"))
    with pytest.raises(SaomBenchError, match=f"loss became nan on {sample.key}"):
        step_losses(sam, [image], PUBLISHED)


def test_the_learning_rate_warms_up_and_falls_as_a_cosine() -> None:
    recipe = Recipe(learning_rate=1.0, warmup_steps=4)
    rates = [learning_rate_at(step, 100, recipe) for step in range(100)]
    assert rates[0] == pytest.approx(0.25)
    assert rates[50] == pytest.approx(0.5)
    assert rates[99] < 1e-3
    assert np.all(np.diff(rates[4:]) < 0)


def test_the_published_schedule_falls_by_epochs() -> None:
    recipe = Recipe(learning_rate=1.0, schedule="epoch")
    rates = [learning_rate_at(step, 8, recipe, steps_per_epoch=4) for step in range(8)]
    assert rates == pytest.approx([1.0] * 4 + [0.5] * 4)
