"""Fast mode: exact mode on the few points that have something new to say.

``choice`` leaves out points where the picture does not change. The others are asked on ``merging``'s fewer tokens
first; those that show a mask which may pass and of which no better likeness was found yet are asked again on all
tokens. So every mask that is kept is one of exact mode's; what is lost with those that are not is measured by
``benchmarks/perf/everything.py``.
"""

from saom_bench.sam import runtime

runtime.prepare()

from collections.abc import Callable  # noqa: E402
from dataclasses import replace  # noqa: E402

import numpy as np  # noqa: E402

from saom_bench.everything.boxes import box_ious, inclusive_boxes  # noqa: E402
from saom_bench.everything.choice import chosen_points  # noqa: E402
from saom_bench.everything.config import EverythingConfig  # noqa: E402
from saom_bench.everything.decoding import PointDecoder  # noqa: E402
from saom_bench.everything.exact import at_full_size, draw, exact_masks, stability_of  # noqa: E402
from saom_bench.everything.kept import KeptMasks, join  # noqa: E402
from saom_bench.prompts import grid_points  # noqa: E402
from saom_bench.types import BoolMask, FloatArray  # noqa: E402

# The decoder's own resolution gives the stability to within this.
_SLACK = 0.03
# Merged tokens give predicted IoU and stability to within this, for nineteen of twenty masks that come near passing.
_MERGED_SLACK = 0.005
# Masks whose boxes overlap by more than this are one object's: what suppresses the better of the two would suppress
# both. Small masks may have a stray pixel that they lose at the image's size; so areas must be about equal too.
_SAME_BOX, _SAME_AREA = 0.85, 0.8


def fast_masks(
    decoder: PointDecoder, grid: tuple[int, int], config: EverythingConfig, progress: Callable[[int], None] | None
) -> KeptMasks:
    """Masks of a grid's points that pass both filters, without most of those that the suppression would drop.

    ``progress`` counts points that were left out as done.
    """
    embedding, points = decoder.embedding, grid[0] * grid[1]
    features = embedding.features.float().cpu().numpy()
    chosen = chosen_points(features, embedding.size_hw, embedding.input_hw, grid)
    points_xy = grid_points(*grid, embedding.size_hw)[chosen]
    screen, steps = decoder.on_merged_tokens(), -(-len(points_xy) // config.points_per_batch)
    found, promising = _Found(join([])), points_xy[:0]
    for step in range(steps):
        # Points of one batch lie far apart, so that what earlier ones found spares the later ones.
        promising = np.concatenate([promising, _promising(screen, points_xy[step::steps], config, found)])
        if len(promising) >= config.points_per_batch or step == steps - 1:
            found.add(exact_masks(decoder, promising, config, None))
            promising = points_xy[:0]
        if progress is not None:
            progress(points * (step + 1) // steps - points * step // steps)
    return found.masks


def _promising(screen: PointDecoder, points_xy: FloatArray, config: EverythingConfig, found: "_Found") -> FloatArray:
    """Those of (N, 2) points with a mask that may pass and of which ``found`` has no better likeness."""
    pred_iou, stability = (max(bar - _MERGED_SLACK, 0) for bar in (config.pred_iou, config.stability))
    loose = replace(config, pred_iou=pred_iou, stability=stability)
    scored = screen.score(points_xy)
    drawn = draw(screen, scored, loose)
    if not len(drawn.logits):
        return points_xy[:0]
    logits = screen.visible(drawn.logits)
    stable = stability_of(logits, config.stability_offset) >= stability - _SLACK
    scores = scored.predicted_iou[drawn.point, drawn.mask]
    boxes, areas = _in_image((logits > 0).cpu().numpy(), screen)
    same_box = max(config.box_nms, _SAME_BOX)
    is_new = [not found.has(*mask, same_box) for mask in zip(boxes, areas, scores, strict=True)]
    masks = at_full_size(screen, scored, drawn, np.flatnonzero(stable & np.array(is_new)), loose)
    return np.unique(masks.points_xy, axis=0)


def _in_image(masks: BoolMask, decoder: PointDecoder) -> tuple[FloatArray, FloatArray]:
    """Inclusive boxes (N, 4) and areas (N,), in pixels of the image, of (N, h, w) masks of the decoder's resolution."""
    embedding = decoder.embedding
    scale = np.float32(decoder.logit_px * max(embedding.size_hw) / max(embedding.input_hw))
    last = np.array([0, 0, 1, 1], np.float32)
    areas = masks.sum(axis=(1, 2), dtype=np.float32) * scale**2
    return np.asarray((inclusive_boxes(masks) + last) * scale - last), np.asarray(areas)


class _Found:
    """The masks so far."""

    def __init__(self, masks: KeptMasks) -> None:
        self.masks = masks
        self._areas = masks.areas_px()

    def add(self, masks: KeptMasks) -> None:
        """Take more masks in."""
        self.masks = join([self.masks, masks])
        self._areas = np.concatenate([self._areas, masks.areas_px()])

    def has(self, box: FloatArray, area: float, score: float, same_box: float) -> bool:
        """Whether there is a mask like this one of at least its predicted IoU."""
        smaller, larger = np.minimum(self._areas, area), np.maximum(self._areas, area)
        alike = (self.masks.predicted_iou >= score) & (smaller > _SAME_AREA * larger)
        return bool((box_ious(box, self.masks.boxes[alike]) > same_box).any())
