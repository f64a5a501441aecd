"""Starts a program that ends with whoever started it: the kernel kills it when its parent is gone, however that came.

    python -m saom_collectors.leash PARENT PROGRAM [ARGUMENT ...]

It becomes the program, so the process id stays. Linux only; elsewhere, and off the main thread (the kernel follows the
thread, not the process), programs run without.
"""

import ctypes
import os
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1


def leashed(command: list[str]) -> list[str]:
    """The command line that runs ``command`` as a child of this process and not beyond its end."""
    if not sys.platform.startswith("linux") or threading.current_thread() is not threading.main_thread():
        return command
    return [sys.executable, "-m", "saom_collectors.leash", str(os.getpid()), *command]


def main(parent: str, *command: str) -> int:
    """Become ``command``; returns only when that cannot be."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != int(parent):  # It went before the kernel was asked.
        return 1
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]} cannot be started: {error.strerror}", file=sys.stderr)
        return 127


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
