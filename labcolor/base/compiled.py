"""Compilation of kernels by numba: without the GIL, cached on disk where that is possible."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

import numba
from llvmlite import ir
from numba.core import event
from numba.core.caching import FunctionCache
from numba.core.runtime import rtsys
from numba.extending import intrinsic

# Only fused multiply-adds, reciprocals and unsigned zeros: nan, inf and the order of sums are not affected.
_OPTIONS = {"nogil": True, "fastmath": {"contract", "arcp", "nsz"}, "error_model": "numpy"}

_log = logging.getLogger(__name__)


class _Notice(event.Listener):  # type: ignore[misc]
    """Log once in a process that kernels are compiled."""

    _given = False

    def on_start(self, event: Any) -> None:
        if not self._given and event.data["dispatcher"].py_func.__module__.startswith("labcolor."):
            self._given = True
            _log.info("preparing (once)")

    def on_end(self, event: Any) -> None:
        pass


event.register("numba:compile", _Notice())


class _Cache(FunctionCache):  # type: ignore[misc]
    """Kernels on disk, which are loaded without the tables of types and functions that only compiling needs."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)


def jit(function: Callable[..., Any]) -> Any:
    """Compile a kernel without the GIL and with numpy's division. Cache it on disk if possible."""
    options = {**_OPTIONS, "no_cfunc_wrapper": True}
    compiled = numba.njit(**options)(function)
    try:
        compiled._cache = _Cache(function)  # noqa: SLF001 - numba has no public way
    except RuntimeError:  # neither the package's folder nor the user's cache folder is writable
        return compiled

    @wraps(function)
    def kernel(*arguments: Any) -> Any:
        try:
            return compiled(*arguments)
        except OSError:  # the disk of the cache is full: the kernel is compiled, but its file could not be written
            return compiled(*arguments)

    return kernel


def inline(function: Callable[..., Any]) -> Any:
    """Compile a function once, without an entry for Python; LLVM copies it into the kernels that call it.

    ``inline="always"`` would copy its source, whose types are then inferred anew in each kernel: that takes longer.
    """
    return numba.njit(**_OPTIONS, forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)


# Numba compiles a function for each use of min, max and view; each of these is one instruction.


def _instruction(result: Any, arguments: tuple[Any, ...], build: Callable[..., Any]) -> Any:
    """Return a function for kernels, with one or two arguments, which ``build`` emits with an LLVM builder."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return build(builder, *values)

    def one(context: Any, x: Any) -> Any:
        return result(*arguments), code

    def two(context: Any, x: Any, y: Any) -> Any:
        return result(*arguments), code

    return intrinsic(one if len(arguments) == 1 else two)


_TWO = numba.float32, numba.float32
smaller = _instruction(numba.float32, _TWO, lambda to, x, y: to.select(to.fcmp_ordered("<", x, y), x, y))
larger = _instruction(numba.float32, _TWO, lambda to, x, y: to.select(to.fcmp_ordered(">", x, y), x, y))
as_bits = _instruction(numba.int32, _TWO[:1], lambda to, x: to.bitcast(x, ir.IntType(32)))
from_bits = _instruction(numba.float32, (numba.int32,), lambda to, x: to.bitcast(x, ir.FloatType()))
