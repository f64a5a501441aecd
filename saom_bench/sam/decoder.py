"""SAM's mask decoder in another order of the same sums: many points of one image, without a copy of the image each.

The stock decoder repeats the image's tokens for every prompt and projects each copy. Here

* the first layer's image tokens, which all prompts share, are projected once;
* every later projection of the image's tokens (4,096 of them) is folded into the prompt's tokens (seven), because
  ``q . (W k) == (W' q) . k``; the same for values and for output projections;
* what is added to every image token (the no-mask embedding, a projection's bias) is added to the prompt's tokens;
* the upscaling's transposed convolutions run as one matrix product each, over the tokens that show the image.

It runs on segment-anything's own ``MaskDecoder`` weights, equals its results up to rounding, and is differentiable, so
training and everything mode share it. Limit: point prompts only; a mask prompt would differ per prompt in layer 0.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from saom_bench.sam.attention import look_at_image, look_at_prompt
from saom_bench.types import Size


@dataclass(frozen=True)
class ImageTokens:
    """One image, or one a prompt, ready for the decoder. T = h * w tokens of C channels."""

    keys: Tensor
    """(T, C) the image embedding; (N, T, C) where the N prompts are of several images."""
    shift: Tensor
    """(C,) what is to be added to every key: the no-mask embedding."""
    position: Tensor
    """(T, C) the positional encoding of the tokens."""
    grid_hw: Size
    log_counts: Tensor | None = None
    """(T,) logarithm of how many of the image's tokens each stands for, where alike ones were merged."""
    places: Tensor | None = None
    """(h, w) the merged token at each place of the image; then T is not h * w."""

    def to(self, dtype: torch.dtype) -> "ImageTokens":
        """The same tokens in another floating-point type."""
        log_counts = None if self.log_counts is None else self.log_counts.to(dtype)
        keys, shift, position = (values.to(dtype) for values in (self.keys, self.shift, self.position))
        return ImageTokens(keys, shift, position, self.grid_hw, log_counts, self.places)


def decode_points(
    decoder: nn.Module, image: ImageTokens, sparse: Tensor, shown_hw: Size | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Three masks for each prompt: ((N, 3, 4h, 4w) logits, (N, 3) predicted IoU, (N, C) IoU token).

    Args:
        decoder: segment-anything's ``MaskDecoder``.
        image: the tokens of one image, which is by far the cheapest, or of each prompt's own.
        sparse: (N, P, C) the prompt encoder's point embeddings.
        shown_hw: rows and columns of tokens, from the top left, whose masks are wanted; all if not given.
    """
    queries, keys = attend(decoder, image, sparse)
    masks = draw_masks(decoder, queries, keys, image, shown_hw)
    return masks, predict_iou(decoder, queries), queries[:, 0]


def attend(decoder: nn.Module, image: ImageTokens, sparse: Tensor) -> tuple[Tensor, Tensor]:
    """The two-way transformer, all that scores need: (N, Q, C) output tokens, the IoU token first, and (N, T, C) image
    tokens of each prompt, from which ``draw_masks`` draws."""
    parts: Any = decoder
    output_tokens = torch.cat([parts.iou_token.weight, parts.mask_tokens.weight])
    tokens = torch.cat([output_tokens.expand(sparse.shape[0], -1, -1), sparse], dim=1)
    return _transform(parts.transformer, image, tokens)


def predict_iou(decoder: nn.Module, queries: Tensor) -> Tensor:
    """(N, 3) predicted IoU of the masks of (N, Q, C) output tokens."""
    parts: Any = decoder
    predicted: Tensor = parts.iou_prediction_head(queries[:, 0])[:, 1:]
    return predicted


def draw_masks(
    decoder: nn.Module, queries: Tensor, keys: Tensor, image: ImageTokens, shown_hw: Size | None = None
) -> Tensor:
    """(N, 3, 4h, 4w) mask logits of what ``attend`` gave for N prompts of an image, or for some of them; with
    ``shown_hw`` only those of so many rows and columns of tokens."""
    parts: Any = decoder
    rows, columns = shown_hw or image.grid_hw
    mask_tokens = queries[:, 1 : 1 + parts.num_mask_tokens]
    if image.places is None:
        shown = keys.view(keys.shape[0], *image.grid_hw, -1)[:, :rows, :columns].flatten(1, 2)
        logits = _logits_of_tokens(parts, shown, mask_tokens)
    else:
        logits = _logits_of_tokens(parts, keys, mask_tokens)[:, image.places[:rows, :columns].flatten()]
    count, outputs = keys.shape[0], logits.shape[-1]
    logits = logits.view(count, rows, columns, 2, 2, 2, 2, outputs).permute(0, 7, 1, 3, 5, 2, 4, 6)
    masks: Tensor = logits.reshape(count, outputs, 4 * rows, 4 * columns)
    return masks


def _transform(transformer: Any, image: ImageTokens, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """The two-way transformer: (N, Q, C) prompt tokens in; ((N, Q, C), (N, T, C)) tokens out."""
    keys = image.keys if image.keys.ndim == 3 else image.keys[None]
    queries, shift, counts = tokens, image.shift, image.log_counts
    for layer in transformer.layers:
        placed = keys.detach() + image.position
        queries = _attend_to_selves(layer, queries, tokens)
        attended = _tokens_to_image(layer.cross_attn_token_to_image, queries + tokens, keys, placed, shift, counts)
        queries = layer.norm2(queries + attended)
        queries = layer.norm3(queries + layer.mlp(queries))
        changed = _image_to_tokens(layer.cross_attn_image_to_token, queries + tokens, queries, keys, placed, shift)
        keys, shift = layer.norm4(changed), torch.zeros_like(shift)
    last = transformer.final_attn_token_to_image
    attended = _tokens_to_image(last, queries + tokens, keys, keys.detach() + image.position, shift, counts)
    return transformer.norm_final_attn(queries + attended), keys


def _attend_to_selves(layer: Any, queries: Tensor, tokens: Tensor) -> Tensor:
    if layer.skip_first_layer_pe:
        return layer.norm1(layer.self_attn(q=queries, k=queries, v=queries))  # type: ignore[no-any-return]
    with_position = queries + tokens
    attended = layer.self_attn(q=with_position, k=with_position, v=queries)
    return layer.norm1(queries + attended)  # type: ignore[no-any-return]


def _tokens_to_image(
    attention: Any, query: Tensor, keys: Tensor, placed: Tensor, shift: Tensor, log_counts: Tensor | None
) -> Tensor:
    """Prompt tokens (N, Q, C) look at image tokens (1 or N, T, C): (N, Q, C)."""
    heads, size = attention.num_heads, attention.internal_dim // attention.num_heads
    count, length, channels = query.shape
    projected = attention.q_proj(query).view(count, length, heads, size) / math.sqrt(size)
    # Scores: q . (W k + b) = (W' q) . k + q . b, and the softmax over k drops the constant q . b, and a shift of all k.
    folded = torch.einsum("nqhs,hsc->nhqc", projected, attention.k_proj.weight.view(heads, size, channels))
    gathered = look_at_image(folded.reshape(count, heads * length, channels), keys, placed, log_counts) + shift
    # Values: sum of a (W k + b) = W (sum of a k) + b, since the weights add up to 1.
    gathered = gathered.view(count, heads, length, channels)
    values = torch.einsum("nhqc,hsc->nqhs", gathered, attention.v_proj.weight.view(heads, size, channels))
    values = values.reshape(count, length, heads * size) + attention.v_proj.bias
    return attention.out_proj(values)  # type: ignore[no-any-return]


def _image_to_tokens(
    attention: Any, key: Tensor, value: Tensor, image: Tensor, placed: Tensor, shift: Tensor
) -> Tensor:
    """Image tokens (1 or N, T, C), shifted, and what they see in prompt tokens (N, Q, C): (N, T, C)."""
    heads, size = attention.num_heads, attention.internal_dim // attention.num_heads
    count, length, channels = key.shape
    keys = attention.k_proj(key).view(count, length, heads, size) / math.sqrt(size)
    values = attention.v_proj(value).view(count, length, heads, size)
    weight = attention.q_proj.weight.view(heads, size, channels)
    folded = torch.einsum("nqhs,hsc->nhqc", keys, weight).reshape(count, heads * length, channels)
    offset = torch.einsum("nqhs,hs->nhq", keys, attention.q_proj.bias.view(heads, size))
    offset = offset.reshape(count, heads * length) + folded @ shift
    out = torch.einsum("nqhs,chs->nhqc", values, attention.out_proj.weight.view(channels, heads, size))
    # A head's weights add up to 1, so what every token gets can ride on one head's values.
    constant = functional.pad((attention.out_proj.bias + shift).view(1, 1, channels), (0, 0, 0, 0, 0, heads - 1))
    out = (out + constant).reshape(count, heads * length, channels)
    return look_at_prompt(folded, offset[..., None], out, image, placed, heads)


def _logits_of_tokens(parts: Any, keys: Tensor, mask_tokens: Tensor) -> Tensor:
    """Logits (N, T, 2, 2, 2, 2, 3) of masks 1..3 in (N, T, C) image tokens; mask 0, the single one, is left out.

    Both doublings stay in token order, channels last: only the three masks are put into rows and columns at the end.
    """
    first, norm, activate, second, activate_too = parts.output_upscaling
    pixels = _doubled(first, keys)
    pixels = activate(functional.layer_norm(pixels, pixels.shape[-1:], norm.weight, norm.bias, norm.eps))
    pixels = activate_too(_doubled(second, pixels))
    hyper = [mlp(mask_tokens[:, i]) for i, mlp in enumerate(parts.output_hypernetworks_mlps) if i > 0]
    logits: Tensor = pixels.flatten(1, -2) @ torch.stack(hyper, dim=2)
    return logits.view(*pixels.shape[:-1], -1)


def _doubled(convolution: Any, pixels: Tensor) -> Tensor:
    """A 2x2, stride 2 transposed convolution as one matrix product: (..., C) in, (..., 2, 2, D) out, rows first."""
    inputs, outputs, _, _ = convolution.weight.shape
    weight = convolution.weight.permute(2, 3, 1, 0).reshape(4 * outputs, inputs)
    return functional.linear(pixels, weight, convolution.bias.repeat(4)).view(*pixels.shape[:-1], 2, 2, outputs)
