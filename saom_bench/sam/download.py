"""Weights from their official address: resumed where they broke off, checked by SHA-256, kept in the user's cache."""

import http.client
import shutil
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from saom_bench.console import progress
from saom_bench.errors import SaomBenchError
from saom_bench.files import PARTIAL_SUFFIX, cache_folder, seal, sha256_file, write_atomically

_CHUNK_BYTES = 1 << 20
_TIMEOUT_S = 30


@dataclass(frozen=True)
class Download:
    """A file on the web and the hash it must have."""

    url: str
    file: str
    sha256: str
    megabytes: int


def weights_folder() -> Path:
    """Where fetched weights lie: $SAOM_BENCH_CACHE, else saom-bench/ in the user's cache folder; /weights."""
    return cache_folder("weights")


def cached(download: Download) -> Path | None:
    """The file of a finished download, or None."""
    path = weights_folder() / download.file
    return path if path.is_file() else None


def fetch(download: Download, name: str) -> Path:
    """The downloaded file; fetches what of it is missing. Raises SaomBenchError offline, and for a wrong hash."""
    path = weights_folder() / download.file
    if path.is_file():
        return path
    _make_folder(path.parent)
    with FileLock(path.with_name(path.name + ".lock")):  # two processes would write into one partial file
        if not path.is_file():
            _fetch(download, path, name)
    return path


def adopt(download: Download, source: Path, name: str) -> Path:
    """Copy a file that was fetched elsewhere into the cache. Raises SaomBenchError when it is not the official one."""
    if not source.is_file():
        raise SaomBenchError(f"there is no file {source}; check --weights")
    digest = sha256_file(source)
    if digest != download.sha256:
        raise SaomBenchError(
            f"{source} is not the official file of {name}: its SHA-256 is {digest}, not {download.sha256}; "
            "other weights of this shape can be used with --weights on train, eval and predict"
        )
    path = weights_folder() / download.file
    _make_folder(path.parent)
    _require_space(path.parent, source.stat().st_size, name)
    write_atomically(path, lambda partial: _copy(source, partial))
    return path


def _fetch(download: Download, path: Path, name: str) -> None:
    partial = path.with_name(path.name + PARTIAL_SUFFIX)
    have = partial.stat().st_size if partial.exists() else 0
    _require_space(path.parent, download.megabytes * 1_000_000 - have, name)
    try:
        _resume(download, partial, name)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise SaomBenchError(
            f"the weights of {name} could not be fetched from {download.url} ({reason}); run the command again to "
            "resume, or fetch the file elsewhere and pass --weights FILE"
        ) from error
    digest = sha256_file(partial)
    if digest != download.sha256:
        partial.unlink()
        raise SaomBenchError(
            f"{download.url} came with SHA-256 {digest}, not {download.sha256}; it was deleted, run the command again"
        )
    seal(partial, path)


def _resume(download: Download, partial: Path, name: str) -> None:
    have = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(download.url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # nothing is left to send: the file is whole, its hash will tell
            return
        raise
    # A server that knows no ranges sends the whole file with status 200.
    have = have if response.status == 206 else 0
    total = have + int(response.headers.get("Content-Length", 0))
    with response, partial.open("ab" if have else "wb") as file, progress() as bar:
        task = bar.add_task(name, total=total / 1e6 or None, completed=have // 1_000_000, unit="MB", note="")
        while chunk := response.read(_CHUNK_BYTES):
            file.write(chunk)
            bar.advance(task, len(chunk) / 1e6)
    if partial.stat().st_size < total:
        raise ConnectionError("the connection closed early")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaomBenchError(
            f"{folder} cannot be made ({error.strerror}); set SAOM_BENCH_CACHE to a folder that can be written"
        ) from error


def _require_space(folder: Path, size_bytes: int, name: str) -> None:
    free = shutil.disk_usage(folder).free
    if free < size_bytes:
        raise SaomBenchError(
            f"{folder} has {free / 1e6:.0f} MB free and {name} needs {size_bytes / 1e6:.0f}; make room, or set "
            "SAOM_BENCH_CACHE to another folder"
        )


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
