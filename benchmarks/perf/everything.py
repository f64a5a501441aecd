"""Time everything mode against segment-anything's generator: seconds an image, peak memory, and what fast mode loses.

    python benchmarks/perf/everything.py [--image PICTURE] [--grids 32x32,64x64,320x64] [--stock-points 64]
        [--exact-points 1024] [--threads 1] [--json OUT]
    python benchmarks/perf/everything.py --loss DATASET [--grids 64x64] [--images 8] [--out loss.jsonl]
        [--model mobile-sam] [--preset sam]

Every measurement is a process of its own, with the same weights (mobile-sam), picture and settings. segment-anything
runs as its users have it: without the memory setting of ``saom_bench.sam.runtime``, which belongs to ours. Seconds are
those of the processor, with one thread by default, so that other work on the machine does not count. Of
segment-anything some points are timed and the rest extrapolated, since its time grows with them alone; likewise of
exact mode on grids of more than ``--exact-points`` (0: all are run). Fast mode is always run whole.

``--loss`` scores exact and fast mode against a dataset's ground truth: mean IoU over its objects, each with the
proposal that is matched to it one-to-one. What --out has already is not run again: to measure fast mode anew, take its
fields out of the rows.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from rich.table import Table

from saom_bench.console import console

_HERE = Path(__file__)
_RUN = ("image", "grid", "data", "model", "preset", "dtype")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--image", type=Path, help="default: the first frame of data/sample")
    parser.add_argument("--grids", default="32x32,64x64,320x64")
    parser.add_argument("--stock-points", type=int, default=64)
    parser.add_argument("--exact-points", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dtype", default="float32", help="of ours")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--loss", type=Path, help="a dataset: measure what fast mode loses instead")
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--out", type=Path, default=Path("loss.jsonl"))
    parser.add_argument("--model", default="mobile-sam", help="of --loss")
    parser.add_argument("--preset", default="sam", help="thresholds of --loss, by the name of a preset")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        _child(arguments)
    elif arguments.loss:
        _losses(arguments)
    else:
        _race(arguments)


def _race(arguments: argparse.Namespace) -> None:
    figures = [_run(arguments, "stock", arguments.grids.split(",")[0])]
    for grid in arguments.grids.split(","):
        figures += [_run(arguments, mode, grid) for mode in ("exact", "fast")]
    stock = figures[0]
    columns = ("grid", "mode", "points asked", "masks", "CPU s an image", "faster", "peak GiB")
    table = Table(*columns, title=f"{stock['picture']}, {stock['threads']} thread, {stock['cpu']}")
    for grid in arguments.grids.split(","):
        nx, ny = (int(text) for text in grid.split("x"))
        slow = stock["encode_s"] + nx * ny * stock["point_s"]
        table.add_row(grid, "segment-anything", f"{stock['asked']} of {nx * ny}", "", f"{slow:.0f}", "", _gib(stock))
        for row in (item for item in figures[1:] if item["grid"] == grid):
            row["faster"] = slow / row["seconds"]
            asked = f"{row['asked']}" + ("" if row["whole"] else f" of {nx * ny}")
            masks = str(row["masks"]) if row["whole"] else ""
            table.add_row("", row["mode"], asked, masks, f"{row['seconds']:.1f}", f"{row['faster']:.1f}x", _gib(row))
    console.print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")


def _run(arguments: argparse.Namespace, mode: str, grid: str) -> dict[str, Any]:
    """One measurement in a process of its own."""
    command = [sys.executable, str(_HERE), "--child", mode, "--grids", grid, "--dtype", arguments.dtype]
    command += ["--stock-points", str(arguments.stock_points), "--exact-points", str(arguments.exact_points)]
    command += ["--threads", str(arguments.threads)]
    command += ["--image", str(arguments.image)] if arguments.image else []
    environment = {**os.environ, "OMP_NUM_THREADS": str(arguments.threads)}
    output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    figures: dict[str, Any] = json.loads(output.splitlines()[-1])
    console.print(f"{mode} {grid}: {figures['seconds']:.1f} s, {figures['asked']} points", highlight=False)
    return figures


def _child(arguments: argparse.Namespace) -> None:
    from saom_bench.sam import runtime

    if arguments.child == "stock":
        runtime.prepare = lambda: None  # as segment-anything's users have it
    import torch

    from saom_bench.sam.registry import load_model

    torch.set_num_threads(arguments.threads)
    grid = tuple(int(text) for text in arguments.grids.split("x"))
    rgb, name = _picture(arguments.image)
    sam = load_model("mobile-sam")
    sam.encode(rgb)  # the encoder's session opens on its first use
    started = process_time()
    sam.encode(rgb)
    encode_s = process_time() - started
    measured = (_stock if arguments.child == "stock" else _ours)(sam, rgb, grid, arguments)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    facts = {"picture": f"{name} {rgb.shape[1]}x{rgb.shape[0]}", "threads": arguments.threads, "cpu": _cpu()}
    shared = {"mode": arguments.child, "grid": arguments.grids, "encode_s": encode_s, "peak_bytes": peak}
    console.file.write(json.dumps({**facts, **shared, **measured}) + "\n")


def _stock(sam: Any, rgb: Any, grid: Any, arguments: argparse.Namespace) -> dict[str, Any]:
    sys.path.insert(0, str(_HERE.parents[2] / "tests"))
    from stock_sam import stock_generator

    from saom_bench.prompts import grid_points

    unit = grid_points(*grid, (1, 1)).astype(np.float64)
    some = unit[np.linspace(0, len(unit) - 1, min(arguments.stock_points, len(unit))).astype(int)]
    generator = stock_generator(sam, points_per_side=None, point_grids=[some])
    started = process_time()
    masks = generator.generate(rgb)
    seconds = process_time() - started
    started = process_time()
    sam.encode(rgb)
    point_s = (seconds - (process_time() - started)) / len(some)
    return {"seconds": seconds, "point_s": point_s, "asked": len(some), "whole": False, "masks": len(masks)}


def _ours(sam: Any, rgb: Any, grid: Any, arguments: argparse.Namespace) -> dict[str, Any]:
    import torch

    from saom_bench.everything import EverythingConfig, everything
    from saom_bench.everything.decoding import PointDecoder
    from saom_bench.everything.exact import exact_masks
    from saom_bench.prompts import grid_points

    asked = [0]
    whole_score = PointDecoder.score

    def score(self: PointDecoder, points_xy: Any) -> Any:
        asked[0] += len(points_xy)
        return whole_score(self, points_xy)

    PointDecoder.score = score  # type: ignore[method-assign]
    config = EverythingConfig(mode=arguments.child, grid=grid, dtype=arguments.dtype)
    points = grid[0] * grid[1]
    part = arguments.exact_points if arguments.child == "exact" else 0
    started = process_time()
    if not 0 < part < points:
        masks = len(everything(sam, rgb, config))
        return {"seconds": process_time() - started, "asked": asked[0], "whole": True, "masks": masks}
    decoder = PointDecoder(sam, sam.encode(rgb), config)
    encoded = process_time() - started
    some = grid_points(*grid, decoder.embedding.size_hw)[np.linspace(0, points - 1, part).astype(int)]
    with torch.no_grad():
        masks = len(exact_masks(decoder, some, config, None))
    seconds = encoded + (process_time() - started - encoded) / part * points
    return {"seconds": seconds, "asked": part, "whole": False, "masks": masks}


def _losses(arguments: argparse.Namespace) -> None:
    """IoU per object of exact and fast mode, image by image."""
    from saom_bench.everything import everything, parse_grid, preset
    from saom_bench.files import write_text_atomically
    from saom_bench.sam.registry import load_model
    from saom_bench.shards.dataset import ShardDataset

    sam, dataset = load_model(arguments.model), ShardDataset(arguments.loss)
    rows = [json.loads(line) for line in arguments.out.read_text().splitlines()] if arguments.out.exists() else []
    by_run = {tuple(row[name] for name in _RUN): row for row in rows}
    settings = [dataset.fingerprint, arguments.model, arguments.preset, arguments.dtype]
    for grid in arguments.grids.split(","):
        for i in np.linspace(0, len(dataset) - 1, min(arguments.images, len(dataset))).astype(int):
            sample = dataset[int(i)]
            run = (sample.key, grid, *settings)
            row = by_run.setdefault(run, dict(zip(_RUN, run, strict=True)))
            for mode in ("fast", "exact") if sample.instances else ():
                if mode in row:
                    continue
                thresholds = preset(arguments.preset)
                config = replace(thresholds, mode=mode, grid=parse_grid(grid), dtype=arguments.dtype)
                started = process_time()
                found = everything(sam, sample.rgb, config)
                row[mode] = _object_ious(sample, found)
                row[f"{mode}_s"] = process_time() - started
                write_text_atomically(arguments.out, "".join(json.dumps(item) + "\n" for item in by_run.values()))
            done = (item for key, item in by_run.items() if list(key[2:]) == settings)
            _print_losses([item for item in done if "exact" in item and "fast" in item])


def _object_ious(sample: Any, found: Any) -> list[float]:
    from saom_bench.masks import encode_labels
    from saom_benchmarks.matching import match, overlaps

    order = np.argsort(-found.predicted_iou, kind="stable")
    truth = [item.label for item in sample.instances]
    iou = overlaps(encode_labels(sample.labels, truth), [found.rles[i] for i in order]).iou
    return [0.0 if k is None else float(iou[row, k]) for row, k in enumerate(match(iou))]


def _print_losses(rows: list[dict[str, Any]]) -> None:
    for grid in dict.fromkeys(row["grid"] for row in rows):
        some = [row for row in rows if row["grid"] == grid]
        exact, fast = (np.concatenate([row[mode] for row in some]) * 100 for mode in ("exact", "fast"))
        seconds = [sum(row[f"{mode}_s"] for row in some) / len(some) for mode in ("exact", "fast")]
        console.print(
            f"{grid}: {len(some)} images, {len(exact)} objects: IoU per object exact {exact.mean():.2f}, fast "
            f"{fast.mean():.2f}, lost {exact.mean() - fast.mean():.2f}; {seconds[0]:.0f} and {seconds[1]:.0f} CPU s an "
            "image",
            soft_wrap=True,
        )


def _picture(path: Path | None) -> tuple[Any, str]:
    from saom_bench.predict import read_picture
    from saom_bench.shards.dataset import ShardDataset

    if path is not None:
        return read_picture(path), path.name
    sample = ShardDataset(_HERE.parents[2] / "data" / "sample")[0]
    return sample.rgb, sample.key


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown CPU")


def _gib(figures: dict[str, Any]) -> str:
    return f"{figures['peak_bytes'] / 2**30:.2f}"


if __name__ == "__main__":
    main()
