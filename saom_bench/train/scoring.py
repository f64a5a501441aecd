"""The mask scorer's own training, after the decoder's: every prompt is decoded once, and the scorer learns from that.

The decoder no longer moves, so what the scorer sees of a prompt never changes, and its epochs take seconds.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from saom_bench.errors import SaomBenchError
from saom_bench.prompts import grid_points
from saom_bench.sam.model import Sam
from saom_bench.sam.preprocess import low_size
from saom_bench.sam.scorer import MASKS, MaskScorer
from saom_bench.train.batches import chunks, epoch_order
from saom_bench.train.loading import StepImage
from saom_bench.train.losses import mask_iou
from saom_bench.train.ranks import ALONE, Ranks
from saom_bench.train.recipe import Recipe
from saom_bench.train.step import autocast
from saom_bench.train.targets import targets
from saom_bench.types import FloatArray

MOST_PROMPTS = 50_000
"""Of a dataset with more, some images are left out: of so many, and half as many beside them, it takes 280 MB."""
_BATCH = 64
_LEARNING_RATE, _WEIGHT_DECAY, _WARMUP_STEPS = 1e-3, 0.3, 50
_LABEL_SMOOTHING = 0.05
# The IoU's squared error is small beside a cross-entropy. The ranking asks for the best of three, whatever its IoU.
_ERROR_WEIGHT, _RANKING_WEIGHT, _RANKING_SHARPNESS = 10.0, 0.5, 10.0


class Load(Protocol):
    """Reads the image at a position of the usable ones, with its prompts."""

    def __call__(self, position: int) -> StepImage:
        """The image."""


@dataclass(frozen=True)
class Examples:
    """What a decoder makes of N prompts, and how good that is."""

    seen: NDArray[np.float16]
    """(N, D) what ``Sam.look`` gives."""
    predicted_iou: FloatArray
    """(N, 3) by the decoder's IoU head."""
    true_iou: FloatArray
    """(N, 3)."""
    class_index: NDArray[np.int64]
    """(N,) -1 where the prompt lies on none of the objects; its masks' IoUs then count for nothing."""
    weight: FloatArray
    """(N,) how much each prompt counts."""

    def __len__(self) -> int:
        return len(self.class_index)


def chosen_images(counts: Sequence[int], seed: int) -> list[int]:
    """The images to learn from, in order: all, or a random part of those that have more than ``MOST_PROMPTS``."""
    order = epoch_order(len(counts), seed, epoch=0)
    total = np.cumsum([counts[position] for position in order])
    return sorted(order[: max(1, int(np.searchsorted(total, MOST_PROMPTS, side="right")))])


def examples(
    sam: Sam, load: Load, wanted: Sequence[int], recipe: Recipe, advance: Callable[[], None], ranks: Ranks = ALONE
) -> Examples:
    """Decode the prompts of the wanted images, each process its share of them; all processes get all examples."""

    def made() -> Iterator[Examples]:
        for position in ranks.share(wanted):
            yield _of_image(sam, load(position), recipe)
            advance()

    parts = ranks.merge(list(made()))
    columns = zip(*((p.seen, p.predicted_iou, p.true_iou, p.class_index, p.weight) for p in parts), strict=True)
    return Examples(*(np.concatenate(column) for column in columns))


def fit(scorer: MaskScorer, found: Examples, recipe: Recipe, log: Callable[..., None]) -> None:
    """Train a scorer; ``log`` gets the mean losses of each epoch. The same seed gives the same scorer."""
    device = scorer.hidden.weight.device
    optimizer = torch.optim.AdamW(scorer.parameters(), lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    batches = -(-len(found) // _BATCH)
    steps = batches * recipe.scorer_epochs
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
    scorer.requires_grad_(True)
    for epoch in range(recipe.scorer_epochs):
        order = np.array(epoch_order(len(found), recipe.seed, epoch))
        sums: dict[str, Tensor] = {}
        for part in chunks(len(found), _BATCH):
            losses = _losses(scorer, found, order[part], device)
            optimizer.zero_grad()
            torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            for name, value in losses.items():
                sums[name] = sums.get(name, torch.zeros((), device=device)) + value.detach() / batches
        means = {name: float(value) for name, value in sums.items()}
        if not np.isfinite(list(means.values())).all():
            raise SaomBenchError(f"the mask scorer's losses became {means}; the decoder is damaged, train it anew")
        log(scorer_epoch=epoch + 1, **means)
    scorer.requires_grad_(False)


def _rate(step: int, steps: int) -> float:
    return min(1.0, (step + 1) / _WARMUP_STEPS) * 0.5 * (1 + float(np.cos(np.pi * step / steps)))


def _losses(scorer: MaskScorer, found: Examples, rows: NDArray[np.intp], device: torch.device) -> dict[str, Tensor]:
    """The terms of a batch's loss, weighted and averaged over its prompts."""
    seen, predicted_iou, true_iou, weight = (
        torch.from_numpy(values[rows]).to(device, torch.float32)
        for values in (found.seen, found.predicted_iou, found.true_iou, found.weight)
    )
    iou, classes = scorer(seen, predicted_iou)
    ranking = (_RANKING_SHARPNESS * iou).log_softmax(dim=1) * (_RANKING_SHARPNESS * true_iou).softmax(dim=1)
    terms = {
        "iou": _ERROR_WEIGHT * (iou - true_iou).square().mean(dim=1),
        "ranking": -_RANKING_WEIGHT * ranking.sum(dim=1),
    }
    wanted = torch.from_numpy(found.class_index[rows]).to(device)
    terms = {name: values * (wanted >= 0) for name, values in terms.items()}
    if classes is not None:
        wanted = torch.where(wanted < 0, classes.shape[1] - 1, wanted)
        terms["class"] = F.cross_entropy(classes, wanted, reduction="none", label_smoothing=_LABEL_SMOOTHING)
    return {name: (weight * values).mean() for name, values in terms.items()}


@torch.no_grad()
def _of_image(sam: Sam, image: StepImage, recipe: Recipe) -> Examples:
    """The prompts of an image's objects, and half as many beside all objects."""
    prompts, embedding = image.prompts, image.embedding
    if embedding is None:
        if image.rgb is None:
            raise ValueError(f"{prompts.key} came with neither features nor pixels")
        embedding = sam.encode(image.rgb)
    truth = targets(image.labels, prompts.labels, prompts.ignored, recipe.ignore_border_px, embedding.input_hw)
    counted = torch.from_numpy(np.ones_like(truth.masks) if truth.valid is None else truth.valid) > 0.5
    wanted = (torch.from_numpy(truth.masks) > 0.5) & counted
    beside = _points_beside(image, recipe)
    points_xy = np.concatenate([prompts.points_xy, beside])
    seen, predicted, true = [], [], [np.zeros((0, MASKS), np.float32)]
    height, width = low_size(embedding.input_hw)
    for part in chunks(len(points_xy), recipe.prompts_per_chunk):
        with autocast(sam, recipe):
            decoded = sam.decode(embedding, torch.from_numpy(points_xy[part]).to(sam.device), padding=False)
        predicted.append(decoded.predicted_iou.float().cpu().numpy())
        seen.append(sam.look(decoded, embedding).cpu().numpy().astype(np.float16))
        found = (decoded.low_res_logits[: len(wanted[part]), :, :height, :width] > 0).cpu() & counted[part, None]
        true.append(mask_iou(found, wanted[part, None]).numpy())
    if not all(np.isfinite(values).all() for values in (*seen, *predicted)):
        raise SaomBenchError(
            f"the decoder's masks of {prompts.key} are not finite; train it anew with a lower learning_rate or "
            "precision=float32"
        )
    return Examples(
        np.concatenate(seen),
        np.concatenate(predicted),
        np.concatenate([*true, np.zeros((len(beside), MASKS), np.float32)]),
        np.concatenate([prompts.class_index, np.full(len(beside), -1)]),
        np.concatenate([prompts.weight, np.ones(len(beside), np.float32)]),
    )


def _points_beside(image: StepImage, recipe: Recipe) -> FloatArray:
    """Grid points of an image on none of its objects, (M, 2): random ones, half as many as it has prompts."""
    labels = image.labels
    grid_xy = grid_points(*recipe.grid, (labels.shape[0], labels.shape[1]))
    columns, rows = np.floor(grid_xy).astype(np.intp).T
    free = np.flatnonzero(labels[rows, columns] == 0)
    rng = np.random.default_rng([recipe.seed, image.prompts.index])
    chosen: FloatArray = grid_xy[rng.permutation(free)[: (len(image.prompts) + 1) // 2]]
    return chosen
