"""The root command ``saom-bench``: mounts every verb, and turns user mistakes into one line and exit code 2."""

import sys

import typer

from saom_bench.console import errors
from saom_bench.errors import SaomBenchError

app = typer.Typer(
    name="saom-bench",
    help="Whole-object segmentation with Segment Anything: collect, train, eval, on AI2-THOR scenes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def main() -> None:
    """Run the command line; a SaomBenchError prints one line on stderr and exits 2."""
    try:
        app()
    except SaomBenchError as error:
        errors.print(f"[red]error:[/red] {' '.join(str(error).split())}", soft_wrap=True)
        sys.exit(2)
