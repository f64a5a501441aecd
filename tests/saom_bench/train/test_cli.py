"""The train and recipes commands: a run, its resume, and the refusals, each one clear line."""

import tomllib

import numpy as np
import pytest
import typer
from shards_fixture import make_shards
from tiny_sam import tiny_sam
from typer.testing import CliRunner

from saom_bench.errors import SaomBenchError
from saom_bench.files import sha256_file
from saom_bench.sam.checkpoint import read_metadata, save_checkpoint
from saom_bench.train import batches, job
from saom_bench.train.cli import recipes, train

SMALL = ["--set", "grid=[16, 12]", "--set", "loss_size=low", "--set", "max_prompts_per_image=2", "--set", "max_steps=2"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    size = {"frames": 2, "size_hw": (48, 64)}
    return {
        "train": make_shards(root / "train", ("FloorPlan1", "FloorPlan2"), **size),
        "val": make_shards(root / "val", ("FloorPlan21",), split="val", **size),
        "other": make_shards(root / "other", ("FloorPlan22",), label_set_name="saom-48", split="val", **size),
    }


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Runs the command with a tiny model in place of a real one; returns (exit code, output, error)."""
    monkeypatch.setattr(job, "load_model", lambda spec, device, weights: tiny_sam())
    monkeypatch.setenv("SAOM_BENCH_CACHE", str(tmp_path / "cache"))
    app = typer.Typer()
    app.command("train")(train)
    app.add_typer(recipes, name="recipes")

    def invoke(*arguments):
        result = CliRunner().invoke(app, [str(a) for a in arguments])
        return result.exit_code, result.output, result.exception

    return invoke


def _train(run, folders, out, *more, data="train", val="val"):
    return run("train", out, "--data", folders[data], "--val", folders[val], *SMALL, *more)


def test_a_run_from_the_command_line(run, folders, tmp_path) -> None:
    out = tmp_path / "run"
    code, text, error = _train(run, folders, out, "--seed", 5)
    assert (code, error) == (0, None), text
    assert {p.name for p in out.iterdir()} == {
        "config.toml",
        "log.jsonl",
        "best.safetensors",
        "last.safetensors",
        "state.safetensors",
        "summary.md",
        "curves.png",
        "val.png",
    }
    metadata = read_metadata(out / "best.safetensors")
    assert metadata["label_set"] == "saom-54"
    assert metadata["config"]["seed"] == 5
    assert metadata["train_scenes"] == ["FloorPlan1", "FloorPlan2"]
    config = tomllib.loads((out / "config.toml").read_text())
    assert config["run"]["train_fingerprint"] == metadata["train_fingerprint"]
    assert "torch" in config["run"]["packages"]
    page = (out / "summary.md").read_text("utf-8")
    assert page.startswith("# saomv1 on tiny-sam\n\n2 steps over 2 images and ")
    assert "| before training | 0 |" in page
    assert "| epoch 1 (best) | 2 |" in page
    assert "val mIoU" in text
    assert "saom-bench eval" in text
    code, text, error = _train(run, folders, out, "--seed", 5)
    assert (code, error) == (0, None)
    assert "resuming at step 2 of 2" in text


def test_the_config_of_a_run_is_a_recipe(run, folders, tmp_path) -> None:
    _train(run, folders, tmp_path / "run")
    code, text, error = _train(run, folders, tmp_path / "again", "--recipe", tmp_path / "run" / "config.toml")
    assert (code, error) == (0, None), text


def test_a_dry_run_writes_nothing(run, folders, tmp_path) -> None:
    code, text, _ = _train(run, folders, tmp_path / "run", "--dry-run")
    assert code == 0
    assert "2 over 500 epochs" in text
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--recipe", "saomv9"], "did you mean 'saomv"),
        (["--set", "learning_rat=1"], "did you mean 'learning_rate'"),
        (["--set", "min_area_px=100000000"], "has no usable mask"),
        (["--epochs", "0"], "epochs = 0 will not do"),
    ],
)
def test_a_wrong_option_is_one_clear_line(run, folders, tmp_path, more, message) -> None:
    _, _, error = _train(run, folders, tmp_path / "run", *more)
    assert isinstance(error, SaomBenchError)
    assert message in str(error)
    assert "\n" not in str(error)
    assert not (tmp_path / "run").exists()


def test_train_and_val_must_not_share_a_scene(run, folders, tmp_path) -> None:
    _, _, error = _train(run, folders, tmp_path / "run", val="train")
    assert isinstance(error, SaomBenchError)
    assert "share the scene FloorPlan1 and 1 more" in str(error)


def test_train_and_val_must_have_one_label_set(run, folders, tmp_path) -> None:
    _, _, error = _train(run, folders, tmp_path / "run", val="other")
    assert isinstance(error, SaomBenchError)
    assert "saom-54" in str(error)
    assert "saom-48" in str(error)


def test_a_checkpoint_of_other_classes_is_refused(run, folders, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(job, "load_model", lambda spec, device, weights: tiny_sam(n_classes=3))
    _, _, error = _train(run, folders, tmp_path / "run")
    assert isinstance(error, SaomBenchError)
    assert "knows 3 classes" in str(error)


def test_a_checkpoint_is_not_validated_on_what_it_was_trained_on(run, folders, tmp_path) -> None:
    path = tmp_path / "before.safetensors"
    seen = {"train_scenes": ["FloorPlan21", "FloorPlan9"], "val_scenes": ["FloorPlan25"]}
    save_checkpoint(path, tiny_sam(), seen)
    _, _, error = _train(run, folders, tmp_path / "run", "--model", path)
    assert isinstance(error, SaomBenchError)
    assert "was trained on FloorPlan21" in str(error)
    save_checkpoint(path, tiny_sam(), {**seen, "train_scenes": ["FloorPlan9"]})
    code, _, _ = _train(run, folders, tmp_path / "run", "--model", path)
    assert code == 0
    header = read_metadata(tmp_path / "run" / "last.safetensors")
    assert header["train_scenes"] == ["FloorPlan1", "FloorPlan2", "FloorPlan9"]  # what came before is not forgotten
    assert header["val_scenes"] == ["FloorPlan21", "FloorPlan25"]
    # The run chose its best checkpoint on its val scenes, and the last one on none; of the one before that is not told.
    assert header["selection_scenes"] == ["FloorPlan25"]
    assert read_metadata(tmp_path / "run" / "best.safetensors")["selection_scenes"] == ["FloorPlan21", "FloorPlan25"]
    assert header["from_checkpoint_sha256"] == sha256_file(path)


def test_a_recipe_that_drops_everything_is_refused(run, folders, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(batches, "off_mask", lambda labels, prompts: np.ones(len(prompts.labels), np.bool_))
    _, _, error = _train(run, folders, tmp_path / "run", "--set", "off_mask_prompts=drop")
    assert isinstance(error, SaomBenchError)
    assert "drops all" in str(error)
    monkeypatch.undo()
    monkeypatch.setattr(job, "load_model", lambda spec, device, weights: tiny_sam())
    code, _, error = _train(run, folders, tmp_path / "run", "--cache", tmp_path / "cache")
    assert (code, error) == (0, None)  # a failed start leaves nothing in the way


def test_two_processes_do_not_train_in_one_folder(run, folders, tmp_path) -> None:
    with job.only_trainer(tmp_path / "run"):
        _, _, error = _train(run, folders, tmp_path / "run")
    assert isinstance(error, SaomBenchError)
    assert "another process" in str(error)


def test_recipes_are_listed_shown_and_copied(run, tmp_path) -> None:
    code, text, _ = run("recipes", "list")
    assert code == 0
    assert "saomv1-cpu" in text
    code, text, _ = run("recipes", "show", "saomv2")
    assert code == 0
    assert tomllib.loads(text)["grid"] == [64, 64]
    code, _, _ = run("recipes", "copy", "saomv1", tmp_path / "mine.toml")
    assert code == 0
    assert tomllib.loads((tmp_path / "mine.toml").read_text())["name"] == "mine"
    _, _, error = run("recipes", "copy", "saomv1", tmp_path / "mine.toml")
    assert "exists" in str(error)
    _, _, error = run("recipes", "copy", "saomv1", tmp_path / "mine.txt")
    assert ".toml" in str(error)


def test_an_assignment_is_drawn(run, folders, tmp_path, monkeypatch) -> None:
    from PIL import Image

    from saom_bench.shards.dataset import open_dataset

    monkeypatch.setattr("saom_bench.sam.registry.load_model", lambda *_: tiny_sam())
    key = open_dataset(folders["train"]).keys[1]
    pictures = [tmp_path / f"{name}.png" for name in ("number", "key")]
    for picture, image in zip(pictures, ("1", key), strict=True):
        code, text, _ = run("train", picture, "--data", folders["train"], "--explain", image)
        assert code == 0, text
        assert text.count("prior (") >= 3
    assert pictures[0].read_bytes() == pictures[1].read_bytes()
    pixels = np.asarray(Image.open(pictures[0]))
    assert pixels.shape[1] > 1000
    assert (pixels == (40, 220, 60)).all(axis=-1).any()  # a point's ring


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["a.png", "--explain", "99"], "there is no image 99: the dataset has 4, from 0 to 3"),
        (["a.png", "--explain", "FloorPlan1/00000"], "did you mean 'FloorPlan1/00000"),
        (["folder", "--explain", "0"], "must end in .png or .jpg"),
        (["folder"], "give --val"),
        (["a.png", "--explain", "0", "--val", "x"], "trains nothing; leave --val out"),
        (["a.png", "--explain", "0", "--dry-run"], "trains nothing; leave --dry-run out"),
        (["a.png", "--explain", "0", "--seed", "0"], "trains nothing; leave --seed out"),
    ],
)
def test_what_cannot_be_drawn_is_refused(run, folders, options, message) -> None:
    _, _, error = run("train", *options, "--data", folders["train"])
    assert isinstance(error, SaomBenchError)
    assert message in str(error)


def test_events_for_tensorboard(run, folders, tmp_path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    code, text, _ = _train(run, folders, tmp_path / "run", "--tensorboard")
    assert code == 0, text
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    assert {"train/total", "train/learning_rate", "val/miou"} <= set(events.Tags()["scalars"])
    assert [event.step for event in events.Scalars("train/total")] == [1, 2]
    assert [event.step for event in events.Images("val/masks")] == [0, 2]
