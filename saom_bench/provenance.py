"""What every output says about how it was made: command, package versions, machine, git state, time."""

import os
import platform
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from saom_bench import __version__

_PACKAGES = (
    "ai2thor",
    "torch",
    "segment-anything",
    "transformers",
    "onnxruntime",
    "numpy",
    "h5py",
    "opencv-python",
    "embreex",
)


def command_line() -> str:
    """The command as a user would type it again."""
    program = Path(sys.argv[0])
    # Started by -m, as torchrun does.
    name = "saom-bench" if program.name == "__main__.py" and program.parent.name == "saom_bench" else program.name
    return shlex.join([name, *sys.argv[1:]])


def package_versions() -> dict[str, str]:
    """Versions of saom-bench and of the packages that results depend on; absent packages are left out."""
    versions = {"saom-bench": __version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def git_state(file: Path = Path(__file__)) -> str | None:
    """The commit of the checkout that tracks ``file``, with "+dirty" for local changes; None where none tracks it.

    By default that is the checkout which saom-bench runs from, not the one that the user happens to stand in.
    """
    where = str(file.parent)
    try:
        _git(where, "ls-files", "--error-unmatch", file.name)
        commit = _git(where, "rev-parse", "HEAD")
        return commit + ("+dirty" if _git(where, "status", "--porcelain") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def machine() -> str:
    """The processor with its number of threads, and the GPU where torch is loaded and sees one."""
    names = [f"{_processor()}, {os.cpu_count()} threads"]
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        names.append(torch.cuda.get_device_name())
    return "; ".join(names)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def now() -> str:
    """The time in UTC, ISO 8601, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _git(folder: str, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()
