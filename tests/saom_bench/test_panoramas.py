"""Panoramas as arrays: lenses that agree, every pixel owned once, labels never mixed, and the way back exact."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saom_bench.errors import SaomBenchError
from saom_bench.masks import areas_and_boxes, column_arc
from saom_bench.panoramas.blending import BLENDS, colors, exposure_gains
from saom_bench.panoramas.lenses import Camera, Cylinder, Lens, Sphere, surface
from saom_bench.panoramas.stitch import NOBODY, Stitching, stitching
from saom_bench.panoramas.unproject import joined, project, tiles, unproject

PANORAMA = Cylinder((64, 320))
SWEEP = tuple(Camera((110, 110), 30.0 * k) for k in range(12))
LENSES = (
    Camera((60, 80), 37.0, 12.0, 70.0, 5.0),
    Cylinder((64, 320), 360.0, 200.0),
    Cylinder((40, 80), 120.0, -30.0),
    Sphere((90, 180), 360.0, 10.0),
    Sphere((50, 100), 180.0, 300.0),
)


def world(lens: Lens) -> np.ndarray:
    """A smooth picture of all directions."""
    x, y, z = lens.rays()
    planes = (128 + 90 * np.sin(5 * x) * np.cos(3 * y), 128 + 90 * np.sin(4 * z + 1), 128 + 100 * y)
    return np.stack(planes, axis=-1).round().astype(np.uint8)


def cells(lens: Lens) -> np.ndarray:
    """Labels 1 to 24: 12 sectors of yaw, above and below the horizon."""
    x, y, z = lens.rays()
    sector = np.floor((np.degrees(np.arctan2(x, z)) % 360) / 30).astype(np.uint16)
    return np.asarray(1 + sector + 12 * (y > 0), np.uint16)


def complaint(stitched: Stitching) -> str:
    try:
        stitched.check_coverage()
    except SaomBenchError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("lens", LENSES, ids=repr)
def test_a_lens_puts_its_own_rays_back_where_they_came_from(lens: Lens) -> None:
    x, y, off = lens.project(lens.rays())
    height, width = lens.size_hw
    assert np.allclose(x, np.arange(width) + 0.5, atol=1e-6)
    assert np.allclose(y, (np.arange(height) + 0.5)[:, None], atol=1e-6)
    assert np.isfinite(off).all()
    assert np.allclose(np.linalg.norm(lens.rays(), axis=0), 1)


def test_axes_are_those_of_ai2thor() -> None:
    right, up, forward = Camera((1, 1), yaw_deg=90.0, horizon_deg=30.0).axes()
    assert np.allclose(forward, (np.cos(np.pi / 6), -0.5, 0))
    assert np.allclose(right, (0, 0, -1))
    assert np.allclose(np.cross(forward, right), up)
    middle = Cylinder((3, 3), 90.0, 90.0).rays()[:, 1, 1]
    assert np.allclose(middle, (1, 0, 0))


def test_the_preset_has_square_pixels_and_a_height_of_64_degrees() -> None:
    assert Cylinder((512, 2560)).fov_deg == pytest.approx(64.3, abs=0.05)
    assert Sphere((512, 1024)).fov_deg == 180
    flat = surface("planar", (300, 400), 90.0)
    assert isinstance(flat, Camera)
    assert flat.hfov_deg == pytest.approx(90)


def test_colours_are_those_of_a_direct_picture_for_every_blend_and_surface() -> None:
    for target in (
        PANORAMA,
        Cylinder((64, 107), 120.0, 77.0),
        Sphere((40, 301)),
        surface("planar", (60, 90), 80.0, 15.0),
    ):
        stitched = stitching(SWEEP, target)
        stitched.check_coverage()
        for blend in BLENDS:
            error = colors(stitched, [world(v) for v in SWEEP], blend).astype(float) - world(target)
            assert np.abs(error).max() <= 3, (target, blend)


@pytest.mark.parametrize("blend", BLENDS)
def test_exposure_is_made_equal(blend: str) -> None:
    stitched = stitching(SWEEP, PANORAMA)
    factors = 1 + 0.08 * np.sin(np.arange(12.0))
    pictures = [
        np.clip(world(v) * 0.8 * f, 0, 255).round().astype(np.uint8) for v, f in zip(SWEEP, factors, strict=True)
    ]
    gains = exposure_gains(stitched, pictures)
    evened = factors * gains
    assert np.ptp(evened) / evened.mean() < 0.01
    true = 0.8 * world(PANORAMA).astype(float)
    error = np.abs(colors(stitched, pictures, blend) / true - evened.mean())[true > 40]
    assert error.max() < 0.05
    assert np.ptp(exposure_gains(stitched, [world(v) for v in SWEEP])) == 0


def test_layers_of_any_type_keep_their_values() -> None:
    stitched = stitching(SWEEP, PANORAMA)
    for dtype in (np.uint8, np.uint16, np.int32, np.uint32, np.float32):
        views = [cells(v).astype(dtype) for v in SWEEP]
        # As floats these would be no numbers.
        if dtype == np.uint32:
            views = [v | np.uint32(0xFFC00000) for v in views]
        found = stitched.nearest(views)
        assert found.dtype == dtype
        assert set(np.unique(found)) <= set(np.unique(np.stack(views)))


def test_labels_and_colours_share_their_seams() -> None:
    stitched = stitching(SWEEP, PANORAMA)
    numbers = [np.full(v.size_hw, k, np.uint16) for k, v in enumerate(SWEEP)]
    pictures = [np.full((*v.size_hw, 3), 20 * k, np.uint8) for k, v in enumerate(SWEEP)]
    assert (stitched.nearest(numbers) == stitched.owners).all()
    assert (colors(stitched, pictures, "nearest", equalise=False)[..., 0] == 20 * stitched.owners).all()


@settings(max_examples=25, deadline=None)
@given(shift=st.integers(0, 319), views=st.integers(5, 14), start=st.floats(0, 360))
def test_a_turn_only_rolls_the_panorama(shift: int, views: int, start: float) -> None:
    sweep = tuple(Camera((90, 90), start + 360 * k / views, fov_deg=100.0) for k in range(views))
    plain, turned = (Stitching(sweep, Cylinder((64, 320), 360.0, yaw)) for yaw in (0.0, shift * 360 / 320))
    layers = [np.arange(8100, dtype=np.int32).reshape(90, 90) + 8100 * k for k in range(views)]
    assert (np.roll(plain.owners, -shift, axis=1) == turned.owners).all()
    assert (np.roll(plain.nearest(layers), -shift, axis=1) == turned.nearest(layers)).all()


@settings(max_examples=40, deadline=None)
@given(views=st.integers(1, 14), fov=st.floats(50, 140), height=st.integers(8, 90), start=st.floats(0, 360))
def test_a_sweep_covers_every_pixel_or_says_what_field_of_view_would(
    views: int, fov: float, height: int, start: float
) -> None:
    target = Cylinder((height, 160))
    sweep = tuple(Camera((64, 64), start + 360 * k / views, fov_deg=fov) for k in range(views))
    stitched = Stitching(sweep, target)
    said = complaint(stitched)
    if not said:
        assert (stitched.owners != NOBODY).all()
    elif "would be needed" in said:
        needed = float(said.split(", and ")[1].split(" would")[0])
        wider, narrower = (
            tuple(Camera((64, 64), v.yaw_deg, fov_deg=degrees) for v in sweep) for degrees in (needed, needed - 0.5)
        )
        assert needed > fov
        assert Stitching(wider, target).covered == 1
        assert Stitching(narrower, target).covered < 1
    else:
        assert "take more views" in said


@settings(max_examples=30, deadline=None)
@given(
    poses=st.lists(st.tuples(st.floats(0, 360), st.floats(-60, 60), st.floats(20, 120)), min_size=1, max_size=6),
    projection=st.sampled_from(["cylindrical", "equirectangular", "planar"]),
    seed=st.integers(0, 1000),
)
def test_no_label_appears_that_no_view_had(poses: list[tuple[float, float, float]], projection: str, seed: int) -> None:
    views = tuple(Camera((30, 40), *pose) for pose in poses)
    target = surface(projection, (32, 80), 90.0 if projection == "planar" else 360.0)
    rng = np.random.default_rng(seed)
    labels = [rng.integers(1, 9, v.size_hw).astype(np.uint16) * 7 for v in views]
    stitched = Stitching(views, target)
    found = stitched.nearest(labels)
    assert set(np.unique(found)) <= {0, *np.unique(np.stack(labels))}
    assert ((found == 0) == (stitched.owners == NOBODY)).all()


@pytest.mark.parametrize("panorama", [PANORAMA, Cylinder((64, 107), 120.0, 77.0), Sphere((48, 240))], ids=repr)
def test_a_panorama_cut_into_tiles_comes_back_to_the_last_pixel(panorama: Lens) -> None:
    height, width = panorama.size_hw
    numbers = np.arange(1, height * width + 1, dtype=np.uint32).reshape(height, width)
    views = tiles(panorama, 12 if panorama.wraps else 4, (160, 160))
    cut = [unproject(panorama, world(panorama), [numbers], view) for view in views]
    back = project(views, [layers[0] for _, layers, _ in cut], panorama)
    assert (back == numbers).all()
    for view, (rgb, _, covered) in zip(views, cut, strict=True):
        error = np.abs(rgb.astype(float) - world(view))[covered]
        assert np.percentile(error, 99) <= 4


def test_objects_that_tiles_number_on_their_own_are_joined_round_the_circle() -> None:
    truth = cells(PANORAMA)
    views = tiles(PANORAMA, 8, (160, 160))
    rng = np.random.default_rng(0)
    masks = []
    for view in views:
        _, (labels,), _ = unproject(PANORAMA, world(PANORAMA), [truth], view)
        present = np.unique(labels[labels > 0])
        names = np.zeros(25, np.uint16)
        names[present] = rng.permutation(len(present)) + 1
        masks.append(names[labels])
    found = joined(views, masks, PANORAMA)
    pairs = {(int(a), int(b)) for a, b in zip(truth.ravel(), found.ravel(), strict=True)}
    assert len(pairs) == 24
    assert found.max() == 24


def test_arc_is_the_shortest_way_round() -> None:
    columns = np.zeros(20, bool)
    columns[[1, 2, 18]] = True
    assert column_arc(columns) == (18, 5)
    assert column_arc(np.ones(20, bool)) == (0, 20)
    labels = np.zeros((3, 20), np.uint16)
    labels[1, [1, 2, 18]] = 4
    labels[2, 7:10] = 5
    assert areas_and_boxes(labels, wraps=True) == {4: (3, (18, 1, 23, 2)), 5: (3, (7, 2, 10, 3))}
    assert areas_and_boxes(labels) == {4: (3, (1, 1, 19, 2)), 5: (3, (7, 2, 10, 3))}


def test_bad_views_get_one_clear_line() -> None:
    def said(views: tuple[Camera, ...], target: Lens = PANORAMA) -> str:
        with pytest.raises(SaomBenchError) as caught:
            stitching(views, target).check_coverage()
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "2 views leave 50.0 % of the panorama uncovered" in said((Camera((64, 64)), Camera((64, 64), 180.0)))
    assert "119.7 would be needed" in said(tuple(Camera((64, 64), 120.0 * k) for k in range(3)))
    assert "mixed sizes, 64x64 and 80x64" in said((Camera((64, 64)), Camera((64, 80), 90.0)))
    stitched = stitching(SWEEP, PANORAMA)
    pictures = [world(v) for v in SWEEP]
    with pytest.raises(SaomBenchError, match="11 pictures for 12 views"):
        colors(stitched, pictures[:-1])
    with pytest.raises(SaomBenchError, match="view 3 is 109x110 and should be 110x110"):
        colors(stitched, [*pictures[:3], pictures[3][:, 1:], *pictures[4:]])
    with pytest.raises(SaomBenchError, match="did you mean 'feather'"):
        colors(stitched, pictures, "feathers")
    with pytest.raises(SaomBenchError, match="unknown projection 'fisheye'"):
        surface("fisheye", (64, 64))
