"""Files that are whole or absent: write beside, sync, rename; content hashes; where caches lie."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from saom_bench.errors import SaomBenchError

PARTIAL_SUFFIX = ".part"


def cache_folder(name: str) -> Path:
    """A cache of ours: $SAOM_BENCH_CACHE/name, else saom-bench/name in the user's cache folder. It need not exist."""
    chosen = os.environ.get("SAOM_BENCH_CACHE")
    base = Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "saom-bench"
    return base / name


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Have ``write`` fill a partial file beside ``path``, sync it, and rename it: readers see all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + PARTIAL_SUFFIX)
    try:
        write(partial)
        seal(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def require_place(path: Path, option: str, is_folder: bool = True) -> None:
    """Raise SaomBenchError where a file stands in the place of a folder, or a folder in that of a file."""
    if is_folder and path.exists() and not path.is_dir():
        raise SaomBenchError(f"{path} is a file; give a folder as {option}")
    if not is_folder and path.is_dir():
        raise SaomBenchError(f"{path} is a folder; give a file as {option}")


def write_text_atomically(path: Path, text: str) -> None:
    """Write UTF-8 text so that readers see all of it or nothing."""
    write_atomically(path, lambda partial: _write_text(partial, text))


def seal(partial: Path, path: Path) -> None:
    """Sync a finished partial file and give it its name, durably."""
    _sync(partial)
    os.replace(partial, path)
    _sync(path.parent)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
