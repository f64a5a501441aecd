"""Attention's backward pass, written out: equal to finite differences, and to autograd's under autocast."""

import pytest
import torch
from torch.nn import functional

from saom_bench.sam.attention import look_at_image, look_at_prompt

COUNT, HEADS, QUERIES, TOKENS, CHANNELS = 2, 2, 3, 5, 4


def _draw(*shape: int) -> torch.Tensor:
    seed = torch.Generator().manual_seed(sum(shape))
    return torch.randn(*shape, generator=seed, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("images", [1, COUNT])
def test_looking_at_the_image(images) -> None:
    folded, keys = _draw(COUNT, HEADS * QUERIES, CHANNELS), _draw(images, TOKENS, CHANNELS)
    position = _draw(TOKENS, CHANNELS).detach()
    gathered = look_at_image(folded, keys, keys.detach() + position)
    expected = functional.scaled_dot_product_attention(
        folded, (keys + position).expand(COUNT, -1, -1), keys.expand(COUNT, -1, -1), scale=1.0
    )
    torch.testing.assert_close(gathered, expected)
    weights = torch.randn_like(expected)
    ours, theirs = (torch.autograd.grad(out, (folded, keys), weights) for out in (gathered, expected))
    torch.testing.assert_close(ours, theirs)


def test_a_token_with_a_count_weighs_as_much_as_so_many() -> None:
    folded, keys = _draw(COUNT, HEADS * QUERIES, CHANNELS), _draw(1, TOKENS, CHANNELS)
    counts = torch.tensor([1, 4, 2, 1, 16])
    few = look_at_image(folded, keys, keys, counts.double().log())
    many = look_at_image(folded, *[keys.repeat_interleave(counts, dim=1)] * 2)
    torch.testing.assert_close(few, many)
    ours, theirs = (torch.autograd.grad(out.square().sum(), (folded, keys)) for out in (few, many))
    torch.testing.assert_close(ours[0], theirs[0])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = look_at_image(folded.float(), keys.float(), keys.float(), counts.float().log())
    torch.testing.assert_close(half.double(), few, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("images", [1, COUNT])
def test_looking_at_the_prompt(images) -> None:
    folded, values = _draw(COUNT, HEADS * QUERIES, CHANNELS), _draw(COUNT, HEADS * QUERIES, CHANNELS)
    offset, keys = _draw(COUNT, HEADS * QUERIES, 1), _draw(images, TOKENS, CHANNELS)
    position = _draw(TOKENS, CHANNELS).detach()
    changed = look_at_prompt(folded, offset, values, keys, keys.detach() + position, HEADS)
    expected = keys
    for head in range(HEADS):
        part = slice(head * QUERIES, (head + 1) * QUERIES)
        scores = (keys + position) @ folded[:, part].transpose(1, 2) + offset[:, part].transpose(1, 2)
        expected = expected + scores.softmax(-1) @ values[:, part]
    torch.testing.assert_close(changed, expected)
    weights = torch.randn_like(expected)
    wanted = (folded, offset, values, keys)
    ours, theirs = (torch.autograd.grad(out, wanted, weights) for out in (changed, expected))
    torch.testing.assert_close(ours, theirs)


def test_under_autocast_it_is_the_same_up_to_rounding() -> None:
    folded, keys = _draw(COUNT, HEADS * QUERIES, CHANNELS).float(), _draw(1, TOKENS, CHANNELS).float()
    offset = torch.zeros(COUNT, HEADS * QUERIES, 1)
    results = []
    for wanted in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=wanted):
            results.append(
                (look_at_image(folded, keys, keys), look_at_prompt(folded, offset, folded, keys, keys, HEADS))
            )
    for exact, rounded in zip(*results, strict=True):
        torch.testing.assert_close(rounded.float(), exact, atol=0.05, rtol=0.05)
