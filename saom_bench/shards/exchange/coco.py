"""Reading COCO instance annotations: our own exports without loss, and those of any other source."""

import hashlib
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from saom_bench.classes import LabelSet, label_set
from saom_bench.errors import SaomBenchError
from saom_bench.files import sha256_file
from saom_bench.masks import decode_segmentation
from saom_bench.shards.exchange.incoming import (
    Incoming,
    MaskedObject,
    Skipped,
    Source,
    checked_size,
    painted,
    read_rgb,
    scene_name,
    within,
)
from saom_bench.shards.exchange.records import FrameRecord, read_frame_record
from saom_bench.types import BoolMask, Capture, Size

_CROWD = "crowd regions"
_NO_CLASS = "objects of no class of the label set"


def read_coco(annotations: Path, images: Path | None, split: str, label_set_name: str | None) -> Source:
    """The frames of a COCO file.

    Args:
        images: folder that the file names begin in; else "images" beside the annotations, or their own folder.
        label_set_name: a label set to take the categories of by name, leaving out the others; without it all
            categories make a label set of their own, or that of the dataset that was exported.

    Frames of one folder of pictures are one scene; without folders the file's name is. Raises SaomBenchError for a file
    that is not COCO's.
    """
    content = _content(annotations)
    own = content.get("info", {}).get("saom") if isinstance(content.get("info"), dict) else None
    names = {int(c["id"]): str(c["name"]) for c in _listed(annotations, content, "categories", ("id", "name"))}
    chosen = _label_set(annotations, names, own, label_set_name)
    folder = images or (
        annotations.parent / "images" if (annotations.parent / "images").is_dir() else annotations.parent
    )
    by_image: dict[int, list[dict[str, Any]]] = {}
    for item in _listed(annotations, content, "annotations", ("image_id", "category_id", "segmentation")):
        by_image.setdefault(int(item["image_id"]), []).append(item)
    skipped = Skipped()
    frames = []
    for image in _listed(annotations, content, "images", ("id", "file_name", "width", "height")):
        record = _own_record(annotations, image)
        scene = record.scene if record else _scene(annotations, str(image["file_name"]))
        size_hw = checked_size(annotations, image["height"], image["width"])
        path = within(folder, str(image["file_name"]))
        objects = by_image.get(int(image["id"]), [])
        load = partial(_capture, annotations, path, size_hw, objects, names, chosen, record, skipped)
        frames.append(Incoming(scene_name(scene), size_hw, load))
    identity = {"format": "coco", "source": annotations.name, "sha256": sha256_file(annotations)}
    simulator = own["simulator"] if own else {"name": "imported", "version": "coco", "arguments": identity}
    return Source(chosen, split, simulator, 0, identity, tuple(frames), skipped)


def _capture(
    annotations: Path,
    path: Path,
    size_hw: Size,
    items: Sequence[dict[str, Any]],
    names: dict[int, str],
    classes: LabelSet,
    record: FrameRecord | None,
    skipped: Skipped,
) -> Capture:
    objects: list[MaskedObject] = []
    for item in sorted(items, key=lambda item: int(item.get("label", 0))):
        kind = names.get(int(item["category_id"]))
        if item.get("iscrowd"):
            skipped.add(_CROWD)
        elif kind is None or classes.index_of(kind) is None:
            skipped.add(_NO_CLASS)
        else:
            name = str(item.get("object_id") or f"{kind}|{item.get('id', len(objects))}")
            objects.append(MaskedObject(name, kind, partial(_mask, annotations, item, size_hw)))
    frame = record.values() if record else {}
    return painted(read_rgb(path), objects, classes, skipped, **frame)


def _mask(annotations: Path, item: dict[str, Any], size_hw: Size) -> BoolMask:
    try:
        return decode_segmentation(item["segmentation"], size_hw)
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise SaomBenchError(f"{annotations}: the segmentation of annotation {item.get('id')} is damaged") from error


def _label_set(path: Path, names: dict[int, str], own: Any, wanted: str | None) -> LabelSet:
    if wanted is not None:
        return label_set(wanted)
    if isinstance(own, dict):
        return LabelSet(str(own["label_set"]), tuple(map(str, own["classes"])))
    classes = tuple(sorted(set(names.values())))
    if not classes:
        raise SaomBenchError(f"{path} has no categories; it is no COCO instance file")
    # Evaluation compares label sets by name: two lists of classes must never share one.
    return LabelSet(f"{path.stem}-{hashlib.sha256(json.dumps(classes).encode()).hexdigest()[:8]}", classes)


def _own_record(path: Path, image: dict[str, Any]) -> FrameRecord | None:
    if not isinstance(image.get("saom"), dict):
        return None
    try:
        return read_frame_record(image["saom"])
    except ValueError as error:
        raise SaomBenchError(f"{path}: image {image['id']} has a damaged record ({error}); export it again") from error


def _scene(annotations: Path, file_name: str) -> str:
    folder = str(Path(file_name).parent)
    return annotations.stem if folder == "." else folder


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SaomBenchError(f"{path} cannot be read as JSON ({error}); give COCO's annotation file") from error
    if not isinstance(content, dict):
        raise SaomBenchError(f"{path} is not COCO's: it holds a {type(content).__name__}, not a table")
    return content


def _listed(path: Path, content: dict[str, Any], name: str, fields: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = content.get(name)
    if not isinstance(rows, list):
        raise SaomBenchError(f"{path} is not COCO's: it has no list {name!r}")
    for number, row in enumerate(rows):
        missing = [f for f in fields if not isinstance(row, dict) or f not in row]
        if missing:
            raise SaomBenchError(f"{path}: entry {number} of {name!r} has no {', '.join(missing)}")
        for field in fields:
            if field.endswith("id") and not isinstance(row[field], int):
                raise SaomBenchError(f"{path}: entry {number} of {name!r} has {field} {row[field]!r}, not a number")
    return rows
