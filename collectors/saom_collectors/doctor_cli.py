"""``saom-bench doctor``: what this machine lacks, and how to mend it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from saom_bench.console import console, errors, next_steps

_STYLES = {"ok": ("ok", "green"), "warning": ("--", "yellow"), "missing": ("MISSING", "bold red")}


def doctor(
    player: Annotated[
        str, typer.Option(help="What is needed for: embedded, or unity (AI2-THOR's own build).")
    ] = "embedded",
    player_path: Annotated[Path | None, typer.Option(help="For --player unity: a build on this machine.")] = None,
    player_commit: Annotated[
        str | None, typer.Option(help="For --player unity: the commit of the build to fetch.")
    ] = None,
    folder: Annotated[Path, typer.Option(help="Where datasets shall go.")] = Path(),
) -> None:
    """Check what collecting needs of this machine, and say how to mend what is missing.

    Starts the embedded player (and a Unity build that --player-path names) and loads a scene. Exits with 2 when
    something needed is missing; a line marked -- is only needed for what it names.

    [bold]Examples[/bold]

    saom-bench doctor

    saom-bench doctor --player unity

    saom-bench doctor --player unity --player-path builds/thor-Linux64
    """
    from saom_bench.errors import unknown
    from saom_collectors.doctor import MISSING, OK, examine
    from saom_collectors.session import PlayerOptions

    if player not in {"embedded", "unity"}:
        raise unknown("player", player, ["embedded", "unity"])
    options = PlayerOptions(player, executable=player_path, commit=player_commit)
    with console.status("looking"):
        findings = list(examine(options, folder))
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    before = ""
    for finding in findings:
        sign, style = _STYLES[finding.state]
        group, before = finding.group * (finding.group != before), finding.group
        told = Text(finding.found)
        if finding.state != OK:
            told.append(f"\n{finding.remedy}", "italic")
        table.add_row(group, Text(sign, style), finding.what, told)
    console.print(table)
    missing = [finding.what for finding in findings if finding.state == MISSING]
    if missing:
        errors.print(f"[red]missing for --player {player}:[/red] {', '.join(missing)}", soft_wrap=True)
        raise typer.Exit(2)
    console.print(f"[green]ready[/green] for --player {player}")
    next_steps(f"saom-bench collect data/train --split train --player {player} --dry-run")
