"""Hold everything mode's exact mode against segment-anything's own generator: the same masks, on many pictures.

    python benchmarks/perf/parity.py [--data demo/test,packs/val] [--photos FOLDER|skimage] [--each 6] [--grid 8x8]
        [--control 2] [--out parity.jsonl]

Both run with the same weights (mobile-sam) and settings: segment-anything's, on a grid of points over the whole
picture. Masks are paired in the order of their predicted IoU. A logit within rounding of zero may fall to either side:
``--control`` runs segment-anything against itself with other batches on that many pictures, for comparison. Pictures
that --out has already are not run again. The photographs of scikit-image are read where it is installed.
"""

import argparse
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from saom_bench.sam import runtime

runtime.prepare()

import numpy as np  # noqa: E402
from rich.table import Table  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from stock_sam import stock_generator  # noqa: E402

from saom_bench.console import console  # noqa: E402
from saom_bench.everything import EverythingConfig, everything, parse_grid  # noqa: E402
from saom_bench.masks import decode_rle  # noqa: E402
from saom_bench.predict import read_picture  # noqa: E402
from saom_bench.prompts import grid_points  # noqa: E402
from saom_bench.sam.registry import load_model  # noqa: E402
from saom_bench.shards.dataset import ShardDataset  # noqa: E402
from saom_bench.types import BoolMask, RgbImage  # noqa: E402

_PHOTOS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png", "camera.png")
_PHOTOS += ("coins.png", "motorcycle_right.png")
Masks = tuple[BoolMask, np.ndarray, np.ndarray]  # type: ignore[type-arg]


def pictures(data: list[Path], photos: str, each: int) -> Iterator[tuple[str, RgbImage]]:
    """Names and pictures: some of each dataset, evenly, and the photographs."""
    for folder in data:
        dataset = ShardDataset(folder)
        for i in np.linspace(0, len(dataset) - 1, min(each, len(dataset))).astype(int):
            yield f"{folder.name}:{dataset[int(i)].key}", dataset[int(i)].rgb
    if photos == "skimage":
        spec = importlib.util.find_spec("skimage")
        if spec is None or spec.origin is None:
            raise SystemExit("scikit-image is not installed; pip install scikit-image, or give a folder as --photos")
        paths = [Path(spec.origin).parent / "data" / name for name in _PHOTOS]
    else:
        paths = sorted(Path(photos).iterdir()) if photos else []
    for path in paths:
        yield path.name, read_picture(path)


def stock(sam: Any, rgb: RgbImage, config: EverythingConfig, batch: int = 64) -> Masks:
    """Masks, predicted IoU and stability of segment-anything's generator, best first."""
    unit = grid_points(*config.grid, (1, 1)).astype(np.float64)
    found = stock_generator(sam, points_per_side=None, point_grids=[unit], points_per_batch=batch).generate(rgb)
    found.sort(key=lambda item: -item["predicted_iou"])
    masks = np.array([item["segmentation"] for item in found], np.bool_).reshape(-1, *rgb.shape[:2])
    return masks, *(np.array([item[key] for item in found]) for key in ("predicted_iou", "stability_score"))


def ours(sam: Any, rgb: RgbImage, config: EverythingConfig) -> Masks:
    """The same of everything mode."""
    found = everything(sam, rgb, config)
    masks = np.array([decode_rle(rle) for rle in found.rles], np.bool_).reshape(-1, *rgb.shape[:2])
    return masks, found.predicted_iou, found.stability


def compared(one: Masks, other: Masks) -> dict[str, Any]:
    """How two sets of masks differ; only counts where they are not equally many."""
    result: dict[str, Any] = {"masks": [len(one[0]), len(other[0])]}
    if len(one[0]) != len(other[0]) or not len(one[0]):
        return result
    wrong = (one[0] != other[0]).sum(axis=(1, 2))
    iou = (one[0] & other[0]).sum(axis=(1, 2)) / (one[0] | other[0]).sum(axis=(1, 2))
    differences = [float(np.abs(a - b).max()) for a, b in zip(one[1:], other[1:], strict=True)]
    return result | {
        "identical": int((wrong == 0).sum()),
        "pixels": int(wrong.sum()),
        "least_iou": float(iou.min()),
        "score": differences[0],
        "stability": differences[1],
    }


def main() -> None:
    """Compare picture by picture, and print a row each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", default="", help="dataset folders, separated by commas")
    parser.add_argument("--photos", default="skimage", help="skimage, a folder of pictures, or nothing")
    parser.add_argument("--each", type=int, default=6, help="pictures of each dataset")
    parser.add_argument("--grid", default="8x8")
    parser.add_argument("--control", type=int, default=2, help="pictures on which segment-anything meets itself")
    parser.add_argument("--out", type=Path, help="a JSON line a picture")
    arguments = parser.parse_args()
    config = EverythingConfig(grid=parse_grid(arguments.grid))
    sam = load_model("mobile-sam")
    rows = [json.loads(line) for line in arguments.out.read_text().splitlines()] if _exists(arguments.out) else []
    done = {row["picture"] for row in rows}
    folders = [Path(text) for text in arguments.data.split(",") if text]
    for name, rgb in pictures(folders, arguments.photos, arguments.each):
        if name in done:
            continue
        theirs = stock(sam, rgb, config)
        row = {"picture": name, "size_hw": rgb.shape[:2], **compared(theirs, ours(sam, rgb, config))}
        if len(rows) < arguments.control:
            row["control"] = compared(theirs, stock(sam, rgb, config, batch=20))
        rows.append(row)
        if arguments.out:
            with arguments.out.open("a") as file:
                file.write(json.dumps(row) + "\n")
        console.print(row)
    console.print(_table(rows))


def _exists(path: Path | None) -> bool:
    return path is not None and path.exists()


def _table(rows: list[dict[str, Any]]) -> Table:
    columns = ("picture", "masks", "identical", "pixels that differ", "least IoU", "scores differ", "stability differs")
    table = Table(*columns, title=f"{len(rows)} pictures")
    for row in rows:
        for label, found in ((row["picture"], row), ("  segment-anything itself", row.get("control"))):
            if found is None:
                continue
            masks = " | ".join(str(count) for count in found["masks"])
            shown = [str(found.get(key, "")) for key in ("identical", "pixels")]
            exact = [f"{found[key]:.6g}" if key in found else "" for key in ("least_iou", "score", "stability")]
            table.add_row(label, masks, *shown, *exact)
    total = [sum(row.get(key, 0) for row in rows) for key in ("identical", "pixels")]
    table.add_row("all", str(sum(row["masks"][0] for row in rows)), str(total[0]), str(total[1]), "", "", "")
    return table


if __name__ == "__main__":
    main()
