"""Time our order of SAM's mask decoder against segment-anything's own, side by side in one process.

    python benchmarks/perf/decoder.py [--batches 1,4,8,16] [--rounds 5]

Both run on the same weights, embedding and points; rounds alternate between them and the best of each counts, so that
other work on the machine weighs on both alike. Also says by how much the masks and scores differ.
"""

import argparse
from time import perf_counter

from saom_bench.sam import runtime

runtime.prepare()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from rich.table import Table  # noqa: E402
from torch import Tensor  # noqa: E402

from saom_bench.console import console  # noqa: E402
from saom_bench.sam.model import Embedding, Sam  # noqa: E402
from saom_bench.sam.registry import load_model  # noqa: E402

SIZE_HW = (480, 640)


def stock(sam: Sam, embedding: Embedding, points_xy: Tensor) -> tuple[Tensor, Tensor]:
    """segment-anything's own prompt encoder and mask decoder on (N, 2) points: masks and predicted IoU."""
    scale = sam.image_size / max(embedding.size_hw)
    labels = torch.ones(len(points_xy), 1, dtype=torch.int)
    sparse, dense = sam.prompt_encoder((points_xy[:, None] * scale, labels), None, None)
    position = sam.prompt_encoder.get_dense_pe()
    masks, scores = sam.mask_decoder(embedding.features[None], position, sparse, dense, multimask_output=True)
    return masks, scores


def ours(sam: Sam, embedding: Embedding, points_xy: Tensor) -> tuple[Tensor, Tensor]:
    """The same through ``Sam.decode``."""
    decoded = sam.decode(embedding, points_xy)
    return decoded.low_res_logits, decoded.predicted_iou


@torch.no_grad()
def main() -> None:
    """Measure and print one row a batch size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--batches", default="1,4,8,16", help="points decoded at once")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    sam = load_model("mobile-sam")
    rgb = np.random.default_rng(0).integers(0, 255, (*SIZE_HW, 3), dtype=np.uint8)
    embedding = sam.encode(rgb)
    table = Table("points at once", "stock ms a point", "ours ms a point", "faster", "logits differ", "scores differ")
    for batch in (int(text) for text in arguments.batches.split(",")):
        points_xy = torch.rand(batch, 2) * torch.tensor([float(SIZE_HW[1]), float(SIZE_HW[0])])
        best: dict[str, float] = {}
        results = {}
        for _ in range(arguments.rounds):
            for name, decode in (("stock", stock), ("ours", ours)):
                started = perf_counter()
                results[name] = decode(sam, embedding, points_xy)
                best[name] = min(best.get(name, np.inf), (perf_counter() - started) * 1000 / batch)
        differ = [f"{float((a - b).abs().max()):.0e}" for a, b in zip(results["stock"], results["ours"], strict=True)]
        faster = f"{best['stock'] / best['ours']:.1f}x"
        table.add_row(str(batch), f"{best['stock']:.1f}", f"{best['ours']:.1f}", faster, *differ)
    console.print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    console.print(table)


if __name__ == "__main__":
    main()
