"""The training loop: epochs of steps with validation, checkpoints and a resume state, then the mask scorer.

``last.safetensors`` is the model after the latest epoch, ``best.safetensors`` the one of the highest validation mIoU.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from saom_bench.errors import SaomBenchError
from saom_bench.sam.adapt import open_encoder
from saom_bench.sam.checkpoint import save_checkpoint
from saom_bench.sam.model import Lora, Sam
from saom_bench.sam.scorer import MaskScorer
from saom_bench.shards.dataset import ShardDataset
from saom_bench.train.batches import ImagePrompts, epoch_order, prompts_drawn
from saom_bench.train.cache import EmbeddingCache
from saom_bench.train.ema import Average
from saom_bench.train.loading import Loader, StepImage
from saom_bench.train.ranks import ALONE, Ranks
from saom_bench.train.recipe import Recipe
from saom_bench.train.scoring import chosen_images, examples, fit
from saom_bench.train.state import WITH_SCORER, Position, RunLog, load_state, save_state
from saom_bench.train.step import learning_rate_at, memory_advice, move, step_losses
from saom_bench.train.validate import validate

LAST, BEST = "last.safetensors", "best.safetensors"
CLASS_HEAD = "class_head."
_SMOOTHING = 0.9


class Watcher(Protocol):
    """Who is told how a run goes: a progress display, or nobody."""

    def stepped(self, images: int, smooth_loss: float) -> None:
        """A step over so many images is done."""

    def validating(self, images: int) -> None:
        """A validation of so many images begins."""

    def validated_image(self) -> None:
        """One image of a validation is done."""

    def validated(self, name: str, scores: Mapping[str, float], best: bool) -> None:
        """A validation is done; ``name`` says of which model."""

    def scoring(self, images: int) -> None:
        """The mask scorer begins to look at so many images."""

    def looked_at_image(self) -> None:
        """It has seen one."""


class Unwatched:
    """A watcher that does nothing."""

    def stepped(self, images: int, smooth_loss: float) -> None:
        """Nothing."""

    def validating(self, images: int) -> None:
        """Nothing."""

    def validated_image(self) -> None:
        """Nothing."""

    def validated(self, name: str, scores: Mapping[str, float], best: bool) -> None:
        """Nothing."""

    def scoring(self, images: int) -> None:
        """Nothing."""

    def looked_at_image(self) -> None:
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
    ranks: Ranks = ALONE
    """The processes that share the run."""


def steps_of(images: int, recipe: Recipe) -> tuple[int, int]:
    """Steps in an epoch over so many images, and in the whole run."""
    per_epoch = -(-images // recipe.images_per_step)
    total = 0 if recipe.scorer_alone else per_epoch * recipe.epochs
    return per_epoch, min(total, recipe.max_steps) if recipe.max_steps else total


def trainable(sam: Sam, recipe: Recipe) -> dict[str, nn.Parameter]:
    """Freeze all but what the recipe trains; returns that by name. Raises SaomBenchError for what cannot train."""
    heads = {"mask_decoder.": "decoder" in recipe.parts, "prompt_encoder.": "prompt-encoder" in recipe.parts}
    heads[CLASS_HEAD] = recipe.class_weight > 0
    wanted = sam.trainable_parameters(iou_head=recipe.iou_weight > 0)
    wanted = {name: p for name, p in wanted.items() if any(on and name.startswith(key) for key, on in heads.items())}
    sam.requires_grad_(False)
    if recipe.scorer_alone:
        return {}
    if recipe.trains_encoder:
        lora = Lora(recipe.lora_rank, recipe.lora_alpha) if "lora" in recipe.parts else None
        wanted |= open_encoder(sam, "neck" in recipe.parts, lora, recipe.seed)
    if not wanted:
        raise SaomBenchError("the recipe trains nothing: give parts, or a class_weight above 0")
    for parameter in wanted.values():
        parameter.requires_grad_(True)
    return wanted


def groups(parameters: Mapping[str, nn.Parameter], recipe: Recipe) -> list[dict[str, Any]]:
    """The optimizer's groups: the class head moves ``rate_factor`` times as fast as the rest."""
    head = [p for name, p in parameters.items() if name.startswith(CLASS_HEAD)]
    rest = [p for name, p in parameters.items() if not name.startswith(CLASS_HEAD)]
    faster = recipe.class_learning_rate / recipe.learning_rate if recipe.class_learning_rate else 1.0
    made = [{"params": rest, "rate_factor": 1.0}, {"params": head, "rate_factor": faster}]
    return [group for group in made if group["params"]] or made[:1]


class Trainer:
    """One run of a job; ``run`` may be called in a new process to go on where a killed one saved last.

    With several processes each has a Trainer on the same job, and the first one alone writes.
    """

    def __init__(self, job: Job, watcher: Watcher | None = None, resume: bool = False) -> None:
        self.job = job
        self.watcher: Watcher = watcher or Unwatched()
        recipe = job.recipe
        self.parameters = trainable(job.sam, recipe)
        self.optimizer = torch.optim.AdamW(
            groups(self.parameters, recipe),
            lr=recipe.learning_rate,
            eps=recipe.adam_eps,
            weight_decay=recipe.weight_decay,
            # One pass over the parameters; on a CPU torch would take a dozen.
            fused=job.sam.device.type == "cpu",
        )
        self.average = Average(self.parameters, recipe.ema_decay) if recipe.ema_decay else None
        self.at = Position()
        if resume:
            self.at, scorer = load_state(job.out, self.parameters, self.optimizer, self.average, job.ranks)
            if self.at.scored:
                self._attach_scorer().load_state_dict(scorer)
        self._scaler = torch.amp.GradScaler(job.sam.device.type) if recipe.precision == "float16" else None
        if self._scaler is not None and self.at.scaler:
            self._scaler.load_state_dict(self.at.scaler)
        if recipe.compile:
            job.sam.compile_decoder()
        self.steps_per_epoch, self.total_steps = steps_of(len(job.train_images), recipe)
        self._log = RunLog(job.out, self.at) if job.ranks.first else None
        self._loader = Loader(job.train_data, job.train_images, job.cache, recipe)
        self._smooth_loss: float | None = None
        self.listeners: list[Callable[..., None]] = []
        """Called with the values of every line that is logged, in the process that logs."""

    @property
    def images_left(self) -> int:
        """Images to train on until the schedule's end, counted as often as they are seen."""
        count = len(self.job.train_images)
        whole, steps = divmod(self.total_steps, self.steps_per_epoch)
        seen = whole * count + min(count, steps * self.job.recipe.images_per_step)
        done = self.at.epoch * count + min(count, self.at.step_in_epoch * self.job.recipe.images_per_step)
        return seen - done

    def run(self) -> Position:
        """Train to the end of the schedule, or to the early stop; returns where that is, with the scores."""
        if self.at.step == 0 and not self.at.scored:
            self.at.base_scores = self._score("before training", may_be_best=False)
            self._save()
        while self.at.step < self.total_steps and not self.at.stopped and not self.at.scored:
            self._epoch()
        if self.job.recipe.scorer_epochs and not self.at.scored:
            self._train_scorer()
        return self.at

    def _epoch(self) -> None:
        recipe, at = self.job.recipe, self.at
        last = min(self.steps_per_epoch, at.step_in_epoch + self.total_steps - at.step)
        wanted = [self._positions(step) for step in range(at.step_in_epoch, last)]
        mine = (self.job.ranks.share(positions) for positions in wanted)
        for positions, images in zip(wanted, self._loader.steps(mine, at.epoch), strict=True):
            self._step(positions, images)
            if at.step % recipe.save_every_steps == 0:
                self._save()
        at.epoch, at.step_in_epoch = at.epoch + 1, 0
        if at.epoch % recipe.val_every_epochs == 0 or at.step >= self.total_steps:
            self._validate(f"epoch {at.epoch}")
            at.stopped = 0 < recipe.early_stop <= at.stale
        self._checkpoint(LAST)
        self._save()

    def _train_scorer(self) -> None:
        """What comes after the last epoch. Broken off, it is done again from its beginning, and ends the same."""
        job, recipe = self.job, self.job.recipe
        started = time.perf_counter()
        counts = [len(variants[0]) * recipe.points_per_mask for variants in job.train_images]
        wanted = chosen_images(counts, recipe.seed)
        self.watcher.scoring(len(job.ranks.share(wanted)))
        with self.averaged(), memory_advice(recipe):
            load, advance = self._loader.load_whole, self.watcher.looked_at_image
            found = examples(job.sam, load, wanted, recipe, advance, job.ranks)
            try:
                scorer = self._attach_scorer()
                fit(scorer, found, recipe, partial(self._write, kind="scorer", step=self.at.step))
            except BaseException:
                job.sam.detach_scorer()  # nothing may be drawn or kept with one that is half trained
                raise
        # GPUs add up in different orders; all processes shall validate the same scorer.
        scorer.load_state_dict(job.ranks.agree({name: value.cpu() for name, value in scorer.state_dict().items()}))
        self.at.scored = True
        self.at.trained_s += time.perf_counter() - started
        self._validate(WITH_SCORER)
        self._checkpoint(LAST)
        self._save()

    def _attach_scorer(self) -> MaskScorer:
        recipe, sam = self.job.recipe, self.job.sam
        return sam.attach_scorer(self.job.train_data.label_set.classes if recipe.class_weight else None, recipe.seed)

    def _positions(self, step_in_epoch: int) -> list[int]:
        """The images of a step, over all processes."""
        recipe = self.job.recipe
        order = epoch_order(len(self.job.train_images), recipe.seed, self.at.epoch)
        first = step_in_epoch * recipe.images_per_step
        return order[first : first + recipe.images_per_step]

    def _step(self, positions: Sequence[int], images: Sequence[StepImage]) -> None:
        job, at = self.job, self.at
        started = time.perf_counter()
        counts = [prompts_drawn(job.train_images[p], job.recipe, at.epoch, p) for p in positions]
        mine = step_losses(job.sam, images, job.recipe, sum(counts), self._scaler)
        losses = self._add_up(mine)
        keys = [job.train_images[position][0].key for position in positions]
        self._require_finite("loss", losses["total"], mine["total"], keys, images)
        job.ranks.add_gradients(self.parameters.values())
        rate = learning_rate_at(at.step, self.total_steps, job.recipe, self.steps_per_epoch)
        norm = move(self.optimizer, rate, job.recipe.grad_clip_norm, self._scaler)
        if self._scaler is None:
            self._require_finite("gradient", norm, norm, keys, images)
        at.step, at.step_in_epoch = at.step + 1, at.step_in_epoch + 1
        if self.average is not None:
            self.average.update(at.step)
        seconds = time.perf_counter() - started
        at.trained_s += seconds
        self._write(
            kind="step",
            step=at.step,
            epoch=at.epoch + 1,
            images=keys,
            prompts=sum(counts),
            learning_rate=rate,
            grad_norm=norm,
            seconds=round(seconds, 4),
            **losses,
        )
        before = losses["total"] if self._smooth_loss is None else self._smooth_loss
        self._smooth_loss = _SMOOTHING * before + (1 - _SMOOTHING) * losses["total"]
        self.watcher.stepped(len(positions), self._smooth_loss)

    def _add_up(self, mine: dict[str, float]) -> dict[str, float]:
        """The losses of a step over all processes."""
        total = self.job.ranks.add_up(torch.tensor(list(mine.values()), dtype=torch.float64))
        return dict(zip(mine, total.tolist(), strict=True))

    def _require_finite(
        self, what: str, value: float, mine: float, keys: Sequence[str], images: Sequence[StepImage]
    ) -> None:
        """Stop, naming the batch, and where it can be told the part of it that is to blame."""
        if math.isfinite(value):
            return
        own = [] if math.isfinite(mine) else [image.prompts.key for image in images]
        named = [key for part in self.job.ranks.gather(own) for key in part] or list(keys)
        raise SaomBenchError(
            f"the {what} became {value} in step {self.at.step + 1}, on {', '.join(named)}; lower "
            "learning_rate, or set grad_clip_norm=1, and train anew in another folder"
        )

    def _score(self, name: str, may_be_best: bool = True) -> dict[str, float]:
        job = self.job
        self.watcher.validating(len(job.ranks.share(job.val_images)))
        advance = self.watcher.validated_image
        with memory_advice(job.recipe), self.averaged():
            scores = validate(job.sam, job.val_data, job.val_images, job.cache, job.recipe, advance, job.ranks)
        best = may_be_best and scores["miou"] > self.at.best_miou
        self._write(kind="val", step=self.at.step, epoch=self.at.epoch, of=name, **scores)
        self.watcher.validated(name, scores, best)
        return scores

    def _validate(self, name: str) -> None:
        at = self.at
        at.last_scores = self._score(name)
        at.stale += 1
        if at.last_scores["miou"] > at.best_miou:
            at.best_miou, at.stale = at.last_scores["miou"], 0
            self._checkpoint(BEST)

    def _checkpoint(self, name: str) -> None:
        if not self.job.ranks.first:
            return
        job = self.job
        header = {**job.metadata, "step": self.at.step, "epoch": self.at.epoch, "val": self.at.last_scores}
        if name == BEST or job.recipe.early_stop:  # otherwise the schedule alone chose it
            header["selection_scenes"] = sorted({*header.get("selection_scenes", ()), *job.val_data.scenes})
        with self.averaged():
            save_checkpoint(job.out / name, job.sam, header)

    def averaged(self) -> AbstractContextManager[None]:
        """Have the model be the moving average of its weights, where the recipe keeps one."""
        return nullcontext() if self.average is None else self.average.in_place()

    def _save(self) -> None:
        if self._scaler is not None:
            self.at.scaler = self._scaler.state_dict()
        if self.job.ranks.first:
            scorer = self.job.sam.scorer if self.at.scored else None
            save_state(self.job.out, self.parameters, self.optimizer, self.at, self.average, scorer)

    def _write(self, **values: Any) -> None:
        if self._log is not None:
            self._log.write(**values)
            for listener in self.listeners:
                listener(**values)
