"""Time our scoring of everything mode against pycocotools and against a plain loop over files, side by side in one run.

    python benchmarks/perf/score.py [--images 1000] [--objects 12] [--proposals 60]

Images are made up: label maps of ellipses, and proposals that are the objects moved, their parts, their unions, and
rectangles. All three get the same ground truth and the same run lengths.

* pycocotools gives AP, AR@10, @100, @1000 and AR by size.
* The plain loop is what evaluation scripts of papers do: masks lie in one file an image, every object is compared with
  every proposal by whole boolean arrays, and pixels are summed by class: mIoU and mAcc.
* Ours gives both. What neither gives (boundaries, panoptic quality, parts, intervals) is timed apart.

Processor time counts, so that other work on the machine does not. Numbers must be equal, or the script fails.
"""

import argparse
import contextlib
import io
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
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
from saom_bench.masks import areas_and_boxes, decode_rle
from saom_bench.types import BoolMask, Capture, Instance, LabelMap, Pose, Proposals, Sample
from saom_benchmarks.detections import ranked_metric, rankings_of
from saom_benchmarks.metrics import METRICS, sum_by_scene
from saom_benchmarks.models import proposals_of
from saom_benchmarks.protocols import score_proposals
from saom_benchmarks.scores import FrameScore

SIZE_HW = (360, 480)
CLASSES = 20
SIZES = ("small", "medium", "large")


@dataclass(frozen=True)
class Case:
    """One image with its proposals, by falling score."""

    sample: Sample
    proposals: Proposals


def made_up(index: int, objects: int, proposals: int) -> Case:
    """An image of a seed."""
    rng = np.random.default_rng(index)
    height, width = SIZE_HW
    drawn: LabelMap = np.zeros(SIZE_HW, np.uint16)
    for number in range(1, objects + 1):
        center = int(rng.integers(width)), int(rng.integers(height))
        axes = int(rng.integers(8, 90)), int(rng.integers(8, 70))
        drawn[_ellipse(center, axes, float(rng.uniform(0, 180)))] = number
    labels: LabelMap = np.zeros(SIZE_HW, np.uint16)
    instances = []
    for label, (number, (area, box)) in enumerate(sorted(areas_and_boxes(drawn).items()), 1):
        labels[drawn == number] = label
        instances.append(Instance(label, f"o{label}", "Mug", int(rng.integers(CLASSES)), area, box))
    masks = [_proposal(rng, labels, [item.label for item in instances]) for _ in range(proposals)]
    scores = np.sort(rng.random(len(masks)).astype(np.float32))[::-1]
    capture = Capture(np.zeros((*SIZE_HW, 3), np.uint8), labels, tuple(instances), Pose(0, 0, 0, 0, 0), 90.0)
    sample = Sample(f"S{index % 20}/{index:06d}", f"S{index % 20}", capture)
    return Case(sample, proposals_of(masks, SIZE_HW, scores))


def _proposal(rng: np.random.Generator, labels: LabelMap, of: Sequence[int]) -> BoolMask:
    mask = np.asarray(labels == rng.choice(of), np.bool_)
    kind = rng.integers(4)
    if kind == 0:  # moved
        moved = np.roll(mask, rng.integers(-8, 9, 2), (0, 1))
        # Ours counts no mask that lies mostly where no object is; COCO's rules do not know of such places.
        mask = moved if (labels[moved] > 0).mean() >= 0.5 else mask
    elif kind == 1:  # a part
        mask[:, : int(np.nonzero(mask)[1].mean())] = False
    elif kind == 2:  # two at once
        mask |= labels == rng.choice(of)
    if not mask.any():
        mask[0, 0] = True
    return mask


def _ellipse(center: tuple[int, int], axes: tuple[int, int], degrees: float) -> BoolMask:
    canvas = np.zeros(SIZE_HW, np.uint8)
    cv2.ellipse(canvas, center, axes, degrees, 0, 360, 1, -1)
    return np.asarray(canvas > 0)


def ours(cases: Sequence[Case]) -> dict[str, float]:
    """All metrics of everything mode, without intervals."""
    frames = []
    for case in cases:
        objects, counted = score_proposals(case.sample, case.proposals)
        key, scene = case.sample.key, case.sample.scene
        frames.append(
            FrameScore(key=key, scene=scene, size_hw=SIZE_HW, objects=objects, proposals=counted, seconds=0.0)
        )
    return summary(frames)


def summary(frames: Sequence[FrameScore]) -> dict[str, float]:
    """The numbers that the peers give too."""
    sums = sum_by_scene(frames, CLASSES)
    names = ["miou", "macc", "ar_10", "ar_100", "ar_1000", *(f"ar_{size}" for size in SIZES)]
    values = {name: float(METRICS[name].of(sums.total())) for name in names}
    rankings = rankings_of("ap", frames, sums.scenes, CLASSES)
    return values | {"ap": float(ranked_metric("ap", rankings)[0])}


def pycocotools(cases: Sequence[Case]) -> dict[str, float]:
    """AP and AR of the same masks."""
    truth: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for number, case in enumerate(cases, 1):
        for item in case.sample.instances:
            rle = coco_mask.encode(np.asfortranarray(case.sample.labels == item.label, dtype=np.uint8))
            entry = {"id": len(truth) + 1, "image_id": number, "category_id": 1, "iscrowd": 0}
            truth.append({**entry, "segmentation": rle, "area": item.area_px, "bbox": list(item.box_xyxy)})
        for rle, score in zip(case.proposals.rles, case.proposals.predicted_iou, strict=True):
            found.append({"image_id": number, "category_id": 1, "segmentation": rle, "score": float(score)})
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        images = [{"id": i, "height": SIZE_HW[0], "width": SIZE_HW[1]} for i in range(1, len(cases) + 1)]
        coco.dataset = {"images": images, "annotations": truth, "categories": [{"id": 1, "name": "object"}]}
        coco.createIndex()
        run = COCOeval(coco, coco.loadRes(found), "segm")
        run.params.maxDets = [10, 100, 1000]
        run.params.useCats = 0
        run.evaluate()
        run.accumulate()
    precision, recall = run.eval["precision"][:, :, 0, 0, 1], run.eval["recall"][:, 0]
    values = {"ap": precision.mean(), **{f"ar_{k}": recall[:, 0, i].mean() for i, k in enumerate((10, 100, 1000))}}
    values |= {f"ar_{size}": recall[:, i, 1].mean() for i, size in enumerate(SIZES, 1)}
    return {name: 100 * float(value) for name, value in values.items()}


def plain_loop(folder: Path, count: int) -> dict[str, float]:
    """mIoU and mAcc from one file an image: whole arrays, object by object and mask by mask."""
    intersection, union, area = (np.zeros(CLASSES) for _ in range(3))
    for number in range(count):
        with np.load(folder / f"{number}.npz") as file:
            labels, classes = file["labels"], file["classes"]
            masks = np.unpackbits(file["masks"], axis=2, count=SIZE_HW[1]).astype(np.bool_)
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
            intersection[classes[i]] += np.logical_and(one, mask).sum()
            union[classes[i]] += one.sum() + mask.sum() - np.logical_and(one, mask).sum()
            area[classes[i]] += one.sum()
    seen = area > 0
    return {
        "miou": 100 * float((intersection[seen] / union[seen]).mean()),
        "macc": 100 * float((intersection[seen] / area[seen]).mean()),
    }


def main() -> int:
    """Measure, compare, print; 1 when numbers differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--objects", type=int, default=12)
    parser.add_argument("--proposals", type=int, default=60)
    given = parser.parse_args()
    cases = [made_up(i, given.objects, given.proposals) for i in range(given.images)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, case in enumerate(cases):
            masks = np.stack([decode_rle(rle) for rle in case.proposals.rles])
            classes = np.array([item.class_index for item in case.sample.instances])
            np.savez(
                folder / f"{number}.npz", labels=case.sample.labels, classes=classes, masks=np.packbits(masks, axis=2)
            )
        runs = {
            "ours": lambda: ours(cases),
            "pycocotools": lambda: pycocotools(cases),
            "plain loop": lambda: plain_loop(folder, len(cases)),
        }
        seconds, numbers = {}, {}
        for name, run in runs.items():
            started = process_time()
            numbers[name] = run()
            seconds[name] = process_time() - started
    table = Table("", "s", "ms an image", "times ours", "largest difference")
    worst = 0.0
    for name, values in numbers.items():
        gap = max(abs(value - numbers["ours"][key]) for key, value in values.items())
        worst = max(worst, gap)
        each = 1000 * seconds[name] / given.images
        table.add_row(
            name, f"{seconds[name]:.1f}", f"{each:.1f}", f"{seconds[name] / seconds['ours']:.1f}", f"{gap:.0e}"
        )
    console.print(f"{given.images} images, about {given.objects} objects and {given.proposals} proposals each")
    console.print(table)
    console.print({key: round(value, 3) for key, value in numbers["ours"].items()})
    return int(worst > 1e-6)


if __name__ == "__main__":
    sys.exit(main())
