"""The mask scorer's training: after the decoder, which it leaves alone; again the same after a kill; also alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from shards_fixture import make_shards
from tiny_sam import sharp, tiny_sam

from saom_bench.sam.checkpoint import read_metadata
from saom_bench.shards.dataset import open_dataset
from saom_bench.train import loop, scoring
from saom_bench.train.batches import prepare
from saom_bench.train.cache import EmbeddingCache
from saom_bench.train.loop import LAST, Job, Trainer
from saom_bench.train.recipe import Recipe
from saom_bench.train.scoring import chosen_images, examples, fit
from saom_bench.train.state import read_log
from saom_bench.train.validate import prepare_val

RECIPE = Recipe(
    name="small", grid=(16, 12), loss_size="low", epochs=1, max_steps=2, images_per_step=2, scorer_epochs=3, seed=4
)
ALONE = replace(RECIPE, parts=())


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    train = make_shards(root / "train", ("FloorPlan1", "FloorPlan2"), frames=3, size_hw=(48, 64))
    val = make_shards(root / "val", ("FloorPlan21",), frames=2, size_hw=(48, 64), split="val")
    return train, val, root / "cache"


def _job(folders, out, recipe=RECIPE, n_classes=54):
    sam = sharp(tiny_sam(n_classes=n_classes))
    cache = EmbeddingCache(folders[2], sam)
    train, val = map(open_dataset, folders[:2])
    images, val_images = prepare(train, cache, recipe)[0], prepare_val(val, cache, recipe)
    return Job(out, recipe, sam, train, val, images, val_images, cache, {"recipe": recipe.name})


def _tensors(trainer: Trainer) -> dict[str, torch.Tensor]:
    assert trainer.job.sam.scorer is not None
    return trainer.job.sam.scorer.state_dict()


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def test_it_learns_after_the_decoder_and_leaves_it_alone(folders, tmp_path) -> None:
    bare = Trainer(_job(folders, tmp_path / "bare", replace(RECIPE, scorer_epochs=0)))
    bare.run()
    trainer = Trainer(_job(folders, tmp_path / "scored"))
    at = trainer.run()
    assert (at.scored, at.step, bare.at.scored) == (True, 2, False)
    for name, value in bare.parameters.items():
        assert torch.equal(value, trainer.parameters[name]), name
    log = read_log(tmp_path / "scored")
    assert [line["scorer_epoch"] for line in log if line["kind"] == "scorer"] == [1, 2, 3]
    vals = [line for line in log if line["kind"] == "val"]
    assert [line["of"] for line in vals] == ["before training", "epoch 1", "with its mask scorer"]
    assert vals[1]["best_miou"] == vals[2]["best_miou"]
    header = read_metadata(tmp_path / "scored" / LAST)
    assert header["mask_scorer"] == {"classes": True}
    assert header["val"] == at.last_scores == {key: vals[2][key] for key in at.last_scores}


def test_broken_off_it_ends_the_same_and_a_finished_run_is_left_alone(folders, tmp_path, monkeypatch) -> None:
    whole = Trainer(_job(folders, tmp_path / "whole"))
    whole.run()
    killed = Trainer(_job(folders, tmp_path / "killed"))
    with monkeypatch.context() as patch:
        patch.setattr(scoring, "_losses", _stop)
        with pytest.raises(KeyboardInterrupt):
            killed.run()
    again = Trainer(_job(folders, tmp_path / "killed"), resume=True)
    assert (again.at.step, again.at.scored) == (2, False)
    again.run()
    for name, value in _tensors(whole).items():
        assert torch.equal(value, _tensors(again)[name]), name
    monkeypatch.setattr(loop, "fit", lambda *_: pytest.fail("it has learned already"))
    finished = Trainer(_job(folders, tmp_path / "killed"), resume=True)
    assert finished.run().last_scores == whole.at.last_scores
    assert torch.equal(_tensors(finished)["hidden.weight"], _tensors(whole)["hidden.weight"])


def test_alone_it_trains_on_a_decoder_as_it_is_and_names_the_classes_anew(folders, tmp_path) -> None:
    trainer = Trainer(_job(folders, tmp_path, ALONE, n_classes=None))
    before = {name: value.clone() for name, value in trainer.job.sam.mask_decoder.state_dict().items()}
    at = trainer.run()
    assert (trainer.parameters, at.step, at.scored) == ({}, 0, True)
    for name, value in trainer.job.sam.mask_decoder.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert trainer.job.sam.class_names == trainer.job.train_data.label_set.classes
    assert "class_accuracy" in at.last_scores
    again = Trainer(_job(folders, tmp_path, ALONE, n_classes=None), resume=True)
    assert again.run().last_scores == at.last_scores


def test_it_learns_what_it_is_shown(folders, tmp_path) -> None:
    job = _job(folders, tmp_path, replace(RECIPE, scorer_epochs=60))
    loader = loop.Loader(job.train_data, job.train_images, job.cache, job.recipe)
    found = examples(job.sam, loader.load_whole, range(len(job.train_images)), job.recipe, lambda: None)
    scorer = job.sam.attach_scorer(job.train_data.label_set.classes)
    lines: list[dict[str, float]] = []
    fit(scorer, found, job.recipe, lambda **values: lines.append(values))
    assert lines[-1]["class"] < 0.7 * lines[0]["class"]
    assert lines[-1]["iou"] < 0.7 * lines[0]["iou"]
    with torch.no_grad():
        iou, _ = scorer(torch.from_numpy(found.seen), torch.from_numpy(found.predicted_iou))
    rows = np.arange(len(found))
    chosen, raw = (found.true_iou[rows, v.argmax(axis=1)].mean() for v in (iou.numpy(), found.predicted_iou))
    assert chosen > raw


def test_of_a_large_dataset_it_takes_a_part(monkeypatch) -> None:
    counts = [5] * 40
    assert chosen_images(counts, seed=0) == list(range(40))
    monkeypatch.setattr(scoring, "MOST_PROMPTS", 52)
    few = chosen_images(counts, seed=0)
    assert len(few) == 10
    assert few == sorted(set(few)) == chosen_images(counts, seed=0) != chosen_images(counts, seed=1)
