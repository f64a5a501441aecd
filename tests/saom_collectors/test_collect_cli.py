"""``saom-bench collect``: mistakes are found before a player starts, and each is one clear error."""

from pathlib import Path

import pytest
import typer
from shards_fixture import make_shards
from typer.testing import CliRunner

from saom_bench.errors import SaomBenchError
from saom_collectors import cli

APP = typer.Typer()
APP.command("collect")(cli.collect)
RUN = CliRunner()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--split train"),
        (["--scenes", "FloorPlan31"], "unknown scene 'FloorPlan31'; did you mean"),
        (["--scenes", "FloorPlan1,FloorPlan21"], "one split"),
        (["--split", "trian"], "unknown split 'trian'; did you mean 'train'"),
        (["--split", "val", "--rooms", "kitchn"], "did you mean 'kitchens'"),
        (["--split", "val", "--label-set", "saom54"], "did you mean 'saom-54'"),
        (["--split", "val", "--player", "unty"], "did you mean 'unity'"),
        (["--split", "val", "--size", "640"], "640x480"),
        (["--split", "val", "--size", "20x20"], "32 to 4096"),
        (["--split", "val", "--fov", "200"], "field of view"),
        (["--split", "val", "-n", "0"], "--views-per-scene 0"),
        (["--split", "val", "--tries", "0"], "--tries 0"),
        (["--split", "val", "--limit-scenes", "0"], "limit of 0"),
        (["--split", "val", "--player", "unity", "--parts"], "--player unity has no part ids"),
    ],
)
def test_mistakes(tmp_path: Path, arguments: list[str], message: str) -> None:
    result = RUN.invoke(APP, [str(tmp_path / "out"), *arguments])
    assert isinstance(result.exception, SaomBenchError)
    assert message in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_another_dataset_is_refused(tmp_path: Path) -> None:
    folder = make_shards(tmp_path / "data")
    before = sorted(p.name for p in folder.iterdir())
    result = RUN.invoke(APP, [str(folder), "--scenes", "FloorPlan1"])
    assert isinstance(result.exception, SaomBenchError)
    assert "holds another dataset" in str(result.exception)
    assert sorted(p.name for p in folder.iterdir()) == before


def test_help_has_examples() -> None:
    assert "saom-bench collect data/train --split train" in RUN.invoke(APP, ["--help"]).output
