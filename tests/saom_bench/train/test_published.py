"""The engine against a plain, slow transcription of the published algorithm, one object at a time, in float64.

From the picture to the moved parameters: features, foreground cells, target feature, similarity, location prior, grid
point, the stock decoder's three masks, the chosen one, the three losses, and one step of the optimizer.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from shards_fixture import make_shards
from tiny_sam import EMBEDDING_SIZE, tiny_sam

from saom_bench.prompts import assign
from saom_bench.shards.dataset import open_dataset
from saom_bench.train.batches import image_prompts
from saom_bench.train.loading import StepImage
from saom_bench.train.loop import trainable
from saom_bench.train.recipe import load_recipe
from saom_bench.train.step import learning_rate_at, move, step_losses

# On an 80 x 60 picture the paper's own 32 x 32 points over 1024 pixels leave 2 x 2 to choose from; these leave 10 x 8.
PAPER = replace(load_recipe("paper"), grid=(128, 128), precision="float32", prompts_per_chunk=2)
SIDE = 16 * EMBEDDING_SIZE


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return open_dataset(make_shards(tmp_path_factory.mktemp("data"), frames=1, size_hw=(60, 80)))[0]


def _double_sam():
    return tiny_sam(n_classes=54).double()


class Published:
    """Sections 2 to 4 of the method for one image; every intermediate value is kept."""

    def __init__(self, sam, sample) -> None:
        self.sam, self.sample = sam, sample
        self.height, self.width = sample.size_hw
        scale = SIDE / max(sample.size_hw)
        self.input_hw = int(self.height * scale + 0.5), int(self.width * scale + 0.5)
        self.features = self._encode()
        self.labels, self.priors, self.points, self.classes = [], [], [], []
        for item in sample.instances:
            self._assign(item)
        self.low, self.iou, self.tokens = zip(*map(self._decode, self.points), strict=True)
        self.dice, self.focal, self.entropy = self._losses()

    def _encode(self):
        picture = Image.fromarray(self.sample.rgb).resize(self.input_hw[::-1], Image.Resampling.BILINEAR)
        mean, std = torch.tensor([123.675, 116.28, 103.53]), torch.tensor([58.395, 57.12, 57.375])
        pixels = ((torch.from_numpy(np.array(picture)).float() - mean) / std).permute(2, 0, 1)
        pixels = F.pad(pixels, (0, SIDE - self.input_hw[1], 0, SIDE - self.input_hw[0]))
        return self.sam.encoder[0](pixels.numpy(), torch.device("cpu")).double()

    def _assign(self, item) -> None:
        mask = (self.sample.labels == item.label).astype(np.uint8) * 255
        drawn = np.array(Image.fromarray(mask).resize(self.input_hw[::-1], Image.Resampling.BILINEAR))
        red = (torch.from_numpy(drawn).double() - 123.675) / 58.395
        red = F.pad(red, (0, SIDE - self.input_hw[1], 0, SIDE - self.input_hw[0]))[None, None]
        foreground = F.interpolate(red, (EMBEDDING_SIZE, EMBEDDING_SIZE), mode="bilinear")[0, 0] > 0
        if not foreground.any():
            return
        cells = self.features[:, foreground]
        target = (cells.max(dim=1).values + cells.mean(dim=1)) / 2
        similarity = F.cosine_similarity(target[:, None, None], self.features, dim=0)[None, None]
        similarity = F.interpolate(similarity, scale_factor=4, mode="bilinear")
        similarity = F.interpolate(similarity, (SIDE, SIDE), mode="bilinear")
        similarity = similarity[..., : self.input_hw[0], : self.input_hw[1]]
        similarity = F.interpolate(similarity, (self.height, self.width), mode="bilinear")[0, 0]
        y, x = divmod(int(similarity.argmax()), self.width)
        prior = np.array([x + 0.5, y + 0.5])
        nx, ny = PAPER.grid
        grid = np.array([((i + 0.5) / nx * 1024, (j + 0.5) / ny * 1024) for j in range(ny) for i in range(nx)])
        self.labels.append(item.label)
        self.classes.append(item.class_index)
        self.priors.append(prior)
        self.points.append(grid[np.linalg.norm(grid - prior, axis=1).argmin()])

    def _positions(self, unit_xy):
        frequencies = self.sam.prompt_encoder.pe_layer.positional_encoding_gaussian_matrix
        angles = 2 * torch.pi * ((2 * unit_xy - 1) @ frequencies)
        return torch.cat([angles.sin(), angles.cos()], dim=-1)

    def _decode(self, point):
        prompts, decoder = self.sam.prompt_encoder, self.sam.mask_decoder
        centres = (torch.arange(EMBEDDING_SIZE, dtype=torch.float64) + 0.5) / EMBEDDING_SIZE
        everywhere = torch.stack(torch.meshgrid(centres, centres, indexing="xy"), dim=-1)
        dense_pe = self._positions(everywhere).permute(2, 0, 1)[None]
        dense = prompts.no_mask_embed.weight.view(1, -1, 1, 1).expand(1, -1, EMBEDDING_SIZE, EMBEDDING_SIZE)
        scale = np.array([self.input_hw[1] / self.width, self.input_hw[0] / self.height])
        at = self._positions(torch.tensor((point * scale + 0.5) / SIDE)[None]) + prompts.point_embeddings[1].weight
        sparse = torch.stack([at, prompts.not_a_point_embed.weight], dim=1)
        tokens = []
        hook = decoder.transformer.register_forward_hook(lambda _m, _i, out: tokens.append(out[0][:, 0]))
        low, iou = decoder(self.features[None], dense_pe, sparse, dense, True)
        hook.remove()
        return low[0], iou[0], tokens[0]

    def _losses(self):
        dice = focal = entropy = torch.zeros((), dtype=torch.float64)
        for low, iou, token, label, index in zip(
            self.low, self.iou, self.tokens, self.labels, self.classes, strict=True
        ):
            full = F.interpolate(low[None], (SIDE, SIDE), mode="bilinear", align_corners=False)
            full = full[..., : self.input_hw[0], : self.input_hw[1]]
            full = F.interpolate(full, (self.height, self.width), mode="bilinear", align_corners=False)
            logits, truth = full[0, iou.argmax()], torch.from_numpy(self.sample.labels == label).double()
            p = torch.sigmoid(logits)
            dice = dice + 1 - (2 * (p * truth).sum() + 1) / (p.sum() + truth.sum() + 1)
            pt = torch.where(truth > 0, p, 1 - p)
            alpha = torch.where(truth > 0, 0.25, 0.75)
            focal = focal + (-alpha * (1 - pt) ** 2 * torch.log(pt)).mean()
            entropy = entropy + F.cross_entropy(self.sam.class_head(token), torch.tensor([index])) / len(self.labels)
        return dice, focal, entropy


def test_priors_points_masks_losses_and_a_step_equal_the_published_algorithm(sample) -> None:
    ours, plain = _double_sam(), _double_sam()
    parameters, wanted_parameters = trainable(ours, PAPER), trainable(plain, PAPER)
    wanted = Published(plain, sample)
    assert len(wanted.labels) >= 3

    embedding = ours.encode(sample.rgb)
    features = embedding.features.numpy()
    rule = {"prior": PAPER.prior, "grid_frame": PAPER.grid_frame, "snap": PAPER.snap}
    prompts = assign(features, embedding.input_hw, sample.labels, wanted.labels, grid=PAPER.grid, **rule)
    np.testing.assert_allclose(prompts.priors_xy, wanted.priors, atol=1e-6)
    assert len({tuple(prior) for prior in prompts.priors_xy.tolist()}) >= 2
    image = StepImage(image_prompts(sample, 0, embedding, PAPER), sample.labels, embedding)
    assert image.prompts.labels.tolist() == wanted.labels
    np.testing.assert_allclose(image.prompts.points_xy, wanted.points, atol=1e-6)

    decoded = ours.decode(embedding, torch.from_numpy(image.prompts.points_xy))
    exact = {"atol": 1e-6, "rtol": 0}
    torch.testing.assert_close(decoded.low_res_logits, torch.stack(wanted.low), **exact)
    torch.testing.assert_close(decoded.predicted_iou, torch.stack(wanted.iou), **exact)
    torch.testing.assert_close(decoded.iou_token, torch.cat(wanted.tokens), **exact)

    got = step_losses(ours, [image], PAPER)
    count = len(wanted.labels)
    assert got["dice"] * count == pytest.approx(wanted.dice.item(), abs=1e-6)
    assert got["focal"] * count == pytest.approx(wanted.focal.item(), abs=1e-6)
    assert got["class"] == pytest.approx(wanted.entropy.item(), abs=1e-6)

    optimizer = torch.optim.AdamW(parameters.values(), lr=PAPER.learning_rate, eps=PAPER.adam_eps)
    move(optimizer, learning_rate_at(0, PAPER.epochs, PAPER), 0.0)
    reference = torch.optim.AdamW(wanted_parameters.values(), lr=1e-3, eps=1e-4)
    (wanted.dice + wanted.focal + wanted.entropy).backward()
    reference.step()
    before, moved = _double_sam().state_dict(), 0.0
    for name, parameter in parameters.items():
        torch.testing.assert_close(parameter, wanted_parameters[name], atol=1e-6, rtol=0, msg=name)
        moved = max(moved, (parameter - before[name]).abs().max().item())
    assert moved > 5e-4


def test_what_is_as_published_in_the_recipe() -> None:
    paper = load_recipe("paper")
    assert (paper.grid_frame, paper.prior, paper.snap, paper.small_masks) == ("fixed-1024", "image", "nearest", "drop")
    assert (paper.mask_choice, paper.mask_reduction, paper.loss_size) == ("predicted-iou", "sum", "image")
    assert (paper.dice_weight, paper.focal_weight, paper.class_weight, paper.iou_weight) == (1, 1, 1, 0)
    assert (paper.learning_rate, paper.adam_eps, paper.weight_decay, paper.epochs) == (1e-3, 1e-4, 0.01, 500)
    assert (paper.schedule, paper.precision, paper.images_per_step, paper.seed) == ("epoch", "float16", 1, 42)
