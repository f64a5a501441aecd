"""The same numbers from one process, from two, from torchrun's, from a broken-off run, and when measured again."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest
import typer
from shards_fixture import make_shards
from typer.testing import CliRunner, Result

from saom_bench.errors import SaomBenchError
from saom_benchmarks.cli import eval_
from saom_benchmarks.crew import Crew, Order
from saom_benchmarks.models import EverythingOverrides
from saom_benchmarks.results import read_results

app = typer.Typer()
app.command()(eval_)


def _run(*arguments: object) -> Result:
    result = CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "160"})
    if isinstance(result.exception, SaomBenchError):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_shards(tmp_path_factory.mktemp("data"), ("FloorPlan26", "FloorPlan27"), frames=3, split="test")


@pytest.fixture(scope="module")
def plain(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("plain")
    assert _run("--data", data, "--models", "grid-boxes,oracle", "--out", out, "--parquet").exit_code == 0
    return out


def _numbers(folder: Path) -> dict[str, dict[str, Any]]:
    """Results without what may differ: times, the command, the state of a working tree, the digest of it all."""
    differs = {"speed", "created", "command", "git", "digest"}
    found = {}
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text())
        found[path.name] = {k: v for k, v in content.items() if k not in differs}
    return found


@pytest.mark.slow
@pytest.mark.parametrize("options", [("--batch", 1), ("--batch", 4), ("--engine", "ray", "--batch", 2)])
def test_other_processes_give_the_numbers_of_one(
    data: Path, plain: Path, tmp_path: Path, options: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(p for p in sys.path if p))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    # Its workers are polite by default (nice 15): on a busy machine they would get no turn.
    monkeypatch.setenv("RAY_worker_niceness", "0")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    _run("--data", data, "--models", "grid-boxes,oracle", "--out", tmp_path, "--workers", 2, *options)
    assert _numbers(tmp_path) == _numbers(plain)


MODEL = """
from saom_benchmarks.controls import OracleModel

def load(spec, request):
    model = OracleModel()
    model.card = model.card.model_copy(update={"name": "ours", "kind": "other", "spec": spec})
    return model
"""


@pytest.mark.slow
def test_models_of_one_name_may_be_named_for_several_workers(data: Path, tmp_path: Path) -> None:
    files = [tmp_path / "a.py", tmp_path / "b.py"]
    for file in files:
        file.write_text(MODEL)
    models = ",".join(map(str, files))
    options = ("--protocol", "oracle-point", "--out", tmp_path / "out", "--workers", 2)
    _run("--data", data, "--models", models, "--names", "A,B", *options)
    results = read_results([tmp_path / "out"])
    assert sorted((r.model.name, r.status) for r in results) == [("A", "complete"), ("B", "complete")]


@pytest.mark.parametrize(("device", "there", "lacks"), [("cpu", {"CPU": 1.0}, "CPU"), ("cuda", {"CPU": 8.0}, "GPU")])
def test_workers_that_ray_has_no_room_for_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, there: dict[str, float], lacks: str
) -> None:
    cluster = SimpleNamespace(
        is_initialized=lambda: True,
        cluster_resources=lambda: there,
        exceptions=SimpleNamespace(RayActorError=RuntimeError),
    )
    monkeypatch.setitem(sys.modules, "ray", cluster)
    order = Order(tmp_path, ("oracle",), device, EverythingOverrides(), None, processes=2, engine="ray")
    with pytest.raises(SaomBenchError, match=f"needs as many {lacks}s, and Ray has"):
        Crew(order)


_BREAKS = """
from saom_benchmarks.models import ModelCard


class Model:
    card = ModelCard(name="breaks", kind="other", spec="breaks.py")
    settings = {"common": {}, "everything": {}}

    def points(self, sample, rule):
        raise RuntimeError(f"no answer for {sample.key}")

    def everything(self, sample):
        raise RuntimeError(f"no answer for {sample.key}")


def load(spec, request):
    return Model()
"""


@pytest.mark.slow
def test_torchrun_gives_the_numbers_of_one_and_what_failed(data: Path, plain: Path, tmp_path: Path) -> None:
    breaks = tmp_path / "breaks.py"
    breaks.write_text(_BREAKS)
    _leave_wrong_part_of_four(plain, tmp_path / "out")
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "saom_bench", "eval"]
    options = ["--data", data, "--models", f"grid-boxes,oracle,{breaks}", "--out", tmp_path / "out", "--fresh"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    call = [sys.executable, *command, *map(str, options)]
    run = subprocess.run(call, capture_output=True, text=True, env=environment)
    assert run.returncode == 1, run.stdout + run.stderr
    found = _numbers(tmp_path / "out")
    failed = [found.pop(name) for name in list(found) if "breaks" in name]
    assert found == _numbers(plain)
    # Each process failed on its own images; all are told, in one order.
    keys = [[failure["key"] for failure in row["failures"]] for row in failed]
    assert keys == [["FloorPlan26/000000", "FloorPlan26/000001", "FloorPlan26/000002"]] * 2
    assert failed[0]["failures"][1]["error"] == "RuntimeError: no answer for FloorPlan26/000001"
    assert not [path for path in (tmp_path / "out" / "frames").glob("*.part*") if "breaks" not in path.name]


def _leave_wrong_part_of_four(plain: Path, out: Path) -> None:
    """What a run of four processes, of another state of a model under development, may have left."""
    path = next((plain / "frames").glob("oracle-point--grid-boxes--*.frames.jsonl"))
    head, line, *_ = path.read_text().splitlines()
    frame = json.loads(line)
    frame["objects"] = [item | {"intersection_px": 0} for item in frame["objects"]]
    (out / "frames").mkdir(parents=True)
    (out / "frames" / f"{path.name}.part.1of4").write_text(f"{head}\n{json.dumps(frame)}\n")


def test_a_broken_off_run_ends_with_the_same_numbers(data: Path, plain: Path, tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    for number, path in enumerate(sorted((plain / "frames").glob("*.frames.jsonl"))):
        lines = path.read_text().splitlines(keepends=True)
        # As a killed run leaves it: some whole lines and a torn one; one row has the files of two processes.
        (tmp_path / "frames" / f"{path.name}.part").write_text("".join(lines[:3]) + lines[3][:20])
        if number == 0:
            (tmp_path / "frames" / f"{path.name}.part.2of2").write_text(lines[0] + lines[4])
    done = _run("--data", data, "--models", "grid-boxes,oracle", "--out", tmp_path)
    assert "predictions are already scored" in done.output
    assert _numbers(tmp_path) == _numbers(plain)


def test_a_result_measured_again_is_the_same(data: Path, plain: Path) -> None:
    path = next(plain.glob("everything--grid-boxes--*.json"))
    done = _run("--data", data, "--repro", path)
    assert (done.exit_code, "the same" in done.output) == (0, True)


def test_other_data_and_other_models_are_no_repetition(data: Path, plain: Path, tmp_path: Path) -> None:
    path = next(plain.glob("everything--grid-boxes--*.json"))
    other = make_shards(tmp_path / "other", ("FloorPlan26",), frames=1, split="test", seed=5)
    with pytest.raises(SaomBenchError, match="the result was measured on"):
        _run("--data", other, "--repro", path)
    with pytest.raises(SaomBenchError, match="oracle is not the model of this result"):
        _run("--data", data, "--repro", path, "--models", "oracle")


@pytest.mark.parametrize("option", [("--limit", 1), ("--everything-grid", "8x8"), ("--workers", 2)])
def test_a_repetition_takes_no_settings(data: Path, plain: Path, option: tuple[str, object]) -> None:
    path = next(plain.glob("everything--grid-boxes--*.json"))
    with pytest.raises(SaomBenchError, match=f"own settings, in one process; leave {option[0]} out"):
        _run("--data", data, "--repro", path, *option)


def test_what_differs_is_listed(data: Path, plain: Path, tmp_path: Path) -> None:
    from saom_benchmarks.repeat import differences
    from saom_benchmarks.results import read_result

    stated = read_result(next(plain.glob("everything--oracle--*.json")))
    other = read_result(next(plain.glob("everything--grid-boxes--*.json")))
    assert differences(stated, stated) == []
    assert any(line.startswith("miou: 100.0, now ") for line in differences(stated, other))


def test_tables_hold_every_object_and_proposal(plain: Path) -> None:
    (objects,) = (plain / "frames").glob("everything--grid-boxes--*.objects.parquet")
    (proposals,) = (plain / "frames").glob("everything--grid-boxes--*.proposals.parquet")
    result = json.loads(next(plain.glob("everything--grid-boxes--*.json")).read_text())
    rows = pq.read_table(objects).to_pylist()
    assert len(rows) == sum(row["objects"] for row in result["classes"])
    mean = 100 * sum(row["iou"] for row in rows) / len(rows)
    assert mean == pytest.approx(result["metrics"]["instance_miou"]["value"])
    assert len(pq.read_table(proposals)) == 6 * 8 * 8 * 3
