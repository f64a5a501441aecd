"""The decoder in two stages, for one image: scores of points first, then the masks of those points that deserve them.

Half of the decoder's time goes into drawing masks, and many points' masks all fail the filter by predicted IoU, which
is known before. The decoder may run in bfloat16 and compiled; points and positions are always computed in float32.
"""

from saom_bench.sam import runtime

runtime.prepare()

import copy  # noqa: E402
from collections.abc import Callable  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from functools import cache  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from saom_bench.everything.config import EverythingConfig  # noqa: E402
from saom_bench.everything.merging import merged  # noqa: E402
from saom_bench.sam.decoder import attend, draw_masks, predict_iou  # noqa: E402
from saom_bench.sam.model import Decoded, Embedding, Judged, Sam  # noqa: E402
from saom_bench.types import FloatArray  # noqa: E402

MASKS_PER_POINT = 3
_Stages = tuple[Callable[..., tuple[Tensor, Tensor]], Callable[..., Tensor]]
Classes = tuple[NDArray[np.int64], FloatArray]


@dataclass(frozen=True)
class Scored:
    """N points after the decoder's transformer."""

    points_xy: FloatArray
    """(N, 2)."""
    predicted_iou: FloatArray
    """(N, 3)."""
    output_tokens: Tensor
    image_tokens: Tensor


class PointDecoder:
    """A model's decoder on one image."""

    def __init__(self, sam: Sam, embedding: Embedding, config: EverythingConfig) -> None:
        dtype = getattr(torch, config.dtype)
        image = sam.image_tokens(embedding)
        self.embedding = embedding
        self._sam = sam
        self._side = 4 * image.grid_hw[0]
        self._image = image.to(dtype)
        self._shown = sam.tokens_shown(embedding)
        decoder = sam.mask_decoder
        if decoder.iou_token.weight.dtype != dtype:
            decoder = copy.deepcopy(decoder).to(dtype)
        self._decoder: nn.Module = decoder
        stages: _Stages = _compiled() if config.compile else (attend, draw_masks)
        self._attend, self._draw = stages

    def on_merged_tokens(self) -> "PointDecoder":
        """The same with alike tokens merged: faster, and nearly as exact."""
        other = copy.copy(self)
        other._image = merged(self._image, self._shown)
        return other

    def score(self, points_xy: FloatArray) -> Scored:
        """Predicted IoU of (N, 2) points by the decoder's own head, without a mask."""
        tokens = self._sam.point_tokens(torch.from_numpy(points_xy), self.embedding)
        queries, keys = self._attend(self._decoder, self._image, tokens.to(self._image.keys.dtype))
        predicted_iou = predict_iou(self._decoder, queries).float().cpu().numpy()
        return Scored(points_xy, predicted_iou, queries, keys)

    def draw(self, scored: Scored, rows: NDArray[np.intp]) -> Tensor:
        """(len(rows), 3, h, w) float32 logits of some of the scored points, without those that show only padding."""
        queries, keys = scored.output_tokens, scored.image_tokens
        if len(rows) < len(queries):
            chosen = torch.from_numpy(rows).to(queries.device)
            queries, keys = queries[chosen], keys[chosen]
        return self._draw(self._decoder, queries, keys, self._image, self._shown).float()

    def judge(self, scored: Scored, rows: NDArray[np.intp], logits: Tensor) -> tuple[FloatArray, Classes]:
        """Predicted IoU (len(rows), 3) and classes of some of the scored points, whose masks are drawn by now.

        A class is -1 and its probability 0 where the model has none.
        """
        sam, tokens, predicted_iou = self._sam, scored.output_tokens[:, 0], scored.predicted_iou[rows]
        chosen = torch.from_numpy(rows).to(tokens.device)
        if sam.scorer is not None:
            decoded = Decoded(logits, torch.from_numpy(predicted_iou).to(logits.device), tokens[chosen])
            judged = sam.judge(decoded, self.embedding)
        else:
            # Of all points: a product's last bits depend on how many rows it has.
            class_logits = None if sam.class_head is None else sam.classify(tokens)[chosen]
            judged = Judged(torch.from_numpy(predicted_iou), class_logits)
        predicted_iou, classes = judged.predicted_iou.cpu().numpy(), judged.classes()
        if classes is None:
            return predicted_iou, (np.full(len(rows), -1, np.int64), np.zeros(len(rows), np.float32))
        return predicted_iou, (classes[0].cpu().numpy(), classes[1].cpu().numpy())

    def upscale(self, logits: Tensor) -> Tensor:
        """(N, h, w) logits to (N, H, W) of the image, in segment-anything's two steps."""
        return self._sam.upscale(logits[:, None], self.embedding)[:, 0]

    @property
    def logit_px(self) -> int:
        """Pixels of the encoder's input along a side of a logit."""
        return self._sam.image_size // self._side

    def visible(self, logits: Tensor) -> Tensor:
        """(..., h, w) logits without the last of the padding."""
        height, width = (-(-length // self.logit_px) for length in self.embedding.input_hw)
        return logits[..., :height, :width]


@cache
def _compiled() -> _Stages:
    return torch.compile(attend, dynamic=True), torch.compile(draw_masks, dynamic=True)
