"""Panoramas collected: resumed to the same bytes, refused in one line, and exact about what went wrong in a sweep."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from fake_thor import SIMULATOR, open_dying, open_fake
from ring_room import Clumsy, RoomSession, room
from typer.testing import CliRunner

from saom_bench.classes import label_set
from saom_bench.errors import SaomBenchError
from saom_bench.panoramas.lenses import Camera
from saom_bench.panoramas.unproject import project
from saom_bench.shards.dataset import open_dataset
from saom_bench.shards.manifest import read_manifest
from saom_bench.shards.reader import ShardReader
from saom_bench.shards.verify import verify_dataset
from saom_bench.types import Pose
from saom_collectors import cli
from saom_collectors.collect import CollectConfig, Opener, collect
from saom_collectors.features import compare, failures, stitch_by_features
from saom_collectors.panorama import Cut, PanoramaRules, heading, look_around, shoot, sweep
from saom_collectors.session import PlayerOptions
from saom_collectors.views import ViewRules
from saom_player.render.renderer import Renderer

APP = typer.Typer()
APP.command("collect")(cli.collect)
RUN = CliRunner()
RULES = PanoramaRules((48, 240), keep_views=True)
SCENES = ("FloorPlan1", "FloorPlan2", "FloorPlan3")
CONFIG = CollectConfig(
    "train",
    SIMULATOR,
    PlayerOptions(size_hw=(80, 80)),
    views_per_scene=2,
    rules=ViewRules(tries=3),
    panorama=RULES,
)


def run(folder: Path, opener: Opener = open_fake, config: CollectConfig = CONFIG, workers: int = 1) -> str:
    collect(folder, SCENES, config, workers, opener)
    return open_dataset(folder).fingerprint


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("panoramas") / "data"
    run(folder)
    return folder


def test_a_dataset_of_panoramas_is_whole_and_says_how_it_was_made(whole: Path) -> None:
    dataset = open_dataset(whole)
    assert len(dataset) == 6
    assert verify_dataset(whole, read_manifest(whole), lambda n: None).problems == ()
    for index, sample in enumerate(dataset):
        panorama = sample.capture.panorama
        assert panorama is not None
        assert (sample.size_hw, sample.capture.kind, panorama.projection) == ((48, 240), "panorama", "cylindrical")
        yaws = [(view.pose.yaw_deg - sample.capture.pose.yaw_deg) % 360 for view in panorama.views]
        assert yaws == pytest.approx([30.0 * k for k in range(12)])
        owners = dataset.layer("owners", index)
        assert owners is not None
        assert set(np.unique(owners)) == set(range(12))
    assert len({sample.capture.pose.yaw_deg for sample in dataset}) > 3


def test_kept_views_are_those_the_panorama_was_made_of(whole: Path) -> None:
    with ShardReader(whole / "FloorPlan1.h5") as reader:
        capture = reader.capture(1)
        assert capture.panorama is not None
        views = [reader.source(1, k) for k in range(12)]
        cameras = RULES.cameras((80, 80), 90.0)
        again = project(cameras, [labels for _, labels in views], RULES.target())
        np.testing.assert_array_equal(again, capture.labels)


def test_the_same_bytes_for_any_number_of_workers_and_after_a_kill(whole: Path, tmp_path: Path) -> None:
    expected = open_dataset(whole).fingerprint
    assert run(tmp_path / "a", workers=3) == expected
    folder = tmp_path / "b"
    outcome = collect(folder, SCENES, CONFIG, 1, open_killed)
    assert [failure.scene for failure in outcome.failures] == ["FloorPlan2"]
    assert "signal 9" in outcome.failures[0].error
    assert list(folder.glob("*.part")) == []
    assert run(folder) == expected


def open_killed(options: PlayerOptions) -> object:
    session = open_dying(options)
    plain = session.look

    def look(pose: Pose) -> object:
        # In the middle of the second scene's second sweep.
        if session.scene == "FloorPlan2" and session.looks_in_scene == 2 * 3 * 4 + 12 + 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return plain(pose)

    session.look = look  # type: ignore[method-assign]
    return session


def test_a_dataset_of_other_panoramas_or_of_views_is_refused(whole: Path) -> None:
    with pytest.raises(SaomBenchError, match=r"its panorama.blend is feather, this command's is multiband"):
        run(whole, config=replace(CONFIG, panorama=replace(RULES, blend="multiband")))
    with pytest.raises(SaomBenchError, match="holds another dataset"):
        run(whole, config=replace(CONFIG, panorama=None))


def test_the_recorded_options_ask_for_the_same_panoramas(tmp_path: Path) -> None:
    rules = PanoramaRules((64, 160), "equirectangular", 180.0, 7, (-20.0, 20.0), "multiband", keep_views=True)
    config = replace(CONFIG, panorama=rules, player=PlayerOptions(size_hw=(96, 96), fov_deg=80.0))
    arguments = [str(tmp_path / "out"), "--scenes", "FloorPlan1", *config.options(), "--dry-run"]
    seen = []

    def stop(*arguments: object) -> None:
        seen.append(arguments[-1])
        raise SaomBenchError("seen")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("saom_collectors.collect.existing", stop)
        RUN.invoke(APP, arguments)
    assert seen[0].panorama == rules
    assert seen[0].player.size_hw == (96, 96)
    assert seen[0].player.fov_deg == 80.0


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            "missing",
            "view 4 of 12, at a heading of 127 degrees, is missing: TeleportFull failed: a chair is in the way",
        ),
        ("drift", "view 4 of 12, at a heading of 127 degrees, was taken 12.0 mm from the first view and 0.000 degrees"),
        (
            "turn",
            "was taken 0.0 mm from the first view and 0.200 degrees off its direction; a panorama allows 5 mm and",
        ),
        ("moved", "had moved by 3.0 cm at view 4 of 12"),
        ("gone", "was gone at view 4 of 12"),
    ],
)
def test_what_goes_wrong_in_a_sweep_is_said_with_figures(room_session: RoomSession, fault: str, message: str) -> None:
    room_session.looks.clear()
    with pytest.raises(SaomBenchError) as caught:
        sweep(Clumsy(room_session, fault), Pose(0.0, 0.9, 0.0, 7.0, 0.0), RULES.cameras((32, 32), 90.0))  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def room_session() -> RoomSession:
    return RoomSession(Renderer(room()), (32, 32))


def test_a_turned_panorama_is_the_same_rolled(room_session: RoomSession) -> None:
    cut = Cut((80, 80), 90.0, label_set("saom-54"))
    room_session.resize((80, 80))
    plain, turned = (shoot(room_session, Pose(0.0, 0.9, 0.0, yaw, 0.0), RULES, cut).capture for yaw in (0.0, 90.0))
    assert [i.object_id for i in plain.instances] == [i.object_id for i in turned.instances]
    same = np.roll(plain.labels, -60, axis=1) == turned.labels
    assert same.mean() > 0.999


def test_rows_of_views_reach_higher(room_session: RoomSession) -> None:
    rules = PanoramaRules((120, 240), "equirectangular", views=8, horizons_deg=(-30.0, 45.0))
    with pytest.raises(SaomBenchError, match="8 views leave"):
        replace(rules, horizons_deg=(0.0,)).stitching((80, 80), 90.0)
    with pytest.raises(SaomBenchError, match=r"16 views leave .* and 118.7 would be needed"):
        rules.stitching((80, 80), 90.0)
    wide = RoomSession(room_session.renderer, (80, 80), 120.0)
    shot = shoot(wide, Pose(0.0, 0.9, 0.0, 0.0, 0.0), rules, Cut((80, 80), 120.0, label_set("saom-54")))
    assert shot.capture.fov_deg == pytest.approx(180)


def test_scouting_looks_all_round_and_headings_differ(room_session: RoomSession) -> None:
    room_session.resize((32, 32))
    place, view = look_around(room_session, Pose(0.0, 0.9, 0.0, 33.0, 20.0))
    assert (place.yaw_deg, place.horizon_deg) == (0.0, 0.0)
    assert view.ids.shape == (32, 128)
    assert len({heading(seed) for seed in range(50)}) > 40


def test_the_preset_is_panosams() -> None:
    rules = PanoramaRules()
    size_hw = rules.view_size(90.0)
    stitched = rules.stitching(size_hw, 90.0)
    assert (stitched.covered, size_hw, rules.size_hw) == (1.0, (816, 816), (512, 2560))
    assert [c.yaw_deg for c in stitched.views if isinstance(c, Camera)] == [30.0 * k for k in range(12)]
    shares = np.bincount(stitched.owners.ravel(), minlength=12) * 12 / stitched.owners.size
    assert np.allclose(shares, 1, atol=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--kind", "panorama"], "did you mean 'panoramas'"),
        (["--sweep-views", "2"], "2 views leave 50.0 % of the panorama uncovered"),
        (["--fov", "40", "--sweep-views", "6"], "their field of view is 40 degrees, and 71.9"),
        (["--hfov", "400"], "--hfov 400"),
        (["--pitch-rows", "up"], "write them as 0,-30,30"),
        (["--pitch-rows", "-45"], "looks from 30 up to 60 down"),
        (["--projection", "cylinder"], "did you mean 'cylindrical'"),
        (["--projection", "planar"], "less than 180, or a cylinder"),
        (["--projection", "equirectangular", "--size", "512x400"], "at most 256 rows"),
        (["--blend", "fether"], "did you mean 'feather'"),
        (["--view-size", "9x9"], "32 to 4096"),
        (["--method", "feature"], "did you mean 'features'"),
        (["--kind", "views", "--method", "features"], "add --kind panoramas"),
    ],
)
def test_mistakes(tmp_path: Path, arguments: list[str], message: str) -> None:
    kind = [] if "--kind" in arguments else ["--kind", "panoramas"]
    result = RUN.invoke(APP, [str(tmp_path / "out"), "--split", "val", *kind, *arguments])
    assert isinstance(result.exception, SaomBenchError), result.exception
    assert message in str(result.exception)
    assert "\n" not in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_stitching_by_features_fails_honestly_and_makes_no_dataset(tmp_path: Path, room_session: RoomSession) -> None:
    plain = [np.full((120, 120, 3), 90, np.uint8)] * 4
    assert stitch_by_features(plain) == (None, 0, "too few matching features")
    room_session.resize((80, 80))
    config = replace(CONFIG, views_per_scene=1)
    out = tmp_path / "compared"
    (attempt,) = compare(room_session, ("FloorPlan1",), config, out, lambda n: None)
    report = json.loads((out / "features.json").read_text())["attempts"]
    assert report[0]["failure"] == attempt.failure
    assert (attempt.failure == "") == (attempt.views_used == 12)
    assert sum(failures([attempt]).values()) == bool(attempt.failure)
    assert not (out / "manifest.jsonl").exists()
    with pytest.raises(SaomBenchError, match="not empty"):
        compare(room_session, ("FloorPlan1",), config, out, lambda n: None)
    with pytest.raises(SaomBenchError, match="add --kind panoramas"):
        compare(room_session, (), replace(config, panorama=None), out, lambda n: None)


def test_features_stitch_a_picture_full_of_them() -> None:
    rng = np.random.default_rng(3)
    scene = cv2.resize(rng.integers(0, 256, (90, 220, 3), np.uint8), (880, 360), interpolation=cv2.INTER_CUBIC)
    picture, used, failure = stitch_by_features([scene[:, left : left + 400] for left in (0, 160, 320, 480)])
    assert (used, failure) == (4, "")
    assert picture is not None
