"""Time our scoring of everything mode against pycocotools and against a plain loop over files, side by side in one run.

    python benchmarks/perf/score.py [--images 1000] [--data FOLDER] [--proposals 60]

Ground truth is that of a dataset's images, taken again mirrored when they run out, or label maps of ellipses;
proposals are the objects moved, their parts, and their unions, with a class that is mostly right. All get the same
ground truth and the same run lengths, and like is timed against like:

* pycocotools gives AP, AR@10, @100, @1000 and AR by size of all objects, and AP by class. So do we, with what eval
  calls for these alone.
* The plain loop is what evaluation scripts of papers do: masks lie in one file an image, every object is compared with
  every proposal by whole boolean arrays, and pixels are summed by class: mIoU and mAcc. Beside it stands all that eval
  gives but intervals: these two, pycocotools' numbers, and what neither has (boundaries, panoptic quality, parts).

Processor time counts, so that other work on the machine does not. Numbers must be equal, or the script fails.
"""

import argparse
import contextlib
import io
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from rich.table import Table

from saom_bench.console import console
from saom_bench.masks import areas_and_boxes, decode_rle, encode_labels
from saom_bench.shards.dataset import open_dataset
from saom_bench.types import BoolMask, Capture, Instance, LabelMap, Pose, Proposals, Sample
from saom_benchmarks.detections import (
    RANKED,
    Detections,
    class_rankings,
    is_of_size,
    ranked_metric,
    ranking,
    rankings_of,
    recalled,
)
from saom_benchmarks.matching import overlaps
from saom_benchmarks.metrics import METRICS, sum_by_scene
from saom_benchmarks.models import proposals_of
from saom_benchmarks.protocols import score_proposals
from saom_benchmarks.scores import FrameScore

SIZE_HW = (360, 480)
CLASSES = 54
SIZES = ("small", "medium", "large")
LIMITS = (10, 100, 1000)
Numbers = dict[str, float]


@dataclass(frozen=True)
class Case:
    """One image with its proposals, by falling score."""

    sample: Sample
    proposals: Proposals


def cases(count: int, proposals: int, sources: Callable[[int], LabelMap]) -> Iterator[Case]:
    """Images with proposals, of seeds. No two proposals have one score: who comes first of equals is nobody's rule."""
    scores = np.random.default_rng(0).permutation(count * proposals).reshape(count, proposals) / 1e6
    for index in range(count):
        rng = np.random.default_rng(index)
        labels, instances = _numbered(sources(index), rng)
        drawn = [_proposal(rng, labels, instances) for _ in range(proposals)]
        masks, claims = [mask for mask, _ in drawn], np.array([claim for _, claim in drawn])
        blank = np.broadcast_to(np.zeros(3, np.uint8), (*labels.shape, 3))
        scene = f"S{index % 20}"
        sample = Sample(f"{scene}/{index:06d}", scene, Capture(blank, labels, instances, Pose(0, 0, 0, 0, 0), 90.0))
        yield Case(sample, proposals_of(masks, sample.size_hw, -np.sort(-scores[index]).astype(np.float32), claims))


def ellipses(index: int, objects: int) -> LabelMap:
    """A label map of a seed."""
    rng = np.random.default_rng(10**6 + index)
    height, width = SIZE_HW
    drawn: LabelMap = np.zeros(SIZE_HW, np.uint16)
    for number in range(1, objects + 1):
        center = int(rng.integers(width)), int(rng.integers(height))
        axes = int(rng.integers(8, 90)), int(rng.integers(8, 70))
        cv2.ellipse(drawn, center, axes, float(rng.uniform(0, 180)), 0, 360, number, -1)
    return drawn


def from_shards(folder: Path) -> Callable[[int], LabelMap]:
    """The label maps of a dataset's images that have objects; every second time round mirrored."""
    dataset = open_dataset(folder)
    maps = [labels for labels in (dataset[i].labels for i in range(len(dataset))) if labels.any()]
    return lambda index: maps[index % len(maps)][:, :: -1 if index // len(maps) % 2 else 1]


def _numbered(drawn: LabelMap, rng: np.random.Generator) -> tuple[LabelMap, tuple[Instance, ...]]:
    labels: LabelMap = np.zeros(drawn.shape, np.uint16)
    instances = []
    for label, (number, (area, box)) in enumerate(sorted(areas_and_boxes(drawn).items()), 1):
        labels[drawn == number] = label
        instances.append(Instance(label, f"o{label}", "Mug", int(rng.integers(CLASSES)), area, box))
    return labels, tuple(instances)


def _proposal(rng: np.random.Generator, labels: LabelMap, of: Sequence[Instance]) -> tuple[BoolMask, int]:
    """A mask, and the class that it claims."""
    item = of[rng.integers(len(of))]
    whole = np.asarray(labels == item.label, np.bool_)
    kind, mask = rng.integers(4), whole
    if kind == 0:
        mask = np.roll(whole, rng.integers(-8, 9, 2), (0, 1))
    elif kind == 1:  # a part
        mask = whole.copy()
        mask[:, : int(np.nonzero(whole)[1].mean())] = False
    elif kind == 2:  # two at once
        mask = whole | (labels == of[rng.integers(len(of))].label)
    # Ours counts no mask that lies mostly where no object is; COCO's rules do not know of such places.
    is_odd = not mask.any() or (labels[mask] > 0).mean() < 0.5
    return whole if is_odd else mask, item.class_index if rng.random() < 0.7 else int(rng.integers(CLASSES))


def detection(given: Sequence[Case]) -> Numbers:
    """What pycocotools gives, from our functions."""
    tables = [_detections(case) for case in given]
    rows = [0] * len(tables)
    found = [recalled(table) for table in tables]
    sizes = [is_of_size(table) for table in tables]
    objects = sum(len(table.classes) for table in tables)
    values = {f"ar_{limit}": sum(hits[str(limit)].sum() for hits in found) / objects for limit in LIMITS}
    for name in SIZES:
        values[f"ar_{name}"] = sum(hits[name].sum() for hits in found) / sum(flags[name].sum() for flags in sizes)
    values = {name: 10 * float(value) for name, value in values.items()}
    by_class = class_rankings(tables, rows, 1, CLASSES)
    values["class_ap"] = float(ranked_metric("class_ap", by_class)[0])
    return values | {"ap": float(ranked_metric("ap", [ranking(tables, rows, 1)])[0])}


def _detections(case: Case) -> Detections:
    sample, given = case.sample, case.proposals
    shared = overlaps(encode_labels(sample.labels, [item.label for item in sample.instances]), given.rles)
    assert given.class_index is not None
    return Detections(
        iou=shared.iou.T,
        truth_px=shared.truth_px.astype(np.float64),
        classes=np.array([item.class_index for item in sample.instances]),
        score=given.predicted_iou.astype(np.float64),
        claimed=given.class_index,
        certainty=np.ones(len(given)),
        is_counted=2 * shared.intersection_px.sum(axis=0) >= shared.proposal_px,
    )


def everything(given: Sequence[Case]) -> Numbers:
    """All metrics of everything mode, without intervals; of these the numbers that the peers give too."""
    frames = []
    for case in given:
        objects, counted = score_proposals(case.sample, case.proposals)
        key, scene, size_hw = case.sample.key, case.sample.scene, case.sample.size_hw
        frames.append(
            FrameScore(key=key, scene=scene, size_hw=size_hw, objects=objects, proposals=counted, seconds=0.0)
        )
    sums = sum_by_scene(frames, CLASSES)
    values = {name: float(metric.of(sums.total())) for name, metric in METRICS.items()}
    for name in RANKED:
        values[name] = float(ranked_metric(name, rankings_of(name, frames, sums.scenes, CLASSES))[0])
    shown = ["miou", "macc", *(f"ar_{limit}" for limit in LIMITS), *(f"ar_{size}" for size in SIZES), *RANKED]
    return {name: values[name] for name in shown}


def pycocotools(given: Sequence[Case]) -> Numbers:
    """AP and AR of the same masks."""
    truth: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for number, case in enumerate(given, 1):
        for item in case.sample.instances:
            rle = coco_mask.encode(np.asfortranarray(case.sample.labels == item.label, dtype=np.uint8))
            entry = {"id": len(truth) + 1, "image_id": number, "category_id": item.class_index + 1, "iscrowd": 0}
            truth.append({**entry, "segmentation": rle, "area": item.area_px, "bbox": list(item.box_xyxy)})
        masks = case.proposals
        assert masks.class_index is not None
        for rle, score, claim in zip(masks.rles, masks.predicted_iou, masks.class_index, strict=True):
            entry = {"image_id": number, "category_id": int(claim) + 1, "score": float(score)}
            found.append({**entry, "segmentation": rle})
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        sizes = [case.sample.size_hw for case in given]
        images = [{"id": i, "height": height, "width": width} for i, (height, width) in enumerate(sizes, 1)]
        coco.dataset = {"images": images, "annotations": truth, "categories": [{"id": i + 1} for i in range(CLASSES)]}
        coco.createIndex()
        detections = coco.loadRes(found)
        everywhere = [0, 1e10]
        # An area on the border of two sizes counts once.
        areas = [everywhere, [0, 32**2 - 0.5], [32**2 - 0.5, 96**2 - 0.5], [96**2 - 0.5, 1e10]]
        whole = _evaluated(COCOeval(coco, detections, "segm"), useCats=0, maxDets=list(LIMITS), areaRng=areas)
        by_class = _evaluated(COCOeval(coco, detections, "segm"), useCats=1, maxDets=[100], areaRng=[everywhere])
    precision, recall = whole["precision"][:, :, 0, 0, 1], whole["recall"][:, 0]
    values = {f"ar_{limit}": recall[:, 0, i].mean() for i, limit in enumerate(LIMITS)}
    values |= {f"ar_{size}": recall[:, i, 1].mean() for i, size in enumerate(SIZES, 1)}
    of_classes = by_class["precision"]
    values |= {"ap": precision.mean(), "class_ap": of_classes[of_classes > -1].mean()}
    return {name: 100 * float(value) for name, value in values.items()}


def _evaluated(run: COCOeval, **parameters: Any) -> dict[str, Any]:
    for name, value in parameters.items():
        setattr(run.params, name, value)
    run.params.areaRngLbl = [str(limits) for limits in run.params.areaRng]
    run.evaluate()
    run.accumulate()
    evaluated: dict[str, Any] = run.eval
    return evaluated


class PlainLoop:
    """mIoU and mAcc from one file an image: whole arrays, object by object and mask by mask."""

    def __init__(self) -> None:
        self._intersection, self._union, self._area = (np.zeros(CLASSES) for _ in range(3))

    def add(self, path: Path) -> None:
        """Count one image."""
        with np.load(path) as file:
            labels, classes = file["labels"], file["classes"]
            masks = np.unpackbits(file["masks"], axis=2, count=labels.shape[1]).astype(np.bool_)
        truth = [labels == label for label in range(1, len(classes) + 1)]
        iou = np.zeros((len(truth), len(masks)))
        for i, one in enumerate(truth):
            for k, mask in enumerate(masks):
                iou[i, k] = np.logical_and(one, mask).sum() / np.logical_or(one, mask).sum()
        left = iou.copy()
        matched: dict[int, int] = {}
        while left.max(initial=0) > 0:
            i, k = np.unravel_index(int(left.argmax()), left.shape)
            matched[int(i)] = int(k)
            left[i], left[:, k] = -1, -1
        for i, one in enumerate(truth):
            mask = masks[matched[i]] if i in matched else np.zeros_like(one)
            self._intersection[classes[i]] += np.logical_and(one, mask).sum()
            self._union[classes[i]] += one.sum() + mask.sum() - np.logical_and(one, mask).sum()
            self._area[classes[i]] += one.sum()

    def numbers(self) -> Numbers:
        """Of all images so far."""
        seen = self._area > 0
        return {
            "miou": 100 * float((self._intersection[seen] / self._union[seen]).mean()),
            "macc": 100 * float((self._intersection[seen] / self._area[seen]).mean()),
        }


def plain_loop(given: Sequence[Case]) -> tuple[float, Numbers]:
    """Seconds and numbers. Each file is written before the clock starts, and kept only while it is read."""
    loop, seconds = PlainLoop(), 0.0
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "masks.npz"
        for case in given:
            masks = np.packbits(np.stack([decode_rle(rle) for rle in case.proposals.rles]), axis=2)
            classes = np.array([item.class_index for item in case.sample.instances])
            np.savez(path, labels=case.sample.labels, classes=classes, masks=masks)
            started = process_time()
            loop.add(path)
            seconds += process_time() - started
    return seconds, loop.numbers()


def timed(run: Callable[[Sequence[Case]], Numbers], given: Sequence[Case]) -> tuple[float, Numbers]:
    """Seconds and numbers."""
    started = process_time()
    numbers = run(given)
    return process_time() - started, numbers


def main() -> int:
    """Measure, compare, print; 1 when numbers differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--data", type=Path, help="shards whose label maps are the ground truth; ellipses without")
    parser.add_argument("--objects", type=int, default=12, help="of an image of ellipses")
    parser.add_argument("--proposals", type=int, default=60)
    options = parser.parse_args()
    sources = from_shards(options.data) if options.data else partial(ellipses, objects=options.objects)
    given = list(cases(options.images, options.proposals, sources))
    pairs = {
        "AP and AR": {"ours": timed(detection, given), "pycocotools": timed(pycocotools, given)},
        "all": {"ours": timed(everything, given), "plain loop": plain_loop(given)},
    }
    objects = sum(len(case.sample.instances) for case in given) / len(given)
    console.print(f"{len(given)} images, about {objects:.0f} objects and {options.proposals} proposals each")
    table = Table("numbers", "", "s", "ms an image", "times ours", "largest difference")
    reference, worst = pairs["all"]["ours"][1], 0.0
    for title, runs in pairs.items():
        for name, (seconds, numbers) in runs.items():
            gap = max(abs(value - reference[key]) for key, value in numbers.items())
            worst = max(worst, gap)
            each, times = 1000 * seconds / len(given), seconds / runs["ours"][0]
            table.add_row(title, name, f"{seconds:.1f}", f"{each:.1f}", f"{times:.1f}", f"{gap:.0e}")
    console.print(table)
    console.print({key: round(value, 3) for key, value in reference.items()})
    return int(not worst < 1e-6)


if __name__ == "__main__":
    sys.exit(main())
