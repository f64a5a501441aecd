"""Stopping on a signal: the first asks a run to end in good order, the second at once. It can be waited for."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType


class Stop:
    """A request to stop, made by SIGINT or SIGTERM; ready to read in ``multiprocessing.connection.wait``."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._count = 0
        self.signal: int | None = None
        """The first signal's number."""

    def fileno(self) -> int:
        """Readable when there was a signal: a wait on it ends, and Python then calls the signal's handler."""
        return self._reader

    def heard(self) -> None:
        """What made ``fileno`` readable is known, so that only another signal does again."""
        with suppress(BlockingIOError):
            os.read(self._reader, 4096)

    @property
    def wakeup_fd(self) -> int:
        """Where whoever hears of a signal first writes."""
        return self._writer

    @property
    def is_requested(self) -> bool:
        """Whether to end in good order."""
        return self._count > 0

    @property
    def is_urgent(self) -> bool:
        """Whether to end at once."""
        return self._count > 1

    @property
    def exit_code(self) -> int:
        """By the shells' convention: 128 and the signal's number."""
        return 128 + (self.signal or 0)

    def request(self, number: int, frame: FrameType | None = None) -> None:
        """Ask for a stop, or for haste; a signal handler."""
        self._count += 1
        self.signal = self.signal or number
        with suppress(BlockingIOError):
            os.write(self._writer, b"!")

    def close(self) -> None:
        """Let go of the pipe."""
        os.close(self._reader)
        os.close(self._writer)


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """SIGINT and SIGTERM request a stop in place of ending this process; for its main thread."""
    stop = Stop()
    # A handler in Python does not end a wait that begins just after the signal came, or that is another thread's to
    # hear; what is written to the pipe at the signal itself does.
    wakeup = signal.set_wakeup_fd(stop.wakeup_fd, warn_on_full_buffer=False)
    before = {number: signal.signal(number, stop.request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        stop.close()
