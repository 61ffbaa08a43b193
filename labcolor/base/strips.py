"""Parallel work on strips of rows that fit into the cache."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from labcolor.base.threads import get_threads

__all__ = ["in_strips"]

_STRIP = 1 << 20  # bytes: a strip and its result stay in the second-level cache
_pool: tuple[int, ThreadPoolExecutor] | None = None


def _forget_pool() -> None:
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):  # a forked process does not inherit the threads
    os.register_at_fork(after_in_child=_forget_pool)


def in_strips(work: Callable[[int, int], object], rows: int, row_bytes: int) -> None:
    """Call ``work(start, stop)`` for strips of about 1 MiB that cover all rows, on :func:`get_threads` threads.

    Parameters
    ----------
    work : callable
        Function that processes the rows from ``start`` to ``stop``. It should release the GIL, like the kernels.
    rows : int
        Number of rows.
    row_bytes : int
        Number of bytes that are read and written for each row.
    """
    global _pool
    strip = max(1, _STRIP // max(1, row_bytes))
    starts = range(0, rows, strip)
    threads = get_threads() if len(starts) > 1 else 1
    if threads == 1:
        for start in starts:
            work(start, min(rows, start + strip))
        return
    if _pool is None or _pool[0] != threads:
        _pool = threads, ThreadPoolExecutor(threads, thread_name_prefix="labcolor")
    for _ in _pool[1].map(work, starts, (min(rows, start + strip) for start in starts)):
        pass
