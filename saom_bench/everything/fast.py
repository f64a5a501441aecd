"""Fast mode: exact mode's filters on fewer points, on fewer tokens, with fewer masks at the image's size.

``choice`` leaves out points where the picture does not change, ``merging`` merges tokens that are alike, and here a
mask stays small where a better one with nearly its box was found before: the suppression would drop it.
"""

from saom_bench.sam import runtime

runtime.prepare()

from collections.abc import Callable  # noqa: E402

import numpy as np  # noqa: E402

from saom_bench.everything.boxes import box_ious, inclusive_boxes  # noqa: E402
from saom_bench.everything.choice import chosen_points  # noqa: E402
from saom_bench.everything.config import EverythingConfig  # noqa: E402
from saom_bench.everything.decoding import PointDecoder  # noqa: E402
from saom_bench.everything.exact import at_full_size, draw, stability_of  # noqa: E402
from saom_bench.everything.kept import KeptMasks, join  # noqa: E402
from saom_bench.prompts import grid_points  # noqa: E402
from saom_bench.types import BoolMask, FloatArray  # noqa: E402

# The decoder's own resolution gives the stability to within this.
_SLACK = 0.03
# Boxes that overlap by more than this are one object's: what suppresses the better of the two would suppress both.
_SAME_BOX = 0.85


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
    steps = -(-len(points_xy) // config.points_per_batch)
    found = join([])
    for step in range(steps):
        # Points of one batch lie far apart, so that what earlier ones found spares the later ones' masks.
        found = join([found, _new_masks(decoder, points_xy[step::steps], config, found)])
        if progress is not None:
            progress(points * (step + 1) // steps - points * step // steps)
    return found


def _new_masks(decoder: PointDecoder, points_xy: FloatArray, config: EverythingConfig, found: KeptMasks) -> KeptMasks:
    """The masks of (N, 2) points that pass and that none of ``found`` makes needless."""
    scored = decoder.score(points_xy)
    drawn = draw(decoder, scored, config)
    if not len(drawn.logits):
        return join([])
    logits = decoder.visible(drawn.logits)
    stable = stability_of(logits, config.stability_offset) >= config.stability - _SLACK
    scores = scored.predicted_iou[drawn.point, drawn.mask]
    boxes = _boxes_in_image((logits > 0).cpu().numpy(), decoder)
    same_box = max(config.box_nms, _SAME_BOX)
    needless = [
        bool((box_ious(box, found.boxes[found.predicted_iou >= score]) > same_box).any())
        for box, score in zip(boxes, scores, strict=True)
    ]
    return at_full_size(decoder, scored, drawn, np.flatnonzero(stable & ~np.array(needless)), config)


def _boxes_in_image(masks: BoolMask, decoder: PointDecoder) -> FloatArray:
    """(N, 4) inclusive boxes, in pixels of the image, of (N, h, w) masks of the decoder's own resolution."""
    embedding = decoder.embedding
    scale = decoder.logit_px * max(embedding.size_hw) / max(embedding.input_hw)
    last = np.array([0, 0, 1, 1], np.float32)
    return np.asarray((inclusive_boxes(masks) + last) * np.float32(scale) - last)
