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
