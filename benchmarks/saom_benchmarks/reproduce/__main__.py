"""``python -m saom_benchmarks.reproduce``: what `make reproduce-cpu` runs."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from saom_bench.console import errors
from saom_bench.errors import SaomBenchError, unknown
from saom_benchmarks.reproduce.matrix import RECIPES, Size

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")


@app.command()
def reproduce(
    out: Annotated[
        Path, typer.Option(help="Folder for data, runs and results; what is done there is not done again.")
    ] = Path("reproduce"),
    page: Annotated[Path | None, typer.Option(help="Where the table goes; else REPRODUCE.md in --out.")] = None,
    packs: Annotated[
        Path | None, typer.Option(help="A folder of scene packs; without one that half is left out.")
    ] = None,
    recipes: Annotated[str, typer.Option(help="Recipes, separated by commas.")] = ",".join(r.name for r in RECIPES),
    seeds: Annotated[str, typer.Option(help="Seeds, separated by commas.")] = "0,1,2",
    epochs: Annotated[int, typer.Option(min=0, help="Of every training; 0 is what its recipe says.")] = Size.epochs,
    ablations: Annotated[bool, typer.Option(help="Also change one setting of saomv1-cpu at a time.")] = True,
    train_scenes: Annotated[
        int, typer.Option(min=1, help="Train scenes, in turn from each type of room; there are 80.")
    ] = Size.train_scenes,
    train_views: Annotated[int, typer.Option(min=1, help="Views of a train scene.")] = Size.train_views,
    val_views: Annotated[int, typer.Option(min=1, help="Views of a val scene.")] = Size.val_views,
    point_images: Annotated[int, typer.Option(min=1, help="Images in oracle-point.")] = Size.point_images,
    everything_images: Annotated[int, typer.Option(min=1, help="Images in everything mode.")] = Size.everything_images,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what is to do and how long it takes, and stop.")
    ] = False,
    page_only: Annotated[
        bool, typer.Option("--page-only", help="Write the table from what is done, and stop.")
    ] = False,
) -> None:
    """Train the CPU recipes with several seeds, score them beside SAM on scenes they never saw, and write the table.

    It goes on where it was broken off, and does only what is missing; a row that was not run says so.

    [bold]Examples[/bold]

    python -m saom_benchmarks.reproduce --packs packs --dry-run

    python -m saom_benchmarks.reproduce --recipes saomv1-cpu --seeds 0 --no-ablations
    """
    from saom_benchmarks.reproduce.drive import run_all
    from saom_benchmarks.reproduce.steps import Wanted, Workplace

    size = Size(
        train_scenes=train_scenes,
        train_views=train_views,
        val_views=val_views,
        point_images=point_images,
        everything_images=everything_images,
        epochs=epochs,
    )
    place = Workplace(out, _folder(packs), size)
    wanted = Wanted(_recipes(recipes), _seeds(seeds), ablations)
    given = {"PACKS": "DIR" if packs else "", "SEEDS": seeds, "RECIPES": recipes, "EPOCHS": str(epochs or "")}
    command = " ".join(["make reproduce-cpu", *(f"{name}={value}" for name, value in given.items() if value)])
    run_all(place, wanted, page or out / "REPRODUCE.md", command, dry_run, page_only)


def _folder(packs: Path | None) -> Path | None:
    if packs is not None and not packs.is_dir():
        raise SaomBenchError(f"there is no folder of packs {packs}; leave PACKS out to run without them")
    return packs


def _recipes(text: str) -> tuple[str, ...]:
    known = [recipe.name for recipe in RECIPES]
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    for name in names:
        if name not in known:
            raise unknown("recipe", name, known)
    return names or tuple(known)


def _seeds(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part.isdecimal() for part in parts):
        raise SaomBenchError(f"{text!r} gives no seeds; give whole numbers separated by commas, such as 0,1,2")
    return tuple(dict.fromkeys(map(int, parts)))


def main() -> None:
    """Run it; a user's mistake is one line and exit code 2, Ctrl-C 130."""
    try:
        app()
    except SaomBenchError as error:
        errors.print(f"[red]error:[/red] {' '.join(str(error).split())}", soft_wrap=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
