"""What a step trains on: the assigned prompts of each image, of which every epoch draws anew.

Nothing here keeps a random state: order, subsets and moved points are functions of (seed, epoch, image), so a run that
resumes sees exactly what an uninterrupted one would.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from saom_bench.prompts import assign, grid_points, off_mask
from saom_bench.sam.model import Embedding
from saom_bench.shards.dataset import ShardDataset
from saom_bench.train.cache import EmbeddingCache
from saom_bench.train.ranks import ALONE, Ranks
from saom_bench.train.recipe import Recipe
from saom_bench.types import FloatArray, LabelMap, Sample

Pixel = TypeVar("Pixel", bound=np.generic)


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
    weight: FloatArray
    """(N,) how much each prompt counts in the loss; 1 on average."""
    ignored: NDArray[np.uint16]
    """Labels whose pixels count for no prompt."""

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, chosen: NDArray[np.intp]) -> "ImagePrompts":
        """Some of the prompts, in the given order."""
        return replace(
            self,
            points_xy=self.points_xy[chosen],
            labels=self.labels[chosen],
            class_index=self.class_index[chosen],
            weight=self.weight[chosen],
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

    def add(self, other: "Tally") -> None:
        """Take another one's counts in."""
        for name in ("images", "empty_images", "prompts", "no_cell", "off_mask", "dropped"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for index, count in other.per_class.items():
            self.per_class[index] = self.per_class.get(index, 0) + count


def prepare(
    dataset: ShardDataset,
    cache: EmbeddingCache,
    recipe: Recipe,
    advance: Callable[[], None] = lambda: None,
    ranks: Ranks = ALONE,
) -> tuple[list[list[ImagePrompts]], Tally]:
    """Encode (or find) every image and assign its prompts: one list of variants (plain, mirrored) per image.

    Images without any usable prompt are left out. ``advance`` is called once an image of this process's share; all
    processes get all prompts.
    """
    mine = Tally()
    shared = ranks.merge(
        [_variants(dataset, i, cache, recipe, mine, advance) for i in ranks.share(range(len(dataset)))]
    )
    tally = Tally()
    for part in ranks.gather(mine):
        tally.add(part)
    prepared = [variants for variants in shared if all(len(variant) for variant in variants)]
    return _balanced(prepared, tally, recipe), tally


def _variants(
    dataset: ShardDataset,
    index: int,
    cache: EmbeddingCache,
    recipe: Recipe,
    tally: Tally,
    advance: Callable[[], None],
) -> list[ImagePrompts]:
    sample = dataset[index]
    variants = [image_prompts(sample, index, cache.get(sample.rgb), recipe, mirrored=False, tally=tally)]
    if recipe.flip:
        variants.append(image_prompts(sample, index, cache.get(mirror(sample.rgb)), recipe, mirrored=True))
    tally.images += 1
    tally.empty_images += not all(len(variant) for variant in variants)
    advance()
    return variants


def _balanced(prepared: list[list[ImagePrompts]], tally: Tally, recipe: Recipe) -> list[list[ImagePrompts]]:
    """The same prompts, weighed by the rarity of their classes as the recipe says; 1 on average over all of them."""
    if recipe.class_balance == "none":
        return prepared
    power = 0.5 if recipe.class_balance == "sqrt" else 1.0
    raw = {index: count**-power for index, count in tally.per_class.items()}
    mean = sum(raw[index] * count for index, count in tally.per_class.items()) / tally.prompts
    weights = {index: value / mean for index, value in raw.items()}

    def weighed(image: ImagePrompts) -> ImagePrompts:
        # A mirrored picture may keep an object whose class the plain one lost; it then counts as the average does.
        values = [weights.get(int(index), 1.0) for index in image.class_index]
        return replace(image, weight=np.array(values, np.float32))

    return [[weighed(image) for image in variants] for variants in prepared]


def image_prompts(
    sample: Sample, index: int, embedding: Embedding, recipe: Recipe, mirrored: bool = False, tally: Tally | None = None
) -> ImagePrompts:
    """The nearest neighbour assignment for one image under a recipe; what the recipe drops is left out."""
    tally = tally if tally is not None else Tally()
    labels = mirror(sample.labels) if mirrored else sample.labels
    ignored = {i.label for i in sample.instances if i.object_type in recipe.ignore_classes}
    instances = [i for i in sample.instances if i.area_px >= recipe.min_area_px and i.label not in ignored]
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
    return ImagePrompts(
        index=index,
        key=sample.key,
        mirrored=mirrored,
        points_xy=prompts.points_xy,
        labels=prompts.labels,
        class_index=class_index,
        weight=np.ones(len(instances), np.float32),
        ignored=np.array(sorted(ignored), np.uint16),
    ).subset(chosen)


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


def prompts_drawn(variants: Sequence[ImagePrompts], recipe: Recipe, epoch: int, position: int) -> int:
    """How many prompts an image has in an epoch, without looking at its pixels."""
    return len(draw(variants, recipe, epoch, position)) * recipe.points_per_mask


def draw_points(image: ImagePrompts, labels: LabelMap, recipe: Recipe, epoch: int, position: int) -> ImagePrompts:
    """The points of this epoch: ``points_per_mask`` of each object, and a random share of them moved.

    The first point of an object is the assigned one, unless ``random_point_rate`` moves it; all others are random grid
    points of its mask. A mask that no grid point hits keeps its one point, as often as asked for.
    """
    if not recipe.random_point_rate and recipe.points_per_mask == 1:
        return image
    count, more = len(image), recipe.points_per_mask
    image = image.subset(np.repeat(np.arange(count), more))
    rng = np.random.default_rng([recipe.seed, epoch, 1 + position, 1])
    grid_xy = grid_points(*recipe.grid, (labels.shape[0], labels.shape[1]))
    columns, rows = np.floor(grid_xy).astype(np.intp).T
    under = labels[rows, columns]
    points_xy = image.points_xy.copy()
    first = np.arange(len(image)) % more == 0
    moved = rng.random(len(image)) < np.where(first, recipe.random_point_rate, 1.0)
    for i in np.flatnonzero(moved):
        inside = np.flatnonzero(under == image.labels[i])
        if inside.size:
            points_xy[i] = grid_xy[rng.choice(inside)]
    return replace(image, points_xy=points_xy)


def mirror(pixels: NDArray[Pixel]) -> NDArray[Pixel]:
    """An image or label map mirrored left to right."""
    return np.ascontiguousarray(pixels[:, ::-1])


def chunks(count: int, size: int) -> Iterator[slice]:
    """Slices of at most ``size`` that cover ``count``."""
    return (slice(start, min(start + size, count)) for start in range(0, count, size))
