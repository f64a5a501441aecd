"""The reordered decoder against segment-anything's own: the same masks, scores, tokens and gradients."""

import numpy as np
import pytest
import torch
from tiny_sam import EMBEDDING_SIZE, tiny_sam
from torch import Tensor

from saom_bench.sam.decoder import ImageTokens, decode_points
from saom_bench.sam.model import Embedding, Sam

SIZE_HW = (192, 256)


def _embedding(sam: Sam) -> Embedding:
    features = torch.randn(256, EMBEDDING_SIZE, EMBEDDING_SIZE, generator=torch.Generator().manual_seed(1))
    return Embedding(features, SIZE_HW, sam.input_size(SIZE_HW))


def _stock(sam: Sam, embedding: Embedding, points_xy: Tensor) -> tuple[Tensor, Tensor]:
    """segment-anything's path: the prompt encoder and decoder as SamPredictor calls them."""
    scale = sam.image_size / max(embedding.size_hw)
    coordinates = points_xy[:, None] * scale
    sparse, dense = sam.prompt_encoder((coordinates, torch.ones(len(points_xy), 1)), None, None)
    masks, predicted_iou = sam.mask_decoder(
        embedding.features[None], sam.prompt_encoder.get_dense_pe(), sparse, dense, multimask_output=True
    )
    return masks, predicted_iou


@pytest.mark.parametrize("count", [1, 5])
def test_masks_and_scores_equal_the_stock_decoder(count: int) -> None:
    sam = tiny_sam(seed=3)
    embedding = _embedding(sam)
    points_xy = torch.rand(count, 2, generator=torch.Generator().manual_seed(2)) * torch.tensor([256.0, 192.0])
    tokens: list[Tensor] = []
    handle = sam.mask_decoder.iou_prediction_head.register_forward_pre_hook(lambda _, args: tokens.append(args[0]))
    with torch.no_grad():
        masks, predicted_iou = _stock(sam, embedding, points_xy)
        handle.remove()
        ours = sam.decode(embedding, points_xy)
    scale = masks.abs().max()
    assert ours.low_res_logits.shape == (count, 3, 4 * EMBEDDING_SIZE, 4 * EMBEDDING_SIZE)
    assert torch.allclose(ours.low_res_logits / scale, masks / scale, atol=1e-5)
    assert torch.allclose(ours.predicted_iou, predicted_iou, atol=1e-5)
    assert torch.allclose(ours.iou_token, tokens[0], atol=1e-4)


def test_gradients_equal_the_stock_decoder() -> None:
    sam = tiny_sam(seed=4)
    embedding = _embedding(sam)
    points_xy = torch.tensor([[10.0, 20.0], [128.0, 96.0], [250.0, 5.0]])
    weights = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(5))

    def gradients(masks: Tensor, predicted_iou: Tensor) -> dict[str, Tensor]:
        sam.zero_grad(set_to_none=True)
        ((masks * weights).mean() + predicted_iou.sum()).backward()  # type: ignore[no-untyped-call]
        return {name: p.grad.clone() for name, p in sam.named_parameters() if p.grad is not None}

    expected = gradients(*_stock(sam, embedding, points_xy))
    ours = sam.decode(embedding, points_xy)
    got = gradients(ours.low_res_logits, ours.predicted_iou)
    for name, value in expected.items():
        scale = value.abs().max()
        if scale < 1e-7:  # the single-mask token's head: the stock decoder runs it and drops its mask
            continue
        assert torch.allclose(got[name] / scale, value / scale, atol=2e-4), name
    assert set(sam.trainable_parameters()) <= got.keys()


def test_the_reordering_is_exact_in_float64() -> None:
    """Rounding aside, nothing differs: not a mask, not a score, not a gradient."""
    sam = tiny_sam(seed=6)
    decoder = sam.mask_decoder.double()
    draws = torch.Generator().manual_seed(7)
    keys, position = torch.randn(2, 256, EMBEDDING_SIZE, EMBEDDING_SIZE, generator=draws, dtype=torch.float64)
    weights = torch.randn(3, 3, 64, 64, generator=draws, dtype=torch.float64)
    sparse = torch.randn(3, 2, 256, generator=draws, dtype=torch.float64)

    def gradients(masks: Tensor, predicted_iou: Tensor) -> dict[str, Tensor]:
        decoder.zero_grad(set_to_none=True)
        ((masks * weights).sum() + predicted_iou.square().sum()).backward()  # type: ignore[no-untyped-call]
        return {name: p.grad.clone() for name, p in decoder.named_parameters() if p.grad is not None}

    dense = torch.zeros(3, 256, EMBEDDING_SIZE, EMBEDDING_SIZE, dtype=torch.float64)
    stock = decoder(keys[None], position[None], sparse, dense, multimask_output=True)
    expected = gradients(*stock)
    shift = torch.zeros(256, dtype=torch.float64)
    tokens = ImageTokens(keys.flatten(1).T, shift, position.flatten(1).T, (EMBEDDING_SIZE, EMBEDDING_SIZE))
    masks, predicted_iou, _ = decode_points(decoder, tokens, sparse)
    got = gradients(masks, predicted_iou)
    assert torch.allclose(masks, stock[0], rtol=1e-9, atol=1e-11)
    assert torch.allclose(predicted_iou, stock[1], rtol=1e-9, atol=1e-11)
    for name, value in expected.items():
        # No gradient here is a zero there: the single-mask token's head, and key biases, which a softmax ignores.
        assert torch.allclose(got.get(name, torch.zeros_like(value)), value, rtol=1e-8, atol=1e-10), name


@pytest.mark.parametrize("size_hw", [(192, 256), (256, 100), (60, 240), (64, 64)])
def test_logits_of_the_padding_may_be_left_out(size_hw) -> None:
    sam = tiny_sam(seed=8)
    features = torch.randn(256, EMBEDDING_SIZE, EMBEDDING_SIZE, generator=torch.Generator().manual_seed(1))
    embedding = Embedding(features, size_hw, sam.input_size(size_hw))
    points_xy = torch.tensor([[10.0, 20.0], [50.0, 30.0]])
    with torch.no_grad():
        whole, part = (sam.decode(embedding, points_xy, padding=padding) for padding in (True, False))
    height, width = part.low_res_logits.shape[-2:]
    assert (height < 64) == (size_hw[0] < size_hw[1])
    assert (width < 64) == (size_hw[1] < size_hw[0])
    torch.testing.assert_close(part.low_res_logits, whole.low_res_logits[..., :height, :width])
    # On the logits themselves, so that rounding above has no say: nothing that is shown was left out.
    cut = whole.low_res_logits[..., :height, :width]
    assert torch.equal(sam.upscale(cut, embedding), sam.upscale(whole.low_res_logits, embedding))


def test_points_of_several_images_at_once_are_as_alone() -> None:
    """Masks, and the gradients of weights and of features, as where the encoder trains."""
    sam = tiny_sam(seed=9).double()
    draws = torch.Generator().manual_seed(1)
    embeddings = []
    for size_hw in ((192, 256), (256, 192)):
        features = torch.randn(256, EMBEDDING_SIZE, EMBEDDING_SIZE, generator=draws, dtype=torch.float64)
        embeddings.append(Embedding(features.requires_grad_(), size_hw, sam.input_size(size_hw)))
    points = [torch.tensor([[10.0, 20.0], [50.0, 30.0]]), torch.tensor([[100.0, 90.0]])]
    weight = sam.prompt_encoder.no_mask_embed.weight
    found = []
    for decoded in (sam._decode_packed(embeddings, points), list(map(sam.decode, embeddings, points))):
        logits = [each.low_res_logits[..., :48, :48] for each in decoded]
        loss = sum(values.square().sum() for values in logits) + decoded[1].predicted_iou.sum()
        wanted = [weight, *(embedding.features for embedding in embeddings)]
        found.append((*logits, *torch.autograd.grad(loss, wanted)))
    torch.testing.assert_close(found[0], found[1])


def test_what_is_trained_is_what_the_method_trains() -> None:
    sam = tiny_sam(n_classes=5)
    names = sam.trainable_parameters()
    assert {"class_head.weight", "mask_decoder.iou_token.weight", "prompt_encoder.point_embeddings.1.weight"} <= set(
        names
    )
    frozen = ("iou_prediction_head", "hypernetworks_mlps.0", "point_embeddings.0", "mask_downscaling")
    assert not [name for name in names if any(part in name for part in frozen)]
    assert any("iou_prediction_head" in name for name in sam.trainable_parameters(iou_head=True))


def test_upscaling_equals_segment_anythings_postprocessing() -> None:
    sam = tiny_sam()
    low = torch.randn(2, 3, 64, 64)
    big = torch.nn.functional.interpolate(low, (256, 256), mode="bilinear", align_corners=False)
    expected = torch.nn.functional.interpolate(big[..., :192, :256], (96, 128), mode="bilinear", align_corners=False)
    embedding = Embedding(torch.zeros(256, 16, 16), (96, 128), sam.input_size((96, 128)))
    assert torch.equal(sam.upscale(low, embedding), expected)


def test_the_shipped_model_sees_a_square() -> None:
    from saom_bench.sam.registry import load_model

    sam = load_model("sam:mobile-sam")
    rgb = np.full((240, 320, 3), 200, np.uint8)
    rgb[60:180, 100:220] = (180, 30, 40)
    with torch.no_grad():
        embedding = sam.encode(rgb)
        decoded = sam.decode(embedding, torch.tensor([[160.0, 120.0]]))
        masks = sam.upscale(decoded.low_res_logits, embedding)[0] > 0
    best = masks[decoded.predicted_iou[0].argmax()].numpy()
    truth = np.zeros((240, 320), bool)
    truth[60:180, 100:220] = True
    assert (best & truth).sum() / (best | truth).sum() > 0.95
