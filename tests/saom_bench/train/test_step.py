"""A step: what moves and what does not, chunks, the schedule, and what stops it. ``test_published`` has the sums."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from shards_fixture import make_shards
from tiny_sam import tiny_sam

from saom_bench.errors import SaomBenchError
from saom_bench.shards.dataset import open_dataset
from saom_bench.train.batches import image_prompts
from saom_bench.train.loading import StepImage
from saom_bench.train.loop import trainable
from saom_bench.train.recipe import Recipe
from saom_bench.train.step import TERMS, learning_rate_at, move, packs, step_losses

PUBLISHED = Recipe(
    grid=(16, 16), prior="image", snap="nearest", small_masks="drop", mask_reduction="sum", prompts_per_chunk=2
)
CLASSES = 54


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return open_dataset(make_shards(tmp_path_factory.mktemp("data"), frames=1, size_hw=(60, 80)))[0]


@pytest.fixture(scope="module")
def samples(tmp_path_factory, sample):
    """Images of two sizes."""
    wide = open_dataset(make_shards(tmp_path_factory.mktemp("wide"), frames=1, size_hw=(24, 120)))
    return [sample, wide[0], sample]


def _double_sam():
    return tiny_sam(n_classes=CLASSES).double()


def _step_image(sam, sample, recipe):
    embedding = sam.encode(sample.rgb)
    return StepImage(image_prompts(sample, 0, embedding, recipe), sample.labels, embedding)


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


@pytest.mark.parametrize("loss_size", ["image", "low"])
def test_two_choices_of_mask_share_the_weight(sample, loss_size) -> None:
    sam = _double_sam()
    image = _step_image(sam, sample, PUBLISHED)
    by_iou, by_loss, both = (
        step_losses(sam, [image], replace(PUBLISHED, loss_size=loss_size, mask_choice=choice))
        for choice in ("predicted-iou", "loss", "both")
    )
    assert by_loss["dice"] + by_loss["focal"] < by_iou["dice"] + by_iou["focal"]
    for name in ("dice", "focal"):
        assert both[name] == pytest.approx((by_iou[name] + by_loss[name]) / 2)


@pytest.mark.parametrize(
    "change", [{}, {"loss_size": "low"}, {"mask_choice": "loss", "iou_weight": 0.5}, {"mask_choice": "both"}]
)
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


@pytest.mark.parametrize("change", [{}, {"mask_choice": "loss", "iou_weight": 0.5, "loss_size": "low"}])
def test_prompts_of_several_images_decoded_together_give_the_same_gradients(samples, change) -> None:
    gradients, losses = [], []
    for size in (7, 1000):
        recipe = replace(PUBLISHED, prompts_per_chunk=size, **change)
        sam = _double_sam()
        parameters = trainable(sam, recipe)
        losses.append(dict.fromkeys(("total", *TERMS), 0.0))
        images = [_step_image(sam, sample, recipe) for sample in samples]
        count = sum(len(image.prompts) for image in images)
        # One by one against all at once, in packs that end in the middle of an image.
        for part in [[image] for image in images] if size == 1000 else [images]:
            for name, value in step_losses(sam, part, recipe, count).items():
                losses[-1][name] += value
        gradients.append({name: p.grad for name, p in parameters.items()})
    assert losses[0] == pytest.approx(losses[1])
    assert losses[0]["total"] > 1
    for name, value in gradients[0].items():
        torch.testing.assert_close(value, gradients[1][name], atol=1e-9, rtol=1e-6, msg=name)


def test_packs_are_full_and_in_order(sample) -> None:
    sam = _double_sam()
    image = _step_image(sam, sample, PUBLISHED)
    ready = [SimpleNamespace(image=image)] * 3
    count = len(image.prompts)
    got = [[(part.start, part.stop) for _, part in pack] for pack in packs(ready, count + 1)]
    assert got == [[(0, count), (0, 1)], [(1, count), (0, 2)], [(2, count)]]


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_16_bit_arithmetic_is_near_to_32(sample, precision) -> None:
    losses = []
    for kind in ("float32", precision):
        recipe = replace(PUBLISHED, precision=kind)
        sam = tiny_sam(n_classes=CLASSES)
        parameters = trainable(sam, recipe)
        optimizer = torch.optim.AdamW(parameters.values(), lr=1e-3)
        scaler = torch.amp.GradScaler("cpu") if kind == "float16" else None
        losses.append(step_losses(sam, [_step_image(sam, sample, recipe)], recipe, None, scaler))
        before = sam.mask_decoder.mask_tokens.weight.clone()
        assert math.isfinite(move(optimizer, 1e-3, 1.0, scaler))
        assert not torch.equal(before, sam.mask_decoder.mask_tokens.weight)
    assert losses[1]["total"] == pytest.approx(losses[0]["total"], rel=0.05)


def test_running_out_of_memory_says_what_to_lower(sample, monkeypatch) -> None:
    sam = _double_sam()
    image = _step_image(sam, sample, PUBLISHED)

    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(sam, "decode_together", full)
    with pytest.raises(SaomBenchError, match="prompts_per_chunk=4, or set loss_size=low, or precision=bfloat16"):
        step_losses(sam, [image], replace(PUBLISHED, prompts_per_chunk=8))


def test_pixels_to_ignore_move_nothing(sample) -> None:
    """What the masks are in the ignored class's pixels makes no difference to the loss, and elsewhere it does."""
    other = sample.instances[0].object_type
    recipe = replace(PUBLISHED, ignore_classes=(other,), class_weight=0.0, loss_size="image")
    sam = _double_sam()
    image = _step_image(sam, sample, recipe)
    ignored = np.isin(image.labels, image.prompts.ignored)
    assert ignored.any()
    assert not np.isin(image.prompts.labels, image.prompts.ignored).any()

    def loss_with(pixels) -> float:
        def upscale(low, embedding):
            logits = type(sam).upscale(sam, low, embedding)
            return torch.where(torch.from_numpy(pixels), logits + 3, logits)

        sam.__dict__["upscale"] = upscale
        try:
            return step_losses(sam, [image], recipe)["total"]
        finally:
            del sam.__dict__["upscale"]

    nothing = np.zeros_like(ignored)
    assert loss_with(ignored) == pytest.approx(loss_with(nothing), abs=1e-12)
    assert abs(loss_with(~ignored) - loss_with(nothing)) > 1e-3


def test_rare_classes_weigh_more(sample) -> None:
    recipe = replace(PUBLISHED, class_balance="full", mask_reduction="mean")
    sam = _double_sam()
    trainable(sam, recipe)
    image = _step_image(sam, sample, recipe)
    plain = step_losses(sam, [image], recipe)
    weight = np.zeros(len(image.prompts), np.float32)
    weight[0] = 2.0
    heavy = step_losses(sam, [replace(image, prompts=replace(image.prompts, weight=weight))], recipe)
    alone = step_losses(sam, [replace(image, prompts=image.prompts.subset(np.array([0])))], recipe)
    assert plain["dice"] != heavy["dice"]
    assert heavy["dice"] == pytest.approx(2 * alone["dice"] / len(image.prompts))
    assert heavy["class"] == pytest.approx(2 * alone["class"] / len(image.prompts))


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
