"""SAM behind the benchmark's two methods: the assigned points, shared embeddings, who a checkpoint says it is."""

from pathlib import Path

import numpy as np
import pytest
import torch
from eval_fakes import sample
from tiny_sam import PatchEncoder

from saom_bench.classes import label_set
from saom_bench.errors import SaomBenchError
from saom_bench.everything import EverythingConfig
from saom_bench.prompts import assign
from saom_bench.sam.checkpoint import save_checkpoint
from saom_bench.sam.model import Sam
from saom_bench.sam.registry import load_model
from saom_bench.sam.zoo import new_decoder
from saom_bench.types import FloatArray, Sample
from saom_benchmarks.models import EverythingOverrides, ModelCard, PointRule, load_models
from saom_benchmarks.sam_models import EmbeddingCache, SamModel


class CountingEncoder(PatchEncoder):
    """Counts the images that it encodes."""

    calls = 0

    def __call__(self, image: FloatArray, device: torch.device) -> torch.Tensor:
        self.calls += 1
        return super().__call__(image, device)


def _sam(seed: int, classes: int | None = None) -> Sam:
    """A random SAM with the real 64 x 64 embedding, which the assignment needs."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        prompt_encoder, mask_decoder = new_decoder(64, mlp_dim=32)
    sam = Sam("random", CountingEncoder(0), prompt_encoder, mask_decoder, "same encoder").eval()
    if classes is not None:
        sam.attach_class_head([f"class {i}" for i in range(classes)])
    return sam


def _model(sam: Sam, shared: EmbeddingCache) -> SamModel:
    config = EverythingConfig(grid=(2, 1), pred_iou=0, stability=0)
    return SamModel(sam, ModelCard(name="random", kind="sam", spec="random"), config, shared)


@pytest.fixture(scope="module")
def frame() -> Sample:
    labels = np.zeros((60, 80), np.uint16)
    for label in range(1, 6):
        labels[5:25, 12 * label : 12 * label + 10] = label
    made = sample(labels, {label: label for label in range(1, 6)})
    made.rgb[:] = np.random.default_rng(0).integers(0, 255, made.rgb.shape, dtype=np.uint8)
    return made


def test_each_object_is_answered_at_its_assigned_point(frame: Sample) -> None:
    sam = _sam(1, classes=7)
    answers = list(_model(sam, EmbeddingCache()).points(frame, PointRule(grid=(8, 8))))
    assert [answer.label for answer in answers] == [1, 2, 3, 4, 5]
    embedding = sam.encode(frame.rgb)
    prompts = assign(embedding.features.numpy(), embedding.input_hw, frame.labels, [4], grid=(8, 8))
    with torch.no_grad():
        decoded = sam.decode(embedding, torch.from_numpy(prompts.points_xy))
        masks = (sam.upscale(decoded.low_res_logits, embedding) > 0)[0].numpy()
        class_index = int(sam.classify(decoded.iou_token).argmax())
    fourth = answers[3]
    assert fourth.masks.shape == (3, 60, 80)
    assert (fourth.masks != masks).mean() < 1e-3  # chunks of other sizes round differently
    np.testing.assert_allclose(fourth.predicted_iou, decoded.predicted_iou[0].numpy(), atol=1e-4)
    assert (fourth.class_index, fourth.no_cell) == (class_index, False)


def test_models_of_one_encoder_encode_an_image_once(frame: Sample) -> None:
    shared = EmbeddingCache()
    one, two = _sam(1), _sam(2)
    first, second = _model(one, shared), _model(two, shared)
    encoder = one.encoder[0]
    assert two.encoder[0] is encoder
    assert isinstance(encoder, CountingEncoder)
    for model in (first, second):
        list(model.points(frame, PointRule(grid=(2, 2))))
        model.everything(frame)
    assert encoder.calls == 1
    assert shared.saved_s > 0


def test_a_frame_without_objects_is_not_encoded() -> None:
    sam = _sam(1)
    empty = sample(np.zeros((4, 4), np.uint16), {})
    assert list(_model(sam, EmbeddingCache()).points(empty, PointRule())) == []
    assert sam.encoder[0].calls == 0  # type: ignore[attr-defined]


def test_everything_mode_runs_with_the_models_settings(frame: Sample) -> None:
    model = _model(_sam(1, classes=7), EmbeddingCache())
    found = model.everything(frame)
    assert found.size_hw == (60, 80)
    assert len(found) <= 2 * 3
    assert model.settings["everything"]["grid"] == [2, 1]
    assert model.settings["common"] == {"device": "cpu", "dtype": "float32"}


def test_a_checkpoint_says_who_it_is(tmp_path: Path) -> None:
    sam = load_model("mobile-sam")
    sam.attach_class_head(label_set("saom-54").classes)
    header = {
        "recipe": "saomv2",
        "label_set": "saom-54",
        "everything_preset": "saomv2",
        "everything": {"stability": 0.5},
        "train_fingerprint": "f" * 64,
        "train_scenes": ["FloorPlan1"],
    }
    path = tmp_path / "best.safetensors"
    save_checkpoint(path, sam, header)
    overrides = EverythingOverrides(grid=(16, 16))
    (base, tuned), _ = load_models(["sam:mobile-sam", str(path)], None, "cpu", overrides)
    assert (base.card.name, base.card.kind, base.card.label_set) == ("mobile-sam", "sam", None)
    assert (tuned.card.name, tuned.card.kind, tuned.card.recipe) == ("saomv2 (mobile-sam)", "checkpoint", "saomv2")
    assert (tuned.card.trained_on, tuned.card.train_scenes) == ("f" * 64, ("FloorPlan1",))
    assert tuned.card.base_weights_sha256 == base.card.base_weights_sha256 == sam.weights_sha256
    assert tuned.card.checkpoint_sha256 is not None
    # Each keeps its own thresholds; what is overridden is so for both.
    assert (base.settings["everything"]["pred_iou"], tuned.settings["everything"]["pred_iou"]) == (0.88, 0.3)
    assert (base.settings["everything"]["stability"], tuned.settings["everything"]["stability"]) == (0.95, 0.5)
    assert base.settings["everything"]["grid"] == tuned.settings["everything"]["grid"] == [16, 16]


@pytest.mark.parametrize(("told", "scenes"), [({}, ("FloorPlan21",)), ({"selection_scenes": []}, ())])
def test_validated_on_is_not_chosen_on(tmp_path: Path, told: dict[str, list[str]], scenes: tuple[str, ...]) -> None:
    path = tmp_path / "last.safetensors"
    save_checkpoint(path, load_model("mobile-sam"), {"val_scenes": ["FloorPlan21"], **told})
    (model,), _ = load_models([str(path)], None, "cpu", EverythingOverrides())
    assert model.card.val_scenes == scenes


@pytest.mark.parametrize(
    ("specs", "names", "message"),
    [
        (["oracel"], None, "'oracel'; did you mean 'oracle'"),
        (["sam:mobil-sam"], None, "did you mean 'mobile-sam'"),
        (["oracle", "oracle"], ["a", "b"], "are the same model"),
        (["oracle"], ["a", "b"], "2 names for 1 models"),
        (["none.safetensors"], None, "there is no checkpoint none.safetensors"),
        ([], None, "no model given"),
    ],
)
def test_models_that_cannot_be_scored_are_named(specs: list[str], names: list[str] | None, message: str) -> None:
    with pytest.raises(SaomBenchError, match=message):
        load_models(specs, names, "cpu", EverythingOverrides())
