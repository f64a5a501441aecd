"""A run's folder for people: summary.md with what was run and how it went, curves.png, and val.png with masks.

All is made anew from config.toml and log.jsonl, so a run that was broken off, or resumed, has them too.
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from saom_bench.files import write_text_atomically
from saom_bench.pictures import captioned, color_of, overlay, save, sheet
from saom_bench.train.batches import chunks
from saom_bench.train.loop import Job
from saom_bench.train.losses import take
from saom_bench.train.state import CONFIG, read_log
from saom_bench.types import RgbImage

SUMMARY, CURVES, VAL = "summary.md", "curves.png", "val.png"
SCORES = {
    "miou": "mIoU",
    "macc": "mAcc",
    "instance_miou": "IoU per object",
    "best_miou": "best of three",
    "class_accuracy": "class accuracy",
}
_LOSSES = {"total": "loss", "dice": "dice", "focal": "focal", "class": "class", "iou": "IoU head"}
_PANEL_WH = (640, 320)
_MARGIN_PX = 44
_SMOOTHED_OVER = 40  # parts of a run
_MOST_VAL_OBJECTS = 24


def write_report(job: Job) -> None:
    """Write summary.md and its pictures into the run's folder."""
    lines = read_log(job.out)
    if not lines:
        return
    save(job.out / CURVES, curves(lines))
    save(job.out / VAL, val_picture(job))
    write_text_atomically(job.out / SUMMARY, summary(job.out, lines))


def summary(out: Path, lines: Sequence[Mapping[str, Any]]) -> str:
    """The Markdown page of a run from its configuration and log."""
    config = tomllib.loads((out / CONFIG).read_text("utf-8"))
    run = config.pop("run", {})
    steps = [line for line in lines if line["kind"] == "step"]
    seconds = sum(line["seconds"] for line in steps)
    speed = f", {seconds / 60:.1f} minutes, {1000 * seconds / len(steps):.0f} ms a step" if steps else ""
    page = [
        f"# {config['name']} on {run.get('base', '')}",
        "",
        f"{len(steps)} steps over {sum(len(line['images']) for line in steps)} images and "
        f"{sum(line['prompts'] for line in steps)} prompts{speed}.{_of_scorer(lines)}",
        "",
        *_score_table([line for line in lines if line["kind"] == "val"]),
        "",
        f"![losses, learning rate and scores by step]({CURVES})",
        "",
        f"![truth and prediction on a validation image]({VAL})",
        "",
        "## How it was run",
        "",
        *(f"- {key}: `{value}`" for key, value in run.items() if value),
        "",
        f"All settings are in [{CONFIG}]({CONFIG}), which is a recipe for `--recipe` too.",
    ]
    return "\n".join(page) + "\n"


def curves(lines: Sequence[Mapping[str, Any]]) -> RgbImage:
    """Losses, learning rate, gradient norm and scores by step, as one picture."""
    steps = [line for line in lines if line["kind"] == "step"]
    vals = [line for line in lines if line["kind"] == "val"]
    losses = {name: _series(steps, key) for key, name in _LOSSES.items()}
    panels = [
        _panel("losses, smoothed", {name: _smoothed(found) for name, found in losses.items() if found[1].any()}),
        _panel("validation, %", {name: _series(vals, key) for key, name in SCORES.items()}),
        _panel("learning rate", {"": _series(steps, "learning_rate")}),
        _panel("gradient norm", {"": _series(steps, "grad_norm")}),
    ]
    return sheet(panels, columns=2)


def val_picture(job: Job, image: int = 0) -> RgbImage:
    """A validation image's objects, true beside predicted, the predicted ones named by their class if that is known."""
    prompts = job.val_images[image]
    prompts = prompts.subset(np.arange(min(len(prompts), _MOST_VAL_OBJECTS)))
    sample, sam = job.val_data[prompts.index], job.sam
    names = job.val_data.label_set.classes
    embedding = sam.encode(sample.rgb)
    predicted: list[Any] = []
    guesses: list[str | None] = []
    for part in chunks(len(prompts), job.recipe.prompts_per_chunk):
        with torch.no_grad():
            decoded = sam.decode(embedding, torch.from_numpy(prompts.points_xy[part]).to(sam.device), padding=False)
            judged = sam.judge(decoded, embedding)
            low = take(decoded.low_res_logits, judged.predicted_iou.argmax(dim=1))[:, None]
            predicted += list((sam.upscale(low, embedding)[:, 0] > 0).cpu().numpy())
            found = judged.class_logits
            guesses += [None] * len(low) if found is None else [names[index] for index in found.argmax(dim=1).tolist()]
    true = [sample.labels == label for label in prompts.labels]
    colors = [color_of(i) for i in range(len(true))]
    truth = overlay(sample.rgb, true, [names[i] for i in prompts.class_index], colors)
    ours = overlay(sample.rgb, predicted, guesses, colors)
    return sheet(
        [captioned(truth, f"{sample.key}: truth"), captioned(ours, "predicted from one point each")], columns=2
    )


def _of_scorer(lines: Sequence[Mapping[str, Any]]) -> str:
    learned = [line for line in lines if line["kind"] == "scorer"]
    return f" Then the mask scorer learned for {len(learned)} epochs." if learned else ""


def _score_table(vals: Sequence[Mapping[str, Any]]) -> list[str]:
    if not vals:
        return []
    shown = [key for key in SCORES if key in vals[-1]]
    best = max(range(len(vals)), key=lambda i: (i > 0, vals[i]["miou"]))
    rows = [f"| model | step | {' | '.join(SCORES[key] for key in shown)} |", "|---" * (len(shown) + 2) + "|"]
    for i, line in enumerate(vals):
        name = f"{line.get('of', 'epoch ' + str(line['epoch']))}{' (best)' if i == best and i else ''}"
        values = " | ".join(f"{line[key]:.1f}" if key in line else "" for key in shown)
        rows.append(f"| {name} | {line['step']} | {values} |")
    return rows


Series = tuple[np.ndarray, np.ndarray]


def _series(lines: Sequence[Mapping[str, Any]], key: str) -> Series:
    """Steps and finite values of a key, where it is there."""
    pairs = [(line["step"], line[key]) for line in lines if key in line and np.isfinite(line[key])]
    return np.array([step for step, _ in pairs], float), np.array([value for _, value in pairs], float)


def _smoothed(series: Series) -> Series:
    """Means over a part of the run around each step."""
    steps, values = series
    width = max(1, len(values) // _SMOOTHED_OVER)
    weights = np.ones(width)
    count = np.convolve(np.ones(len(values)), weights, "same")
    return steps, np.convolve(values, weights, "same") / count


def _panel(title: str, series: Mapping[str, Series]) -> RgbImage:
    """Lines over steps in one frame, with the least and largest value of both axes, and a legend."""
    width, height = _PANEL_WH
    image = Image.new("RGB", _PANEL_WH, (24, 26, 30))
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size=13)
    pen.text((8, 6), title, fill=(236, 238, 240), font=font)
    drawn = {name: found for name, found in series.items() if len(found[0])}
    if not drawn:
        return np.asarray(image)
    xs, ys = (np.concatenate([found[axis] for found in drawn.values()]) for axis in (0, 1))
    low, span = (xs.min(), ys.min()), (max(np.ptp(xs), 1e-12), max(np.ptp(ys), 1e-12))
    left, top, right, bottom = _MARGIN_PX + 16, 30, width - 12, height - 26
    pen.rectangle((left, top, right, bottom), outline=(90, 94, 100))
    for text, at in ((f"{ys.max():.4g}", (4, top)), (f"{ys.min():.4g}", (4, bottom - 14))):
        pen.text(at, text, fill=(170, 174, 180), font=font)
    pen.text((left, bottom + 6), f"step {xs.min():.0f}", fill=(170, 174, 180), font=font)
    pen.text((right, bottom + 6), f"{xs.max():.0f}", fill=(170, 174, 180), font=font, anchor="ra")
    for i, (name, (steps, values)) in enumerate(drawn.items()):
        across = left + (steps - low[0]) / span[0] * (right - left)
        down = bottom - (values - low[1]) / span[1] * (bottom - top)
        points = list(zip(across.tolist(), down.tolist(), strict=True))
        if len(points) == 1:
            pen.ellipse((across[0] - 2, down[0] - 2, across[0] + 2, down[0] + 2), fill=color_of(i))
        pen.line(points, fill=color_of(i), width=2)
        pen.text((140 + 100 * i, 6), name, fill=color_of(i), font=font)
    return np.asarray(image)
