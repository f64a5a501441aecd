"""The mask scorer: a second look at each prompt's three masks, which says how good each is and what they show.

SAM's IoU head and SAOM's class head see only the decoder's tokens. The scorer also sees the masks themselves: the
encoder's features under each mask and around it, its colours, place and shape, as Mask Scoring R-CNN does. It learns
after the decoder, on the decoder's own masks, and changes none of them.
"""

from saom_bench.sam import runtime

runtime.prepare()

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

MASKS = 3
_HIDDEN = 512
_LOGITS_A_TOKEN = 4  # along each side
_RING_TOKENS = 7  # a mask's surroundings: what a window of so many tokens reaches from it
_SHAPE, _COLORS = 9, 6
_LITTLE = 1e-6


class MaskScorer(nn.Module):
    """One hidden layer over all that is seen of a prompt. Untrained it leaves every predicted IoU as it is.

    Beside the classes it knows "none of them": most of a room is walls and floors, and everything mode asks there too.
    """

    def __init__(self, channels: int, n_classes: int, seed: int = 0) -> None:
        super().__init__()
        self.hidden = nn.Linear(channels + MASKS * (2 * channels + _SHAPE + _COLORS + 1), _HIDDEN)
        self.iou = nn.Linear(_HIDDEN, MASKS)
        self.classes = nn.Linear(_HIDDEN, n_classes + 1) if n_classes else None
        draws = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for layer in (self.hidden, self.classes):
                if layer is not None:
                    bound = layer.in_features**-0.5
                    layer.weight.uniform_(-bound, bound, generator=draws)
                    layer.bias.zero_()
            self.iou.weight.zero_()
            self.iou.bias.zero_()

    def forward(self, seen: Tensor, predicted_iou: Tensor) -> tuple[Tensor, Tensor | None]:
        """(N, 3) IoUs of the masks and (N, n_classes + 1) class logits, "none of them" last.

        Args:
            seen: (N, D) of ``look``.
            predicted_iou: (N, 3) of the decoder.
        """
        hidden = functional.gelu(self.hidden(seen.to(self.hidden.weight.dtype)))
        return predicted_iou + self.iou(hidden), None if self.classes is None else self.classes(hidden)


def look(
    iou_token: Tensor,
    logits: Tensor,
    predicted_iou: Tensor,
    features: Tensor,
    colors: Tensor,
    shown_hw: tuple[int | Tensor, int | Tensor],
) -> Tensor:
    """What there is to see of N prompts' masks: (N, D) float32, each part about of unit size.

    Args:
        iou_token: (N, C).
        logits: (N, 3, 4 h, 4 w) of the part of the picture that ``features`` shows, or of all of it with its padding.
        predicted_iou: (N, 3).
        features: (C, h, w) of the encoder.
        colors: (3, 4 h, 4 w) from 0 to 1; ``preprocess.colors_of`` makes them.
        shown_hw: rows and columns of logits that show the picture and not the padding.
    """
    count, _, height, width = logits.shape
    rows, columns = (torch.arange(side, device=logits.device) + 0.5 for side in (height, width))
    shown = (rows < shown_hw[0])[:, None] & (columns < shown_hw[1])
    masks = logits.float().sigmoid() * shown
    tokens = functional.avg_pool2d(masks, _LOGITS_A_TOKEN)
    inside = functional.avg_pool2d(shown[None].float(), _LOGITS_A_TOKEN)
    rings = inside * (functional.max_pool2d(tokens, _RING_TOKENS, 1, _RING_TOKENS // 2) - tokens)
    of_tokens = features.float().flatten(1).T
    per_mask = [
        _normed(_mean(tokens, of_tokens)),
        _normed(_mean(rings, of_tokens)),
        _shape(masks, rows / shown_hw[0], columns / shown_hw[1], shown),
        _color(masks, colors.float().flatten(1).T),
        2 * predicted_iou.float()[..., None] - 1,
    ]
    return torch.cat([_normed(iou_token.float()), torch.cat(per_mask, dim=2).view(count, -1)], dim=1)


def _mean(weights: Tensor, values: Tensor) -> Tensor:
    """(N, 3, C) means of (T, C) values, weighted by (N, 3, h, w)."""
    flat = weights.flatten(2) + _LITTLE
    return flat @ values / flat.sum(dim=2, keepdim=True)


def _normed(values: Tensor) -> Tensor:
    return functional.layer_norm(values, values.shape[-1:])


def _shape(masks: Tensor, ys: Tensor, xs: Tensor, shown: Tensor) -> Tensor:
    """(N, 3, 9) centre, spread, size, density and slenderness of (N, 3, H, W) soft masks; lengths from 0 to 1."""
    weights = (masks + _LITTLE) * shown
    weights = weights / weights.sum(dim=(2, 3), keepdim=True)
    down, across = weights.sum(dim=3), weights.sum(dim=2)
    y, x = (down * ys).sum(dim=2), (across * xs).sum(dim=2)
    spread_y = ((down * ys**2).sum(dim=2) - y**2).clamp(min=0).sqrt()
    spread_x = ((across * xs**2).sum(dim=2) - x**2).clamp(min=0).sqrt()
    area = masks.sum(dim=(2, 3)) / shown.sum()
    return torch.stack(
        [
            2 * x - 1,
            2 * y - 1,
            5 * spread_x,
            5 * spread_y,
            3 * area,
            3 * area.sqrt(),
            (area + 1e-5).log() / 3 + 1,
            area / (12 * spread_x * spread_y + 1e-4),
            ((spread_x + 0.005) / (spread_y + 0.005)).log(),
        ],
        dim=2,
    )


def _color(masks: Tensor, colors: Tensor) -> Tensor:
    """(N, 3, 6) mean and deviation of (T, 3) colours under (N, 3, H, W) masks."""
    mean = _mean(masks, colors)
    deviation = (_mean(masks, colors**2) - mean**2).clamp(min=0).sqrt()
    return torch.cat([4 * mean - 2, 8 * deviation], dim=2)
