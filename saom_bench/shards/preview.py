"""A contact sheet of a dataset: frames from all its scenes, with masks and class names drawn over them.

Panoramas get wide tiles; on demand each has a second one, of its views: who owns which pixel, and where the seams lie.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from saom_bench.errors import SaomBenchError
from saom_bench.pictures import captioned, color_of, overlay, sheet
from saom_bench.shards.dataset import ShardDataset
from saom_bench.types import LabelMap, RgbImage, Sample

_TILE_SIDE_PX, _PANORAMA_SIDE_PX = 640, 1600
_COLUMNS = 3


def contact_sheet(
    dataset: ShardDataset, frames: int, columns: int | None, rng: np.random.Generator, explain: bool = False
) -> RgbImage:
    """``frames`` samples in rows of ``columns``, by default three, one of panoramas; taken in turn from the scenes.

    Each class keeps one colour. With ``explain`` a panorama's views and seams are drawn below it. Raises SaomBenchError
    for an empty sheet, and for frames to explain that are no panoramas.
    """
    if frames < 1 or (columns is not None and columns < 1):
        raise SaomBenchError(f"a sheet of {frames} frames in {columns} columns is empty; give 1 or more of both")
    chosen = choose(dataset, frames, rng)
    tiles = []
    for index in chosen:
        sample = dataset[index]
        pictures = [tile(sample, dataset.label_set.classes)]
        if explain:
            pictures.append(seams_tile(sample, dataset.layer("owners", index)))
        tiles.append(np.concatenate(pictures))
    wide = any(picture.shape[1] > _TILE_SIDE_PX for picture in tiles)
    return sheet(tiles, min(columns or (1 if wide else _COLUMNS), len(tiles)))


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
    """One captioned frame with its masks, its longer side 640 pixels, a panorama's 1600."""
    rgb, labels = _at_tile_size(sample.rgb, sample.labels, _side_px(sample))
    shown = [instance for instance in sample.instances if (labels == instance.label).any()]
    picture = overlay(
        rgb,
        [labels == instance.label for instance in shown],
        [classes[instance.class_index] for instance in shown],
        [color_of(instance.class_index) for instance in shown],
        alpha=0.4,
    )
    return captioned(picture, f"{sample.key}   {len(sample.instances)} objects")


def seams_tile(sample: Sample, owners: NDArray[Any] | None) -> RgbImage:
    """A panorama tinted by the view that owns each pixel, the seams in white, each view with its number and heading.

    Raises SaomBenchError for a frame that is no panorama.
    """
    panorama = sample.capture.panorama
    if panorama is None or owners is None:
        raise SaomBenchError(f"{sample.key} is no panorama: there are no seams to explain; leave --explain away")
    rgb, numbers = _at_tile_size(sample.rgb, owners.astype(np.uint16), _side_px(sample))
    shown = [k for k in range(len(panorama.views)) if (numbers == k).any()]
    masks = [numbers == k for k in shown]
    names = [f"{k}: {panorama.views[k].pose.yaw_deg:g}\N{DEGREE SIGN}" for k in shown]
    picture = overlay(rgb, masks, names, [color_of(k) for k in shown], alpha=0.3)
    seams = np.zeros(numbers.shape, np.bool_)
    seams[:, 1:] |= numbers[:, 1:] != numbers[:, :-1]
    seams[1:] |= numbers[1:] != numbers[:-1]
    picture = np.where(seams[..., None], np.uint8(255), picture)
    made = f"{len(panorama.views)} views, {panorama.projection}, {panorama.hfov_deg:g} degrees, blend {panorama.blend}"
    return captioned(picture, made)


def _side_px(sample: Sample) -> int:
    return _PANORAMA_SIDE_PX if sample.capture.panorama is not None else _TILE_SIDE_PX


def _at_tile_size(rgb: RgbImage, labels: LabelMap, side_px: int) -> tuple[RgbImage, LabelMap]:
    """Brought to a tile's size before drawing, so that outlines and names keep theirs."""
    scale = side_px / max(labels.shape)
    size = (max(1, round(labels.shape[1] * scale)), max(1, round(labels.shape[0] * scale)))
    smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    picture: RgbImage = np.asarray(cv2.resize(rgb, size, interpolation=smooth), np.uint8)
    return picture, np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST), np.uint16)
