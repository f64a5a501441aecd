"""``saom-bench scenes generate``: a file of new houses by ProcTHOR's published recipe."""

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from saom_bench.console import console, next_steps, progress
from saom_bench.errors import SaomBenchError, unknown
from saom_bench.files import write_atomically

_MOST_HOUSES = 100_000


def generate(
    out: Annotated[
        Path, typer.Argument(help="The file to write, one house as JSON a line: houses.jsonl or .jsonl.gz.")
    ],
    rooms: Annotated[str, typer.Option(help="Rooms of a house: 4, or 1-6 for each number in turn.")] = "1-6",
    count: Annotated[int, typer.Option("--count", "-n", help="How many houses.")] = 12,
    seed: Annotated[int, typer.Option(help="The same seed gives the same houses.")] = 0,
    split: Annotated[
        str, typer.Option(help="train, val or test: which of AI2-THOR's objects they may have, and whose they are.")
    ] = "train",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
) -> None:
    """Make new houses: rooms, doors, windows, furniture, small things, lights, as JSON of ProcTHOR's schema 1.0.0.

    The embedded player and AI2-THOR's own take them alike (`collect --houses FILE`). Furniture never stands in doors,
    and every room can be walked to.

    [bold]Examples[/bold]

    saom-bench scenes generate houses.jsonl --rooms 1-6 --count 50 --seed 7

    saom-bench scenes generate val.jsonl --split val --rooms 4 --count 10
    """
    from saom_scenes.houses.assets import assets
    from saom_scenes.houses.files import SPLITS
    from saom_scenes.houses.reading import read_house

    if split not in SPLITS:
        raise unknown("split", split, SPLITS)
    if not 1 <= count <= _MOST_HOUSES:
        raise SaomBenchError(f"--count {count} is outside 1 to {_MOST_HOUSES}")
    if out.is_dir():
        raise SaomBenchError(f"{out} is a folder; give a file, such as {out / 'houses.jsonl'}")
    if out.exists() and not overwrite:
        raise SaomBenchError(f"{out} is there already; give another name, or --overwrite")
    numbers = _numbers(rooms)
    lines: list[str] = []
    types: Counter[str] = Counter()
    with progress() as bar:
        task = bar.add_task("houses", total=count, unit="houses", note="")
        for house in _houses(numbers, count, seed, split):
            lines.append(json.dumps(house, separators=(",", ":"), sort_keys=True))
            types.update({assets()[item.asset_id].object_type for item, _ in read_house(house).everything()})
            bar.update(task, advance=1)
    try:
        _write(out, ("\n".join(lines) + "\n").encode())
    except OSError as error:
        raise SaomBenchError(f"{out} cannot be written ({error.strerror}); give another file") from error
    _show(out, lines, types, split)


def _write(out: Path, content: bytes) -> None:
    # No time in the archive: the same seed gives the same bytes.
    packed = gzip.compress(content, mtime=0) if out.suffix == ".gz" else content

    def write(partial: Path) -> None:
        partial.write_bytes(packed)

    write_atomically(out, write)


def _numbers(text: str) -> list[int]:
    """ "4" or "1-6" as numbers of rooms."""
    from saom_scenes.houses.make.generator import MOST_ROOMS

    match = re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", text.strip())
    low, high = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= low <= high <= MOST_ROOMS:
        raise SaomBenchError(f"--rooms {text} is no number of rooms; give 1 to {MOST_ROOMS}, or a range such as 2-5")
    return list(range(low, high + 1))


def _houses(numbers: list[int], count: int, seed: int, split: str) -> Iterator[dict[str, object]]:
    from saom_scenes.houses.make.floorplan import NoPlan
    from saom_scenes.houses.make.generator import generate_house

    if not 0 <= seed < 2**63:
        raise SaomBenchError(f"--seed {seed} is outside 0 to {2**63 - 1}")
    for index in range(count):
        try:
            yield generate_house(numbers[index % len(numbers)], seed, index, split)
        except NoPlan as error:
            raise SaomBenchError(str(error)) from error


def _show(out: Path, lines: list[str], types: Counter[str], split: str) -> None:
    from saom_bench.classes import DEFAULT_LABEL_SET, label_set

    classes = label_set(DEFAULT_LABEL_SET)
    seen = [name for name in classes.classes if types[name]]
    table = Table(title=f"houses {out}", title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_row("houses", f"{len(lines)} {split}")
    table.add_row("object types", f"{len(types)}, {len(seen)} of the {len(classes)} classes of {classes.name}")
    table.add_row("bytes/house", f"{sum(map(len, lines)) / len(lines):,.0f}")
    console.print(table)
    folder = f"data/{out.name.split('.')[0]}"
    next_steps(f"saom-bench collect {folder} --houses {out} --split {split} --views-per-scene 20")
