"""The number of threads of kernels, engines and ffmpeg; work on rows in parallel."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from labcolor.base.validation import integer, optional, require

_VARIABLES = ("LABCOLOR_NUM_THREADS", "OMP_NUM_THREADS")
_MAX_THREADS = 1024
_STRIP = 1 << 20  # bytes: a strip and its result stay in the second-level cache
_count: int | None = None
_pool: tuple[int, ThreadPoolExecutor] | None = None


def set_threads(count: int | None) -> None:
    """Set the number of threads of kernels, networks and ffmpeg in this process.

    Set 1 on a server or a cluster that runs one process for each core. The setting applies from the next call on,
    except that TensorFlow reads it only when it starts, so set it before the first training.

    Parameters
    ----------
    count : int or None
        Number of threads, from 1 to 1024. For None it is the environment variable ``LABCOLOR_NUM_THREADS``, or else
        ``OMP_NUM_THREADS``, or else the number of cores that this process may use.

    Raises
    ------
    InputError, InputTypeError
        ``count`` has another value or type.

    Examples
    --------
    >>> import labcolor
    >>> labcolor.set_threads(1)
    >>> labcolor.get_threads()
    1
    >>> labcolor.set_threads(None)
    """
    global _count
    require("count", count, optional(integer(1, most=_MAX_THREADS)))
    _count = None if count is None else int(count)


def get_threads() -> int:
    """Return the number of threads.

    Returns
    -------
    int
        The number that :func:`set_threads` set, or its default. An environment variable that is not a number from 1 to
        1024 is ignored.

    Examples
    --------
    >>> import labcolor
    >>> labcolor.get_threads() >= 1
    True
    """
    count = chosen_threads()
    if count is not None:
        return count
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def chosen_threads() -> int | None:
    """Return the number that the user set, by :func:`set_threads` or by the environment, or None."""
    if _count is not None:
        return _count
    for variable in _VARIABLES:
        text = os.environ.get(variable, "").split(",")[0].strip()  # OpenMP allows a list with a number for each level
        if text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= _MAX_THREADS:
            return int(text)
    return None


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
    each: Callable[..., Iterator[object]] = map
    if threads > 1:
        if _pool is None or _pool[0] != threads:
            _pool = threads, ThreadPoolExecutor(threads, thread_name_prefix="labcolor")
        each = _pool[1].map
    for _ in each(work, starts, (min(rows, start + strip) for start in starts)):
        pass  # an error in a thread is raised here
