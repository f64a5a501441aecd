from collections import Counter
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saom_player.physics.navigation import Navigation
from saom_player.physics.overlap import surfaces_at, triangles_of
from saom_player.rooms.facing import front_box, front_direction
from saom_player.rooms.layouts import UnknownScene, load_scene, scene_names
from saom_player.rooms.outline import footprint, outline, wall_segments
from saom_player.rooms.shell import measure
from saom_player.scene import Box, Scene
from saom_player.shapes.mesh import Part
from saom_player.shapes.rectangles import Rectangle, area, clipped, cut, inside, overlap
from saom_player.tables.layout import PlacedObject, placed_objects

SAMPLE = [f"FloorPlan{kind + n}" for kind in (0, 200, 300, 400) for n in (1, 21, 28)]
# Not drawn as themselves (joinery.py and layouts.py say why), or drawn as less than their box.
NOT_DRAWN = {"Floor", "SinkBasin", "BathtubBasin"}
DRAWN_SMALLER = {"CounterTop", "Shelf", "Painting", "Poster", "Mirror", "Cabinet", "DiningTable", "CoffeeTable"} | {
    "SideTable",
    "Toilet",  # One model's box is far larger than it.
}


@cache
def scene(name: str) -> Scene:
    return load_scene(name)


def corners(parts: tuple[Part, ...]) -> np.ndarray:
    return np.concatenate([part.mesh.positions.reshape(-1, 3) for part in parts])


def rows(name: str) -> Counter[str]:
    return Counter(o.object_type for o in placed_objects(name))


ITHOR = scene_names()[:120]
ROBOTHOR = scene_names()[120:]


def test_the_table_holds_every_ithor_scene_in_order() -> None:
    numbers = [int(name.removeprefix("FloorPlan")) for name in ITHOR]
    assert numbers == [first + i for first in (1, 201, 301, 401) for i in range(30)]


def test_the_table_holds_every_robothor_scene_in_the_client_s_order() -> None:
    apartments = [f"Train{n}" for n in range(1, 13)] + [f"Val{n}" for n in range(1, 4)]
    assert [f"FloorPlan_{a}_{k}" for a in apartments for k in range(1, 6)] == ROBOTHOR
    # From the RoboTHOR challenge's page.
    assert "BaseballBat|+04.00|+00.04|-04.77" in {o.object_id for o in placed_objects("FloorPlan_Train1_1")}


def test_scenes_are_of_the_room_types_that_their_numbers_say() -> None:
    for name in ITHOR:
        types = rows(name)
        kind = int(name.removeprefix("FloorPlan")) // 100
        assert bool(types["Fridge"]) == (kind == 0), name
        assert bool(types["Bed"]) == (kind == 3), name
        assert bool(types["Toilet"]) == (kind == 4), name


def test_the_table_holds_the_metadata_s_objects() -> None:
    counts = Counter(o.object_type for name in ITHOR for o in placed_objects(name))
    assert sum(counts.values()) == 5670
    assert sum(len(placed_objects(name)) for name in ROBOTHOR) == 3045
    assert counts["Cabinet"] == 516
    assert counts["Ottoman"] == 4
    assert counts["Safe"] == 8
    # Known from AI2-THOR's own documentation pages and from the player itself.
    assert "Fridge|-02.10|+00.00|+01.07" in {o.object_id for o in placed_objects("FloorPlan1")}


def test_ids_are_unique_and_name_type_and_place() -> None:
    far = 0
    for name in scene_names():
        objects = placed_objects(name)
        assert len({o.object_id for o in objects}) == len(objects)
        for o in objects:
            kind, *place = o.object_id.split("|")
            assert kind == o.object_type or o.object_id.endswith("|" + o.object_type)
            if not o.object_id.endswith("Basin"):
                far += not np.allclose([float(v) for v in place[:3]], o.position, atol=0.1)
    assert far < 30, "ids hold the place before things fell where they lie"


def test_boxes_are_sane_and_near_their_objects() -> None:
    far = 0
    for name in scene_names():
        for o in placed_objects(name):
            assert np.isfinite([*o.box.center, *o.box.size, *o.box.rotation_deg]).all()
            assert min(o.box.size) >= 0
            assert max(o.box.size) < 16
            low, high = np.array(o.extent())
            far += bool(np.any(low - 1.5 > o.position) or np.any(o.position > high + 1.5))
    assert far < 10, "a few pivots are far from their meshes in AI2-THOR itself"


def test_parents_exist() -> None:
    for name in scene_names():
        ids = {o.object_id for o in placed_objects(name)}
        missing = [p for o in placed_objects(name) for p in o.parents if p not in ids]
        assert not missing, name


def test_an_unknown_scene_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UnknownScene, match="did you mean 'FloorPlan201'"):
        load_scene("Floorplan201")


@pytest.mark.parametrize("name", SAMPLE)
def test_every_object_is_there_where_the_metadata_says(name: str) -> None:
    built = {o.object_id: o for o in scene(name).objects}
    table = placed_objects(name)
    assert [o.object_id for o in scene(name).objects] == [o.object_id for o in table]
    drawn = [o for o in table if built[o.object_id].parts]
    assert len(drawn) >= 0.97 * sum(o.object_type not in NOT_DRAWN for o in table)
    for o in drawn:
        half = np.array(o.box.size) / 2
        points = (corners(built[o.object_id].parts) - o.box.center) @ o.box.axes()
        low, high = points.min(0), points.max(0)
        if o.object_type == "CounterTop":
            # Below the box's rim, where things lie.
            assert -0.035 < high[1] - half[1] < 0.001
            continue
        # A shelf's board lies below its box, which is the room above it.
        assert np.all(low > -half - (0.035 if o.object_type == "Shelf" else 0.01)), o.object_id
        assert np.all(high < half + 0.01), o.object_id
        if o.object_type not in DRAWN_SMALLER:
            assert np.allclose(low, -half, atol=0.01), o.object_id
            assert np.allclose(high, half, atol=0.01), o.object_id


@pytest.mark.parametrize("name", SAMPLE)
def test_meshes_are_sound(name: str) -> None:
    for instance in scene(name).instances():
        for part in instance.parts:
            assert np.isfinite(part.mesh.positions).all()
            assert np.allclose(np.linalg.norm(part.mesh.normals, axis=2), 1, atol=1e-2), (instance.name, part.name)
    assert len({s.name for s in scene(name).structures if s.name.startswith("Wall")}) == sum(
        s.name.startswith("Wall") for s in scene(name).structures
    )


@pytest.mark.parametrize("name", SAMPLE)
def test_the_room_encloses_what_is_in_it(name: str) -> None:
    room = measure(placed_objects(name))
    for o in placed_objects(name):
        assert o.object_type == "Floor" or o.extent()[1][1] < room.ceiling_y
        if o.object_type in {"Floor", "Window", "Blinds", "Curtains"}:
            continue
        x, _, z = o.box.center
        assert inside(x, z, room.plan), o.object_id


def test_no_wall_stands_in_an_object() -> None:
    for name in SAMPLE:
        for structure in scene(name).structures:
            if not structure.name.startswith("Wall|") or structure.name.count("|") != 3:
                continue
            points = corners(structure.parts)
            wall = (points[:, 0].min(), points[:, 2].min(), points[:, 0].max(), points[:, 2].max())
            for o in placed_objects(name):
                if o.object_type not in {"Floor", "Window", "Blinds", "Curtains", "CounterTop"}:
                    assert overlap(wall, footprint(o)) < 0.35 * area(footprint(o)) + 1e-3, (structure.name, o.object_id)


@pytest.mark.parametrize("name", SAMPLE)
def test_the_agent_starts_on_free_floor_and_can_walk(name: str) -> None:
    x, y, z = scene(name).agent_position
    assert y == pytest.approx(measure(placed_objects(name)).floor_y + 0.9)
    assert inside(x, z, measure(placed_objects(name)).plan)
    navigation = Navigation(scene(name))
    assert navigation.fits(x, z)
    assert len(navigation.reachable(0.25)) > 10


def test_every_room_can_be_measured_and_is_no_larger_than_its_floor() -> None:
    for name in ITHOR:
        objects = placed_objects(name)
        plan = outline(objects)
        floor = next(footprint(o) for o in objects if o.object_type == "Floor")
        assert 2.5 < sum(map(area, plan)) < 1.3 * area(floor), name
        walls = wall_segments(plan)
        for axis in (0, 1):
            runs = {sign: sum(w.high - w.low for w in walls if (w.axis, w.inward) == (axis, sign)) for sign in (-1, 1)}
            assert runs[-1] == pytest.approx(runs[1]), "walls that face each other are of equal length"


def test_a_clue_cuts_an_l_shaped_room() -> None:
    """A light switch in the middle of the floor's box shows that the corner behind it is outside."""
    objects = [
        thing("Floor", (-2, -0.1, -2), (2, 0, 2)),
        thing("Sofa", (-2, 0, -2), (2, 0.8, -1.2)),
        thing("Bed", (-2, 0, -1), (-0.5, 0.6, 2)),
        thing("LightSwitch", (0.49, 1.2, 1.0), (0.5, 1.3, 1.1), yaw_deg=270.0),
    ]
    plan = outline(objects)
    assert inside(0, 0.5, plan)
    assert inside(1.5, -1.5, plan)
    assert not inside(1.5, 1.0, plan)


def test_flat_things_and_furniture_face_away_from_their_wall() -> None:
    for name in SAMPLE:
        objects = placed_objects(name)
        room = measure(objects)
        for o in objects:
            if o.object_type in {"Toilet", "Fridge", "LightSwitch", "Sofa", "TVStand", "Dresser", "Mirror"}:
                box = front_box(o, objects, room.walls)
                x, z = front_direction(box)
                ahead = (box.center[0] + x * (box.size[2] / 2 + 0.15), box.center[2] + z * (box.size[2] / 2 + 0.15))
                assert inside(*ahead, room.plan), (name, o.object_id)


def test_beds_have_their_head_where_the_pillows_are() -> None:
    checked = 0
    for name in ITHOR[60:90]:
        objects = placed_objects(name)
        for bed in (o for o in objects if o.object_type == "Bed"):
            x, z = front_direction(front_box(bed, objects, ()))
            pillows = [o for o in objects if o.object_type == "Pillow" and bed.object_id in o.parents]
            along = [
                (p.box.center[0] - bed.box.center[0]) * x + (p.box.center[2] - bed.box.center[2]) * z for p in pillows
            ]
            if along and abs(np.mean(along)) > 0.2 * bed.box.size[2]:
                assert np.mean(along) < 0, (name, bed.object_id)
                checked += 1
    assert checked > 10


def test_no_counter_covers_a_sink_or_a_fridge() -> None:
    for name in SAMPLE[:3]:
        for counter in (o for o in scene(name).objects if o.object_type == "CounterTop"):
            for part in counter.parts:
                points = part.mesh.positions.reshape(-1, 3)
                slab = (points[:, 0].min(), points[:, 2].min(), points[:, 0].max(), points[:, 2].max())
                for o in placed_objects(name):
                    if o.object_type in {"Sink", "Fridge"}:
                        assert overlap(slab, footprint(o)) < 0.3 * area(footprint(o)), (name, o.object_id)


def test_a_scene_depends_on_its_name_and_seed_alone() -> None:
    def digest(s: Scene) -> list[tuple[str, str, bytes]]:
        return [(i.name, p.name, p.mesh.positions.tobytes()) for i in s.instances() for p in i.parts]

    first, second, other = load_scene("FloorPlan401"), load_scene("FloorPlan401"), load_scene("FloorPlan401", seed=1)
    assert digest(first) == digest(second)
    assert (first.lamps, first.sun, first.windows) == (second.lamps, second.sun, second.windows)
    assert digest(first) != digest(other)
    assert [o.box for o in first.objects] == [o.box for o in other.objects]


def thing(kind: str, low: tuple[float, ...], high: tuple[float, ...], yaw_deg: float = 0.0) -> PlacedObject:
    a, b = np.array(low, float), np.array(high, float)
    center, size = tuple((a + b) / 2), tuple(b - a)
    return PlacedObject(kind, kind, kind, "", center, (0.0, yaw_deg, 0.0), Box(center, size), (), (), frozenset(), 0.0)


rectangles = st.builds(
    lambda x, z, w, d: (x / 4, z / 4, (x + w) / 4, (z + d) / 4),
    st.integers(-8, 8), st.integers(-8, 8), st.integers(1, 9), st.integers(1, 9),
)  # fmt: skip


@given(st.lists(rectangles, min_size=1, max_size=4), st.lists(rectangles, max_size=4))
def test_cutting_keeps_exactly_what_is_in_no_hole(wholes: list[Rectangle], holes: list[Rectangle]) -> None:
    kept = cut(wholes, holes)
    for i, a in enumerate(kept):
        assert not any(overlap(a, b) > 1e-9 for b in kept[i + 1 :])
    cells = [(x / 4 + 0.125, z / 4 + 0.125) for x in range(-9, 18) for z in range(-9, 18)]
    for x, z in cells:
        assert inside(x, z, kept) == (inside(x, z, wholes) and not inside(x, z, holes))


@given(rectangles, rectangles)
def test_clipping_agrees_with_overlap(a: Rectangle, b: Rectangle) -> None:
    assert sum(map(area, clipped([a], [b]))) == pytest.approx(overlap(a, b))


@pytest.mark.parametrize(
    ("name", "kind", "holder"),
    [
        ("FloorPlan5", "Plate", "CounterTop"),
        ("FloorPlan212", "Newspaper", "Shelf"),
        ("FloorPlan209", "Newspaper", "Sofa"),
    ],
)
def test_nothing_swallows_what_lies_on_it(name: str, kind: str, holder: str) -> None:
    """Flat things, seen from above: what holds them is below them."""
    objects = {o.object_id: o for o in scene(name).objects}
    lying = [o for o in objects.values() if o.object_type == kind]
    held = [(o, objects[p]) for o in lying for p in o.parent_receptacles if p.startswith(holder)]
    assert held
    for o, below in held:
        heights, _ = surfaces_at(triangles_of(below.parts), np.array([o.box.center])[:, [0, 2]])
        assert np.nanmax(np.where(heights < o.box.center[1] + 0.15, heights, np.nan)) < o.box.center[1], o.object_id


@pytest.mark.parametrize("name", ["FloorPlan212", "FloorPlan1", "FloorPlan305"])
def test_no_face_of_furniture_lies_in_the_same_plane_as_a_shelf_on_it(name: str) -> None:
    objects = scene(name).objects
    shelves = [o for o in objects if o.object_type == "Shelf" and o.parts]
    assert shelves
    for shelf in shelves:
        low, high = corners(shelf.parts).min(axis=0), corners(shelf.parts).max(axis=0)
        for other in objects:
            if other is shelf or not other.parts:
                continue
            triangles = corners(other.parts).reshape(-1, 3, 3)
            flat = triangles[np.ptp(triangles[..., 1], axis=1) < 1e-4]
            over = (flat.min(axis=1)[:, [0, 2]] < high[[0, 2]] - 0.01) & (
                flat.max(axis=1)[:, [0, 2]] > low[[0, 2]] + 0.01
            )
            near = np.abs(flat[:, 0, 1] - high[1]) < 5e-4
            assert not (over.all(axis=1) & near).any(), f"{shelf.object_id} and {other.object_id}"
