"""A step against a plain, slow transcription of the published algorithm on stock modules, in float64."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
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


def _positions(sam, unit_xy):
    angles = 2 * torch.pi * ((2 * unit_xy - 1) @ sam.prompt_encoder.pe_layer.positional_encoding_gaussian_matrix)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def _published_losses(sam, image):
    """Sections 2 to 4, one prompt at a time: dice and focal summed over masks, cross-entropy averaged."""
    height, width = image.labels.shape
    side, cells = sam.image_size, image.embedding.features.shape[-1]
    tokens = []
    sam.mask_decoder.transformer.register_forward_hook(lambda _m, _i, out: tokens.append(out[0][:, 0]))
    centres = (torch.arange(cells, dtype=torch.float64) + 0.5) / cells
    grid = torch.stack(torch.meshgrid(centres, centres, indexing="xy"), dim=-1)
    dense_pe = _positions(sam, grid).permute(2, 0, 1)[None]
    dense = sam.prompt_encoder.no_mask_embed.weight.view(1, -1, 1, 1).expand(1, -1, cells, cells)
    dice = focal = entropy = torch.zeros((), dtype=torch.float64)
    for point, label, name in zip(
        image.prompts.points_xy, image.prompts.labels, image.prompts.class_index, strict=True
    ):
        scaled = torch.tensor(point, dtype=torch.float64) * torch.tensor(
            [image.embedding.input_hw[1] / width, image.embedding.input_hw[0] / height], dtype=torch.float64
        )
        at = _positions(sam, ((scaled + 0.5) / side)[None]) + sam.prompt_encoder.point_embeddings[1].weight
        sparse = torch.stack([at, sam.prompt_encoder.not_a_point_embed.weight], dim=1)
        low, iou = sam.mask_decoder(image.embedding.features.double()[None], dense_pe, sparse, dense, True)
        full = F.interpolate(low, (side, side), mode="bilinear", align_corners=False)
        full = full[..., : image.embedding.input_hw[0], : image.embedding.input_hw[1]]
        full = F.interpolate(full, (height, width), mode="bilinear", align_corners=False)
        logits, truth = full[0, iou[0].argmax()], torch.from_numpy(image.labels == label).double()
        p = torch.sigmoid(logits)
        dice = dice + 1 - (2 * (p * truth).sum() + 1) / (p.sum() + truth.sum() + 1)
        pt = torch.where(truth > 0, p, 1 - p)
        alpha = torch.where(truth > 0, 0.25, 0.75)
        focal = focal + (-alpha * (1 - pt) ** 2 * torch.log(pt)).mean()
        scores = sam.class_head(tokens[-1])
        entropy = entropy + F.cross_entropy(scores, torch.tensor([int(name)])) / len(image.prompts)
    return dice, focal, entropy


def test_one_step_equals_the_published_algorithm(sample) -> None:
    ours, plain = _double_sam(), _double_sam()
    image = _step_image(ours, sample, PUBLISHED)
    assert len(image.prompts) >= 3
    parameters = trainable(ours, PUBLISHED)
    optimizer = torch.optim.AdamW(parameters.values(), lr=1e-3, eps=1e-4)
    got = step_losses(ours, [image], PUBLISHED)
    move(optimizer, learning_rate_at(0, 500, PUBLISHED), 0.0)

    wanted_parameters = trainable(plain, PUBLISHED)
    reference = torch.optim.AdamW(wanted_parameters.values(), lr=1e-3, eps=1e-4)
    dice, focal, entropy = _published_losses(plain, image)
    (dice + focal + entropy).backward()
    reference.step()

    count = len(image.prompts)
    assert got["dice"] == pytest.approx(dice.item() / count, abs=1e-6)
    assert got["focal"] == pytest.approx(focal.item() / count, abs=1e-6)
    assert got["class"] == pytest.approx(entropy.item(), abs=1e-6)
    before = _double_sam().state_dict()
    moved = 0.0
    for name, parameter in parameters.items():
        torch.testing.assert_close(parameter, wanted_parameters[name], atol=1e-6, rtol=0, msg=name)
        moved = max(moved, (parameter - before[name]).abs().max().item())
    assert moved > 5e-4


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
