"""Sampling strategies: what each is for, seen in the poses that it proposes."""

import math
from collections import Counter
from dataclasses import replace
from itertools import islice, pairwise

import numpy as np
import pytest
from fake_thor import RULES, SIMULATOR, FakeSession
from hypothesis import given
from hypothesis import strategies as st

from saom_bench.classes import label_set
from saom_bench.errors import SaomBenchError
from saom_bench.types import Pose
from saom_collectors.collect import CollectConfig, shots
from saom_collectors.session import PlacedObject, PlayerOptions
from saom_collectors.strategies import STRATEGIES, Surroundings, aimed, strategy_of
from saom_collectors.views import DUPLICATE, ViewRules, choose_views

PLACES = tuple((x / 4, 0.9, z / 4) for x in range(12) for z in range(12))
OBJECTS = (
    PlacedObject("Bed|1", "Bed", (1.0, 0.4, 1.0)),
    PlacedObject("Mug|1", "Mug", (2.5, 0.9, 0.2)),
    PlacedObject("Mug|2", "Mug", (0.2, 0.9, 2.5)),
)


def around(**more) -> Surroundings:
    return Surroundings(PLACES, OBJECTS, 7, **more)


def poses(name: str, view: int = 0, count: int = 5, **more) -> list[Pose]:
    return list(islice(strategy_of(name)(around(**more), view, np.random.default_rng(view)), count))


@pytest.mark.parametrize("name", STRATEGIES)
def test_proposals_are_seeded_reachable_and_within_the_necks_limits(name: str) -> None:
    for view in range(8):
        found = poses(name, view, crouch_rate=0.5, horizon_jitter_deg=40)
        assert found == poses(name, view, crouch_rate=0.5, horizon_jitter_deg=40)
        for pose in found:
            assert (pose.x, pose.y, pose.z) in PLACES
            assert -30 <= pose.horizon_deg <= 60
            assert 0 <= pose.yaw_deg < 360


def test_crouching_is_a_share_and_off_by_default() -> None:
    assert all(pose.standing for pose in poses("reachable", count=50))
    crouching = sum(not pose.standing for pose in poses("reachable", count=400, crouch_rate=0.3))
    assert 80 < crouching < 160


@given(
    st.sampled_from(PLACES),
    st.tuples(*[st.floats(-3, 3), st.floats(0.3, 1.8), st.floats(-3, 3)]),
)
def test_an_aimed_pose_has_its_target_in_the_middle(place, target) -> None:
    pose = aimed(place, target, around(), np.random.default_rng(0))
    across = math.hypot(target[0] - place[0], target[2] - place[2])
    if across < 0.6:
        return
    bearing = math.degrees(math.atan2(target[0] - place[0], target[2] - place[2]))
    assert abs((pose.yaw_deg - bearing + 180) % 360 - 180) <= 0.51
    tilt = math.degrees(math.atan2(place[1] + 0.675 - target[1], across))
    if -30 <= tilt <= 60:
        assert abs(pose.horizon_deg - tilt) <= 0.51


def test_an_orbit_goes_round_one_object_and_then_the_next() -> None:
    middles = [thing.center for thing in OBJECTS]
    targets = []
    for view in range(12):
        pose = poses("orbit", view, 1)[0]
        off = [
            abs((math.degrees(math.atan2(m[0] - pose.x, m[2] - pose.z)) - pose.yaw_deg + 180) % 360 - 180)
            for m in middles
        ]
        targets.append(int(np.argmin(off)))
        assert min(off) < 1
    assert len(set(targets[:6])) == 1
    assert len(set(targets[6:])) == 1
    assert targets[0] != targets[6]


def test_a_trajectory_goes_on_where_it_was() -> None:
    surroundings = around()
    walk = [next(strategy_of("trajectory")(surroundings, k, np.random.default_rng(k))) for k in range(20)]
    steps = [math.hypot(a.x - b.x, a.z - b.z) for a, b in pairwise(walk)]
    assert max(steps) <= 0.75
    assert sum(steps) > 4


def test_class_balanced_looks_at_the_class_that_few_views_have_shown() -> None:
    shown = Counter({"Mug|1": 3, "Mug|2": 1})
    for pose in poses("class-balanced", 0, 10, shown=shown):
        bearing = math.degrees(math.atan2(1.0 - pose.x, 1.0 - pose.z))
        assert abs((pose.yaw_deg - bearing + 180) % 360 - 180) < 1


def test_unknown_strategies_are_named() -> None:
    with pytest.raises(SaomBenchError, match="did you mean 'orbit'"):
        strategy_of("orbits")


class _Still(FakeSession):
    """Shows the same from everywhere."""

    def look(self, pose: Pose):
        return super().look(Pose(0.0, 0.9, 0.0, 0.0, 0.0))


def test_duplicate_views_are_dropped_and_counted() -> None:
    rules = ViewRules(tries=3, min_objects=0)
    choice = choose_views(_Still((60, 80)), "FloorPlan1", 4, 0, label_set("saom-54"), rules)
    assert len(choice.views) == 1
    assert choice.rejected == {DUPLICATE: 9}


def test_the_scene_is_varied_by_seed_spawn_once_the_rest_for_each_view() -> None:
    session = FakeSession((1, 1))
    rules = replace(RULES, randomize=("lighting", "materials", "spawn"))
    config = CollectConfig("train", SIMULATOR, PlayerOptions(size_hw=(60, 80)), views_per_scene=3, rules=rules)
    frames = [shot.capture for shot in shots(session, "FloorPlan1", config, Counter())]
    assert [what for what, _ in session.randomized] == ["spawn", *["materials", "lighting"] * len(frames)]
    assert [seed for _, seed in session.randomized[1::2]] == [frame.seed for frame in frames]
