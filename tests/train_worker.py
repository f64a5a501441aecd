"""A training process for tests that kill one, or start several: ``python train_worker.py ORDER.json``, or by torchrun.

It trains a tiny model; told to, the process of one rank ends itself with SIGKILL in the middle of a step, once.
"""

import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from tiny_sam import tiny_sam

from saom_bench.shards.dataset import open_dataset
from saom_bench.train import loop
from saom_bench.train.batches import epoch_order, prepare, prompts_drawn
from saom_bench.train.cache import EmbeddingCache
from saom_bench.train.loading import Loader
from saom_bench.train.loop import Job, Trainer, trainable
from saom_bench.train.ranks import ALONE, Ranks, joined
from saom_bench.train.recipe import Recipe
from saom_bench.train.state import STATE
from saom_bench.train.step import step_losses
from saom_bench.train.validate import prepare_val


@dataclass(frozen=True)
class Order:
    """What to do."""

    train: str
    val: str
    cache: str
    out: str
    recipe: dict  # type: ignore[type-arg]
    kill_rank: int = -1
    kill_at_step: int = 0


def make_job(order: Order, ranks: Ranks = ALONE) -> Job:
    """The job of an order, on a tiny model."""
    recipe = Recipe(**{**order.recipe, "grid": tuple(order.recipe["grid"])})
    sam = tiny_sam(n_classes=54)
    cache = EmbeddingCache(Path(order.cache), sam)
    train, val = open_dataset(Path(order.train)), open_dataset(Path(order.val))
    images = prepare(train, cache, recipe, ranks=ranks)[0]
    val_images = prepare_val(val, cache, recipe, ranks=ranks)
    return Job(Path(order.out), recipe, sam, train, val, images, val_images, cache, {}, ranks)


def first_gradients(job: Job) -> dict[str, torch.Tensor]:
    """The gradients of the run's first step, over all processes."""
    parameters = trainable(job.sam, job.recipe)
    positions = epoch_order(len(job.train_images), job.recipe.seed, 0)[: job.recipe.images_per_step]
    count = sum(prompts_drawn(job.train_images[p], job.recipe, 0, p) for p in positions)
    loader = Loader(job.train_data, job.train_images, job.cache, job.recipe)
    step_losses(job.sam, [loader.load(p, 0) for p in job.ranks.share(positions)], job.recipe, count)
    job.ranks.add_gradients(parameters.values())
    found = {name: p.grad.clone() for name, p in parameters.items() if p.grad is not None}
    for parameter in parameters.values():
        parameter.grad = None
    return found


def main() -> None:
    """Do what the order says."""
    order = Order(**json.loads(Path(sys.argv[1]).read_text()))
    with joined() as ranks:
        job = make_job(order, ranks)
        resume = ranks.agree((job.out / STATE).is_file())
        if not resume:
            job.out.mkdir(exist_ok=True)
            (job.out / f"made-{ranks.rank}").write_text(str(job.cache.made))
            gradients = first_gradients(job)
            if ranks.first:
                save_file(gradients, job.out / "gradients.safetensors")
            trainer = Trainer(job)
            if ranks.rank == order.kill_rank:
                _kill_in_step(trainer, order.kill_at_step)
        else:
            trainer = Trainer(job, resume=True)
            (job.out / f"resumed-{ranks.rank}").write_text(str(trainer.at.step))
        trainer.run()


def _kill_in_step(trainer: Trainer, step: int) -> None:
    before = loop.move

    def move(*arguments):  # type: ignore[no-untyped-def]
        if trainer.at.step + 1 == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return before(*arguments)

    loop.move = move


if __name__ == "__main__":
    main()
