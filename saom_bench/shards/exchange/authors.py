"""Reading the published SAOM dataset's layout: one JSON of picture and mask names, one PNG a mask, red > 0 inside.

Source of the layout: the authors' repository mariiak2021/SAOMv1-SAOMv2-and-PanoSAM (dataset/SCDTrack2PhD.py,
eval_miou.py). The class of a mask comes from the JSON's indices; the type in its file name is only held against it.
"""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from saom_bench.classes import LabelSet, label_set
from saom_bench.errors import SaomBenchError
from saom_bench.files import sha256_file
from saom_bench.shards.exchange.incoming import (
    Incoming,
    MaskedObject,
    Skipped,
    Source,
    painted,
    picture_size,
    read_rgb,
    scene_name,
    within,
)
from saom_bench.types import BoolMask, Capture

_UNLIKE = "objects whose file name states another class than the JSON, which was believed"
_NO_CLASS = "objects of no class of the label set"


def read_authors(metadata: Path, data: Path | None, split: str, label_set_name: str | None) -> Source:
    """The frames of one split.

    Args:
        data: folder that the picture and mask names begin in; else the metadata's own.
        label_set_name: which label set to use; else the file's own entity classes, as "saom-55" where they are those.

    Raises SaomBenchError for a file of another layout.
    """
    content = _content(metadata)
    names = _names(metadata, content["entity classes"])
    items = content.get(f"{split}_data")
    if not isinstance(items, list):
        known = ", ".join(key.removesuffix("_data") for key in content if key.endswith("_data"))
        raise SaomBenchError(f"{metadata} has no split {split!r}; it has {known or 'none'}")
    chosen = label_set(label_set_name) if label_set_name else _own_label_set(metadata, names)
    folder = data or metadata.parent
    skipped = Skipped()
    frames = [_frame(metadata, folder, number, item, names, chosen, skipped) for number, item in enumerate(items)]
    identity = {"format": "saom", "source": metadata.name, "sha256": sha256_file(metadata), "split": split}
    simulator = {"name": "imported", "version": "saom", "arguments": identity}
    return Source(chosen, split, simulator, 0, identity, tuple(frames), skipped)


def _frame(
    metadata: Path, folder: Path, number: int, item: Any, names: list[str], classes: LabelSet, skipped: Skipped
) -> Incoming:
    where = f"{metadata}, item {number}"
    fields = ("image_name", "entity_masks", "entity_indices")
    if not isinstance(item, dict) or not set(fields) <= set(item):
        raise SaomBenchError(f"{where} lacks one of {', '.join(fields)}")
    masks, indices = item["entity_masks"], item["entity_indices"]
    if not (isinstance(masks, list) and isinstance(indices, list) and len(masks) == len(indices)):
        raise SaomBenchError(f"{where} has not one entity index for each entity mask")
    wrong = [i for i in indices if not isinstance(i, int) or not 0 <= i < len(names)]
    if wrong:
        raise SaomBenchError(f"{where} has the entity index {wrong[0]!r}; the classes are 0 to {len(names) - 1}")
    path = within(folder, str(item["image_name"]))
    load = partial(_capture, path, folder, [str(m) for m in masks], [names[i] for i in indices], classes, skipped)
    return Incoming(_scene(path.stem), picture_size(path), load)


def _capture(
    path: Path, folder: Path, masks: Sequence[str], types: Sequence[str], classes: LabelSet, skipped: Skipped
) -> Capture:
    objects = []
    for mask, kind in zip(masks, types, strict=True):
        if classes.index_of(kind) is None:
            skipped.add(_NO_CLASS)
            continue
        name = Path(mask).stem.removeprefix(path.stem).strip("-") or Path(mask).stem
        if name.split("_")[0] != kind:
            skipped.add(_UNLIKE)
        objects.append(MaskedObject(name, kind, partial(_mask, within(folder, mask))))
    return painted(read_rgb(path), objects, classes, skipped)


def _mask(path: Path) -> BoolMask:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise SaomBenchError(f"the mask {path} is missing or no picture; give the folder that the mask names begin in")
    return np.asarray(image[:, :, 2] > 0)


def _scene(stem: str) -> str:
    """ "FloorPlan21__val__0-1-bef" is of FloorPlan21: a room must never be in two splits."""
    return scene_name(stem.split("-")[0].split("__")[0])


def _own_label_set(path: Path, names: list[str]) -> LabelSet:
    for known in ("saom-55", "saom-54", "saom-48"):
        if set(names) == set(label_set(known).classes):
            return label_set(known)
    raise SaomBenchError(
        f"{path} has {len(names)} entity classes that are no label set of ours; choose one with --label-set saom-54: "
        "objects of other classes are left out, and counted"
    )


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SaomBenchError(f"{path} cannot be read as JSON ({error}); give the dataset's metadata file") from error
    if not isinstance(content, dict) or "entity classes" not in content:
        raise SaomBenchError(f"{path} has no 'entity classes'; it is not in the published SAOM layout")
    return content


def _names(path: Path, classes: Any) -> list[str]:
    """The class names by index, whether the file lists them or numbers them."""
    if isinstance(classes, dict) and all(isinstance(v, int) for v in classes.values()):
        classes = sorted(classes, key=lambda name: classes[name])
    elif isinstance(classes, dict) and all(str(k).isdecimal() for k in classes):
        classes = [classes[k] for k in sorted(classes, key=int)]
    if not isinstance(classes, list) or not classes or not all(isinstance(name, str) for name in classes):
        raise SaomBenchError(f"{path}: its 'entity classes' are no list of names")
    return classes
