"""Writing so that a file on disk is always whole: beside the destination first, then renamed over it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labcolor.errors import InputTypeError

__all__ = ["as_path", "replacing"]


def as_path(name: str, value: object) -> Path:
    """Return a path that a user passed, or say that it is none."""
    if not isinstance(value, str | os.PathLike):
        raise InputTypeError(f"{name}: expected a path, got {type(value).__name__}.")
    return Path(value)


@contextmanager
def replacing(destination: Path) -> Iterator[Path]:
    """Give a temporary path beside ``destination``; on success rename it over ``destination``, else remove it.

    The temporary name starts with a dot and keeps the ending, by which writers choose a format.
    """
    handle, name = tempfile.mkstemp(prefix=".labcolor-", suffix=destination.suffix, dir=destination.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        try:
            mode = destination.stat().st_mode & 0o777
        except FileNotFoundError:
            umask = os.umask(0)
            os.umask(umask)
            mode = 0o666 & ~umask
        temporary.chmod(mode)
        os.replace(temporary, destination)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
