"""The door to ai2thor: players that die or hang at the start are an error in time, and leave nothing behind."""

import tempfile
import threading
from pathlib import Path

import pytest
from pack_files import sound_pack

from saom_bench.errors import SaomBenchError
from saom_collectors.collect import CollectConfig
from saom_collectors.session import PlayerLost, PlayerOptions
from saom_collectors.thor import open_player, simulator_of
from saom_scenes.packs import PackFolder, write_pack


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders go, and a home that must stay empty."""
    folder = tmp_path / "temporary"
    for path in (folder, tmp_path / "home"):
        path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return folder


def program(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "a player"  # The space must survive the client's splitting of the command.
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def check_nothing_is_left(temporary: Path) -> None:
    assert list(temporary.iterdir()) == []
    assert list((temporary.parent / "home").iterdir()) == []
    assert not [t for t in threading.enumerate() if t.name == "player-watch"]


def test_a_player_that_dies_at_once_is_an_error_with_its_last_words(temporary: Path, tmp_path: Path) -> None:
    path = program(tmp_path, "echo first; echo no Vulkan here >&2; exit 3\n")
    with pytest.raises(PlayerLost, match=r"exit code 3; its last words: no Vulkan here; .*--player embedded"):
        open_player(PlayerOptions("unity", executable=path))
    check_nothing_is_left(temporary)


def test_a_player_that_never_gets_ready_is_ended_at_the_deadline(temporary: Path, tmp_path: Path) -> None:
    path = program(tmp_path, f"echo $$ > '{tmp_path}/pid'; exec sleep 600\n")
    with pytest.raises(PlayerLost, match="not ready after 1 s"):
        open_player(PlayerOptions("unity", executable=path, start_timeout_s=1))
    pid = (tmp_path / "pid").read_text().strip()
    assert not Path(f"/proc/{pid}").exists()
    check_nothing_is_left(temporary)


def test_a_player_that_speaks_nonsense_is_an_error(temporary: Path, tmp_path: Path) -> None:
    path = program(tmp_path, 'printf "hello, I am no player" > "$AI2THOR_FIFO_SERVER_PIPE_PATH"; exec sleep 600\n')
    with pytest.raises(PlayerLost, match="failed at start"):
        open_player(PlayerOptions("unity", executable=path, start_timeout_s=2))
    check_nothing_is_left(temporary)


def test_a_program_that_is_not_there_is_an_error(temporary: Path, tmp_path: Path) -> None:
    with pytest.raises(PlayerLost, match="nowhere"):
        open_player(PlayerOptions("unity", executable=tmp_path / "nowhere"))
    check_nothing_is_left(temporary)


def test_unknown_players_are_named() -> None:
    with pytest.raises(SaomBenchError, match="did you mean 'unity'"):
        open_player(PlayerOptions("unty"))
    with pytest.raises(SaomBenchError, match="did you mean 'embedded'"):
        simulator_of(PlayerOptions("embeded"))


def test_the_simulator_is_named_honestly() -> None:
    embedded, unity = (simulator_of(PlayerOptions(kind)) for kind in ("embedded", "unity"))
    assert embedded["name"] == "saom-player"
    assert unity["name"] == "ai2thor-unity"
    assert embedded["arguments"]["fieldOfView"] == 90.0


def test_the_geometry_is_named_for_the_dataset_and_for_each_scene(tmp_path: Path) -> None:
    write_pack(tmp_path / "FloorPlan1.npz", sound_pack("FloorPlan1"))
    packs = PlayerOptions("embedded", packs=tmp_path)
    assert simulator_of(PlayerOptions("embedded"))["scenes"] == "parametric"
    named = {
        scenes: simulator_of(packs, scenes)["scenes"]
        for scenes in ((), ("FloorPlan1",), ("FloorPlan2",), ("FloorPlan1", "FloorPlan2"))
    }
    assert list(named.values()) == ["packs", "packs", "parametric", "packs and parametric"]
    assert simulator_of(packs)["packs"] == PackFolder(tmp_path).fingerprint()
    # A shard of a mixed dataset says which its scene is; the dataset says both.
    mixed = simulator_of(packs, ("FloorPlan1", "FloorPlan2"))
    config = CollectConfig("train", mixed, packs)
    shown = [config.header(scene).simulator["scenes"] for scene in ("FloorPlan1", "FloorPlan2")]
    assert shown == ["packs", "parametric"]
    assert config.settings()["simulator"]["scenes"] == "packs and parametric"


def test_packs_are_for_the_embedded_player(tmp_path: Path) -> None:
    with pytest.raises(SaomBenchError, match="--player unity has AI2-THOR's rooms"):
        simulator_of(PlayerOptions("unity", packs=tmp_path))
    with pytest.raises(SaomBenchError, match="saom-bench scenes import"):
        simulator_of(PlayerOptions("embedded", packs=tmp_path / "nowhere"))
