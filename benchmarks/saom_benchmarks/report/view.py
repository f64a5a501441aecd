"""What the page shows, as plain values: texts, shares of an axis, places in a plot. How it looks is the template's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from saom_benchmarks.boards import RANKED_BY, Board, Entry, settings_words
from saom_benchmarks.bootstrap import Interval, difference
from saom_benchmarks.metrics import METRICS, title_of
from saom_benchmarks.results import Result

HUES = 8
"""Models have one of so many colours, the same all over the page."""
HEATS = (
    ("iou", "IoU", "higher is better"),
    ("recall_50", "Recall at IoU .5", "higher is better"),
    ("over_segmented", "Over-segmentation", "lower is better: a part was proposed, the whole missed"),
)
PLOT_WH = (560, 330)
_PLOT_BOX = (46, 14, 546, 288)
"""Left, top, right and bottom of the plot's axes, px."""
_LABEL_PX = 15


@dataclass(frozen=True)
class Cell:
    """A number in a table; ``sort`` orders it, None last."""

    text: str
    sort: float | None = None
    tone: str = ""
    title: str = ""


@dataclass(frozen=True)
class Whisker:
    """A value with its interval on an axis: places as percent of its length."""

    low: float
    value: float
    high: float


@dataclass(frozen=True)
class Row:
    """One row of a table."""

    entry: Entry
    hue: int
    whisker: Whisker | None
    miou: Cell
    delta: Cell
    cells: tuple[Cell, ...]

    @property
    def rank(self) -> str:
        """ "1", "2=" for a row that does not differ from the one above, "" for an unranked one."""
        return "" if self.entry.rank is None else f"{self.entry.rank}{'=' if self.entry.is_tied else ''}"


@dataclass(frozen=True)
class Dot:
    """A model in the speed plot, in px; ``anchor`` is the side on which its name stands."""

    name: str
    hue: int
    x: float
    y: float
    y_low: float
    y_high: float
    label_y: float
    anchor: str
    title: str


@dataclass(frozen=True)
class Plot:
    """Quality against time, time on a logarithmic axis."""

    dots: tuple[Dot, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    machines: tuple[str, ...]


@dataclass(frozen=True)
class Heat:
    """A metric by class and model; ``rows`` are (class, objects, values in percent)."""

    field: str
    title: str
    hint: str
    rows: tuple[tuple[str, int, tuple[float | None, ...]], ...]


@dataclass(frozen=True)
class Section:
    """One table with all that belongs to it."""

    anchor: str
    board: Board
    columns: tuple[tuple[str, str], ...]
    """Titles with hints, of the cells that rows have beside mIoU and the difference."""
    ranked: tuple[Row, ...]
    unranked: tuple[Row, ...]
    axis: tuple[float, float]
    compared: tuple[tuple[str, int], ...] = ()
    """Names and hues of the pairs' and the heat map's models."""
    pairs: tuple[tuple[Cell, ...], ...] = ()
    plot: Plot | None = None
    heats: tuple[Heat, ...] = field(default=())

    @property
    def title(self) -> str:
        """ "embedded-views@1", or for a local task what its data are, such as "packs, 20 val scenes"."""
        data = self.board.first.data
        where = data.simulator.get("scenes") or data.simulator.get("name", "data")
        return self.board.first.task.benchmark or f"{where}, {len(data.scenes)} {data.split} scenes"


def hues_of(boards: Sequence[Board]) -> dict[str, int]:
    """A hue for each model's name, in the order of their first appearance."""
    names = dict.fromkeys(entry.result.model.name for board in boards for entry in board.entries)
    return {name: i % HUES for i, name in enumerate(names)}


def section(board: Board, place: int, hues: dict[str, int]) -> Section:
    """A table and its figures; the speed plot and the pairs need two complete rows."""
    axis = _axis(board)
    columns = _columns(board)
    rows = [_row(entry, columns, axis, hues) for entry in board.entries]
    shown = [e.result for e in board.entries if e.result.status == "complete" and e.result.model.spec != "oracle"]
    is_full = len(shown) > 1
    return Section(
        anchor=f"table-{place}",
        board=board,
        columns=tuple((title_of(name), _hint(name)) for name in columns) + _FIXED,
        ranked=tuple(row for row in rows if row.entry.rank is not None),
        unranked=tuple(row for row in rows if row.entry.rank is None),
        axis=axis,
        compared=tuple((result.model.name, hues[result.model.name]) for result in shown),
        pairs=_pairs(shown) if is_full else (),
        plot=_plot(shown, hues) if is_full else None,
        heats=tuple(_heats(shown)) if shown else (),
    )


_FIXED = (
    ("masks", "Masks an image, on average"),
    ("s/image", "Seconds an image, encoding included"),
    ("MB", "Peak memory of the process, all models of the run together"),
)


def _columns(board: Board) -> list[str]:
    has_macc = any("macc" in entry.result.metrics for entry in board.entries)
    return [*(["macc"] if has_macc else []), *board.columns]


def _hint(name: str) -> str:
    lower = name in METRICS and METRICS[name].is_better == "lower"
    return f"{title_of(name)}, %: {'lower' if lower else 'higher'} is better"


def _row(entry: Entry, columns: Sequence[str], axis: tuple[float, float], hues: dict[str, int]) -> Row:
    result = entry.result
    miou = result.metrics.get(RANKED_BY)
    cells = [_number(result.metrics.get(name)) for name in columns]
    proposals, speed = result.per_image.get("proposals"), result.speed
    memory = None if speed is None else speed.peak_gpu_memory_mb or speed.peak_memory_mb
    cells += [
        Cell("" if proposals is None else f"{proposals:.0f}", proposals),
        Cell("" if speed is None else _seconds(speed.mean_s), None if speed is None else speed.mean_s),
        Cell("" if memory is None else f"{memory:,.0f}", memory),
    ]
    return Row(entry, hues[result.model.name], _whisker(miou, axis), _number(miou), _gain(entry.delta), tuple(cells))


def _number(interval: Interval | None) -> Cell:
    if interval is None:
        return Cell("")
    return Cell(f"{interval.value:.1f}", interval.value, title=_range(interval))


def _gain(interval: Interval | None) -> Cell:
    if interval is None:
        return Cell("")
    return Cell(f"{interval.value:+.1f}", interval.value, _tone(interval), _range(interval, "+"))


def _tone(interval: Interval) -> str:
    if interval.low is not None and interval.low > 0:
        return "win"
    return "loss" if interval.high is not None and interval.high < 0 else "tie"


def _range(interval: Interval, sign: str = "") -> str:
    if interval.low is None or interval.high is None:
        return "one scene: no interval"
    return f"{interval.low:{sign}.1f} to {interval.high:{sign}.1f}"


def _seconds(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _axis(board: Board) -> tuple[float, float]:
    """Tens round all intervals but the oracle's, which would squeeze the rest."""
    found = [e.result.metrics.get(RANKED_BY) for e in board.entries if e.result.model.spec != "oracle"]
    ends = [x for i in found if i is not None for x in (i.value, i.low, i.high) if x is not None] or [0.0, 100.0]
    low, high = 10 * math.floor(min(ends) / 10), 10 * math.ceil(max(ends) / 10)
    return float(max(0, low)), float(min(100, max(high, low + 10)))


def _whisker(interval: Interval | None, axis: tuple[float, float]) -> Whisker | None:
    if interval is None or interval.value > axis[1]:  # the oracle, far from everybody
        return None

    def share(value: float | None) -> float:
        x = interval.value if value is None else value
        return round(min(100.0, max(0.0, 100 * (x - axis[0]) / (axis[1] - axis[0]))), 2)

    return Whisker(share(interval.low), share(interval.value), share(interval.high))


def _pairs(shown: Sequence[Result]) -> tuple[tuple[Cell, ...], ...]:
    """Row minus column, in points of mIoU, paired over scenes."""
    return tuple(
        tuple(
            Cell("", tone="self")
            if one is other
            else _gain(difference(one.sums(), other.sums(), RANKED_BY, one.bootstrap.seed))
            for other in shown
        )
        for one in shown
    )


def _heats(shown: Sequence[Result]) -> list[Heat]:
    kinds = HEATS if shown[0].task.protocol == "everything" else HEATS[:1]
    classes = sorted(shown[0].classes, key=lambda row: (-row.objects, row.name))
    heats = []
    for name, title, hint in kinds:
        values = [{row.name: float(getattr(row, name)) for row in result.classes} for result in shown]
        rows = tuple((row.name, row.objects, tuple(of.get(row.name) for of in values)) for row in classes)
        heats.append(Heat(name, title, hint, rows))
    return heats


def _plot(shown: Sequence[Result], hues: dict[str, int]) -> Plot | None:
    timed = [r for r in shown if r.model.base is not None or r.model.kind != "control"]  # rectangles take no time
    points = [(r, r.metrics[RANKED_BY], r.speed.mean_s) for r in timed if r.speed is not None and r.speed.mean_s > 0]
    if len(points) < 2:
        return None
    left, top, right, bottom = _PLOT_BOX
    times = [math.log10(seconds) for _, _, seconds in points]
    x0, x1 = min(times) - 0.15, max(times) + 0.15
    ends = [x for _, i, _ in points for x in (i.value, i.low, i.high) if x is not None]
    y0, y1 = 10 * math.floor(min(ends) / 10), 10 * math.ceil(max(ends) / 10)
    y1 = max(y1, y0 + 10)

    def px(log_s: float) -> float:
        return round(left + (right - left) * (log_s - x0) / (x1 - x0), 1)

    def py(value: float) -> float:
        return round(bottom - (bottom - top) * (value - y0) / (y1 - y0), 1)

    dots = []
    for result, miou, seconds in points:
        x, y = px(math.log10(seconds)), py(miou.value)
        title = f"{result.model.name}: mIoU {miou.value:.1f} ({_range(miou)}), {_seconds(seconds)} s an image"
        low, high = (miou.value if end is None else end for end in (miou.low, miou.high))
        anchor = "end" if x > left + 0.62 * (right - left) else "start"
        dots.append(Dot(result.model.name, hues[result.model.name], x, y, py(low), py(high), y, anchor, title))
    machines = dict.fromkeys(r.speed.machine for r, _, _ in points if r.speed is not None and r.speed.machine)
    return Plot(_spread(dots), _time_ticks(x0, x1, px), _ticks(y0, y1, py), tuple(machines))


def _spread(dots: Sequence[Dot]) -> tuple[Dot, ...]:
    """Names that would lie over each other move down."""
    placed: list[Dot] = []
    for dot in sorted(dots, key=lambda d: d.y):
        y = dot.y
        for other in placed:
            if abs(other.x - dot.x) < 150 and other.label_y > y - _LABEL_PX:
                y = other.label_y + _LABEL_PX
        placed.append(Dot(**{**vars(dot), "label_y": round(y, 1)}))
    return tuple(placed)


def _ticks(low: int, high: int, place: "object") -> tuple[tuple[float, str], ...]:
    step = 10 if high - low <= 60 else 20
    return tuple((place(value), str(value)) for value in range(low, high + 1, step))  # type: ignore[operator]


def _time_ticks(low: float, high: float, place: "object") -> tuple[tuple[float, str], ...]:
    exponents = range(math.floor(low), math.ceil(high) + 1)
    steps = (1,) if high - low > 2 else (1, 2, 5) if high - low > 0.8 else (1, 1.5, 2, 3, 4, 5, 7)
    values = [step * 10.0**e for e in exponents for step in steps]
    inside = [value for value in values if low <= math.log10(value) <= high]
    return tuple((place(math.log10(value)), f"{value:g}") for value in inside)  # type: ignore[operator]


def provenance(result: Result) -> list[tuple[str, str]]:
    """What a reader needs to judge and to repeat a row, as (name, text)."""
    card, speed = result.model, result.speed
    pairs = [
        ("model", card.spec),
        ("checkpoint", f"sha256 {card.checkpoint_sha256}" if card.checkpoint_sha256 else ""),
        ("base weights", f"{card.base} sha256 {card.base_weights_sha256}" if card.base_weights_sha256 else ""),
        ("trained on", f"data {card.trained_on[:12]}, {len(card.train_scenes)} scenes" if card.trained_on else ""),
        ("settings", ", ".join(settings_words(result.settings))),
        ("data", f"fingerprint {result.data.fingerprint}"),
        ("machine", "" if speed is None else speed.machine),
        ("packages", ", ".join(f"{name} {version}" for name, version in result.packages.items())),
        ("source", result.git or ""),
        ("bootstrap", f"{result.bootstrap.resamples} resamples of scenes, seed {result.bootstrap.seed}"),
        ("measured", result.created),
        ("command", result.command),
        ("digest", result.digest),
    ]
    return [(name, text) for name, text in pairs if text]
