"""How long the steps of a reproduction took: a line a step, summed by verb for the page."""

import json
from pathlib import Path

from saom_bench.provenance import now

TIMES = "times.jsonl"


def note(out: Path, step: str, seconds: float) -> None:
    """Add a step that is done to the file in the folder ``out``."""
    line = {"step": step, "seconds": round(seconds, 1), "finished": now()}
    with (out / TIMES).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def minutes(out: Path) -> dict[str, float]:
    """Minutes that collecting, training and scoring took so far, by the verb."""
    path = out / TIMES
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    spent: dict[str, float] = {}
    for entry in map(json.loads, lines):
        verb = entry["step"].split()[0]
        spent[verb] = spent.get(verb, 0.0) + entry["seconds"] / 60
    return spent
