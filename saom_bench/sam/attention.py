"""Attention between a prompt's few tokens and an image's thousands, with its backward pass written out.

Both directions work on tokens into which the projections are folded already (see ``decoder``). Left to itself, autograd
adds up gradients of the image's size several times over; here each is one matrix product. Scores are kept with the
image's tokens last, because a softmax over seven neighbours in memory costs more than the products around it.

N prompts, M folded tokens (heads times prompt tokens), T image tokens, C channels. Image tokens are (1, T, C) where all
prompts share them. ``placed`` is them plus their positional encoding; its gradient counts as theirs.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def look_at_image(folded: Tensor, keys: Tensor, placed: Tensor, log_counts: Tensor | None = None) -> Tensor:
    """Prompt tokens gather image tokens: (N, M, C) queries -> (N, M, C), the keys by their softmax over the image.

    With ``log_counts``, (T,), a token weighs as much as so many that are alike.
    """
    if torch.is_autocast_enabled(folded.device.type):
        # Arithmetic of mixed width is autograd's to differentiate.
        scores = folded @ placed.transpose(1, 2)
        return torch.softmax(scores if log_counts is None else scores + log_counts, dim=-1) @ keys
    gathered: Tensor = _LookAtImage.apply(folded, keys, placed, log_counts)  # type: ignore[no-untyped-call]
    return gathered


def look_at_prompt(folded: Tensor, offset: Tensor, values: Tensor, keys: Tensor, placed: Tensor, heads: int) -> Tensor:
    """Image tokens gather prompt tokens: the keys plus, per head, the values weighted by softmax over the prompt.

    Args:
        folded: (N, M, C) the prompt's keys.
        offset: (N, M, 1) added to their scores.
        values: (N, M, C).

    Returns:
        (N, T, C).
    """
    if torch.is_autocast_enabled(folded.device.type):
        scores = folded @ placed.transpose(1, 2) + offset
        weights = torch.softmax(_by_head(scores, heads), dim=2).flatten(1, 2)
        return keys + weights.transpose(1, 2) @ values
    changed: Tensor = _LookAtPrompt.apply(folded, offset, values, keys, placed, heads)  # type: ignore[no-untyped-call]
    return changed


class _LookAtImage(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, folded: Tensor, keys: Tensor, placed: Tensor, log_counts: Tensor | None) -> Tensor:
        scores = _scores(folded, placed)
        weights = torch.softmax(scores if log_counts is None else scores.add_(log_counts), dim=-1)
        gathered = _gather(weights, keys)
        ctx.save_for_backward(folded, keys, placed, weights, gathered)
        return gathered

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        folded, keys, placed, weights, gathered = ctx.saved_tensors
        # The mean that a softmax's gradient takes off is, over all tokens, that of the result.
        mean = (grad * gathered).sum(-1, keepdim=True)
        grad_scores = _scores(grad, keys).sub_(mean).mul_(weights)
        grad_keys = None
        if ctx.needs_input_grad[1]:
            grad_keys = _spread(torch.cat([weights, grad_scores], 1), torch.cat([grad, folded], 1), keys.shape[0])
        return _gather(grad_scores, placed), grad_keys, None, None


class _LookAtPrompt(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, folded: Tensor, offset: Tensor, values: Tensor, keys: Tensor, placed: Tensor, heads: int
    ) -> Tensor:
        scores = _scores(folded, placed).add_(offset)
        weights = torch.softmax(_by_head(scores, heads), dim=2).flatten(1, 2)
        ctx.save_for_backward(folded, values, placed, weights)
        ctx.heads, ctx.shared = heads, keys.shape[0] == 1
        return torch.baddbmm(keys.expand(folded.shape[0], -1, -1), weights.transpose(1, 2), values)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        folded, values, placed, weights = ctx.saved_tensors
        grad_scores = _scores(values, grad).mul_(weights)
        by_head = _by_head(grad_scores, ctx.heads)
        by_head.addcmul_(_by_head(weights, ctx.heads), by_head.sum(2, keepdim=True), value=-1)
        grad_keys = None
        if ctx.needs_input_grad[3]:
            grad_keys = torch.baddbmm(grad, grad_scores.transpose(1, 2), folded)
            if ctx.shared:
                grad_keys = grad_keys.sum(0, keepdim=True)
        grad_offset = grad_scores.sum(-1, keepdim=True)
        return _gather(grad_scores, placed), grad_offset, _gather(weights, grad), grad_keys, None, None


def _by_head(values: Tensor, heads: int) -> Tensor:
    """(N, M, T) as (N, heads, Q, T)."""
    return values.view(values.shape[0], heads, -1, values.shape[-1])


def _scores(tokens: Tensor, image: Tensor) -> Tensor:
    """(N, M, C) against (1 or N, T, C): (N, M, T)."""
    if image.shape[0] == 1:
        return (tokens.flatten(0, 1) @ image[0].T).view(*tokens.shape[:2], -1)
    return torch.bmm(tokens, image.transpose(1, 2))


def _gather(weights: Tensor, image: Tensor) -> Tensor:
    """(N, M, T) of (1 or N, T, C): (N, M, C)."""
    if image.shape[0] == 1:
        return (weights.flatten(0, 1) @ image[0]).view(*weights.shape[:2], -1)
    return torch.bmm(weights, image)


def _spread(weights: Tensor, tokens: Tensor, images: int) -> Tensor:
    """(N, M, T) times (N, M, C): (N, T, C), or with one image the sum of that over the prompts, (1, T, C)."""
    if images == 1:
        return (weights.flatten(0, 1).T @ tokens.flatten(0, 1))[None]
    return torch.bmm(weights.transpose(1, 2), tokens)
