"""One optimisation step: decode the prompts of a few images in chunks, add up the losses' gradients, move once.

The gradient is that of the whole step's loss, whatever the chunk size and however many processes share the step: each
chunk's share is divided by the count of all the step's prompts before it is differentiated.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from saom_bench.errors import SaomBenchError
from saom_bench.sam.model import Decoded, Embedding, Sam
from saom_bench.sam.preprocess import low_size
from saom_bench.train.loading import StepImage
from saom_bench.train.losses import best_by_loss, dice_loss, focal_loss, iou_loss, take
from saom_bench.train.recipe import Recipe
from saom_bench.train.targets import targets
from saom_bench.types import FloatArray

TERMS = ("dice", "focal", "class", "iou")


@dataclass(frozen=True)
class _Ready:
    """An image with its features; where the encoder trains they are a leaf, and ``root`` leads on to the encoder."""

    image: StepImage
    embedding: Embedding
    root: Tensor | None = None


def step_losses(
    sam: Sam,
    images: Sequence[StepImage],
    recipe: Recipe,
    count: int | None = None,
    scaler: torch.amp.GradScaler | None = None,
) -> dict[str, float]:
    """Add the gradients of a step's loss to the parameters; returns what this process adds to it and to each term.

    Args:
        images: this process's part of the step.
        count: prompts of the whole step, over all processes; those of ``images`` if not given.
        scaler: scales the loss, for gradients in float16.

    Returns:
        "total" and the terms by name, whose sums over the processes are the loss and the means per prompt.

    Raises:
        SaomBenchError: the device runs out of memory; says which setting to lower.
    """
    if count is None:
        count = sum(len(image.prompts) for image in images)
    sums = {name: torch.zeros((), device=sam.device, dtype=torch.float64) for name in ("total", *TERMS)}
    # With a graph through the encoder an image at a time is all that memory should hold.
    groups = [[image] for image in images] if recipe.trains_encoder else [list(images)]
    with memory_advice(recipe):
        for group in groups:
            ready = [_ready(sam, image, recipe) for image in group]
            for pack in packs(ready, recipe.prompts_per_chunk):
                loss = _pack_loss(sam, pack, recipe, count, sums)
                (loss if scaler is None else scaler.scale(loss)).backward()  # type: ignore[no-untyped-call]
            for each in ready:
                if each.root is not None and each.embedding.features.grad is not None:
                    each.root.backward(each.embedding.features.grad)  # type: ignore[no-untyped-call]
    # Read once, at the end: on a GPU every reading waits for all that was queued.
    values = torch.stack(list(sums.values())).tolist()
    return dict(zip(sums, values, strict=True))


def packs(images: Sequence[_Ready], size: int) -> Iterator[list[tuple[_Ready, slice]]]:
    """The prompts of several images, in order, in packs of at most ``size``: each a list of images with a slice."""
    pack: list[tuple[_Ready, slice]] = []
    room = size
    for each in images:
        start, count = 0, len(each.image.prompts)
        while start < count:
            stop = min(count, start + room)
            pack.append((each, slice(start, stop)))
            room -= stop - start
            start = stop
            if not room:
                yield pack
                pack, room = [], size
    if pack:
        yield pack


def losses_of(
    sam: Sam, decoded: Decoded, image: StepImage, embedding: Embedding, part: slice, recipe: Recipe
) -> dict[str, Tensor]:
    """Every term for each prompt of a decoded part of an image: name -> (n,); a term without weight is left out.

    A prompt's own weight is in it, the term's is not.
    """
    prompts = image.prompts
    dtype = decoded.low_res_logits.dtype if decoded.low_res_logits.dtype == torch.float64 else torch.float32
    height, width = low_size(embedding.input_hw)
    low = decoded.low_res_logits[..., :height, :width].to(dtype)
    wanted, border = prompts.labels[part], recipe.ignore_border_px
    coarse, coarse_valid = _target_tensors(sam, image, part, recipe, embedding, dtype)
    choices = []
    if recipe.mask_choice != "predicted-iou":
        valid = None if coarse_valid is None else coarse_valid[:, None]
        choices.append(best_by_loss(low, coarse[:, None], recipe.dice_weight, recipe.focal_weight, valid))
    if recipe.mask_choice != "loss":
        choices.append(decoded.predicted_iou.argmax(dim=1))
    if recipe.loss_size == "low":
        chosen, truth, truth_valid = [take(low, choice) for choice in choices], coarse, coarse_valid
    else:
        masks = [take(decoded.low_res_logits, choice)[:, None].to(dtype) for choice in choices]
        chosen = [sam.upscale(mask, embedding)[:, 0] for mask in masks]
        full = targets(image.labels, wanted, prompts.ignored, border)
        truth, truth_valid = _on(sam, full.masks, dtype), None if full.valid is None else _on(sam, full.valid, dtype)
    terms = {
        "dice": torch.stack([dice_loss(logits, truth, truth_valid) for logits in chosen]).mean(dim=0),
        "focal": torch.stack([focal_loss(logits, truth, truth_valid) for logits in chosen]).mean(dim=0),
    }
    if recipe.class_weight:
        classes = torch.from_numpy(prompts.class_index[part]).to(sam.device)
        scores = sam.classify(decoded.iou_token).to(dtype)
        terms["class"] = torch.nn.functional.cross_entropy(scores, classes, reduction="none")
    if recipe.iou_weight:
        valid = None if coarse_valid is None else coarse_valid[:, None]
        terms["iou"] = iou_loss(decoded.predicted_iou.to(dtype), low, coarse[:, None], valid)
    if recipe.class_balance != "none":
        weight = _on(sam, prompts.weight[part], dtype)
        terms = {name: values * weight for name, values in terms.items()}
    return terms


def combine(terms: dict[str, Tensor], recipe: Recipe, count: int) -> Tensor:
    """A chunk's share of the loss of a step of ``count`` prompts."""
    masks = recipe.dice_weight * terms["dice"].sum() + recipe.focal_weight * terms["focal"].sum()
    loss = masks / count if recipe.mask_reduction == "mean" else masks
    for name, weight in (("class", recipe.class_weight), ("iou", recipe.iou_weight)):
        if name in terms:
            loss = loss + weight * terms[name].sum() / count
    return loss


def move(
    optimizer: torch.optim.Optimizer,
    learning_rate: float,
    clip_norm: float,
    scaler: torch.amp.GradScaler | None = None,
) -> float:
    """Apply the gathered gradients at a learning rate, clipped where ``clip_norm`` > 0; returns their norm before.

    A group's own "rate_factor" multiplies its rate. Nothing moves where the norm is not finite; a scaler then scales
    less from there on.
    """
    if scaler is not None:
        scaler.unscale_(optimizer)
    parameters = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    norm = float(torch.nn.utils.clip_grad_norm_(parameters, clip_norm if clip_norm else float("inf")))
    for group in optimizer.param_groups:
        group["lr"] = learning_rate * group.get("rate_factor", 1.0)
    if scaler is not None:
        scaler.step(optimizer)
        scaler.update()
    elif math.isfinite(norm):
        optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return norm


def learning_rate_at(step: int, total_steps: int, recipe: Recipe, steps_per_epoch: int = 1) -> float:
    """Linear warm-up, then a cosine to zero over all steps; ``step`` counts from 0."""
    warm = min(1.0, (step + 1) / recipe.warmup_steps) if recipe.warmup_steps else 1.0
    done = step if recipe.schedule == "step" else step // steps_per_epoch * steps_per_epoch
    return recipe.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * done / max(1, total_steps)))


def autocast(sam: Sam, recipe: Recipe) -> AbstractContextManager[object]:
    """The recipe's arithmetic for the decoder."""
    dtype = torch.float16 if recipe.precision == "float16" else torch.bfloat16
    return torch.autocast(sam.device.type, dtype, enabled=recipe.precision != "float32")


@contextmanager
def memory_advice(recipe: Recipe) -> Iterator[None]:
    """Turn running out of memory into a SaomBenchError that says which setting to lower."""
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
            raise
        raise SaomBenchError(f"the device ran out of memory {_what_to_lower(recipe)}") from error


def _what_to_lower(recipe: Recipe) -> str:
    encoder = "training the image encoder; " if recipe.trains_encoder else ""
    half = max(1, recipe.prompts_per_chunk // 2)
    return (
        f"{encoder}with {recipe.prompts_per_chunk} prompts decoded at once; lower that with --set "
        f"prompts_per_chunk={half}, or set loss_size=low, or precision=bfloat16"
    )


def _ready(sam: Sam, image: StepImage, recipe: Recipe) -> _Ready:
    if image.embedding is not None:
        return _Ready(image, image.embedding)
    if image.rgb is None:
        raise ValueError(f"{image.prompts.key} came with neither features nor pixels")
    with autocast(sam, recipe):
        embedding = sam.encode_with_gradient(image.rgb)
    leaf = embedding.features.detach().requires_grad_()
    return _Ready(image, replace(embedding, features=leaf), embedding.features)


def _pack_loss(
    sam: Sam, pack: list[tuple[_Ready, slice]], recipe: Recipe, count: int, sums: dict[str, Tensor]
) -> Tensor:
    """A pack's share of the step's loss; what it adds to each term goes into ``sums``."""
    points = [torch.from_numpy(each.image.prompts.points_xy[part]).to(sam.device) for each, part in pack]
    with autocast(sam, recipe):
        decoded = sam.decode_together([each.embedding for each, _ in pack], points)
    shares = []
    for (each, part), one in zip(pack, decoded, strict=True):
        terms = losses_of(sam, one, each.image, each.embedding, part, recipe)
        shares.append(combine(terms, recipe, count))
        for name, values in terms.items():
            sums[name] += values.detach().sum() / count
    loss = torch.stack(shares).sum()
    sums["total"] += loss.detach()
    return loss


def _target_tensors(
    sam: Sam, image: StepImage, part: slice, recipe: Recipe, embedding: Embedding, dtype: torch.dtype
) -> tuple[Tensor, Tensor | None]:
    low = targets(
        image.labels,
        image.prompts.labels[part],
        image.prompts.ignored,
        recipe.ignore_border_px,
        embedding.input_hw,
    )
    return _on(sam, low.masks, dtype), None if low.valid is None else _on(sam, low.valid, dtype)


def _on(sam: Sam, array: FloatArray, dtype: torch.dtype) -> Tensor:
    return torch.from_numpy(array).to(sam.device, dtype)
