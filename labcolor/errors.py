"""Errors of labcolor, in one hierarchy.

::

    LabcolorError
    ├── InputError (ValueError)        an array, or a parameter's value, is not usable
    │   └── InputTypeError (TypeError) ... because of its type or dtype
    ├── NotFittedError (ValueError, AttributeError)  predict before fit
    ├── FileError (OSError)            something on disk
    │   ├── PictureFileError           a picture cannot be read or written
    │   ├── ModelFileError             a model cannot be read or written
    │   └── VideoFileError             a video cannot be read or written
    └── OutOfMemoryError (MemoryError) the work did not fit in memory

Each message states what was expected, what was found, and the remedy.
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
    """Base class of all errors of labcolor."""


class InputError(LabcolorError, ValueError):
    """Error for an array or a parameter whose shape, range or value cannot be used."""


class InputTypeError(InputError, TypeError):
    """Error for an array or a parameter whose type or dtype cannot be used."""


class NotFittedError(LabcolorError, ValueError, AttributeError):
    """Error for a colorizer without a trained network. Call ``fit`` or use ``from_pretrained``."""


class FileError(LabcolorError, OSError):
    """Error for a file or folder that cannot be read or written."""


class PictureFileError(FileError):
    """Error for a picture file that cannot be read or written."""


class ModelFileError(FileError):
    """Error for a model file that cannot be read or written, or is not a model file of labcolor."""


class VideoFileError(FileError):
    """Error for a video file that cannot be read or written."""


class OutOfMemoryError(LabcolorError, MemoryError):
    """Error for work that did not fit in memory."""


def not_fitted() -> NotFittedError:
    """Return the error to raise before a fit. If scikit-learn is loaded, it is also scikit-learn's ``NotFittedError``.

    Returns
    -------
    NotFittedError
        The error, with its message.

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
    members = {"__module__": __name__, "__reduce__": lambda self: (not_fitted, ())}  # pickled as a call of it
    kind = type("NotFittedError", (NotFittedError, theirs.NotFittedError), members)
    error: NotFittedError = kind(message)
    return error
