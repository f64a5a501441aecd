"""``saom-bench shards``: check a dataset, say what is in it, draw a contact sheet."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from saom_bench.console import console, errors, next_steps, progress

if TYPE_CHECKING:
    from saom_bench.shards.dataset import ShardDataset

app = typer.Typer(help="Check, show and preview datasets.", no_args_is_help=True, rich_markup_mode="rich")
Folder = Annotated[Path, typer.Argument(help="A dataset's folder, as saom-bench collect makes it.")]


@app.command()
def verify(folder: Folder) -> None:
    """Check every shard: its hash, its format, and each frame's objects against its label map.

    Prints one line for each damaged shard and exits with 2.

    [bold]Example[/bold]

    saom-bench shards verify data/train
    """
    from saom_bench.shards.manifest import read_manifest
    from saom_bench.shards.verify import verify_dataset

    manifest = read_manifest(folder)
    frames = sum(record.frames for record in manifest.shards)
    with progress() as bar:
        task = bar.add_task("verify", total=frames, unit="frames", note="")
        findings = verify_dataset(folder, manifest, lambda n: bar.advance(task, n))
    for name in findings.strays:
        console.print(f"not part of the dataset: {folder / name}", style="yellow", soft_wrap=True)
    for failure in manifest.failures:
        console.print(f"not collected: {failure.scene}: {failure.error}", style="yellow", soft_wrap=True)
    for problem in findings.problems:
        errors.print(f"[red]error:[/red] {problem}", soft_wrap=True)
    if findings.problems:
        raise typer.Exit(2)
    console.print(f"[green]whole:[/green] {len(manifest.shards)} shards, {frames} frames")


@app.command()
def show(folder: Folder) -> None:
    """Say what a dataset holds: scenes, frames, objects of each class and their sizes.

    [bold]Example[/bold]

    saom-bench shards show data/train
    """
    from saom_bench.shards.dataset import open_dataset

    dataset = open_dataset(folder)
    console.print(_overview(dataset))
    console.print(_classes(dataset))
    for failure in dataset.manifest.failures:
        console.print(f"not collected: {failure.scene}: {failure.error}", style="yellow", soft_wrap=True)


@app.command()
def preview(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="The picture to write; .png or .jpg.")] = Path("preview.png"),
    frames: Annotated[int, typer.Option(help="How many frames.")] = 9,
    columns: Annotated[int, typer.Option(help="Frames in a row.")] = 3,
    seed: Annotated[int, typer.Option(help="Which frames are drawn.")] = 0,
) -> None:
    """Draw a contact sheet: frames of all scenes with their masks and class names.

    [bold]Examples[/bold]

    saom-bench shards preview data/train --out sheet.png

    saom-bench shards preview data/val --out sheet.jpg --frames 16 --columns 4 --seed 3
    """
    import numpy as np

    from saom_bench.errors import SaomBenchError
    from saom_bench.pictures import save
    from saom_bench.shards.dataset import open_dataset
    from saom_bench.shards.preview import contact_sheet

    if out.suffix.lower() not in {".png", ".jpg", ".jpeg"}:
        raise SaomBenchError(f"{out} ends in no picture format that is known; end it in .png or .jpg")
    picture = contact_sheet(open_dataset(folder), frames, columns, np.random.default_rng(seed))
    save(out, picture)
    console.print(f"wrote {out} ({picture.shape[1]}x{picture.shape[0]})", soft_wrap=True)
    next_steps(f"saom-bench shards show {folder}")


def _overview(dataset: "ShardDataset") -> Table:
    height, width = dataset[0].size_hw
    instances = sum(record.instances for record in dataset.shards)
    table = Table(title=f"dataset {dataset.folder}", title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    scenes = ", ".join(dataset.scenes[:12]) + (" ..." if len(dataset.scenes) > 12 else "")
    table.add_row("scenes", f"{len(dataset.scenes)} {dataset.split}: {scenes}")
    table.add_row("frames", f"{len(dataset)} of {width}x{height}")
    table.add_row("instances", f"{instances} ({instances / len(dataset):.1f} a frame)")
    table.add_row("label set", f"{dataset.label_set.name} ({len(dataset.label_set)} classes)")
    table.add_row("simulator", f"{dataset.simulator.get('name')} {dataset.simulator.get('version')}")
    table.add_row("on disk", f"{sum(record.size_bytes for record in dataset.shards) / 1e6:.1f} MB")
    table.add_row("fingerprint", dataset.fingerprint)
    return table


def _classes(dataset: "ShardDataset") -> Table:
    """One row for each class that occurs, the most frequent first; the absent ones are named below."""
    import numpy as np

    height, width = dataset[0].size_hw
    areas: dict[int, list[int]] = {}
    frames: dict[int, set[int]] = {}
    scenes: dict[int, set[str]] = {}
    for i in range(len(dataset)):
        for instance in dataset.objects(i):
            areas.setdefault(instance.class_index, []).append(instance.area_px)
            frames.setdefault(instance.class_index, set()).add(i)
            scenes.setdefault(instance.class_index, set()).add(dataset.scene_of(i))
    absent = [name for k, name in enumerate(dataset.label_set.classes) if k not in areas]
    table = Table(caption=f"absent: {', '.join(absent) or 'none'}", caption_justify="left")
    table.add_column("class", no_wrap=True)
    for column in ("instances", "frames", "scenes", "median px", "% of frame"):
        table.add_column(column, justify="right", no_wrap=True)
    for k in sorted(areas, key=lambda k: (-len(areas[k]), k)):
        median = float(np.median(areas[k]))
        counts = (len(areas[k]), len(frames[k]), len(scenes[k]))
        share = 100 * median / (height * width)
        table.add_row(dataset.label_set.classes[k], *map(str, counts), f"{median:,.0f}", f"{share:.2f}")
    return table
