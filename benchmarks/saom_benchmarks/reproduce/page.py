"""REPRODUCE.md and the rows beside it: the tables, what they were made of, and how long that took."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from saom_bench.files import write_text_atomically
from saom_bench.provenance import package_versions
from saom_bench.shards.dataset import ShardDataset, open_dataset
from saom_bench.shards.manifest import MANIFEST
from saom_benchmarks.reproduce.matrix import BASE, PACKS, RECIPES, TRAIN, VAL
from saom_benchmarks.reproduce.report import ablation_table, results_by_place, tables
from saom_benchmarks.reproduce.steps import Wanted, Workplace
from saom_benchmarks.reproduce.times import minutes
from saom_benchmarks.results import Result, read_results

ROWS_SUFFIX = ".jsonl"
"""Not ".json": a folder of results holds nothing else of that name."""
_ABOUT = f"""Oracle-point: every object makes its own point prompt by nearest neighbour assignment, and of three masks
the one of the highest predicted IoU counts. Everything: everything mode on fewer images, its proposals matched
one-to-one. Values are percent: mean ± standard deviation over seeds, which is the spread of training alone. Δ is the
difference to SAM on the same images, in points. The last checkpoint of each run is scored: no scored scene chose it.
{BASE} is the base model of all. Train scenes have numbers n % 100 from 1 to 20, val scenes 21 to 25. How it is
made, and what is missing towards the published gains: benchmarks/REPRODUCE.md."""


def write_page(place: Workplace, wanted: Wanted, page: Path, command: str) -> None:
    """Write the page, and beside it its rows as JSON, from the results that there are."""
    sources = wanted.sources(place)
    found = {source: _results(place, source) for source in sources}
    results = results_by_place(found)
    datasets = {
        f"{source}-{split}": open_dataset(place.data(source, split))
        for source in sources
        for split in (TRAIN, VAL)
        if (place.data(source, split) / MANIFEST).is_file()
    }
    left_out = (
        ""
        if place.packs
        else f"Without a folder of packs (PACKS=DIR), what trains or is scored on {PACKS} is left out."
    )
    parts = [
        "# SAOM on a CPU, repeated",
        f"`{command}`",
        " ".join(_ABOUT.split()),
        left_out,
        "## Recipes against SAM",
        tables(results, sources, [recipe.name for recipe in RECIPES if recipe.name in wanted.recipes], wanted.seeds),
        *(["## Ablations", ablation_table(results, sources, wanted.seeds[0])] if wanted.ablations else []),
        "## Made of",
        _data_table(datasets),
        _time_line(minutes(place.out)),
        "Versions: " + ", ".join(f"{name} {version}" for name, version in package_versions().items()) + ".",
    ]
    write_text_atomically(page, "\n\n".join(part for part in parts if part) + "\n")
    rows = [row_of(source, protocol, result) for (source, protocol, _), result in sorted(results.items())]
    write_text_atomically(page.with_suffix(ROWS_SUFFIX), "".join(json.dumps(row) + "\n" for row in rows))


def row_of(source: str, protocol: str, result: Result) -> dict[str, Any]:
    """What the page's JSON keeps of a result."""
    return {
        "tested_on": source,
        "protocol": protocol,
        "model": result.model.name,
        "images": result.data.images,
        "data": result.data.fingerprint,
        "checkpoint_sha256": result.model.checkpoint_sha256,
        "metrics": {name: round(value.value, 3) for name, value in result.metrics.items()},
        "command": result.command,
        "created": result.created,
    }


def _results(place: Workplace, source: str) -> list[Result]:
    folder = place.results(source)
    return read_results([folder]) if folder.is_dir() else []


def _data_table(datasets: Mapping[str, ShardDataset]) -> str:
    rows = ["| data set | scenes | images | fingerprint | simulator |", "| --- | ---: | ---: | --- | --- |"]
    for name, data in datasets.items():
        simulator = " ".join(str(data.simulator[key]) for key in ("name", "version", "scenes") if key in data.simulator)
        rows.append(f"| {name} | {len(data.scenes)} | {len(data)} | `{data.fingerprint}` | {simulator} |")
    return "\n".join(rows)


def _time_line(spent: Mapping[str, float]) -> str:
    verbs = ", ".join(f"{verb} {value:.0f}" for verb, value in spent.items())
    return f"Minutes so far, as measured on the machine that ran it: {verbs}." if spent else ""
