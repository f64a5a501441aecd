"""Weights from their official address: resumed where they broke off, checked by SHA-256, kept in the user's cache."""

import os
import shutil
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from saom_bench.console import progress
from saom_bench.errors import SaomBenchError
from saom_bench.files import PARTIAL_SUFFIX, seal, sha256_file

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
    chosen = os.environ.get("SAOM_BENCH_CACHE")
    base = Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "saom-bench"
    return base / "weights"


def cached(download: Download) -> Path | None:
    """The file of a finished download, or None."""
    path = weights_folder() / download.file
    return path if path.is_file() else None


def fetch(download: Download, name: str) -> Path:
    """The downloaded file; fetches what of it is missing. Raises SaomBenchError offline, and for a wrong hash."""
    found = cached(download)
    if found is not None:
        return found
    path = weights_folder() / download.file
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + PARTIAL_SUFFIX)
    if shutil.disk_usage(path.parent).free < download.megabytes * 1_000_000:
        raise SaomBenchError(f"{path.parent} has less than the {download.megabytes} MB free that {name} needs")
    try:
        _resume(download, partial, name)
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise SaomBenchError(
            f"the weights of {name} could not be fetched from {download.url} ({reason}); run the command again to "
            f"resume, or fetch the file elsewhere and pass --weights FILE"
        ) from error
    digest = sha256_file(partial)
    if digest != download.sha256:
        partial.unlink()
        raise SaomBenchError(
            f"{download.url} came with SHA-256 {digest}, not {download.sha256}; it was deleted, run the command again"
        )
    seal(partial, path)
    return path


def _resume(download: Download, partial: Path, name: str) -> None:
    have = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(download.url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # nothing is left to send: the file is whole, its hash will tell
            return
        raise
    with response, partial.open("ab" if response.status == 206 else "wb") as file, progress() as bar:
        have = have if response.status == 206 else 0
        total = have + int(response.headers.get("Content-Length", 0))
        task = bar.add_task(name, total=total / 1e6, completed=round(have / 1e6), unit="MB", note="")
        while chunk := response.read(_CHUNK_BYTES):
            file.write(chunk)
            bar.advance(task, len(chunk) / 1e6)
