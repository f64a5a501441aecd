"""Crops of an image, layer by layer, as segment-anything's generator cuts them, and which masks a crop has cut off."""

import math
from dataclasses import dataclass
from itertools import product

import numpy as np

from saom_bench.everything.boxes import IntBoxes
from saom_bench.types import BoolMask, Box, FloatArray, Size

_NEAR_PX = 20


@dataclass(frozen=True)
class Crop:
    """A piece of an image: its half-open box, and its layer, 0 for the whole image."""

    box_xyxy: Box
    layer: int

    @property
    def area_px(self) -> int:
        """Its pixels."""
        x0, y0, x1, y1 = self.box_xyxy
        return (x1 - x0) * (y1 - y0)


def crops_of(size_hw: Size, layers: int, overlap: float) -> list[Crop]:
    """The image itself, then 2 x 2, 4 x 4, ... overlapping crops, column by column."""
    height, width = size_hw
    crops = [Crop((0, 0, width, height), 0)]
    for layer in range(1, layers + 1):
        side = 2**layer
        shared = int(overlap * min(size_hw) * (2 / side))
        crop_w, crop_h = (math.ceil((shared * (side - 1) + length) / side) for length in (width, height))
        for column, row in product(range(side), range(side)):
            x0, y0 = (crop_w - shared) * column, (crop_h - shared) * row
            crops.append(Crop((x0, y0, min(x0 + crop_w, width), min(y0 + crop_h, height)), layer))
    return crops


def cut_off(boxes: IntBoxes | FloatArray, crop: Crop, size_hw: Size, wraps: bool = False) -> BoolMask:
    """(N,) True where an inclusive box, in the image's frame, comes within 20 pixels of a side of its crop that is no
    side of the image: the mask is then likely a part of something that goes on outside.

    A panorama that wraps has no left and right side; one that was not cut there loses nothing, though.
    """
    height, width = size_hw
    near_crop = np.abs(boxes - np.array(crop.box_xyxy)) <= _NEAR_PX
    near_image = np.abs(boxes - np.array((0, 0, width, height))) <= _NEAR_PX
    if wraps and crop.layer > 0:
        near_image[:, [0, 2]] = False
    return np.asarray((near_crop & ~near_image).any(axis=1))
