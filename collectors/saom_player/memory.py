"""How the player gets its memory from the system.

glibc hands large temporaries back after every use, and the next one is paged in afresh: a picture is made of hundreds
of such temporaries. This program keeps what is freed for its next use.
"""

import ctypes
import platform
import sys

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4
_KEPT_BYTES = 64 * 2**20


def keep_freed_memory() -> None:
    """Have glibc keep what is freed for the next use; other systems are left as they are."""
    if not (sys.platform.startswith("linux") and platform.libc_ver()[0] == "glibc"):
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_M_MMAP_MAX, 0)
    libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
    libc.mallopt(_M_TOP_PAD, _KEPT_BYTES)
