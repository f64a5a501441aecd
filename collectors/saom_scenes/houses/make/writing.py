"""From a made house to the JSON of schema 1.0.0 that CreateHouse takes, AI2-THOR's own included."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from saom_scenes.houses.assets import Asset, Rgb
from saom_scenes.houses.make.floorplan import OUTSIDE, FloorPlan, WallPlan
from saom_scenes.houses.make.furniture import Standing
from saom_scenes.houses.make.hanging import Hanging
from saom_scenes.houses.make.passages import Openings, Passage
from saom_scenes.houses.make.surfaces import Resting
from saom_scenes.houses.model import SCHEMA, Point
from saom_scenes.houses.plan import centroid

FIRST_ROOM = 2
"""ProcTHOR counts rooms from 2; 1 is outside."""
_LAYERS = 4
_LAMP: Rgb = (1.0, 0.855, 0.722)


@dataclass(frozen=True)
class Paint:
    """A wall's or a ceiling's material."""

    name: str
    color: Rgb | None = None

    def json(self) -> dict[str, Any]:
        """As in the schema."""
        if self.color is None:
            return {"name": self.name}
        return {"name": self.name, "color": dict(zip("rgb", self.color, strict=True))}


@dataclass(frozen=True)
class Contents:
    """What is in one room."""

    standing: Sequence[Standing]
    resting: Sequence[Sequence[Resting]]
    """Of each piece of furniture."""
    hanging: Sequence[Hanging]


@dataclass(frozen=True)
class Made:
    """All that a house is written from."""

    plan: FloorPlan
    openings: Openings
    contents: Sequence[Contents]
    ceiling_m: float
    walls: Sequence[Paint]
    """Of each room, then of the outside."""
    ceiling: Paint
    floors: Sequence[str]
    sky: str
    sun_deg: tuple[float, float]
    """How steep the sun's rays fall, and which way they go."""
    start: tuple[float, float, float]
    """x, z and yaw of the agent."""


def house_json(made: Made, metadata: dict[str, Any]) -> dict[str, Any]:
    """The house; ``metadata`` is added to what the schema has there."""
    layers = _layers(made)
    x, z, yaw = made.start
    pose = {
        "position": _xyz((x, 0.95, z)), "rotation": _xyz((0.0, yaw, 0.0)), "horizon": 30, "standing": True,
    }  # fmt: skip
    bot = {name: value for name, value in pose.items() if name != "standing"}
    return {
        "doors": [_opening(p, made) for p in made.openings.passages if p.kind != "window"],
        "metadata": {
            "agent": pose,
            "agentPoses": {"arm": pose, "default": pose, "locobot": bot, "stretch": pose},
            "roomSpecId": f"{len(made.plan.types)}-room",
            "schema": SCHEMA,
            "warnings": {},
            **metadata,
        },
        "objects": [item for k in range(len(made.plan.types)) for item in _items(made.contents[k], k, layers[k])],
        "proceduralParameters": {
            "ceilingMaterial": made.ceiling.json(),
            "floorColliderThickness": 1.0,
            "lights": _lights(made, layers),
            "receptacleHeight": 0.7,
            "reflections": [],
            "skyboxId": made.sky,
        },
        "rooms": [_room(made, k, layers[k]) for k in range(len(made.plan.types))],
        "walls": [*(_wall(made, wall, layers) for wall in made.plan.walls), *_outer_walls(made, layers)],
        "windows": [_opening(p, made) for p in made.openings.passages if p.kind == "window"],
    }


def _xyz(values: Iterable[float]) -> dict[str, float]:
    return {axis: round(float(v), 4) + 0.0 for axis, v in zip("xyz", values, strict=True)}


def _name(room: int) -> str:
    return "exterior" if room == OUTSIDE else str(room + FIRST_ROOM)


def _wall_id(room: int, start: Point, end: Point) -> str:
    xs, zs = sorted((start[0], end[0])), sorted((start[1], end[1]))
    return f"wall|{_name(room)}|{xs[0]:.2f}|{zs[0]:.2f}|{xs[1]:.2f}|{zs[1]:.2f}"


def _room(made: Made, number: int, layer: str) -> dict[str, Any]:
    return {
        "ceilings": [],
        "children": [],
        "floorMaterial": {"name": made.floors[number]},
        "floorPolygon": [_xyz((x, 0.0, z)) for x, z in made.plan.outlines[number]],
        "id": f"room|{_name(number)}",
        "layer": layer,
        "roomType": made.plan.types[number],
    }


def _wall(made: Made, wall: WallPlan, layers: Sequence[str]) -> dict[str, Any]:
    found = {
        "id": _wall_id(wall.room, wall.start, wall.end),
        "layer": layers[wall.room],
        "material": made.walls[wall.room].json(),
        "polygon": _corners(wall.start, wall.end, made.ceiling_m),
        "roomId": f"room|{_name(wall.room)}",
    }
    return {**found, "empty": True} if wall in made.openings.open_walls else found


def _outer_walls(made: Made, layers: Sequence[str]) -> list[dict[str, Any]]:
    """Walls as they are seen from outside: one behind each that has no room behind it."""
    return [
        {
            "id": _wall_id(OUTSIDE, wall.start, wall.end),
            "layer": layers[wall.room],
            "material": made.walls[-1].json(),
            "polygon": list(reversed(_corners(wall.start, wall.end, made.ceiling_m))),
            "roomId": "exterior",
        }
        for wall in made.plan.walls
        if wall.other == OUTSIDE
    ]


def _corners(start: Point, end: Point, height: float) -> list[dict[str, float]]:
    return [_xyz((x, y, z)) for y in (0.0, height) for x, z in (start, end)]


def _opening(p: Passage, made: Made) -> dict[str, Any]:
    room, other = p.wall.room, p.wall.other
    width, height, _ = p.asset.size
    kind = "window" if p.kind == "window" else "door"
    rooms = (f"room|{_name(room)}", f"room|{_name(other if other != OUTSIDE else room)}")
    same = [q for q in made.openings.passages if (q.kind == "window") == (p.kind == "window")]
    number = [q for q in same if q.wall.room == room].index(p)
    found: dict[str, Any] = {
        "assetId": p.asset.asset_id,
        "assetPosition": _xyz((p.low + width / 2, p.bottom + height / 2, 0.0)),
        "holePolygon": [_xyz((p.low, p.bottom, 0.0)), _xyz((p.high, p.bottom + height, 0.0))],
        "id": f"{kind}|{_name(room)}|{number}" if kind == "window" else f"door|{_door(p)}",
        "room0": rooms[0],
        "room1": rooms[1],
        "wall0": _wall_id(room, p.wall.start, p.wall.end),
        "wall1": _wall_id(other, p.wall.start, p.wall.end),
    }
    if p.kind == "door":
        found |= {"openable": other != OUTSIDE, "openness": 0 if other == OUTSIDE else 1}
    return found


def _door(p: Passage) -> str:
    numbers = sorted((p.wall.room + FIRST_ROOM, 1 if p.wall.other == OUTSIDE else p.wall.other + FIRST_ROOM))
    return f"{numbers[0]}|{numbers[1]}"


def _items(contents: Contents, room: int, layer: str) -> list[dict[str, Any]]:
    name, items = _name(room), []
    counted = 0
    for number, (thing, resting) in enumerate(zip(contents.standing, contents.resting, strict=True)):
        spot, asset = thing.spot, thing.asset
        item = _item(asset, f"{asset.object_type}|{name}|{number}", (spot.x, asset.size[1] / 2, spot.z), spot.yaw_deg,
                     layer, kinematic="pickupable" not in asset.flags)  # fmt: skip
        children = []
        for rest in resting:
            child = f"{rest.asset.object_type}|surface|{name}|{counted}"
            counted += 1
            children.append(_item(rest.asset, child, (rest.x, rest.y, rest.z), rest.yaw_deg, layer, kinematic=False))
        items.append({**item, "children": children} if children else item)
    for number, hung in enumerate(contents.hanging):
        item = _item(hung.asset, f"{hung.asset.object_type}|{name}|wall|{number}", hung.place, hung.yaw_deg, layer,
                     kinematic=True)  # fmt: skip
        if hung.held is not None:
            item["children"] = [_held(hung, hung.held, f"{name}|{number}", layer)]
        items.append(item)
    return items


def _held(hung: Hanging, asset: Asset, number: str, layer: str) -> dict[str, Any]:
    """A towel over its holder."""
    x, y, z = hung.place
    place = (x, y + hung.asset.size[1] / 2 - asset.size[1] / 2, z)
    return _item(asset, f"{asset.object_type}|surface|{number}", place, hung.yaw_deg, layer, kinematic=True)


def _item(
    asset: Asset, name: str, place: tuple[float, float, float], yaw_deg: float, layer: str, kinematic: bool
) -> dict[str, Any]:
    return {
        "assetId": asset.asset_id,
        "id": name,
        "kinematic": kinematic,
        "layer": layer,
        "position": _xyz(place),
        "rotation": _xyz((0.0, yaw_deg, 0.0)),
    }


def _layers(made: Made) -> list[str]:
    """Unity's lamps shine on layers: rooms side by side get different ones, so that lamps stay in their rooms."""
    chosen: list[int] = []
    for room in range(len(made.plan.types)):
        near = {wall.other for wall in made.plan.walls if wall.room == room}
        taken = {chosen[k] for k in range(room) if k in near}
        open_to = [w.other for w in made.openings.open_walls if w.room == room and w.other < room]
        free = [k for k in range(_LAYERS) if k not in taken] or [0]
        chosen.append(chosen[open_to[0]] if open_to else free[0])
    return [f"Procedural{k}" for k in chosen]


def _lights(made: Made, layers: Sequence[str]) -> list[dict[str, Any]]:
    pitch, yaw = made.sun_deg
    shadow = {"type": "Soft", "strength": 1, "normalBias": 0, "bias": 0, "nearPlane": 0.2,
              "resolution": "FromQualitySettings"}  # fmt: skip
    lights: list[dict[str, Any]] = [
        {
            "id": "DirectionalLight",
            "type": "directional",
            "position": _xyz((0.84, 0.1855, -1.09)),
            "rotation": _xyz((pitch, yaw, 0.0)),
            "intensity": 0.35,
            "indirectMultiplier": 1.0,
            "rgb": {"r": 1.0, "g": 1.0, "b": 1.0},
            "shadow": shadow,
        }
    ]
    for room, outline in enumerate(made.plan.outlines):
        x, z = centroid(outline)
        lights.append(
            {
                "id": f"light_{_name(room)}",
                "type": "point",
                "layer": layers[room],
                "cullingMaskOff": [f"Procedural{k}" for k in range(_LAYERS) if f"Procedural{k}" != layers[room]],
                "position": _xyz((x, made.ceiling_m - 0.2, z)),
                "intensity": 0.75,
                "range": 15,
                "rgb": dict(zip("rgb", _LAMP, strict=True)),
                "shadow": {**shadow, "bias": 0.05},
            }
        )
    return lights
