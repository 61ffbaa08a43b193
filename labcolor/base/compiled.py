"""Compilation of kernels by numba: without the GIL, cached on disk where that is possible."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numba

__all__ = ["inline", "jit"]

# Only fused multiply-adds, reciprocals and unsigned zeros: nan, inf and the order of sums are not affected.
_FAST = {"contract", "arcp", "nsz"}


def jit(function: Callable[..., Any]) -> Any:
    """Compile a kernel without the GIL and with numpy's division. Cache it on disk if possible."""
    options = {"nogil": True, "fastmath": _FAST, "error_model": "numpy"}
    try:
        compiled = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache folder is writable
        return numba.njit(**options)(function)

    @wraps(function)
    def kernel(*arguments: Any) -> Any:
        try:
            return compiled(*arguments)
        except OSError:  # the disk of the cache is full: the kernel is compiled, but its file could not be written
            return compiled(*arguments)

    return kernel


def inline(function: Callable[..., Any]) -> Any:
    """Compile a function into each kernel that calls it."""
    return numba.njit(nogil=True, inline="always", fastmath=_FAST, error_model="numpy")(function)
