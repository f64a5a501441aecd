"""The commands ``eval`` and ``leaderboard`` as a user runs them."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from shards_fixture import make_shards
from typer.testing import CliRunner, Result

from saom_bench.errors import SaomBenchError
from saom_benchmarks.cli import eval_, leaderboard
from saom_benchmarks.results import read_results
from saom_benchmarks.tasks import TASKS

app = typer.Typer()
app.command("eval")(eval_)
app.command("leaderboard")(leaderboard)


def _run(*arguments: object) -> Result:
    result = CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "160"})
    if isinstance(result.exception, SaomBenchError):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_shards(tmp_path_factory.mktemp("data"), scenes=("FloorPlan26", "FloorPlan27"), frames=2, split="test")


def test_eval_then_leaderboard(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "results"
    done = _run("eval", "--data", data, "--models", "oracle", "--out", out, "--limit", 3, "--everything-limit", 1)
    assert done.exit_code == 0, done.output
    assert "oracle-point on 3 images; everything on 1 images" in done.output
    assert len(list(out.glob("*.json"))) == 2
    shown = _run("leaderboard", out, "--markdown", tmp_path / "page.md")
    assert shown.exit_code == 0
    assert "100.0" in shown.output
    assert (tmp_path / "page.md").read_text().startswith("# Leaderboard")
    assert _run("leaderboard", out).exit_code == 0
    assert (out / "LEADERBOARD.md").exists()


def test_a_row_has_a_tasks_name_only_with_the_tasks_own_points(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = replace(TASKS["embedded-views@1"], simulators=(), geometry=None)
    monkeypatch.setitem(TASKS, task.title, task)

    def names(*options: object) -> list[str]:
        out = tmp_path / "-".join(map(str, options))
        _run("eval", "--task", task.title, "--data", data, "--models", "oracle", "--out", out, *options)
        return [result.task.benchmark for result in read_results([out])]

    assert names("--protocol", "oracle-point") == [task.title]
    assert names("--grid", "8x8") == [task.title, ""]  # everything mode has no such points
    assert names("--protocol", "oracle-point-published") == [""]


def test_what_would_fail_after_the_scoring_is_found_before(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out = tmp_path / "file", tmp_path / "out"
    file.write_text("")
    scoring = ("eval", "--data", data, "--models", "oracle", "--protocol", "oracle-point", "--out")
    with pytest.raises(SaomBenchError, match="file is a file; give a folder as --out"):
        _run(*scoring, file)
    with pytest.raises(SaomBenchError, match="file is a file; give a folder as --pictures"):
        _run(*scoring, out, "--pictures", file)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "pyarrow.parquet", None)
        with pytest.raises(SaomBenchError, match="--parquet needs pyarrow"):
            _run(*scoring, out, "--parquet")
    assert not out.exists()
    _run(*scoring, out)
    for option in ("--html", "--markdown"):
        with pytest.raises(SaomBenchError, match=f"is a folder; give a file as {option}"):
            _run("leaderboard", out, option, tmp_path)
    assert not tmp_path.with_name(tmp_path.name + ".part").exists()


def test_damaged_results_stop_the_leaderboard_unless_skipped(data: Path, tmp_path: Path) -> None:
    _run("eval", "--data", data, "--models", "oracle", "--protocol", "oracle-point", "--out", tmp_path)
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(SaomBenchError, match=r"bad\.json cannot be read"):
        _run("leaderboard", tmp_path)
    assert _run("leaderboard", tmp_path, "--skip-damaged").exit_code == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--models", "oracle", "--protocol", "evrything"], "did you mean 'everything'"),
        (["--models", "orcale"], "did you mean 'oracle'"),
        (["--models", "oracle", "--grid", "32"], "is no grid"),
        (["--models", "oracle", "--everything-grid", "0x8"], "is no grid"),
        (["--models", "oracle", "--prior", "masks"], "did you mean 'mask'"),
        (["--models", "oracle", "--limit", "0"], "limit of 0"),
        (["--models", "sam:mobile-sam", "--pred-iou", "2"], "pred_iou is 2"),
        (["--models", "oracle", "--protocol", ","], "no protocol given"),
    ],
)
def test_bad_options_are_one_clear_line(data: Path, tmp_path: Path, options: list[str], message: str) -> None:
    with pytest.raises(SaomBenchError, match=message):
        _run("eval", "--data", data, "--out", tmp_path, *options)


def test_missing_data_and_results_are_named(tmp_path: Path) -> None:
    with pytest.raises(SaomBenchError, match="nowhere"):
        _run("eval", "--data", tmp_path / "nowhere", "--models", "oracle")
    with pytest.raises(SaomBenchError, match="no results in"):
        _run("leaderboard", tmp_path)


@pytest.mark.slow
def test_sam_is_scored_below_the_oracle_with_pictures(data: Path, tmp_path: Path) -> None:
    done = _run(
        *("eval", "--data", data, "--models", "sam:mobile-sam,oracle", "--names", "SAM,oracle", "--device", "cpu"),
        *("--limit", 1, "--everything-grid", "3x3", "--out", tmp_path / "out", "--pictures", tmp_path / "pictures"),
    )
    assert done.exit_code == 0, done.output
    found = [json.loads(path.read_text()) for path in sorted((tmp_path / "out").glob("*.json"))]
    rows = {(row["task"]["protocol"], row["model"]["name"]): row for row in found}
    for protocol in ("oracle-point", "everything"):
        sam = rows[protocol, "SAM"]
        assert 0 < sam["metrics"]["miou"]["value"] < rows[protocol, "oracle"]["metrics"]["miou"]["value"] == 100
        assert sam["speed"]["mean_s"] > 0
    assert rows["everything", "SAM"]["settings"]["grid"] == [3, 3]
    assert rows["everything", "SAM"]["settings"]["pred_iou"] == 0.88
    assert len(list((tmp_path / "pictures").glob("*.png"))) == 2
