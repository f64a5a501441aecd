"""The mask scorer's training: after the decoder, which it leaves alone; again the same after a kill; also alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from shards_fixture import make_shards
from tiny_sam import sharp, tiny_sam

from saom_bench.errors import SaomBenchError
from saom_bench.sam.checkpoint import read_metadata
from saom_bench.sam.model import Judged
from saom_bench.shards.dataset import open_dataset
from saom_bench.train import loop, scoring
from saom_bench.train.batches import prepare
from saom_bench.train.cache import EmbeddingCache
from saom_bench.train.loop import BEST, LAST, Job, Trainer
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


def _log(out):
    return [{k: v for k, v in line.items() if k != "seconds"} for line in read_log(out)]


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
    assert _log(tmp_path / "killed") == _log(tmp_path / "whole")
    finished = Trainer(_job(folders, tmp_path / "killed"), resume=True)
    assert finished.run().last_scores == whole.at.last_scores
    assert torch.equal(_tensors(finished)["hidden.weight"], _tensors(whole)["hidden.weight"])
    assert _log(tmp_path / "killed") == _log(tmp_path / "whole")


def test_killed_after_its_validation_it_logs_nothing_twice(folders, tmp_path, monkeypatch) -> None:
    trainer = Trainer(_job(folders, tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_checkpoint", lambda self, name: _stop() if self.at.scored else None)
        with pytest.raises(KeyboardInterrupt):
            trainer.run()
    seen = _log(tmp_path)
    Trainer(_job(folders, tmp_path), resume=True).run()
    assert _log(tmp_path) == seen


def test_an_early_stop_stays_one_when_the_scorer_is_better(folders, tmp_path, monkeypatch) -> None:
    scores = iter([10.0, 20.0, 19.0, 30.0])
    monkeypatch.setattr(loop, "validate", lambda *_: {"miou": next(scores)})
    recipe = replace(RECIPE, epochs=9, max_steps=0, early_stop=1)
    at = Trainer(_job(folders, tmp_path, recipe)).run()
    assert (at.epoch, at.best_miou, at.stopped, at.scored) == (2, 30.0, True, True)
    again = Trainer(_job(folders, tmp_path, recipe), resume=True)
    assert (again.run().epoch, again.at.step) == (2, at.step)
    assert read_metadata(tmp_path / BEST)["mask_scorer"] == {"classes": True}


def test_with_an_average_it_learns_on_the_average(folders, tmp_path, monkeypatch) -> None:
    trainer = Trainer(_job(folders, tmp_path, replace(RECIPE, ema_decay=0.5)))
    decoders: list[torch.Tensor] = []

    def watched(sam, *rest):
        decoders.append(sam.mask_decoder.mask_tokens.weight.clone())
        return examples(sam, *rest)

    monkeypatch.setattr(loop, "examples", watched)
    trainer.run()
    kept = load_file(tmp_path / LAST)["mask_decoder.mask_tokens.weight"]
    assert torch.equal(decoders[0], kept)
    assert not torch.equal(kept, trainer.parameters["mask_decoder.mask_tokens.weight"])


def test_masks_that_are_not_finite_are_named(folders, tmp_path) -> None:
    trainer = Trainer(_job(folders, tmp_path, ALONE))
    with torch.no_grad():
        trainer.job.sam.mask_decoder.mask_tokens.weight.fill_(float("nan"))
    with pytest.raises(SaomBenchError, match=r"masks of FloorPlan\d/0+\d are not finite"):
        trainer._train_scorer()
    assert trainer.job.sam.scorer is None


def test_alone_it_trains_on_a_decoder_as_it_is_and_names_the_classes_anew(folders, tmp_path) -> None:
    trainer = Trainer(_job(folders, tmp_path, ALONE, n_classes=None))
    before = {name: value.clone() for name, value in trainer.job.sam.mask_decoder.state_dict().items()}
    at = trainer.run()
    assert (trainer.parameters, at.step, at.scored) == ({}, 0, True)
    for name, value in trainer.job.sam.mask_decoder.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert trainer.job.sam.class_names == trainer.job.train_data.label_set.classes
    assert "class_accuracy" in at.last_scores
    log = _log(tmp_path)
    again = Trainer(_job(folders, tmp_path, ALONE, n_classes=None), resume=True)
    assert again.run().last_scores == at.last_scores
    assert _log(tmp_path) == log
    assert len(log) == 5


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
        iou, classes = scorer(torch.from_numpy(found.seen), torch.from_numpy(found.predicted_iou))
    on_object = found.class_index >= 0
    rows = np.flatnonzero(on_object)
    chosen, raw = (found.true_iou[rows, v[rows].argmax(axis=1)].mean() for v in (iou.numpy(), found.predicted_iou))
    assert chosen > raw
    none = Judged(iou, classes[:, :-1], classes[:, -1:]).classes()[1].numpy()
    assert 0 < (~on_object).sum() <= on_object.sum()
    assert none[~on_object].mean() < none[on_object].mean() - 0.1


def test_points_beside_lie_on_no_object(folders, tmp_path) -> None:
    job = _job(folders, tmp_path)
    image = loop.Loader(job.train_data, job.train_images, job.cache, job.recipe).load_whole(0)
    points_xy = scoring._points_beside(image, job.recipe)
    assert len(points_xy) == (len(image.prompts) + 1) // 2
    assert (image.labels[points_xy[:, 1].astype(int), points_xy[:, 0].astype(int)] == 0).all()
    assert len(np.unique(points_xy, axis=0)) == len(points_xy)


def test_of_a_large_dataset_it_takes_a_part(monkeypatch) -> None:
    counts = [5] * 40
    assert chosen_images(counts, seed=0) == list(range(40))
    monkeypatch.setattr(scoring, "MOST_PROMPTS", 52)
    few = chosen_images(counts, seed=0)
    assert len(few) == 10
    assert few == sorted(set(few)) == chosen_images(counts, seed=0) != chosen_images(counts, seed=1)
