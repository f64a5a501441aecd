"""Side-by-side pictures: the image with its ground truth, then each model's masks, an object in one colour throughout.

Made from the per-image records of finished rows, so no model runs again. The choice of images is by rule, not by taste:
images are ordered by the gain of the last model over the first, and picked evenly from the best to the worst.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from saom_bench.errors import SaomBenchError
from saom_bench.masks import decode_rle
from saom_bench.pictures import captioned, color_of, overlay, save, sheet, shrink
from saom_bench.shards.dataset import ShardDataset
from saom_bench.types import BoolMask, RgbImage, Sample
from saom_benchmarks.metrics import frame_miou
from saom_benchmarks.records import RECORD_SUFFIX
from saom_benchmarks.results import Result
from saom_benchmarks.scores import FrameScore

_TILE_PX = 640


def read_frames(out: Path, result: Result) -> dict[str, FrameScore]:
    """The per-image records of a finished row, by key. Raises SaomBenchError when they are missing or damaged."""
    path = out / "frames" / (result.stem + RECORD_SUFFIX)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()[1:]
        return {frame.key: frame for frame in map(FrameScore.model_validate_json, lines)}
    except (OSError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise SaomBenchError(f"the image records {path} cannot be read ({reason}); run eval again") from error


def choose(first: Mapping[str, FrameScore], last: Mapping[str, FrameScore], count: int) -> list[str]:
    """``count`` keys from the largest gain in mIoU of ``last`` over ``first`` to the smallest, evenly by rank.

    With one model (``first`` is ``last``) images are ordered by its mIoU instead. Images without objects are left out.
    """
    gains = {}
    for key in first.keys() & last.keys():
        before, after = frame_miou(first[key]), frame_miou(last[key])
        if before is not None and after is not None:
            gains[key] = after if first is last else after - before
    ordered = sorted(gains, key=lambda key: (-gains[key], key))
    if count >= len(ordered):
        return ordered
    if count == 1:
        return ordered[:1]
    return [ordered[round(i * (len(ordered) - 1) / (count - 1))] for i in range(count)]


def comparison(sample: Sample, columns: Sequence[tuple[str, FrameScore]]) -> RgbImage:
    """One picture: ground truth, then a panel for each (model name, record) with the mIoU of this image."""
    colors = {item.label: color_of(i) for i, item in enumerate(sample.instances)}
    names = [item.object_type for item in sample.instances]
    truth = overlay(
        sample.rgb,
        [sample.labels == item.label for item in sample.instances],
        names,
        [colors[item.label] for item in sample.instances],
    )
    panels = [captioned(shrink(truth, _TILE_PX), f"ground truth, {sample.key}")]
    for name, frame in columns:
        found = [item for item in frame.objects if item.counts is not None]
        drawn = overlay(sample.rgb, [_mask(frame, i.counts) for i in found], colors=[colors[i.label] for i in found])
        miou = frame_miou(frame)
        caption = f"{name}: mIoU {miou:.0f}" if miou is not None else name
        panels.append(captioned(shrink(drawn, _TILE_PX), caption))
    return sheet(panels, columns=len(panels))


def write_comparisons(
    folder: Path, dataset: ShardDataset, out: Path, results: Sequence[Result], count: int
) -> list[Path]:
    """For each task of ``results``, pictures of ``count`` images with every complete model; returns their paths."""
    index = {key: i for i, key in enumerate(dataset.keys)}
    groups: dict[str, list[Result]] = {}
    for result in results:
        if result.status == "complete" and result.model.kind != "control":
            groups.setdefault(result.comparable, []).append(result)
    paths = []
    for group in groups.values():
        records = [(result.model.name, read_frames(out, result)) for result in group]
        for place, key in enumerate(choose(records[0][1], records[-1][1], count), 1):
            columns = [(name, frames[key]) for name, frames in records]
            path = folder / f"{group[0].task.protocol}-{place}-{key.replace('/', '-')}.png"
            save(path, comparison(dataset[index[key]], columns))
            paths.append(path)
    return paths


def _mask(frame: FrameScore, counts: str | None) -> BoolMask:
    return decode_rle({"size": list(frame.size_hw), "counts": counts or ""})
