"""Houses as values: what is read, what is refused and in which words, and files of houses."""

import gzip
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_house import BATHROOM, BOWL, DOOR, HEIGHT, KITCHEN, TABLE, small_house

from saom_scenes.houses.assets import assets, assets_of, lies_on, object_types
from saom_scenes.houses.files import HouseFile, house_name
from saom_scenes.houses.model import HouseError
from saom_scenes.houses.plan import area_of, centroid, crosses_itself, inside, pieces
from saom_scenes.houses.reading import read_house


def test_the_table_holds_procthor_s_assets() -> None:
    assert len(assets()) == 1653
    assert len(object_types()) == 109
    assert assets()["Bed_1"].size == pytest.approx((1.4668, 0.9102, 2.0747))
    assert "receptacle" in assets()["Bed_1"].flags
    assert assets_of("Laptop")[0].comes_open
    assert not assets_of("Fridge")[0].comes_open
    assert lies_on("Bed")["Pillow"] == 1.0
    assert lies_on("Nothing") == {}
    assert all(min(asset.size) > 0 for asset in assets().values())


def test_a_house_is_read() -> None:
    house = read_house(small_house())
    assert [room.room_id for room in house.rooms] == [KITCHEN, BATHROOM]
    assert [(item.item_id, parent and parent.item_id) for item, parent in house.everything()][:2] == [
        (TABLE, None),
        (BOWL, TABLE),
    ]
    wall = house.walls[0]
    assert (wall.start, wall.end, wall.height, wall.length) == ((0.0, 0.0), (0.0, 4.0), HEIGHT, 4.0)
    assert wall.at(1.0) == (0.0, 1.0)
    assert house.doors[0].openness == 1.0
    assert house.start is not None
    assert house.start.position == (3.0, 0.95, 1.0)


def test_what_unity_does_not_need_may_be_missing() -> None:
    house = small_house()
    for name in ("doors", "windows", "objects", "proceduralParameters"):
        del house[name]
    del house["metadata"]["agent"]
    for wall in house["walls"]:
        del wall["material"]
    assert len(read_house(house).walls) == 9


def _of(*path: Any) -> Callable[[dict[str, Any], Any], None]:
    def change(house: dict[str, Any], value: Any) -> None:
        place: Any = house
        for key in path[:-1]:
            place = place[key]
        if value is None:
            del place[path[-1]]
        else:
            place[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "value", "message"),
    [
        (_of("metadata"), None, "House metadata schema not specified"),
        (_of("metadata", "schema"), "0.0.1", "Incompatible house schema version '0.0.1', please upgrade"),
        (_of("metadata", "schema"), "2.0.0", "Invalid house version: '2.0.0'. Supported version: '1.0.0'"),
        (_of("metadata", "schema"), "one", "Invalid house version: 'one'"),
        (_of("metadata", "schema"), 1, "metadata.schema: 1 is no text"),
        (_of("rooms"), None, "'rooms' is missing"),
        (_of("rooms"), [], "rooms: a house has at least one"),
        (_of("rooms"), {}, "rooms: {} is no list"),
        (_of("walls"), None, "'walls' is missing"),
        (_of("walls"), [], "room room|2: a wall is missing; from (0.00, 0.00) to (0.00, 4.00)"),
        (_of("walls", 2), None, "room room|2: a wall is missing"),
        (_of("walls", 8), None, "window window|2|0: its wall 'wall|exterior|0.00|0.00|0.00|4.00' is not among"),
        (_of("walls", 1, "id"), "wall|2|0.00|0.00|0.00|4.00", "walls: two have the id"),
        (_of("walls", 1, "roomId"), "room|9", "its room 'room|9' is not among the house's rooms"),
        (_of("walls", 1, "polygon"), [{"x": 0, "y": 0, "z": 0}], "walls[1].polygon: a wall has 4 corners, not 1"),
        (_of("walls", 1, "polygon", 2, "y"), 90.0, "a height of 90 m is not within 1.9 and 15"),
        (_of("walls", 1, "polygon", 0, "x"), 1e30, "walls[1].polygon[0].x: 1e+30 is not within -200 and 200"),
        (_of("walls", 1, "polygon", 0, "x"), float("nan"), "walls[1].polygon[0].x: nan is no number"),
        (_of("walls", 1, "polygon", 0, "x"), 10**400, "is not within"),
        (_of("walls", 1, "polygon", 0, "x"), True, "True is no number"),
        (_of("rooms", 0, "floorPolygon"), [], "a floor of 0 corners is none"),
        (_of("rooms", 0, "floorPolygon", 2, "x"), 150.0, "a house 150 m wide is too large; 80 is the most"),
        (_of("rooms", 0, "floorPolygon", 2, "z"), 4.5, "room room|2: a wall is missing"),
        (_of("rooms", 0, "floorPolygon", 1, "z"), -4.0, "room room|2: the outline of its floor crosses itself"),
        (_of("rooms", 1, "id"), KITCHEN, "rooms: two have the id 'room|2'"),
        (_of("doors", 0, "assetId"), "Doorway_999", "doors[0].assetId: Asset not in Database 'Doorway_999'"),
        (_of("doors", 0, "assetId"), "Bed_1", "'Bed_1' is a Bed, and here belongs a Doorframe or a Doorway"),
        (_of("doors", 0, "wall0"), "wall|nowhere", "door door|2|3: its wall 'wall|nowhere' is not among"),
        (_of("doors", 0, "wall1"), "wall|3|4.00|4.00|7.00|4.00", "is not within wall wall|3|4.00|4.00|7.00|4.00"),
        (_of("doors", 0, "holePolygon", 1, "x"), 5.0, "is not within wall wall|2|4.00|0.00|4.00|4.00, which is 4.00 m"),
        (_of("windows", 0, "holePolygon", 1, "y"), 3.0, "and 0.70 to 3.00 m up, is not within wall"),
        (_of("windows", 0, "holePolygon", 1, "y"), 0.7, "a hole of 1.2 x 0 m is none"),
        (_of("objects", 0, "assetId"), "Table_of_gold", "objects[0].assetId: Asset not in Database 'Table_of_gold'"),
        (_of("objects", 0, "children", 0, "assetId"), "Bowl_999", "objects[0].children[0].assetId: Asset not in"),
        (_of("objects", 0, "children", 0, "id"), TABLE, "objects: two have the id 'DiningTable|2|0'"),
        (_of("objects", 0, "position"), None, "objects[0]: 'position' is missing"),
        (_of("objects", 0, "position", "y"), "high", "objects[0].position.y: 'high' is no number"),
        (_of("objects", 0, "rotation"), [0, 90, 0], "objects[0].rotation: [0, 90, 0] is no object"),
        (_of("objects", 1, "openness"), 2.0, "objects[1].openness: 2.0 is not within 0 and 1"),
        (_of("proceduralParameters", "lights", 1, "rgb"), {"r": 1}, "lights[1].rgb: 'g' is missing"),
        (_of("proceduralParameters", "lights", 1, "intensity"), -1, "is not within 0 and 100"),
    ],
)  # fmt: skip
def test_what_cannot_be_built_is_refused(
    change: Callable[[dict[str, Any], Any], None], value: Any, message: str
) -> None:
    house = small_house()
    change(house, value)
    with pytest.raises(HouseError) as caught:
        read_house(house)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [None, [], "house", 7, {}, {"metadata": {"schema": None}}])
def test_what_is_no_house_is_refused(data: Any) -> None:
    with pytest.raises(HouseError):
        read_house(data)


def test_holes_must_not_meet() -> None:
    house = small_house()
    house["windows"].append({**house["windows"][0], "id": "window|2|1"})
    with pytest.raises(HouseError, match=r"the holes of window\|2\|0 and window\|2\|1 overlap"):
        read_house(house)


def test_objects_do_not_lie_on_each_other_for_ever() -> None:
    house = small_house()
    top = house["objects"][0]
    for k in range(9):
        top["children"] = [{"id": f"Bowl|{k}", "assetId": "Bowl_1", "position": {"x": 1, "y": 1, "z": 1}}]
        top = top["children"][0]
    with pytest.raises(HouseError, match="not 6 deep"):
        read_house(house)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*found, *(place for key, child in children for place in _places(child, (*path, key)))]


JUNK = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.just({}) | st.just([])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_change_gives_a_house_or_one_clear_error(data: st.DataObject) -> None:
    house = small_house()
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(_places(house)))
        place: Any = house
        for key in way:
            place = place[key]
        place[last] = data.draw(JUNK)
    with suppress(HouseError):
        assert all(np.isfinite(item.position).all() for item, _ in read_house(house).everything())


SHAPE = ((0.0, 0.0), (0.0, 4.0), (2.0, 4.0), (2.0, 2.0), (5.0, 2.0), (5.0, 0.0))


def test_polygons_are_measured_and_cut_up() -> None:
    assert area_of(SHAPE) == area_of(SHAPE[::-1]) == 14.0
    assert sum(area_of(piece) for piece in pieces(SHAPE)) == pytest.approx(14.0)
    assert inside((1.0, 3.0), SHAPE)
    assert not inside((3.0, 3.0), SHAPE)
    assert not crosses_itself(SHAPE)
    assert crosses_itself(((0, 0), (2, 2), (2, 0), (0, 2)))
    assert centroid(((0, 0), (0, 2), (4, 2), (4, 0))) == (2.0, 1.0)
    slanted = ((0.0, 0.0), (1.0, 3.0), (4.0, 2.0), (3.0, -1.0))
    assert sum(area_of(piece) for piece in pieces(slanted)) == pytest.approx(area_of(slanted))


def _lines(*houses: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(house).encode() + b"\n" for house in houses)


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_gives_its_houses_by_name(tmp_path: Path, packed: bool) -> None:
    one, two = small_house(), small_house(objects=[])
    content = _lines(one) + b"\n" + _lines(two, one)
    path = tmp_path / "houses.jsonl"
    path.write_bytes(gzip.compress(content) if packed else content)
    file = HouseFile(path)
    assert file.names == (house_name(_lines(one)), house_name(_lines(two)))
    assert [file.read(name) for name in file.names] == [one, two]


def test_a_name_is_the_house_s_own_in_every_file(tmp_path: Path) -> None:
    one, two = small_house(), small_house(objects=[])
    for name, houses in (("a.jsonl", (one, two)), ("b.jsonl", (two,))):
        (tmp_path / name).write_bytes(_lines(*houses))
    a, b = HouseFile(tmp_path / "a.jsonl"), HouseFile(tmp_path / "b.jsonl")
    assert set(b.names) == set(a.names) - {house_name(_lines(one))}


def test_splits_are_said_by_the_house_or_the_file_or_follow_from_the_name(tmp_path: Path) -> None:
    said = small_house()
    said["metadata"]["split"] = "val"
    for name in ("train.jsonl.gz", "other.jsonl"):
        (tmp_path / name).write_bytes(_lines(said, small_house()))
    for name, second in (("train.jsonl.gz", "train"), ("other.jsonl", None)):
        file = HouseFile(tmp_path / name)
        splits = [file.split_of(house) for house in file.names]
        assert splits[0] == "val"
        assert splits[1] in ([second] if second else ["train", "val", "test"])
    many = tmp_path / "many.jsonl"
    many.write_bytes(b"".join(b'{"n": %d}\n' % k for k in range(400)))
    file = HouseFile(many)
    shares = [sum(file.split_of(name) == split for name in file.names) for split in ("train", "val", "test")]
    assert sum(shares) == 400
    assert shares[0] > 250 > shares[1] > 10 < shares[2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it holds no house"),
        (b"\n \n", "it holds no house"),
        (gzip.compress(_lines(small_house()))[:-20], "it cannot be read as houses"),
    ],
)
def test_files_that_hold_no_house_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "houses.jsonl"
    path.write_bytes(content)
    with pytest.raises(HouseError, match=message):
        _ = HouseFile(path).names
    with pytest.raises(HouseError, match="there is no such file"):
        HouseFile(tmp_path / "nowhere.jsonl")


def test_a_broken_line_is_an_error_of_its_house_alone(tmp_path: Path) -> None:
    path = tmp_path / "houses.jsonl"
    path.write_bytes(b"{]\n7\n" + _lines(small_house()))
    file = HouseFile(path)
    broken, number, whole = file.names
    with pytest.raises(HouseError, match="line 1 is no JSON"):
        file.read(broken)
    with pytest.raises(HouseError, match="line 2 is no JSON object"):
        file.read(number)
    assert file.read(whole)["doors"][0]["id"] == DOOR
    with pytest.raises(HouseError, match="it holds no house House_0"):
        file.read("House_0")
