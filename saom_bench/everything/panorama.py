"""What panoramas of the full circle need of everything mode: pieces that cross 0/360, and objects joined there.

One encoding of a 5:1 picture leaves it 205 of the encoder's 1,024 rows. ``tiles`` cuts it into pieces that overlap by
half, each encoded for itself, so that whatever is no wider than a piece's half lies whole in one of them.
"""

import math

import numpy as np
from numpy.typing import NDArray

from saom_bench.errors import SaomBenchError
from saom_bench.everything.crops import Crop
from saom_bench.everything.kept import KeptMasks, join
from saom_bench.types import BoolMask, FloatArray, RgbImage, Size

# The rows at which two masks meet the seam are those of one object from this intersection over union on.
_SAME_ROWS_IOU = 0.5


def tiles_of(size_hw: Size, count: int) -> list[Crop]:
    """The whole panorama, and ``count`` pieces of its height; the columns of a piece may go on past the last one.

    Raises SaomBenchError for fewer than three pieces, which would overlap themselves.
    """
    height, width = size_hw
    if count < 3 or count > width:
        raise SaomBenchError(f"{count} tiles do not go round a panorama {width} pixels wide; give 3 or more")
    piece = math.ceil(2 * width / count)
    starts = [round(k * width / count) for k in range(count)]
    return [Crop((0, 0, width, height), 0)] + [Crop((x0, 0, x0 + piece, height), 1) for x0 in starts]


def cut(rgb: RgbImage, crop: Crop) -> RgbImage:
    """A crop of an (H, W, 3) picture; columns past the last are the first ones."""
    x0, y0, x1, y1 = crop.box_xyxy
    if x1 > rgb.shape[1]:
        return np.ascontiguousarray(rgb[y0:y1, np.arange(x0, x1) % rgb.shape[1]])
    return np.ascontiguousarray(rgb[y0:y1, x0:x1])


def joined_at_seam(masks: KeptMasks, size_hw: Size) -> KeptMasks:
    """Masks that end at the last column joined with those that begin at the first one at the same rows, best first.

    A joined mask's scores are the mean of its parts', weighed by their pixels; point and class are the larger one's.
    """
    width = size_hw[1]
    at_left = [i for i in range(len(masks)) if masks.boxes[i, 0] == 0 and masks.boxes[i, 2] < width - 1]
    at_right = [i for i in range(len(masks)) if masks.boxes[i, 2] == width - 1 and masks.boxes[i, 0] > 0]
    pairs = _same_rows(
        [masks.mask(i, size_hw)[:, 0] for i in at_left], [masks.mask(i, size_hw)[:, -1] for i in at_right]
    )
    unions = [_union(masks, at_left[i], at_right[k], size_hw) for i, k in pairs]
    parts = {at_left[i] for i, _ in pairs} | {at_right[k] for _, k in pairs}
    alone = masks.take(np.array([i for i in range(len(masks)) if i not in parts], np.intp))
    together = join([alone, *unions])
    return together.take(np.argsort(-together.predicted_iou, kind="stable"))


def _same_rows(left: list[BoolMask], right: list[BoolMask]) -> list[tuple[int, int]]:
    """Pairs of columns that are marked at the same rows, one-to-one, the best first."""
    found = []
    for i, one in enumerate(left):
        for k, other in enumerate(right):
            iou = (one & other).sum() / max(1, (one | other).sum())
            if iou >= _SAME_ROWS_IOU:
                found.append((-iou, i, k))
    pairs: list[tuple[int, int]] = []
    for _, i, k in sorted(found):
        if all(i != a and k != b for a, b in pairs):
            pairs.append((i, k))
    return pairs


def _union(masks: KeptMasks, left: int, right: int, size_hw: Size) -> KeptMasks:
    both = masks.mask(left, size_hw), masks.mask(right, size_hw)
    areas = np.array([mask.sum() for mask in both], np.float32)
    larger = (left, right)[int(areas.argmax())]

    def mean(values: FloatArray) -> NDArray[np.float32]:
        return np.array([np.average(values[[left, right]], weights=areas)], np.float32)

    return masks.repacked(larger, both[0] | both[1], wraps=True).scored(
        mean(masks.predicted_iou), mean(masks.stability)
    )
