"""``saom-bench predict``: everything mode on any pictures; an overlay PNG and a JSON of COCO masks for each."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saom_bench.console import next_steps, progress
from saom_bench.errors import SaomBenchError

if TYPE_CHECKING:
    from saom_bench.everything.config import EverythingConfig
    from saom_bench.sam.model import Sam
    from saom_bench.types import Proposals, RgbImage

PICTURE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
NAMED_ABOVE = 0.5
"""Masks whose class scores lower carry no name in the overlay; the JSON has every class and score."""


def predict(
    images: Annotated[list[Path], typer.Argument(help="Pictures, or folders of pictures.")],
    model: Annotated[
        str, typer.Option(help="A base model's name, a checkpoint, or a training run's folder.")
    ] = "mobile-sam",
    out: Annotated[Path, typer.Option(help="Folder for NAME.png and NAME.json of each picture.")] = Path("predictions"),
    preset: Annotated[
        str | None, typer.Option(help="sam, saomv1, saomv2, panosam or panosam-late; default: the model's own.")
    ] = None,
    grid: Annotated[str | None, typer.Option(help="Points along x and y, such as 32x32.")] = None,
    pred_iou: Annotated[float | None, typer.Option(help="Drop masks of a predicted IoU not above this.")] = None,
    stability: Annotated[float | None, typer.Option(help="Drop masks of a stability below this.")] = None,
    nms: Annotated[float | None, typer.Option(help="Box IoU above which the worse of two masks is dropped.")] = None,
    min_area: Annotated[int | None, typer.Option(help="Clean holes and islands of fewer pixels.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    weights: Annotated[Path | None, typer.Option(help="Weights file of a sam-vit model.")] = None,
) -> None:
    """Segment everything in pictures. Time grows with the grid's points: about 25 ms each on 2 CPU cores.

    The JSON holds one entry a mask, best first, with the keys of segment-anything's generator: "segmentation" (COCO run
    lengths), "bbox" (x, y, width, height), "area", "predicted_iou", "stability_score", "point_coords", and, where the
    model has classes, "category" and "category_score". The overlay names masks with a category score of 0.5 or more.

    [bold]Examples[/bold]

    saom-bench predict kitchen.jpg --out predictions --grid 16x16

    saom-bench predict photos/ --model runs/v1 --out predictions --pred-iou 0.5
    """
    from saom_bench.everything import everything, parse_grid
    from saom_bench.sam.registry import load_model

    jobs = _plan(images, out)
    for source, _ in jobs:
        read_picture(source)  # a broken file is found now, not after an hour
    config = replace(
        _settings_of(model, preset),
        **_given(
            grid=None if grid is None else parse_grid(grid),
            pred_iou=pred_iou,
            stability=stability,
            box_nms=nms,
            min_area_px=min_area,
        ),
    )
    sam = load_model(model, device, weights)
    about = {**_origin(model, sam), "settings": asdict(config)}
    points = config.grid[0] * config.grid[1]
    with progress() as bar:
        task = bar.add_task("points", total=points * len(jobs), unit="points", note="")
        for source, stem in jobs:
            bar.update(task, note=source.name)
            rgb = read_picture(source)
            proposals = everything(sam, rgb, config, lambda n: bar.advance(task, n))
            _write(out, stem, rgb, proposals, sam, {"image": str(source), **about})
            bar.console.print(f"{source}: {len(proposals)} masks -> {out / stem}.png", soft_wrap=True, markup=False)
        bar.update(task, note="")
    next_steps(*_advice(model, jobs, out))


def read_picture(path: Path) -> "RgbImage":
    """An image file as (H, W, 3) uint8, turned as its EXIF says. Raises SaomBenchError naming an unreadable one."""
    import numpy as np
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except UnidentifiedImageError as error:
        raise SaomBenchError(f"{path} is no picture that can be read; give a PNG or JPEG") from error
    except FileNotFoundError as error:
        raise SaomBenchError(f"there is no picture {path}") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise SaomBenchError(f"the picture {path} cannot be read ({error}); it may be cut short") from error


def _plan(images: Sequence[Path], out: Path) -> list[tuple[Path, str]]:
    """Each picture and the name of its outputs; pictures of one name in several folders get numbers."""
    if out.exists() and not out.is_dir():
        raise SaomBenchError(f"{out} is a file; give a folder as --out")
    jobs: list[tuple[Path, str]] = []
    taken: set[str] = set()
    for source in (picture for path in images for picture in _pictures(path)):
        stem, number = source.stem, 2
        while stem in taken:
            stem, number = f"{source.stem}-{number}", number + 1
        if (out / f"{stem}.png").resolve() == source.resolve():
            raise SaomBenchError(f"{source} would be overwritten by its own overlay; give another folder as --out")
        taken.add(stem)
        jobs.append((source, stem))
    return jobs


def _pictures(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.suffix.lower() in PICTURE_SUFFIXES)
    if not found:
        raise SaomBenchError(f"{path} holds no pictures; give files or a folder of {', '.join(PICTURE_SUFFIXES)}")
    return found


def _settings_of(spec: str, preset: str | None) -> "EverythingConfig":
    """The preset that is asked for, else what a checkpoint wants for itself, else segment-anything's own."""
    from saom_bench.everything import config
    from saom_bench.sam.checkpoint import read_metadata
    from saom_bench.sam.registry import checkpoint_path

    if preset is not None:
        return config.preset(preset)
    path = checkpoint_path(spec)
    return config.preset(config.DEFAULT_PRESET) if path is None else config.settings_of(read_metadata(path), spec)


def _origin(spec: str, sam: "Sam") -> dict[str, str]:
    """What the JSON says of the model."""
    from saom_bench.files import sha256_file
    from saom_bench.sam.registry import checkpoint_path

    origin = {"model": spec, "base": sam.name, "base_sha256": sam.weights_sha256}
    path = checkpoint_path(spec)
    return origin if path is None else {**origin, "checkpoint_sha256": sha256_file(path)}


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _write(out: Path, stem: str, rgb: "RgbImage", proposals: "Proposals", sam: "Sam", about: Mapping[str, Any]) -> None:
    import json

    from saom_bench import pictures, provenance
    from saom_bench.files import write_text_atomically
    from saom_bench.masks import decode_rle

    masks = [decode_rle(rle) for rle in proposals.rles]
    entries = annotations(proposals, sam.class_names)
    # The class head knows no "something else": a mask of a wall gets a class too, with a low score.
    names = [entry["category"] if entry.get("category_score", 0) >= NAMED_ABOVE else None for entry in entries]
    pictures.save(out / f"{stem}.png", pictures.overlay(rgb, masks, names))
    document = {
        **about,
        "size_hw": list(proposals.size_hw),
        "packages": provenance.package_versions(),
        "masks": entries,
    }
    write_text_atomically(out / f"{stem}.json", json.dumps(document, indent=1) + "\n")


def annotations(proposals: "Proposals", class_names: Sequence[str] | None) -> list[dict[str, Any]]:
    """One JSON object a mask, with the keys of segment-anything's generator, and its class where there is one."""
    from saom_bench.masks import rle_areas

    areas = rle_areas(proposals.rles)
    entries = []
    for i, rle in enumerate(proposals.rles):
        x0, y0, x1, y1 = (int(v) for v in proposals.boxes_xyxy[i])
        entry: dict[str, Any] = {
            "segmentation": rle,
            "bbox": [x0, y0, x1 - x0, y1 - y0],
            "area": int(areas[i]),
            "predicted_iou": float(proposals.predicted_iou[i]),
            "stability_score": float(proposals.stability[i]),
            "point_coords": [[float(v) for v in proposals.points_xy[i]]],
        }
        if proposals.class_index is not None and proposals.class_score is not None and class_names is not None:
            entry["category"] = class_names[proposals.class_index[i]]
            entry["category_score"] = float(proposals.class_score[i])
        entries.append(entry)
    return entries


def _advice(model: str, jobs: Sequence[tuple[Path, str]], out: Path) -> list[str]:
    again = f"saom-bench predict {jobs[0][0]} --model {model} --out {out}"
    return [f"{again} --grid 64x64", f"{again} --pred-iou 0.7 --stability 0.9"]
