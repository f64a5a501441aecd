"""`saom-bench scenes`: houses to collect from, and packs of AI2-THOR's own rooms."""

import typer

from saom_scenes import houses_cli, packs_cli

app = typer.Typer(
    help="Make scenes: ProcTHOR-style houses, packs of AI2-THOR's own rooms.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
app.command("generate")(houses_cli.generate)
app.command("import")(packs_cli.import_)
app.command("show")(packs_cli.show)
app.command("preview")(packs_cli.preview)
