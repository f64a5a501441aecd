"""Do what the matrix asks for and is not done yet, a step at a time; write the report after each scoring."""

import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import typer
from rich.table import Table

from saom_bench.console import console
from saom_bench.errors import SaomBenchError
from saom_benchmarks.reproduce.matrix import SAM, SAM_LOW, TRAIN, VAL, Run, scored_on
from saom_benchmarks.reproduce.page import write_page
from saom_benchmarks.reproduce.steps import (
    Step,
    Wanted,
    Workplace,
    collect,
    is_trained,
    score,
    score_sam,
    scored,
    train,
)
from saom_benchmarks.reproduce.times import note


def steps(place: Workplace, wanted: Wanted) -> Iterator[Step]:
    """The steps that are still to do, in order. Looks at what is there when each is asked for, so run them in between.

    Data sets always come first: the command itself finds whether one is whole.
    """
    sources = wanted.sources(place)
    for source in sources:
        yield collect(place, source, TRAIN)
        yield collect(place, source, VAL)
    for source in sources:
        done = scored(place, source)
        plain, *low = score_sam(place, source)
        if not all(SAM in done.get(protocol, ()) for protocol in ("oracle-point", "everything")):
            yield plain
        if low and SAM_LOW not in done.get("everything", ()):
            yield from low
    for _, group in groupby(wanted.runs(place), key=lambda run: (run.recipe, run.source, run.change)):
        yield from _train_and_score(place, list(group), sources)


def _train_and_score(place: Workplace, group: Sequence[Run], sources: Sequence[str]) -> Iterator[Step]:
    for run in group:
        if not is_trained(place, run):
            yield train(place, run)
    for source in scored_on(group[0], sources):
        done = scored(place, source)
        both = done.get("oracle-point", set()) & done.get("everything", set())
        missing = [run for run in group if run.name not in both]
        if missing:
            yield score(place, source, missing)


def carry_out(place: Workplace, step: Step) -> None:
    """Run one step and note its time. Raises SaomBenchError when it fails, KeyboardInterrupt when it was stopped."""
    started = time.perf_counter()
    code = subprocess.run([sys.executable, "-m", "saom_bench", *step.command], check=False).returncode
    if code in {130, -2}:
        raise KeyboardInterrupt
    if code:
        raise SaomBenchError(
            f"{step.name!r} ended with exit code {code}, for the reason above; the same command goes on from there"
        )
    note(place.out, step.name, time.perf_counter() - started)


def estimate(place: Workplace, wanted: Wanted) -> Table:
    """What is still to do, by the minute of two idle cores; steps whose data is missing count in full."""
    table = Table("to do", "about", box=None, pad_edge=False)
    total = 0.0
    for step in steps(place, wanted):
        table.add_row(step.name, f"{step.seconds / 60:.0f} min")
        total += step.seconds
    table.add_row("together", f"{total / 3600:.1f} h on two idle cores", style="bold")
    return table


def run_all(place: Workplace, wanted: Wanted, page: Path, command: str, dry_run: bool, page_only: bool) -> None:
    """Say what is to do, do it, and write the page after every scoring."""
    if page_only:
        write_page(place, wanted, page, command)
        console.print(f"table: {page}", soft_wrap=True, markup=False)
        return
    if place.packs is None:
        console.print("without --packs DIR (PACKS=DIR) the half of the table on scene packs is left out")
    console.print(estimate(place, wanted))
    if dry_run:
        console.print("[dim]dry run: nothing was done[/dim]")
        return
    place.out.mkdir(parents=True, exist_ok=True)
    try:
        for step in steps(place, wanted):
            console.rule(step.name)
            console.print(f"saom-bench {shlex.join(step.command)}", style="dim", soft_wrap=True, markup=False)
            carry_out(place, step)
            if step.command[0] == "eval":
                write_page(place, wanted, page, command)
    except KeyboardInterrupt:
        console.print("\nstopped; the same command goes on from here")
        raise typer.Exit(130) from None
    write_page(place, wanted, page, command)
    console.print(f"table: {page}", soft_wrap=True, markup=False)
