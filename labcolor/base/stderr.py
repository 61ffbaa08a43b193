"""Suppression of native code's messages on standard error. Messages of Python still arrive."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

_lock = threading.Lock()
_users = 0  # threads that need it closed: the first one closes it, and the last one opens it again
_opening = ExitStack()


@contextmanager
def closed_stderr() -> Iterator[None]:
    """Discard messages of native code on standard error, but not those of Python. Several threads may do so."""
    global _users
    with _lock:
        if _users == 0:
            _close()
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _opening.close()


def _close() -> None:
    """Close standard error, and register in ``_opening`` how to open it again."""
    python = sys.stderr
    if python is None:  # it is closed already
        return
    with suppress(AttributeError, OSError, ValueError):
        python.flush()
    try:
        kept = os.dup(2)
    except OSError:  # it is closed already
        return
    _opening.callback(os.close, kept)
    if _writes_to_2(python):
        sys.stderr = direct = os.fdopen(kept, "w", buffering=1, errors="backslashreplace", closefd=False)
        _opening.callback(_put_back, direct, python)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    _opening.callback(os.dup2, kept, 2)


def _put_back(direct: Any, python: Any) -> None:
    """Restore Python's standard error, unless it has been replaced meanwhile."""
    if sys.stderr is direct:
        sys.stderr = python
    direct.close()


def _writes_to_2(stream: Any) -> bool:
    """Return whether a stream writes to file descriptor 2. The streams of notebooks have no descriptor or method."""
    try:
        return bool(stream.fileno() == 2)
    except (AttributeError, OSError, ValueError):
        return False
