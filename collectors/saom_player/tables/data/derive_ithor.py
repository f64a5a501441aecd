"""Derive ithor.json.xz, the table of real iTHOR and RoboTHOR placements, from the metadata in the `procthor` package.

Run by hand, when the table's columns change:

    pip download --no-deps procthor==0.0.1.dev2   # Apache-2.0; unzip the wheel
    python derive_ithor.py procthor/databases/ai2thor-object-metadata.json

The metadata lists the scenes of each room type in the order of their numbers, and RoboTHOR's in the order in which the
`ai2thor` client does: its first holds the baseball bat that the RoboTHOR challenge's page shows in FloorPlan_Train1_1,
and in each five the paintings hang on the same inner walls, as in five variations of one apartment they should.

An object's box is its oriented box where the metadata has one, else the upright box that the axis-aligned one is drawn
around: turned as the object, or to the nearest quarter turn where that box would not be sound.
"""

import json
import lzma
import sys
from pathlib import Path
from typing import Any

import numpy as np

ROBOTHOR = (("Train", 12), ("Val", 3))
VARIATIONS = 5
FLAT, FLAT_M = {"Window", "LightSwitch", "Painting", "Mirror", "Poster"}, 0.04
FIRST_NUMBER = {"kitchens": 1, "living_rooms": 201, "bedrooms": 301, "bathrooms": 401}
COLUMNS = ("id", "type", "name", "asset", "position", "rotation", "center", "size", "box_rotation", "parents",
           "materials", "flags", "mass")  # fmt: skip
FLAGS = (
    "breakable canBeUsedUp canFillWithLiquid cookable dirtyable isColdSource isDirty isFilledWithLiquid isHeatSource "
    "isOpen isToggled moveable openable pickupable receptacle sliceable toggleable"
).split()
_CORNER_TOLERANCE_M = 2e-3
_SQUARE_DEG = 3.0
_TILTED_DEG = 3.0
_LEAST_M, _LEAST_SHARE = 0.02, 0.25
_ILL_CONDITIONED = 0.1


def main() -> None:
    """Read the metadata named on the command line; write the table beside this file."""
    metadata = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    scenes = {
        f"FloorPlan{first + i}": [_row(o) for o in sorted(objects, key=lambda o: str(o["objectId"]))]
        for room_type, first in FIRST_NUMBER.items()
        for i, objects in enumerate(metadata[room_type])
    }
    robothor = [f"FloorPlan_{stage}{n}_{k}" for stage, count in ROBOTHOR for n in range(1, count + 1)
                for k in range(1, VARIATIONS + 1)]  # fmt: skip
    for name, objects in zip(robothor, metadata["robothor"], strict=True):
        scenes[name] = [_row(o) for o in sorted(objects, key=lambda o: str(o["objectId"]))]
    table = {"columns": COLUMNS, "source": "procthor 0.0.1.dev2 ai2thor-object-metadata.json", "scenes": scenes}
    text = json.dumps(table, separators=(",", ":"), ensure_ascii=False)
    out = Path(__file__).with_name("ithor.json.xz")
    out.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
    print(f"{out}: {len(scenes)} scenes, {sum(map(len, scenes.values()))} objects, {out.stat().st_size / 1024:.0f} KiB")


def _row(o: dict[str, Any]) -> list[Any]:
    center, size, box_rotation = _box(o)
    return [
        o["objectId"],
        o["objectType"],
        o["name"],
        o["assetId"],
        _rounded(_vector(o["position"]), 4),
        _rounded([a % 360 for a in _vector(o["rotation"])], 2),
        _rounded(center, 4),
        _rounded(size, 4),
        _rounded([a % 360 for a in box_rotation], 2),
        o["parentReceptacles"] or [],
        o["salientMaterials"] or [],
        [flag for flag in FLAGS if o.get(flag)],
        round(float(o["mass"]), 4),
    ]


def _box(o: dict[str, Any]) -> tuple[list[float], list[float], list[float]]:
    """Centre, size and rotation of the object's box."""
    rotation = _vector(o["rotation"])
    oriented = o["objectOrientedBoundingBox"]
    if oriented is None:
        box = o["axisAlignedBoundingBox"]
        size = _vector(box["size"])
        turned = _turned_size(size, rotation, o["objectType"])
        if turned is not None:
            return _vector(box["center"]), turned, [0.0, rotation[1], 0.0]
        quarter = round(rotation[1] / 90) % 4
        if quarter % 2:
            size[0], size[2] = size[2], size[0]
        return _vector(box["center"]), size, [0.0, quarter * 90.0, 0.0]
    corners = np.array(oriented["cornerPoints"])
    middle = (corners.max(0) + corners.min(0)) / 2 if len(corners) != 8 else corners.mean(0)
    local = (corners - middle) @ _axes(rotation)
    low, high = local.min(0), local.max(0)
    if np.minimum(np.abs(local - low), np.abs(local - high)).max() > _CORNER_TOLERANCE_M:
        raise SystemExit(f"{o['objectId']}: its box is not aligned with its rotation")
    return list(middle), list(high - low), rotation


def _turned_size(hull: list[float], rotation_deg: list[float], object_type: str) -> list[float] | None:
    """The size of the turned box whose axis-aligned hull is this; None where it is square, tilted, or not sound."""
    pitch, yaw, roll = rotation_deg
    if _off_square(yaw) < _SQUARE_DEG or max(_off_square(pitch), _off_square(roll)) > _TILTED_DEG:
        return None
    cos, sin = abs(np.cos(np.radians(yaw))), abs(np.sin(np.radians(yaw)))
    if object_type in FLAT:
        along = hull[0] - FLAT_M * sin, hull[2] - FLAT_M * cos
        return [along[0] / cos if cos > sin else along[1] / sin, hull[1], FLAT_M]
    determinant = cos**2 - sin**2
    if abs(determinant) < _ILL_CONDITIONED:
        # At 45 degrees every box has a square hull. Furniture that is turned so is about square itself.
        side = (hull[0] + hull[2]) / 2 / (cos + sin)
        return [side, hull[1], side] if abs(hull[0] - hull[2]) < _LEAST_SHARE * side and hull[1] > side else None
    width = (hull[0] * cos - hull[2] * sin) / determinant
    depth = (hull[2] * cos - hull[0] * sin) / determinant
    sound = min(width, depth) > max(_LEAST_M, _LEAST_SHARE * min(hull[0], hull[2]))
    return [width, hull[1], depth] if sound else None


def _off_square(angle_deg: float) -> float:
    """How far an angle is from a quarter turn."""
    return abs((angle_deg + 45.0) % 90.0 - 45.0)


def _axes(rotation_deg: list[float]) -> Any:
    """Unity's rotation: about z, then x, then y."""
    x, y, z = np.radians(rotation_deg)
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    return about_y @ about_x @ about_z


def _vector(value: dict[str, float]) -> list[float]:
    return [float(value[axis]) for axis in "xyz"]


def _rounded(values: Any, digits: int) -> list[float]:
    return [round(float(v), digits) + 0.0 for v in values]


if __name__ == "__main__":
    main()
