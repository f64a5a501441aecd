"""Ranked results as tables: in the terminal, and as Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from saom_benchmarks.boards import OPTIONAL, RANKED_BY, Board, settings_words
from saom_benchmarks.bootstrap import Interval
from saom_benchmarks.metrics import title_of
from saom_benchmarks.results import Result

_BY_CLASS = (("iou", "IoU"), ("recall_50", "Recall at IoU .5"), ("over_segmented", "Over-segmentation rate"))


def render(shown: Sequence[Board], width: int) -> Group:
    """The boards as tables for a terminal of that many columns: what does not fit is in the Markdown page."""
    parts: list[RenderableType] = []
    for board in shown:
        apart = [Text(f"stands apart: {board.apart}", style="yellow")] if board.apart else []
        parts += [_terminal_table(board, width), Text(board.subtitle, style="dim"), *apart, *_notes(board), Text("")]
    if len(shown) > 1:
        parts.append(Text(APART, style="dim"))
    return Group(*parts)


APART = "Tables differ in task, parameters or images, so their rows are not ranked together."


def markdown(shown: Sequence[Board]) -> str:
    """The boards as a Markdown page, each with its per-class table."""
    to = " or ".join(dict.fromkeys(board.compared_to for board in shown))
    parts = [
        "# Leaderboard",
        "Percent, with 95 % intervals by bootstrap over scenes; ranked by the interval's lower end; = marks a row that "
        "the paired difference does not tell from the one above; "
        f"Δ is the paired difference of mIoU to {to} in points. " + (APART if len(shown) > 1 else ""),
    ]
    for board in shown:
        columns = _columns(board)
        columns.append(_Column("settings", [", ".join(settings_words(e.result.settings)) for e in board.entries], 0))
        parts += [f"## {board.title}", f"{board.first.task.description}", board.subtitle + "."]
        parts += [f"Stands apart: {board.apart}."] if board.apart else []
        rows = list(zip(*(column.cells for column in columns), strict=True))
        parts.append(_markdown_table([column.title for column in columns], rows))
        parts.append("\n".join(f"- {_escape(note.plain.removeprefix('* '))}" for note in _notes(board)))
        parts.append(_per_class(board))
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def percent(interval: Interval | None, signed: bool = False) -> str:
    """ "43.1 [40.2, 46.0]", or "43.1" where one scene gives no interval; "" for none."""
    if interval is None:
        return ""
    sign = "+" if signed else ""
    if interval.low is None or interval.high is None:
        return f"{interval.value:{sign}.1f}"
    return f"{interval.value:{sign}.1f} [{interval.low:{sign}.1f}, {interval.high:{sign}.1f}]"


@dataclass(frozen=True)
class _Column:
    """A column of a table; where a terminal is too narrow, the least important ones are left out."""

    title: str
    cells: list[str]
    importance: int


def _columns(board: Board) -> list[_Column]:
    """Every column of a board's table that has a value, left to right."""
    entries, results = board.entries, [entry.result for entry in board.entries]
    per_image = [r.per_image.get("proposals") for r in results]
    columns = [
        _Column("#", [(str(e.rank) if e.rank else "-") + ("=" if e.is_tied else "") for e in entries], 9),
        _Column("model", [e.result.model.name + ("*" if e.notes else "") for e in entries], 9),
        _Column("mIoU", [percent(r.metrics.get(RANKED_BY)) for r in results], 9),
        _Column(f"Δ {board.compared_to}", [percent(e.delta, signed=True) for e in entries], 8),
        _Column("mAcc", [_value(r.metrics.get("macc")) for r in results], 7),
    ]
    for name in board.columns:
        columns.append(_Column(title_of(name), [_value(r.metrics.get(name)) for r in results], OPTIONAL[name]))
    columns += [
        _Column("masks", ["" if n is None else f"{n:.0f}" for n in per_image], 3),
        _Column("s/image", [f"{r.speed.mean_s:.2f}" if r.speed else "" for r in results], 6),
    ]
    return [column for column in columns if any(column.cells)]


def _terminal_table(board: Board, width: int) -> Table:
    columns = _columns(board)
    while len(columns) > 3 and sum(_width(c) + 2 for c in columns) > width:
        columns.remove(min(columns, key=lambda c: c.importance))
    table = Table(
        title=board.title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for column in columns:
        table.add_column(column.title, justify="left" if column.title == "model" else "right", no_wrap=True)
    for row in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*map(Text, row), style="bold" if row[0] == "1" else None)
    return table


def _width(column: _Column) -> int:
    return max(len(text) for text in [column.title, *column.cells])


def _value(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval.value:.1f}"


def _notes(board: Board) -> list[Text]:
    return [Text(f"* {e.result.model.name}: {note}", style="yellow") for e in board.entries for note in e.notes]


def _per_class(board: Board) -> str:
    complete = [entry.result for entry in board.entries if entry.result.status == "complete"]
    if not complete:
        return ""
    absent = ", ".join(complete[0].absent)
    tail = f"\n\nNot in this data, so in no mean: {absent}." if absent else ""
    shown = _BY_CLASS if board.first.task.protocol == "everything" else _BY_CLASS[:1]
    folds = [
        f"<details><summary>{title} by class</summary>\n\n{_class_table(complete, field)}{tail}\n\n</details>"
        for field, title in shown
    ]
    return "\n\n".join(folds)


def _class_table(results: Sequence[Result], name: str) -> str:
    values = [{row.name: getattr(row, name) for row in result.classes} for result in results]
    header = ["class", "objects", *(result.model.name for result in results)]
    rows = [[row.name, str(row.objects), *(f"{of[row.name]:.1f}" for of in values)] for row in results[0].classes]
    return _markdown_table(header, rows)


def _markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---:" if name not in {"model", "class", "settings"} else "---" for name in header], *rows]
    return "\n".join("| " + " | ".join(_escape(cell) for cell in line) + " |" for line in lines)


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
