"""Exporting a dataset: one function a format, each from samples to files; a folder is whole or not there."""

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from saom_bench.errors import SaomBenchError, unknown
from saom_bench.files import PARTIAL_SUFFIX
from saom_bench.masks import encode_rle, rle_areas, rle_boxes
from saom_bench.shards.card import card
from saom_bench.shards.dataset import ShardDataset
from saom_bench.shards.exchange.records import dataset_record, file_stem, frame_record
from saom_bench.types import Sample

Advance = Callable[[int], None]
_FRAMES_A_TAR = 500
_LEVEL = 3
"""PNG compression: higher levels cost much more time than they save space."""


def export(dataset: ShardDataset, out: Path, format_: str, advance: Advance = lambda n: None) -> None:
    """Write ``dataset`` to the new folder ``out``; ``advance(n)`` is called as n more frames are done.

    Raises SaomBenchError for an unknown format, or when ``out`` exists and is not empty.
    """
    if format_ not in FORMATS:
        raise unknown("export format", format_, FORMATS)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SaomBenchError(f"{out} exists and is not empty; give a new folder for the export")
    partial = out.with_name(out.name + PARTIAL_SUFFIX)
    rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        FORMATS[format_](dataset, partial, advance)
        (partial / "README.md").write_text(card(dataset, _FRONT_MATTER.get(format_, "")), encoding="utf-8")
        if out.exists():
            out.rmdir()
        partial.replace(out)
    except OSError as error:
        raise SaomBenchError(
            f"the export to {out} failed: {error.strerror or error}; give a folder with room"
        ) from error
    finally:
        rmtree(partial, ignore_errors=True)


def _coco(dataset: ShardDataset, out: Path, advance: Advance) -> None:
    """``images/*.png`` and ``annotations.json``: COCO's instances, run-length masks, category id = class index + 1."""
    (out / "images").mkdir()
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, sample in enumerate(_each(dataset, advance), 1):
        name = file_stem(sample) + ".png"
        (out / "images" / name).write_bytes(png(sample.rgb))
        height, width = sample.size_hw
        record = frame_record(sample).model_dump(exclude={"objects"})
        images.append({"id": number, "file_name": name, "width": width, "height": height, "saom": record})
        for instance in sample.instances:
            rle = encode_rle(sample.labels == instance.label)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": instance.class_index + 1,
                    "segmentation": rle,
                    "area": int(rle_areas([rle])[0]),
                    # COCO's box cannot wrap: of an object across a panorama's seam it is as wide as the picture.
                    "bbox": rle_boxes([rle])[0],
                    "box_xyxy": list(instance.box_xyxy),
                    "iscrowd": 0,
                    "label": instance.label,
                    "object_id": instance.object_id,
                }
            )
    content = {
        "info": {"description": f"exported from {dataset.folder.name} by saom-bench", "saom": dataset_record(dataset)},
        "licenses": [],
        "categories": [{"id": i, "name": name} for i, name in enumerate(dataset.label_set.classes, 1)],
        "images": images,
        "annotations": annotations,
    }
    (out / "annotations.json").write_text(json.dumps(content), encoding="utf-8")


def _png(dataset: ShardDataset, out: Path, advance: Advance) -> None:
    """``images/*.png``, ``labels/*.png`` (16 bit, 0 = no object), ``dataset.json``, a line a frame in frames.jsonl."""
    for name in ("images", "labels"):
        (out / name).mkdir()
    (out / "dataset.json").write_text(json.dumps(dataset_record(dataset), indent=1), encoding="utf-8")
    with (out / "frames.jsonl").open("w", encoding="utf-8") as lines:
        for sample in _each(dataset, advance):
            name = file_stem(sample) + ".png"
            (out / "images" / name).write_bytes(png(sample.rgb))
            (out / "labels" / name).write_bytes(png(sample.labels))
            lines.write(json.dumps({"file": name, **frame_record(sample).model_dump()}) + "\n")


def _webdataset(dataset: ShardDataset, out: Path, advance: Advance) -> None:
    """``NNNNNN.tar`` of 500 frames each: KEY.png, KEY.labels.png (16 bit) and KEY.json; equal data give equal bytes."""
    (out / "dataset.json").write_text(json.dumps(dataset_record(dataset), indent=1), encoding="utf-8")
    samples = _each(dataset, advance)
    for start in range(0, len(dataset), _FRAMES_A_TAR):
        with tarfile.open(out / f"{start // _FRAMES_A_TAR:06d}.tar", "w", format=tarfile.PAX_FORMAT) as tar:
            for _, sample in zip(range(min(_FRAMES_A_TAR, len(dataset) - start)), samples, strict=False):
                # A WebDataset key ends at the first dot of the name.
                stem = file_stem(sample).replace(".", "_")
                _add(tar, f"{stem}.png", png(sample.rgb))
                _add(tar, f"{stem}.labels.png", png(sample.labels))
                _add(tar, f"{stem}.json", json.dumps(frame_record(sample).model_dump()).encode())


def _hugging_face(dataset: ShardDataset, out: Path, advance: Advance) -> None:
    """An image folder of Hugging Face's ``datasets``: SPLIT/metadata.jsonl with images, label maps and objects."""
    folder = out / dataset.split
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    with (folder / "metadata.jsonl").open("w", encoding="utf-8") as lines:
        for sample in _each(dataset, advance):
            name = file_stem(sample) + ".png"
            (folder / "images" / name).write_bytes(png(sample.rgb))
            (folder / "labels" / name).write_bytes(png(sample.labels))
            record = frame_record(sample)
            objects = [
                {**each.model_dump(exclude={"box_xyxy"}), "box_xyxy": list(each.box_xyxy), "category": each.object_type}
                for each in record.objects
            ]
            files = {"file_name": f"images/{name}", "labels_file_name": f"labels/{name}"}
            line = {**files, **record.model_dump(exclude={"objects"}), "objects": objects}
            lines.write(json.dumps(line) + "\n")


FORMATS: dict[str, Callable[[ShardDataset, Path, Advance], None]] = {
    "coco": _coco,
    "png": _png,
    "webdataset": _webdataset,
    "hf": _hugging_face,
}
_FRONT_MATTER = {"hf": "task_categories:\n- image-segmentation\nconfigs:\n- config_name: default\n  data_dir: .\n"}


def png(image: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """An (H, W, 3) uint8 picture or an (H, W) uint16 label map as PNG."""
    turned = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
    done, data = cv2.imencode(".png", turned, [cv2.IMWRITE_PNG_COMPRESSION, _LEVEL])
    if not done:
        raise SaomBenchError(f"a picture of shape {image.shape} could not be written as PNG")
    return data.tobytes()


def _each(dataset: ShardDataset, advance: Advance) -> Iterator[Sample]:
    for sample in dataset:
        yield sample
        advance(1)


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))
