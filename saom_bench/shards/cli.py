"""``saom-bench shards``: check a dataset, say what is in it, draw a contact sheet."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from saom_bench.console import console, errors, next_steps, progress

if TYPE_CHECKING:
    from saom_bench.shards.dataset import ShardDataset
    from saom_bench.shards.exchange.incoming import Source

app = typer.Typer(help="Check, show and preview datasets.", no_args_is_help=True, rich_markup_mode="rich")
Folder = Annotated[Path, typer.Argument(help="A dataset's folder, as saom-bench collect makes it.")]


@app.command()
def verify(
    folder: Folder,
    deep: Annotated[
        bool, typer.Option("--deep", help="Look for a simulator's faults too: empty or repeated pictures, and more.")
    ] = False,
) -> None:
    """Check every shard: its hash, its format, and each frame's objects against its label map.

    Prints one line for each damaged shard and exits with 2. --deep looks at whole shards for empty and repeated
    pictures, labels that belong to another picture, impossible poses and depths, parts outside their object.

    [bold]Examples[/bold]

    saom-bench shards verify data/train

    saom-bench shards verify data/train --deep
    """
    from saom_bench.shards.deep import suspicions
    from saom_bench.shards.manifest import read_manifest
    from saom_bench.shards.verify import verify_dataset

    manifest = read_manifest(folder)
    frames = sum(record.frames for record in manifest.shards)
    with progress() as bar:
        task = bar.add_task("verify", total=frames, unit="frames", note="")
        findings = verify_dataset(folder, manifest, lambda n: bar.advance(task, n))
        problems = findings.problems
        if deep and not problems:
            task = bar.add_task("look", total=frames, unit="frames", note="")
            problems = suspicions(folder, manifest, lambda n: bar.advance(task, n))
    for name in findings.strays:
        console.print(f"not part of the dataset: {folder / name}", style="yellow", soft_wrap=True)
    for failure in manifest.failures:
        console.print(f"not collected: {failure.scene}: {failure.error}", style="yellow", soft_wrap=True)
    for problem in problems:
        errors.print("[red]error:[/red]", end=" ")
        errors.print(problem, soft_wrap=True, markup=False)
    if problems:
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
    columns: Annotated[int | None, typer.Option(help="Frames in a row; else 3, of panoramas 1.")] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Draw below each panorama which view owns which pixel, and the seams.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Which frames are drawn.")] = 0,
) -> None:
    """Draw a contact sheet: frames of all scenes with their masks and class names.

    [bold]Examples[/bold]

    saom-bench shards preview data/train --out sheet.png

    saom-bench shards preview data/val --out sheet.jpg --frames 16 --columns 4 --seed 3

    saom-bench shards preview data/panoramas --out sheet.jpg --frames 4 --explain
    """
    import numpy as np

    from saom_bench.errors import SaomBenchError
    from saom_bench.pictures import save
    from saom_bench.shards.dataset import open_dataset
    from saom_bench.shards.preview import contact_sheet

    if out.suffix.lower() not in {".png", ".jpg", ".jpeg"}:
        raise SaomBenchError(f"{out} ends in no picture format that is known; end it in .png or .jpg")
    picture = contact_sheet(open_dataset(folder), frames, columns, np.random.default_rng(seed), explain)
    save(out, picture)
    console.print(f"wrote {out} ({picture.shape[1]}x{picture.shape[0]})", soft_wrap=True)
    next_steps(f"saom-bench shards show {folder}")


@app.command()
def export(
    folder: Folder,
    out: Annotated[Path, typer.Argument(help="A new folder.")],
    format_: Annotated[
        str, typer.Option("--format", help="coco, png (16-bit label maps), webdataset (tars), hf (image folder).")
    ] = "coco",
) -> None:
    """Write a dataset in another format, with a dataset card.

    [bold]Examples[/bold]

    saom-bench shards export data/train exported --format coco

    saom-bench shards export data/val wds --format webdataset
    """
    from saom_bench.shards.dataset import open_dataset
    from saom_bench.shards.exchange.outgoing import export as write

    dataset = open_dataset(folder)
    with progress() as bar:
        task = bar.add_task("export", total=len(dataset), unit="frames", note=format_)
        write(dataset, out, format_, lambda n: bar.advance(task, n))
    console.print(f"wrote {len(dataset)} frames to {out}", soft_wrap=True, markup=False)
    if format_ in {"coco", "png"}:
        source = out / "annotations.json" if format_ == "coco" else out
        next_steps(f"saom-bench shards import {source} imported --format {format_} --split {dataset.split}")


@app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="COCO's or SAOM's JSON file, or the folder of a PNG export.")],
    out: Annotated[Path, typer.Argument(help="A new folder for the dataset.")],
    format_: Annotated[str, typer.Option("--format", help="coco, saom (the published dataset's layout), png.")],
    split: Annotated[str | None, typer.Option(help="Which split this is: train, val or test.")] = None,
    pictures: Annotated[
        Path | None, typer.Option("--images", help="Folder that the file names begin in; else found by the source.")
    ] = None,
    label_set: Annotated[
        str | None, typer.Option(help="Take classes of this label set by name; else the source's own classes.")
    ] = None,
) -> None:
    """Make a dataset of shards from pictures and masks of another source: any simulator, any domain.

    The pictures of one folder count as one scene: put the pictures of one place into one folder, so that no place is in
    two splits. An import that was broken off goes on where it stopped.

    [bold]Examples[/bold]

    saom-bench shards import instances_train.json data/coco --format coco --images train2017 --split train

    saom-bench shards import metadata.json data/saom-val --format saom --split val --label-set saom-54
    """
    from saom_bench.provenance import command_line
    from saom_bench.shards.exchange.incoming import write_dataset

    incoming = _source(source, format_, split, pictures, label_set)
    with progress() as bar:
        task = bar.add_task("import", total=len(incoming.frames), unit="frames", note="")
        records = write_dataset(incoming, out, command_line(), lambda n: bar.advance(task, n))
    frames, objects = sum(r.frames for r in records), sum(r.instances for r in records)
    console.print(
        f"{frames} frames with {objects} objects in {len(records)} shards: {out}", soft_wrap=True, markup=False
    )
    for why, count in incoming.skipped.counts.items():
        console.print(f"{count} {why}", style="yellow")
    next_steps(f"saom-bench shards preview {out}", f"saom-bench train runs/v1 --recipe saomv1 --data {out}")


@app.command()
def card(
    folder: Folder,
    out: Annotated[Path | None, typer.Option(help="The page to write; else README.md in the dataset.")] = None,
) -> None:
    """Write a dataset's card: licence, simulator, counts by class, split, fingerprint.

    [bold]Example[/bold]

    saom-bench shards card data/train
    """
    from saom_bench.files import write_text_atomically
    from saom_bench.shards.card import card as page
    from saom_bench.shards.dataset import open_dataset

    target = out or folder / "README.md"
    write_text_atomically(target, page(open_dataset(folder)))
    console.print(f"wrote {target}", soft_wrap=True, markup=False)


def _source(source: Path, format_: str, split: str | None, pictures: Path | None, label_set: str | None) -> "Source":
    from saom_bench.errors import SaomBenchError, unknown
    from saom_bench.shards.exchange.authors import read_authors
    from saom_bench.shards.exchange.coco import read_coco
    from saom_bench.shards.exchange.png import read_png

    if format_ not in {"coco", "saom", "png"}:
        raise unknown("import format", format_, ["coco", "saom", "png"])
    if format_ == "png":
        return read_png(source, split)
    if split not in {"train", "val", "test"}:
        raise SaomBenchError("which split is it? Give --split train, val or test")
    return (read_coco if format_ == "coco" else read_authors)(source, pictures, split, label_set)


def _overview(dataset: "ShardDataset") -> Table:
    from saom_bench.shards.format import simulator_title

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
    table.add_row("simulator", simulator_title(dataset.simulator))
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
