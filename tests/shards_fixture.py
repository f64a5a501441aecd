"""A small made-up dataset for tests: flat shapes, one fixed colour a class, through the real shard writer."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from saom_bench.classes import LabelSet, label_set
from saom_bench.masks import areas_and_boxes
from saom_bench.pictures import color_of
from saom_bench.shards.format import ShardHeader
from saom_bench.shards.manifest import append_record, create_manifest
from saom_bench.shards.writer import ShardWriter
from saom_bench.types import Capture, Instance, Pose, Size

TYPES = ("ArmChair", "Bowl", "Laptop", "Mug", "Sofa", "Vase")
SIMULATOR = {"name": "fixture", "version": "1", "arguments": {}}


def make_shards(
    folder: Path,
    scenes: Sequence[str] = ("FloorPlan1",),
    frames: int = 3,
    size_hw: Size = (96, 128),
    seed: int = 0,
    split: str = "train",
    label_set_name: str = "saom-54",
    types: Sequence[str] = TYPES,
) -> Path:
    """Write one shard of ``frames`` frames for each scene, with 3 to 5 objects a frame; returns ``folder``."""
    classes = label_set(label_set_name)
    create_manifest(folder, {"label_set": label_set_name, "split": split, "simulator": SIMULATOR, "seed": seed})
    for scene in scenes:
        header = ShardHeader(classes, scene, split, seed, SIMULATOR, f"make_shards --scenes {scene}")
        with ShardWriter(folder, header, size_hw) as writer:
            for frame in range(frames):
                rng = np.random.default_rng([seed, frame, *scene.encode()])
                writer.add(make_capture(rng, size_hw, classes, types))
            append_record(folder, writer.seal())
    return folder


def make_capture(rng: np.random.Generator, size_hw: Size, classes: LabelSet, types: Sequence[str] = TYPES) -> Capture:
    """One frame: ellipses and boxes on a dim noisy ground; a later shape hides what is under it."""
    height, width = size_hw
    picture = rng.integers(40, 70, (height, width, 3), dtype=np.uint8)
    numbers = np.zeros(size_hw, np.uint16)
    chosen = [str(name) for name in rng.choice(list(types), rng.integers(3, 6))]
    for number, name in enumerate(chosen, 1):
        shape = np.zeros(size_hw, np.uint8)
        center = (int(rng.integers(width // 6, 5 * width // 6)), int(rng.integers(height // 6, 5 * height // 6)))
        axes = (int(rng.integers(width // 12, width // 5)), int(rng.integers(height // 12, height // 5)))
        if types.index(name) % 2:
            cv2.ellipse(shape, center, axes, 0, 0, 360, 1, -1)
        else:
            corners = (center[0] - axes[0], center[1] - axes[1]), (center[0] + axes[0], center[1] + axes[1])
            cv2.rectangle(shape, *corners, 1, -1)
        numbers[shape > 0] = number
        picture[shape > 0] = color_of(types.index(name))
    return _capture(rng, picture, numbers, chosen, classes)


def _capture(
    rng: np.random.Generator, picture: np.ndarray, numbers: np.ndarray, chosen: list[str], classes: LabelSet
) -> Capture:
    """Renumber what is still visible 1..N and list it."""
    left = sorted(areas_and_boxes(numbers))
    labels = np.zeros(numbers.shape, np.uint16)
    for label, number in enumerate(left, 1):
        labels[numbers == number] = label
    found = areas_and_boxes(labels)
    instances = []
    for label, number in enumerate(left, 1):
        name = chosen[number - 1]
        index = classes.index_of(name)
        assert index is not None, f"{name} is not in {classes.name}"
        instances.append(Instance(label, f"{name}|{number:+03d}", name, index, *found[label]))
    x, z, yaw = (round(float(v), 2) for v in rng.uniform(0, 4, 3))
    return Capture(picture, labels, tuple(instances), Pose(x, 0.9, z, yaw * 90, 0.0), fov_deg=90.0)
