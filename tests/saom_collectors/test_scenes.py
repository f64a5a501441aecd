"""Selections of scenes: what people type, splits that never mix, and mistakes that are named."""

import pytest
from ai2thor.controller import Controller

from saom_bench.errors import SaomBenchError
from saom_collectors.scenes import all_scenes, room_of, select, split_of

EVERY = all_scenes()


def test_there_are_120_ithor_scenes_in_four_rooms_and_three_splits() -> None:
    ithor = [s for s in EVERY if room_of(s) != "robothor"]
    assert len(set(ithor)) == 120
    counts = {(room_of(s), split_of(s)) for s in ithor}
    assert len(counts) == 12
    assert [sum(split_of(s) == split for s in ithor) for split in ("train", "val", "test")] == [80, 20, 20]
    assert (split_of("FloorPlan320"), split_of("FloorPlan421"), split_of("FloorPlan30")) == ("train", "val", "test")


def test_robothor_s_75_scenes_are_the_client_s() -> None:
    robothor = [s for s in EVERY if room_of(s) == "robothor"]
    assert robothor == Controller.robothor_scenes(None)
    assert [sum(split_of(s) == split for s in robothor) for split in ("train", "val", "test")] == [60, 15, 0]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"names": "FloorPlan2,FloorPlan1"}, "1 2"),
        ({"names": "FloorPlan1-3, FloorPlan201-FloorPlan202"}, "1 2 3 201 202"),
        ({"names": "FloorPlan1,FloorPlan201", "rooms": "living-rooms"}, "201"),
        ({"split": "val", "rooms": "kitchens"}, "21 22 23 24 25"),
        ({"split": "test", "rooms": "bedrooms,bathrooms", "limit": 3}, "326 327 426"),
        ({"split": "train", "limit": 6}, "1 2 201 202 301 401"),
        ({"split": "val", "rooms": "robothor", "limit": 2}, "_Val1_1 _Val1_2"),
        ({"names": "FloorPlan_Train11_1,FloorPlan_Train2_4-5,FloorPlan3"}, "3 _Train2_4 _Train2_5 _Train11_1"),
    ],
)
def test_selections(options: dict, expected: str) -> None:
    assert " ".join(s.removeprefix("FloorPlan") for s in select(EVERY, **options)) == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "--split train"),
        ({"names": "FloorPlan31"}, r"unknown scene 'FloorPlan31'; did you mean 'FloorPlan3\d*'"),
        ({"names": "Floorplan1"}, "did you mean 'FloorPlan1'"),
        ({"names": ","}, "names no scene"),
        ({"names": "FloorPlan5-1"}, "range"),
        ({"names": "FloorPlan1-99999999"}, "too long"),
        ({"names": "FloorPlan1,FloorPlan21"}, "one split.*train: FloorPlan1; val: FloorPlan21"),
        ({"names": "FloorPlan1", "split": "val"}, "no scene"),
        ({"split": "validation"}, "unknown split 'validation'.*Known: test, train, val"),
        ({"split": "val", "rooms": "kitchen"}, "did you mean 'kitchens'"),
        ({"split": "val", "limit": 0}, "limit of 0"),
        ({"split": "test", "rooms": "robothor"}, "no scene"),
        ({"names": "FloorPlan_Val1_6"}, "unknown scene 'FloorPlan_Val1_6'"),
    ],
)
def test_mistakes(options: dict, message: str) -> None:
    with pytest.raises(SaomBenchError, match=message):
        select(EVERY, **options)


def test_only_what_the_player_has() -> None:
    have = ("FloorPlan1", "FloorPlan22", "FloorPlan201", "FloorPlan_Train1_1", "Procedural")
    assert select(have, split="train") == ("FloorPlan1", "FloorPlan201")
    assert select(have, split="train", rooms="robothor") == ("FloorPlan_Train1_1",)
    with pytest.raises(SaomBenchError, match="this player does not have it; it has FloorPlan1, FloorPlan22"):
        select(have, names="FloorPlan2")
