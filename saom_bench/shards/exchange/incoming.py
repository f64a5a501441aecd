"""Importing a dataset: frames of any size and source, painted into label maps and written as sealed shards.

A source (coco.py, png.py, authors.py) reads its own layout and yields ``Incoming`` frames; the rest is done here.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saom_bench.classes import LabelSet
from saom_bench.errors import SaomBenchError
from saom_bench.files import sha256_file
from saom_bench.masks import areas_and_boxes
from saom_bench.shards.format import MAX_SIDE_PX, ShardHeader
from saom_bench.shards.manifest import MANIFEST, ShardRecord, append_record, create_manifest, read_manifest
from saom_bench.shards.writer import ShardWriter
from saom_bench.types import BoolMask, Capture, Instance, Panorama, Pose, RgbImage, Size

NOWHERE = Pose(0.0, 0.0, 0.0, 0.0, 0.0)
"""The pose of a picture that was not taken by an agent."""
_FRAMES_A_SHARD = 500
_MOST_OBJECTS = 65_535


@dataclass(frozen=True)
class MaskedObject:
    """One object of an incoming frame: its (H, W) mask, made when asked for."""

    object_id: str
    object_type: str
    mask: Callable[[], BoolMask]


@dataclass(frozen=True)
class Incoming:
    """One frame to import; ``load`` reads its pixels."""

    scene: str
    size_hw: Size
    load: Callable[[], Capture]


@dataclass(frozen=True)
class Source:
    """Everything to import. ``identity`` goes into the manifest: the same source may be gone on with."""

    label_set: LabelSet
    split: str
    simulator: dict[str, Any]
    seed: int
    identity: dict[str, Any]
    frames: tuple[Incoming, ...]
    skipped: "Skipped"


@dataclass
class Skipped:
    """What was left out, and why, with counts; filled while frames are read."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, why: str, n: int = 1) -> None:
        """Count ``n`` more."""
        if n:
            self.counts[why] = self.counts.get(why, 0) + n


def write_dataset(source: Source, out: Path, command: str, advance: Callable[[int], None]) -> tuple[ShardRecord, ...]:
    """Write the source's frames as shards in ``out``; whole shards of an earlier, broken-off import are kept.

    Raises SaomBenchError when there is nothing to import, or ``out`` holds something else.
    """
    if not source.frames:
        raise SaomBenchError(f"{source.identity.get('source')} has no frame to import in split {source.split}")
    kept = _begin(source, out)
    done = []
    for name, frames in _groups(source.frames):
        record = kept.get(name + ".h5")
        if record is None:
            record = _write(source, out, name, frames, command, advance)
            append_record(out, record)
        else:
            advance(len(frames))
        done.append(record)
    return tuple(done)


def painted(
    rgb: RgbImage, objects: Sequence[MaskedObject], label_set: LabelSet, skipped: Skipped, **frame: Any
) -> Capture:
    """A frame from masks that may overlap: a smaller object lies on a larger one, as it would in a picture.

    Raises SaomBenchError when a mask is of another size than the picture.
    """
    size_hw = rgb.shape[:2]
    masks = []
    for item in objects:
        mask = item.mask()
        if mask.shape != size_hw:
            (h, w), (height, width) = mask.shape, size_hw
            raise SaomBenchError(f"the mask of {item.object_id} is {w}x{h}, its picture {width}x{height}")
        masks.append(mask)
    areas = [int(mask.sum()) for mask in masks]
    labels = np.zeros(size_hw, np.uint16)
    for k in sorted(range(len(masks)), key=lambda k: (-areas[k], k)):
        labels[masks[k]] = k + 1
    panorama: Panorama | None = frame.get("panorama")
    found = areas_and_boxes(labels, panorama is not None and panorama.wraps)
    skipped.add("objects without a visible pixel", len(objects) - len(found))
    skipped.add("objects partly covered by another mask", sum(found[k][0] < areas[k - 1] for k in found))
    final = np.zeros(len(objects) + 1, np.uint16)
    instances = []
    for label, k in enumerate(sorted(found), 1):
        final[k] = label
        item = objects[k - 1]
        index = label_set.index_of(item.object_type)
        if index is None:
            raise SaomBenchError(f"{item.object_type} of {item.object_id} is not in the label set {label_set.name}")
        instances.append(Instance(label, item.object_id, item.object_type, index, *found[k]))
    values: dict[str, Any] = {"pose": NOWHERE, "fov_deg": 0.0, **frame}
    return Capture(rgb, final[labels], tuple(instances), **values)


def read_rgb(path: Path) -> RgbImage:
    """A picture file as (H, W, 3) uint8. Raises SaomBenchError when there is none, or it is no picture."""
    return np.asarray(cv2.cvtColor(_read(path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), np.uint8)


def picture_size(path: Path) -> Size:
    """(H, W) from a picture file's header alone. Raises SaomBenchError as ``read_rgb``."""
    _check_there(path)
    try:
        with Image.open(path) as image:
            width, height = image.size
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise SaomBenchError(f"{path} cannot be read as a picture") from error
    return checked_size(path, height, width)


def read_labels(path: Path) -> NDArray[np.uint16]:
    """A 16-bit (or 8-bit) single-channel picture as a label map."""
    image = _read(path, cv2.IMREAD_UNCHANGED)
    if image.ndim != 2 or image.dtype not in (np.uint8, np.uint16):
        raise SaomBenchError(f"{path} is no label map: it needs one channel of 8 or 16 bits, and is {image.shape}")
    return image.astype(np.uint16)


def within(folder: Path, name: str) -> Path:
    """``folder / name``. Raises SaomBenchError when a hostile name leads out of the folder."""
    path = folder / name.lstrip("/")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise SaomBenchError(f"the file name {name!r} leads out of {folder}; the source cannot be trusted")
    return path


def scene_name(text: str) -> str:
    """A scene's name that may be part of a file's name."""
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", text).strip(".-") or "scene"


def checked_size(path: Path, height: Any, width: Any) -> Size:
    """(H, W) as stated by a source. Raises SaomBenchError when no picture can be so large."""
    if not all(isinstance(side, int) and 0 < side <= MAX_SIDE_PX for side in (height, width)):
        raise SaomBenchError(f"{path} states a picture of {width}x{height}; sides are 1 to {MAX_SIDE_PX} pixels")
    return height, width


def _read(path: Path, how: int) -> NDArray[Any]:
    _check_there(path)
    image = cv2.imread(str(path), how)
    if image is None:
        raise SaomBenchError(f"{path} cannot be read as a picture")
    return np.asarray(image)


def _check_there(path: Path) -> None:
    if not path.is_file():
        raise SaomBenchError(f"the picture {path} is missing; give the folder that the file names begin in")


def _begin(source: Source, out: Path) -> dict[str, ShardRecord]:
    """Create the dataset, or find the whole shards of the same one."""
    settings = {
        "label_set": source.label_set.name,
        "split": source.split,
        "seed": source.seed,
        "simulator": source.simulator,
        "import": source.identity,
    }
    if out.exists() and not out.is_dir():
        raise SaomBenchError(f"{out} is a file; give a folder for the dataset")
    if not (out / MANIFEST).exists():
        if out.exists() and any(out.iterdir()):
            raise SaomBenchError(f"{out} is not empty and holds no dataset; give a new folder")
        create_manifest(out, settings)
        return {}
    manifest = read_manifest(out)
    if dict(manifest.settings) != settings:
        raise SaomBenchError(f"{out} holds another dataset than the one to import; give a new folder")
    whole = {}
    for record in manifest.shards:
        path = out / record.file
        if path.is_file() and sha256_file(path) == record.sha256:
            whole[record.file] = record
    return whole


def _groups(frames: Iterable[Incoming]) -> list[tuple[str, list[Incoming]]]:
    """Frames that may share a shard: one scene, one size, at most 500; with the shard's name."""
    by_kind: dict[tuple[str, Size], list[Incoming]] = {}
    for frame in frames:
        by_kind.setdefault((frame.scene, frame.size_hw), []).append(frame)
    sizes: dict[str, int] = {}
    for scene, _ in by_kind:
        sizes[scene] = sizes.get(scene, 0) + 1
    groups = []
    for (scene, (height, width)), members in by_kind.items():
        name = scene if sizes[scene] == 1 else f"{scene}--{width}x{height}"
        for start in range(0, len(members), _FRAMES_A_SHARD):
            part = f"--{start // _FRAMES_A_SHARD:04d}" if len(members) > _FRAMES_A_SHARD else ""
            groups.append((name + part, members[start : start + _FRAMES_A_SHARD]))
    return groups


def _write(
    source: Source, out: Path, name: str, frames: list[Incoming], command: str, advance: Callable[[int], None]
) -> ShardRecord:
    header = ShardHeader(source.label_set, frames[0].scene, source.split, source.seed, source.simulator, command)
    with ShardWriter(out, header, frames[0].size_hw, name=name) as writer:
        for frame in frames:
            capture = frame.load()
            if capture.rgb.shape[:2] != frame.size_hw:
                height, width = capture.rgb.shape[:2]
                raise SaomBenchError(
                    f"a picture of scene {frame.scene} is {width}x{height}, and was said to be "
                    f"{frame.size_hw[1]}x{frame.size_hw[0]}"
                )
            writer.add(capture)
            advance(1)
        return writer.seal()
