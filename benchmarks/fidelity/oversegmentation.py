"""How often everything mode proposes parts in place of whole objects, by class and by source of pictures.

    python benchmarks/fidelity/oversegmentation.py player=DATASET packs=DATASET [--views 200] [--grid 16x16]
        [--out over.jsonl] [--markdown OVER-SEGMENTATION.md]

An object counts as over-segmented when the proposal of the highest IoU with it covers under 80 % of it, while a part of
it is proposed: a mask that lies at least 80 % inside it and covers under 80 % of it. The rate of `saom-bench eval`
(everything@2) is stricter: there the best IoU must also be under .5; it stands beside. A proposal that swallows an
object covers it, so neither counts that.

One line a view goes to --out as soon as it is measured; a run that was broken off goes on there, and the tables tell of
the views that are done. Sources take turns, so that they stay alike in number. About 7 s a view on one core.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from saom_bench.console import console
from saom_bench.everything.config import EverythingConfig, parse_grid
from saom_bench.files import write_text_atomically
from saom_bench.masks import encode_labels
from saom_bench.shards.dataset import ShardDataset, open_dataset
from saom_benchmarks.matching import PART_COVERS, PART_INSIDE, over_segmented, overlaps

MODEL = "mobile-sam"


def measure(sam: Any, dataset: ShardDataset, index: int, config: EverythingConfig) -> list[dict[str, Any]]:
    """One view's objects: class, pixels, both verdicts."""
    from saom_bench.everything.generate import everything

    sample = dataset[index]
    proposals = everything(sam, sample.rgb, config)
    order = np.argsort(-proposals.predicted_iou, kind="stable")
    truth = [item.label for item in sample.instances]
    shared = overlaps(encode_labels(sample.labels, truth), [proposals.rles[k] for k in order])
    iou, both = shared.iou, shared.intersection_px
    inside = both >= PART_INSIDE * np.maximum(shared.proposal_px, 1)[None, :]
    part = (inside & (both < PART_COVERS * shared.truth_px[:, None])).any(axis=1)
    strict = over_segmented(shared)
    rows = []
    for i, item in enumerate(sample.instances):
        best = int(iou[i].argmax()) if len(order) else None
        covers = best is not None and bool(both[i, best] >= PART_COVERS * shared.truth_px[i])
        row = {"type": item.object_type, "px": int(shared.truth_px[i]), "over": bool(part[i] and not covers)}
        rows.append(row | {"eval": bool(strict[i]), "iou": round(float(iou[i].max(initial=0.0)), 4)})
    return rows


def todo(sources: dict[str, ShardDataset], views: int, done: set[tuple[str, str]]) -> Iterator[tuple[str, int]]:
    """(source, index) of the views that are still to be measured, the sources in turn."""
    lists = []
    for name, dataset in sources.items():
        chosen = [k * len(dataset) // min(views, len(dataset)) for k in range(min(views, len(dataset)))]
        # Spread over scenes from the start: what is done when a run ends is a fair sample.
        spread = np.random.default_rng(0).permutation(len(chosen))
        lists.append([(name, chosen[k]) for k in spread if (name, dataset.keys[chosen[k]]) not in done])
    return (item for item in chain.from_iterable(zip_longest(*lists)) if item is not None)


def tables(lines: list[dict[str, Any]], command: str, wanted: int) -> str:
    """The Markdown page."""
    names = list(dict.fromkeys(line["source"] for line in lines))
    counts: dict[str, dict[str, list[dict[str, Any]]]] = {name: defaultdict(list) for name in names}
    for line in lines:
        for row in line["objects"]:
            counts[line["source"]][row["type"]].append(row)
    views = {name: [line for line in lines if line["source"] == name] for name in names}
    page = ["# Over-segmentation of plain SAM (mobile-sam), by class", "", (__doc__ or "").split("\n\n")[2], ""]
    page += [f"`{command}`", ""]
    if any(len(of) < wanted for of in views.values()):
        page += [f"**Unfinished**: fewer than {wanted} views of a source are measured; the same command goes on.", ""]
    page += [f"- {name}: {len(views[name])} views of {len({v['scene'] for v in views[name]})} scenes" for name in names]
    page += [
        "",
        "| class | " + " | ".join(f"{n}: objects | over-segmented % | eval's % | mean IoU" for n in names) + " |",
    ]
    page += ["|---|" + "---:|---:|---:|---:|" * len(names)]
    every = {name: [row for rows in counts[name].values() for row in rows] for name in names}
    kinds = sorted({kind for name in names for kind in counts[name]})
    page.append("| **all** | " + " | ".join(_cells(every[name]) for name in names) + " |")
    large = {name: [row for row in every[name] if row["px"] >= 96**2] for name in names}
    page.append("| **from 96 x 96 px** | " + " | ".join(_cells(large[name]) for name in names) + " |")
    page += [f"| {kind} | " + " | ".join(_cells(counts[name][kind]) for name in names) + " |" for kind in kinds]
    return "\n".join(page) + "\n"


def _cells(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "0 | | | "
    over, strict, iou = (100 * float(np.mean([row[name] for row in rows])) for name in ("over", "eval", "iou"))
    return f"{len(rows)} | {over:.0f} | {strict:.0f} | {iou:.0f}"


def main() -> None:
    """Measure what is missing, and write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sources", nargs="+", help="name=dataset folder")
    parser.add_argument("--views", type=int, default=200, help="of each source, spread evenly")
    parser.add_argument("--grid", default="16x16", help="points along x and y")
    parser.add_argument("--out", type=Path, default=Path("over.jsonl"))
    parser.add_argument("--markdown", type=Path, default=Path("OVER-SEGMENTATION.md"))
    parser.add_argument("--tables-only", action="store_true", help="measure nothing more")
    arguments = parser.parse_args()
    sources = {name: open_dataset(Path(folder)) for name, _, folder in (s.partition("=") for s in arguments.sources)}
    config = EverythingConfig(grid=parse_grid(arguments.grid))
    text = arguments.out.read_text() if arguments.out.exists() else ""
    lines: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    if not arguments.tables_only:
        from saom_bench.sam.registry import load_model

        sam = load_model(MODEL)
        with arguments.out.open("a") as file:
            for name, index in todo(sources, arguments.views, {(line["source"], line["key"]) for line in lines}):
                dataset = sources[name]
                told = {"source": name, "key": dataset.keys[index], "scene": dataset.scene_of(index)}
                lines.append(told | {"objects": measure(sam, dataset, index, config)})
                file.write(json.dumps(lines[-1]) + "\n")
                file.flush()
                console.print(f"{len(lines)} views", end="\r")
    shown = " ".join(f"{name}=DATASET" for name in sources)
    command = (
        f"python benchmarks/fidelity/oversegmentation.py {shown} --views {arguments.views} --grid {arguments.grid}"
    )
    write_text_atomically(arguments.markdown, tables(lines, command, arguments.views))
    console.print(f"{len(lines)} views in {arguments.markdown}", soft_wrap=True)


if __name__ == "__main__":
    main()
