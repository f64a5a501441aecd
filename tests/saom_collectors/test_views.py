"""The choice of views: seeded, growing, away from blocked places and from earlier views."""

import numpy as np
import pytest
from fake_thor import BLOCKED, FakeSession

from saom_bench.classes import label_set
from saom_bench.errors import SaomBenchError
from saom_collectors.views import ChosenView, ViewRules, choose_views, scout_size, view_seed

CLASSES = label_set("saom-54")


def chosen(count: int = 6, seed: int = 0, scene: str = "FloorPlan1", tries: int = 6) -> tuple[ChosenView, ...]:
    return choose_views(FakeSession((60, 80)), scene, count, seed, CLASSES, ViewRules(tries=tries)).views


def test_same_seed_same_views_other_seed_or_scene_other_views() -> None:
    assert chosen() == chosen()
    assert chosen() != chosen(seed=1)
    assert chosen() != chosen(scene="FloorPlan2")
    # Written down: it must not change with Python or the machine.
    assert view_seed(0, "FloorPlan1", 2) == 36547334672691520


def test_more_views_only_add_to_the_earlier_ones() -> None:
    assert chosen(8)[:3] == chosen(3)


def test_views_show_enough_objects_and_repeat_no_place_and_direction() -> None:
    views = chosen(6, tries=12)
    assert all(len(v.seen) >= 3 for v in views)
    for i, a in enumerate(views):
        for b in views[:i]:
            turn = abs((a.pose.yaw_deg - b.pose.yaw_deg + 180) % 360 - 180)
            assert np.hypot(a.pose.x - b.pose.x, a.pose.z - b.pose.z) >= 0.6 or turn >= 40


def test_more_tries_find_richer_views() -> None:
    few, many = (np.mean([len(v.seen) for v in chosen(8, tries=n)]) for n in (1, 12))
    assert many > few


def test_blocked_places_are_passed_over() -> None:
    session = FakeSession((60, 80))
    views = choose_views(session, "FloorPlan1", 12, 0, CLASSES, ViewRules()).views
    assert any((p.x, p.y, p.z) == BLOCKED for _, p in session.looks)
    assert not any((v.pose.x, v.pose.y, v.pose.z) == BLOCKED for v in views)


class _Walled(FakeSession):
    def reachable(self) -> tuple:
        return (BLOCKED,)


class _Solid(FakeSession):
    def reachable(self) -> tuple:
        return ()


@pytest.mark.parametrize("kind", [_Walled, _Solid])
def test_a_scene_with_nowhere_to_stand_is_an_error(kind: type[FakeSession]) -> None:
    with pytest.raises(SaomBenchError, match="FloorPlan1"):
        choose_views(kind((60, 80)), "FloorPlan1", 1, 0, CLASSES, ViewRules())


@pytest.mark.parametrize(
    ("size_hw", "expected"), [((480, 640), (120, 160)), ((1024, 1024), (160, 160)), ((60, 80), (60, 80))]
)
def test_scouting_is_done_on_small_pictures_of_the_same_shape(size_hw, expected) -> None:
    assert scout_size(size_hw) == expected
