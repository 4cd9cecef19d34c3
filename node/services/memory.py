"""How much memory the C library keeps of what a serving node has freed."""

import ctypes
from typing import Final

_M_ARENA_MAX: Final = -8  # mallopt(3)
_ARENAS: Final = 2


def limit_arenas() -> bool:
    """Let all threads allocate from two heaps; False where the C library is not glibc.

    By default glibc gives 8 heaps a core to threads, and each keeps what was freed in it: a list of 60,000
    people took 140 MiB more. Call it before other threads run.
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS))
    except (AttributeError, OSError):
        return False
