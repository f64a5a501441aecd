"""The losses against values worked out by hand."""

import math

import pytest
import torch

from saom_bench.train.losses import best_by_loss, dice_loss, focal_loss, iou_loss, mask_iou, take

LOGIT_3_4 = math.log(3.0)  # sigmoid = 3/4


def test_dice_by_hand() -> None:
    logits = torch.tensor([[[LOGIT_3_4, LOGIT_3_4], [0.0, 0.0]]], dtype=torch.float64)
    targets = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]], dtype=torch.float64)
    # p = 3/4 3/4 1/2 1/2; overlap 5/4; sums 5/2 and 2.
    assert dice_loss(logits, targets).tolist() == pytest.approx([1 - (2 * 1.25 + 1) / (4.5 + 1)])


def test_focal_by_hand() -> None:
    logits = torch.tensor([[[LOGIT_3_4, LOGIT_3_4]]], dtype=torch.float64)
    targets = torch.tensor([[[1.0, 0.0]]], dtype=torch.float64)
    hit = 0.25 * 0.25**2 * -math.log(0.75)
    miss = 0.75 * 0.75**2 * -math.log(0.25)
    assert focal_loss(logits, targets).tolist() == pytest.approx([(hit + miss) / 2])


def test_iou_loss_by_hand() -> None:
    logits = torch.tensor([[[[1.0, 1.0, -1.0]], [[-1.0, -1.0, 1.0]]]])
    targets = torch.tensor([[[[1.0, 0.0, 0.0]]]])
    assert mask_iou(logits > 0, targets > 0.5).tolist() == [[0.5, 0.0]]
    assert iou_loss(torch.tensor([[0.7, 0.4]]), logits, targets).tolist() == pytest.approx([(0.04 + 0.16) / 2])


def test_the_iou_of_two_empty_masks_is_zero() -> None:
    empty = torch.zeros(1, 4, 4, dtype=torch.bool)
    assert mask_iou(empty, empty).tolist() == [0.0]


def test_the_best_mask_by_loss_is_the_one_like_the_target() -> None:
    targets = torch.tensor([[[[1.0, 0.0]]], [[[0.0, 1.0]]]])
    logits = torch.tensor([[[[-5.0, 5.0]], [[5.0, -5.0]]]]).expand(2, 2, 1, 2)
    choice = best_by_loss(logits, targets, 1.0, 1.0)
    assert choice.tolist() == [1, 0]
    assert take(logits, choice).tolist() == [[[5.0, -5.0]], [[-5.0, 5.0]]]


def test_gradients_reach_the_chosen_mask_only() -> None:
    logits = torch.zeros(2, 3, 2, 2, requires_grad=True)
    dice_loss(take(logits, torch.tensor([2, 0])), torch.ones(2, 2, 2)).sum().backward()
    touched = logits.grad.abs().sum(dim=(2, 3)) > 0
    assert touched.tolist() == [[False, False, True], [True, False, False]]
