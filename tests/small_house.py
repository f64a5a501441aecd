"""A hand-written ProcTHOR house for tests: a kitchen and a bathroom side by side, a door, a window, a laid table."""

import copy
from typing import Any

KITCHEN, BATHROOM = "room|2", "room|3"
TABLE, BOWL, TOILET, DOOR, WINDOW = "DiningTable|2|0", "Bowl|surface|2|0", "Toilet|3|0", "door|2|3", "window|2|0"
HEIGHT = 2.6
WALL_BETWEEN = "4.00|0.00|4.00|4.00"


def small_house(**changes: Any) -> dict[str, Any]:
    """The house's JSON, its own copy each time. x from 0 to 4 is the kitchen, from 4 to 7 the bathroom."""
    house: dict[str, Any] = {
        "rooms": [_room(KITCHEN, "Kitchen", 0.0, 4.0), _room(BATHROOM, "Bathroom", 4.0, 7.0)],
        "walls": [
            _wall(2, (0, 0), (0, 4)), _wall(2, (0, 4), (4, 4)), _wall(2, (4, 4), (4, 0)), _wall(2, (4, 0), (0, 0)),
            _wall(3, (4, 0), (4, 4)), _wall(3, (4, 4), (7, 4)), _wall(3, (7, 4), (7, 0)), _wall(3, (7, 0), (4, 0)),
            _wall("exterior", (0, 4), (0, 0)),
        ],
        "doors": [
            {
                "id": DOOR, "assetId": "Doorway_1", "room0": KITCHEN, "room1": BATHROOM,
                "openable": True, "openness": 1,
                "wall0": f"wall|2|{WALL_BETWEEN}", "wall1": f"wall|3|{WALL_BETWEEN}",
                "holePolygon": [_point(1.0, 0.0), _point(2.08, 2.13)], "assetPosition": _point(1.54, 1.065),
            }
        ],
        "windows": [
            {
                "id": WINDOW, "assetId": "Window_Hung_48x44", "room0": KITCHEN, "room1": KITCHEN,
                "wall0": "wall|2|0.00|0.00|0.00|4.00", "wall1": "wall|exterior|0.00|0.00|0.00|4.00",
                "holePolygon": [_point(1.4, 0.7), _point(2.6, 1.9)], "assetPosition": _point(2.0, 1.3),
            }
        ],
        "objects": [
            {
                "id": TABLE, "assetId": "Dining_Table_16_1", "kinematic": True, "rotation": _point(0.0, 0.0),
                "position": _point(1.5, 0.4125, 2.0),
                "children": [{"id": BOWL, "assetId": "Bowl_1", "position": _point(1.5, 0.95, 2.0), "kinematic": False}],
            },
            {
                "id": TOILET, "assetId": "Toilet_1", "kinematic": True, "position": _point(6.45, 0.52, 3.0),
                "rotation": _point(0.0, 270.0),
            },
        ],
        "proceduralParameters": {
            "ceilingMaterial": {"name": "PureWhite"}, "skyboxId": "Sky1", "reflections": [], "receptacleHeight": 0.7,
            "floorColliderThickness": 1.0,
            "lights": [
                {"id": "DirectionalLight", "type": "directional", "position": _point(0.0, 3.0), "intensity": 0.35,
                 "rotation": _point(40.0, 80.0), "rgb": {"r": 1.0, "g": 1.0, "b": 1.0}},
                {"id": "light_2", "type": "point", "position": _point(2.0, 2.4, 2.0), "intensity": 0.75, "range": 15,
                 "rgb": {"r": 1.0, "g": 0.855, "b": 0.722}},
                {"id": "light_3", "type": "point", "position": _point(5.5, 2.4, 2.0), "intensity": 0.75, "range": 15,
                 "rgb": {"r": 1.0, "g": 0.855, "b": 0.722}},
            ],
        },
        "metadata": {
            "schema": "1.0.0", "roomSpecId": "kitchen-bathroom", "warnings": {},
            "agent": {"position": _point(3.0, 0.95, 1.0), "rotation": _point(0.0, 0.0), "horizon": 30,
                      "standing": True},
        },
    }  # fmt: skip
    return copy.deepcopy({**house, **changes})


def _point(x: float, y: float, z: float = 0.0) -> dict[str, float]:
    return {"x": x, "y": y, "z": z}


def _room(name: str, room_type: str, x0: float, x1: float) -> dict[str, Any]:
    corners = [(x0, 0.0), (x0, 4.0), (x1, 4.0), (x1, 0.0)]
    return {
        "id": name, "roomType": room_type, "floorMaterial": {"name": "LightWoodCounters"}, "ceilings": [],
        "children": [], "floorPolygon": [_point(x, 0.0, z) for x, z in corners],
    }  # fmt: skip


def _wall(room: int | str, start: tuple[int, int], end: tuple[int, int]) -> dict[str, Any]:
    xs, zs = sorted((start[0], end[0])), sorted((start[1], end[1]))
    corners = [(x, y, z) for y in (0.0, HEIGHT) for x, z in (start, end)]
    return {
        "id": f"wall|{room}|{xs[0]:.2f}|{zs[0]:.2f}|{xs[1]:.2f}|{zs[1]:.2f}",
        "roomId": room if room == "exterior" else f"room|{room}",
        "material": {"name": "PureWhite", "color": {"r": 0.7, "g": 0.75, "b": 0.8}},
        "polygon": [_point(*corner) for corner in corners],
    }
