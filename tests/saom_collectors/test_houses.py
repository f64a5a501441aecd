"""Collecting from a file of houses: which are chosen, what is refused, and that a house becomes a shard like others."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from small_house import BATHROOM, small_house
from typer.testing import CliRunner

from saom_bench.errors import SaomBenchError
from saom_bench.shards.dataset import open_dataset
from saom_collectors import cli
from saom_collectors.catalogue import catalogue_of
from saom_collectors.collect import CollectConfig, collect
from saom_collectors.jobs import JobRules
from saom_collectors.session import ActionFailed, PlayerOptions
from saom_collectors.thor import open_player, simulator_of
from saom_collectors.views import ViewRules
from saom_scenes.houses.files import HouseFile

APP = typer.Typer()
APP.command("collect")(cli.collect)
RUN = CliRunner()


def write(path: Path, *houses: dict[str, Any]) -> HouseFile:
    path.write_text("".join(json.dumps(house) + "\n" for house in houses))
    return HouseFile(path)


def of_split(split: str, **changes: Any) -> dict[str, Any]:
    house = small_house(**changes)
    house["metadata"]["split"] = split
    return house


@pytest.fixture
def mixed(tmp_path: Path) -> HouseFile:
    return write(tmp_path / "mixed.jsonl", of_split("val"), of_split("train"), of_split("train", windows=[]))


def test_houses_are_chosen_by_split_and_name_in_the_file_s_order(mixed: HouseFile) -> None:
    catalogue = catalogue_of(PlayerOptions(houses=mixed.path))
    val, first, second = mixed.names
    assert catalogue.select(None, "train", None, None) == (first, second)
    assert catalogue.select(None, "train", None, 1) == (first,)
    assert catalogue.select(f"{second}, {first}", None, None, None) == (first, second)
    assert catalogue.split_of(val) == "val"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the houses of {path} are of several (train, val); give --split val"),
        (["--split", "test"], "has no house in --split test; its houses are of: train, val"),
        (["--split", "trian"], "did you mean 'train'"),
        (["--scenes", "House_0"], "unknown house 'House_0'"),
        (["--scenes", ","], "--scenes ',' names no house; give names, such as House_"),
        (["--split", "train", "--rooms", "kitchens"], "--rooms kitchens chooses among AI2-THOR's rooms"),
        (["--split", "train", "--limit-scenes", "0"], "limit of 0"),
        (["--split", "train", "--packs", "packs"], "give one of the two"),
    ],
)
def test_mistakes(mixed: HouseFile, tmp_path: Path, arguments: list[str], message: str) -> None:
    result = RUN.invoke(APP, [str(tmp_path / "out"), "--houses", str(mixed.path), *arguments])
    assert isinstance(result.exception, SaomBenchError)
    assert message.format(path=mixed.path) in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    result = RUN.invoke(APP, [str(tmp_path / "out"), "--houses", str(tmp_path / "none.jsonl"), "--split", "train"])
    assert "there is no such file of houses" in str(result.exception)


def test_the_simulator_says_that_houses_are_shown(mixed: HouseFile) -> None:
    for kind in ("embedded", "unity"):
        assert simulator_of(PlayerOptions(kind, houses=mixed.path))["scenes"] == "houses"


def test_workers_find_the_file_from_any_folder(mixed: HouseFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(mixed.path.parent)
    options = PlayerOptions(houses=Path(mixed.path.name))
    assert options.anywhere() == PlayerOptions(houses=mixed.path.resolve())
    assert PlayerOptions().anywhere() == PlayerOptions()


def test_what_comes_next_makes_houses_for_validation_of_the_same_kind(mixed: HouseFile, tmp_path: Path) -> None:
    options = PlayerOptions(size_hw=(64, 80), houses=mixed.path, parts=True)
    config = CollectConfig("train", simulator_of(options), options, label_set="saom-55")
    more = mixed.path.with_name("val.jsonl")
    make, collect_them, train = cli._next_commands(tmp_path / "out", config)[1:]
    assert f"scenes generate {more} --split val" in make
    assert f"--houses {more}" in collect_them
    assert "--size 80x64" in collect_them
    assert "--label-set saom-55" in collect_them
    assert "--parts" in collect_them
    assert str(mixed.path) not in collect_them
    assert f"--data {tmp_path / 'out'} --val {tmp_path / 'val'}" in train
    more.write_text("{}")
    assert cli._next_commands(tmp_path / "out", config)[1:] == [collect_them, train]


@pytest.mark.slow
def test_houses_become_shards_and_a_malformed_one_is_put_aside(tmp_path: Path) -> None:
    # One room is enough for the way, and quickly drawn.
    broken = of_split("train")
    broken["objects"][0]["assetId"] = "Table_of_gold"
    file = write(tmp_path / "houses.jsonl", of_split("train"), broken)
    options = PlayerOptions(size_hw=(64, 80), houses=file.path)
    rules = ViewRules(tries=2, min_objects=0)
    config = CollectConfig("train", simulator_of(options), options, views_per_scene=2, rules=rules)
    outcome = collect(tmp_path / "out", file.names, config, 1, open_player, JobRules(attempts=1))
    assert [record.scene for record in outcome.collected] == [file.names[0]]
    assert [failure.scene for failure in outcome.failures] == [file.names[1]]
    assert "CreateHouse failed" in outcome.failures[0].error
    assert "Asset not in Database 'Table_of_gold'" in outcome.failures[0].error
    dataset = open_dataset(tmp_path / "out")
    assert dataset.scenes == (file.names[0],)
    assert len(dataset) == 2
    with open_player(options) as session:
        assert session.scenes() == file.names
        with pytest.raises(ActionFailed, match="CreateHouse failed in House_"):
            session.reset(file.names[1])
        session.reset(file.names[0])
        assert {x < 4 for x, _, _ in session.reachable()} == {True, False}
        assert BATHROOM in {thing.object_id for thing in session.objects()}
