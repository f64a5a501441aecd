"""The renderer against hand-computed pictures: ids, depth, orientation, edges, the baked light's cache, odd scenes."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from saom_player.render.geometry import flatten, open_parts, part_sizes_m, tessellated
from saom_player.render.renderer import FAR_M, Camera, Frame, Renderer
from saom_player.scene import Lamp, Scene, Structure, Sun, Vector, WindowOpening
from saom_player.shapes.mesh import Material, Mesh, Part

WHITE = Material("plain", (0.8, 0.8, 0.8))
LAMP = Lamp((0.0, 2.4, 0.0), (1.5, 1.4, 1.2), 0.1)


def quad(corners: list[Vector], material: Material = WHITE) -> Mesh:
    """Two triangles; uvs run 0..1 from the first corner."""
    p = np.array(corners, np.float32)
    uv = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)
    order = [[0, 1, 2], [0, 2, 3]]
    normal = np.cross(p[1] - p[0], p[2] - p[0])
    normal /= np.linalg.norm(normal)
    normals = np.broadcast_to(normal, (2, 3, 3)).astype(np.float32)
    return Mesh(p[order], normals, uv[order], material)


def box(low: Vector, high: Vector, material: Material = WHITE) -> Mesh:
    """An axis-aligned box."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    faces = [
        [(x0, y0, z0), (x1, y0, z0), (x1, y1, z0), (x0, y1, z0)],
        [(x0, y0, z1), (x1, y0, z1), (x1, y1, z1), (x0, y1, z1)],
        [(x0, y0, z0), (x0, y0, z1), (x0, y1, z1), (x0, y1, z0)],
        [(x1, y0, z0), (x1, y0, z1), (x1, y1, z1), (x1, y1, z0)],
        [(x0, y0, z0), (x1, y0, z0), (x1, y0, z1), (x0, y0, z1)],
        [(x0, y1, z0), (x1, y1, z0), (x1, y1, z1), (x0, y1, z1)],
    ]
    center = (np.array(low) + np.array(high)) / 2
    meshes = []
    for face in faces:
        mesh = quad(face, material)  # type: ignore[arg-type]
        away = ((mesh.positions.mean((0, 1)) - center) * mesh.normals[0, 0]).sum() > 0
        meshes.append(mesh if away else quad(face[::-1], material))  # type: ignore[arg-type]
    return Mesh(
        np.concatenate([m.positions for m in meshes]),
        np.concatenate([m.normals for m in meshes]),
        np.concatenate([m.uvs for m in meshes]),
        material,
    )


def structure(name: str, *meshes: Mesh) -> Structure:
    return Structure(name, tuple(Part(f"{name} {k}", mesh) for k, mesh in enumerate(meshes)))


def wall(z: float, half: float = 50.0, material: Material = WHITE) -> Mesh:
    return quad([(-half, -half, z), (half, -half, z), (half, half, z), (-half, half, z)], material)


def box_before_wall() -> Scene:
    """A 1 m cube whose face stands 2 m before a camera at the origin that looks along +z; a wall 5 m away."""
    cube = box((0.0, 0.0, 2.0), (1.0, 1.0, 3.0), Material("plain", (0.8, 0.2, 0.2)))
    return Scene("box", (), (structure("wall", wall(5.0)), structure("cube", cube)), (LAMP,))


def room(lamps: tuple[Lamp, ...] = (LAMP,), sun: Sun | None = None) -> Scene:
    """A closed 4 x 2.5 x 4 m room with a window in the wall at +z, a floor that shines, a table and a mirror."""
    polished = Material("planks", specular=0.1, reflect=0.05)
    parts = [
        quad([(-2, 0, -2), (2, 0, -2), (2, 0, 2), (-2, 0, 2)], polished),
        quad([(-2, 2.5, -2), (2, 2.5, -2), (2, 2.5, 2), (-2, 2.5, 2)]),
        quad([(-2, 0, -2), (-2, 2.5, -2), (-2, 2.5, 2), (-2, 0, 2)]),
        quad([(2, 0, -2), (2, 2.5, -2), (2, 2.5, 2), (2, 0, 2)]),
        quad([(-2, 0, -2), (2, 0, -2), (2, 2.5, -2), (-2, 2.5, -2)]),
        quad([(-2, 0, 2), (2, 0, 2), (2, 1, 2), (-2, 1, 2)]),
        quad([(-2, 2, 2), (2, 2, 2), (2, 2.5, 2), (-2, 2.5, 2)]),
        quad([(-2, 1, 2), (-0.5, 1, 2), (-0.5, 2, 2), (-2, 2, 2)]),
        quad([(0.5, 1, 2), (2, 1, 2), (2, 2, 2), (0.5, 2, 2)]),
    ]
    table = box((-0.5, 0.4, 0.0), (0.5, 0.45, 0.8), Material("wood:1", specular=0.2))
    mirror = box((1.95, 0.8, -0.5), (1.98, 1.6, 0.5), Material("plain", (0.9, 0.9, 0.9), reflect=0.8))
    window = WindowOpening((0.0, 1.5, 2.0), (0.5, 0.0, 0.0), (0.0, 0.5, 0.0), (0.0, 0.0, -1.0))
    things = (structure("room", *parts), structure("table", table), structure("mirror", mirror))
    return Scene("room", (), things, lamps, (window,), sun)


ROOM_CAMERA = Camera((-1.4, 1.5, -1.6), 25.0, 18.0, 70.0)


def look(scene: Scene, camera: Camera, size_hw: tuple[int, int], **options: bool) -> Frame:
    return Renderer(scene).render(camera, size_hw, **options)


def rgb_of(frame: Frame) -> NDArray[np.int64]:
    assert frame.rgb is not None
    return frame.rgb.astype(np.int64)


def test_ids_and_depth_of_a_box_before_a_wall() -> None:
    """90 degrees and 100 pixels: one pixel is 2 / 100 of the depth. The face x, y in 0..1 at 2 m covers 25 pixels."""
    frame = look(box_before_wall(), Camera((0.0, 0.0, 0.0), 0.0, 0.0, 90.0), (100, 100), rgb=False)
    cube = frame.instances == 2
    rows, columns = np.nonzero(cube)
    assert (columns.min(), columns.max() + 1) == (50, 75), "to the right of the middle"
    assert (rows.min(), rows.max() + 1) == (25, 50), "above the middle"
    assert cube.sum() == 25 * 25
    assert np.allclose(frame.depth[cube], 2.0, atol=1e-5)
    assert np.allclose(frame.depth[~cube], 5.0, atol=1e-5), "depth is along the axis, not along the ray"
    assert np.array_equal(frame.parts, frame.instances)
    assert frame.rgb is None


def test_field_of_view_is_vertical() -> None:
    frame = look(box_before_wall(), Camera((0.0, 0.0, 0.0), 0.0, 0.0, 90.0), (100, 200), rgb=False)
    rows, columns = np.nonzero(frame.instances == 2)
    assert (rows.min(), rows.max() + 1) == (25, 50)
    assert (columns.min(), columns.max() + 1) == (100, 125)


@pytest.mark.parametrize(
    ("direction", "camera"),
    [
        ((0, 0, 1), Camera((0, 0, 0), 0, 0, 60)),
        ((1, 0, 0), Camera((0, 0, 0), 90, 0, 60)),
        ((0, 0, -1), Camera((0, 0, 0), 180, 0, 60)),
        ((-1, 0, 0), Camera((0, 0, 0), 270, 0, 60)),
        ((0, -1, 0.001), Camera((0, 0, 0), 0, 89.9, 60)),
        ((0, 1, 0.001), Camera((0, 0, 0), 0, -89.9, 60)),
        ((0.5, -0.70710678, 0.5), Camera((0, 0, 0), 45, 45, 60)),
    ],
)
def test_yaw_and_horizon_point_the_camera(direction: Vector, camera: Camera) -> None:
    middle = np.array(direction) * 3
    low, high = middle - 0.2, middle + 0.2
    scene = Scene("one", (), (structure("cube", box(tuple(low), tuple(high))),))
    frame = look(scene, camera, (41, 41), rgb=False)
    rows, columns = np.nonzero(frame.instances)
    assert abs(rows.mean() - 20) < 0.6
    assert abs(columns.mean() - 20) < 0.6


def test_roll_lifts_the_right_side() -> None:
    scene = Scene("one", (), (structure("cube", box((0.9, -0.1, 2.9), (1.1, 0.1, 3.1))),))
    rows, columns = np.nonzero(look(scene, Camera((0, 0, 0), 0, 0, 60, 30.0), (101, 101), rgb=False).instances)
    assert rows.mean() > 55, "what was level at the right sinks when the camera's right side is lifted"
    assert columns.mean() > 55


def test_the_picture_is_upright_and_not_mirrored() -> None:
    """A sky texture on a wall that faces the camera: v = 0 (blue) is up where the quad says so."""
    upright = quad([(-1, 1, 3), (1, 1, 3), (1, -1, 3), (-1, -1, 3)], Material("sky", emission=1.0))
    picture = rgb_of(look(Scene("sky", (), (structure("s", upright),)), Camera((0, 0, 0), 0, 0, 30), (60, 60)))
    assert (picture[:15, :, 2] > picture[:15, :, 1]).mean() > 0.9, "blue above"
    assert (picture[-10:, :, 1] > picture[-10:, :, 2]).mean() > 0.9, "green below"
    red, green = Material("plain", (0.9, 0.1, 0.1)), Material("plain", (0.1, 0.9, 0.1))
    sides = structure("s", box((-1, -1, 3), (-0.1, 1, 3.2), red), box((0.1, -1, 3), (1, 1, 3.2), green))
    picture = rgb_of(
        look(Scene("two", (), (sides,), (Lamp((0, 0, 0), (3, 3, 3)),)), Camera((0, 0, 0), 0, 0, 20), (40, 40))
    )
    assert picture[20, 5, 0] > picture[20, 5, 1], "red at smaller x is left"
    assert picture[20, 35, 1] > picture[20, 35, 0]


def test_a_mirrored_scene_gives_the_mirrored_picture() -> None:
    scene = box_before_wall()
    flip = np.array([-1, 1, 1], np.float32)
    mirrored = replace(
        scene,
        structures=tuple(
            Structure(s.name, tuple(Part(p.name, replace(p.mesh, positions=p.mesh.positions * flip,
                                                         normals=p.mesh.normals * flip)) for p in s.parts))
            for s in scene.structures
        ),
    )  # fmt: skip
    frame = look(scene, Camera((0.2, 0.3, 0.0), 10, 5, 60), (64, 80), rgb=False)
    other = look(mirrored, Camera((-0.2, 0.3, 0.0), -10, 5, 60), (64, 80), rgb=False)
    assert np.array_equal(frame.instances, other.instances[:, ::-1])
    assert np.allclose(frame.depth, other.depth[:, ::-1], atol=1e-4)


def test_normals_face_the_viewer_whatever_the_winding() -> None:
    camera = Camera((0.0, 0.0, 0.0), 0.0, 0.0, 90.0)
    for z_order in ([0, 1, 2, 3], [3, 2, 1, 0]):
        corners: list[Vector] = [(-9, -9, 4), (9, -9, 4), (9, 9, 4), (-9, 9, 4)]
        scene = Scene("w", (), (structure("w", quad([corners[k] for k in z_order])),), (LAMP,))
        frame = look(scene, camera, (9, 9), normals=True)
        assert frame.normals is not None
        assert np.allclose(frame.normals, (0, 0, -1), atol=1e-6)
        assert rgb_of(frame).mean() > 40, "lit from the side that is seen"


def test_smooth_edges_change_colours_only() -> None:
    """Slanted outlines have mixed colours, and ids are those of rays through pixel centres in the same picture."""
    scene = room()
    renderer = Renderer(scene)
    colored = renderer.render(ROOM_CAMERA, (90, 120))
    plain = renderer.render(ROOM_CAMERA, (90, 120), rgb=False)
    for name in ("instances", "parts", "depth"):
        assert np.array_equal(getattr(colored, name), getattr(plain, name))
    black, white = Material("plain", (0, 0, 0)), Material("plain", (1, 1, 1), emission=1.0)
    slab = quad([(-2, -3, 2), (2, -3, 2), (2, 0.6, 2), (-2, -0.7, 2)], black)
    scene = Scene("slab", (), (structure("wall", wall(5.0, material=white)), structure("slab", slab)))
    frame = look(scene, Camera((0, 0, 0), 0, 0, 60), (60, 60))
    levels = np.unique(rgb_of(frame)[:, :, 0])
    assert len(levels) >= 4, "in-between tones"
    away = np.ones(frame.instances.shape, bool)
    change = frame.instances[1:] != frame.instances[:-1]
    away[1:][change] = False
    away[:-1][change] = False
    side = frame.instances[:, 1:] != frame.instances[:, :-1]
    away[:, 1:][side] = False
    away[:, :-1][side] = False
    assert len(np.unique(rgb_of(frame)[away][:, 0])) == 2, "and none away from the outline"


def test_rays_that_hit_nothing_see_the_sky() -> None:
    for scene in (Scene("empty", (), ()), Scene("far", (), (structure("behind", box((0, 0, -9), (1, 1, -8))),))):
        frame = look(scene, Camera((0, 1, 0), 0, 0, 60), (40, 50))
        assert not frame.instances.any()
        assert not frame.parts.any()
        assert (frame.depth == FAR_M).all()
        picture = rgb_of(frame)
        assert (picture[:8, :, 2] >= picture[:8, :, 0]).all(), "blue above"
        assert (picture[-5:, :, 1] > picture[-5:, :, 2]).mean() > 0.9, "green below"


@pytest.mark.parametrize("kept", ["nothing", "lamps", "windows", "sun"])
def test_scenes_without_some_kinds_of_light(kept: str) -> None:
    sun = Sun((0.3, 0.6, 0.74), (6, 5.5, 4.5))
    full = room(sun=sun)
    scene = replace(
        full,
        lamps=full.lamps if kept == "lamps" else (),
        windows=full.windows if kept == "windows" else (),
        sun=sun if kept == "sun" else None,
    )
    picture = rgb_of(look(scene, ROOM_CAMERA, (60, 80)))
    assert 20 < picture.mean() < 235


def test_the_sun_shines_through_the_window_only() -> None:
    sun = Sun((0.0, 0.6, 0.8), (8, 7, 6))
    renderers = [Renderer(replace(room(sun=s), structures=room().structures[:1])) for s in (sun, None)]
    camera = Camera((0.0, 1.6, -1.9), 0.0, 35.0, 75.0)
    lit, dark = (rgb_of(r.render(camera, (120, 160))).sum(-1) for r in renderers)
    frame = renderers[0].render(camera, (120, 160), rgb=False)
    brighter = lit > dark + 60
    assert 0.002 < brighter.mean() < 0.25
    # Rays towards the sun rise 0.75 m a metre: through the window they come from z = 2 - 2 / 0.75 to 2 - 1 / 0.75.
    floor = (frame.parts == 1) & brighter
    y, _ = np.nonzero(floor)
    slope = np.tan(np.radians(75) / 2)
    pitch = np.radians(35) + np.arctan((y + 0.5 - 60) / 60 * slope)
    z = -1.9 + 1.6 / np.tan(pitch)
    assert z.size > 20
    assert z.max() < 2 - 1 / 0.75 + 0.15
    assert z.min() > 2 - 2 / 0.75 - 0.15


def test_things_cast_lamp_shadows() -> None:
    """Under the table the floor is darker than where no table stands."""
    lamp = Lamp((0.0, 2.4, 0.4), (2.0, 2.0, 2.0), 0.05)
    scene = replace(room(lamps=(lamp,)), windows=(), ambient_up=(0.1, 0.1, 0.1), ambient_down=(0.1, 0.1, 0.1))
    without = replace(scene, structures=(scene.structures[0],))
    side = Camera((-1.9, 0.3, 0.4), 90.0, 8.0, 60.0)
    shadowed, free = (rgb_of(look(s, side, (60, 80))) for s in (scene, without))
    frame = look(scene, side, (60, 80), rgb=False)
    floor = frame.parts == 1
    under = floor & (np.abs(frame.depth - 1.9) < 0.35)
    under[:, :33] = under[:, 47:] = False
    assert under.sum() > 20
    assert shadowed[under].mean() < 0.8 * free[under].mean()


def test_degenerate_triangles_are_dropped() -> None:
    good = box((0, 0, 2), (1, 1, 3))
    flat = np.zeros((3, 3, 3), np.float32)
    flat[1] = [(0, 0, 2), (1, 0, 2), (2, 0, 2)]
    flat[2] = np.nan
    bad = Mesh(
        np.concatenate([good.positions, flat]),
        np.concatenate([np.zeros_like(good.normals), np.full_like(flat, np.nan)]),
        np.concatenate([good.uvs, np.full((3, 3, 2), np.nan, np.float32)]),
        WHITE,
    )
    camera = Camera((0.5, 0.5, 0), 0, 0, 60)
    broken = Scene("bad", (), (structure("b", bad),), (LAMP,))
    sound = Scene("good", (), (structure("g", good),), (LAMP,))
    assert len(flatten(broken)) == 12
    assert np.array_equal(look(broken, camera, (40, 40)).rgb, look(sound, camera, (40, 40)).rgb)  # type: ignore[arg-type]


def test_tessellation_keeps_the_surface_and_its_numbers() -> None:
    whole = flatten(room())
    fine = tessellated(whole, 0.25)

    def area(triangles: NDArray[np.float32]) -> NDArray[np.float64]:
        edges = (triangles[:, 1:] - triangles[:, :1]).astype(np.float64)
        return np.asarray(np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1) / 2)

    edges = np.linalg.norm(fine.positions - np.roll(fine.positions, -1, axis=1), axis=2)
    assert edges.max() <= 0.25
    for part in np.unique(whole.part):
        before, after = whole.part == part, fine.part == part
        assert np.isclose(area(whole.positions[before]).sum(), area(fine.positions[after]).sum(), rtol=1e-5)
        assert set(fine.instance[after]) == set(whole.instance[before])


def test_a_closed_room_has_no_holes() -> None:
    scene = room()
    renderer = Renderer(replace(scene, structures=(*scene.structures, structure("outside", wall(2.5)))))
    for yaw in range(0, 360, 30):
        frame = renderer.render(Camera((0.13, 1.2, -0.27), float(yaw), 20.0, 90.0), (200, 200), rgb=False)
        assert frame.instances.all()


def test_sheets_and_solids_are_told_apart() -> None:
    scene = Scene("s", (), (structure("s", wall(3.0, 1.0), box((0, 0, 1), (0.5, 0.25, 1.25))),))
    triangles = flatten(scene)
    assert open_parts(triangles).tolist() == [False, True, False]
    assert np.allclose(part_sizes_m(triangles), [(0, 0, 0), (2, 2, 0), (0.5, 0.25, 0.25)])


def test_the_cache_gives_the_same_bytes_and_survives_corruption(tmp_path: Path) -> None:
    scene, size = room(), (60, 80)
    fresh = look(scene, ROOM_CAMERA, size).rgb
    assert fresh is not None
    cold = Renderer(scene, tmp_path).render(ROOM_CAMERA, size).rgb
    kept = sorted(tmp_path.iterdir())
    (stored,) = tmp_path.glob("bake-*.kept")
    content = stored.read_bytes()
    assert np.array_equal(cold, fresh)  # type: ignore[arg-type]
    assert np.array_equal(Renderer(scene, tmp_path).render(ROOM_CAMERA, size).rgb, fresh)  # type: ignore[arg-type]
    flipped = bytearray(content)
    flipped[len(flipped) // 2] ^= 0x40
    for damage in (b"", content[:100], bytes(flipped), content + b"x"):
        stored.write_bytes(damage)
        assert np.array_equal(Renderer(scene, tmp_path).render(ROOM_CAMERA, size).rgb, fresh)  # type: ignore[arg-type]
        assert stored.read_bytes() == content, "mended"
    assert sorted(tmp_path.iterdir()) == kept, "no leftovers"


def test_another_scene_does_not_take_the_stored_light(tmp_path: Path) -> None:
    scene = room()
    darker = replace(scene, ambient_up=(0.1, 0.1, 0.1))
    sheets = [
        replace(scene, structures=(structure("wall", wall(5.0, material=replace(WHITE, one_sided=one_sided))),))
        for one_sided in (False, True)
    ]
    for each in (scene, darker, replace(scene, windows=()), *sheets):
        Renderer(each, tmp_path).prepare()
    assert len(list(tmp_path.glob("bake-*.kept"))) == 5


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert Renderer(box_before_wall(), file / "cache").render(ROOM_CAMERA, (8, 8)).rgb is not None


def test_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    program = (
        "import hashlib, sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from test_renderer import digest\n"
        "print(digest())\n"
    )
    others = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(2)
    ]
    assert others == [digest()] * 2


def digest() -> str:
    frame = look(room(sun=Sun((0.2, 0.6, 0.77), (6, 5, 4))), ROOM_CAMERA, (96, 128))
    assert frame.rgb is not None
    content = frame.rgb.tobytes() + frame.instances.tobytes() + frame.depth.tobytes()
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (33, 47), (7, 5)])
def test_odd_sizes(size: tuple[int, int]) -> None:
    frame = look(box_before_wall(), ROOM_CAMERA, size)
    assert frame.rgb is not None
    assert frame.rgb.shape == (*size, 3)
    assert frame.instances.shape == frame.depth.shape == size


def test_mirrors_show_what_stands_before_them() -> None:
    red = Material("plain", (0.9, 0.05, 0.05), emission=1.0)
    scene = room()
    behind = structure("red", box((0.4, 0.9, 1.2), (0.6, 1.6, 1.4), red))
    camera = Camera((0.0, 1.2, -1.0), 50.0, 0.0, 40.0)
    with_red, without = (
        Renderer(replace(scene, structures=(*scene.structures, *extra))).render(camera, (60, 80))
        for extra in ((behind,), ())
    )
    mirror = (with_red.instances == 3) & (without.instances == 3)
    redder = (rgb_of(with_red)[mirror, 0] - rgb_of(with_red)[mirror, 1]) > 60
    assert redder.sum() > 30
    assert not ((rgb_of(without)[mirror, 0] - rgb_of(without)[mirror, 1]) > 60).any()
