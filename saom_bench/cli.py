"""The root command ``saom-bench``: mounts every verb, and turns user mistakes into one line and exit code 2."""

import sys
from typing import Annotated, NoReturn

import typer

from saom_bench import __version__, predict
from saom_bench.console import console, errors
from saom_bench.errors import SaomBenchError
from saom_bench.sam import cli as sam_cli
from saom_bench.shards import cli as shards_cli
from saom_bench.train import cli as train_cli
from saom_benchmarks import cli as benchmarks_cli
from saom_collectors import cli as collectors_cli
from saom_collectors import doctor_cli
from saom_scenes import cli as scenes_cli

app = typer.Typer(
    name="saom-bench",
    help="Whole-object segmentation with Segment Anything: collect, train, eval, on AI2-THOR scenes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("collect")(collectors_cli.collect)
app.command("doctor")(doctor_cli.doctor)
app.add_typer(shards_cli.app, name="shards")
app.add_typer(sam_cli.app, name="models")
app.add_typer(scenes_cli.app, name="scenes")
app.command("train")(train_cli.train)
app.add_typer(train_cli.recipes, name="recipes")
app.command("tasks")(benchmarks_cli.tasks)
app.command("eval")(benchmarks_cli.eval_)
app.command("leaderboard")(benchmarks_cli.leaderboard)
app.command("predict")(predict.predict)
app.command("compare")(predict.compare)


def _print_version(wanted: bool) -> None:
    if wanted:
        console.print(f"saom-bench {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Whole-object segmentation with Segment Anything: collect, train, eval, on AI2-THOR scenes."""


def main() -> None:
    """Run the command line; a SaomBenchError, and a path that will not do, print one line on stderr and exit 2."""
    try:
        app()
    except SaomBenchError as error:
        _fail(str(error))
    except (FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        if error.filename is None:
            raise
        _fail(f"{error.filename} cannot be used ({error.strerror}); choose another file or folder")
    except ImportError as error:
        if ".so" not in str(error):
            raise
        _fail(f"a system library is missing ({error}); on Debian and Ubuntu: apt-get install libgl1 libglib2.0-0")


def _fail(message: str) -> NoReturn:
    errors.print("[red]error:[/red]", end=" ")
    errors.print(" ".join(message.split()), soft_wrap=True, markup=False)
    sys.exit(2)
