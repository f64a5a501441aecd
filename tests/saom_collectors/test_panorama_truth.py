"""Panoramas against rays cast in their own geometry: the same room, point and light, without any stitching."""

from collections import Counter
from pathlib import Path

import pytest
from panorama_truth import Agreement, measure
from ring_pack import packed_room
from ring_room import BEHIND, room

from saom_collectors.panorama import PanoramaRules, Shot
from saom_player.render.renderer import Renderer
from saom_player.rooms.layouts import load_scene
from saom_player.scene import Scene

RULES = {
    "cylinder": PanoramaRules((192, 960)),
    "sphere": PanoramaRules((220, 960), "equirectangular"),
    "part": PanoramaRules((192, 320), hfov_deg=120.0, views=4),
}
Taken = tuple[PanoramaRules, Agreement, Shot]


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(room())


@pytest.fixture(scope="module", params=list(RULES))
def taken(request: pytest.FixtureRequest, renderer: Renderer) -> Taken:
    rules = RULES[request.param]
    found, shot, _ = measure(renderer, rules)
    return rules, found, shot


def check(found: Agreement) -> None:
    assert found.core > 0.9
    assert min(found.labels, found.parts) > 0.995
    assert found.same_objects
    assert found.psnr_db > 35


def test_labels_and_colours_are_those_of_the_panoramas_own_rays(taken: Taken) -> None:
    check(taken[1])


@pytest.mark.parametrize("kind", ["parametric", "pack"])
def test_so_are_those_of_whole_rooms(kind: str, tmp_path: Path) -> None:
    scene: Scene = load_scene("FloorPlan402") if kind == "parametric" else packed_room(tmp_path)
    found, shot, _ = measure(Renderer(scene), PanoramaRules((192, 960)), scene.agent_position, 77.0)
    check(found)
    assert len(shot.capture.instances) >= 8


def test_depth_along_the_rays_is_within_a_five_hundredth(taken: Taken) -> None:
    # Half a pixel's angle on a floor that is looked along: at the preset's size less than a centimetre at 5 m.
    median, most = taken[1].depth_share
    assert median < 0.002
    assert most < 0.01


def test_an_object_right_behind_is_one_with_a_box_across_the_seam(
    taken: Taken,
) -> None:
    rules, _, shot = taken
    behind = [i for i in shot.capture.instances if i.object_id == BEHIND]
    if not shot.capture.wraps:
        assert behind == []
        return
    (bed,) = behind
    mask = shot.capture.labels == bed.label
    width = rules.size_hw[1]
    assert mask[:, 0].any()
    assert mask[:, -1].any()
    assert width // 2 < bed.box_xyxy[0] < width < bed.box_xyxy[2] < 3 * width // 2
    assert bed.area_px == mask.sum()
    counts = Counter(i.object_id for i in shot.capture.instances)
    assert max(counts.values()) == 1


def test_owners_are_the_nearest_views(taken: Taken) -> None:
    rules, _, shot = taken
    owners = shot.layers["owners"]
    assert owners.shape == rules.size_hw
    middle = rules.size_hw[1] // 2
    # An even number of views has a seam in the middle of a part, an object in the middle of a full circle.
    assert set(owners[:, middle]) == ({0} if rules.hfov_deg == 360 else {2})
    assert shot.capture.panorama is not None
    assert len(shot.capture.panorama.views) == rules.views
    assert [v.pose.yaw_deg for v in shot.capture.panorama.views][:2] == (
        [0, 30] if rules.hfov_deg == 360 else [315, 345]
    )
