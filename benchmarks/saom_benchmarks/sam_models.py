"""SAM and checkpoints as models to be scored, sharing one embedding of each image where the encoder is the same."""

from saom_bench.sam import runtime

runtime.prepare()

from collections.abc import Iterator  # noqa: E402
from dataclasses import asdict, replace  # noqa: E402
from pathlib import Path  # noqa: E402
from time import perf_counter  # noqa: E402
from typing import Any  # noqa: E402

import torch  # noqa: E402

from saom_bench.everything import EverythingConfig, everything, preset, settings_of  # noqa: E402
from saom_bench.files import sha256_file  # noqa: E402
from saom_bench.prompts import assign  # noqa: E402
from saom_bench.sam.checkpoint import read_metadata, selection_scenes  # noqa: E402
from saom_bench.sam.model import Embedding, Sam  # noqa: E402
from saom_bench.sam.registry import checkpoint_path, load_model  # noqa: E402
from saom_bench.types import PointPrompts, Proposals, Sample  # noqa: E402
from saom_benchmarks.models import ModelCard, PointMasks, PointRule, Request  # noqa: E402

_POINTS_PER_CHUNK = 4
SAM_PRESET = "sam"


class EmbeddingCache:
    """The last image's embedding of each encoder: models that share an encoder encode every image once.

    Holds one embedding (4 MiB) an encoder, so models have to be run image by image, as evaluate does.
    """

    def __init__(self) -> None:
        self.saved_s = 0.0
        """Encoding time that cache hits saved so far: without it, the first model would look slower than the second."""
        self._encoders: dict[str, Any] = {}
        self._last: dict[str, tuple[str, Embedding, float]] = {}

    def adopt(self, sam: Sam) -> None:
        """Have a model use the encoder of an earlier one with the same weights, so that only one is in memory."""
        sam.encoder[0] = self._encoders.setdefault(sam.encoder_sha256, sam.encoder[0])

    def encode(self, sam: Sam, sample: Sample) -> Embedding:
        """The embedding of a sample, computed or remembered."""
        key, embedding, seconds = self._last.get(sam.encoder_sha256, ("", None, 0.0))
        if embedding is not None and key == sample.key:
            self.saved_s += seconds
            return embedding
        started = perf_counter()
        embedding = sam.encode(sample.rgb)
        self._last[sam.encoder_sha256] = (sample.key, embedding, perf_counter() - started)
        return embedding


class SamModel:
    """A Sam behind the two methods of the benchmark."""

    def __init__(self, sam: Sam, card: ModelCard, config: EverythingConfig, shared: EmbeddingCache) -> None:
        self.card = card
        self._sam, self._config, self._shared = sam, config, shared
        shared.adopt(sam)
        self.settings: dict[str, dict[str, Any]] = {
            "common": {"device": sam.device.type, "dtype": str(sam.mask_decoder.iou_token.weight.dtype).split(".")[-1]},
            "everything": {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(config).items()},
        }

    @torch.no_grad()
    def points(self, sample: Sample, rule: PointRule) -> Iterator[PointMasks]:
        """Three masks for the assigned point of each object, at the image's own size."""
        if not sample.instances:
            return
        embedding = self._shared.encode(self._sam, sample)
        prompts = assign(
            embedding.features.cpu().numpy(),
            embedding.input_hw,
            sample.labels,
            [item.label for item in sample.instances],
            grid=rule.grid,
            prior=rule.prior,
            grid_frame=rule.grid_frame,
            snap=rule.snap,
        )
        for start in range(0, len(prompts.labels), _POINTS_PER_CHUNK):
            yield from self._decode(embedding, prompts, slice(start, start + _POINTS_PER_CHUNK))

    @torch.no_grad()
    def everything(self, sample: Sample) -> Proposals:
        """Everything mode with this model's settings."""
        in_pieces = self._config.crop_layers or self._config.tiles
        image = sample.rgb if in_pieces else self._shared.encode(self._sam, sample)
        return everything(self._sam, image, self._config, wraps=sample.capture.wraps)

    def _decode(self, embedding: Embedding, prompts: PointPrompts, chunk: slice) -> Iterator[PointMasks]:
        sam = self._sam
        decoded = sam.decode(embedding, torch.from_numpy(prompts.points_xy[chunk]).to(sam.device))
        masks = (sam.upscale(decoded.low_res_logits, embedding) > 0).cpu().numpy()
        judged = sam.judge(decoded, embedding)
        predicted_iou = judged.predicted_iou.float().cpu().numpy()
        classes = None if judged.class_logits is None else judged.class_logits.argmax(dim=1).tolist()
        for i, label in enumerate(prompts.labels[chunk]):
            yield PointMasks(
                label=int(label),
                masks=masks[i],
                predicted_iou=predicted_iou[i],
                class_index=None if classes is None else classes[i],
                no_cell=bool(prompts.no_cell[chunk][i]),
            )


def load(spec: str, request: Request) -> SamModel:
    """Load a base model or checkpoint with its own everything mode settings, overridden where given.

    A checkpoint's settings are the preset that it names, changed by its "everything" table if it has one: thresholds
    belong to the weights, because fine-tuning moves the scores that they are compared with.
    """
    sam = load_model(spec, request.device, request.weights)
    path = checkpoint_path(spec)
    header = {} if path is None else read_metadata(path)
    card = _base_card(spec, sam) if path is None else _checkpoint_card(spec, sam, path, header)
    config = settings_of(header, spec) if header else preset(SAM_PRESET)
    return SamModel(sam, card, replace(config, **request.overrides.given()), request.shared)


def _base_card(spec: str, sam: Sam) -> ModelCard:
    return ModelCard(name=sam.name, kind="sam", spec=spec, base=sam.name, base_weights_sha256=sam.weights_sha256)


def _checkpoint_card(spec: str, sam: Sam, path: Path, header: dict[str, Any]) -> ModelCard:
    recipe = str(header.get("recipe") or path.stem)
    return ModelCard(
        name=f"{recipe} ({sam.name})",
        kind="checkpoint",
        spec=spec,
        base=sam.name,
        base_weights_sha256=sam.weights_sha256,
        checkpoint_sha256=sha256_file(path),
        label_set=header.get("label_set"),
        recipe=recipe,
        trained_on=header.get("train_fingerprint"),
        train_scenes=tuple(header.get("train_scenes", ())),
        val_scenes=selection_scenes(header),
    )
