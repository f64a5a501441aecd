"""``saom-bench predict`` and ``compare``: everything mode on any pictures and videos, by one model or side by side."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saom_bench.api import (
    STYLES,
    Found,
    Segmenter,
    changed,
    check_classes,
    load,
    read_picture,
    settings_for,
    side_by_side,
)
from saom_bench.console import console, next_steps, progress
from saom_bench.errors import SaomBenchError, unknown

if TYPE_CHECKING:
    from saom_bench.everything.config import EverythingConfig
    from saom_bench.sam.model import Sam
    from saom_bench.types import Proposals, RgbImage, Size

__all__ = ["annotations", "compare", "predict", "read_picture"]

PICTURE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
VIDEO_SUFFIXES = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".webm")

_Model = Annotated[str, typer.Option(help="A base model's name, a checkpoint, or a training run's folder.")]
_Preset = Annotated[
    str | None, typer.Option(help="sam, saomv1, saomv2, panosam or panosam-late; default: the model's own.")
]
_Mode = Annotated[str | None, typer.Option(help="exact: every point of the grid; fast: none where masks lie already.")]
_Grid = Annotated[str | None, typer.Option(help="Points along x and y, such as 32x32.")]
_PredIou = Annotated[float | None, typer.Option(help="Drop masks of a predicted IoU not above this.")]
_Stability = Annotated[float | None, typer.Option(help="Drop masks of a stability below this.")]
_Nms = Annotated[float | None, typer.Option(help="Box IoU above which the worse of two masks is dropped.")]
_MinArea = Annotated[int | None, typer.Option(help="Clean holes and islands of fewer pixels.")]
_Style = Annotated[str, typer.Option(help=f"How masks are drawn: {', '.join(STYLES)}.")]
_Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
_Weights = Annotated[Path | None, typer.Option(help="Weights file of a sam-vit model.")]


def predict(
    images: Annotated[list[Path], typer.Argument(help="Pictures, videos, or folders of them.")],
    model: _Model = "mobile-sam",
    out: Annotated[Path, typer.Option(help="Folder for NAME.png (or .mp4) and NAME.json of each.")] = Path(
        "predictions"
    ),
    preset: _Preset = None,
    mode: _Mode = None,
    grid: _Grid = None,
    pred_iou: _PredIou = None,
    stability: _Stability = None,
    nms: _Nms = None,
    min_area: _MinArea = None,
    crop_layers: Annotated[int | None, typer.Option(help="Run again on so many layers of crops.")] = None,
    panorama: Annotated[
        bool, typer.Option("--panorama", help="The pictures go round the full circle: join what crosses 0/360.")
    ] = False,
    tiles: Annotated[int | None, typer.Option(help="With --panorama: so many pieces, each encoded for itself.")] = None,
    classes: Annotated[
        str | None, typer.Option(help="Only these, separated by commas; needs a model with classes.")
    ] = None,
    style: _Style = "filled",
    every: Annotated[int, typer.Option(help="Of a video, one frame in so many.")] = 1,
    frames: Annotated[bool, typer.Option("--frames", help="Of a video, a PNG a frame instead of an MP4.")] = False,
    dtype: Annotated[str | None, typer.Option(help="float32, or bfloat16 on hardware that has it.")] = None,
    device: _Device = "auto",
    weights: _Weights = None,
) -> None:
    """Segment everything in pictures and videos. Time grows with the points asked: about 30 ms each on a CPU core.

    The JSON holds one entry a mask, best first, with the keys of segment-anything's generator: "segmentation" (COCO run
    lengths), "bbox" (x, y, width, height), "area", "predicted_iou", "stability_score", "point_coords", and, where the
    model has classes, "category" and "category_score". Of a video it is JSON lines, one a frame. The overlay names
    masks with a category score of 0.5 or more.

    [bold]Examples[/bold]

    saom-bench predict kitchen.jpg --out predictions --grid 16x16

    saom-bench predict photos/ --model runs/v1 --mode fast --grid 64x64 --classes Sofa,Bed --style outlines

    saom-bench predict walk.mp4 --mode fast --every 5
    """
    changes = _given(
        mode=mode,
        grid=_parsed(grid),
        pred_iou=pred_iou,
        stability=stability,
        box_nms=nms,
        min_area_px=min_area,
        crop_layers=crop_layers,
        tiles=tiles,
        dtype=dtype,
    )
    jobs = _plan(images, out)
    if every < 1:
        raise SaomBenchError(f"--every is {every}; give 1 for each frame of a video, or more")
    if style not in STYLES:
        raise unknown("style", style, STYLES)
    settings = changed(settings_for(model, preset), **changes)
    sizes = [_size(source) for source, _ in jobs]  # a broken file is found now, not after an hour
    wanted = None if classes is None else [name.strip() for name in classes.split(",") if name.strip()]
    segmenter = load(model, device, preset, weights)
    if wanted is not None:
        check_classes(segmenter.sam.class_names, wanted)
    run = _Run(segmenter, settings, wanted, panorama, style, every, frames, out)
    with progress() as bar:
        total = sum(run.points(*size) for size in sizes)
        task = bar.add_task("points", total=total, unit="points", note="")
        for source, stem in jobs:
            bar.update(task, note=source.name)
            said = run(source, stem, lambda n: bar.advance(task, n))
            bar.console.print(f"{source}: {said}", soft_wrap=True, markup=False)
        bar.update(task, note="")
    next_steps(*_advice(model, jobs, out))


def compare(
    image: Annotated[Path, typer.Argument(help="A picture.")],
    models: Annotated[str, typer.Option(help="Names, checkpoints or runs, separated by commas.")],
    out: Annotated[Path, typer.Option(help="The picture to write.")] = Path("compare.png"),
    mode: _Mode = None,
    grid: _Grid = None,
    pred_iou: _PredIou = None,
    stability: _Stability = None,
    style: _Style = "filled",
    device: _Device = "auto",
) -> None:
    """Draw what several models find in a picture side by side. Each keeps its own settings but for those given here.

    [bold]Examples[/bold]

    saom-bench compare kitchen.jpg --models mobile-sam,runs/v1 --mode fast
    """
    from saom_bench import pictures
    from saom_bench.everything.generate import points_of

    changes = _given(mode=mode, grid=_parsed(grid), pred_iou=pred_iou, stability=stability)
    specs = [spec.strip() for spec in models.split(",") if spec.strip()]
    if not specs:
        raise SaomBenchError("no model given; for example --models mobile-sam,runs/v1")
    if style not in STYLES:
        raise unknown("style", style, STYLES)
    if out.is_dir() or out.suffix.lower() not in PICTURE_SUFFIXES:
        raise SaomBenchError(f"{out} is no name for a picture; give one such as compare.png as --out")
    if out.resolve() == image.resolve():
        raise SaomBenchError(f"{image} would be overwritten; give another --out")
    rgb = read_picture(image)
    total = sum(points_of(changed(settings_for(spec), **changes), rgb.shape[:2]) for spec in specs)
    loaded = [load(spec, device) for spec in specs]
    with progress() as bar:
        task = bar.add_task("points", total=total, unit="points", note=image.name)
        picture = side_by_side(rgb, loaded, style, lambda n: bar.advance(task, n), **changes)
    pictures.save(out, picture)
    console.print(f"wrote {out}", soft_wrap=True, markup=False)
    next_steps(f"saom-bench predict {image} --model {specs[-1]}")


@dataclass(frozen=True)
class _Run:
    """One call of predict: what is done to each picture or video."""

    segmenter: Segmenter
    settings: "EverythingConfig"
    classes: list[str] | None
    panorama: bool
    style: str
    every: int
    frames: bool
    out: Path

    def points(self, size_hw: "Size", frames: int) -> int:
        """Points that the bar counts for a picture, or a video of so many frames."""
        from saom_bench.everything.generate import points_of

        return points_of(self.settings, size_hw, self.panorama) * -(-frames // self.every)

    def __call__(self, source: Path, stem: str, advance: Callable[[int], None]) -> str:
        """Segment a file and write its outputs; says what came of it."""
        if source.suffix.lower() in VIDEO_SUFFIXES:
            return self._video(source, stem, advance)
        found = self._found(read_picture(source), advance)
        self._save(self.out / f"{stem}.json", json.dumps({**self._about(source), **_document(found)}, indent=1))
        found.save(self.out / f"{stem}.png", self.style)
        return f"{len(found.proposals)} masks -> {self.out / stem}.png"

    def _video(self, source: Path, stem: str, advance: Callable[[int], None]) -> str:
        from saom_bench.video import FrameWriter, Palette, VideoWriter, open_video

        video, palette = open_video(source), Palette()
        lines = [json.dumps(self._about(source))]
        target = self.out / stem if self.frames else self.out / f"{stem}.mp4"
        with FrameWriter(target) if self.frames else VideoWriter(target, video.fps / self.every) as writer:
            for number, rgb in enumerate(video):
                if number % self.every:
                    continue
                found = self._found(rgb, advance)
                writer.write(found.overlay(self.style, palette.colors(found.proposals.boxes_xyxy)))
                lines.append(json.dumps({"frame": number, **_document(found)}))
        self._save(self.out / f"{stem}.jsonl", "\n".join(lines))
        return f"{len(lines) - 1} frames -> {target}"

    def _found(self, rgb: "RgbImage", advance: Callable[[int], None]) -> Found:
        changes = asdict(self.settings)
        found = self.segmenter(rgb, advance, self.panorama, **changes)
        return found if self.classes is None else found.only(self.classes)

    def _about(self, source: Path) -> dict[str, Any]:
        from saom_bench import provenance

        origin = _origin(self.segmenter.spec, self.segmenter.sam)
        shared = {"settings": asdict(self.settings), "packages": provenance.package_versions()}
        return {"image": str(source), **origin, **shared}

    def _save(self, path: Path, text: str) -> None:
        from saom_bench.files import write_text_atomically

        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomically(path, text + "\n")


def _document(found: Found) -> dict[str, Any]:
    return {"size_hw": list(found.proposals.size_hw), "masks": annotations(found.proposals, found.class_names)}


def _parsed(grid: str | None) -> tuple[int, int] | None:
    from saom_bench.everything.config import parse_grid

    return None if grid is None else parse_grid(grid)


def _size(source: Path) -> "tuple[Size, int]":
    """(H, W) and number of frames of a file. Raises SaomBenchError for one that cannot be read."""
    if source.suffix.lower() not in VIDEO_SUFFIXES:
        return read_picture(source).shape[:2], 1
    from saom_bench.video import open_video

    video = open_video(source)
    return next(iter(video)).shape[:2], video.frames


def _plan(images: Sequence[Path], out: Path) -> list[tuple[Path, str]]:
    """Each picture and the name of its outputs; pictures of one name in several folders get numbers."""
    from saom_bench.files import require_place

    require_place(out, "--out")
    jobs: list[tuple[Path, str]] = []
    taken: set[str] = set()
    for source in (picture for path in images for picture in _pictures(path)):
        stem, number = source.stem, 2
        while stem in taken:
            stem, number = f"{source.stem}-{number}", number + 1
        if source.resolve() in {(out / f"{stem}{suffix}").resolve() for suffix in (".png", ".mp4")}:
            raise SaomBenchError(f"{source} would be overwritten by its own overlay; give another folder as --out")
        taken.add(stem)
        jobs.append((source, stem))
    return jobs


def _pictures(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.suffix.lower() in (*PICTURE_SUFFIXES, *VIDEO_SUFFIXES))
    if not found:
        known = ", ".join((*PICTURE_SUFFIXES, *VIDEO_SUFFIXES))
        raise SaomBenchError(f"{path} holds no pictures or videos; give files or a folder of {known}")
    return found


def _origin(spec: str, sam: "Sam") -> dict[str, str]:
    """What the JSON says of the model."""
    from saom_bench.files import sha256_file
    from saom_bench.sam.registry import checkpoint_path

    origin = {"model": spec, "base": sam.name, "base_sha256": sam.weights_sha256}
    path = checkpoint_path(spec)
    return origin if path is None else {**origin, "checkpoint_sha256": sha256_file(path)}


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


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
