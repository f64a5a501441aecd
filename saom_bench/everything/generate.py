"""Everything mode: a grid of points in, the masks of all that a model sees out, as SamAutomaticMaskGenerator does.

The same masks as segment-anything's (one crop), in another order of work: points are decoded a few at a time; masks are
filtered by predicted IoU before they are brought to the image's size, stay packed to bits inside their boxes until the
suppression, and only the survivors become run lengths. Unlike there, empty masks are dropped, and each mask carries the
class of its own point.
"""

from saom_bench.sam import runtime

runtime.prepare()

from collections.abc import Callable, Iterator  # noqa: E402
from dataclasses import dataclass  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from torch import Tensor  # noqa: E402

from saom_bench.everything.boxes import IntBoxes, box_nms, clean_small_regions, inclusive_boxes  # noqa: E402
from saom_bench.everything.config import EverythingConfig  # noqa: E402
from saom_bench.masks import encode_rle  # noqa: E402
from saom_bench.prompts import grid_points  # noqa: E402
from saom_bench.sam.model import Decoded, Embedding, Sam  # noqa: E402
from saom_bench.types import BoolMask, FloatArray, Proposals, RgbImage, Rle, Size  # noqa: E402

MASKS_PER_POINT = 3
# segment-anything suppresses once more after the clean-up, by the larger of its two thresholds; this is the other one.
_CLEAN_UP_NMS = 0.7
# Logits at the encoder's or the image's size that are held at once: 128 MiB of float32.
_PIXELS_AT_ONCE = 32 * 2**20


@dataclass(frozen=True)
class _Masks:
    """Masks that passed the filters, all of N rows; ``bits`` are packed inside the inclusive ``boxes``."""

    bits: list[NDArray[np.uint8]]
    boxes: IntBoxes
    predicted_iou: FloatArray
    stability: FloatArray
    point: NDArray[np.int64]
    """(N,) index of the point that each mask comes from."""

    def take(self, rows: NDArray[np.intp]) -> "_Masks":
        """Some rows, in the given order."""
        bits = [self.bits[i] for i in rows]
        return _Masks(bits, self.boxes[rows], self.predicted_iou[rows], self.stability[rows], self.point[rows])

    def mask(self, row: int, size_hw: Size) -> BoolMask:
        """One mask at (H, W)."""
        x0, y0, x1, y1 = self.boxes[row]
        shape = (y1 + 1 - y0, x1 + 1 - x0)
        whole = np.zeros(size_hw, np.bool_)
        whole[y0 : y1 + 1, x0 : x1 + 1] = np.unpackbits(self.bits[row], count=shape[0] * shape[1]).reshape(shape)
        return whole


@torch.no_grad()
def everything(
    sam: Sam,
    image: RgbImage | Embedding,
    config: EverythingConfig | None = None,
    progress: Callable[[int], None] | None = None,
) -> Proposals:
    """Segment all objects of an (H, W, 3) image, or of its embedding.

    Args:
        sam: any model; with a class head, every mask gets a class and its probability.
        image: the picture, or what ``sam.encode`` made of it.
        config: grid and thresholds; segment-anything's own by default.
        progress: called with the number of points after each batch of them.

    Returns:
        The masks, those of the highest predicted IoU first.
    """
    config = config or EverythingConfig()
    embedding = image if isinstance(image, Embedding) else sam.encode(image)
    points_xy = grid_points(*config.grid, embedding.size_hw)
    found, classes = [_no_masks()], []
    for first in range(0, len(points_xy), config.points_per_batch):
        batch = points_xy[first : first + config.points_per_batch]
        decoded = sam.decode(embedding, torch.from_numpy(batch).to(sam.device))
        if sam.class_head is not None:
            classes.append(sam.classify(decoded.iou_token).float().softmax(dim=1).cpu().numpy())
        found.extend(_filtered(sam, embedding, decoded, first, config))
        if progress is not None:
            progress(len(batch))
    masks = _joined(found)
    masks = masks.take(box_nms(masks.boxes, masks.predicted_iou, config.box_nms))
    masks, rles = _encoded(masks, embedding.size_hw, config)
    boxes_xyxy = masks.boxes + np.array([0, 0, 1, 1], np.int32)
    class_index, class_score = _classes_of(masks, classes)
    return Proposals(
        size_hw=embedding.size_hw,
        rles=rles,
        boxes_xyxy=boxes_xyxy,
        predicted_iou=masks.predicted_iou,
        stability=masks.stability,
        points_xy=points_xy[masks.point],
        class_index=class_index,
        class_score=class_score,
    )


def _filtered(
    sam: Sam, embedding: Embedding, decoded: Decoded, first_point: int, config: EverythingConfig
) -> Iterator[_Masks]:
    """The masks of a batch of points that pass both filters, packed; at most 128 MiB of logits at a time."""
    scores = decoded.predicted_iou.flatten()
    passing = (
        (scores > config.pred_iou).nonzero()[:, 0]
        if config.pred_iou > 0
        else torch.arange(len(scores), device=scores.device)
    )
    pixels = max(sam.image_size**2, embedding.size_hw[0] * embedding.size_hw[1])
    low = decoded.low_res_logits.flatten(0, 1)
    for rows in torch.split(passing, max(1, _PIXELS_AT_ONCE // pixels)):
        logits = sam.upscale(low[rows][:, None], embedding)[:, 0]
        stability = _stability(logits, config.stability_offset)
        stable = stability >= config.stability
        masks = (logits[stable] > 0).cpu().numpy()
        kept = rows[stable]
        yield _packed(
            masks,
            scores[kept].float().cpu().numpy(),
            stability[stable].float().cpu().numpy(),
            first_point + kept.cpu().numpy() // MASKS_PER_POINT,
        )


def _stability(logits: Tensor, offset: float) -> Tensor:
    """(N,) IoU of the masks above +offset and above -offset; 0 where both are empty."""
    inner = (logits > offset).sum(dim=(1, 2), dtype=torch.int32)
    outer = (logits > -offset).sum(dim=(1, 2), dtype=torch.int32)
    return inner / outer.clamp(min=1)


def _packed(masks: BoolMask, predicted_iou: FloatArray, stability: FloatArray, point: NDArray[np.int64]) -> _Masks:
    """Pack (N, H, W) masks inside their boxes; empty ones are left out."""
    boxes = inclusive_boxes(masks)
    rows = np.flatnonzero(boxes[:, 2] >= 0)
    bits = []
    for row in rows:
        x0, y0, x1, y1 = boxes[row]
        bits.append(np.packbits(masks[row, y0 : y1 + 1, x0 : x1 + 1]))
    return _Masks(bits, boxes[rows], predicted_iou[rows], stability[rows], point[rows])


def _no_masks() -> _Masks:
    none = np.zeros(0, np.float32)
    return _Masks([], np.zeros((0, 4), np.int32), none, none, np.zeros(0, np.int64))


def _joined(parts: list[_Masks]) -> _Masks:
    return _Masks(
        bits=[bits for part in parts for bits in part.bits],
        boxes=np.concatenate([part.boxes for part in parts]),
        predicted_iou=np.concatenate([part.predicted_iou for part in parts]),
        stability=np.concatenate([part.stability for part in parts]),
        point=np.concatenate([part.point for part in parts]),
    )


def _encoded(masks: _Masks, size_hw: Size, config: EverythingConfig) -> tuple[_Masks, tuple[Rle, ...]]:
    """Run lengths of the masks, after the clean-up where one is asked for."""
    if not config.min_area_px:
        return masks, tuple(encode_rle(masks.mask(i, size_hw)) for i in range(len(masks.bits)))
    cleaned, untouched, rles = [_no_masks()], [], []
    for i in range(len(masks.bits)):
        mask, changed = clean_small_regions(masks.mask(i, size_hw), config.min_area_px)
        row = np.array([i])
        cleaned.append(_packed(mask[None], masks.predicted_iou[row], masks.stability[row], masks.point[row]))
        untouched.append(not changed)
        rles.append(encode_rle(mask))
    result = _joined(cleaned)
    # Like segment-anything, prefer the masks that needed no clean-up; then back to the best first.
    kept = box_nms(result.boxes, np.array(untouched, np.float32), max(config.box_nms, _CLEAN_UP_NMS))
    kept = np.sort(kept)
    return result.take(kept), tuple(rles[i] for i in kept)


def _classes_of(masks: _Masks, probabilities: list[FloatArray]) -> tuple[NDArray[np.int64] | None, FloatArray | None]:
    """Class and its probability for each mask: those of the mask's own point; None without a class head."""
    if not probabilities:
        return None, None
    of_mask = np.concatenate(probabilities)[masks.point]
    return of_mask.argmax(axis=1), of_mask.max(axis=1, initial=0.0)
