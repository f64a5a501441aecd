"""The page's pictures: three images of each table, chosen by rule, with the truth and every model's masks.

Images are ordered by how much the best fine-tuned row gains over its baseline on them; the page shows the first, the
middle and the last. Photographs and masks are kept beside the results (``pictures/``), so that the page can be made
again without the data.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, ValidationError

from saom_bench.errors import SaomBenchError
from saom_bench.files import write_text_atomically
from saom_bench.masks import decode_rle
from saom_bench.pictures import color_of, shrink
from saom_bench.shards.dataset import ShardDataset
from saom_bench.types import BoolMask, Sample, Size
from saom_benchmarks.boards import Board
from saom_benchmarks.compare import choose, read_frames
from saom_benchmarks.metrics import frame_miou
from saom_benchmarks.records import RECORD_SUFFIX
from saom_benchmarks.results import Result
from saom_benchmarks.scores import FrameScore

FOLDER = "pictures"
RULES = ("largest gain", "median gain", "smallest gain")
_SIDE_PX = 560
_PANORAMA_SIDE_PX = 1100
_FILL_ALPHA = 130
_MOST_COLORS = 127


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Panel(_Kept):
    """One model's masks on one image."""

    stem: str
    """The row's."""
    name: str
    miou: float
    found: int
    """Objects with an IoU of at least .5."""
    mask: str
    """File name."""


class Shot(_Kept):
    """One image with everybody's masks."""

    key: str
    rule: str
    gain: float
    """mIoU on this image of the row compared minus the baseline's; or its mIoU where there is no baseline."""
    size_hw: tuple[int, int]
    objects: int
    photo: str
    truth: str
    panels: tuple[Panel, ...]


class Gallery(_Kept):
    """The pictures of one table."""

    comparable: str
    stems: tuple[str, ...]
    """The rows that are drawn: with other rows the pictures are to be made again."""
    compared: tuple[str, ...]
    """Whose gain, and over whom."""
    shots: tuple[Shot, ...]


def drawn_rows(board: Board) -> list[Result]:
    """The rows that the pictures show: all complete ones but the oracle, whose masks are the truth."""
    complete = [entry.result for entry in board.entries if entry.result.status == "complete"]
    return [result for result in complete if result.model.spec != "oracle"]


def load_gallery(folder: Path, board: Board) -> Gallery | None:
    """The kept pictures of a table; None when there are none, or other rows have come."""
    path = folder / FOLDER / _name(board)
    if not path.exists():
        return None
    try:
        gallery = Gallery.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise SaomBenchError(f"{path} is damaged: {error.errors()[0]['msg']}; make it again with --data") from error
    rows = tuple(result.stem for result in drawn_rows(board))
    return gallery if (gallery.comparable, gallery.stems) == (board.first.comparable, rows) else None


def make_gallery(folder: Path, board: Board, folders: Sequence[Path], dataset: ShardDataset) -> Gallery | None:
    """Choose and draw a table's pictures and keep them in ``folder``; None without rows to draw.

    Args:
        folders: where the results lie, with the per-image records of their rows.

    Raises SaomBenchError when records are missing.
    """
    rows = drawn_rows(board)
    if not rows:
        return None
    frames = {result.stem: _frames(folders, result) for result in rows}
    ahead, behind = _compared(board, rows)
    keys = choose(frames[behind.stem], frames[ahead.stem], len(RULES))
    index = {key: i for i, key in enumerate(dataset.keys)}
    prefix = f"{board.first.task.protocol}--{board.first.comparable[:10]}"
    shots = []
    for place, key in enumerate(keys):
        of_row = [(result, frames[result.stem][key]) for result in rows]
        last, first = frames[ahead.stem][key], frames[behind.stem][key]
        gain = (frame_miou(last) or 0.0) - (0.0 if ahead is behind else frame_miou(first) or 0.0)
        rule = RULES[round(place * (len(RULES) - 1) / max(1, len(keys) - 1))]
        shots.append(_shoot(folder / FOLDER, f"{prefix}-{place + 1}", dataset[index[key]], rule, gain, of_row))
    names = (ahead.model.name,) if ahead is behind else (ahead.model.name, behind.model.name)
    gallery = Gallery(
        comparable=board.first.comparable, stems=tuple(r.stem for r in rows), compared=names, shots=tuple(shots)
    )
    write_text_atomically(folder / FOLDER / _name(board), gallery.model_dump_json(indent=1) + "\n")
    return gallery


def _compared(board: Board, rows: Sequence[Result]) -> tuple[Result, Result]:
    """The best row that has a baseline, and that baseline; else the best row twice."""
    for entry in board.entries:
        if entry.baseline is not None:
            return entry.result, entry.baseline
    return rows[0], rows[0]


def _frames(folders: Sequence[Path], result: Result) -> dict[str, FrameScore]:
    places = [folder for folder in folders if (folder / "frames" / (result.stem + RECORD_SUFFIX)).exists()]
    return read_frames((places or list(folders))[0], result)


def _shoot(
    folder: Path, name: str, sample: Sample, rule: str, gain: float, rows: Sequence[tuple[Result, FrameScore]]
) -> Shot:
    folder.mkdir(parents=True, exist_ok=True)
    is_wide = sample.rgb.shape[1] > 2.5 * sample.rgb.shape[0]
    photo = shrink(sample.rgb, _PANORAMA_SIDE_PX if is_wide else _SIDE_PX)
    size_hw = (photo.shape[0], photo.shape[1])
    Image.fromarray(photo).save(folder / f"{name}.webp", quality=74, method=6)
    order = {item.label: i for i, item in enumerate(sample.instances)}
    truth = [(order[item.label], sample.labels == item.label) for item in sample.instances]
    _save_masks(folder / f"{name}-truth.png", truth, size_hw)
    panels = []
    for place, (result, frame) in enumerate(rows):
        found = [(order[item.label], _mask(frame, item.counts)) for item in frame.objects if item.counts is not None]
        mask = f"{name}-{place}.png"
        _save_masks(folder / mask, found, size_hw)
        panels.append(
            Panel(
                stem=result.stem,
                name=result.model.name,
                miou=round(frame_miou(frame) or 0.0, 2),
                found=sum(item.iou >= 0.5 for item in frame.objects),
                mask=mask,
            )
        )
    return Shot(
        key=sample.key,
        rule=rule,
        gain=round(gain, 2),
        size_hw=size_hw,
        objects=len(sample.instances),
        photo=f"{name}.webp",
        truth=f"{name}-truth.png",
        panels=tuple(panels),
    )


def _save_masks(path: Path, masks: Sequence[tuple[int, BoolMask]], size_hw: Size) -> None:
    """Masks with their objects' numbers as a PNG that lies over the photograph: fills half clear, outlines solid."""
    drawn: NDArray[np.uint8] = np.zeros(size_hw, np.uint8)
    sized = [(1 + number % _MOST_COLORS, _sized(mask, size_hw)) for number, mask in masks]
    for index, mask in sorted(sized, key=lambda item: -int(item[1].sum())):
        drawn[mask > 0] = index
        outline, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(drawn, outline, -1, _MOST_COLORS + index, 1)
    image = Image.fromarray(drawn, "P")
    colors = [(0, 0, 0), *(color_of(i) for i in range(_MOST_COLORS))]
    image.putpalette([v for color in (*colors, *colors[1:]) for v in color])
    alphas = bytes([0] + [_FILL_ALPHA] * _MOST_COLORS + [255] * _MOST_COLORS)
    image.save(path, optimize=True, transparency=alphas)


def _sized(mask: BoolMask, size_hw: Size) -> NDArray[np.uint8]:
    resized: NDArray[np.uint8] = np.asarray(
        cv2.resize(mask.astype(np.uint8), (size_hw[1], size_hw[0]), interpolation=cv2.INTER_NEAREST), np.uint8
    )
    return resized


def _mask(frame: FrameScore, counts: str | None) -> BoolMask:
    return decode_rle({"size": list(frame.size_hw), "counts": counts or ""})


def _name(board: Board) -> str:
    return f"{board.first.task.protocol}--{board.first.comparable[:10]}.json"
