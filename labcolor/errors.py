"""Every error that labcolor raises on purpose, as one tree.

::

    LabcolorError
    ├── InputError (ValueError)        an array, or a parameter's value, is not usable
    │   └── InputTypeError (TypeError) ... because of its type or dtype
    ├── NotFittedError (ValueError, AttributeError)  predict before fit
    ├── FileError (OSError)            something on disk
    │   ├── PictureFileError           a picture cannot be read or written
    │   ├── ModelFileError             a model cannot be read or written
    │   └── VideoFileError             a film cannot be read or written
    └── OutOfMemoryError (MemoryError) the work did not fit in memory

Each message names what was expected, what came, and the remedy.
"""

from __future__ import annotations

import sys

__all__ = [
    "FileError",
    "InputError",
    "InputTypeError",
    "LabcolorError",
    "ModelFileError",
    "NotFittedError",
    "OutOfMemoryError",
    "PictureFileError",
    "VideoFileError",
    "not_fitted",
]


class LabcolorError(Exception):
    """Base class of every error that labcolor raises on purpose."""


class InputError(LabcolorError, ValueError):
    """An array or a parameter has a shape, range or value that cannot be used."""


class InputTypeError(InputError, TypeError):
    """An array or a parameter has a type or dtype that cannot be used."""


class NotFittedError(LabcolorError, ValueError, AttributeError):
    """The colorizer has no network yet: call ``fit`` or use ``from_pretrained``."""


class FileError(LabcolorError, OSError):
    """Something on disk cannot be read or written."""


class PictureFileError(FileError):
    """A picture file cannot be read or written."""


class ModelFileError(FileError):
    """A model file cannot be read or written, or is not one of labcolor's."""


class VideoFileError(FileError):
    """A video file cannot be read or written."""


class OutOfMemoryError(LabcolorError, MemoryError):
    """The work did not fit in memory."""


def not_fitted() -> NotFittedError:
    """Return the error to raise before a fit; where scikit-learn is loaded, it is scikit-learn's own, too.

    Returns
    -------
    NotFittedError

    Examples
    --------
    >>> from labcolor.errors import NotFittedError, not_fitted
    >>> isinstance(not_fitted(), NotFittedError)
    True
    """
    message = (
        "this Colorizer has no trained network yet; a clone never has one. Call fit, or use "
        "Colorizer.from_pretrained() or Colorizer.load(path)."
    )
    theirs = sys.modules.get("sklearn.exceptions")
    if theirs is None:
        return NotFittedError(message)
    members = {"__module__": __name__, "__reduce__": lambda self: (not_fitted, ())}  # to pickle it, by this function
    kind = type("NotFittedError", (NotFittedError, theirs.NotFittedError), members)
    error: NotFittedError = kind(message)
    return error
