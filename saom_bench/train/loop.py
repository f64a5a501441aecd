"""The training loop: epochs of steps with validation, checkpoints and a resume state, until the schedule ends.

``last.safetensors`` is the model after the latest epoch, ``best.safetensors`` the one of the highest validation mIoU.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from saom_bench.sam.checkpoint import save_checkpoint
from saom_bench.sam.model import Sam
from saom_bench.shards.dataset import ShardDataset
from saom_bench.train.batches import ImagePrompts, draw, epoch_order, mirror, move_points
from saom_bench.train.cache import EmbeddingCache
from saom_bench.train.recipe import Recipe
from saom_bench.train.state import Position, RunLog, load_state, save_state
from saom_bench.train.step import StepImage, learning_rate_at, move, step_losses
from saom_bench.train.validate import validate

LAST, BEST = "last.safetensors", "best.safetensors"
_SMOOTHING = 0.9


class Watcher(Protocol):
    """Who is told how a run goes: a progress display, or nobody."""

    def stepped(self, images: int, smooth_loss: float) -> None:
        """A step over so many images is done."""

    def validating(self, images: int) -> None:
        """A validation of so many images begins."""

    def validated_image(self) -> None:
        """One image of a validation is done."""

    def validated(self, epoch: int, scores: Mapping[str, float], best: bool) -> None:
        """A validation is done; epoch 0 is the base model's."""


class Unwatched:
    """A watcher that does nothing."""

    def stepped(self, images: int, smooth_loss: float) -> None:
        """Nothing."""

    def validating(self, images: int) -> None:
        """Nothing."""

    def validated_image(self) -> None:
        """Nothing."""

    def validated(self, epoch: int, scores: Mapping[str, float], best: bool) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Job:
    """All that a run needs: what to train, on what, how, and where to."""

    out: Path
    recipe: Recipe
    sam: Sam
    train_data: ShardDataset
    val_data: ShardDataset
    train_images: Sequence[Sequence[ImagePrompts]]
    """Per usable image its variants, from ``batches.prepare``."""
    val_images: Sequence[ImagePrompts]
    cache: EmbeddingCache
    metadata: Mapping[str, Any]
    """Goes into every checkpoint: recipe, fingerprints, versions, command."""


def steps_of(images: int, recipe: Recipe) -> tuple[int, int]:
    """Steps in an epoch over so many images, and in the whole run."""
    per_epoch = -(-images // recipe.images_per_step)
    total = per_epoch * recipe.epochs
    return per_epoch, min(total, recipe.max_steps) if recipe.max_steps else total


def trainable(sam: Sam, recipe: Recipe) -> dict[str, nn.Parameter]:
    """Freeze all but what the recipe trains; returns that by name."""
    wanted = sam.trainable_parameters(iou_head=recipe.iou_weight > 0)
    if not recipe.class_weight:
        wanted = {name: p for name, p in wanted.items() if not name.startswith("class_head.")}
    sam.requires_grad_(False)
    for parameter in wanted.values():
        parameter.requires_grad_(True)
    return wanted


class Trainer:
    """One run of a job; ``run`` may be called in a new process to go on where a killed one saved last."""

    def __init__(self, job: Job, watcher: Watcher | None = None, resume: bool = False) -> None:
        self.job = job
        self.watcher: Watcher = watcher or Unwatched()
        recipe = job.recipe
        self.parameters = trainable(job.sam, recipe)
        self.optimizer = torch.optim.AdamW(
            self.parameters.values(), lr=recipe.learning_rate, eps=recipe.adam_eps, weight_decay=recipe.weight_decay
        )
        self.at = load_state(job.out, self.parameters, self.optimizer) if resume else Position()
        self.steps_per_epoch, self.total_steps = steps_of(len(job.train_images), recipe)
        self._log = RunLog(job.out, self.at.step)
        self._smooth_loss: float | None = None

    @property
    def images_left(self) -> int:
        """Images to train on until the schedule's end, counted as often as they are seen."""
        count = len(self.job.train_images)
        whole, steps = divmod(self.total_steps, self.steps_per_epoch)
        seen = whole * count + min(count, steps * self.job.recipe.images_per_step)
        done = self.at.epoch * count + min(count, self.at.step_in_epoch * self.job.recipe.images_per_step)
        return seen - done

    def run(self) -> Position:
        """Train to the end of the schedule; returns where that is, with the scores."""
        if self.at.step == 0:
            self.at.base_scores = self._score(epoch=0)
            self._save()
        while self.at.step < self.total_steps:
            self._epoch()
        return self.at

    def _epoch(self) -> None:
        recipe, at = self.job.recipe, self.at
        order = epoch_order(len(self.job.train_images), recipe.seed, at.epoch)
        while at.step_in_epoch < self.steps_per_epoch and at.step < self.total_steps:
            first = at.step_in_epoch * recipe.images_per_step
            self._step(order[first : first + recipe.images_per_step])
            if at.step % recipe.save_every_steps == 0:
                self._save()
        at.epoch, at.step_in_epoch = at.epoch + 1, 0
        if at.epoch % recipe.val_every_epochs == 0 or at.step >= self.total_steps:
            self._validate()
        self._checkpoint(LAST)
        self._save()

    def _step(self, positions: Sequence[int]) -> None:
        started = time.perf_counter()
        images = [self._load(position) for position in positions]
        losses = step_losses(self.job.sam, images, self.job.recipe)
        rate = learning_rate_at(self.at.step, self.total_steps, self.job.recipe, self.steps_per_epoch)
        norm = move(self.optimizer, rate, self.job.recipe.grad_clip_norm)
        seconds = time.perf_counter() - started
        self.at.step, self.at.step_in_epoch = self.at.step + 1, self.at.step_in_epoch + 1
        self.at.trained_s += seconds
        prompts = sum(len(image.prompts) for image in images)
        self._log.write(
            kind="step",
            step=self.at.step,
            epoch=self.at.epoch + 1,
            images=[image.prompts.key for image in images],
            prompts=prompts,
            learning_rate=rate,
            grad_norm=norm,
            seconds=round(seconds, 4),
            **losses,
        )
        before = losses["total"] if self._smooth_loss is None else self._smooth_loss
        self._smooth_loss = _SMOOTHING * before + (1 - _SMOOTHING) * losses["total"]
        self.watcher.stepped(len(images), self._smooth_loss)

    def _load(self, position: int) -> StepImage:
        """Read one image for this epoch: its drawn prompts, features and labels."""
        recipe, epoch = self.job.recipe, self.at.epoch
        drawn = draw(self.job.train_images[position], recipe, epoch, position)
        sample = self.job.train_data[drawn.index]
        rgb, labels = (mirror(sample.rgb), mirror(sample.labels)) if drawn.mirrored else (sample.rgb, sample.labels)
        prompts = move_points(drawn, labels, recipe, epoch, position)
        return StepImage(prompts, self.job.cache.get(rgb), labels)

    def _score(self, epoch: int) -> dict[str, float]:
        job = self.job
        self.watcher.validating(len(job.val_images))
        advance = self.watcher.validated_image
        scores = validate(job.sam, job.val_data, job.val_images, job.cache, job.recipe, advance)
        best = epoch > 0 and scores["miou"] > self.at.best_miou
        self._log.write(kind="val", step=self.at.step, epoch=epoch, **scores)
        self.watcher.validated(epoch, scores, best)
        return scores

    def _validate(self) -> None:
        self.at.last_scores = self._score(self.at.epoch)
        if self.at.last_scores["miou"] > self.at.best_miou:
            self.at.best_miou = self.at.last_scores["miou"]
            self._checkpoint(BEST)

    def _checkpoint(self, name: str) -> None:
        position = {"step": self.at.step, "epoch": self.at.epoch, "val": self.at.last_scores}
        save_checkpoint(self.job.out / name, self.job.sam, {**self.job.metadata, **position})

    def _save(self) -> None:
        save_state(self.job.out, self.parameters, self.optimizer, self.at)
