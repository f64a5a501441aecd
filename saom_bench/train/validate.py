"""Validation during training: oracle-point scores on a part of the val split, as the published evaluation counts them.

Every object makes its own prompt and gets the one mask of the highest predicted IoU. Per class, IoU is the sum of
intersections over the sum of unions, and accuracy the sum of intersections over the sum of true areas; mIoU and mAcc
are plain means over the classes that occur. The benchmark's own scorer is saom_benchmarks; this one watches a run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from saom_bench.sam.model import Sam
from saom_bench.shards.dataset import ShardDataset
from saom_bench.train.batches import ImagePrompts, chunks, image_prompts
from saom_bench.train.cache import EmbeddingCache
from saom_bench.train.ranks import ALONE, Ranks
from saom_bench.train.recipe import Recipe
from saom_bench.train.step import autocast
from saom_bench.train.targets import full_targets
from saom_bench.types import FloatArray


def val_indices(count: int, wanted: int) -> list[int]:
    """``wanted`` of ``count`` positions, spread evenly; all of them for 0."""
    return list(range(count)) if not 0 < wanted < count else [i * count // wanted for i in range(wanted)]


def prepare_val(
    dataset: ShardDataset,
    cache: EmbeddingCache,
    recipe: Recipe,
    advance: Callable[[], None] = lambda: None,
    ranks: Ranks = ALONE,
) -> list[ImagePrompts]:
    """The prompts of the validation images: every object keeps its prompt, whatever the recipe trains on."""
    kept = replace(recipe, small_masks="keep", off_mask_prompts="keep", min_area_px=0)
    images = []
    for index in ranks.share(val_indices(len(dataset), recipe.val_images)):
        sample = dataset[index]
        images.append(image_prompts(sample, index, cache.get(sample.rgb), kept))
        advance()
    return [image for image in ranks.merge(images) if len(image)]


def validate(
    sam: Sam,
    dataset: ShardDataset,
    images: Sequence[ImagePrompts],
    cache: EmbeddingCache,
    recipe: Recipe,
    advance: Callable[[], None] = lambda: None,
    ranks: Ranks = ALONE,
) -> dict[str, float]:
    """Scores in percent: "miou", "macc", "instance_miou", "best_miou", and with classes "class_accuracy".

    "best_miou" is the mean IoU per object of the best of the three masks, which the truth chooses.
    """
    shares = ranks.gather([_score(sam, dataset, image, cache, recipe, advance) for image in ranks.share(images)])
    parts = [part for share in shares for part in share]
    scores = class_means(np.concatenate([part.class_index for part in parts]), np.concatenate([p.areas for p in parts]))
    scores["best_miou"] = 100 * float(np.concatenate([part.best_iou for part in parts]).mean())
    if sam.class_names is not None:
        scores["class_accuracy"] = 100 * float(np.concatenate([part.hits for part in parts]).mean())
    return scores


@dataclass(frozen=True)
class _Counts:
    """What one image adds to the scores; N prompts."""

    class_index: NDArray[np.int64]
    areas: NDArray[np.int64]
    """(N, 3) pixels of intersection, prediction and truth."""
    best_iou: FloatArray
    hits: NDArray[np.bool_]
    """(N,) whether the class is right; empty without classes."""


def _score(
    sam: Sam,
    dataset: ShardDataset,
    image: ImagePrompts,
    cache: EmbeddingCache,
    recipe: Recipe,
    advance: Callable[[], None],
) -> _Counts:
    sample = dataset[image.index]
    embedding = sam.encode(sample.rgb) if recipe.trains_encoder else cache.get(sample.rgb)
    areas, best_iou, hits = [], [], [np.zeros(0, np.bool_)]
    for part in chunks(len(image), recipe.prompts_per_chunk):
        points_xy = torch.from_numpy(image.points_xy[part]).to(sam.device)
        with torch.no_grad(), autocast(sam, recipe):
            decoded = sam.decode(embedding, points_xy, padding=False)
            judged = sam.judge(decoded, embedding)
            chosen = judged.predicted_iou.argmax(dim=1).cpu().numpy()
            if judged.class_logits is not None:
                hits.append(judged.class_logits.argmax(dim=1).cpu().numpy() == image.class_index[part])
            masks = (sam.upscale(decoded.low_res_logits.float(), embedding) > 0).cpu().numpy()
        truth = full_targets(sample.labels, image.labels[part]) > 0.5
        counted = np.stack([_areas(masks[:, k], truth) for k in range(masks.shape[1])], axis=1)
        areas.append(counted[np.arange(len(chosen)), chosen])
        overlap, predicted, true = counted.transpose(2, 0, 1)
        best_iou.append((overlap / np.maximum(1, predicted + true - overlap)).max(axis=1).astype(np.float32))
    advance()
    return _Counts(image.class_index, np.concatenate(areas), np.concatenate(best_iou), np.concatenate(hits))


def class_means(class_index: NDArray[np.int64], areas_px: NDArray[np.int64]) -> dict[str, float]:
    """Scores in percent of N masks: (N,) classes and (N, 3) areas of intersection, prediction and truth."""
    ious, accuracies = [], []
    for index in np.unique(class_index):
        overlap, predicted, truth = areas_px[class_index == index].sum(axis=0)
        ious.append(overlap / max(1, predicted + truth - overlap))
        accuracies.append(overlap / max(1, truth))
    overlap, predicted, truth = areas_px.T
    instance = overlap / np.maximum(1, predicted + truth - overlap)
    means = {"miou": np.mean(ious), "macc": np.mean(accuracies), "instance_miou": instance.mean()}
    return {name: 100 * float(value) for name, value in means.items()}


def _areas(predicted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> NDArray[np.int64]:
    parts = (predicted & truth, predicted, truth)
    return np.stack([part.sum(axis=(1, 2)) for part in parts], axis=1).astype(np.int64)
