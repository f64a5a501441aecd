"""Actions on the whole scene: where objects are, what they are made of, how it is lit."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from saom_player.arguments import ActionError, Handler
from saom_player.physics.poses import Placement, is_loose, posed, without
from saom_player.physics.spawning import SpawnRules, spawn
from saom_player.scene import Scene, SceneObject, Vector
from saom_player.simulation import Simulation
from saom_player.surfaces.looks import ROOM_TYPES
from saom_player.tables.layout import placed_objects, scene_names
from saom_player.variations import (
    LightRules,
    MaterialRules,
    fresh_seed,
    with_colors,
    with_lighting,
    with_materials,
    with_own_lighting,
    with_own_materials,
)

_MAX_COPIES = 100
_MAX_ATTEMPTS = 1000
_ITHOR = re.compile(r"FloorPlan(\d+)")
_ROBOTHOR = re.compile(r"FloorPlan_(Train|Val|Test)")
_SPLITS = ("train", "val", "test", "external")


def initial_random_spawn(
    sim: Simulation,
    randomSeed: int = 0,
    forceVisible: bool = False,
    placeStationary: bool = True,
    numDuplicatesOfType: list[dict[str, Any]] | None = None,
    excludedReceptacles: list[str] | None = None,
    excludedObjectIds: list[str] | None = None,
    receptacleObjectIds: list[str] | None = None,
    objectIds: list[str] | None = None,
    numPlacementAttempts: int = 5,
    allowFloor: bool = False,
    allowMoveable: bool = False,
) -> None:
    """Move what can be picked up to other receptacles; all is at rest at once, placeStationary or not."""
    if numPlacementAttempts <= 0:
        raise ActionError("numPlacementAttempts must be a positive integer.")
    action = "InitialRandomSpawn"
    excluded = _texts(action, "excludedReceptacles", excludedReceptacles)
    for kind in excluded:
        if kind not in _known_types(sim):
            raise ActionError(f"invalid Object Type used in excludedReceptacles array: {kind:.100}")
    only, receptacles = objectIds, receptacleObjectIds
    rules = SpawnRules(
        attempts=min(numPlacementAttempts, _MAX_ATTEMPTS),
        only_outside=forceVisible,
        with_moveable=allowMoveable,
        excluded_types=frozenset(excluded) | (frozenset() if allowFloor else {"Floor"}),
        excluded_ids=_ids(sim, action, "excludedObjectIds", excludedObjectIds),
        only_ids=None if only is None else _ids(sim, action, "objectIds", only),
        only_receptacles=None if receptacles is None else _ids(sim, action, "receptacleObjectIds", receptacles),
        duplicates=_counts(sim, numDuplicatesOfType),
    )
    if not any("pickupable" in o.flags or (allowMoveable and is_loose(o)) for o in sim.place.scene.objects):
        raise ActionError("there is no object in the scene that could be moved")
    sim.change(spawn(sim.place.scene, randomSeed % 2**32, rules, sim.agent.position).scene)


def set_object_poses(sim: Simulation, objectPoses: list[dict[str, Any]], placeStationary: bool = True) -> None:
    """Put objects where they shall be; what can be moved and is not listed is taken away, unless nothing is."""
    placements = [_placement(entry) for entry in _list("SetObjectPoses", "objectPoses", objectPoses)]
    by_name = {thing.name: thing for thing in sim.place.scene.objects}
    for placement in placements:
        thing = by_name.get(placement.name)
        if thing is None:
            raise ActionError(f"No Pickupable or Moveable object of name {placement.name:.200} found in scene.")
        if not is_loose(thing):
            raise ActionError(
                f"{placement.name:.200} is not a Moveable or Pickupable object. "
                "SetObjectPoses only works with Moveable and Pickupable sim objects."
            )
    if placements:
        sim.change(posed(sim.place.scene, placements))


def disable_object(sim: Simulation, objectId: str) -> None:
    """Take an object away, until it is enabled or the scene is reset."""
    sim.change(without(sim.place.scene, {_named(sim.place.scene, objectId).object_id}))


def enable_object(sim: Simulation, objectId: str) -> None:
    """Bring an object back to where it was when the scene was loaded."""
    scene, original = sim.place.scene, sim.place.original
    if any(thing.object_id == objectId for thing in scene.objects):
        return
    thing = _named(original, objectId)
    known = {o.object_id: o for o in (*scene.objects, thing)}
    order = [o.object_id for o in original.objects]
    copies = [name for name in known if name not in set(order)]
    lamps = [lamp for lamp in original.lamps if lamp.object_id == objectId]
    objects = tuple(known[name] for name in (*order, *copies) if name in known)
    sim.change(replace(scene, objects=objects, lamps=(*scene.lamps, *lamps)))


def randomize_materials(
    sim: Simulation,
    useTrainMaterials: bool | None = None,
    useValMaterials: bool | None = None,
    useTestMaterials: bool | None = None,
    useExternalMaterials: bool | None = None,
    inRoomTypes: list[str] | None = None,
    seed: int | None = None,
) -> dict[str, Any]:
    """Give surfaces other looks of their kind; ``seed`` is the player's own, without it every call is another one."""
    scene = sim.place.scene
    rooms = _room_types(scene.name, inRoomTypes)
    asked = (useTrainMaterials, useValMaterials, useTestMaterials, useExternalMaterials)
    used = _used_splits(scene.name, asked)
    chosen = tuple(split for split, use in zip(_SPLITS, used, strict=True) if use)
    if not chosen:
        raise ActionError("ArgumentException: no materials are left to choose from: every use...Materials is false.")
    rules = MaterialRules(chosen, tuple(room for room in ROOM_TYPES if room in rooms))
    changed, considered = with_materials(scene, _seed(scene, seed), rules)
    sim.change(changed)
    return {
        "chosenRoomTypes": list(rules.rooms),
        **{f"use{split.capitalize()}Materials": use for split, use in zip(_SPLITS, used, strict=True)},
        "totalMaterialsConsidered": considered,
    }


def randomize_colors(sim: Simulation, seed: int | None = None) -> None:
    """Give every surface any colour; ``seed`` is the player's own."""
    sim.change(with_colors(sim.place.scene, _seed(sim.place.scene, seed)))


def reset_materials(sim: Simulation) -> None:
    """Undo RandomizeMaterials and RandomizeColors."""
    sim.change(with_own_materials(sim.place.scene))


def randomize_lighting(
    sim: Simulation,
    synchronized: bool = False,
    brightness: list[float] | None = None,
    randomizeColor: bool = True,
    hue: list[float] | None = None,
    saturation: list[float] | None = None,
    seed: int | None = None,
) -> None:
    """Make lamps and sun brighter or darker and of other colours; ``seed`` is the player's own."""
    for name, given in (("hue", hue), ("saturation", saturation)):
        if given is not None and not randomizeColor:
            raise ActionError(
                f"ArgumentException: Cannot pass in randomizeColor=False while also providing {name}={given!r:.100}."
            )
    ranges = {name: _range(name, given) for name, given in _given(brightness, hue, saturation).items()}
    if min(ranges["brightness"]) < 0:
        shown = list(ranges["brightness"])
        raise ActionError(f"ArgumentOutOfRangeException: Each brightness must be >= 0, not brightness={shown}.")
    for name in ("hue", "saturation"):
        if not all(0 <= value <= 1 for value in ranges[name]):
            raise ActionError(f"ArgumentOutOfRangeException: {name} range must be in [0:1], not {list(ranges[name])}")
    scene = sim.place.scene
    rules = LightRules(**ranges, with_color=randomizeColor, synchronized=synchronized)
    sim.change(with_lighting(scene, _seed(scene, seed), rules))


def reset_lighting(sim: Simulation) -> None:
    """Undo RandomizeLighting."""
    sim.change(with_own_lighting(sim.place.scene))


def _given(*ranges: list[float] | None) -> dict[str, list[float]]:
    defaults = LightRules()
    names = ("brightness", "hue", "saturation")
    return {
        name: list(getattr(defaults, name)) if given is None else given
        for name, given in zip(names, ranges, strict=True)
    }


def _range(name: str, values: list[float]) -> tuple[float, float]:
    numbers = [_number("RandomizeLighting", name, v) for v in _list("RandomizeLighting", name, values)]
    if len(numbers) != 2:
        raise ActionError(
            "ArgumentException: Ranges for hue, saturation, and brightness must each have 2 values. "
            f"You gave {name}={values!r:.100}."
        )
    return numbers[0], numbers[1]


def _seed(scene: Scene, seed: int | None) -> int:
    return fresh_seed(scene) if seed is None else seed % 2**32


def _room_types(scene: str, asked: list[str] | None) -> set[str]:
    """The room types whose looks may be used, in lower case; the scene's own must be among them."""
    if asked is None:
        return set(ROOM_TYPES)
    names = _texts("RandomizeMaterials", "inRoomTypes", asked)
    if not names:
        raise ActionError("ArgumentException: inRoomTypes must have a non-zero length!")
    for name in names:
        if name.lower() not in ROOM_TYPES:
            raise ActionError(
                f"ArgumentException: inRoomTypes contains unknown room type: {name:.100}.\n"
                'Valid room types include {"Bedroom", "Bathroom", "LivingRoom", "Kitchen", "RoboTHOR"}'
            )
    chosen = {name.lower() for name in names}
    own = _room_type(scene)
    if own and own not in chosen:
        shown = "RoboTHOR" if own == "robothor" else own
        raise ActionError(
            f'ArgumentException: inRoomTypes must include "{shown}" inside of a {shown} scene: {scene}_physics.'
        )
    return chosen


def _room_type(scene: str) -> str:
    """Of an iTHOR or RoboTHOR scene; "" for a house."""
    if match := _ITHOR.fullmatch(scene):
        number = int(match[1]) // 100
        return {0: "kitchen", 2: "livingroom", 3: "bedroom", 4: "bathroom"}.get(number, "")
    return "robothor" if _ROBOTHOR.match(scene) else ""


def _split(scene: str) -> str:
    """Of an iTHOR or RoboTHOR scene: train, val or test; "" for a house."""
    if match := _ITHOR.fullmatch(scene):
        number = int(match[1]) % 100
        return "train" if 1 <= number <= 20 else "val" if number <= 25 else "test"
    match = _ROBOTHOR.match(scene)
    return match[1].lower() if match else ""


def _used_splits(scene: str, asked: Sequence[bool | None]) -> list[bool]:
    """Which of _SPLITS are used. A scene always has the materials of its own split; a house has all."""
    own = _split(scene)
    if own and asked[_SPLITS.index(own)] is False:
        raise ActionError(
            f"ArgumentException: Inside of RandomizeMaterials, cannot set use{own.capitalize()}Materials=false "
            f"inside of a {own} scene."
        )
    defaults = [not own or split == own or (split == "external" and own == "train") for split in _SPLITS]
    return [default if use is None else use for use, default in zip(asked, defaults, strict=True)]


def _known_types(sim: Simulation) -> set[str]:
    known = {o.object_type for name in scene_names() for o in placed_objects(name)}
    return known | {o.object_type for o in sim.place.scene.objects}


def _counts(sim: Simulation, entries: list[dict[str, Any]] | None) -> dict[str, int]:
    """How many objects of a type there shall be."""
    counts = {}
    for entry in [] if entries is None else _list("InitialRandomSpawn", "numDuplicatesOfType", entries):
        fields = entry if isinstance(entry, dict) else {}
        kind, count = fields.get("objectType"), fields.get("count")
        if set(fields) != {"objectType", "count"} or not isinstance(kind, str) or type(count) is not int:
            raise _wrong("InitialRandomSpawn", "numDuplicatesOfType", entry, "ObjectTypeCount")
        if kind not in _known_types(sim):
            raise ActionError(f"ArgumentException: Requested value '{kind:.100}' was not found.")
        if not 0 <= count <= _MAX_COPIES:
            raise ActionError(f"numDuplicatesOfType: count {count} of {kind} is out of range: 0 to {_MAX_COPIES}")
        counts[kind] = count
    return counts


def _ids(sim: Simulation, action: str, argument: str, names: list[str] | None) -> frozenset[str]:
    found = _texts(action, argument, names)
    known = {thing.object_id for thing in sim.place.scene.objects}
    for name in found:
        if name not in known:
            raise ActionError(f"Cannot find sim object with id '{name:.200}'")
    return frozenset(found)


def _named(scene: Scene, object_id: str) -> SceneObject:
    for thing in scene.objects:
        if thing.object_id == object_id:
            return thing
    raise ActionError(f"Cannot find sim object with id '{object_id:.200}'")


def _placement(entry: Any) -> Placement:
    action, argument = "SetObjectPoses", "objectPoses"
    fields = entry if isinstance(entry, dict) else {}
    known = {"objectName", "position", "rotation"}
    if not isinstance(fields.get("objectName"), str) or set(fields) - known:
        raise _wrong(action, argument, entry, "ObjectPose")
    return Placement(fields["objectName"], *(_vector(fields.get(name), entry) for name in ("position", "rotation")))


def _vector(value: Any, entry: Any) -> Vector:
    """All three of x, y and z: half a pose would put an object somewhere nobody asked for."""
    if not isinstance(value, dict) or set(value) != set("xyz"):
        raise _wrong("SetObjectPoses", "objectPoses", entry, "ObjectPose")
    x, y, z = (_number("SetObjectPoses", "objectPoses", value[axis]) for axis in "xyz")
    return x, y, z


def _number(action: str, argument: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e6:
        raise _wrong(action, argument, value, "float")
    return float(value)


def _texts(action: str, argument: str, values: list[str] | None) -> list[str]:
    found = [] if values is None else _list(action, argument, values)
    if not all(isinstance(value, str) for value in found):
        raise _wrong(action, argument, values, "string[]")
    return found


def _list(action: str, argument: str, values: Any) -> list[Any]:
    if not isinstance(values, list):
        raise _wrong(action, argument, values, "array")
    return values


def _wrong(action: str, argument: str, value: Any, kind: str) -> ActionError:
    shown = f"action: {action} has an invalid argument: {argument} (=={value!r:.200})."
    return ActionError(f"{shown} Cannot convert to: {kind}", "InvalidArgument")


SCENE_ACTIONS: dict[str, Handler] = {
    "InitialRandomSpawn": initial_random_spawn,
    "SetObjectPoses": set_object_poses,
    "DisableObject": disable_object,
    "EnableObject": enable_object,
    "RemoveFromScene": disable_object,
    "RandomizeMaterials": randomize_materials,
    "RandomizeColors": randomize_colors,
    "RandomizeLighting": randomize_lighting,
    "ResetMaterials": reset_materials,
    "ResetColors": reset_materials,
    "ResetLighting": reset_lighting,
}
