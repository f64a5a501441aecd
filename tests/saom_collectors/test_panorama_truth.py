"""Panoramas against rays cast in their own geometry: the same room, point and light, without any stitching."""

from collections import Counter

import cv2
import numpy as np
import pytest
from ring_room import BEHIND, EYE, FEET, RoomSession, room
from round_cameras import direct

from saom_bench.classes import label_set
from saom_bench.panoramas.stitch import stitching
from saom_bench.types import Pose
from saom_collectors.panorama import Cut, PanoramaRules, Shot, shoot
from saom_player.render.renderer import Camera, Renderer

CLASSES = label_set("saom-54")
YAW = 0.0
RULES = {
    "cylinder": PanoramaRules((192, 960)),
    "sphere": PanoramaRules((220, 960), "equirectangular"),
    "part": PanoramaRules((192, 320), hfov_deg=120.0, views=4),
}


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(room())


@pytest.fixture(scope="module", params=list(RULES))
def taken(request: pytest.FixtureRequest, renderer: Renderer) -> tuple[PanoramaRules, Shot, np.ndarray]:
    rules = RULES[request.param]
    size_hw = rules.view_size(90.0)
    session = RoomSession(renderer, size_hw)
    shot = shoot(session, Pose(*FEET, YAW, 0.0), rules, Cut(size_hw, 90.0, CLASSES))
    frame, _ = direct(renderer, EYE, YAW, rules.size_hw, rules.projection == "equirectangular", rules.hfov_deg)
    return rules, shot, frame


def inside(labels: np.ndarray, wraps: bool) -> np.ndarray:
    """Pixels that are not within one pixel of another label."""
    padded = np.pad(labels.astype(np.float32), ((1, 1), (1, 1)), mode="edge")
    if wraps:
        padded[:, 0], padded[:, -1] = padded[:, -2], padded[:, 1]
    return np.asarray(cv2.morphologyEx(padded, cv2.MORPH_GRADIENT, np.ones((3, 3)))[1:-1, 1:-1] == 0)


def test_labels_and_colours_are_those_of_the_panoramas_own_rays(taken: tuple[PanoramaRules, Shot, np.ndarray]) -> None:
    _, shot, frame = taken
    numbers = {name: k for k, name in enumerate((o.object_id for o in room().objects), 1)}
    found = np.zeros(shot.capture.labels.shape, np.int32)
    for instance in shot.capture.instances:
        found[shot.capture.labels == instance.label] = numbers[instance.object_id]
    truth = np.where(frame.instances <= len(numbers), frame.instances, 0)
    core = inside(frame.instances, shot.capture.wraps)
    assert core.mean() > 0.9
    assert (found == truth)[core].mean() > 0.995
    assert set(np.unique(found)) == set(np.unique(truth))
    error = shot.capture.rgb.astype(float) - frame.rgb
    assert 10 * np.log10(255**2 / (error**2).mean()) > 35


def test_depth_along_the_rays_is_within_a_five_hundredth(renderer: Renderer) -> None:
    rules = RULES["cylinder"]
    side, _ = rules.view_size(90.0)
    cameras = rules.cameras((side, side), 90.0)
    frames = [renderer.render(Camera(EYE, c.yaw_deg, c.horizon_deg, 90.0), (side, side), rgb=False) for c in cameras]
    stitched = stitching(cameras, rules.target())
    found = stitched.nearest(
        [(c.range_factors() * f.depth).astype(np.float32) for c, f in zip(cameras, frames, strict=True)]
    )
    frame, truth = direct(renderer, EYE, 0.0, rules.size_hw)
    error = (np.abs(found - truth) / truth)[inside(frame.instances, True)]
    # Half a pixel's angle on a floor that is looked along: at 5 m and at the preset's size less than a centimetre.
    assert np.median(error) < 0.002
    assert np.percentile(error, 95) < 0.01


def test_an_object_right_behind_is_one_with_a_box_across_the_seam(
    taken: tuple[PanoramaRules, Shot, np.ndarray],
) -> None:
    rules, shot, _ = taken
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


def test_owners_are_the_nearest_views(taken: tuple[PanoramaRules, Shot, np.ndarray]) -> None:
    rules, shot, _ = taken
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
