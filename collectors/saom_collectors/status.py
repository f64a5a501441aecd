"""How a collection is getting on, readable from any machine that sees its folder: status.json beside the manifest."""

import json
import os
import socket
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from saom_bench.errors import SaomBenchError

STATUS = "status.json"
_EVERY_S = 2.0


@dataclass(frozen=True)
class Status:
    """One look at a run."""

    state: str
    """running, paused, stopped or finished."""
    scenes: int
    """To do in this run; ``scenes_done`` and ``scenes_failed`` of them are over."""
    scenes_done: int
    scenes_failed: int
    frames: int
    frames_done: int
    seconds: float
    note: str = ""
    host: str = ""
    pid: int = 0
    updated: str = ""
    patience_s: float = 330.0
    """A run that lives is heard of within so many seconds: what its slowest call to a player may take, and some."""

    @property
    def rate(self) -> float:
        """Frames a second in this run."""
        return self.frames_done / self.seconds if self.seconds > 0 else 0.0

    @property
    def eta_s(self) -> float | None:
        """Seconds to go at this rate."""
        return (self.frames - self.frames_done) / self.rate if self.rate > 0 else None

    def silence_s(self) -> float:
        """Seconds since it was written."""
        return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(self.updated)).total_seconds())

    def is_stale(self) -> bool:
        """Says that it runs, and has not been heard of for longer than it can be busy."""
        return self.state in {"running", "paused"} and self.silence_s() > self.patience_s


class StatusFile:
    """Written every few seconds; a file that cannot be written costs the run nothing."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / STATUS
        self._next = 0.0

    def write(self, status: Status, now: bool = False) -> None:
        """Replace the file, if it is time; ``now`` writes in any case."""
        if not now and time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY_S
        stamp = {"host": socket.gethostname(), "pid": os.getpid(), "updated": datetime.now(UTC).isoformat()}
        text = json.dumps(asdict(status) | stamp)
        beside = self._path.with_name(self._path.name + ".new")
        try:
            beside.write_text(text, encoding="utf-8")
            beside.replace(self._path)
        except OSError:
            # A full disk, perhaps, and that is what shall be told: the old file's own blocks are still there.
            self._overwrite(text)

    def _overwrite(self, text: str) -> None:
        with suppress(OSError), self._path.open("r+b") as file:
            file.write(text.encode())
            file.truncate()


def read_status(folder: Path) -> Status | None:
    """The last status of a folder, None where no run has left one. Raises SaomBenchError for a damaged file."""
    path = folder / STATUS
    if not path.is_file():
        return None
    try:
        status = Status(**json.loads(path.read_text(encoding="utf-8")))
        datetime.fromisoformat(status.updated)
    except (OSError, ValueError, TypeError) as error:
        raise SaomBenchError(f"{path} is damaged ({error}); delete it: the next run writes another") from error
    return status
