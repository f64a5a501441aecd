"""The terminal: one console, and progress bars with rate and ETA for long work."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


class RateColumn(ProgressColumn):
    """Speed in a task's own unit, such as "3.1 frames/s"."""

    def render(self, task: Task) -> Text:
        """The task's speed since its start; empty until there is one."""
        seconds = task.finished_time or task.elapsed or 0.0
        if not task.completed or seconds <= 0:
            return Text("")
        return Text(f"{task.completed / seconds:.2f} {task.fields.get('unit', 'it')}/s", style="cyan")


@contextmanager
def progress() -> Iterator[Progress]:
    """A progress display; add tasks with ``unit="frames"`` and, for a trailing note, update ``note="..."``."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        RateColumn(),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console, transient=False) as bar:
        yield bar


def next_steps(*commands: str) -> None:
    """Print what a user would run next, one command a line."""
    console.print("[bold]next[/bold]")
    for command in commands:
        console.print(f"  {command}", style="green", soft_wrap=True, markup=False)
