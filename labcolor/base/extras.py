"""The error for a missing optional package, with the command that installs it."""

from __future__ import annotations

import re
import shlex
from importlib.metadata import PackageNotFoundError, requires

from labcolor.errors import LabcolorError


def missing_package(extra: str, error: ImportError) -> LabcolorError:
    """Return the error for an optional package that cannot be imported.

    Its remedy names the packages that the metadata of the installed labcolor lists for the extra, but never labcolor:
    the owner of that name on a package index could attack users who follow the remedy.

    Parameters
    ----------
    extra : str
        Group of optional dependencies in pyproject.toml.
    error : ImportError
        Error of the import.
    """
    form = re.compile(rf"""([\w.-]++(?:\[[\w.,-]+\])?)[^;]*;.*\bextra == ['"]{extra}['"]""")
    try:
        found = [match[1] for text in requires("labcolor") or [] if (match := form.match(text))]
    except PackageNotFoundError:  # labcolor is not installed, but imported from its repository
        found = []
    command = f"python -m pip install {shlex.join(found)}" if found else f"see {extra} in pyproject.toml"
    return LabcolorError(f"an optional package cannot be imported: {error}. Install it: {command}")
