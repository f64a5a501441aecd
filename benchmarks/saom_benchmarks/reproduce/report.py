"""From results to the table: mean and spread over seeds beside SAM on the same images, and what was not run.

The spread is the standard deviation over seeds (n - 1 below the line), which is that of training alone: every seed
trains and is scored on the same pictures. Intervals over scenes are in the results themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from saom_benchmarks.metrics import title_of
from saom_benchmarks.reproduce.matrix import ABLATED, ABLATIONS, PANORAMAS, RECIPES, SAM, SAM_LOW, Run, ablation_source
from saom_benchmarks.results import Result

ORACLE, EVERYTHING = "oracle-point", "everything"
COLUMNS = {
    ORACLE: ("miou", "macc", "instance_miou", "best_miou", "class_accuracy"),
    EVERYTHING: ("miou", "macc", "instance_miou", "recall_50", "ar_100", "class_accuracy"),
}
NOT_RUN = "not run"
Results = Mapping[tuple[str, str, str], Result]
"""By tested source, protocol and the model's name."""


@dataclass(frozen=True)
class Line:
    """A line of a table."""

    model: str
    trained_on: str
    names: tuple[str, ...]
    """The models whose mean it is, of which some may not have been run."""


def results_by_place(found: Mapping[str, Sequence[Result]]) -> Results:
    """Results of every tested source, by what they are of; failed ones are left out."""
    return {
        (source, result.task.protocol, result.model.name): result
        for source, results in found.items()
        for result in results
        if result.status == "complete"
    }


def tables(results: Results, sources: Sequence[str], recipes: Sequence[str], seeds: Sequence[int]) -> str:
    """A table for each tested source and protocol, as Markdown."""
    parts = []
    for source in sources:
        for protocol in (ORACLE, EVERYTHING):
            lines = _lines(source, protocol, sources, recipes, seeds)
            parts += [_title(results, source, protocol, lines), _table(results, source, protocol, lines)]
    return "\n\n".join(parts)


def ablation_table(results: Results, sources: Sequence[str], seed: int) -> str:
    """What each choice is worth: one seed, on the val scenes of the source that it trains on."""
    source = ablation_source(sources)
    lines = [Line("SAM", "", (SAM,)), Line(f"{ABLATED} as it is", source, (Run(ABLATED, source, seed).name,))]
    lines += [
        Line(f"`{a.setting}`: {a.shows}", source, (Run(ABLATED, source, seed, a.setting).name,)) for a in ABLATIONS
    ]
    title = f"### {ABLATED} with one setting changed, seed {seed}, trained on {source}"
    parts = [title]
    for protocol in (ORACLE, EVERYTHING):
        parts += [_title(results, source, protocol, lines, "####"), _table(results, source, protocol, lines)]
    return "\n\n".join(parts)


def _lines(
    source: str, protocol: str, sources: Sequence[str], recipes: Sequence[str], seeds: Sequence[int]
) -> list[Line]:
    lines = [Line("SAM", "", (SAM,))]
    if protocol == EVERYTHING and source != PANORAMAS:
        lines.append(Line(SAM_LOW, "", (SAM_LOW,)))
    for recipe in RECIPES:
        if recipe.name in recipes and source in recipe.sources:
            for trained_on in recipe.sources:
                if trained_on in sources:
                    names = tuple(Run(recipe.name, trained_on, seed).name for seed in seeds)
                    lines.append(Line(recipe.name, trained_on, names))
    return lines


def _title(results: Results, source: str, protocol: str, lines: Sequence[Line], level: str = "###") -> str:
    found = [results[key] for line in lines for name in line.names if (key := (source, protocol, name)) in results]
    title = f"{level} {protocol}, on {source}"
    if not found:
        return title
    data = found[0].data
    grid = found[0].task.parameters.get("grid") or found[0].settings["grid"]
    images = f"{data.images} images of {len(data.scenes)} {data.split} scenes"
    return f"{title}\n\n{images}, {grid[0]} x {grid[1]} points, data {data.fingerprint[:12]}."


def _table(results: Results, source: str, protocol: str, lines: Sequence[Line]) -> str:
    columns = COLUMNS[protocol]
    header = ["model", "trained on", "seeds", *(title_of(name) for name in columns), "Δ mIoU", "Δ mAcc", "Δ instance"]
    base = results.get((source, protocol, SAM))
    rows = [header, ["---", "---", *["---:"] * (len(header) - 2)]]
    rows += [_row(results, source, protocol, line, base) for line in lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _row(results: Results, source: str, protocol: str, line: Line, base: Result | None) -> list[str]:
    found = [results[key] for name in line.names if (key := (source, protocol, name)) in results]
    columns = COLUMNS[protocol]
    start = [line.model, line.trained_on]
    if not found:
        return [*start, NOT_RUN, *[""] * (len(columns) + 3)]
    values = {name: [r.metrics[name].value for r in found if name in r.metrics] for name in columns}
    seeds = "" if not line.trained_on else f"{len(found)} of {len(line.names)}" if len(line.names) > 1 else "1"
    gains = ["", "", ""]
    if base is not None and found[0] is not base:
        gains = [
            spread([value - base.metrics[name].value for value in values[name]], signed=True)
            for name in ("miou", "macc", "instance_miou")
        ]
    return [*start, seeds, *(spread(values[name]) for name in columns), *gains]


def spread(values: Sequence[float], signed: bool = False) -> str:
    """ "58.3 ± 0.4" of several values, "58.3" of one, "" of none."""
    if not values:
        return ""
    mean = f"{fmean(values):{'+' if signed else ''}.1f}"
    return f"{mean} ± {stdev(values):.1f}" if len(values) > 1 else mean
