"""Memory that a process keeps for its next picture."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_ARENA_MAX, _MMAP_MAX, _TRIM_THRESHOLD = -8, -4, -1  # options of mallopt, from glibc's malloc.h


def keep_freed_memory() -> None:
    """Let the C library keep freed memory for the next picture, if it can, rather than return it to the system.

    The system clears memory before each allocation, which takes a tenth of the time of a picture of 12 megapixels. The
    process keeps as much memory as its largest pictures needed, so commands call this function, and the library does
    not.
    """
    with suppress(AttributeError, OSError, TypeError):  # other C libraries do not have this function
        mallopt = ctypes.CDLL(None).mallopt
        for option, value in ((_ARENA_MAX, 1), (_MMAP_MAX, 0), (_TRIM_THRESHOLD, -1)):
            mallopt(option, value)
