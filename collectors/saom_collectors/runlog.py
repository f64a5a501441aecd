"""What a run tells: the progress bar, the manifest's lines, the logs of failed scenes, and status.json."""

import time
from collections import Counter
from pathlib import Path

from rich.progress import Progress

from saom_bench import provenance
from saom_bench.shards.manifest import FailureRecord, ShardRecord, append_record
from saom_collectors.jobs import Advanced, Done, Event, Failed, Paused
from saom_collectors.status import Status, StatusFile

LOGS = "logs"
_MARGIN_S = 30.0
"""A call is ended somewhat after its limit, and other work comes between calls."""


class RunLog:
    """Hears every event of a run. Only here is the manifest appended to, by one process."""

    def __init__(
        self, folder: Path, todo: list[str], frames_per_scene: int, bar: Progress, longest_call_s: float
    ) -> None:
        self.collected: list[ShardRecord] = []
        self.failures: list[FailureRecord] = []
        self._folder, self._scenes, self._per_scene, self._bar = folder, len(todo), frames_per_scene, bar
        self._status = StatusFile(folder)
        self._patience_s = longest_call_s + _MARGIN_S
        self._started = time.monotonic()
        self._taken: Counter[str] = Counter()
        self._pause = ""
        total = self._scenes * frames_per_scene
        self._task = bar.add_task("collect", total=total, unit="frames", note="loading scenes")
        self._show(now=True)

    def heard(self, event: Event[str, ShardRecord]) -> None:
        """Take an event in."""
        if isinstance(event, Advanced):
            self._taken[event.task] += event.units
        elif isinstance(event, Done):
            append_record(self._folder, event.result)
            self.collected.append(event.result)
            self._taken[event.task] = event.result.frames
        elif isinstance(event, Failed):
            self._failed(event)
        else:
            self._paused(event)
        self._show(now=not isinstance(event, Advanced))

    def ended(self, was_stopped: bool) -> None:
        """The run is over."""
        self._status.write(self._look("stopped" if was_stopped else "finished"), now=True)

    def _failed(self, event: Failed[str]) -> None:
        scene, when = event.task, provenance.now()
        self._taken.pop(scene, None)
        # What a killed worker left half written; a retry would only overwrite it.
        for partial in (f"{scene}.h5.part", *(p.name for p in self._folder.glob(f"{scene}--*.part"))):
            (self._folder / partial).unlink(missing_ok=True)
        log = self._write_log(event, when)
        if event.is_last:
            failure = FailureRecord(scene, event.error, when, event.attempt, log)
            append_record(self._folder, failure)
            self.failures.append(failure)
        else:
            self._say(f"{scene} failed and is tried again: {event.error}")

    def _paused(self, event: Paused) -> None:
        was, self._pause = self._pause, event.reason
        if bool(was) != bool(event.reason):
            self._say(f"paused: {event.reason}" if event.reason else "going on: there is room again")

    def _write_log(self, event: Failed[str], when: str) -> str:
        """Append an attempt to the scene's log; returns its path in the folder."""
        path = Path(LOGS) / f"{event.task}.log"
        try:
            (self._folder / LOGS).mkdir(exist_ok=True)
            with (self._folder / path).open("a", encoding="utf-8") as file:
                file.write(f"--- {when}, attempt {event.attempt}: {event.error}\n{event.details}\n")
        except OSError:
            return ""  # A full disk: the manifest's line must do.
        return str(path)

    def _say(self, line: str) -> None:
        self._bar.console.print(line, style="yellow", soft_wrap=True, markup=False)

    def _show(self, now: bool = False) -> None:
        self._status.write(self._look("paused" if self._pause else "running"), now)
        total = (self._scenes - len(self.failures)) * self._per_scene
        self._bar.update(self._task, completed=self._taken.total(), total=total, note=self._note())

    def _note(self) -> str:
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return f"{len(self.collected)}/{self._scenes} scenes{failed}{', paused' if self._pause else ''}"

    def _look(self, state: str) -> Status:
        return Status(
            state=state,
            scenes=self._scenes,
            scenes_done=len(self.collected),
            scenes_failed=len(self.failures),
            frames=self._scenes * self._per_scene,
            frames_done=self._taken.total(),
            seconds=round(time.monotonic() - self._started, 1),
            note=self._pause,
            patience_s=self._patience_s,
        )
