"""Imports of optional packages: the error for a missing one names the command that installs it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, requires

from labcolor.errors import LabcolorError


@contextmanager
def importing(extra: str) -> Iterator[None]:
    """Convert the ImportError of an optional package to a LabcolorError with a remedy.

    The remedy names the packages that the metadata of the installed labcolor lists for the extra, but never labcolor:
    the owner of that name on a package index could attack users who follow the remedy.

    Parameters
    ----------
    extra : str
        Group of optional dependencies in pyproject.toml.
    """
    try:
        yield
    except ImportError as error:
        found = _packages(extra)
        command = f"python -m pip install {shlex.join(found)}" if found else f"see {extra} in pyproject.toml"
        raise LabcolorError(f"an optional package cannot be imported: {error}. Install it: {command}") from error


def _packages(extra: str) -> list[str]:
    """Return the packages of an extra, or none if labcolor is not installed, but imported from its repository."""
    form = re.compile(rf"""([\w.-]++(?:\[[\w.,-]+\])?)[^;]*;.*\bextra == ['"]{extra}['"]""")
    try:
        return [match[1] for text in requires("labcolor") or [] if (match := form.match(text))]
    except PackageNotFoundError:
        return []
