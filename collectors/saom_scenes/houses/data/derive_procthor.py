"""Derive procthor.json.xz, what houses are made of, from the databases in the `procthor` package.

Run by hand, when the table's columns change:

    pip download --no-deps procthor==0.0.1.dev2   # Apache-2.0; unzip the wheel
    python derive_procthor.py procthor/databases

The asset database gives every asset's type, size and properties; the metadata of the iTHOR and RoboTHOR scenes adds
what a type's objects weigh, whether they are open or on, and how high on a piece of furniture its things lie.
"""

import json
import lzma
import sys
from collections import Counter, defaultdict
from pathlib import Path
from statistics import median
from typing import Any

ASSET_COLUMNS = ("id", "type", "size", "open_size", "flags", "mass", "materials", "split")
TYPE_COLUMNS = ("rooms", "corner", "edge", "middle", "floor", "wall", "many", "states", "surface")
ROOMS = ("Kitchens", "LivingRooms", "Bedrooms", "Bathrooms")
FLAGS = {
    "CanPickup": "pickupable", "Moveable": "moveable", "Receptacle": "receptacle", "CanOpen": "openable",
    "CanToggleOnOff": "toggleable", "CanBreak": "breakable", "CanBeFilled": "canFillWithLiquid",
    "CanBeDirty": "dirtyable", "CanBeCooked": "cookable", "CanBeSliced": "sliceable", "CanBeUsedUp": "canBeUsedUp",
    "isHeatSource": "isHeatSource", "isColdSource": "isColdSource",
}  # fmt: skip
STATES = ("isOpen", "isToggled", "isDirty")
FEWEST_LYING = 5


def main() -> None:
    """Read the folder named on the command line; write the table beside this file."""
    folder = Path(sys.argv[1])
    read = {path.stem: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}
    known = [o for scenes in read["ai2thor-object-metadata"].values() for objects in scenes for o in objects]
    assets = [a for group in read["asset-database"].values() for a in group]
    notes, surfaces = read["placement-annotations"], _surfaces(read["ai2thor-object-metadata"])
    types = sorted({a["objectType"] for a in assets})
    table = {
        "source": "procthor 0.0.1.dev2",
        "asset_columns": ASSET_COLUMNS,
        "assets": [_asset(a, known) for a in sorted(assets, key=lambda a: str(a["assetId"]))],
        "type_columns": TYPE_COLUMNS,
        "types": {t: _type(t, notes, known, surfaces.get(t)) for t in types},
        "lies_on": {
            receptacle: {child: round(found["p"], 4) for child, found in sorted(children.items())}
            for receptacle, children in sorted(read["receptacles"].items())
        },
        "wall_materials": read["material-database"]["Wall"],
        "floor_materials": read["material-database"]["Wood"],
        "wall_colors": [[round(c[k], 4) for k in "rgb"] for c in read["solid-wall-colors"]],
        "skyboxes": {name: sky["timeOfDay"] for name, sky in sorted(read["skyboxes"].items())},
    }
    text = json.dumps(table, separators=(",", ":"), ensure_ascii=False)
    out = Path(__file__).with_name("procthor.json.xz")
    out.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
    print(f"{out}: {len(assets)} assets of {len(types)} types, {out.stat().st_size / 1024:.0f} KiB")


def _asset(a: dict[str, Any], known: list[dict[str, Any]]) -> list[Any]:
    properties = [a.get("primaryProperty"), *a.get("secondaryProperties", [])]
    opened = (a.get("states") or {}).get("open")
    same = [o for o in known if o["assetId"] == a["assetId"]] or [
        o for o in known if o["objectType"] == a["objectType"]
    ]
    materials = Counter(m for o in same for m in o["salientMaterials"] or [])
    return [
        a["assetId"],
        a["objectType"],
        _size(a["boundingBox"]),
        _size(opened["boundingBox"]) if opened else None,
        sorted(FLAGS[p] for p in properties if p in FLAGS),
        round(median(float(o["mass"]) for o in same), 3) if same else 0.0,
        sorted(m for m, n in materials.items() if 2 * n >= len(same)),
        a["split"],
    ]


def _type(name: str, notes: dict[str, Any], known: list[dict[str, Any]], surface: float | None) -> list[Any]:
    objects = [o for o in known if o["objectType"] == name]
    usual = [state for state in STATES if 2 * sum(bool(o.get(state)) for o in objects) > len(objects)]
    return [
        [int(notes[f"in{room}"].get(name) or 0) for room in ROOMS],
        *(bool(notes[place].get(name)) for place in ("inCorner", "onEdge", "inMiddle", "onFloor", "onWall")),
        bool(notes["multiplePerRoom"].get(name)),
        usual,
        surface,
    ]


def _surfaces(scenes_by_room: dict[str, Any]) -> dict[str, float]:
    """How high, as a share of a receptacle's height, what lies on it has its underside; the median, by type."""
    shares: dict[str, list[float]] = defaultdict(list)
    for scenes in scenes_by_room.values():
        for objects in scenes:
            by_id = {o["objectId"]: o for o in objects}
            for o in objects:
                for parent in (by_id[p] for p in o["parentReceptacles"] or [] if p in by_id):
                    bottom, height = _upright(parent)
                    if height > 0.1:
                        shares[parent["objectType"]].append((_upright(o)[0] - bottom) / height)
    return {name: round(median(found), 3) for name, found in sorted(shares.items()) if len(found) >= FEWEST_LYING}


def _upright(o: dict[str, Any]) -> tuple[float, float]:
    box = o["axisAlignedBoundingBox"]
    return box["center"]["y"] - box["size"]["y"] / 2, box["size"]["y"]


def _size(box: dict[str, float]) -> list[float]:
    return [round(float(box[axis]), 4) for axis in "xyz"]


if __name__ == "__main__":
    main()
