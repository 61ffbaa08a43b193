"""The number of threads of kernels, engines and ffmpeg."""

from __future__ import annotations

import os

from labcolor.base.validation import integer, optional, require

__all__ = ["chosen_threads", "get_threads", "set_threads"]

_VARIABLES = ("LABCOLOR_NUM_THREADS", "OMP_NUM_THREADS")
_MAX_THREADS = 1024
_count: int | None = None


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
