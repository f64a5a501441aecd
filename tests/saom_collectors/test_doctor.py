"""The doctor: finds what is missing, says how to mend it, and tells the needs of the two players apart."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from saom_bench.cli import app
from saom_collectors import doctor
from saom_collectors.doctor import MISSING, OK, WARNING, Finding, examine
from saom_collectors.session import PlayerLost, PlayerOptions

RUN = CliRunner()


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No GPU, no Vulkan, no build, whatever the machine has; torch is not loaded for each test."""
    monkeypatch.setattr(doctor.ctypes.util, "find_library", lambda name: None)
    monkeypatch.setattr(doctor, "_output", lambda command: "CPU" if "torch" in command[-1] else "")
    monkeypatch.setattr(doctor, "_ICD_FOLDERS", (str(tmp_path / "icd"),))
    monkeypatch.setattr(doctor, "_gpus", lambda: "")
    monkeypatch.setenv("HOME", str(tmp_path))


def _states(options: PlayerOptions, folder: Path = Path()) -> dict[tuple[str, str], Finding]:
    return {(finding.group, finding.what): finding for finding in examine(options, folder)}


def test_what_only_unity_needs_is_no_fault_for_the_embedded_player(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_first_picture", lambda options: Finding("player", "embedded", OK, "fine"))
    found = _states(PlayerOptions())
    assert {f.state for key, f in found.items() if key[0] == "unity"} <= {OK, WARNING}
    assert not [f for f in found.values() if f.state == MISSING]
    assert all(f.remedy for f in found.values() if f.state != OK)


def test_unity_lacks_what_a_bare_machine_has_not(tmp_path: Path) -> None:
    found = _states(PlayerOptions("unity"))
    assert [found["unity", what].state for what in ("GPU", "Vulkan", "Vulkan drivers")] == [MISSING] * 3
    assert "apt-get install libvulkan1" in found["unity", "Vulkan"].remedy
    assert found["unity", "build"].state == WARNING
    (tmp_path / ".ai2thor" / "releases" / "thor-CloudRendering-abc").mkdir(parents=True)
    assert _states(PlayerOptions("unity", commit="abc"))["unity", "build"].found == "thor-CloudRendering-abc"


def test_a_driver_file_counts(tmp_path: Path) -> None:
    (tmp_path / "icd").mkdir()
    (tmp_path / "icd" / "nvidia_icd.json").touch()
    assert _states(PlayerOptions("unity"))["unity", "Vulkan drivers"] == Finding(
        "unity", "Vulkan drivers", OK, "nvidia_icd.json"
    )


def test_a_build_that_is_not_there_or_does_not_start_is_missing(tmp_path: Path) -> None:
    found = _states(PlayerOptions("unity", executable=tmp_path / "thor"))
    assert found["unity", "build"].state == MISSING
    assert found["player", "unity"].state == MISSING
    assert "thor" in found["player", "unity"].remedy


def test_a_folder_that_may_not_be_written_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor.os, "access", lambda path, mode: False)
    found = _states(PlayerOptions("unity"), tmp_path / "data")
    assert "not writable" in found["machine", "work folder"].found


def test_the_command_starts_the_player_and_is_ready() -> None:
    result = RUN.invoke(app, ["doctor"])
    assert result.exit_code == 0, result.output
    assert "loads FloorPlan1 " in result.output
    assert "ready for --player embedded" in result.output


def test_the_command_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(options: PlayerOptions) -> None:
        raise PlayerLost("it failed at start")

    monkeypatch.setattr("saom_collectors.thor.open_player", lost)
    result = RUN.invoke(app, ["doctor"])
    assert result.exit_code == 2
    assert "missing for --player embedded: embedded" in result.output
    assert "failed at start" in result.output
    assert RUN.invoke(app, ["doctor", "--player", "unity"]).exit_code == 2
