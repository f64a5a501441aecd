"""The losses of SAOM: dice and focal on the chosen mask, the class head's cross-entropy, optionally the IoU head's.

Every function returns one value per prompt, so that the caller decides how prompts, chunks and images add up. Targets
may be soft (coverage between 0 and 1): at low resolution a thin object is then dim instead of gone. ``valid`` says how
much each pixel counts, from 0 to 1; without it all count.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

FOCAL_ALPHA, FOCAL_GAMMA = 0.25, 2.0


def dice_loss(logits: Tensor, targets: Tensor, valid: Tensor | None = None) -> Tensor:
    """1 - (2 sum(pg) + 1) / (sum(p) + sum(g) + 1) over the last two axes: (..., H, W) logits and targets -> (...)."""
    probability = logits.sigmoid()
    if valid is not None:
        probability, targets = probability * valid, targets * valid
    overlap = (probability * targets).sum(dim=(-2, -1))
    total = probability.sum(dim=(-2, -1)) + targets.sum(dim=(-2, -1))
    return 1 - (2 * overlap + 1) / (total + 1)


def focal_loss(logits: Tensor, targets: Tensor, valid: Tensor | None = None) -> Tensor:
    """Focal loss, alpha 0.25 and gamma 2, mean over the last two axes: (..., H, W) logits and targets -> (...)."""
    probability = logits.sigmoid()
    cross_entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    miss = probability * (1 - targets) + (1 - probability) * targets
    alpha = FOCAL_ALPHA * targets + (1 - FOCAL_ALPHA) * (1 - targets)
    loss = alpha * miss**FOCAL_GAMMA * cross_entropy
    if valid is None:
        return loss.mean(dim=(-2, -1))
    return (loss * valid).sum(dim=(-2, -1)) / valid.sum(dim=(-2, -1)).clamp(min=1)


def iou_loss(predicted_iou: Tensor, logits: Tensor, targets: Tensor, valid: Tensor | None = None) -> Tensor:
    """Squared error of the predicted IoU of all K masks: (N, K), (N, K, H, W), (N, 1, H, W) -> (N,), mean over K."""
    with torch.no_grad():
        counted = torch.ones_like(targets, dtype=torch.bool) if valid is None else valid > 0.5
        true_iou = mask_iou((logits > 0) & counted, (targets > 0.5) & counted)
    return (predicted_iou - true_iou).square().mean(dim=-1)


def mask_iou(predicted: Tensor, truth: Tensor) -> Tensor:
    """IoU of boolean masks over the last two axes; 0 where both are empty."""
    overlap = (predicted & truth).sum(dim=(-2, -1))
    union = (predicted | truth).sum(dim=(-2, -1))
    return overlap / union.clamp(min=1)


def best_by_loss(
    logits: Tensor, targets: Tensor, dice_weight: float, focal_weight: float, valid: Tensor | None = None
) -> Tensor:
    """(N,) which of K masks has the least weighted dice and focal loss: (N, K, H, W) logits, (N, 1, H, W) targets."""
    with torch.no_grad():
        targets = targets.expand_as(logits)
        dice, focal = dice_loss(logits, targets, valid), focal_loss(logits, targets, valid)
        return (dice_weight * dice + focal_weight * focal).argmin(dim=1)


def take(per_mask: Tensor, choice: Tensor) -> Tensor:
    """(N, ...) the chosen one of K along axis 1 of (N, K, ...); a gather, so memory stays N x K."""
    index = choice.view(-1, 1, *(1 for _ in per_mask.shape[2:])).expand(-1, 1, *per_mask.shape[2:])
    return per_mask.gather(1, index).squeeze(1)
