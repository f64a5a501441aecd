"""How torch gets its memory and threads: to be called before torch is imported.

glibc hands large temporaries back to the system after every use, and the next one is paged in afresh. A decoder that
makes hundreds of megabytes of temporaries a second loses half of its time so (segment-anything's own, in chunks of 16
points on two cores: 139 ms a point by default, about 70 with this). Keeping freed memory in the process avoids it.

OpenMP's threads spin while they wait for each other. On a machine that does other work too they keep the one they wait
for from running (with both cores busy, a point takes 240 ms by default and 125 when waiting threads sleep).
"""

import ctypes
import os
import platform
import sys

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4
_prepared = False


def prepare() -> None:
    """Have waiting threads sleep, unless the user's environment says otherwise, and glibc keep freed memory."""
    global _prepared
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if _prepared or not supported():
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_M_MMAP_MAX, 0)
    libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
    libc.mallopt(_M_TOP_PAD, 256 * 2**20)
    _prepared = True


def prepared() -> bool:
    """Whether the settings were made in this process."""
    return _prepared


def supported() -> bool:
    """Whether this system has the settings: Linux with glibc."""
    return sys.platform.startswith("linux") and platform.libc_ver()[0] == "glibc"
