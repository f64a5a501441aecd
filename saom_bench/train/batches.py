"""What a step trains on: the assigned prompts of each image, drawn anew each epoch, and their target masks.

Nothing here keeps a random state: order, subsets and moved points are functions of (seed, epoch, image), so a run that
resumes sees exactly what an uninterrupted one would.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from saom_bench.prompts import assign, grid_points, off_mask
from saom_bench.sam.model import Embedding
from saom_bench.shards.dataset import ShardDataset
from saom_bench.train.cache import EmbeddingCache
from saom_bench.train.recipe import Recipe
from saom_bench.types import FloatArray, LabelMap, Sample, Size

Pixel = TypeVar("Pixel", bound=np.generic)
LOGIT_STRIDE_PX = 4
"""SAM's low-resolution logits are a quarter of the encoder's 1024 pixels."""


@dataclass(frozen=True)
class ImagePrompts:
    """The prompts of one image (or of its mirror image), without its pixels."""

    index: int
    """Position in the dataset."""
    key: str
    mirrored: bool
    points_xy: FloatArray
    """(N, 2) pixels of the image."""
    labels: NDArray[np.uint16]
    """(N,) the instance each point stands for."""
    class_index: NDArray[np.int64]
    """(N,)."""

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, chosen: NDArray[np.intp]) -> "ImagePrompts":
        """Some of the prompts, in the given order."""
        return replace(
            self,
            points_xy=self.points_xy[chosen],
            labels=self.labels[chosen],
            class_index=self.class_index[chosen],
        )


@dataclass
class Tally:
    """What the assignment met, for the user's eyes."""

    images: int = 0
    empty_images: int = 0
    prompts: int = 0
    no_cell: int = 0
    off_mask: int = 0
    dropped: int = 0
    per_class: dict[int, int] = field(default_factory=dict)


def prepare(
    dataset: ShardDataset, cache: EmbeddingCache, recipe: Recipe, advance: Callable[[], None] = lambda: None
) -> tuple[list[list[ImagePrompts]], Tally]:
    """Encode (or find) every image and assign its prompts: one list of variants (plain, mirrored) per image.

    Images without any usable prompt are left out. ``advance`` is called once an image.
    """
    tally = Tally()
    prepared = []
    for index in range(len(dataset)):
        sample = dataset[index]
        plain = image_prompts(sample, index, cache.get(sample.rgb), recipe, mirrored=False, tally=tally)
        variants = [plain]
        if recipe.flip:
            embedding = cache.get(mirror(sample.rgb))
            variants.append(image_prompts(sample, index, embedding, recipe, mirrored=True))
        tally.images += 1
        if all(len(variant) for variant in variants):
            prepared.append(variants)
        else:
            tally.empty_images += 1
        advance()
    return prepared, tally


def image_prompts(
    sample: Sample, index: int, embedding: Embedding, recipe: Recipe, mirrored: bool = False, tally: Tally | None = None
) -> ImagePrompts:
    """The nearest neighbour assignment for one image under a recipe; what the recipe drops is left out."""
    tally = tally if tally is not None else Tally()
    labels = mirror(sample.labels) if mirrored else sample.labels
    instances = [i for i in sample.instances if i.area_px >= recipe.min_area_px]
    prompts = assign(
        embedding.features.float().cpu().numpy(),
        embedding.input_hw,
        labels,
        [i.label for i in instances],
        grid=recipe.grid,
        prior=recipe.prior,
        grid_frame=recipe.grid_frame,
        snap=recipe.snap,
    )
    missed = off_mask(labels, prompts)
    keep = np.ones(len(instances), np.bool_)
    if recipe.small_masks == "drop":
        keep &= ~prompts.no_cell
    if recipe.off_mask_prompts == "drop":
        keep &= ~missed
    chosen = np.flatnonzero(keep)
    class_index = np.array([i.class_index for i in instances], np.int64)
    tally.no_cell += int(prompts.no_cell.sum())
    tally.off_mask += int(missed.sum())
    tally.dropped += len(sample.instances) - len(chosen)
    tally.prompts += len(chosen)
    for name in class_index[chosen].tolist():
        tally.per_class[name] = tally.per_class.get(name, 0) + 1
    return ImagePrompts(index, sample.key, mirrored, prompts.points_xy, prompts.labels, class_index).subset(chosen)


def epoch_order(count: int, seed: int, epoch: int) -> list[int]:
    """The order of ``count`` images in an epoch."""
    return [int(i) for i in np.random.default_rng([seed, epoch]).permutation(count)]


def draw(variants: Sequence[ImagePrompts], recipe: Recipe, epoch: int, position: int) -> ImagePrompts:
    """This epoch's variant of an image and its subset of prompts; ``position`` is the image's place in the data."""
    rng = np.random.default_rng([recipe.seed, epoch, 1 + position])
    image = variants[int(rng.integers(len(variants)))]
    limit = recipe.max_prompts_per_image
    if limit and limit < len(image):
        image = image.subset(np.sort(rng.choice(len(image), limit, replace=False)))
    return image


def move_points(image: ImagePrompts, labels: LabelMap, recipe: Recipe, epoch: int, position: int) -> ImagePrompts:
    """Move a random share of the points to random grid points of their own masks, as ``random_point_rate`` says."""
    if not recipe.random_point_rate:
        return image
    rng = np.random.default_rng([recipe.seed, epoch, 1 + position, 1])
    grid_xy = grid_points(*recipe.grid, (labels.shape[0], labels.shape[1]))
    columns, rows = np.floor(grid_xy).astype(np.intp).T
    under = labels[rows, columns]
    points_xy = image.points_xy.copy()
    for i in np.flatnonzero(rng.random(len(image)) < recipe.random_point_rate):
        inside = np.flatnonzero(under == image.labels[i])
        if inside.size:
            points_xy[i] = grid_xy[rng.choice(inside)]
    return replace(image, points_xy=points_xy)


def mirror(pixels: NDArray[Pixel]) -> NDArray[Pixel]:
    """An image or label map mirrored left to right."""
    return np.ascontiguousarray(pixels[:, ::-1])


def full_targets(labels: LabelMap, wanted: NDArray[np.uint16]) -> FloatArray:
    """(N, H, W) float32 masks of the wanted labels at the label map's size."""
    return np.asarray(labels[None] == wanted[:, None, None], np.float32)


def low_targets(labels: LabelMap, wanted: NDArray[np.uint16], input_hw: Size) -> FloatArray:
    """(N, h, w) float32 coverage of the wanted labels on SAM's low-resolution logits, without the padding."""
    height, width = low_size(input_hw)
    masks = (np.asarray(labels == label, np.float32) for label in wanted)
    resized = [cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA) for mask in masks]
    return np.asarray(np.stack(resized), np.float32) if resized else np.zeros((0, height, width), np.float32)


def low_size(input_hw: Size) -> Size:
    """The part of SAM's low-resolution logits that shows the image and not the padding."""
    height, width = (max(1, round(side / LOGIT_STRIDE_PX)) for side in input_hw)
    return height, width


def chunks(count: int, size: int) -> Iterator[slice]:
    """Slices of at most ``size`` that cover ``count``."""
    return (slice(start, min(start + size, count)) for start in range(0, count, size))
