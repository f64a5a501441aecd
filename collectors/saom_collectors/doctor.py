"""What collecting needs of this machine, checked one by one; each finding says how to mend what is missing.

Unity's needs are looked for without starting it: what its build wants of Linux is AI2-THOR's documentation's.
"""

import ctypes.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

from saom_bench.errors import SaomBenchError
from saom_collectors.session import PlayerOptions

OK, WARNING, MISSING = "ok", "warning", "missing"
_UNITY_DISK_GB, _WORK_DISK_GB = 5.0, 2.0
"""Unity's build unpacked beside its archive; a first dataset."""
_PACKAGES = ("ai2thor", "torch", "segment-anything", "numpy", "opencv-python", "h5py", "embreex")
_ICD_FOLDERS = ("/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: ``state`` is OK, WARNING or MISSING; ``remedy`` mends the last two."""

    group: str
    what: str
    state: str
    found: str
    remedy: str = ""


def examine(options: PlayerOptions, work_folder: Path) -> Iterator[Finding]:
    """All findings, in the order of what they need; those of the player that ``options`` name come last."""
    yield from _machine(work_folder)
    yield from _engines()
    yield from _unity(options)
    if options.kind == "embedded" or options.executable is not None:
        yield _first_picture(options)


def _machine(work_folder: Path) -> Iterator[Finding]:
    version, group = platform.python_version(), "machine"
    yield _finding(group, "Python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer")
    on_linux = sys.platform.startswith("linux")
    system = f"{platform.system()} {platform.machine()}"
    yield _finding(group, "system", on_linux, system, "players talk through named pipes: use Linux", WARNING)
    for name in _PACKAGES:
        found = _version(name)
        yield _finding(group, name, bool(found), found or "not installed", f"pip install {name}")
    yield Finding(group, "cores, memory", OK, f"{os.cpu_count()} cores, {_memory_gb():.0f} GB")
    yield _compute(group)
    for what, folder in (("work folder", work_folder), ("temporary folder", Path(tempfile.gettempdir()))):
        yield _disk(group, what, folder, _WORK_DISK_GB, WARNING)


def _engines() -> Iterator[Finding]:
    for module, extra, also in (("ray", "ray", None), ("submitit", "slurm", "sbatch")):
        found = _version(module)
        if not found:
            yield Finding(
                "engines", extra, WARNING, "not installed", f"for --engine {extra}: pip install saom-bench[{extra}]"
            )
        elif also and shutil.which(also) is None:
            yield Finding(
                "engines", extra, WARNING, f"{module} {found}, no {also}", "run on a login node of the cluster"
            )
        else:
            yield Finding("engines", extra, OK, f"{module} {found}")


def _unity(options: PlayerOptions) -> Iterator[Finding]:
    """Without --player unity nothing here is needed."""
    group, worst = "unity", MISSING if options.kind == "unity" else WARNING
    system = f"{platform.system()} {platform.machine()}"
    fits = system in {"Linux x86_64", "Darwin x86_64", "Darwin arm64"}
    yield _finding(group, "system", fits, system, "AI2-THOR has builds for Linux on x86-64 and macOS", worst)
    gpus = _gpus()
    remedy = "install the GPU's driver; in a container, start it with --gpus all (and NVIDIA_DRIVER_CAPABILITIES=all)"
    yield _finding(group, "GPU", bool(gpus), gpus or "none found", remedy, worst)
    loader = ctypes.util.find_library("vulkan") or ""
    yield _finding(
        group, "Vulkan", bool(loader), loader or "no libvulkan", "apt-get install libvulkan1 vulkan-tools", worst
    )
    drivers = [path.name for folder in _ICD_FOLDERS for path in sorted(Path(folder).glob("*.json"))]
    remedy = "the GPU's driver brings a file such as nvidia_icd.json; a container must be given it"
    yield _finding(group, "Vulkan drivers", bool(drivers), ", ".join(drivers) or "none", remedy, worst)
    yield _display(options, worst)
    yield _build(options, worst)


def _display(options: PlayerOptions, worst: str) -> Finding:
    display = os.environ.get("DISPLAY", "")
    if options.executable is None:
        return Finding("unity", "display", OK, f"{display or 'none'}, and the CloudRendering build needs none")
    remedy = "a build of your own needs an X server with GLX: set DISPLAY; on a server, `sudo ai2thor-xorg start`"
    return _finding("unity", "display", bool(display), display or "DISPLAY is not set", remedy, worst)


def _build(options: PlayerOptions, worst: str) -> Finding:
    if options.executable is not None:
        can_run = options.executable.is_file() and os.access(options.executable, os.X_OK)
        remedy = f"check --player-path; `chmod +x {options.executable}` if it is there"
        return _finding("unity", "build", can_run, str(options.executable), remedy, worst)
    from saom_collectors.thor_client import build_commit

    commit = build_commit(options)
    releases = Path.home() / ".ai2thor" / "releases"
    there = sorted(path.name for path in releases.glob(f"*{commit}") if path.is_dir())
    if there:
        return Finding("unity", "build", OK, there[0])
    disk = _disk("unity", "build", Path.home(), _UNITY_DISK_GB, worst)
    if disk.state != OK:
        return disk
    remedy = "the first start fetches it (about 1 GB); without network, copy ~/.ai2thor from a machine that has it"
    return Finding("unity", "build", WARNING, f"commit {commit[:12]} is not in {releases}", remedy)


def _first_picture(options: PlayerOptions) -> Finding:
    """Whether the player really starts, loads a scene and shows objects."""
    from saom_collectors.thor import open_player

    started = monotonic()
    try:
        with open_player(options) as session:
            scene = session.scenes()[0]
            session.reset(scene)
            count = len(session.objects())
    except SaomBenchError as error:
        return Finding("player", options.kind, MISSING, "it does not start", str(error))
    return Finding("player", options.kind, OK, f"loads {scene} with {count} objects in {monotonic() - started:.1f} s")


def _compute(group: str) -> Finding:
    """What torch would run on; asked in a process of its own, since loading torch takes seconds and memory."""
    script = "import torch; print(torch.cuda.get_device_name() if torch.cuda.is_available() else 'CPU')"
    found = _output([sys.executable, "-c", script])
    return _finding(group, "torch runs on", bool(found), found or "torch does not load", "pip install --upgrade torch")


def _gpus() -> str:
    names = _output(["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"])
    if names:
        return "; ".join(names.splitlines())
    nodes = sorted(path.name for path in Path("/dev/dri").glob("renderD*"))
    return ", ".join(nodes) if nodes else platform.processor() if sys.platform == "darwin" else ""


def _disk(group: str, what: str, folder: Path, needed_gb: float, worst: str) -> Finding:
    where = folder.resolve()
    while not where.exists():
        where = where.parent
    if not os.access(where, os.W_OK):
        return Finding(group, what, worst, f"{where} is not writable", "choose another folder, or mend its rights")
    free = shutil.disk_usage(where).free / 1e9
    return _finding(group, what, free >= needed_gb, f"{free:.0f} GB free", f"free {needed_gb:.0f} GB of {where}", worst)


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        # Some packages come under another distribution's name, such as opencv-python-headless.
        modules = {"opencv-python": "cv2"}
        return "of another distribution" if find_spec(modules.get(package, package.replace("-", "_"))) else ""


def _output(command: list[str]) -> str:
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""


def _finding(group: str, what: str, is_fine: bool, found: str, remedy: str, otherwise: str = MISSING) -> Finding:
    return Finding(group, what, OK, found) if is_fine else Finding(group, what, otherwise, found, remedy)
