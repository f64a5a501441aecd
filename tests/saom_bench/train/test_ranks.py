"""Runs in processes of their own: killed in the middle of a step, and several that share one run."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
import train_worker
from safetensors.torch import load_file
from shards_fixture import make_shards
from train_worker import Order, first_gradients, make_job

from saom_bench.errors import SaomBenchError
from saom_bench.train.loop import Trainer
from saom_bench.train.ranks import ALONE, Ranks
from saom_bench.train.state import read_log

RECIPE = {
    "name": "small",
    "grid": [16, 12],
    "loss_size": "low",
    "iou_weight": 1.0,
    "epochs": 2,
    "images_per_step": 3,
    "max_prompts_per_image": 3,
    "points_per_mask": 2,
    "save_every_steps": 2,
    "scorer_epochs": 1,
}


@pytest.fixture(scope="module")
def order(tmp_path_factory) -> Order:
    root = tmp_path_factory.mktemp("data")
    train = make_shards(root / "train", ("FloorPlan1", "FloorPlan2"), frames=4, size_hw=(48, 64))
    val = make_shards(root / "val", ("FloorPlan21",), frames=3, size_hw=(48, 64), split="val")
    return Order(str(train), str(val), str(root / "cache"), str(root / "whole"), RECIPE)


@pytest.fixture(scope="module")
def whole(order):
    """An uninterrupted run in this process: its steps, scores and first gradients."""
    gradients = first_gradients(make_job(order))
    trainer = Trainer(make_job(order))
    trainer.run()
    return _steps(order), trainer.at.last_scores, gradients


def _steps(order):
    lines = read_log(Path(order.out))
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines if line["kind"] == "step"]


def _start(order, *launcher):
    path = Path(order.out).with_suffix(".json")
    path.write_text(json.dumps(asdict(order)))
    paths = [str(Path(train_worker.__file__).parent), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    command = [sys.executable, *launcher, train_worker.__file__, str(path)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)


def test_a_run_killed_in_a_step_resumes_with_the_losses_of_an_uninterrupted_one(order, whole, tmp_path) -> None:
    killed = replace(order, out=str(tmp_path / "killed"), kill_rank=0, kill_at_step=4)
    done = _start(killed)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert _steps(killed) == whole[0][:3]
    again = Trainer(make_job(killed), resume=True)
    assert (again.at.step, again.at.step_in_epoch) == (3, 0)
    again.run()
    assert _steps(killed) == whole[0]
    assert again.at.last_scores == whole[1]


def test_two_processes_take_the_steps_of_one_and_survive_a_kill(order, whole, tmp_path) -> None:
    shared = replace(order, out=str(tmp_path / "shared"), cache=str(tmp_path / "cache"), kill_rank=1, kill_at_step=5)
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--max-restarts", "1")
    done = _start(shared, *launcher)
    assert done.returncode == 0, done.stderr
    out = Path(shared.out)
    # Eight training and three validation images, dealt out.
    assert [(out / f"made-{rank}").read_text() for rank in (0, 1)] == ["6", "5"]
    assert [(out / f"resumed-{rank}").read_text() for rank in (0, 1)] == ["4", "4"]
    gradients = load_file(out / "gradients.safetensors")
    assert gradients.keys() == whole[2].keys()
    for name, value in whole[2].items():
        torch.testing.assert_close(gradients[name], value, atol=1e-5, rtol=1e-5, msg=name)
    for line, wanted in zip(_steps(shared), whole[0], strict=True):
        assert (line["images"], line["prompts"]) == (wanted["images"], wanted["prompts"])
        assert line["total"] == pytest.approx(wanted["total"], rel=1e-4)
    assert read_log(out)[-1]["miou"] == pytest.approx(whole[1]["miou"], abs=0.5)
    # Their scorers learn from the same prompts in the same order, whoever decoded them.
    (ours,), (wanted,) = ([line for line in read_log(Path(o)) if line["kind"] == "scorer"] for o in (out, order.out))
    assert {k: ours[k] for k in ("class", "ranking")} == pytest.approx(
        {k: wanted[k] for k in ("class", "ranking")}, rel=1e-2
    )


def test_shares_are_disjoint_and_whole() -> None:
    shares = [Ranks(rank, 3).share(range(8)) for rank in range(3)]
    assert sorted(i for share in shares for i in share) == list(range(8))
    assert ALONE.merge(ALONE.share("abc")) == ["a", "b", "c"]


def test_more_processes_than_gpus_are_refused(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert Ranks(5, 8, local_rank=1).device("auto") == "cuda:1"
    assert Ranks(5, 8, local_rank=1).device("cpu") == "cpu"
    assert ALONE.device("auto") == "auto"
    with pytest.raises(SaomBenchError, match="--nproc-per-node 2"):
        Ranks(2, 8, local_rank=2).device("cuda")
