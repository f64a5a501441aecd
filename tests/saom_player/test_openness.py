"""Opening, closing and switching: what moves, what stays, what follows in the metadata, and what is refused."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from player_table import Table
from tiny_room import CRATE, BoxRenderer, room

from saom_player.objects import build
from saom_player.objects.workbench import Order
from saom_player.physics.openness import Changeable, opened, openness_of, with_openness, with_toggle
from saom_player.render.renderer import Camera, Renderer
from saom_player.rooms.layouts import load_scene
from saom_player.scene import Box, Lamp, Scene, SceneObject
from saom_player.shapes.primitives import bounds
from saom_player.simulation import SceneSource
from saom_player.tables.layout import placed_objects, scene_names

# Boxes (x, y, z in metres) as the metadata has them, and whether they are those of the open object.
OPENABLE: dict[str, tuple[tuple[float, float, float], bool]] = {
    "Blinds": ((1.1, 0.196, 0.03), False), "Book": ((0.2, 0.03, 0.28), False), "Box": ((0.43, 0.3, 0.45), True),
    "Cabinet": ((0.47, 0.75, 0.05), False), "Drawer": ((0.45, 0.17, 0.5), False), "Fridge": ((0.9, 1.9, 0.9), False),
    "Kettle": ((0.2, 0.19, 0.21), False), "Laptop": ((0.4, 0.29, 0.28), True),
    "LaundryHamper": ((0.45, 0.6, 0.35), False), "Microwave": ((0.55, 0.3, 0.4), False),
    "Safe": ((0.3, 0.3, 0.33), False), "ShowerCurtain": ((0.43, 1.94, 0.37), False),
    "ShowerDoor": ((0.8, 2.0, 0.05), False), "Toilet": ((0.45, 0.9, 0.7), False),
}  # fmt: skip
# The other state's box, where the usual one does not show all of a builder.
OTHERS = [
    ("Blinds", (0.9, 1.2, 0.03), True), ("Book", (0.4, 0.03, 0.28), True), ("Box", (0.4, 0.3, 0.4), False),
    ("Cabinet", (0.9, 0.75, 0.4), False), ("Drawer", (0.45, 0.17, 0.05), False), ("Laptop", (0.4, 0.03, 0.28), False),
    ("ShowerCurtain", (0.1, 1.9, 1.5), False), ("ShowerDoor", (0.05, 2.0, 0.9), False),
    ("Toilet", (0.4, 0.9, 0.7), True),
]  # fmt: skip
CASES = [(name, size, open_) for name, (size, open_) in OPENABLE.items()] + OTHERS


def look(name: str, size: tuple[float, float, float], seed: int, order: Order) -> dict[str, np.ndarray]:
    return {part.name: part.mesh.positions for part in build(name, size, np.random.default_rng(seed), order)}


def materials(name: str, size: tuple[float, float, float], seed: int, order: Order) -> dict[str, object]:
    return {part.name: part.mesh.material for part in build(name, size, np.random.default_rng(seed), order)}


def test_the_cases_are_the_metadatas_openable_types() -> None:
    types = {o.object_type for name in scene_names() for o in placed_objects(name) if "openable" in o.flags}
    assert types <= set(OPENABLE)


@pytest.mark.parametrize(("name", "size", "boxed_open"), CASES)
def test_an_object_fills_its_box_in_its_boxs_state_and_looks_otherwise_in_others(
    name: str, size: tuple[float, float, float], boxed_open: bool
) -> None:
    for seed in range(3):
        order = Order(boxed_open=boxed_open)
        rest = look(name, size, seed, order)
        same = look(name, size, seed, replace(order, openness=float(boxed_open)))
        assert rest.keys() == same.keys()
        assert all(np.array_equal(rest[part], same[part]) for part in rest)
        low, high = bounds(build(name, size, np.random.default_rng(seed), order))
        assert np.allclose(high - low, size, atol=1e-3)
        seen = [rest]
        for openness in (0.0, 0.3, 1.0):
            state = replace(order, openness=openness)
            if openness == float(boxed_open):
                continue
            now, again = look(name, size, seed, state), look(name, size, seed, state)
            assert all(np.array_equal(now[part], again[part]) for part in now)
            assert all(np.isfinite(positions).all() for positions in now.values())
            for other in seen:
                shared = now.keys() & other.keys()
                assert any(not np.array_equal(now[part], other[part]) for part in shared)
            seen.append(now)


@pytest.mark.parametrize(("name", "size", "boxed_open"), CASES)
def test_opening_changes_no_style(name: str, size: tuple[float, float, float], boxed_open: bool) -> None:
    for seed in range(3):
        order = Order(boxed_open=boxed_open)
        rest = materials(name, size, seed, order)
        for openness in (0.0, 0.5, 1.0):
            now = materials(name, size, seed, replace(order, openness=openness))
            shared = now.keys() & rest.keys()
            assert len(shared) > len(rest) / 2
            assert all(now[part] == rest[part] for part in shared)


def test_doors_swing_about_the_hinges_that_they_are_given() -> None:
    for hinge in (-1, 1):
        order = Order(openness=1.0, boxed_open=False, hinge=hinge)
        parts = build("Cabinet", (0.4, 0.7, 0.05), np.random.default_rng(1), order)
        low, high = bounds([part for part in parts if part.name.startswith("door")])
        assert high[2] > 0.3
        assert (low[0] if hinge > 0 else -high[0]) > 0.1


def test_shelves_lie_under_what_a_fridge_holds() -> None:
    order = Order(openness=1.0, boxed_open=False, contents=((0.83, 0.95), (0.835, 0.9)))
    parts = build("Fridge", (0.9, 1.9, 0.9), np.random.default_rng(1), order)
    tops = [bounds([part])[1][1] + 0.95 for part in parts if part.name.startswith("shelf")]
    assert min(abs(top - 0.83) for top in tops) < 1e-3
    assert not any(0.84 < top < 0.95 for top in tops)


# --- in real scenes


@pytest.fixture(scope="module")
def kitchen() -> Scene:
    return load_scene("FloorPlan1")


def the(scene: Scene, object_id: str) -> SceneObject:
    return next(thing for thing in scene.objects if thing.object_id == object_id)


def first(scene: Scene, object_type: str, holding: bool = False) -> SceneObject:
    held = {parent for thing in scene.objects for parent in thing.parent_receptacles}
    found = (o for o in scene.objects if o.object_type == object_type and (not holding or o.object_id in held))
    return next(found)


def test_closed_again_is_as_before(kitchen: Scene) -> None:
    for thing in kitchen.objects:
        if "openable" in thing.flags:
            scene = kitchen
            for openness in (0.4, 1.0, openness_of(thing)):
                scene = with_openness(scene, thing.object_id, openness)
            back = the(scene, thing.object_id)
            assert back.flags == thing.flags
            assert np.allclose(back.box.center, thing.box.center, atol=1e-6)
            assert np.allclose(back.box.size, thing.box.size, atol=1e-6)
            for part, old in zip(back.parts, thing.parts, strict=True):
                assert np.allclose(part.mesh.positions, old.mesh.positions, atol=1e-5)


def test_boxes_follow_what_opens(kitchen: Scene) -> None:
    for thing in kitchen.objects:
        if "openable" in thing.flags:
            after = opened(thing, 1.0)
            local = [(p.mesh.positions.reshape(-1, 3) - after.box.center) @ after.box.axes() for p in after.parts]
            assert np.all(np.abs(np.concatenate(local)).max(axis=0) <= np.array(after.box.size) / 2 + 1e-3)
            assert after.box != thing.box
    cabinet = first(kitchen, "Cabinet")
    assert opened(cabinet, 1.0).box.size[2] > cabinet.box.size[2] + 0.2


def test_what_lies_in_a_drawer_moves_with_it(kitchen: Scene) -> None:
    drawer = first(kitchen, "Drawer", holding=True)
    scene = with_openness(kitchen, drawer.object_id, 0.8)
    step = np.array(the(scene, drawer.object_id).position) - drawer.position
    assert 0.2 < np.linalg.norm(step) < 0.6
    held = [o for o in kitchen.objects if drawer.object_id in o.parent_receptacles]
    assert held
    for thing in held:
        after = the(scene, thing.object_id)
        assert np.allclose(np.array(after.position) - thing.position, step)
        assert np.allclose(np.array(after.box.center) - thing.box.center, step)
        assert np.allclose(after.parts[0].mesh.positions - thing.parts[0].mesh.positions, step, atol=1e-5)
    still = [o for o in scene.objects if o.object_type == "Fridge"]
    assert still == [o for o in kitchen.objects if o.object_type == "Fridge"]


def test_an_object_that_was_moved_opens_where_it_is(kitchen: Scene) -> None:
    fridge = first(kitchen, "Fridge")
    turned = Box((3.0, 1.0, 2.0), fridge.box.size, (0.0, fridge.box.rotation_deg[1] + 90.0, 0.0))
    assert isinstance(fridge.shape, Changeable)
    after = opened(replace(fridge, box=turned), 1.0)
    there = opened(fridge, 1.0)
    assert np.allclose(sorted(after.box.size), sorted(there.box.size))
    local = np.array(there.box.center) - fridge.box.center
    assert np.allclose(np.array(after.box.center) - turned.center, (local[2], local[1], -local[0]), atol=1e-6)


def test_lamps_belong_to_what_switches_them() -> None:
    scene = load_scene("FloorPlan201")
    owners = {lamp.object_id for lamp in scene.lamps}
    assert {o.object_id for o in scene.objects if o.object_type in {"FloorLamp", "DeskLamp", "LightSwitch"}} <= owners
    for kind in ("FloorLamp", "LightSwitch"):
        lamp = first(scene, kind)
        dark = with_toggle(scene, lamp.object_id, False)
        assert [o.object_id for o in scene.lit_lamps() if o not in dark.lit_lamps()]
        assert with_toggle(dark, lamp.object_id, True).lit_lamps() == scene.lit_lamps()
    lamp = first(scene, "FloorLamp")
    dark = with_toggle(scene, lamp.object_id, False)
    lit, unlit = (max(part.mesh.material.emission for part in o.parts) for o in (lamp, the(dark, lamp.object_id)))
    assert lit > 0
    assert unlit == 0


def test_a_lamp_that_is_off_gives_no_light() -> None:
    scene = room()
    lamp = Lamp((1.5, 0.6, 1.5), (1.0, 0.8, 0.5), object_id=CRATE)
    scene = replace(scene, lamps=(*scene.lamps, lamp))
    on, off = with_toggle(scene, CRATE, True), with_toggle(scene, CRATE, False)
    camera = Camera((-1.5, 1.5, -1.5), 45.0, 10.0, 80.0)
    scenes = on, off, replace(off, lamps=scene.lamps[:1])
    lit, dark, without = (Renderer(each).render(camera, (24, 32)).rgb for each in scenes)
    assert np.array_equal(dark, without)
    assert not np.array_equal(dark, lit)


def test_screens_show_something_only_when_they_are_on() -> None:
    scene = load_scene("FloorPlan201")
    for kind in ("Television", "Laptop"):
        thing = first(scene, kind)
        states = [thing, the(with_toggle(scene, thing.object_id, True), thing.object_id)]
        textures = [next(p.mesh.material.texture for p in o.parts if p.name == "screen") for o in states]
        assert textures[0] == "plain"
        assert textures[1].startswith("screen")


# --- through the player


SAFE, OVEN = "Safe|+01.00|+00.50|-01.00", "Microwave|+00.00|+00.95|+00.00"


def tiny(name: str) -> Scene:
    """The tiny room with a safe in a corner and a microwave on the table."""
    scene = room(name)
    new = []
    for object_id, center, size in (
        (SAFE, (1.0, 0.5, -1.0), (0.4, 0.5, 0.4)),
        (OVEN, (0.0, 0.95, 0.0), (0.5, 0.3, 0.4)),
    ):
        kind, box = object_id.split("|")[0], Box(center, size)
        order = Order(boxed_open=False, on=False)

        def make(openness: float, on: bool, kind: str = kind, size: Any = size, order: Order = order) -> Any:
            return build(kind, size, np.random.default_rng(1), replace(order, openness=openness, on=on))

        shape = Changeable(make, size, 0.0)
        flags = frozenset({"openable", "toggleable"} if object_id == OVEN else {"openable"})
        thing = SceneObject(object_id, kind, kind, center, (0, 0, 0), box, (), flags=flags, shape=shape)
        new.append(opened(thing, 0.0))
    return replace(scene, objects=(*scene.objects, *new))


@pytest.fixture
def table() -> Table:
    return Table(SceneSource(lambda: ["FloorPlan1"], tiny, BoxRenderer)).start()


def state(event: dict[str, Any], object_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(o for o in event["objects"] if o["objectId"] == object_id)
    return found


def test_openness_is_told_in_the_metadata(table: Table) -> None:
    for openness in (0.5, 0.7, 0.0, 1.0):
        event = table.do("OpenObject", objectId=SAFE, openness=openness, forceAction=True)
        assert event["lastActionSuccess"], event["errorMessage"]
        safe = state(event, SAFE)
        assert (safe["openness"], safe["isOpen"]) == (openness, openness > 0)
    wide = safe["axisAlignedBoundingBox"]["size"]
    event = table.do("CloseObject", objectId=SAFE, forceAction=True)
    assert (state(event, SAFE)["openness"], state(event, SAFE)["isOpen"]) == (0.0, False)
    assert state(event, SAFE)["axisAlignedBoundingBox"]["size"]["z"] < wide["z"] - 0.1
    event = table.do("OpenObject", objectId=SAFE, moveMagnitude=0, forceAction=True)
    assert state(event, SAFE)["openness"] == 1.0


@pytest.mark.parametrize(
    ("action", "arguments", "code", "message"),
    [
        ("OpenObject", {}, "MissingArguments", "missing the following arguments: objectId"),
        ("OpenObject", {"x": 0.5}, "MissingArguments", "missing the following arguments: y"),
        ("OpenObject", {"objectId": 3}, "InvalidArgument", "Cannot convert to: string"),
        ("OpenObject", {"objectId": SAFE, "wide": 1}, "InvalidArgument", "invalid argument: 'wide'"),
        ("OpenObject", {"objectId": "Safe|nowhere"}, None, "is not the objectId on any object in the scene!"),
        ("OpenObject", {"objectId": SAFE, "openness": 1.5, "forceAction": True}, None, "openness must be in [0:1]"),
        ("OpenObject", {"objectId": SAFE, "openness": -0.5, "forceAction": True}, None, "openness must be in [0:1]"),
        ("OpenObject", {"objectId": SAFE}, None, "Target object not found within the specified visibility."),
        ("OpenObject", {"x": 1.5, "y": 0.5}, None, "x/y must be in [0:1]"),
        ("OpenObject", {"x": 0.5, "y": 0.0}, None, "No SimObject found at (x: 0.5, y: 0.0)"),
        ("ToggleObjectOn", {"objectId": SAFE, "forceAction": True}, None, "object is not toggleable."),
        ("ToggleObjectOff", {"objectId": OVEN, "forceAction": True}, None, "if it's already off!"),
        ("ToggleObjectOn", {}, "MissingArguments", "missing the following arguments: objectId"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_as_ai2thor_does(
    table: Table, action: str, arguments: dict[str, Any], code: str | None, message: str
) -> None:
    table.ok("Teleport", position={"x": -1.5, "y": 0.9, "z": -1.5}, rotation={"x": 0, "y": 270, "z": 0})
    event = table.do(action, **arguments)
    assert not event["lastActionSuccess"]
    assert message in event["errorMessage"]
    assert event["errorCode"] == code


def test_a_table_cannot_be_opened(table: Table) -> None:
    event = table.do("OpenObject", objectId="DiningTable|+00.00|+00.40|+00.00", forceAction=True)
    assert event["errorMessage"] == "DiningTable|+00.00|+00.40|+00.00 is not an Openable object"


def test_a_microwave_is_on_only_when_closed(table: Table) -> None:
    table.ok("ToggleObjectOn", objectId=OVEN, forceAction=True)
    assert state(table.event, OVEN)["isToggled"]
    event = table.do("OpenObject", objectId=OVEN, forceAction=True)
    assert event["errorMessage"] == "Target must be OFF to open!"
    event = table.do("ToggleObjectOn", objectId=OVEN, forceAction=True)
    assert event["errorMessage"] == "can't toggle object on if it's already on!"
    table.ok("ToggleObjectOff", objectId=OVEN, forceAction=True)
    table.ok("OpenObject", objectId=OVEN, forceAction=True)
    event = table.do("ToggleObjectOn", objectId=OVEN, forceAction=True)
    assert event["errorMessage"] == "Target must be closed to Toggle On!"


def test_what_is_seen_near_by_can_be_opened_by_id_and_by_place(table: Table) -> None:
    table.ok("Teleport", position={"x": 1.0, "y": 0.9, "z": 0.35}, rotation={"x": 0, "y": 180, "z": 0}, horizon=30)
    assert state(table.event, SAFE)["visible"]
    table.ok("OpenObject", objectId=SAFE, openness=0.2)
    table.ok("CloseObject", x=0.5, y=0.5)
    assert state(table.event, SAFE)["openness"] == 0.0


def test_a_door_does_not_open_through_the_agent(table: Table) -> None:
    table.ok("TeleportFull", position={"x": 1.05, "y": 0.9, "z": -0.5}, rotation={"x": 0, "y": 180, "z": 0},
             horizon=60, standing=True, forceAction=True)  # fmt: skip
    event = table.do("OpenObject", objectId=SAFE)
    assert event["errorMessage"].startswith("Openable object collided with")
    assert not state(event, SAFE)["isOpen"]
    table.ok("OpenObject", objectId=SAFE, forceAction=True)


def test_an_open_door_is_in_the_way(table: Table) -> None:
    where = {"position": {"x": 0.8, "y": 0.9, "z": -0.45}, "rotation": {"x": 0, "y": 0, "z": 0}}
    table.ok("Teleport", **where)
    table.ok("TeleportFull", position={"x": -1.5, "y": 0.9, "z": -1.5}, rotation={"x": 0, "y": 0, "z": 0},
             horizon=0, standing=True)  # fmt: skip
    table.ok("OpenObject", objectId=SAFE, forceAction=True)
    assert "Safe is blocking Agent 0" in table.fails("Teleport", **where)
