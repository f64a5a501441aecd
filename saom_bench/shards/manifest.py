"""manifest.jsonl: what a dataset is (first line), which shards are sealed, what failed. Appended, never edited."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from saom_bench.errors import SaomBenchError
from saom_bench.files import write_text_atomically

MANIFEST = "manifest.jsonl"
MANIFEST_FORMAT = "saom-manifest"
MANIFEST_VERSION = 1
_TAIL_BYTES = 4096


@dataclass(frozen=True)
class ShardRecord:
    """A sealed shard as its manifest knows it."""

    file: str
    scene: str
    sha256: str
    size_bytes: int
    frames: int
    instances: int
    duration_s: float = 0.0
    rejected: Mapping[str, int] = field(default_factory=dict, hash=False, compare=False)
    """Candidate views that were turned down, by reason."""


@dataclass(frozen=True)
class FailureRecord:
    """A scene that could not be collected, and why."""

    scene: str
    error: str
    when: str
    attempts: int = 1
    log: str = ""
    """Path in the dataset's folder of what the attempts printed."""


@dataclass(frozen=True)
class Manifest:
    """A dataset's manifest. ``settings`` are the options that all its shards share; later lines of a scene win."""

    settings: Mapping[str, Any]
    shards: tuple[ShardRecord, ...] = ()
    failures: tuple[FailureRecord, ...] = field(default=())
    """Of scenes that no later shard made good."""


def create_manifest(folder: Path, settings: Mapping[str, Any]) -> None:
    """Begin a dataset in ``folder``, which is created."""
    head = {"record": "dataset", "format": MANIFEST_FORMAT, "version": MANIFEST_VERSION, "settings": dict(settings)}
    write_text_atomically(folder / MANIFEST, _line(head))


def append_record(folder: Path, record: ShardRecord | FailureRecord) -> None:
    """Add a line, durably; a line that a kill cut short is cut off first."""
    kind = "shard" if isinstance(record, ShardRecord) else "failure"
    with (folder / MANIFEST).open("r+b") as file:
        _cut_torn_line(file)
        file.write(_line({"record": kind, **asdict(record)}).encode())
        file.flush()
        os.fsync(file.fileno())


def read_manifest(folder: Path) -> Manifest:
    """Read a dataset's manifest. Raises SaomBenchError when ``folder`` holds no dataset or its manifest is damaged."""
    path = folder / MANIFEST
    if not path.is_file():
        what = "has no manifest.jsonl" if folder.is_dir() else "does not exist"
        raise SaomBenchError(
            f"{folder} {what}, so it is no dataset. Make one: saom-bench collect {folder} --split train"
        )
    data = path.read_bytes()
    lines = [_parse(path, i, line) for i, line in enumerate(data[: _whole_lines(data)].splitlines(), 1)]
    if not lines or lines[0].get("format") != MANIFEST_FORMAT or not isinstance(lines[0].get("settings"), dict):
        raise SaomBenchError(f"{path} does not begin as a {MANIFEST_FORMAT}; collect into another folder")
    if lines[0].get("version") != MANIFEST_VERSION:
        raise SaomBenchError(
            f"{path} has format version {lines[0].get('version')}; this saom-bench reads {MANIFEST_VERSION}"
        )
    shards: dict[str, ShardRecord] = {}
    failures: dict[str, FailureRecord] = {}
    for number, line in enumerate(lines[1:], 2):
        record = _record(path, number, line)
        if isinstance(record, ShardRecord):
            shards[record.file] = record
            failures.pop(record.scene, None)
        else:
            failures[record.scene] = record
    return Manifest(lines[0]["settings"], tuple(shards[k] for k in sorted(shards)), tuple(failures.values()))


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True) + "\n"


def _cut_torn_line(file: BinaryIO) -> None:
    """Leave the file after its last whole line. Looks at its end only: a line costs the same in a long manifest."""
    end = file.seek(0, os.SEEK_END)
    size = end
    while end > 0:
        start = max(0, end - _TAIL_BYTES)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    if end != size:
        file.truncate(end)
    file.seek(end)


def _whole_lines(data: bytes) -> int:
    return data.rfind(b"\n") + 1


def _parse(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise SaomBenchError(f"{path} line {number} is not JSON: the manifest is damaged; collect anew") from error
    if not isinstance(value, dict):
        raise SaomBenchError(f"{path} line {number} is not a record: the manifest is damaged; collect anew")
    return value


def _record(path: Path, number: int, line: dict[str, Any]) -> ShardRecord | FailureRecord:
    values = {key: value for key, value in line.items() if key != "record"}
    kinds: dict[str, type[ShardRecord] | type[FailureRecord]] = {"shard": ShardRecord, "failure": FailureRecord}
    try:
        record = kinds[line.get("record", "")](**values)
    except (KeyError, TypeError) as error:
        raise SaomBenchError(f"{path} line {number} is no shard or failure: the manifest is damaged") from error
    # A manifest from elsewhere must not point outside its folder.
    if isinstance(record, ShardRecord) and (Path(record.file).name != record.file or record.file in {"", ".", ".."}):
        raise SaomBenchError(f"{path} line {number} names the file {record.file!r}, which is not in this folder")
    return record
