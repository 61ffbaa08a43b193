"""Standard error, closed for native code while Python's own messages still arrive."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

__all__ = ["closed_stderr"]

_lock = threading.Lock()
_users = 0  # threads that want it closed: the first one closes it, and the last one opens it again
_opening = ExitStack()


@contextmanager
def closed_stderr() -> Iterator[None]:
    """Discard what native code writes to standard error; Python's own messages arrive. Threads may do so at once."""
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
    """Close standard error, and note in ``_opening`` how to open it again."""
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
    """Make a stream Python's standard error again, unless somebody has replaced it meanwhile."""
    if sys.stderr is direct:
        sys.stderr = python
    direct.close()


def _writes_to_2(stream: Any) -> bool:
    """Return whether a stream is the process's standard error; those of notebooks have no number, or no method."""
    try:
        return bool(stream.fileno() == 2)
    except (AttributeError, OSError, ValueError):
        return False
