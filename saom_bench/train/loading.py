"""Getting a step's images ready: drawn prompts, labels and features, read ahead in a thread while a step runs."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from saom_bench.sam.model import Embedding
from saom_bench.shards.dataset import ShardDataset
from saom_bench.train.batches import ImagePrompts, draw, draw_points, mirror
from saom_bench.train.cache import EmbeddingCache
from saom_bench.train.recipe import Recipe
from saom_bench.types import LabelMap, RgbImage


@dataclass(frozen=True)
class StepImage:
    """All that a step needs of one image."""

    prompts: ImagePrompts
    labels: LabelMap
    embedding: Embedding | None
    """None where the encoder trains: the step then embeds ``rgb``."""
    rgb: RgbImage | None = None


class Loader:
    """Reads the images of steps, in order."""

    def __init__(
        self,
        dataset: ShardDataset,
        images: Sequence[Sequence[ImagePrompts]],
        cache: EmbeddingCache,
        recipe: Recipe,
    ) -> None:
        self._dataset, self._images, self._cache, self._recipe = dataset, images, cache, recipe

    def load(self, position: int, epoch: int) -> StepImage:
        """One image for an epoch; ``position`` is its place among the usable images."""
        return self._read(draw(self._images[position], self._recipe, epoch, position), position, epoch)

    def load_whole(self, position: int) -> StepImage:
        """One image with all its prompts, as they would be drawn in an epoch after the last."""
        return self._read(self._images[position][0], position, self._recipe.epochs)

    def _read(self, drawn: ImagePrompts, position: int, epoch: int) -> StepImage:
        recipe = self._recipe
        sample = self._dataset[drawn.index]
        rgb, labels = (mirror(sample.rgb), mirror(sample.labels)) if drawn.mirrored else (sample.rgb, sample.labels)
        prompts = draw_points(drawn, labels, recipe, epoch, position)
        if recipe.trains_encoder:
            return StepImage(prompts, labels, None, rgb)
        return StepImage(prompts, labels, self._cache.get(rgb))

    def steps(self, positions: Iterable[Sequence[int]], epoch: int) -> Iterator[list[StepImage]]:
        """The images of each step, by their positions; the next ones are read while the caller works."""
        ahead = self._recipe.prefetch_images
        if not ahead:
            for step in positions:
                yield [self.load(position, epoch) for position in step]
            return
        wanted = [list(step) for step in positions]
        queue = deque(position for step in wanted for position in step)
        # One thread: HDF5 serves one at a time anyway, and one alone stays ahead of any decoder.
        with ThreadPoolExecutor(1, "loader") as pool:
            loading: deque[Future[StepImage]] = deque()
            try:
                for step in wanted:
                    while queue and len(loading) < len(step) + ahead:
                        loading.append(pool.submit(self.load, queue.popleft(), epoch))
                    yield [loading.popleft().result() for _ in step]
            finally:
                for waiting in loading:
                    waiting.cancel()
