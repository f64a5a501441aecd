"""Collecting: resumable to the same bytes after any end, one dataset a folder, one scene's failure its own."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fake_thor import (
    RULES,
    SIMULATOR,
    SMALL_DISK,
    FakeSession,
    open_dying,
    open_failing,
    open_fake,
    open_on_a_small_disk,
)
from filelock import FileLock

from saom_bench.console import progress
from saom_bench.errors import SaomBenchError
from saom_bench.shards.dataset import open_dataset
from saom_bench.shards.manifest import MANIFEST, read_manifest
from saom_collectors.collect import CollectConfig, Opener, Outcome, SceneWorker, collect, shots
from saom_collectors.runlog import RunLog
from saom_collectors.session import PlayerOptions
from saom_collectors.space import DiskGate
from saom_collectors.status import STATUS, Status, StatusFile, read_status

HANDLES = Path("/proc/self/fd")
SCENES = ("FloorPlan1", "FloorPlan2", "FloorPlan3")
CONFIG = CollectConfig("train", SIMULATOR, PlayerOptions(size_hw=(60, 80)), views_per_scene=4, rules=RULES)


class _Silent:
    def __call__(self, units: int) -> None:
        return

    def expect(self, what: str, within_s: float) -> None:
        return

    def finish(self) -> None:
        return


SILENT = _Silent()


def run(folder: Path, opener: Opener = open_fake, config: CollectConfig = CONFIG, workers: int = 1) -> Outcome:
    return collect(folder, SCENES, config, workers, opener)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "data"
    run(folder)
    return folder


def fingerprint(folder: Path) -> str:
    return open_dataset(folder).fingerprint


def test_a_collected_dataset_holds_what_was_asked(whole: Path) -> None:
    dataset = open_dataset(whole)
    assert dataset.scenes == SCENES
    assert len(dataset) == 12
    assert dataset.only(scenes=["FloorPlan1"])[0].size_hw == (60, 80)
    assert {o.object_type for i in range(12) for o in dataset.objects(i)} <= set(dataset.label_set.classes)
    assert min(o.area_px for i in range(12) for o in dataset.objects(i)) >= CONFIG.min_area_px


def test_same_seed_same_bytes_for_any_number_of_workers(whole: Path, tmp_path: Path) -> None:
    run(tmp_path / "a", workers=3)
    assert fingerprint(tmp_path / "a") == fingerprint(whole)
    run(tmp_path / "b", config=replace(CONFIG, seed=1))
    assert fingerprint(tmp_path / "b") != fingerprint(whole)


def test_a_second_run_has_nothing_to_do(whole: Path) -> None:
    before = (whole / MANIFEST).read_bytes()
    outcome = run(whole)
    assert (len(outcome.collected), len(outcome.kept)) == (0, 3)
    assert (whole / MANIFEST).read_bytes() == before


def test_a_worker_killed_inside_a_scene_costs_that_scene_and_is_made_good(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    outcome = run(folder, open_dying)
    assert [f.scene for f in outcome.failures] == ["FloorPlan2"]
    assert "signal 9" in outcome.failures[0].error
    assert outcome.failures[0].attempts == 3
    assert (folder / outcome.failures[0].log).read_text().count("signal 9") == 3
    assert list(folder.glob("*.part")) == []
    assert open_dataset(folder).scenes == ("FloorPlan1", "FloorPlan3")
    outcome = run(folder)
    assert [r.scene for r in outcome.collected] == ["FloorPlan2"]
    assert list(folder.glob("*.part")) == []
    assert fingerprint(folder) == fingerprint(whole)
    assert read_manifest(folder).failures == ()


def test_a_failed_scene_is_recorded_and_the_others_are_kept(tmp_path: Path) -> None:
    outcome = run(tmp_path / "data", open_failing, workers=2)
    assert [(f.scene, f.error) for f in outcome.failures] == [("FloorPlan2", "the scene has a hole")]
    assert sorted(r.scene for r in outcome.collected) == ["FloorPlan1", "FloorPlan3"]
    assert [f.scene for f in read_manifest(tmp_path / "data").failures] == ["FloorPlan2"]
    assert list((tmp_path / "data").glob("*.part")) == []


@pytest.mark.parametrize("damage", ["truncated", "altered", "gone"])
def test_only_the_damaged_scene_is_done_again(whole: Path, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "data"
    run(folder)
    shard = folder / "FloorPlan2.h5"
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    if damage == "gone":
        shard.unlink()
    else:
        shard.write_bytes(data[:-9] if damage == "truncated" else data)
    outcome = run(folder)
    assert [r.scene for r in outcome.collected] == ["FloorPlan2"]
    assert fingerprint(folder) == fingerprint(whole)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 7},
        {"views_per_scene": 5},
        {"label_set": "saom-48"},
        {"split": "val"},
        {"min_area_px": 0},
        {"player": PlayerOptions(size_hw=(60, 90))},
        {"simulator": {**SIMULATOR, "version": "2"}},
    ],
)
def test_a_folder_with_another_dataset_is_refused_untouched(whole: Path, change: dict) -> None:
    before = {p.name: p.read_bytes() for p in whole.iterdir()}
    with pytest.raises(SaomBenchError, match="holds another dataset"):
        run(whole, config=replace(CONFIG, **change))
    assert {p.name: p.read_bytes() for p in whole.iterdir()} == before


def test_a_folder_with_other_files_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(SaomBenchError, match=r"not empty.*thesis\.tex"):
        run(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(SaomBenchError, match="is a file"):
        run(tmp_path / "thesis.tex")


def test_two_collects_never_write_to_one_folder(whole: Path) -> None:
    with FileLock(whole / ".lock"), pytest.raises(SaomBenchError, match="another collect"):
        run(whole)


def test_a_full_disk_is_found_before_the_first_frame(tmp_path: Path) -> None:
    huge = replace(CONFIG, views_per_scene=10**9)
    with pytest.raises(SaomBenchError, match="GB free"):
        run(tmp_path / "data", config=huge)
    assert not (tmp_path / "data").exists()


def test_poses_are_chosen_on_small_pictures_and_taken_on_large_ones() -> None:
    session = FakeSession((1, 1))
    config = replace(CONFIG, player=PlayerOptions(size_hw=(240, 320)))
    frames = [shot.capture for shot in shots(session, "FloorPlan1", config, Counter())]
    assert all(frame.rgb.shape == (240, 320, 3) for frame in frames)
    sizes = [size for size, _ in session.looks]
    assert sizes == [(120, 160)] * 4 * RULES.tries + [(240, 320)] * 4


def test_a_worker_replaces_its_player_only_after_a_failure(tmp_path: Path) -> None:
    opened: list[FakeSession] = []

    def opener(options: PlayerOptions) -> FakeSession:
        opened.append(open_failing(options))
        return opened[-1]

    worker = SceneWorker(tmp_path, CONFIG, opener)
    worker.run("FloorPlan1", SILENT)
    worker.run("FloorPlan3", SILENT)
    assert [s.closed for s in opened] == [False]
    with pytest.raises(SaomBenchError, match="hole"):
        worker.run("FloorPlan2", SILENT)
    worker.run("FloorPlan1", SILENT)
    worker.close()
    assert [s.closed for s in opened] == [True, True]


@pytest.mark.skipif(not HANDLES.is_dir(), reason="counts handles in /proc")
def test_memory_and_handles_stay_flat_from_scene_to_scene(tmp_path: Path) -> None:
    config = replace(CONFIG, player=PlayerOptions(size_hw=(240, 320)))
    worker = SceneWorker(tmp_path, config, open_fake)
    taken = []
    for n in range(1, 31):
        worker.run(f"FloorPlan{n}", SILENT)
        worker._session.looks.clear()  # type: ignore[union-attr] # the fake's own diary
        taken.append((len(list(HANDLES.iterdir())), resident_mb()))
    (handles, megabytes), (handles_then, megabytes_then) = taken[9], taken[-1]
    assert handles_then == handles
    # Were the frames of these 20 scenes kept, or even their labels alone, it would be 30 MB or 12.
    assert megabytes_then - megabytes < 8


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def test_the_recorded_command_says_how_to_make_the_shard_again(whole: Path) -> None:
    command = open_dataset(whole)._reader(read_manifest(whole).shards[0]).header.command
    assert command.startswith("saom-bench collect OUT --scenes FloorPlan1 --views-per-scene 4 --size 80x60")


@pytest.mark.parametrize(
    ("kind", "heeds_signals", "code"),
    [
        (signal.SIGKILL, False, -signal.SIGKILL),
        (signal.SIGINT, False, -signal.SIGINT),
        (signal.SIGINT, True, 130),
        (signal.SIGTERM, True, 143),
    ],
)
def test_a_collect_ended_inside_a_scene_leaves_no_worker_and_nothing_that_is_later_read(
    whole: Path, tmp_path: Path, kind: signal.Signals, heeds_signals: bool, code: int
) -> None:
    folder = tmp_path / "data"
    script = f"import fake_thor, sys; fake_thor.collect_and_stall(sys.argv[1], {heeds_signals})"
    path = os.pathsep.join(p for p in sys.path if p)
    environment = {**os.environ, "PYTHONPATH": path}
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"half way\n"
    if not heeds_signals:
        # Python's own handler does not end a wait that begins just after the signal came.
        time.sleep(0.3)
    child.send_signal(kind)
    # The worker, too, holds the other end of the pipe: it reads empty when both have ended.
    child.communicate(timeout=60)
    assert child.returncode == code
    assert open_dataset(folder).scenes == ("FloorPlan1",)
    if heeds_signals:
        assert read_status(folder).state == "stopped"
        assert list(folder.glob("*.part")) == []
    run(folder)
    assert fingerprint(folder) == fingerprint(whole)


def test_a_disk_that_fills_pauses_the_run_and_loses_nothing(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["", "the disk is full", "the disk is full", ""])
    monkeypatch.setattr(DiskGate, "__call__", lambda self: next(answers, ""))
    outcome = run(tmp_path / "data")
    assert outcome.failures == ()
    assert fingerprint(tmp_path / "data") == fingerprint(whole)
    assert next(answers, None) is None


def test_a_disk_that_fills_under_a_worker_costs_an_attempt_and_no_collector(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # HDF5 may take its process down when a write fails: it is a worker's, and the next one finds room again.
    monkeypatch.setenv(SMALL_DISK, str(tmp_path / "mark"))
    outcome = run(tmp_path / "data", open_on_a_small_disk)
    assert (tmp_path / "mark").exists()
    assert outcome.failures == ()
    assert (tmp_path / "data" / "logs" / "FloorPlan1.log").exists()
    assert fingerprint(tmp_path / "data") == fingerprint(whole)


def test_a_full_disk_is_told_with_figures(tmp_path: Path) -> None:
    assert DiskGate(tmp_path, 1, (10, 10))() == ""
    assert "GB free" in DiskGate(tmp_path, 10**9, (1000, 1000))()


def test_a_full_disk_is_told_in_the_status_file_that_is_there(tmp_path: Path) -> None:
    status = Status("running", 3, 1, 0, 12, 4, 1.0)
    StatusFile(tmp_path).write(status, now=True)
    # No room for another file, as it were.
    (tmp_path / f"{STATUS}.new").mkdir()
    StatusFile(tmp_path).write(replace(status, state="paused", note="full"), now=True)
    found = read_status(tmp_path)
    assert found is not None
    assert (found.state, found.note) == ("paused", "full")


def test_a_slow_reset_is_not_taken_for_a_killed_run(tmp_path: Path) -> None:
    options = PlayerOptions(step_timeout_s=500.0)
    with progress() as bar:
        RunLog(tmp_path, ["FloorPlan1"], 4, bar, options.longest_call_s)
    status = read_status(tmp_path)
    assert status is not None
    for silent_s, is_stale in ((PlayerOptions().reset_timeout_s, False), (499, False), (540, True)):
        updated = (datetime.now(UTC) - timedelta(seconds=silent_s)).isoformat()
        assert replace(status, updated=updated).is_stale() == is_stale
    assert not replace(status, updated=updated, state="finished").is_stale()


def test_the_status_of_a_run_that_ended(whole: Path, tmp_path: Path) -> None:
    run(tmp_path / "data")
    status = read_status(tmp_path / "data")
    assert (status.state, status.scenes_done, status.frames_done) == ("finished", 3, 12)
    assert not status.is_stale()
    (tmp_path / "data" / STATUS).write_text("{}")
    with pytest.raises(SaomBenchError, match="damaged"):
        read_status(tmp_path / "data")
