"""`saom-bench scenes`: houses to collect from, and packs of AI2-THOR's own rooms."""

import typer

app = typer.Typer(help="Make scenes: ProcTHOR-style houses, packs of AI2-THOR's own rooms.", no_args_is_help=True)
