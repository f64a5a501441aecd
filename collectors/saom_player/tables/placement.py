"""Which types of objects go on and in which: as the metadata of the real scenes has them."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from saom_player.scene import SceneObject
from saom_player.tables.layout import placed_objects, scene_names

_SEEN_AT_LEAST = 2
HANGERS = frozenset({"TowelHolder", "HandTowelHolder", "ToiletPaperHanger"})
"""What hangs on these stays there: nothing else in a room holds it."""
CLOSABLE = frozenset({"Drawer", "Cabinet", "Fridge", "Microwave", "Safe", "LaundryHamper", "Box"})
"""Receptacles that take an action to look into."""
OPEN_TOPPED = frozenset({"Box", "GarbageCan", "LaundryHamper", "DogBed", "Sink", "SinkBasin", "Bathtub"})
"""What lies in these may rise above their rims."""


@cache
def _pairs() -> Mapping[str, Mapping[str, int]]:
    """By type: how often objects of it are in or on receptacles of each type, over all iTHOR and RoboTHOR scenes."""
    found: dict[str, dict[str, int]] = {}
    for scene in scene_names():
        objects = placed_objects(scene)
        types = {thing.object_id: thing.object_type for thing in objects}
        for thing in objects:
            for parent in thing.parents:
                if parent in types:
                    counts = found.setdefault(thing.object_type, {})
                    counts[types[parent]] = counts.get(types[parent], 0) + 1
    return MappingProxyType(found)


def receptacle_types(object_type: str) -> Mapping[str, int]:
    """The types of receptacles that an object of a type goes on or in, and how often it does in the real scenes.

    Those that pairs of one scene alone show are left out: a box that grazes another is no habit.
    """
    counts = _pairs().get(object_type, {})
    return {kind: count for kind, count in counts.items() if count >= _SEEN_AT_LEAST and kind not in HANGERS}


def hangs(thing: SceneObject) -> bool:
    """Whether an object hangs on something made for it."""
    return any(parent.split("|")[0] in HANGERS for parent in thing.parent_receptacles)
