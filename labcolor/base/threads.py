"""How many threads work at a time: one setting for kernels, engines and ffmpeg."""

from __future__ import annotations

import os

from labcolor.base.validation import integer, optional, require

__all__ = ["chosen_threads", "get_threads", "set_threads"]

_VARIABLES = ("LABCOLOR_NUM_THREADS", "OMP_NUM_THREADS")
_MAX_THREADS = 1024
_count: int | None = None


def set_threads(count: int | None) -> None:
    """Set how many threads labcolor works with, in this process: kernels, networks and ffmpeg.

    A server or a cluster that runs a process for each core sets one. TensorFlow takes the number when it starts, so
    set it before the first training; all else follows at the next call.

    Parameters
    ----------
    count : int or None
        From 1 to 1024. None: what the environment variable ``LABCOLOR_NUM_THREADS`` says, or else
        ``OMP_NUM_THREADS``, or else one for each core that this process may use.

    Raises
    ------
    InputError, InputTypeError
        ``count`` is something else.

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
    """Return how many threads labcolor works with.

    Returns
    -------
    int
        What :func:`set_threads` set, or what it describes for None. A variable of the environment that is no number
        from 1 to 1024 does not count.

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
        text = os.environ.get(variable, "").split(",")[0].strip()  # OpenMP has a list, a number for each level
        if text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= _MAX_THREADS:
            return int(text)
    return None
