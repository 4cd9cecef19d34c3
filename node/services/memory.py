"""How much memory the C library keeps of what a serving node has freed."""

import ctypes
from typing import Final

_M_TRIM_THRESHOLD: Final = -1  # the numbers are those of mallopt(3)
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
_ARENAS: Final = 2
_LARGE: Final = 256 << 10  # bytes of an allocation that goes back to the system as soon as it is freed
_KEPT: Final = 4 << 20


def return_freed_memory() -> bool:
    """Have freed memory returned to the system; False where the C library is not glibc.

    By default glibc gives 8 heaps a core to threads, takes arrays of up to 32 MiB from them once one was
    freed, and keeps what is free between others. Call it before other threads run.
    """
    settings = ((_M_ARENA_MAX, _ARENAS), (_M_MMAP_THRESHOLD, _LARGE), (_M_TRIM_THRESHOLD, _KEPT))
    try:
        return all(ctypes.CDLL(None).mallopt(name, value) for name, value in settings)
    except (AttributeError, OSError):
        return False
