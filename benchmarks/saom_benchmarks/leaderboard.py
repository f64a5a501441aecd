"""Results side by side: a table for each task and data, in the terminal and as Markdown.

Rows are ranked together only when task, parameters, label set, dataset fingerprint and images are all equal; other
rows get a table of their own. Controls (the oracle) and failed rows are shown without a rank. The difference to SAM is
paired over scenes: the baseline of a row is the best "sam" row with the same base weights, else the best "sam" row of
the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from saom_bench.errors import SaomBenchError
from saom_benchmarks.bootstrap import Interval, difference
from saom_benchmarks.metrics import title_of
from saom_benchmarks.protocols import PROTOCOLS
from saom_benchmarks.results import Result

RANKED_BY = "miou"
_BY_CLASS = (("iou", "IoU"), ("recall_50", "Recall at IoU .5"), ("over_segmented", "Over-segmentation rate"))
# Metrics beside mIoU and mAcc with the importance of their column.
_OPTIONAL = {
    "recall_50": 6,
    "over_segmentation": 5,
    "instance_miou": 4,
    "ar_100": 4,
    "ap": 3,
    "pq": 3,
    "class_accuracy": 2,
    "under_segmentation": 2,
    "boundary_iou": 2,
    "class_ap": 2,
    "class_pq": 2,
    "best_miou": 1,
    "ar_10": 1,
    "ar_1000": 0,
    "ar_small": 1,
    "ar_medium": 0,
    "ar_large": 0,
    "published_miou": 0,
}


@dataclass(frozen=True)
class Entry:
    """A result with its place in its table."""

    result: Result
    rank: int | None = None
    delta: Interval | None = None
    """mIoU minus the baseline's, in points, paired over scenes; None for the baseline itself and without one."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Board:
    """The results of one task on one set of images, best first, then controls and failures."""

    entries: tuple[Entry, ...]
    columns: tuple[str, ...] = field(default=())
    """Metrics beside mIoU and mAcc that at least one row has."""

    @property
    def first(self) -> Result:
        """Any row: all agree on task and data."""
        return self.entries[0].result

    @property
    def title(self) -> str:
        """The task and its parameters, such as "oracle-point@1, grid 32x32, prior mask, ..."."""
        task = self.first.task
        return ", ".join([f"{task.protocol}@{task.version}", *settings_words(task.parameters)])

    @property
    def subtitle(self) -> str:
        """The data in one line."""
        data = self.first.data
        simulator = " ".join(str(data.simulator[k]) for k in ("name", "version", "scenes") if k in data.simulator)
        occurring = max(len(e.result.classes) for e in self.entries)
        return (
            f"{data.images} images of {len(data.scenes)} {data.split} scenes, {simulator}, {data.label_set} "
            f"({occurring} of {len(data.classes)} classes occur), data {data.fingerprint[:12]}"
        )


def boards(results: Sequence[Result], baseline: str | None = None) -> list[Board]:
    """Group results into tables and rank each.

    Args:
        baseline: name of the model that differences are taken to; by default SAM, see the module's docstring.

    Raises SaomBenchError when no complete row is called ``baseline``.
    """
    if baseline is not None and not any(r.model.name == baseline and r.status == "complete" for r in results):
        raise SaomBenchError(f"no complete result is of a model called {baseline!r}; the names are in the tables")
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.comparable, []).append(result)
    made = [_board(group, baseline) for group in groups.values()]
    return sorted(made, key=lambda b: (_place(b.first), b.title, b.subtitle, b.first.comparable))


def render(shown: Sequence[Board], width: int) -> Group:
    """The boards as tables for a terminal of that many columns: what does not fit is in the Markdown page."""
    parts: list[RenderableType] = []
    for board in shown:
        parts += [_terminal_table(board, width), Text(board.subtitle, style="dim"), *_notes(board), Text("")]
    if len(shown) > 1:
        parts.append(Text(APART, style="dim"))
    return Group(*parts)


APART = "Tables differ in task, parameters or images, so their rows are not ranked together."


def markdown(shown: Sequence[Board]) -> str:
    """The boards as a Markdown page, each with its per-class table."""
    parts = [
        "# Leaderboard",
        "Percent, with 95 % intervals by bootstrap over scenes; Δ is the paired difference of mIoU to SAM in points. "
        + (APART if len(shown) > 1 else ""),
    ]
    for board in shown:
        columns = _columns(board)
        columns.append(_Column("settings", [", ".join(settings_words(e.result.settings)) for e in board.entries], 0))
        parts += [f"## {board.title}", f"{board.first.task.description}", board.subtitle + "."]
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


def settings_words(settings: dict[str, object]) -> list[str]:
    """Settings in few words: ("grid 32x32", "pred_iou 0.88", ...)."""
    words = []
    for name, value in settings.items():
        shown = "x".join(map(str, value)) if isinstance(value, list) else value
        words.append(f"{name.replace('_', ' ')} {shown}")
    return words


def _board(group: Sequence[Result], baseline: str | None) -> Board:
    complete = [r for r in group if r.status == "complete"]
    ranked = sorted((r for r in complete if r.model.kind != "control"), key=_order)
    controls = sorted((r for r in complete if r.model.kind == "control"), key=_order)
    failed = sorted((r for r in group if r.status == "failed"), key=lambda r: r.model.name)
    entries = [Entry(r, i, _delta(r, ranked, baseline), _warnings(r)) for i, r in enumerate(ranked, 1)]
    entries += [Entry(r, notes=("a control, not ranked",)) for r in controls]
    entries += [Entry(r, notes=(_failure(r),)) for r in failed]
    columns = tuple(name for name in _OPTIONAL if any(name in r.metrics for r in complete))
    return Board(tuple(entries), columns)


def _place(result: Result) -> int:
    names = list(PROTOCOLS)
    return names.index(result.task.protocol) if result.task.protocol in names else len(names)


def _order(result: Result) -> tuple[float, str, str]:
    return -result.metrics[RANKED_BY].value, result.model.name, result.stem


def _delta(result: Result, ranked: Sequence[Result], baseline: str | None) -> Interval | None:
    if baseline is not None:
        candidates = [r for r in ranked if r.model.name == baseline]
    else:
        all_sam = [r for r in ranked if r.model.kind == "sam"]
        same = [r for r in all_sam if r.model.base_weights_sha256 == result.model.base_weights_sha256]
        candidates = same or all_sam
    if not candidates or candidates[0] is result or (baseline is None and result.model.kind == "sam"):
        return None
    return difference(result.sums(), candidates[0].sums(), RANKED_BY, result.bootstrap.seed)


def _warnings(result: Result) -> tuple[str, ...]:
    notes = []
    if result.seen_scenes:
        notes.append(f"was trained on {len(result.seen_scenes)} of these {len(result.data.scenes)} scenes")
    if result.selection_scenes:
        notes.append(f"its checkpoint was chosen on {len(result.selection_scenes)} of these scenes")
    return tuple(notes)


def _failure(result: Result) -> str:
    first = result.failures[0]
    more = f" and {len(result.failures) - 1} more" if len(result.failures) > 1 else ""
    return f"failed on image {first.key}{more}: {first.error}"


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
        _Column("#", [str(e.rank) if e.rank else "-" for e in entries], 9),
        _Column("model", [e.result.model.name + ("*" if e.notes else "") for e in entries], 9),
        _Column("mIoU", [percent(r.metrics.get(RANKED_BY)) for r in results], 9),
        _Column("Δ SAM", [percent(e.delta, signed=True) for e in entries], 8),
        _Column("mAcc", [_value(r.metrics.get("macc")) for r in results], 7),
    ]
    for name in board.columns:
        columns.append(_Column(title_of(name), [_value(r.metrics.get(name)) for r in results], _OPTIONAL[name]))
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
