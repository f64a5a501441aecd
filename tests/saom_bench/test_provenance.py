"""Provenance: versions, command and git state are there, and absent ones are None."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from saom_bench import __version__, provenance


def test_versions_name_what_results_depend_on() -> None:
    versions = provenance.package_versions()
    assert versions["saom-bench"] == __version__
    assert {"python", "torch", "ai2thor", "numpy"} <= versions.keys()


def test_command_line_can_be_typed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/saom-bench", "collect", "my data"])
    assert provenance.command_line() == "saom-bench collect 'my data'"


def test_outside_a_checkout_there_is_no_git_state(tmp_path: Path) -> None:
    assert provenance.git_state(tmp_path / "file") is None


def test_the_state_is_that_of_the_checkout_which_tracks_the_file(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    git("init")
    (tmp_path / "tracked").write_text("1")
    git("add", "tracked")
    git("commit", "-m", "one")
    (tmp_path / "stranger").write_text("2")
    state = provenance.git_state(tmp_path / "tracked")
    assert state is not None
    assert state.endswith("+dirty")
    assert provenance.git_state(tmp_path / "stranger") is None


def test_now_is_utc() -> None:
    assert datetime.fromisoformat(provenance.now()).utcoffset().total_seconds() == 0  # type: ignore[union-attr]
