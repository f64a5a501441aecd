"""The shards commands: what they print, what they write, and how they end."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from shards_fixture import make_shards
from typer.testing import CliRunner

from saom_bench.errors import SaomBenchError
from saom_bench.shards.cli import app
from saom_bench.shards.dataset import open_dataset
from saom_bench.shards.preview import choose

RUN = CliRunner()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_shards(tmp_path / "data", ("FloorPlan1", "FloorPlan2"), frames=3)


def test_verify_finds_a_dataset_whole(folder: Path) -> None:
    result = RUN.invoke(app, ["verify", str(folder)])
    assert result.exit_code == 0
    assert "2 shards, 6 frames" in result.output


def test_verify_names_the_damaged_and_the_stray(folder: Path) -> None:
    (folder / "FloorPlan9.h5.part").touch()
    path = folder / "FloorPlan2.h5"
    path.write_bytes(path.read_bytes()[:-1])
    result = RUN.invoke(app, ["verify", str(folder)])
    assert result.exit_code == 2
    output = result.output.replace("\n", "")
    assert "FloorPlan9.h5.part" in output
    assert "FloorPlan2.h5" in output
    assert "FloorPlan1.h5" not in output


def test_verify_sees_a_change_that_opens_well(folder: Path) -> None:
    """The same format and counts, other pixels: only the hash tells."""
    other = make_shards(folder.parent / "other", ("FloorPlan1",), frames=3, seed=9)
    (folder / "FloorPlan1.h5").write_bytes((other / "FloorPlan1.h5").read_bytes())
    result = RUN.invoke(app, ["verify", str(folder)])
    assert result.exit_code == 2


def test_show_counts_what_is_there(folder: Path) -> None:
    dataset = open_dataset(folder)
    result = RUN.invoke(app, ["show", str(folder)])
    assert result.exit_code == 0
    assert dataset.fingerprint in result.output.replace("\n", "")
    bowls = sum(o.object_type == "Bowl" for i in range(len(dataset)) for o in dataset.objects(i))
    row = next(line for line in result.output.splitlines() if "Bowl " in line)
    assert row.split("│")[2].strip() == str(bowls)


def test_preview_draws_the_same_sheet_for_the_same_seed(folder: Path, tmp_path: Path) -> None:
    sheets = []
    for name in ("a.png", "b.png"):
        out = tmp_path / name
        arguments = ["preview", str(folder), "--out", str(out), "--frames", "4", "--columns", "2"]
        assert RUN.invoke(app, arguments).exit_code == 0
        sheets.append(np.asarray(Image.open(out)))
    np.testing.assert_array_equal(sheets[0], sheets[1])
    assert sheets[0].shape[1] > 2 * 640


def test_preview_takes_turns_among_scenes(folder: Path) -> None:
    dataset = open_dataset(folder)
    chosen = choose(dataset, 4, np.random.default_rng(0))
    assert sorted(dataset.scene_of(i) for i in chosen) == ["FloorPlan1"] * 2 + ["FloorPlan2"] * 2
    assert choose(dataset, 99, np.random.default_rng(0)) == list(range(6))


@pytest.mark.parametrize(
    "arguments",
    [["show", "nowhere"], ["verify", "nowhere"], ["preview", "nowhere"], ["preview", "DATA", "--out", "sheet.txt"]],
)
def test_mistakes_are_one_clear_error(folder: Path, arguments: list[str]) -> None:
    result = RUN.invoke(app, [str(folder) if a == "DATA" else a for a in arguments])
    assert isinstance(result.exception, SaomBenchError)


@pytest.mark.parametrize("command", ["verify", "show", "preview"])
def test_help_has_an_example(command: str) -> None:
    assert f"saom-bench shards {command}" in RUN.invoke(app, [command, "--help"]).output
