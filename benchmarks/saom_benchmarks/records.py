"""Per-image records of a row, one JSON line each: an interrupted evaluation goes on after the last whole line.

While a row is being measured its file ends in ``.part``; when the row is complete the file is sealed under its own name
and serves pictures and recomputation. A complete row is never resumed: the same command then measures anew. Processes
that share a row keep a file each (``.part.2of4``); whoever opens the row next reads them all.
"""

import json
import re
from pathlib import Path

from pydantic import ValidationError

from saom_bench.files import PARTIAL_SUFFIX, seal, write_text_atomically
from saom_benchmarks.scores import FrameScore

RECORD_SUFFIX = ".frames.jsonl"
_OF_A_PROCESS = re.compile(r"\.\d+of\d+$")


class RecordFile:
    """The growing record of one row. ``identity`` says what was measured; a record of anything else is replaced."""

    def __init__(self, folder: Path, stem: str, identity: str, part: tuple[int, int] | None = None) -> None:
        self.path = folder / "frames" / (stem + RECORD_SUFFIX)
        whole = self.path.with_name(self.path.name + PARTIAL_SUFFIX)
        self._whole = whole
        self._partial = whole if part is None else whole.with_name(f"{whole.name}.{part[0]}of{part[1]}")
        self._part = part
        self._identity = identity
        self.frames: dict[str, FrameScore] = {}
        """What is recorded, by key."""

    def open(self, fresh: bool) -> None:
        """Read what interrupted runs left, cut off a torn last line, or start anew."""
        left = self._files()
        if fresh and self._part is not None and self._part[0] == 1:
            # Every process writes its own file anew. Those of another run are no one's, and would be read at the end.
            for path in left:
                if not path.name.endswith(f"of{self._part[1]}"):
                    path.unlink()
        self.frames = {} if fresh else {key: frame for path in left for key, frame in self._read(path).items()}
        if self._partial == self._whole:
            own = list(self.frames.values())
        else:
            own = [] if fresh or not self._partial.exists() else list(self._read(self._partial).values())
        lines = [json.dumps({"identity": self._identity}), *(f.model_dump_json() for f in own)]
        write_text_atomically(self._partial, "".join(line + "\n" for line in lines))
        if self._partial == self._whole:
            for path in left:
                if path != self._whole:
                    path.unlink()

    def add(self, frame: FrameScore) -> None:
        """Append one image's record."""
        with self._partial.open("a", encoding="utf-8") as file:
            file.write(frame.model_dump_json() + "\n")
        self.frames[frame.key] = frame

    def finish(self) -> None:
        """Seal the complete record."""
        seal(self._partial, self.path)

    def _files(self) -> list[Path]:
        # Another process may be writing its file anew just now: what that takes shape under is not looked at.
        found = sorted(self.path.parent.glob(f"{self._whole.name}.*of*"))
        parts = [path for path in found if _OF_A_PROCESS.search(path.name)]
        return [*([self._whole] if self._whole.exists() else []), *parts]

    def _read(self, path: Path) -> dict[str, FrameScore]:
        head, *lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
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
