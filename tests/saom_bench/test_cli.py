"""The root command: every verb is there, helped and light to import; mistakes are one line and exit 2."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from saom_bench import cli

VERBS = (
    *("collect", "shards", "models", "train", "recipes", "eval", "tasks", "leaderboard", "predict", "compare"),
    *("scenes", "doctor"),
)
HEAVY = ("torch", "h5py", "ai2thor", "cv2", "onnxruntime", "embreex", "segment_anything")


def test_importing_the_command_line_loads_nothing_heavy() -> None:
    code = f"import sys, saom_bench.cli; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    result = CliRunner().invoke(cli.app, [verb, "--help"])
    assert result.exit_code == 0
    assert "saom-bench" in result.output


def test_a_missing_system_library_is_one_line_and_exit_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def app() -> None:
        raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")

    monkeypatch.setattr(cli, "app", app)
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert "apt-get install libgl1" in said
    assert said.count("\n") == 1
    monkeypatch.setattr(cli, "app", lambda: (_ for _ in ()).throw(ImportError("no module named x")))
    with pytest.raises(ImportError):
        cli.main()


def test_a_path_through_a_file_is_one_line_and_exit_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(cli, "app", (tmp_path / "file" / "out").mkdir)
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert "file/out cannot be used (Not a directory); choose another" in said
    assert said.count("\n") == 1


def test_a_mistake_is_one_line_and_exit_2() -> None:
    command = [sys.executable, "-c", "from saom_bench.cli import main; main()", "train", "out", "--recipe", "saomv9"]
    done = subprocess.run([*command, "--data", "none", "--val", "none"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "saomv9" in done.stderr
    assert "Traceback" not in done.stderr
