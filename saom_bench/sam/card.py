"""A model's card: a Markdown page that says what it is, what it was trained on, how well, and how to use it."""

from collections.abc import Mapping
from typing import Any

from saom_bench.sam.model import Sam
from saom_bench.sam.specs import MODELS

_USE = {
    "onnx": """`encoder.onnx` maps the `(1, 3, S, S)` float32 picture, its longest side resized to S = {size} pixels,
normalised by SAM's mean and deviation, and padded with zeros on the right and below, to features.

`decoder.onnx` takes those `features` and `points_xy`, `(N, 2)` float32 pixels of the resized picture, one foreground
point a prompt. It gives `low_res_logits` `(N, 3, S/4, S/4)` over the padded square, `predicted_iou` `(N, 3)`, and where
the model has classes `class_logits`. A mask is where a logit is above 0.""",
    "hf": """```python
from transformers import SamModel, SamProcessor

model = SamModel.from_pretrained("this folder")
```

What SamModel has not lies beside it: the class head in `class_head.safetensors`, a linear layer on the mask decoder's
IoU token, which SamModel does not give out, and the mask scorer in `scorer.safetensors`, where the model has them.""",
    "full": """`model.safetensors` has every tensor under segment-anything's own name, and `class_head.*` and `scorer.*`
where the model has them. Where the image encoder is an ONNX file it is `encoder.onnx` beside it.""",
}
_SCORER_INPUTS = """

For its mask scorer the decoder also takes `colors`, `(1, 3, S/4, S/4)` float32: the picture's colours from 0 to 1,
averaged down to a quarter of the resized picture and padded with zeros, and `shown_hw`, `(2,)` int64: how many rows and
columns of them show the picture."""
_SCORES = {
    "miou": "mIoU",
    "macc": "mAcc",
    "instance_miou": "IoU per object",
    "best_miou": "best of three",
    "class_accuracy": "class accuracy",
}


def model_card(sam: Sam, form: str, differs: float, metadata: Mapping[str, Any]) -> str:
    """The card's Markdown; ``metadata`` is a checkpoint's header, empty for a base model."""
    recipe = metadata.get("recipe")
    extra = _SCORER_INPUTS if form == "onnx" and sam.scorer is not None else ""
    title = f"{recipe} on {sam.name}" if recipe else sam.name
    origin = MODELS[sam.name].origin if sam.name in MODELS else "unknown"
    facts = {
        "base model": f"{sam.name} ({origin}), SHA-256 `{sam.weights_sha256}`",
        "recipe": recipe,
        "trained on": _data(metadata, "train"),
        "validated on": _data(metadata, "val"),
        "simulator": _simulator(metadata.get("simulator")),
        "label set": metadata.get("label_set"),
        "steps": metadata.get("step"),
        "made by": f"`{metadata['command']}`" if metadata.get("command") else None,
        "check": f"outputs differ from the model's by {differs:.1e} of their largest" if form != "full" else None,
    }
    lines = [f"# {title}", "", _what(sam, recipe), ""]
    lines += [f"- {name}: {value}" for name, value in facts.items() if value not in (None, "")]
    lines += _scores(metadata.get("val"))
    lines += ["", "## How to use it", "", _USE[form].format(size=sam.image_size) + extra]
    if sam.class_names is not None:
        lines += ["", "## Classes", "", ", ".join(sam.class_names) + " (also in `classes.json`, in this order)"]
    lines += ["", "## Limits", "", _LIMITS]
    return "\n".join(lines) + "\n"


_LIMITS = (
    "Trained on simulated rooms unless the data above say otherwise; one foreground point a prompt. The weights derive "
    "from Segment Anything (Apache-2.0)."
)


def _what(sam: Sam, recipe: object) -> str:
    if not recipe:
        return "Segment Anything, as it comes."
    kind = "masks of whole objects" if sam.class_names is None else "masks of whole objects and their classes"
    return f"Segment Anything fine-tuned for {kind} (SAOM), by saom-bench."


def _data(metadata: Mapping[str, Any], part: str) -> str | None:
    scenes = metadata.get(f"{part}_scenes")
    if not scenes:
        return None
    return f"{len(scenes)} scenes, fingerprint `{metadata.get(f'{part}_fingerprint', '')}`"


def _simulator(simulator: object) -> str | None:
    if not isinstance(simulator, Mapping):
        return None
    return f"{simulator.get('name', '')} {simulator.get('version', '')}".strip()


def _scores(scores: object) -> list[str]:
    """A table of the validation that the checkpoint was chosen by."""
    if not isinstance(scores, Mapping):
        return []
    shown = {name: scores[key] for key, name in _SCORES.items() if key in scores}
    if not shown:
        return []
    head, rule = " | ".join(shown), " | ".join("---" for _ in shown)
    row = " | ".join(f"{value:.1f}" for value in shown.values())
    return ["", "## Validation (oracle point, %)", "", f"| {head} |", f"| {rule} |", f"| {row} |"]
