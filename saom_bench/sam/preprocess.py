"""What SAM does to an image before its encoder: longest side to 1024, normalise, pad; and the same for points."""

import cv2
import numpy as np
from PIL import Image

from saom_bench.types import FloatArray, RgbImage, Size

_MEAN = np.array([123.675, 116.28, 103.53], np.float32)
_STD = np.array([58.395, 57.12, 57.375], np.float32)
LOGIT_STRIDE_PX = 4
"""SAM's low-resolution logits are a quarter of the encoder's 1024 pixels."""


def input_size(size_hw: Size, image_size: int) -> Size:
    """(H, W) of an image once its longest side is ``image_size``, rounded as segment-anything rounds."""
    scale = image_size / max(size_hw)
    return int(size_hw[0] * scale + 0.5), int(size_hw[1] * scale + 0.5)


def encoder_input(rgb: RgbImage, image_size: int) -> FloatArray:
    """An (H, W, 3) image as the encoder's (3, image_size, image_size): resized, normalised, padded right and below."""
    height, width = input_size((rgb.shape[0], rgb.shape[1]), image_size)
    # PIL's bilinear widens its support when it shrinks, as torchvision's resize of a PIL image does in SAM.
    resized = np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling.BILINEAR), np.float32)
    padded = np.zeros((3, image_size, image_size), np.float32)
    padded[:, :height, :width] = ((resized - _MEAN) / _STD).transpose(2, 0, 1)
    return padded


def low_size(input_hw: Size) -> Size:
    """The part of SAM's low-resolution logits that shows the image and not the padding."""
    height, width = (max(1, round(side / LOGIT_STRIDE_PX)) for side in input_hw)
    return height, width


def colors_of(rgb: RgbImage, input_hw: Size) -> FloatArray:
    """An (H, W, 3) image's colours at each of SAM's low-resolution logits that shows it: (3, h, w) from 0 to 1."""
    height, width = low_size(input_hw)
    shrunk = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(shrunk.transpose(2, 0, 1), np.float32) / np.float32(255)


def to_input_frame(size_hw: Size, input_hw: Size) -> tuple[float, float]:
    """(x, y) factors from pixels of the original image to pixels of the encoder's input."""
    return input_hw[1] / size_hw[1], input_hw[0] / size_hw[0]
