"""One optimisation step: decode the prompts of a few images in chunks, add up the losses' gradients, move once.

The gradient is that of the whole step's loss, whatever the chunk size: each chunk's share is divided by the step's
count of prompts before it is differentiated.
"""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor

from saom_bench.errors import SaomBenchError
from saom_bench.sam.model import Decoded, Embedding, Sam
from saom_bench.train.batches import ImagePrompts, chunks, full_targets, low_size, low_targets
from saom_bench.train.losses import best_by_loss, dice_loss, focal_loss, iou_loss, take
from saom_bench.train.recipe import Recipe
from saom_bench.types import FloatArray, LabelMap

TERMS = ("dice", "focal", "class", "iou")


@dataclass(frozen=True)
class StepImage:
    """All that a step needs of one image."""

    prompts: ImagePrompts
    embedding: Embedding
    labels: LabelMap


def step_losses(sam: Sam, images: Sequence[StepImage], recipe: Recipe) -> dict[str, float]:
    """Add the gradients of a step's loss to the parameters; returns the mean of each term per prompt, and "total".

    Raises SaomBenchError, naming the images, when the loss is not finite or the device runs out of memory.
    """
    count = sum(len(image.prompts) for image in images)
    sums = {name: torch.zeros((), device=sam.device) for name in ("total", *TERMS)}
    try:
        for image in images:
            for part in chunks(len(image.prompts), recipe.prompts_per_chunk):
                terms = chunk_losses(sam, image, part, recipe)
                loss = combine(terms, recipe, count)
                loss.backward()  # type: ignore[no-untyped-call]
                sums["total"] += loss.detach()
                for name, values in terms.items():
                    sums[name] += values.detach().sum() / count
    except torch.OutOfMemoryError as error:
        raise SaomBenchError(
            f"the device ran out of memory decoding {recipe.prompts_per_chunk} prompts at once; lower it with "
            f"--set prompts_per_chunk={max(1, recipe.prompts_per_chunk // 2)}, or --set loss_size=low"
        ) from error
    # Read once, at the end: on a GPU every reading waits for all that was queued.
    losses = {name: float(value) for name, value in sums.items()}
    _require_finite(losses["total"], images)
    return losses


def chunk_losses(sam: Sam, image: StepImage, part: slice, recipe: Recipe) -> dict[str, Tensor]:
    """Every term for each prompt of a chunk: name -> (n,), unweighted."""
    points_xy = torch.from_numpy(image.prompts.points_xy[part]).to(sam.device)
    with autocast(sam, recipe):
        decoded = sam.decode(image.embedding, points_xy)
    return losses_of(sam, decoded, image, part, recipe)


def losses_of(sam: Sam, decoded: Decoded, image: StepImage, part: slice, recipe: Recipe) -> dict[str, Tensor]:
    """Every term for each prompt of a decoded chunk: name -> (n,), unweighted; a term without weight is left out."""
    wanted = image.prompts.labels[part]
    dtype = decoded.low_res_logits.dtype if decoded.low_res_logits.dtype == torch.float64 else torch.float32
    height, width = low_size(image.embedding.input_hw)
    low = decoded.low_res_logits[..., :height, :width].to(dtype)
    coarse = _on(sam, low_targets(image.labels, wanted, image.embedding.input_hw), dtype)
    if recipe.mask_choice == "loss":
        choice = best_by_loss(low, coarse[:, None], recipe.dice_weight, recipe.focal_weight)
    else:
        choice = decoded.predicted_iou.argmax(dim=1)
    if recipe.loss_size == "low":
        logits, targets = take(low, choice), coarse
    else:
        chosen = take(decoded.low_res_logits, choice)[:, None]
        logits = sam.upscale(chosen, image.embedding)[:, 0].to(dtype)
        targets = _on(sam, full_targets(image.labels, wanted), dtype)
    terms = {"dice": dice_loss(logits, targets), "focal": focal_loss(logits, targets)}
    if recipe.class_weight:
        classes = torch.from_numpy(image.prompts.class_index[part]).to(sam.device)
        scores = sam.classify(decoded.iou_token).to(dtype)
        terms["class"] = torch.nn.functional.cross_entropy(scores, classes, reduction="none")
    if recipe.iou_weight:
        terms["iou"] = iou_loss(decoded.predicted_iou.to(dtype), low, coarse[:, None])
    return terms


def combine(terms: dict[str, Tensor], recipe: Recipe, count: int) -> Tensor:
    """A chunk's share of the loss of a step of ``count`` prompts."""
    masks = recipe.dice_weight * terms["dice"].sum() + recipe.focal_weight * terms["focal"].sum()
    loss = masks / count if recipe.mask_reduction == "mean" else masks
    for name, weight in (("class", recipe.class_weight), ("iou", recipe.iou_weight)):
        if name in terms:
            loss = loss + weight * terms[name].sum() / count
    return loss


def move(optimizer: torch.optim.Optimizer, learning_rate: float, clip_norm: float) -> float:
    """Apply the gathered gradients at a learning rate, clipped where ``clip_norm`` > 0; returns their norm before."""
    parameters = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    norm = torch.nn.utils.clip_grad_norm_(parameters, clip_norm if clip_norm else float("inf"))
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return float(norm)


def learning_rate_at(step: int, total_steps: int, recipe: Recipe, steps_per_epoch: int = 1) -> float:
    """Linear warm-up, then a cosine to zero over all steps; ``step`` counts from 0."""
    warm = min(1.0, (step + 1) / recipe.warmup_steps) if recipe.warmup_steps else 1.0
    done = step if recipe.schedule == "step" else step // steps_per_epoch * steps_per_epoch
    return recipe.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * done / max(1, total_steps)))


def autocast(sam: Sam, recipe: Recipe) -> AbstractContextManager[object]:
    """The recipe's arithmetic for the decoder."""
    dtype = torch.float16 if recipe.precision == "float16" else torch.bfloat16
    return torch.autocast(sam.device.type, dtype, enabled=recipe.precision != "float32")


def _on(sam: Sam, array: FloatArray, dtype: torch.dtype) -> Tensor:
    return torch.from_numpy(array).to(sam.device, dtype)


def _require_finite(loss: float, images: Sequence[StepImage]) -> None:
    if not math.isfinite(loss):
        keys = ", ".join(image.prompts.key for image in images)
        raise SaomBenchError(
            f"the loss became {loss} on {keys}; lower learning_rate, or set grad_clip_norm=1, and train anew in "
            "another folder"
        )
