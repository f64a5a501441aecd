"""What a user sees of a run: its plan, a bar with loss, score and ETA, and in the end where everything is."""

from collections.abc import Mapping

from rich.progress import Progress, TaskID
from rich.table import Table

from saom_bench.console import console, next_steps
from saom_bench.sam.checkpoint import read_metadata
from saom_bench.train.batches import Tally
from saom_bench.train.job import Plan
from saom_bench.train.loop import BEST, LAST, Trainer
from saom_bench.train.recipe import Recipe
from saom_bench.train.report import SUMMARY
from saom_bench.train.state import CONFIG, LOG, Position

# Measured with mobile-sam on two CPU cores: one prompt forward and backward, one image encoded, one prompt scored.
_STEP_S_A_PROMPT, _ENCODE_S_AN_IMAGE, _SCORE_S_A_PROMPT = 0.065, 0.75, 0.04


class ProgressWatcher:
    """Shows a run on one progress display: a bar over the images to train on, one under it while validating."""

    def __init__(self, bar: Progress, images: int, at: Position) -> None:
        self._bar = bar
        self._score = _score_note(at)
        self._base = at.base_scores
        self._train = bar.add_task("train", total=images, unit="images", note=self._score, visible=images > 0)
        self._validate: TaskID | None = None
        self._scorer: TaskID | None = None
        self._loss = ""

    def stepped(self, images: int, smooth_loss: float) -> None:
        """Move the bar, and show the loss."""
        self._loss = f"loss {smooth_loss:.3f}  "
        self._bar.advance(self._train, images)
        self._show()

    def validating(self, images: int) -> None:
        """Show a second bar."""
        self._validate = self._bar.add_task("validate", total=images, unit="images", note="")

    def validated_image(self) -> None:
        """Move the second bar."""
        if self._validate is not None:
            self._bar.advance(self._validate)

    def validated(self, name: str, scores: Mapping[str, float], best: bool) -> None:
        """Take the second bar away and print the scores on a line that stays."""
        if self._validate is not None:
            self._bar.remove_task(self._validate)
        self._base = self._base or dict(scores)
        self._score = f"val mIoU {scores['miou']:.1f} (before {self._base.get('miou', 0.0):.1f})"
        self._show()
        console.print(f"{name}: {score_line(scores)}{'  [green]best[/green]' if best else ''}")

    def scoring(self, images: int) -> None:
        """Show a bar of its own for the mask scorer."""
        self._scorer = self._bar.add_task("scorer", total=images, unit="images", note=self._score)

    def looked_at_image(self) -> None:
        """Move it."""
        if self._scorer is not None:
            self._bar.advance(self._scorer)

    def _show(self) -> None:
        self._bar.update(self._train, note=f"{self._loss}{self._score}")


def score_line(scores: Mapping[str, float]) -> str:
    """Validation scores on one line."""
    text = (
        f"val mIoU {scores['miou']:.1f}  mAcc {scores['macc']:.1f}  IoU per object {scores['instance_miou']:.1f}  "
        f"[dim](oracle-point, %)[/dim]"
    )
    return f"{text}  class {scores['class_accuracy']:.1f}" if "class_accuracy" in scores else text


def print_plan(plan: Plan) -> None:
    """Say what a run will do, before it does."""
    recipe, request = plan.recipe, plan.request
    per_step = recipe.images_per_step * plan.prompts_per_epoch / max(1, len(plan.train_data))
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    trained = [*recipe.parts, *(["mask scorer"] if recipe.scorer_epochs else [])]
    rows = {
        "run": f"{request.out}  recipe {recipe.name}, seed {recipe.seed}",
        "model": f"{request.model} on {plan.sam.device}: {plan.trainable_count / 1e6:.2f} M parameters train "
        f"({', '.join(trained)}), the image encoder is {_encoder_state(recipe)}",
        "train": f"{request.data}: {len(plan.train_data)} images of {len(plan.train_data.scenes)} scenes, "
        f"{plan.prompts_per_epoch} prompts an epoch, {len(plan.train_data.label_set)} classes "
        f"({plan.train_data.label_set.name})",
        "val": f"{request.val}: {plan.val_count} of {len(plan.val_data)} images, {len(plan.val_data.scenes)} scenes",
        "steps": f"{plan.total_steps} over {recipe.epochs} epochs, about {per_step:.1f} prompts each"
        if plan.total_steps
        else f"none: the mask scorer alone, {recipe.scorer_epochs} epochs",
        "cache": f"{plan.cache.folder}: up to {plan.images_to_encode * 2} MiB",
    }
    if plan.ranks.count > 1:
        rows["processes"] = f"{plan.ranks.count}, which share the {recipe.images_per_step} images of a step"
    if plan.sam.device.type == "cpu" and plan.sam.name == "mobile-sam":
        rows["time"] = f"about {_minutes(plan, per_step)} on two CPU cores, if nothing is in the cache"
    for name, value in rows.items():
        table.add_row(name, value)
    console.print(table)


def print_tally(tally: Tally, plan: Plan) -> None:
    """Say what the assignment met."""
    cache = plan.cache
    notes = [f"{tally.prompts} prompts on {tally.images - tally.empty_images} images"]
    if tally.off_mask:
        notes.append(f"{tally.off_mask} objects between the grid's points ({plan.recipe.off_mask_prompts})")
    if tally.no_cell:
        notes.append(f"{tally.no_cell} too small for a feature cell ({plan.recipe.small_masks})")
    if tally.empty_images:
        notes.append(f"{tally.empty_images} images without a prompt left out")
    repaired = f", {cache.repaired} damaged made anew" if cache.repaired else ""
    console.print(f"assigned {'; '.join(notes)}")
    evicted = f", {cache.evicted} old ones deleted to make room" if cache.evicted else ""
    console.print(f"embeddings: {cache.made} encoded, {cache.hits} from the cache{repaired}{evicted}")
    if plan.recipe.trains_encoder:
        console.print("the image encoder trains: the cache served the assignment only, every step encodes its images")


def print_summary(trainer: Trainer) -> None:
    """Say how a run ended, where everything is, and what to run next."""
    at, out, val = trainer.at, trainer.job.out, trainer.job.val_data.folder
    before, after = at.base_scores.get("miou", 0.0), at.best_miou
    console.print(
        f"[green]done:[/green] {at.step} steps in {at.trained_s / 60:.1f} min; val mIoU {before:.1f} before, "
        f"{after:.1f} at its best ({after - before:+.1f})"
    )
    console.print(f"  checkpoint  {out / BEST}", soft_wrap=True)
    console.print(f"  summary     {out / SUMMARY}", soft_wrap=True)
    console.print(f"  config      {out / CONFIG}", soft_wrap=True)
    console.print(f"  log         {out / LOG}", soft_wrap=True)
    if trainer.job.recipe.scorer_epochs and not read_metadata(out / BEST).get("mask_scorer"):
        console.print(
            f"  the best is of an epoch before the mask scorer, and has none; {out / LAST} has it", soft_wrap=True
        )
    base = trainer.job.sam.name
    next_steps(
        f"saom-bench eval --data {val} --models sam:{base},{out / BEST} --protocol oracle-point,everything "
        "--out results",
        f"saom-bench predict PICTURE.jpg --model {out / BEST} --out predictions",
    )


def _encoder_state(recipe: Recipe) -> str:
    trained = [part for part in ("neck", "lora") if part in recipe.parts]
    return f"trained by its {' and '.join(trained)}: the embedding cache is off" if trained else "frozen"


def _score_note(at: Position) -> str:
    if not at.base_scores:
        return ""
    scores = at.last_scores or at.base_scores
    return f"val mIoU {scores['miou']:.1f} (before {at.base_scores['miou']:.1f})"


def _minutes(plan: Plan, prompts_per_step: float) -> str:
    recipe = plan.recipe
    epochs = 0 if recipe.scorer_alone else recipe.epochs
    validations = 1 + epochs // recipe.val_every_epochs + (recipe.scorer_epochs > 0)
    objects = sum(len(plan.val_data.objects(i)) for i in range(len(plan.val_data))) / len(plan.val_data)
    seconds = (
        plan.total_steps * prompts_per_step * _STEP_S_A_PROMPT
        + plan.images_to_encode * _ENCODE_S_AN_IMAGE
        + (plan.prompts_per_epoch * _SCORE_S_A_PROMPT if recipe.scorer_epochs else 0)
        + validations * plan.val_count * objects * _SCORE_S_A_PROMPT
    )
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"
