"""A contact sheet of a dataset: frames from all its scenes, with masks and class names drawn over them."""

import cv2
import numpy as np

from saom_bench.errors import SaomBenchError
from saom_bench.pictures import captioned, color_of, overlay, sheet
from saom_bench.shards.dataset import ShardDataset
from saom_bench.types import LabelMap, RgbImage, Sample

_TILE_SIDE_PX = 640


def contact_sheet(dataset: ShardDataset, frames: int, columns: int, rng: np.random.Generator) -> RgbImage:
    """``frames`` samples in rows of ``columns``, taken in turn from the scenes. Each class keeps one colour."""
    if frames < 1 or columns < 1:
        raise SaomBenchError(f"a sheet of {frames} frames in {columns} columns is empty; give 1 or more of both")
    chosen = choose(dataset, frames, rng)
    return sheet([tile(dataset[i], dataset.label_set.classes) for i in chosen], min(columns, len(chosen)))


def choose(dataset: ShardDataset, frames: int, rng: np.random.Generator) -> list[int]:
    """Up to ``frames`` sample numbers in order, as evenly from all scenes as can be."""
    by_scene: dict[str, list[int]] = {}
    for i in range(len(dataset)):
        by_scene.setdefault(dataset.scene_of(i), []).append(i)
    # The k-th frame drawn from each scene, scene after scene in a drawn order.
    names = [str(name) for name in rng.permutation(list(by_scene))]
    drawn = {name: rng.permutation(by_scene[name]) for name in names}
    longest = max(len(numbers) for numbers in drawn.values())
    in_turn = [int(drawn[name][k]) for k in range(longest) for name in names if k < len(drawn[name])]
    return sorted(in_turn[:frames])


def tile(sample: Sample, classes: tuple[str, ...]) -> RgbImage:
    """One captioned frame with its masks, its longer side 640 pixels."""
    rgb, labels = _at_tile_size(sample.rgb, sample.labels)
    shown = [instance for instance in sample.instances if (labels == instance.label).any()]
    picture = overlay(
        rgb,
        [labels == instance.label for instance in shown],
        [classes[instance.class_index] for instance in shown],
        [color_of(instance.class_index) for instance in shown],
        alpha=0.4,
    )
    return captioned(picture, f"{sample.key}   {len(sample.instances)} objects")


def _at_tile_size(rgb: RgbImage, labels: LabelMap) -> tuple[RgbImage, LabelMap]:
    """Brought to a tile's size before drawing, so that outlines and names keep theirs."""
    scale = _TILE_SIDE_PX / max(labels.shape)
    size = (max(1, round(labels.shape[1] * scale)), max(1, round(labels.shape[0] * scale)))
    smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    picture: RgbImage = np.asarray(cv2.resize(rgb, size, interpolation=smooth), np.uint8)
    return picture, np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST), np.uint16)
