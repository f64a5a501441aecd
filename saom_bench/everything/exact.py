"""Exact mode: the masks of every point, through segment-anything's filters, in an order that wastes less.

A mask is drawn only where its point has a predicted IoU that passes, and brought to the image's size only where its
stability could pass: bilinear upsampling averages neighbouring logits, so bounds of the stability follow from the
decoder's own resolution.
"""

from saom_bench.sam import runtime

runtime.prepare()

from collections.abc import Callable  # noqa: E402
from dataclasses import dataclass  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from torch import Tensor  # noqa: E402

from saom_bench.everything.config import EverythingConfig  # noqa: E402
from saom_bench.everything.decoding import MASKS_PER_POINT, Classes, PointDecoder, Scored  # noqa: E402
from saom_bench.everything.kept import KeptMasks, join, pack  # noqa: E402
from saom_bench.types import FloatArray  # noqa: E402

# Logits at the encoder's or the image's size that are held at once: 16 MiB of float32, which stay in a core's reach.
_PIXELS_AT_ONCE = 4 * 2**20
# An average of logits may exceed the largest of them by this little.
_ROUNDING = 1e-3
_NO_SCORES = np.zeros(0, np.float32)


def exact_masks(
    decoder: PointDecoder, points_xy: FloatArray, config: EverythingConfig, progress: Callable[[int], None] | None
) -> KeptMasks:
    """All masks of (N, 2) points that pass both filters, in the order of their points."""
    found = []
    for first in range(0, len(points_xy), config.points_per_batch):
        batch = points_xy[first : first + config.points_per_batch]
        scored = decoder.score(batch)
        found.append(passing(decoder, scored, config))
        if progress is not None:
            progress(len(batch))
    return join(found)


def passing(decoder: PointDecoder, scored: Scored, config: EverythingConfig) -> KeptMasks:
    """The masks of some scored points that pass both filters."""
    drawn = draw(decoder, scored, config)
    rows = np.arange(len(drawn.logits))
    if config.stability > 0 and rows.size:
        rows = np.flatnonzero(stability_bound(drawn.logits, decoder, config.stability_offset) >= config.stability)
    return at_full_size(decoder, scored, drawn, rows, config)


@dataclass(frozen=True)
class Drawn:
    """The M masks of some points that pass by predicted IoU: the decoder's, and the scorer's where there is one."""

    logits: Tensor
    """(M, 256, 256)."""
    point: NDArray[np.intp]
    """(M,) rows of the scored points."""
    predicted_iou: FloatArray
    """(M,)."""
    classes: Classes
    """(M,) and their probabilities."""


def draw(decoder: PointDecoder, scored: Scored, config: EverythingConfig) -> Drawn:
    """Draw the masks of the points that have one which passes by predicted IoU."""
    passes = above(scored.predicted_iou, config.pred_iou)
    points = np.flatnonzero(passes.any(axis=1))
    if not points.size:
        return Drawn(torch.zeros(0, 1, 1), points, _NO_SCORES, (points, _NO_SCORES))
    logits = decoder.draw(scored, points)
    predicted_iou, classes = decoder.judge(scored, points, logits)
    rows = np.flatnonzero(passes[points] & above(predicted_iou, config.pred_iou))
    logits, point = logits.flatten(0, 1), rows // MASKS_PER_POINT
    chosen = logits if len(rows) == len(logits) else logits[torch.from_numpy(rows).to(logits.device)]
    classes = classes[0][point], classes[1][point]
    return Drawn(chosen, points[point], predicted_iou.ravel()[rows], classes)


def at_full_size(
    decoder: PointDecoder, scored: Scored, drawn: Drawn, rows: NDArray[np.intp], config: EverythingConfig
) -> KeptMasks:
    """Those of some drawn masks whose exact stability passes, a few at a time at the image's size."""
    height, width = decoder.embedding.size_hw
    at_once = max(1, _PIXELS_AT_ONCE // max((4 * drawn.logits.shape[-1]) ** 2, height * width))
    found = []
    for first in range(0, len(rows), at_once):
        some = rows[first : first + at_once]
        large = decoder.upscale(drawn.logits[torch.from_numpy(some).to(drawn.logits.device)])
        stability = stability_of(large, config.stability_offset)
        stable = np.flatnonzero(stability >= config.stability)
        masks = (large[torch.from_numpy(stable).to(large.device)] > 0).cpu().numpy()
        kept = some[stable]
        classes = drawn.classes[0][kept], drawn.classes[1][kept]
        points_xy = scored.points_xy[drawn.point[kept]]
        found.append(pack(masks, drawn.predicted_iou[kept], stability[stable], points_xy, classes))
    return join(found)


def above(predicted_iou: FloatArray, threshold: float) -> NDArray[np.bool_]:
    """Which predicted IoUs pass; 0 keeps all, as in segment-anything."""
    return np.asarray(predicted_iou > threshold) if threshold > 0 else np.ones(predicted_iou.shape, np.bool_)


def stability_of(logits: Tensor, offset: float) -> FloatArray:
    """(N,) IoU of the masks above +offset and above -offset of (N, H, W) logits; 0 where both are empty."""
    inner, outer = (np.asarray((logits > bound).sum(dim=(1, 2)).cpu(), np.int64) for bound in (offset, -offset))
    return np.asarray(inner.astype(np.float32) / np.maximum(outer, 1).astype(np.float32))


def stability_bound(logits: Tensor, decoder: PointDecoder, offset: float) -> FloatArray:
    """(N,) what the stability of (N, 256, 256) logits can be at most once they have the image's size.

    Each of the image's pixels is an average of logits that touch the one at its centre, in rows and in columns. So it
    may be above +offset only where one of those nine is, and is above -offset wherever all of them are.
    """
    rows, columns = (
        _pixels_of(length_px, input_px, decoder)
        for length_px, input_px in zip(decoder.embedding.size_hw, decoder.embedding.input_hw, strict=True)
    )
    seen = logits[:, : len(rows), : len(columns)].cpu().numpy()
    inner = _grown(seen > offset - _ROUNDING)
    outer = ~_grown(seen <= -offset + _ROUNDING)
    most, least = ((pixels @ columns) @ rows for pixels in (inner.astype(np.float32), outer.astype(np.float32)))
    return np.asarray(most / np.maximum(least, 1), np.float32)


def _pixels_of(length_px: int, input_px: int, decoder: PointDecoder) -> FloatArray:
    """How many of an image's rows (or columns) have their centre at each row of logits, up to the last with any."""
    centres = (np.arange(length_px) + 0.5) * (input_px / length_px / decoder.logit_px)
    return np.bincount(centres.astype(np.intp)).astype(np.float32)


def _grown(masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(N, h, w) masks wider by one pixel in all eight directions."""
    grown = masks.copy()
    grown[:, 1:] |= masks[:, :-1]
    grown[:, :-1] |= masks[:, 1:]
    across = grown.copy()
    across[:, :, 1:] |= grown[:, :, :-1]
    across[:, :, :-1] |= grown[:, :, 1:]
    return across
