"""The embedded player with faults: each start takes the next of a list, and the last starts are sound.

Run as a program. FAULTS in the environment is a comma-separated list, FAULTS_TAKEN a file that counts the starts.
"""

import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tiny_room import box_source

from saom_player import __main__ as program
from saom_player.protocol import FifoTransport, Picture

FAULTS = ("dies-before-pipe", "dies-in-step", "aborts", "hangs", "wrong-sequence", "huge-message", "half", "slow-start")
AT_MESSAGE = 40
"""Beyond the start and the reset: in the middle of a scene."""


class FaultyTransport(FifoTransport):
    """Misbehaves at one message, once."""

    fault = ""
    _messages = 0

    def send(self, metadata: dict[str, Any], pictures: Sequence[Picture]) -> None:
        self._messages += 1
        if self._messages == AT_MESSAGE and self.fault:
            self._misbehave(metadata, pictures)
            return
        super().send(metadata, pictures)

    def _misbehave(self, metadata: dict[str, Any], pictures: Sequence[Picture]) -> None:
        if self.fault == "dies-in-step":
            os._exit(9)
        if self.fault == "aborts":
            os.abort()
        if self.fault == "hangs":
            threading.Event().wait()
        if self.fault == "wrong-sequence":
            super().send({**metadata, "sequenceId": metadata["sequenceId"] + 7}, pictures)
        if self.fault == "huge-message":
            os.write(self._output, b"\x01\xff\xff\xff\xff" + bytes(100))
            threading.Event().wait()
        if self.fault == "half":
            os.write(self._output, b"\x01\x00\x00\x10\x00" + bytes(100))
            os._exit(0)


def next_fault() -> str:
    taken = Path(os.environ["FAULTS_TAKEN"])
    count = len(taken.read_text()) if taken.exists() else 0
    taken.write_text("x" * (count + 1))
    faults = os.environ["FAULTS"].split(",")
    return faults[count] if count < len(faults) else ""


if __name__ == "__main__":
    FaultyTransport.fault = next_fault()
    print(f"this player {FaultyTransport.fault or 'is sound'}", flush=True)
    if FaultyTransport.fault == "dies-before-pipe":
        sys.exit(3)
    if FaultyTransport.fault == "slow-start":
        time.sleep(1)
        FaultyTransport.fault = ""
    program.FifoTransport = FaultyTransport  # type: ignore[misc]
    sys.exit(program.main(source=box_source()))
