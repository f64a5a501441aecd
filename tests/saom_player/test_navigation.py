"""Where the agent can stand and walk, against a room whose free space can be computed by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_room import GREY, placed, room, thing

from saom_player.physics.navigation import Navigation
from saom_player.physics.occupancy import AGENT_RADIUS_M, CELL_M
from saom_player.scene import Scene, SceneObject, Structure
from saom_player.shapes.mesh import Mesh, Part

NAVIGATION = Navigation(room())
# Centres of obstacles in the room: half sizes and middles in x, z.
OBSTACLES = [((0.5, 0.5), (0.0, 0.0)), ((0.2, 0.2), (1.5, 1.5))]


def clearance(x: float, z: float) -> float:
    """Distance in metres from a point to the nearest obstacle or wall of the room; negative inside."""
    walls = 2 - max(abs(x), abs(z))
    gaps = []
    for half, center in OBSTACLES:
        dx, dz = abs(x - center[0]) - half[0], abs(z - center[1]) - half[1]
        gaps.append(float(np.hypot(max(dx, 0), max(dz, 0))) if max(dx, dz) > 0 else max(dx, dz))
    return min(walls, *gaps)


@settings(max_examples=300, deadline=None)
@given(st.floats(-2.4, 2.4), st.floats(-2.4, 2.4))
def test_the_agent_fits_where_it_is_clear_of_everything(x: float, z: float) -> None:
    slack = 1.5 * CELL_M
    if abs(clearance(x, z) - AGENT_RADIUS_M) > slack:
        assert NAVIGATION.fits(x, z) == (clearance(x, z) > AGENT_RADIUS_M)


@pytest.mark.parametrize("grid_m", [0.25, 0.5, 0.1])
def test_reachable_positions_are_the_free_grid_points(grid_m: float) -> None:
    positions = NAVIGATION.reachable(grid_m)
    found = {(x, z) for x, _, z in positions}
    steps = np.arange(-round(3 / grid_m), round(3 / grid_m) + 1)
    every = {(round(i * grid_m, 6), round(k * grid_m, 6)) for i in steps for k in steps}
    slack = 1.5 * CELL_M
    assert {p for p in every if clearance(*p) > AGENT_RADIUS_M + slack} <= found
    assert found <= {p for p in every if clearance(*p) > AGENT_RADIUS_M - slack}
    assert {y for _, y, _ in positions} == {0.9}
    assert list(positions) == sorted(positions)


def test_a_walk_is_stopped_by_what_stands_in_its_way_and_told_its_name() -> None:
    start = (0.0, 0.9, -1.0)
    assert NAVIGATION.obstacle(start, (0.0, 0.9, -1.25)) is None
    assert NAVIGATION.obstacle(start, (0.0, 0.9, 1.0)) == "DiningTable_1"
    assert NAVIGATION.obstacle(start, (0.0, 0.9, -1.9)) == "Wall|2"
    assert NAVIGATION.obstacle((1.5, 0.9, 1.0), (1.5, 0.9, 1.5)) == "Box_1"


def test_an_agent_that_stands_badly_may_walk_away() -> None:
    assert not NAVIGATION.fits(0.0, -0.69)
    assert NAVIGATION.obstacle((0.0, 0.9, -0.69), (0.0, 0.9, -1.0)) is None


def with_things(*things: SceneObject | Structure) -> Scene:
    scene = room("FloorPlan2")
    return replace(
        scene,
        objects=(*scene.objects, *(t for t in things if isinstance(t, SceneObject))),
        structures=(*scene.structures, *(t for t in things if isinstance(t, Structure))),
    )


@pytest.mark.parametrize(
    ("bottom", "top", "blocks"), [(0.0, 0.04, False), (0.0, 0.3, True), (1.9, 2.3, False), (1.6, 1.7, True)]
)
def test_only_what_is_between_step_and_head_is_in_the_way(bottom: float, top: float, blocks: bool) -> None:
    size, center = (0.3, top - bottom, 0.3), (1.25, (bottom + top) / 2, 1.25)
    scene = with_things(thing("Rug|1", size, center, (1, 1, 1), ""))
    assert Navigation(scene).fits(1.25, 1.25) != blocks


def test_structures_that_are_not_solid_are_walked_through() -> None:
    parts = (Part("body", placed((0.3, 2.0, 0.3), (1.25, 1.0, 1.25))),)
    assert Navigation(with_things(Structure("Light", parts, solid=False))).fits(1.25, 1.25)
    assert not Navigation(with_things(Structure("Pillar", parts))).fits(1.25, 1.25)


def test_a_part_of_the_room_that_is_cut_off_is_not_reachable() -> None:
    fence = thing("Fence|1", (4.0, 0.5, 0.1), (0, 0.25, 1.0), (1, 1, 1), "")
    positions = Navigation(with_things(fence)).reachable(0.25)
    assert positions
    assert max(z for _, _, z in positions) < 1.0


def test_a_thin_fence_between_grid_points_cuts_too() -> None:
    fence = thing("Fence|1", (4.0, 0.5, 0.002), (0, 0.25, 1.1), (1, 1, 1), "")
    assert max(z for _, _, z in Navigation(with_things(fence)).reachable(0.5)) < 1.1


@pytest.mark.parametrize(
    ("wish", "start"), [((0.0, -1.3), (0.0, -1.25)), ((-0.1, -0.5), (0.0, -0.75)), ((0.8, 1.6), (0.75, 0.5))]
)
def test_the_start_is_the_reachable_position_nearest_to_the_wish(
    wish: tuple[float, float], start: tuple[float, float]
) -> None:
    fence = thing("Fence|1", (4.0, 0.5, 0.1), (0, 0.25, 1.0), (1, 1, 1), "")
    navigation = Navigation(replace(with_things(fence), agent_position=(wish[0], 0.9, wish[1])))
    assert navigation.start(0.25) == (start[0], 0.9, start[1])


def test_no_floor_no_positions() -> None:
    scene = room()
    bare = replace(scene, structures=tuple(s for s in scene.structures if s.name != "Floor"))
    assert Navigation(bare).reachable(0.25) == ()
    assert Navigation(bare).start(0.25) == bare.agent_position
    assert Navigation(bare).obstacle((0, 0.9, -1.0), (0, 0.9, -1.25)) == "the floor's edge"


def test_slivers_and_points_are_no_trouble() -> None:
    sliver = np.zeros((3, 3, 3), np.float32)
    sliver[0, :, :] = [[1.25, 0.5, 1.0], [1.25, 0.5, 1.5], [1.25, 0.5, 1.5]]
    sliver[1:] = 1.25
    mesh = Mesh(sliver, sliver, np.zeros((3, 3, 2), np.float32), GREY)
    scene = with_things(Structure("Wire", (Part("wire", mesh),)))
    assert not Navigation(scene).fits(1.25, 1.25)


def test_a_grid_too_fine_to_be_of_use_is_refused() -> None:
    with pytest.raises(ValueError, match=r"gridSize 0\.0001 makes .* grid points"):
        NAVIGATION.reachable(0.0001)
