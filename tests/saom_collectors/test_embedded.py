"""The real client, the real embedded player, real shards: what the fakes promise holds."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from embedded_support import PID_FILE, masks_by_client, open_dying, player_pid

from saom_bench.classes import label_set
from saom_bench.shards.dataset import open_dataset
from saom_bench.shards.deep import suspicions
from saom_bench.shards.manifest import read_manifest
from saom_bench.types import Pose
from saom_collectors.collect import CollectConfig, collect
from saom_collectors.decode import decode
from saom_collectors.session import ActionFailed, PlayerLost, PlayerOptions
from saom_collectors.thor import ThorSession, open_player, simulator_of
from saom_collectors.views import ViewRules, choose_views

pytestmark = pytest.mark.slow

SCENE = "FloorPlan401"
OPTIONS = PlayerOptions(size_hw=(200, 240))
CLASSES = label_set("saom-55")
CONFIG = CollectConfig("train", simulator_of(OPTIONS), OPTIONS, views_per_scene=3, rules=ViewRules(tries=2))


@pytest.fixture(scope="module")
def session() -> Iterator[ThorSession]:
    with open_player(OPTIONS) as opened:
        opened.reset(SCENE)
        yield opened


def test_label_maps_equal_the_clients_masks_for_every_object(session: ThorSession) -> None:
    seen = 0
    for chosen in choose_views(session, SCENE, 4, 0, CLASSES, ViewRules(tries=2)).views:
        view = session.look(chosen.pose)
        labels, instances = decode(view.ids, view.keys, view.types, CLASSES)
        masks = masks_by_client(session)
        expected = {name: mask for name, mask in masks.items() if view.types.get(name) in CLASSES.classes}
        assert [i.object_id for i in instances] == sorted(expected)
        for instance in instances:
            np.testing.assert_array_equal(labels == instance.label, expected[instance.object_id])
            assert CLASSES.classes[instance.class_index] == view.types[instance.object_id]
        seen += len(instances)
    assert seen >= 8


def test_the_pose_is_the_one_asked_for_and_the_picture_is_no_blank(session: ThorSession) -> None:
    x, y, z = session.reachable()[0]
    view = session.look(Pose(x, y, z, 90.0, 10.0))
    assert (view.pose.x, view.pose.z, view.pose.yaw_deg, view.pose.horizon_deg) == pytest.approx((x, z, 90.0, 10.0))
    assert view.rgb.shape == (200, 240, 3)
    assert view.rgb.std() > 5


def test_a_refused_action_raises_and_the_session_goes_on(session: ThorSession) -> None:
    with pytest.raises(ActionFailed, match="Levitate"):
        session.step("Levitate")
    with pytest.raises(ActionFailed, match="Teleport"):
        session.step("TeleportFull", position={"x": 90.0, "y": 0.9, "z": 90.0}, rotation=0, horizon=0, standing=True)
    assert session.reachable()


@pytest.mark.timeout(60)  # The client alone would spin for all of step_timeout_s.
def test_a_player_that_dies_between_actions_is_noticed_at_once() -> None:
    with open_player(OPTIONS) as session:
        assert SCENE in session.scenes()
        os.kill(player_pid(session), signal.SIGKILL)
        with pytest.raises(PlayerLost, match="signal 9"):
            session.step("Pass")


def test_a_collect_killed_inside_a_scene_ends_its_player_and_resumes_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid_file = tmp_path / "pid"
    monkeypatch.setenv(PID_FILE, str(pid_file))
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    outcome = collect(whole, (SCENE,), CONFIG, 1, open_player)
    assert outcome.failures == ()
    outcome = collect(killed, (SCENE,), CONFIG, 1, open_dying)
    assert [f.scene for f in outcome.failures] == [SCENE]
    assert list(killed.glob("*.h5*")) == []
    # The worker's process group has been killed; its player ends with it, or is a zombie nobody waits for.
    status = Path(f"/proc/{pid_file.read_text()}/status")
    assert not status.exists() or "(zombie)" in status.read_text()
    collect(killed, (SCENE,), CONFIG, 1, open_player)
    assert open_dataset(killed).fingerprint == open_dataset(whole).fingerprint
    assert len(open_dataset(whole)) == 3


def test_parts_of_every_object_lie_beside_its_label_in_the_shard(tmp_path: Path) -> None:
    options = replace(OPTIONS, parts=True)
    config = replace(CONFIG, simulator=simulator_of(options), player=options, views_per_scene=2)
    assert config.command(SCENE).endswith("--parts")
    assert collect(tmp_path / "parts", (SCENE,), config, 1, open_player).failures == ()
    dataset = open_dataset(tmp_path / "parts")
    parts, labels = dataset.layer("parts", 0), dataset[0].labels
    assert parts is not None
    assert (parts.dtype, parts.shape, bool((parts[labels > 0] > 0).all())) == (np.uint16, labels.shape, True)
    assert len(np.unique(parts[labels > 0])) > len(np.unique(labels)) > 2
    assert suspicions(tmp_path / "parts", read_manifest(tmp_path / "parts"), lambda n: None) == ()
