"""Per-image records of a row, one JSON line each: an interrupted evaluation goes on after the last whole line.

While a row is being measured its file ends in ``.part``; when the row is complete the file is sealed under its own name
and serves pictures and recomputation. A complete row is never resumed: the same command then measures anew.
"""

import json
from pathlib import Path

from pydantic import ValidationError

from saom_bench.files import PARTIAL_SUFFIX, seal, write_text_atomically
from saom_benchmarks.scores import FrameScore

RECORD_SUFFIX = ".frames.jsonl"


class RecordFile:
    """The growing record of one row. ``identity`` says what was measured; a record of anything else is replaced."""

    def __init__(self, folder: Path, stem: str, identity: str) -> None:
        self.path = folder / "frames" / (stem + RECORD_SUFFIX)
        self._partial = self.path.with_name(self.path.name + PARTIAL_SUFFIX)
        self._identity = identity
        self.frames: dict[str, FrameScore] = {}
        """What is recorded, by key."""

    def open(self, fresh: bool) -> None:
        """Read what an interrupted run left, cut off a torn last line, or start anew."""
        self.frames = {} if fresh or not self._partial.exists() else self._read()
        lines = [json.dumps({"identity": self._identity}), *(f.model_dump_json() for f in self.frames.values())]
        write_text_atomically(self._partial, "".join(line + "\n" for line in lines))

    def add(self, frame: FrameScore) -> None:
        """Append one image's record."""
        with self._partial.open("a", encoding="utf-8") as file:
            file.write(frame.model_dump_json() + "\n")
        self.frames[frame.key] = frame

    def finish(self) -> None:
        """Seal the complete record."""
        seal(self._partial, self.path)

    def _read(self) -> dict[str, FrameScore]:
        head, *lines = self._partial.read_text(encoding="utf-8", errors="replace").split("\n")
        if head != json.dumps({"identity": self._identity}):
            return {}
        frames: dict[str, FrameScore] = {}
        for line in lines:
            try:
                frame = FrameScore.model_validate_json(line)
            except ValidationError:
                break  # the line that a kill tore: it is measured again
            frames[frame.key] = frame
        return frames
