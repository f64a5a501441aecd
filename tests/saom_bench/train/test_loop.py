"""A whole small run: learning, checkpoints, an exact resume, and what a folder refuses."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from shards_fixture import make_shards
from tiny_sam import tiny_sam, tiny_vit_sam

from saom_bench.errors import SaomBenchError
from saom_bench.sam.checkpoint import read_metadata
from saom_bench.sam.model import Sam
from saom_bench.shards.dataset import open_dataset
from saom_bench.train import loop
from saom_bench.train.batches import prepare
from saom_bench.train.cache import EmbeddingCache
from saom_bench.train.loop import BEST, LAST, Job, Trainer, steps_of
from saom_bench.train.recipe import Recipe, load_recipe
from saom_bench.train.state import CONFIG, STATE, claim, read_log
from saom_bench.train.validate import class_means, prepare_val, val_indices

RECIPE = Recipe(
    name="small",
    grid=(16, 12),
    loss_size="low",
    iou_weight=1.0,
    learning_rate=1e-3,
    epochs=2,
    images_per_step=2,
    max_prompts_per_image=2,
    save_every_steps=2,
    random_point_rate=0.5,
)
RUN = {"base": "tiny-sam", "train_fingerprint": "a", "data": "x"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    train = make_shards(root / "train", ("FloorPlan1", "FloorPlan2"), frames=5, size_hw=(48, 64))
    val = make_shards(root / "val", ("FloorPlan21",), frames=3, size_hw=(48, 64), split="val")
    return train, val, root / "cache"


def _job(folders, out, recipe=RECIPE, make_sam=tiny_sam):
    train, val, cache_dir = folders
    sam = make_sam(n_classes=54)
    cache = EmbeddingCache(cache_dir, sam)
    train_data, val_data = open_dataset(train), open_dataset(val)
    images, val_images = prepare(train_data, cache, recipe)[0], prepare_val(val_data, cache, recipe)
    return Job(out, recipe, sam, train_data, val_data, images, val_images, cache, {"recipe": recipe.name})


class Killed(Exception):
    pass


class KillAfter:
    """Stops the run from within, as a kill would: between a step and the next save."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def stepped(self, images, smooth_loss) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed

    def validating(self, images) -> None: ...
    def validated_image(self) -> None: ...
    def validated(self, epoch, scores, best) -> None: ...


def _steps(out):
    return [{k: v for k, v in line.items() if k != "seconds"} for line in read_log(out) if line["kind"] == "step"]


@pytest.mark.parametrize("killed_after", [3, 7])
def test_a_killed_run_resumes_with_the_losses_of_an_uninterrupted_one(folders, tmp_path, killed_after) -> None:
    whole = Trainer(_job(folders, tmp_path / "whole"))
    whole.run()
    job = _job(folders, tmp_path / "killed")
    with pytest.raises(Killed):
        Trainer(job, KillAfter(killed_after)).run()
    again = Trainer(_job(folders, tmp_path / "killed"), resume=True)
    assert 0 < again.at.step < killed_after
    assert again.images_left == 20 - 2 * again.at.step
    again.run()
    assert _steps(tmp_path / "killed") == _steps(tmp_path / "whole")
    assert again.at.last_scores == whole.at.last_scores
    for name, parameter in whole.parameters.items():
        assert torch.equal(parameter, again.parameters[name]), name


def test_a_run_learns_its_images(folders, tmp_path) -> None:
    recipe = replace(RECIPE, epochs=8, random_point_rate=0.0, max_prompts_per_image=0, iou_weight=0.0)
    trainer = Trainer(_job(folders, tmp_path, recipe))
    trainer.run()
    totals = [line["total"] for line in _steps(tmp_path)]
    assert np.mean(totals[-5:]) < 0.8 * np.mean(totals[:5])


def test_checkpoints_say_what_they_are(folders, tmp_path) -> None:
    at = Trainer(_job(folders, tmp_path)).run()
    last, best = read_metadata(tmp_path / LAST), read_metadata(tmp_path / BEST)
    assert (last["step"], last["epoch"], last["recipe"], last["base"]) == (10, 2, "small", "tiny-sam")
    assert best["val"]["miou"] == pytest.approx(at.best_miou)
    validations = [line for line in read_log(tmp_path) if line["kind"] == "val"]
    assert [line["epoch"] for line in validations] == [0, 1, 2]
    assert at.best_miou == max(line["miou"] for line in validations[1:])


def test_the_class_head_moves_at_its_own_rate(folders, tmp_path) -> None:
    moved = {}
    for rate in (0.0, 1e-2):
        recipe = replace(RECIPE, max_steps=1, adam_eps=1e-12, weight_decay=0.0, class_learning_rate=rate)
        trainer = Trainer(_job(folders, tmp_path / str(rate), recipe))
        before = {name: value.detach().clone() for name, value in trainer.parameters.items()}
        trainer.run()
        moved[rate] = {name: float((p.detach() - before[name]).abs().max()) for name, p in trainer.parameters.items()}
    for name, slow in moved[0.0].items():
        factor = 10 if name.startswith("class_head.") else 1
        assert moved[1e-2][name] == pytest.approx(factor * slow, rel=1e-3), name


def test_a_finished_run_has_nothing_left_to_do(folders, tmp_path) -> None:
    Trainer(_job(folders, tmp_path)).run()
    before = (tmp_path / LAST).read_bytes()
    again = Trainer(_job(folders, tmp_path), resume=True)
    assert again.images_left == 0
    again.run()
    assert (tmp_path / LAST).read_bytes() == before


def test_max_steps_ends_a_run_early_with_a_validation(folders, tmp_path) -> None:
    trainer = Trainer(_job(folders, tmp_path, replace(RECIPE, max_steps=3)))
    assert trainer.images_left == 6
    at = trainer.run()
    assert at.step == 3
    assert read_log(tmp_path)[-1]["kind"] == "val"
    assert (tmp_path / BEST).is_file()


def test_steps_are_counted_up() -> None:
    assert steps_of(5, replace(RECIPE, images_per_step=2, epochs=3)) == (3, 9)
    assert steps_of(5, replace(RECIPE, images_per_step=2, epochs=3, max_steps=4)) == (3, 4)


def test_a_folder_belongs_to_one_run(tmp_path) -> None:
    out = tmp_path / "run"
    assert claim(out, RECIPE, RUN) is False
    (out / f"{STATE}.part").touch()  # killed in its first save
    assert claim(out, replace(RECIPE, epochs=3), RUN) is False  # nothing was trained yet
    (out / STATE).write_bytes(b"state")
    assert claim(out, replace(RECIPE, epochs=3), {**RUN, "data": "moved"}) is True
    with pytest.raises(SaomBenchError, match="another run: its epochs is 3, not 4"):
        claim(out, replace(RECIPE, epochs=4), RUN)
    with pytest.raises(SaomBenchError, match="train_fingerprint is 'a', not 'b'"):
        claim(out, replace(RECIPE, epochs=3), {**RUN, "train_fingerprint": "b"})
    (out / CONFIG).write_text("= broken")
    with pytest.raises(SaomBenchError, match="not valid TOML"):
        claim(out, RECIPE, RUN)


def test_a_folder_with_other_things_is_left_alone(tmp_path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(SaomBenchError, match="no training run"):
        claim(tmp_path, RECIPE, RUN)
    with pytest.raises(SaomBenchError, match="no training run"):
        claim(tmp_path / "thesis.txt", RECIPE, RUN)


@pytest.mark.parametrize("damage", ["cut", "other"])
def test_a_damaged_state_is_refused(folders, tmp_path, damage) -> None:
    Trainer(_job(folders, tmp_path, replace(RECIPE, max_steps=1))).run()
    state = tmp_path / STATE
    recipe = RECIPE if damage == "cut" else replace(RECIPE, iou_weight=0.0)
    if damage == "cut":
        state.write_bytes(state.read_bytes()[:-100])
    with pytest.raises(SaomBenchError, match="delete it to start"):
        Trainer(_job(folders, tmp_path, recipe), resume=True)


def test_the_log_forgets_what_came_after_the_saved_step(folders, tmp_path) -> None:
    Trainer(_job(folders, tmp_path)).run()
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write(json.dumps({"kind": "step", "step": 11}) + '\n{"kind": "st')
    Trainer(_job(folders, tmp_path), resume=True)
    assert max(line["step"] for line in read_log(tmp_path)) == 10


def test_a_loss_that_is_not_finite_names_the_batch(folders, tmp_path) -> None:
    job = _job(folders, tmp_path)
    trainer = Trainer(job)
    with torch.no_grad():
        job.sam.mask_decoder.mask_tokens.weight.fill_(float("nan"))
    with pytest.raises(
        SaomBenchError, match=r"loss became nan in step 1, on FloorPlan\d/0+\d, FloorPlan\d/0+\d; lower"
    ):
        trainer.run()
    assert not (tmp_path / LAST).exists()


def test_a_gradient_that_is_not_finite_moves_nothing(folders, tmp_path) -> None:
    job = _job(folders, tmp_path)
    trainer = Trainer(job)
    job.sam.mask_decoder.mask_tokens.weight.register_hook(lambda grad: grad * float("inf"))
    before = job.sam.class_head.weight.clone()
    with pytest.raises(SaomBenchError, match=r"gradient became (inf|nan) in step 1, on FloorPlan"):
        trainer.run()
    assert torch.equal(before, job.sam.class_head.weight)


def test_a_run_with_an_average_and_a_scaler_resumes_exactly(folders, tmp_path) -> None:
    recipe = replace(RECIPE, ema_decay=0.9, precision="float16", max_steps=4)
    whole = Trainer(_job(folders, tmp_path / "whole", recipe))
    whole.run()
    with pytest.raises(Killed):
        Trainer(_job(folders, tmp_path / "killed", recipe), KillAfter(3)).run()
    again = Trainer(_job(folders, tmp_path / "killed", recipe), resume=True)
    assert again.at.scaler["_growth_tracker"] == again.at.step > 0
    again.run()
    assert _steps(tmp_path / "killed") == _steps(tmp_path / "whole")
    for name, value in whole.average.values.items():
        assert torch.equal(value, again.average.values[name]), name
        assert not torch.equal(value, whole.parameters[name]), name
    kept = load_file(tmp_path / "whole" / LAST)
    assert torch.equal(kept["class_head.weight"], whole.average.values["class_head.weight"])


def test_a_run_stops_when_validation_stands_still(folders, tmp_path, monkeypatch) -> None:
    scores = iter([10.0, 20.0, 19.0, 18.0, 17.0])
    monkeypatch.setattr(loop, "validate", lambda *_: {"miou": next(scores)})
    at = Trainer(_job(folders, tmp_path, replace(RECIPE, epochs=9, early_stop=2))).run()
    assert (at.epoch, at.best_miou, at.stale, at.stopped) == (3, 20.0, 2, True)
    again = Trainer(_job(folders, tmp_path, replace(RECIPE, epochs=9, early_stop=2)), resume=True)
    assert again.run().epoch == 3


@pytest.mark.parametrize("change", [{"prefetch_images": 0}, {"prompts_per_chunk": 1}])
def test_how_a_run_is_run_does_not_change_its_losses(folders, tmp_path, change) -> None:
    one, other = replace(RECIPE, max_steps=3), replace(RECIPE, max_steps=3, **change)
    Trainer(_job(folders, tmp_path / "one", one)).run()
    Trainer(_job(folders, tmp_path / "other", other)).run()
    for line, twin in zip(_steps(tmp_path / "one"), _steps(tmp_path / "other"), strict=True):
        for key, value in line.items():
            assert value == (pytest.approx(twin[key], rel=1e-4) if isinstance(value, float) else twin[key]), key


def test_parts_that_may_train(folders, tmp_path) -> None:
    decoder = Trainer(_job(folders, tmp_path, replace(RECIPE, parts=("decoder",), class_weight=0.0)))
    assert all(name.startswith("mask_decoder.") for name in decoder.parameters)
    with pytest.raises(SaomBenchError, match="trains nothing"):
        Trainer(_job(folders, tmp_path, replace(RECIPE, parts=(), class_weight=0.0)))


def test_a_run_that_trains_the_encoder_learns_and_resumes_exactly(folders, tmp_path) -> None:
    recipe = replace(RECIPE, parts=("decoder", "prompt-encoder", "neck", "lora"), lora_rank=2, max_steps=4)
    whole = Trainer(_job(folders, tmp_path / "whole", recipe, tiny_vit_sam))
    before = {name: value.detach().clone() for name, value in whole.parameters.items()}
    whole.run()
    assert sum(name.startswith("image_encoder.blocks.") for name in before) == 4
    assert not [name for name, value in before.items() if torch.equal(value, whole.parameters[name])]
    with pytest.raises(Killed):
        Trainer(_job(folders, tmp_path / "killed", recipe, tiny_vit_sam), KillAfter(3)).run()
    again = Trainer(_job(folders, tmp_path / "killed", recipe, tiny_vit_sam), resume=True)
    again.run()
    assert _steps(tmp_path / "killed") == _steps(tmp_path / "whole")
    assert {name for name in load_file(tmp_path / "whole" / LAST) if name in before} == set(before)


@pytest.mark.filterwarnings("ignore:The .grad attribute")  # torch's own, from inside its tracing
def test_a_compiled_decoder_takes_the_same_steps(folders, tmp_path, monkeypatch) -> None:
    plain, compiled = replace(RECIPE, max_steps=2), replace(RECIPE, max_steps=2, compile=True)
    Trainer(_job(folders, tmp_path / "plain", plain)).run()
    whole = Sam.compile_decoder
    # Tracing is what could go wrong here; generating machine code takes a minute.
    monkeypatch.setattr(Sam, "compile_decoder", lambda sam: whole(sam, backend="eager"))
    Trainer(_job(folders, tmp_path / "compiled", compiled)).run()
    for line, twin in zip(_steps(tmp_path / "compiled"), _steps(tmp_path / "plain"), strict=True):
        assert line["total"] == pytest.approx(twin["total"], rel=1e-4)


def test_panoramas_train(tmp_path) -> None:
    """Five times as wide as high, on PanoSAM's grid, at both sizes of the loss."""
    train = make_shards(tmp_path / "train", frames=2, size_hw=(32, 160))
    val = make_shards(tmp_path / "val", ("FloorPlan21",), frames=1, size_hw=(32, 160), split="val")
    for size in ("low", "image"):
        recipe = load_recipe("panosam", [f"loss_size={size}", "max_steps=2", "images_per_step=2"])
        at = Trainer(_job((train, val, tmp_path / "cache"), tmp_path / size, recipe)).run()
        assert at.step == 2
        assert 0 <= at.last_scores["miou"] <= 100


def test_class_means_by_hand() -> None:
    # Class 0: intersections 6 + 2, unions (6+8-6) + (4+2-2); class 3: a miss.
    areas = np.array([[6, 6, 8], [2, 4, 2], [0, 5, 10]])
    got = class_means(np.array([0, 0, 3]), areas)
    assert got["miou"] == pytest.approx(100 * (8 / 12 + 0) / 2)
    assert got["macc"] == pytest.approx(100 * (8 / 10 + 0) / 2)
    assert got["instance_miou"] == pytest.approx(100 * (6 / 8 + 2 / 4 + 0) / 3)


def test_validation_images_are_spread_evenly() -> None:
    assert val_indices(10, 0) == list(range(10))
    assert val_indices(10, 20) == list(range(10))
    assert val_indices(10, 3) == [0, 3, 6]
