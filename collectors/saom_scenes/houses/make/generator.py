"""One house from a seed: the steps of ProcTHOR's recipe in their order, with a new plan where one leads nowhere."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from saom_scenes.houses.assets import floor_materials, skyboxes, wall_colors, wall_materials
from saom_scenes.houses.make.floorplan import FloorPlan, NoPlan, RoomPlan, floor_plan
from saom_scenes.houses.make.furniture import Ground
from saom_scenes.houses.make.hanging import Walls
from saom_scenes.houses.make.passages import Openings, openings, strip
from saom_scenes.houses.make.regions import Rect, free_rectangles
from saom_scenes.houses.make.rooms import Furnished, furnish, is_needed
from saom_scenes.houses.make.surfaces import small_things
from saom_scenes.houses.make.walking import reached_positions
from saom_scenes.houses.make.writing import Contents, Made, Paint, house_json

MOST_ROOMS = 6
SPLITS = ("train", "val", "test")
VERSION = 1
"""Of the recipe: the same seed and version give the same house."""
_PLANS_TRIED = 20
_CEILING_M, _CEILING_MORE_M = 2.5, 4.5
_ALL_WALLS_SAME_P, _ALL_FLOORS_SAME_P, _SOLID_P = 0.35, 0.15, 0.5
_PAINTED = "PureWhite"
_LEAST_POSITIONS = 8
"""Of an agent in each room; ProcTHOR asks for 5."""
_LOW_M, _GRID_M = 0.1, 0.25
_ROOMS: dict[int, tuple[tuple[tuple[str, int], ...], ...]] = {
    1: ((("Kitchen", 1),), (("LivingRoom", 1),), (("Bedroom", 1),), (("Bathroom", 1),)),
    2: ((("Kitchen", 1), ("LivingRoom", 1)), (("Bedroom", 2), ("Bathroom", 1))),
    3: (
        (("Kitchen", 3), ("LivingRoom", 2), ("Bedroom", 2)),
        (("Kitchen", 1), ("LivingRoom", 1), ("Bedroom", 1)),
        (("LivingRoom", 2), ("Bedroom", 2), ("Bathroom", 1)),
    ),
    4: ((("Bedroom", 2), ("Bathroom", 1), ("Kitchen", 3), ("LivingRoom", 2)),),
    5: (
        (("Bedroom", 2), ("Bathroom", 1), ("Bedroom", 2), ("Kitchen", 3), ("LivingRoom", 2)),
        (("Kitchen", 3), ("Bathroom", 1), ("LivingRoom", 3), ("Bedroom", 2), ("Bedroom", 2)),
    ),
    6: ((("Bedroom", 2), ("Bathroom", 1), ("Bedroom", 2), ("Bathroom", 1), ("Kitchen", 3), ("LivingRoom", 2)),),
}
"""Rooms with their ratios, by how many there are."""


def generate_house(rooms: int, seed: int, index: int, split: str) -> dict[str, Any]:
    """The JSON of a house. ``split`` says which of AI2-THOR's assets it may use. Equal calls give equal houses."""
    rng = np.random.default_rng([VERSION, seed, index, rooms, SPLITS.index(split)])
    for _ in range(_PLANS_TRIED):
        try:
            made = _make(rooms, split, rng)
        except NoPlan:
            continue
        origin = {"generator": "saom-bench", "recipe": VERSION, "seed": seed, "index": index}
        return house_json(made, {"split": split, "origin": origin})
    raise NoPlan(f"no house of {rooms} rooms came about from seed {seed}, number {index}; give another seed")


def _make(rooms: int, split: str, rng: np.random.Generator) -> Made:
    specs = _ROOMS[rooms]
    spec = [RoomPlan(*room) for room in specs[int(rng.integers(len(specs)))]]
    plan = floor_plan(spec, rng)
    ceiling = round(_CEILING_M + float(rng.beta(1.25, 5.5)) * _CEILING_MORE_M, 4)
    passages = openings(plan, ceiling, split, rng)
    bias = 0.4 * float(rng.beta(3.5, 1.9)) - 0.3
    furnished = [_furnished(plan, passages, k, split, rng) for k in range(rooms)]
    _make_way(plan, passages, furnished)
    paints, cover, floors = _surfaces(rooms, rng)
    skies = sorted(skyboxes())
    return Made(
        plan=plan,
        openings=passages,
        contents=[_contents(plan, passages, k, furnished[k], ceiling, bias, rng) for k in range(rooms)],
        ceiling_m=ceiling,
        walls=paints,
        ceiling=cover,
        floors=floors,
        sky=skies[int(rng.integers(len(skies)))],
        sun_deg=(round(float(rng.uniform(24, 55)), 2), round(float(rng.uniform(0, 360)), 2)),
        start=_start(plan, furnished, rng),
    )


def _furnished(plan: FloorPlan, passages: Openings, room: int, split: str, rng: np.random.Generator) -> Furnished:
    windows = [(strip(p.wall, p.low, p.high, 0.4), p.bottom) for p in passages.passages
               if p.kind == "window" and p.wall.room == room]  # fmt: skip
    found = Furnished(plan.types[room], Ground(plan.outlines[room], passages.keep_free(room), windows), split, rng)
    furnish(found)
    return found


def _make_way(plan: FloorPlan, passages: Openings, rooms: Sequence[Furnished]) -> None:
    """Take out what stands between rooms, the latest and least needed first, until all of them can be walked to.

    Raises NoPlan where only needed furniture is left.
    """
    ways, leaves = passages.ways(), passages.leaves()
    while True:
        things = [*leaves, *(r for room in rooms for r in _obstacles(room))]
        reached = reached_positions(plan.outlines, ways, things)
        stuck = [k for k, positions in enumerate(reached) if positions < _LEAST_POSITIONS]
        if not stuck:
            return
        if not any(_take_out(rooms[k]) for k in stuck) and not any(_take_out(room) for room in rooms):
            raise NoPlan("furniture leaves no way")


def _obstacles(room: Furnished) -> list[Rect]:
    return [thing.footprint for thing in room.ground.standing if thing.asset.size[1] > _LOW_M]


def _take_out(room: Furnished) -> bool:
    """Remove one piece; whether there was one that the room can do without."""
    for number in range(len(room.ground.standing) - 1, -1, -1):
        thing = room.ground.standing[number]
        if not is_needed(thing) and number not in room.on_top:
            del room.ground.standing[number]
            room.on_top = {k - (k > number): v for k, v in room.on_top.items()}
            return True
    return False


def _contents(
    plan: FloorPlan, passages: Openings, room: int, furnished: Furnished, ceiling: float, bias: float,
    rng: np.random.Generator,
) -> Contents:  # fmt: skip
    standing, split = furnished.ground.standing, furnished.split
    resting = [
        small_things(thing, furnished.on_top.get(k, []), plan.types[room], split, bias, rng)
        for k, thing in enumerate(standing)
    ]
    walls = [wall for wall in plan.walls if wall.room == room and wall not in passages.open_walls]
    hanging = Walls(walls, passages.passages, standing, ceiling, split, rng).fill(plan.types[room])
    return Contents(standing, resting, hanging)


def _surfaces(rooms: int, rng: np.random.Generator) -> tuple[list[Paint], Paint, list[str]]:
    """Of each room's walls and of the outside, of the ceiling, and of each room's floor."""
    names, colors, woods = wall_materials(), wall_colors(), floor_materials()

    def paint() -> Paint:
        if rng.random() < _SOLID_P:
            return Paint(_PAINTED, colors[int(rng.integers(len(colors)))])
        return Paint(names[int(rng.integers(len(names)))])

    def wood() -> str:
        return woods[int(rng.integers(len(woods)))]

    outside = Paint(names[int(rng.integers(len(names)))])
    floors = [wood()] * rooms if rng.random() < _ALL_FLOORS_SAME_P else [wood() for _ in range(rooms)]
    if rng.random() < _ALL_WALLS_SAME_P:
        same = paint()
        return [same] * rooms + [outside], same, floors
    return [paint() for _ in range(rooms)] + [outside], paint(), floors


def _start(plan: FloorPlan, rooms: Sequence[Furnished], rng: np.random.Generator) -> tuple[float, float, float]:
    """On AI2-THOR's grid, in the middle of the largest free rectangle of a room."""
    yaw = 90.0 * float(rng.integers(4))
    for k in rng.permutation(len(rooms)):
        ground = rooms[int(k)].ground
        free = free_rectangles(ground.outline, [thing.footprint for thing in ground.standing], 0.7)
        if free:
            x0, z0, x1, z1 = free[0]
            return round((x0 + x1) / 2 / _GRID_M) * _GRID_M, round((z0 + z1) / 2 / _GRID_M) * _GRID_M, yaw
    raise NoPlan("no room has a place to start from")
