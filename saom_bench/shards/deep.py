"""What a whole shard can still have wrong: empty or repeated pictures, labels of another picture, impossible numbers.

The format and the hashes say nothing of this: it is how a simulator's faults show in data.
"""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from saom_bench.shards.manifest import Manifest
from saom_bench.shards.reader import ShardReader
from saom_bench.types import Capture, LabelMap, RgbImage

_EMPTY_SPREAD = 1.0
"""Standard deviation of grey values, of 255: a picture below shows nothing."""
_LEAST_BORDER_PX = 200
"""Label borders shorter than this say nothing."""


def suspicions(folder: Path, manifest: Manifest, advance: Callable[[int], None]) -> tuple[str, ...]:
    """Look at every frame of a dataset whose shards are whole; ``advance(n)`` is called as n more are done."""
    seen: dict[bytes, str] = {}
    found: list[str] = []
    for record in manifest.shards:
        types: dict[str, str] = {}
        with ShardReader(folder / record.file) as reader:
            for index in range(len(reader)):
                capture = reader.capture(index)
                where = f"{folder / record.file} frame {index}"
                doubts = [
                    *_of_frame(reader, index, capture),
                    *_of_names(capture, types),
                    *_repeats(capture, where, seen),
                ]
                found += [f"{where}: {doubt}" for doubt in doubts]
                advance(1)
    return tuple(found)


def _of_frame(reader: ShardReader, index: int, capture: Capture) -> Iterator[str]:
    pose = capture.pose
    numbers = (pose.x, pose.y, pose.z, pose.yaw_deg, pose.horizon_deg)
    if not np.isfinite(numbers).all() or not 0 < capture.fov_deg <= 360:
        yield f"its pose or field of view is impossible: {pose}, {capture.fov_deg:g} degrees"
    grey: NDArray[np.uint8] = cv2.cvtColor(capture.rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8)
    if grey.std() < _EMPTY_SPREAD:
        yield "its picture is empty"
    elif _is_of_another(grey, capture.labels):
        yield "its labels' borders lie on no edges of its picture: they may be of another picture"
    if "depth" in reader.layers:
        depth = reader.layer("depth", index)[capture.labels > 0]
        if depth.size and not (np.isfinite(depth).all() and depth.min() > 0):
            yield "the depth of an object is not a positive number of metres"
    if "parts" in reader.layers and (count := _torn_parts(reader.layer("parts", index), capture.labels)):
        yield f"{count} parts lie in more than one object"


def _is_of_another(grey: RgbImage, labels: LabelMap) -> bool:
    """Whether a mirror image of the label map would follow the picture's edges better than the label map does."""
    edges = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).astype(np.float64)
    own, mirrored = _borders(labels), _borders(labels[:, ::-1])
    if own.sum() < _LEAST_BORDER_PX:
        return False
    return bool(edges[own].mean() < edges[mirrored].mean())


def _borders(labels: LabelMap) -> NDArray[np.bool_]:
    borders = np.zeros(labels.shape, np.bool_)
    borders[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    borders[1:] |= labels[1:] != labels[:-1]
    return borders


def _torn_parts(parts: NDArray[Any], labels: LabelMap) -> int:
    """Parts that more than one object's label covers."""
    pairs = np.unique(parts.astype(np.uint32) << 16 | labels)
    of = pairs[pairs >> 16 > 0] >> 16
    return int((np.unique(of, return_counts=True)[1] > 1).sum())


def _of_names(capture: Capture, types: dict[str, str]) -> Iterator[str]:
    """Objects that change their type within a scene, or come twice in a frame."""
    names = [instance.object_id for instance in capture.instances]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"it lists {name} more than once"
    for instance in capture.instances:
        before = types.setdefault(instance.object_id, instance.object_type)
        if before != instance.object_type:
            yield f"{instance.object_id} is of type {instance.object_type}, and of {before} in an earlier frame"


def _repeats(capture: Capture, where: str, seen: dict[bytes, str]) -> Iterator[str]:
    digest = hashlib.sha256(np.ascontiguousarray(capture.rgb).data).digest()
    if digest in seen:
        yield f"its picture is that of {seen[digest]}"
    seen.setdefault(digest, where)
