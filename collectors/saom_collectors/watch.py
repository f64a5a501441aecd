"""A watch on the player's process: when it dies, the client that waits for it is woken.

The ai2thor client waits for ever for a player that dies before it opens its pipe, and spins for its whole timeout when
one dies later; this mends both from outside.
"""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_POLL_S = 0.1


class Watch:
    """A thread that follows the player's process; when it dies, it feeds the waiting client zeros.

    No message begins with a zero, so the client raises at once, whether it waits for the pipe, a header or a body; and
    no frame that was cut short can pass for a whole one.
    """

    def __init__(self, controller: Any, start_timeout_s: float) -> None:
        self._controller = controller
        self._deadline = time.monotonic() + start_timeout_s
        self._timeout_s = start_timeout_s
        self._is_started = threading.Event()
        self._is_stopped = threading.Event()
        self._verdict = ""
        self._thread = threading.Thread(target=self._follow, name="player-watch", daemon=True)
        self._thread.start()

    def started(self) -> None:
        """The player has sent its first message: the start's deadline no longer holds."""
        self._is_started.set()

    def stop(self) -> None:
        """Look away: from now on the player may end."""
        self._is_stopped.set()
        self._thread.join(timeout=5)

    def alive(self) -> bool:
        """Whether the player runs."""
        player = self._player()
        return player is not None and player.poll() is None

    def verdict(self) -> str:
        """How the player ended; empty while it runs."""
        player = self._player()
        code = player.poll() if player is not None else None
        return self._verdict or ("" if code is None else _ending(code))

    def _player(self) -> "subprocess.Popen[bytes] | None":
        player: subprocess.Popen[bytes] | None = getattr(self._controller.server, "unity_proc", None)
        return player

    def _follow(self) -> None:
        while not self._is_stopped.wait(_POLL_S):
            player = self._player()
            if player is None:
                continue
            if not self._is_started.is_set() and time.monotonic() > self._deadline and player.poll() is None:
                self._verdict = f"it was not ready after {self._timeout_s:.0f} s and was ended"
                player.kill()
            if player.poll() is not None:
                self._wake()

    def _wake(self) -> None:
        server = self._controller.server
        # A reader for the client's own pipe, or its opening for writing would wait for ever.
        with _pipe(server.client_pipe_path, os.O_RDONLY), _pipe(server.server_pipe_path, os.O_WRONLY) as pipe:
            while pipe is not None and not self._is_stopped.is_set():
                try:
                    os.write(pipe, bytes(4096))
                except OSError:
                    return  # Full, or no longer read: enough for now.


@contextmanager
def _pipe(path: str, mode: int) -> Iterator[int | None]:
    """A named pipe opened without waiting, or None when it is gone or has nobody at its other end."""
    try:
        pipe = os.open(path, mode | os.O_NONBLOCK)
    except OSError:
        yield None
        return
    try:
        yield pipe
    finally:
        os.close(pipe)


def _ending(code: int) -> str:
    return f"it was killed by signal {-code}" if code < 0 else f"it ended with exit code {code}"
