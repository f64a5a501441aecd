"""Reading what ``shards export --format png`` writes, without loss: pictures, 16-bit label maps, frames.jsonl."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from saom_bench.classes import LabelSet
from saom_bench.errors import SaomBenchError
from saom_bench.files import sha256_file
from saom_bench.shards.exchange.incoming import (
    Incoming,
    Skipped,
    Source,
    picture_size,
    read_labels,
    read_rgb,
    scene_name,
    within,
)
from saom_bench.shards.exchange.records import FrameRecord, read_frame_record
from saom_bench.types import Capture


def read_png(folder: Path, split: str | None) -> Source:
    """The frames of such a folder. Raises SaomBenchError when it is none, or of another split than asked for."""
    head = _head(folder)
    if split not in (None, head["split"]):
        raise SaomBenchError(f"{folder} is of split {head['split']}, not {split}; leave --split away")
    frames = []
    for number, line in enumerate((folder / "frames.jsonl").read_text(encoding="utf-8").splitlines(), 1):
        name, record = _line(folder, number, line)
        load = partial(_capture, folder, name, record)
        frames.append(Incoming(scene_name(record.scene), picture_size(within(folder / "labels", name)), load))
    identity = {"format": "png", "source": folder.name, "sha256": sha256_file(folder / "frames.jsonl")}
    classes = LabelSet(str(head["label_set"]), tuple(map(str, head["classes"])))
    return Source(classes, str(head["split"]), head["simulator"], 0, identity, tuple(frames), Skipped())


def _capture(folder: Path, name: str, record: FrameRecord) -> Capture:
    return record.capture(read_rgb(within(folder / "images", name)), read_labels(within(folder / "labels", name)))


def _head(folder: Path) -> dict[str, Any]:
    path = folder / "dataset.json"
    try:
        head = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SaomBenchError(
            f"{path} cannot be read ({error}); give a folder that `shards export --format png` made"
        ) from error
    if not isinstance(head, dict) or not {"label_set", "classes", "split", "simulator"} <= set(head):
        raise SaomBenchError(f"{path} is not of `shards export --format png`; export the dataset again")
    return head


def _line(folder: Path, number: int, line: str) -> tuple[str, FrameRecord]:
    try:
        values = json.loads(line)
        return str(values.pop("file")), read_frame_record(values)
    except (ValueError, KeyError, AttributeError) as error:
        raise SaomBenchError(f"{folder / 'frames.jsonl'} line {number} is damaged ({error})") from error
