"""Time our training against a plain loop that does what the authors' does, image by image in turns, in one run.

    python benchmarks/perf/train.py [--model mobile-sam|sam-vit-b|...] [--data data/sample] [--images 4] [--prompts 12]
                                    [--rounds 3] [--device cpu] [--precision float32] [--json OUT]

The plain loop encodes its image every step, runs segment-anything's own decoder on all its prompts, brings all three
masks to the image's size, and takes one image a step. Ours is the product's: embedding cache, reordered decoder; with
nothing read ahead, so that all of it counts. Each has a process of its own, for its memory to be counted apart, on the
same weights, images, prompts, losses and optimizer; while one works the others wait. A sam-vit model whose weights are
not here gets random ones of its shape, which cost the same.
"""

import os

from saom_bench.sam import runtime

_NO_MALLOC = "SAOM_PERF_NO_MALLOC"  # set for the plain loop's process, which imports this file anew
if _NO_MALLOC in os.environ:
    runtime.prepare = lambda: None
runtime.prepare()

import argparse  # noqa: E402
import json  # noqa: E402
import multiprocessing  # noqa: E402
import resource  # noqa: E402
import tempfile  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from multiprocessing.connection import Connection  # noqa: E402
from pathlib import Path  # noqa: E402
from time import perf_counter, process_time  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
from rich.table import Table  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from torch import Tensor  # noqa: E402
from torch.nn import functional  # noqa: E402

from saom_bench.console import console, progress  # noqa: E402
from saom_bench.sam.download import cached  # noqa: E402
from saom_bench.sam.registry import load_model  # noqa: E402
from saom_bench.sam.specs import model_spec  # noqa: E402
from saom_bench.sam.zoo import new_decoder, new_encoder  # noqa: E402
from saom_bench.shards.dataset import open_dataset  # noqa: E402
from saom_bench.train.batches import ImagePrompts, draw, image_prompts  # noqa: E402
from saom_bench.train.cache import EmbeddingCache  # noqa: E402
from saom_bench.train.loading import Loader, StepImage  # noqa: E402
from saom_bench.train.loop import trainable  # noqa: E402
from saom_bench.train.losses import dice_loss, focal_loss, take  # noqa: E402
from saom_bench.train.recipe import load_recipe  # noqa: E402
from saom_bench.train.step import autocast, move, step_losses  # noqa: E402

PLAIN, PLAIN_MALLOC, OURS, OURS_CPU = "plain loop", "plain loop, our malloc", "ours, saomv1", "ours, saomv1-cpu"
CONTENDERS = (PLAIN, PLAIN_MALLOC, OURS, OURS_CPU)
LEARNING_RATE = 1e-5
FIRST, AGAIN, FLOOR, MEMORY = "first", "again", "floor", "memory"


@dataclass(frozen=True)
class Setting:
    """What all contenders share."""

    model: str
    data: Path
    images: int
    prompts: int
    device: str
    precision: str
    weights: Path | None = None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default="mobile-sam")
    parser.add_argument("--data", type=Path, default=Path("data/sample"))
    parser.add_argument("--images", type=int, default=4, help="images of an epoch")
    parser.add_argument("--prompts", type=int, default=12, help="at most, of an image")
    parser.add_argument("--rounds", type=int, default=3, help="epochs; the first is the cold one")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--skip", action="append", choices=CONTENDERS, default=[], help="a contender; repeatable")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    given = parser.parse_args()
    names = [name for name in CONTENDERS if name not in given.skip]
    with tempfile.TemporaryDirectory() as name, _weights(given.model, Path(name)) as weights:
        setting = Setting(given.model, given.data, given.images, given.prompts, given.device, given.precision, weights)
        figures = _race(names, setting, given.rounds, Path(name))
    console.print(_title(setting))
    console.print(_table(figures))
    if PLAIN in figures and OURS in figures:
        pairs = zip(figures[PLAIN]["losses"], figures[OURS]["losses"], strict=True)
        console.print(f"losses: {OURS} differs from the {PLAIN} by {max(abs(a / b - 1) for a, b in pairs):.0e} at most")
    if given.json:
        values = {key: str(value) for key, value in vars(setting).items()}
        given.json.write_text(json.dumps({"setting": values, "figures": figures}, indent=1) + "\n")


def _race(names: list[str], setting: Setting, rounds: int, folder: Path) -> dict[str, dict[str, Any]]:
    """Every contender over every image, in turns: seconds by kind of work, losses, and peak memory."""
    pipes = {name: _start(name, setting, folder / f"cache{i}") for i, name in enumerate(names)}
    figures: dict[str, dict[str, Any]] = {name: {"losses": [], "wall_s": {}, "cpu_s": {}} for name in names}
    turns = [(kind, i) for kind in (FIRST, *[AGAIN] * (rounds - 1), FLOOR) for i in range(setting.images)]
    with progress() as bar:
        task = bar.add_task("turns", total=len(turns) * len(names), unit="turns", note="")
        for turn in turns:
            for name, pipe in pipes.items():
                bar.update(task, note=f"{name}, {turn[0]}")
                pipe.send(turn)
                wall, cpu, loss = pipe.recv()
                bar.advance(task)
                figures[name]["losses"] += [] if loss is None else [loss]
                figures[name]["wall_s"].setdefault(turn[0], []).append(wall)
                figures[name]["cpu_s"].setdefault(turn[0], []).append(cpu)
    for name, pipe in pipes.items():
        pipe.send((MEMORY, 0))
        figures[name]["peak_mib"] = pipe.recv()
    return figures


def _start(name: str, setting: Setting, cache: Path) -> Any:
    """The parent's end of a pipe to a contender's process, which is ready."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    if name == PLAIN:
        os.environ[_NO_MALLOC] = "1"
    context.Process(target=_serve, args=(name, setting, cache, theirs), daemon=True).start()
    os.environ.pop(_NO_MALLOC, None)
    mine.recv()
    return mine


def _serve(name: str, setting: Setting, cache: Path, pipe: Connection) -> None:
    """A contender's process: takes (kind, image), answers (wall seconds, CPU seconds of all threads, loss)."""
    contender = (Plain if name in (PLAIN, PLAIN_MALLOC) else Ours)(name, setting, cache)
    pipe.send("ready")
    while True:
        kind, image = pipe.recv()
        if kind == MEMORY:
            pipe.send(contender.peak_mib())
            return
        wall, cpu = perf_counter(), process_time()
        loss = contender.turn(kind, image)
        pipe.send((perf_counter() - wall, process_time() - cpu, loss))


class Contender:
    """What both ways to train have: the model, its optimizer, the data. Image i is the data's, over and over."""

    def __init__(self, name: str, setting: Setting, cache: Path) -> None:
        changes = [f"max_prompts_per_image={setting.prompts}", f"precision={setting.precision}"]
        changes += ["prefetch_images=0", "random_point_rate=0.0"]
        self.recipe = load_recipe("saomv1-cpu" if name == OURS_CPU else "saomv1", changes)
        self.data = open_dataset(setting.data)
        self.sam = load_model(setting.model, setting.device, setting.weights)
        self.sam.attach_class_head(self.data.label_set.classes, self.recipe.seed)
        self.cache = EmbeddingCache(cache, self.sam)
        self.optimizer = torch.optim.AdamW(
            trainable(self.sam, self.recipe).values(),
            lr=LEARNING_RATE,
            eps=self.recipe.adam_eps,
            fused=isinstance(self, Ours) and self.sam.device.type == "cpu",
        )

    def move(self) -> None:
        """The optimizer's step."""
        move(self.optimizer, LEARNING_RATE, self.recipe.grad_clip_norm)

    def prompts(self, image: int) -> list[ImagePrompts]:
        """Encode (or find) an image and assign its prompts."""
        sample = self.data[image]
        return [image_prompts(sample, image, self.cache.get(sample.rgb), self.recipe)]

    def peak_mib(self) -> float:
        """Most memory so far, of the GPU or else of the process."""
        if self.sam.device.type == "cuda":
            return torch.cuda.max_memory_allocated() / 2**20
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


class Plain(Contender):
    """Encode, decode with segment-anything's modules, all three masks to the image's size, one step."""

    def __init__(self, name: str, setting: Setting, cache: Path) -> None:
        super().__init__(name, setting, cache)
        self.variants = [self.prompts(image) for image in range(setting.images)]  # its prompts cost it nothing

    def turn(self, kind: str, image: int) -> float | None:
        """One step on an image; it has no use for the floor."""
        if kind == FLOOR:
            return None
        sam, sample = self.sam, self.data[image]
        prompts = draw(self.variants[image], self.recipe, 0, image)
        truth = torch.from_numpy(np.float32(sample.labels[None] == prompts.labels[:, None, None])).to(sam.device)
        embedding = sam.encode(sample.rgb)
        points = torch.from_numpy(prompts.points_xy).to(sam.device) * (sam.image_size / max(sample.size_hw))
        low, iou, scores = self._decode(embedding.features, points)
        chosen = take(sam.upscale(low.float(), embedding), iou.argmax(dim=1))
        classes = torch.from_numpy(prompts.class_index).to(sam.device)
        loss = dice_loss(chosen, truth).sum() + focal_loss(chosen, truth).sum()
        loss = loss + functional.cross_entropy(scores.float(), classes)
        loss.backward()  # type: ignore[no-untyped-call]
        self.move()
        return float(loss.detach())

    def _decode(self, features: Tensor, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        sam, tokens = self.sam, []
        hook = sam.mask_decoder.transformer.register_forward_hook(lambda _m, _i, out: tokens.append(out[0][:, 0]))
        with autocast(sam, self.recipe):
            labels = torch.ones(len(points), 1, device=sam.device)
            sparse, dense = sam.prompt_encoder((points[:, None], labels), None, None)
            position = sam.prompt_encoder.get_dense_pe()
            low, iou = sam.mask_decoder(features[None], position, sparse, dense, multimask_output=True)
            hook.remove()
            return low, iou, sam.classify(tokens[0])


class Ours(Contender):
    """The product's cache, loader and step; the first time an image is encoded, kept and assigned."""

    def __init__(self, name: str, setting: Setting, cache: Path) -> None:
        super().__init__(name, setting, cache)
        self.variants: list[list[ImagePrompts]] = []
        self.held: dict[int, StepImage] = {}

    def turn(self, kind: str, image: int) -> float | None:
        """One step on an image, or for the floor one with hardly anything but the decoder in it."""
        if kind == FLOOR:
            return self._floor(self.held[image])
        if kind == FIRST:
            self.variants.append(self.prompts(image))
        self.held[image] = Loader(self.data, self.variants, self.cache, self.recipe).load(image, 0)
        total = step_losses(self.sam, [self.held[image]], self.recipe)["total"]
        self.move()
        return total

    def _floor(self, ready: StepImage) -> None:
        """The decoder forward and backward, and the optimizer; all in memory, no masks to compare with."""
        if ready.embedding is None:
            raise ValueError("the floor is for a frozen encoder")
        points = torch.from_numpy(ready.prompts.points_xy).to(self.sam.device)
        for part in points.split(self.recipe.prompts_per_chunk):
            with autocast(self.sam, self.recipe):
                (decoded,) = self.sam.decode_together([ready.embedding], [part])
                scores = self.sam.classify(decoded.iou_token)
            loss = decoded.low_res_logits.sum() + decoded.predicted_iou.sum() + scores.sum()
            loss.backward()  # type: ignore[no-untyped-call]
        self.move()


@contextmanager
def _weights(model: str, folder: Path) -> Iterator[Path | None]:
    """A file of random weights for a sam-vit model whose real ones are not here; else none."""
    spec = model_spec(model)
    if spec.vit is None or spec.download is None or cached(spec.download) is not None:
        yield None
        return
    console.print(f"the weights of {model} are not here: random ones of its shape")
    prompt_encoder, mask_decoder = new_decoder()
    parts = {"image_encoder": new_encoder(spec.vit), "prompt_encoder": prompt_encoder, "mask_decoder": mask_decoder}
    tensors = {f"{part}.{key}": value for part, module in parts.items() for key, value in module.state_dict().items()}
    save_file(tensors, folder / "random.safetensors")
    yield folder / "random.safetensors"


def _title(setting: Setting) -> str:
    where = torch.cuda.get_device_name() if setting.device.startswith("cuda") else f"{torch.get_num_threads()} threads"
    return (
        f"{setting.model}, {setting.data}: {setting.images} images, at most {setting.prompts} prompts each; "
        f"{setting.precision}, torch {torch.__version__}, {where}"
    )


def _table(figures: dict[str, dict[str, Any]]) -> Table:
    """A row a contender and kind of epoch; how many times faster than the plain loop, by wall clock and by CPU time."""
    table = Table("", "epoch", "images/s", "ms", "CPU ms", "faster", "by CPU", "peak MiB", box=None)
    plain = figures.get(PLAIN) or figures[next(iter(figures))]
    base = {key: _per_image(plain[key], (FIRST, AGAIN)) for key in ("wall_s", "cpu_s")}
    for name, found in figures.items():
        ours = name not in (PLAIN, PLAIN_MALLOC)
        rows = {"cold": (FIRST,), "warm": (AGAIN,), "floor": (FLOOR,)} if ours else {"any": (FIRST, AGAIN)}
        for row, kinds in rows.items():
            wall, cpu = (_per_image(found[key], kinds) for key in ("wall_s", "cpu_s"))
            times = f"{base['wall_s'] / wall:.1f}", f"{base['cpu_s'] / cpu:.1f}"
            peak = f"{found['peak_mib']:,.0f}"
            table.add_row(name, row, f"{1 / wall:.2f}", f"{wall * 1e3:,.0f}", f"{cpu * 1e3:,.0f}", *times, peak)
    return table


def _per_image(seconds: dict[str, list[float]], kinds: tuple[str, ...]) -> float:
    values = [value for kind in kinds for value in seconds.get(kind, [])]
    return sum(values) / len(values)


if __name__ == "__main__":
    main()
