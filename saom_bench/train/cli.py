"""``saom-bench train`` and ``saom-bench recipes``."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saom_bench.console import console, next_steps, progress
from saom_bench.errors import SaomBenchError

if TYPE_CHECKING:
    from saom_bench.train.job import Plan

recipes = typer.Typer(help="The training recipes: list, show, copy.", no_args_is_help=True, rich_markup_mode="rich")


def train(
    out: Annotated[
        Path,
        typer.Argument(
            help="The run's folder; the same command again resumes a run there. With --explain, the picture to write."
        ),
    ],
    data: Annotated[Path, typer.Option(help="Dataset folder to train on.")],
    val: Annotated[
        Path | None, typer.Option(help="Dataset folder to validate on; it must share no scene with --data.")
    ] = None,
    recipe: Annotated[str, typer.Option(help="A recipe's name or TOML file (saom-bench recipes list).")] = "saomv1",
    model: Annotated[str, typer.Option(help="Base model or checkpoint (saom-bench models list).")] = "mobile-sam",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the recipe; repeatable.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Short for --set epochs=N.")] = None,
    seed: Annotated[int | None, typer.Option(help="Short for --set seed=N.")] = None,
    cache: Annotated[
        Path | None,
        typer.Option(help="Embedding cache, 2 MiB an image; else $SAOM_BENCH_CACHE or your cache folder."),
    ] = None,
    cache_limit: Annotated[
        float, typer.Option(min=0, help="GiB the cache may take; the longest unused embeddings make room. 0: no limit.")
    ] = 0.0,
    weights: Annotated[
        Path | None, typer.Option(help="Weights file of a sam-vit model, instead of a download.")
    ] = None,
    explain: Annotated[
        str | None,
        typer.Option(metavar="IMAGE", help="Draw prior, grid point and mask of an image of --data, by key or number."),
    ] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write scalars and pictures for TensorBoard into the run's folder.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, print the plan, and stop.")] = False,
) -> None:
    """Fine-tune SAM for whole objects on a dataset: SAOMv1, SAOMv2, PanoSAM, or a recipe of your own.

    [bold]Examples[/bold]

    saom-bench train runs/v1 --recipe saomv1-cpu --data data/train --val data/val

    saom-bench train runs/v2 --recipe saomv2 --data data/train --val data/val --model sam-vit-b --device cuda

    saom-bench train runs/try --data data/train --val data/val --set learning_rate=2e-4 --set loss_size=low --dry-run

    saom-bench train assignment.png --recipe saomv2 --data data/train --explain 0

    [bold]Several GPUs, or processes[/bold], on one machine or more; a step's images are shared out, gradients added up.
    With --max-restarts a run goes on from its last saved state when a process dies:

    torchrun --standalone --nproc-per-node 4 --max-restarts 3 -m saom_bench train runs/v1 --recipe saomv1
    --data data/train --val data/val --set images_per_step=4
    """
    from saom_bench.sam import runtime

    runtime.prepare()
    from saom_bench.train.display import print_plan
    from saom_bench.train.job import Request, only_trainer, plan, with_options
    from saom_bench.train.ranks import joined

    if explain is not None:
        given = {"--val": val is not None, "--epochs": epochs is not None, "--seed": seed is not None}
        given |= {"--cache": cache is not None, "--cache-limit": cache_limit > 0}
        _refuse_with_explain({**given, "--tensorboard": tensorboard, "--dry-run": dry_run})
        _explain(out, data, recipe, tuple(settings or ()), model, device, weights, explain)
        return
    if val is None:
        raise SaomBenchError("give --val, a dataset folder of scenes that --data has not, to validate on")
    request = Request(out, data, val, recipe, model, device, tuple(settings or ()), cache, weights, cache_limit)
    with joined() as ranks:
        console.quiet = not ranks.first
        planned = plan(with_options(request, epochs, seed), ranks)
        print_plan(planned)
        if dry_run:
            console.print("[dim]dry run: nothing was written[/dim]")
            return
        with only_trainer(out) if ranks.first else nullcontext():
            _run(planned, tensorboard)


def _refuse_with_explain(given: dict[str, bool]) -> None:
    for option, is_given in given.items():
        if is_given:
            raise SaomBenchError(f"--explain draws one image of --data and trains nothing; leave {option} out")


def _explain(
    out: Path,
    data: Path,
    recipe: str,
    settings: tuple[str, ...],
    model: str,
    device: str,
    weights: Path | None,
    image: str,
) -> None:
    """Draw one image's assignment instead of training."""
    from saom_bench.pictures import save
    from saom_bench.sam.registry import load_model
    from saom_bench.shards.dataset import open_dataset
    from saom_bench.train.explain import explained, sample_of
    from saom_bench.train.recipe import load_recipe

    if out.suffix.lower() not in {".png", ".jpg", ".jpeg"}:
        raise SaomBenchError(f"with --explain, {out} is the picture to write, and must end in .png or .jpg")
    chosen = load_recipe(recipe, settings)
    sample = sample_of(open_dataset(data), image)
    picture, lines = explained(sample, load_model(model, device, weights), chosen)
    save(out, picture)
    for line in lines:
        console.print(line, markup=False)
    console.print(f"[green]wrote[/green] {out}", soft_wrap=True)


def _run(planned: "Plan", tensorboard: bool) -> None:
    """Claim the folder, prepare, train, and say how it went."""
    from saom_bench.train.board import Board
    from saom_bench.train.display import ProgressWatcher, print_summary, print_tally
    from saom_bench.train.job import build, run_table
    from saom_bench.train.loop import Trainer
    from saom_bench.train.report import val_picture, write_report
    from saom_bench.train.state import claim

    ranks = planned.ranks
    resume = ranks.agree(claim(planned.request.out, planned.recipe, run_table(planned)) if ranks.first else False)
    with progress() as bar:
        counts = [len(ranks.share(range(count))) for count in (len(planned.train_data), planned.val_count)]
        encode = bar.add_task("embeddings", total=counts[0], unit="images", note="train")
        encode_val = bar.add_task("embeddings", total=counts[1], unit="images", note="val", start=False)

        def advance_val() -> None:
            bar.start_task(encode_val)  # its clock starts with its first image, not with the training images
            bar.advance(encode_val)

        job, tally = build(planned, lambda: bar.advance(encode), advance_val)
    print_tally(tally, planned)
    trainer = Trainer(job, resume=resume)
    if resume:
        console.print(f"resuming at step {trainer.at.step} of {trainer.total_steps}")
    board = Board(job.out, trainer.at.step, lambda: val_picture(job)) if tensorboard and ranks.first else None
    if board is not None:
        trainer.listeners.append(board.write)
    stopped = False
    try:
        with progress() as bar:
            trainer.watcher = ProgressWatcher(bar, trainer.images_left, trainer.at)
            trainer.run()
    except KeyboardInterrupt:
        stopped = True
    finally:
        if board is not None:
            board.close()
    if ranks.first:
        with trainer.averaged():
            write_report(job)
    if stopped:
        console.print("\nstopped; the same command goes on from the last saved step")
        raise typer.Exit(130)
    print_summary(trainer)


@recipes.command("list")
def list_() -> None:
    """Every recipe in one line.

    [bold]Example[/bold]

    saom-bench recipes list
    """
    from rich.table import Table

    from saom_bench.train.recipe import load_recipe, recipe_names

    table = Table("recipe", "grid", "epochs", "what it is", box=None, pad_edge=False)
    for name in recipe_names():
        recipe = load_recipe(name)
        table.add_row(name, f"{recipe.grid[0]} x {recipe.grid[1]}", str(recipe.epochs), recipe.description)
    console.print(table)


@recipes.command()
def show(name: Annotated[str, typer.Argument(help="A recipe's name or TOML file.")]) -> None:
    """Every key of a recipe with its value and meaning.

    [bold]Example[/bold]

    saom-bench recipes show saomv1-cpu
    """
    from saom_bench.train.recipe import load_recipe

    console.print(load_recipe(name).to_toml(), markup=False, soft_wrap=True, end="")


@recipes.command()
def copy(
    name: Annotated[str, typer.Argument(help="The recipe to start from.")],
    file: Annotated[Path, typer.Argument(help="The new TOML file; it must not exist.")],
) -> None:
    """Write a recipe, every key explained, to a file of your own to change.

    [bold]Example[/bold]

    saom-bench recipes copy saomv1-cpu mine.toml
    """
    from dataclasses import replace

    from saom_bench.files import write_text_atomically
    from saom_bench.train.recipe import load_recipe

    if file.suffix != ".toml":
        raise SaomBenchError(f"{file} must end in .toml, so that --recipe takes it for a file")
    if file.exists():
        raise SaomBenchError(f"{file} exists; choose another name or remove it")
    write_text_atomically(file, replace(load_recipe(name), name=file.stem).to_toml())
    next_steps(f"saom-bench train runs/{file.stem} --recipe {file} --data DATA --val VAL")
