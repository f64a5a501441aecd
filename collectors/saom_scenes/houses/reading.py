"""From a house's JSON to a `House`: every value is checked, and so is that the whole can be built."""

import re
from collections.abc import Collection
from typing import Any

from saom_scenes.houses.assets import Rgb, assets
from saom_scenes.houses.checks import check_house
from saom_scenes.houses.fields import Field
from saom_scenes.houses.model import (
    EXTERIOR,
    SCHEMA,
    AgentStart,
    House,
    HouseError,
    Item,
    Light,
    Opening,
    Room,
    Surface,
    Wall,
)

MOST_ROOMS, MOST_WALLS, MOST_OPENINGS, MOST_OBJECTS, MOST_LIGHTS = 60, 2000, 500, 5000, 200
_MOST_CORNERS = 100
_DEEPEST = 5
_PLAIN = Surface("PureWhite")
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")


def read_house(data: Any, name: str = "") -> House:
    """The house that a JSON object describes. Raises HouseError, in one line, for what cannot be built."""
    house = Field(data)
    _check_schema(house)
    parameters = house.get("proceduralParameters") or Field({}, "proceduralParameters")
    ceiling = _surface(parameters.get("ceilingMaterial"))
    read = House(
        rooms=tuple(_room(room, ceiling) for room in house.need("rooms").entries(MOST_ROOMS)),
        walls=tuple(_wall(wall) for wall in house.need("walls").entries(MOST_WALLS)),
        doors=tuple(_opening(door, {"Doorway", "Doorframe"}) for door in house.items("doors", MOST_OPENINGS)),
        windows=tuple(_opening(window, {"Window"}) for window in house.items("windows", MOST_OPENINGS)),
        items=tuple(_item(item, 1) for item in house.items("objects", MOST_OBJECTS)),
        lights=tuple(_light(light) for light in parameters.items("lights", MOST_LIGHTS)),
        skybox=_text(parameters.get("skyboxId")),
        start=_start(house.get("metadata")),
        name=name,
    )
    check_house(read, MOST_OBJECTS)
    return read


def _check_schema(house: Field) -> None:
    """As AI2-THOR does, and in its words."""
    metadata = house.get("metadata")
    schema = metadata.get("schema") if metadata else None
    if schema is None:
        raise HouseError(
            "House metadata schema not specified! Should be under house['metadata']['schema']. "
            f"The current schema for this THOR version is '{SCHEMA}'"
        )
    match = _VERSION.fullmatch(schema.text())
    version = tuple(map(int, match.groups())) if match else None
    wanted = tuple(map(int, SCHEMA.split(".")))
    if version is not None and version < wanted:
        raise HouseError(
            f"Incompatible house schema version '{schema.value}', please upgrade to latest '{SCHEMA}' using the "
            "'procthor' package's 'scripts/upgrade_house.py'."
        )
    if version != wanted:
        raise HouseError(f"Invalid house version: '{schema.value}'. Supported version: '{SCHEMA}'")


def _room(room: Field, ceiling: Surface) -> Room:
    corners = [corner.vector() for corner in room.need("floorPolygon").entries(_MOST_CORNERS)]
    own = room.items("ceilings", MOST_ROOMS)
    return Room(
        room_id=room.need("id").text(),
        room_type=_text(room.get("roomType")),
        outline=tuple((x, z) for x, _, z in corners),
        floor=_surface(room.get("floorMaterial")),
        ceiling=_surface(own[0].get("material")) if own else ceiling,
    )


def _wall(wall: Field) -> Wall:
    polygon = wall.need("polygon")
    corners = [corner.vector() for corner in polygon.entries(_MOST_CORNERS)]
    if len(corners) != 4:
        raise polygon.fails(f"a wall has 4 corners, not {len(corners)}")
    # As AI2-THOR: the lower two are its ends, in their order.
    low = sorted(corners, key=lambda corner: corner[1])[:2]
    base, top = low[0][1], max(y for _, y, _ in corners)
    wall_id = wall.need("id").text()
    color = wall.get("color")
    surface = _surface(wall.get("material"))
    return Wall(
        wall_id=wall_id,
        room_id=EXTERIOR if f"|{EXTERIOR}|" in wall_id else wall.need("roomId").text(),
        start=(low[0][0], low[0][2]),
        end=(low[1][0], low[1][2]),
        base_y=base,
        height=top - base,
        surface=surface if surface.color or color is None else Surface(surface.name, _color(color)),
        empty=_flag(wall.get("empty"), False),
    )


def _opening(opening: Field, types: Collection[str]) -> Opening:
    hole = opening.need("holePolygon")
    corners = [corner.vector() for corner in hole.entries(_MOST_CORNERS)]
    if len(corners) != 2:
        raise hole.fails(f"a hole has 2 corners, its least and its greatest, not {len(corners)}")
    (x0, y0, _), (x1, y1, _) = corners
    low, high = (min(x0, x1), min(y0, y1)), (max(x0, x1), max(y0, y1))
    position = opening.get("assetPosition")
    x, y, _ = position.vector() if position else ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, 0.0)
    walls = [wall.text() for wall in (opening.get("wall0"), opening.get("wall1")) if wall and wall.value]
    if not walls:
        raise opening.fails("'wall0' is missing")
    return Opening(
        opening_id=opening.need("id").text(),
        asset_id=_asset(opening.need("assetId"), types),
        walls=tuple(dict.fromkeys(walls)),
        low=low,
        high=high,
        position=(x, y),
        openness=_share(opening.get("openness")) or 0.0,
    )


def _item(item: Field, depth: int) -> Item:
    if depth > _DEEPEST:
        raise item.fails(f"objects lie on objects, but not {depth} deep")
    rotation = item.get("rotation")
    return Item(
        item_id=item.need("id").text(),
        asset_id=_asset(item.need("assetId")),
        position=item.need("position").vector(),
        rotation_deg=rotation.vector(1e4) if rotation else (0.0, 0.0, 0.0),
        children=tuple(_item(child, depth + 1) for child in item.items("children", MOST_OBJECTS)),
        openness=_share(item.get("openness")),
        is_on=_maybe(item.get("isOn")),
        is_dirty=_maybe(item.get("isDirty")),
    )


def _asset(field: Field, types: Collection[str] | None = None) -> str:
    name = field.text()
    asset = assets().get(name)
    if asset is None:
        raise field.fails(f"Asset not in Database {name!r}")
    if types is not None and asset.object_type not in types:
        raise field.fails(f"{name!r} is a {asset.object_type}, and here belongs a {' or a '.join(sorted(types))}")
    return name


def _light(light: Field) -> Light:
    rotation, color = light.get("rotation"), light.get("rgb")
    return Light(
        light_id=light.need("id").text(),
        kind=light.need("type").text().lower(),
        position=light.need("position").vector(),
        rotation_deg=rotation.vector(1e4) if rotation else (0.0, 0.0, 0.0),
        color=_color(color) if color else (1.0, 1.0, 1.0),
        intensity=_number(light.get("intensity"), 1.0, 0.0, 100.0),
    )


def _start(metadata: Field | None) -> AgentStart | None:
    agent = metadata.get("agent") if metadata else None
    if agent is None:
        return None
    rotation = agent.get("rotation")
    yaw_deg = 0.0
    if rotation is not None:
        # ProcTHOR writes a vector, older tools its y alone.
        yaw_deg = rotation.vector(1e4)[1] if isinstance(rotation.value, dict) else rotation.number(-1e4, 1e4)
    return AgentStart(agent.need("position").vector(), yaw_deg, _number(agent.get("horizon"), 0.0, -90.0, 90.0))


def _surface(field: Field | None) -> Surface:
    if field is None:
        return _PLAIN
    if isinstance(field.value, str):
        return Surface(field.text())
    name, color = field.get("name"), field.get("color")
    return Surface(name.text() if name and name.value else _PLAIN.name, _color(color) if color else None)


def _color(field: Field) -> Rgb:
    red, green, blue = (field.need(channel).number(0.0, 1.0) for channel in "rgb")
    return red, green, blue


def _text(field: Field | None) -> str:
    return field.text() if field and field.value else ""


def _flag(field: Field | None, default: bool) -> bool:
    return default if field is None else field.flag()


def _maybe(field: Field | None) -> bool | None:
    return None if field is None else field.flag()


def _number(field: Field | None, default: float, low: float, high: float) -> float:
    return default if field is None else field.number(low, high)


def _share(field: Field | None) -> float | None:
    return None if field is None else field.number(0.0, 1.0)
