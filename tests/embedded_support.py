"""A session on the real embedded player that takes its own process down half way through a scene."""

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from saom_bench.types import Pose
from saom_collectors.session import PlayerOptions, View
from saom_collectors.thor import ThorSession

PID_FILE = "SAOM_TEST_PLAYER_PID_FILE"
"""Environment variable: where the dying worker writes its player's process id."""


def player_pid(session: ThorSession) -> int:
    """The process id of a session's player."""
    return int(session._controller.server.unity_proc.pid)


def masks_by_client(session: ThorSession) -> Mapping[str, Any]:
    """The client's own instance masks of the frame that the session shows, by the slow way."""
    return dict(session.step("Pass").instance_masks.items())


class _Dying(ThorSession):
    """Killed, with SIGKILL, at its second picture of the full size."""

    _taken = 0

    def look(self, pose: Pose) -> View:
        self._taken += self._size_hw == self.options.size_hw
        if self._taken == 2:
            Path(os.environ[PID_FILE]).write_text(str(player_pid(self)))
            os.kill(os.getpid(), signal.SIGKILL)
        return super().look(pose)


def open_dying(options: PlayerOptions) -> ThorSession:
    return _Dying(options)
