"""Results grouped and ranked: a table for each task and data.

Rows are ranked together only when task, parameters, label set, dataset fingerprint and images are all equal; other
rows get a table of their own, which says why. The rank is by the lower end of mIoU's interval: what a model reaches at
least, not what it reached by luck. Controls (the oracle and the floors) and failed rows are shown without a rank. The
difference to SAM is paired over scenes: the baseline of a row is the best "sam" row with the same base weights, else
the best "sam" row of the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from saom_bench.errors import SaomBenchError
from saom_bench.shards.format import simulator_title
from saom_benchmarks.bootstrap import Interval, difference
from saom_benchmarks.protocols import PROTOCOLS
from saom_benchmarks.results import Result

RANKED_BY = "miou"
# Metrics beside mIoU and mAcc with the importance of their column.
OPTIONAL = {
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
    baseline: Result | None = None
    notes: tuple[str, ...] = ()
    is_tied: bool = False
    """The paired difference to the row above does not tell them apart."""


@dataclass(frozen=True)
class Board:
    """The results of one task on one set of images, best first, then controls and failures."""

    entries: tuple[Entry, ...]
    columns: tuple[str, ...] = field(default=())
    """Metrics beside mIoU and mAcc that at least one row has."""
    apart: str = ""
    """Why these rows do not stand in the main table of their task; "" for that table."""

    @property
    def first(self) -> Result:
        """Any row: all agree on task and data."""
        return self.entries[0].result

    @property
    def title(self) -> str:
        """The task and its parameters, such as "oracle-point@1, grid 32x32, prior mask, ..."."""
        task = self.first.task
        name = f"{task.benchmark}: " if task.benchmark else ""
        return ", ".join([f"{name}{task.protocol}@{task.version}", *filter(None, [self.parameters])])

    @property
    def compared_to(self) -> str:
        """What differences are taken to: "SAM", or the name of another model where one was asked for."""
        others = [e.baseline.model.name for e in self.entries if e.baseline and e.baseline.model.kind != "sam"]
        return others[0] if others else "SAM"

    @property
    def parameters(self) -> str:
        """The protocol's parameters in words."""
        return ", ".join(settings_words(self.first.task.parameters))

    @property
    def subtitle(self) -> str:
        """The data in one line."""
        data = self.first.data
        simulator = simulator_title(data.simulator)
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
    made = sorted((_board(group, baseline) for group in groups.values()), key=_prominence)
    main: dict[tuple[str, str], Board] = {}
    for board in made:
        main.setdefault(_task_of(board), board)
    told = [replace(b, apart=_why_apart(b.first, main[_task_of(b)].first)) for b in made]
    return sorted(told, key=lambda b: (_place(b.first), b.first.task.benchmark, bool(b.apart), b.title, b.subtitle))


def settings_words(settings: dict[str, object]) -> list[str]:
    """Settings in few words: ["grid 32x32", "pred iou 0.88", ...]; switches that are off are not worth one."""
    words = []
    for name, value in settings.items():
        shown = "x".join(map(str, value)) if isinstance(value, list) else value
        if value is not False:
            words.append(name.replace("_", " ") + ("" if value is True else f" {shown}"))
    return words


def _prominence(board: Board) -> tuple[int, str]:
    return -sum(entry.rank is not None for entry in board.entries), board.first.comparable


def _task_of(board: Board) -> tuple[str, str]:
    return board.first.task.benchmark, board.first.task.protocol


def _why_apart(result: Result, main: Result) -> str:
    """In what a table's rows differ from those of the main table of the task; "" for that table itself."""
    if result.comparable == main.comparable:
        return ""
    pairs = [
        ("version of the protocol", result.task.version, main.task.version),
        ("label set", result.data.label_set, main.data.label_set),
        ("data (fingerprint)", result.data.fingerprint[:12], main.data.fingerprint[:12]),
        ("number of images", result.data.images, main.data.images),
    ]
    pairs += [(k, v, main.task.parameters.get(k)) for k, v in result.task.parameters.items()]
    words = [f"{what} {mine}, not {theirs}" for what, mine, theirs in pairs if mine != theirs]
    return "other " + "; ".join(words or ["images of the same data"])


def _board(group: Sequence[Result], baseline: str | None) -> Board:
    complete = [r for r in group if r.status == "complete"]
    ranked = sorted((r for r in complete if r.model.kind != "control"), key=_order)
    controls = sorted((r for r in complete if r.model.kind == "control"), key=_order)
    failed = sorted((r for r in group if r.status == "failed"), key=lambda r: r.model.name)
    entries = [_ranked(r, i, ranked, baseline) for i, r in enumerate(ranked)]
    entries += [Entry(r, notes=("a control, not ranked",)) for r in controls]
    entries += [Entry(r, notes=(_failure(r),)) for r in failed]
    columns = tuple(name for name in OPTIONAL if any(name in r.metrics for r in complete))
    return Board(tuple(entries), columns)


def _place(result: Result) -> int:
    names = list(PROTOCOLS)
    return names.index(result.task.protocol) if result.task.protocol in names else len(names)


def _order(result: Result) -> tuple[float, float, str, str]:
    reached = result.metrics[RANKED_BY]
    # One scene alone gives no interval, for any row of its table.
    least = reached.value if reached.low is None else reached.low
    return -least, -reached.value, result.model.name, result.stem


def is_apart(one: Result, other: Result) -> bool:
    """Whether the paired interval of the difference in mIoU leaves out 0; not with one scene."""
    found = difference(one.sums(), other.sums(), RANKED_BY, one.bootstrap.seed)
    return found.low is not None and found.high is not None and (found.low > 0 or found.high < 0)


def _ranked(result: Result, place: int, ranked: Sequence[Result], baseline: str | None) -> Entry:
    base = _baseline(result, ranked, baseline)
    seed = result.bootstrap.seed
    return Entry(
        result,
        place + 1,
        None if base is None else difference(result.sums(), base.sums(), RANKED_BY, seed),
        base,
        _warnings(result),
        place > 0 and not is_apart(result, ranked[place - 1]),
    )


def _baseline(result: Result, ranked: Sequence[Result], baseline: str | None) -> Result | None:
    if baseline is not None:
        candidates = [r for r in ranked if r.model.name == baseline]
    else:
        all_sam = [r for r in ranked if r.model.kind == "sam"]
        same = [r for r in all_sam if r.model.base_weights_sha256 == result.model.base_weights_sha256]
        candidates = same or all_sam
    if not candidates or candidates[0] is result or (baseline is None and result.model.kind == "sam"):
        return None
    return candidates[0]


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
