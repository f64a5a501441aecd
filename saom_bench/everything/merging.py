"""An image's tokens with those that are alike merged into one: fast mode's decoder has half as many to attend to.

A decoder's time grows with the image's tokens, and most of a room's say what their neighbours say: walls, floors, and
the padding below and beside the picture. A merged token has the mean of its tokens' features and positions, and weighs
in the attention what they weighed together, so that scores and masks stay those of all tokens, nearly. (Dropping the
padding, or merging it without that weight, costs ten times the error: the prompts look at it to hold still.)
"""

from saom_bench.sam import runtime

runtime.prepare()

import torch  # noqa: E402
from torch import Tensor  # noqa: E402

from saom_bench.sam.decoder import ImageTokens  # noqa: E402
from saom_bench.types import Size  # noqa: E402

# Squares of so many tokens a side are merged: where the image is shown only if all in a square are alike.
_SHOWN_SIDE, _PADDING_SIDE = 2, 4
# Alike are tokens none of which is farther from their mean than this share of the image's variance. Over a third
# of the tokens that show the image go, and passing masks keep an IoU of 0.97 with those of all tokens; at 0.3, 0.95.
_ALIKE = 0.2


def merged(image: ImageTokens, shown_hw: Size) -> ImageTokens:
    """One image's tokens with the alike ones merged.

    Args:
        image: the (T, C) tokens of one image.
        shown_hw: rows and columns of tokens, from the top left, that show the image; the others are padding.
    """
    height, width = image.grid_hw
    rows, columns = shown_hw
    own = torch.arange(height * width, device=image.keys.device)
    is_shown = (own // width < rows) & (own % width < columns)
    squares = _squares(own, width, _SHOWN_SIDE)
    alike = _alike(image.keys.float(), is_shown, squares)
    # Tokens that stay alone, squares of alike ones, and squares of padding, each numbered after the others.
    groups = torch.where(alike, len(own) + squares, own)
    groups = torch.where(is_shown, groups, 2 * len(own) + _squares(own, width, _PADDING_SIDE))
    places, counts = torch.unique(groups, return_inverse=True, return_counts=True)[1:]
    log_counts = counts.to(image.keys.dtype).log()
    keys, position = (_means(values, places, len(counts)) for values in (image.keys, image.position))
    return ImageTokens(keys, image.shift, position, image.grid_hw, log_counts, places.view(height, width))


def _squares(own: Tensor, width: int, side: int) -> Tensor:
    """(T,) the square that each token lies in."""
    return own // width // side * width + own % width // side


def _alike(keys: Tensor, is_shown: Tensor, squares: Tensor) -> Tensor:
    """(T,) whether a token's square is all shown and alike."""
    variance = (keys[is_shown] - keys[is_shown].mean(dim=0)).square().sum(dim=1).mean()
    away = (keys - _means(keys, squares, len(squares))[squares]).square().sum(dim=1)
    differs = (~is_shown | (away > _ALIKE * variance)).to(keys.dtype)
    return (_means(differs[:, None], squares, len(squares)) == 0)[squares, 0]


def _means(values: Tensor, groups: Tensor, count: int) -> Tensor:
    """(count, C) means of (T, C) values by their (T,) group; 0 of a group without any."""
    sums = torch.zeros(count, values.shape[1], dtype=values.dtype, device=values.device).index_add(0, groups, values)
    return sums / torch.bincount(groups, minlength=count).clamp(min=1)[:, None]
