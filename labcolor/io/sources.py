"""Where a picture can come from: a path, bytes or an open file, by one name in errors; what may go wrong on the way."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image, UnidentifiedImageError

from labcolor.base.paths import as_path
from labcolor.errors import InputTypeError, LabcolorError, OutOfMemoryError, PictureFileError

__all__ = ["ENDINGS", "PIXELS", "Source", "as_source", "check_size", "decoding", "is_source"]

ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".avif")
PIXELS = 178_956_970  # a picture of more pixels is refused before it is decoded: Pillow's own limit, for all readers

# What is recognized only to say that it cannot be read: the name, and where which bytes stand.
_UNREADABLE = [
    ("HEIC", 4, (b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypheim", b"ftypheis", b"ftypmif1", b"ftypmsf1")),
    ("JPEG XL", 0, (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")),
    ("AVIF, which this Pillow cannot decode", 4, (b"ftypavif", b"ftypavis")),
]


@dataclass(frozen=True)
class Source:
    """A picture file on disk or in memory.

    Parameters
    ----------
    name : str
        What errors call it; never its content.
    content : bytes or Path
        The file's bytes, or where it is.
    """

    name: str
    content: bytes | Path

    def open(self) -> BinaryIO:
        """Return the file, open for reading."""
        return io.BytesIO(self.content) if isinstance(self.content, bytes) else self.content.open("rb")

    def head(self, count: int) -> bytes:
        """Return the first bytes."""
        with self.open() as file:
            return file.read(count)


def is_source(value: Any) -> bool:
    """Return whether a value is a path, the bytes of a file, or an open file, rather than an array."""
    if isinstance(value, memoryview):
        return value.ndim == 1 and value.itemsize == 1
    return isinstance(value, str | os.PathLike | bytes | bytearray) or hasattr(value, "read")


def as_source(name: str, value: Any) -> Source:
    """Return what a user passed as a picture file.

    Parameters
    ----------
    name : str
        What to call the parameter in errors.
    value : path, bytes-like, or open binary file
        An open file is read from where it stands; one that can be rewound is rewound to there.

    Raises
    ------
    InputTypeError, InputError
        It is something else, a file opened as text, or an empty path.
    PictureFileError
        It is a folder, or an open file that cannot be read.
    OutOfMemoryError
        The file did not fit in memory.
    """
    if not is_source(value):
        raise InputTypeError(
            f"{name}: expected a path, bytes, an open binary file or a PIL image, got {type(value).__name__}."
        )
    if isinstance(value, bytes | bytearray | memoryview):
        return Source(f"{name} ({type(value).__name__})", bytes(value))
    if isinstance(value, str | os.PathLike):
        path = as_path(name, value)
        if os.path.isdir(path):
            raise PictureFileError(f"{path}: expected a picture file, got a folder. Name the files in it.")
        return Source(str(path), path)
    given = getattr(value, "name", None)
    name = f"{name} ({given if isinstance(given, str) and given else type(value).__name__})"
    content: Any = None
    if not isinstance(value, io.TextIOBase):
        with decoding(name):
            rewindable = getattr(value, "seekable", bool)()
            start = value.tell() if rewindable else 0
            content = value.read()
            if rewindable:
                value.seek(start)
    if not isinstance(content, bytes):
        raise InputTypeError(f'{name}: expected an open binary file, got {type(value).__name__}. Open it with "rb".')
    if not content:
        raise PictureFileError(f"{name}: expected a picture, got a file that is at its end. Rewind it: .seek(0).")
    return Source(name, content)


def check_size(name: str, height: int, width: int) -> None:
    """Raise a PictureFileError if a picture has too many pixels to be decoded."""
    if height * width > PIXELS:
        raise PictureFileError(
            f"{name}: expected at most {PIXELS:,} pixels, got {width} x {height}. Reduce the picture first."
        )


@contextmanager
def decoding(name: str, source: Source | None = None) -> Iterator[None]:
    """Turn every exception of a decoder into an error of the library that names the picture.

    Parameters
    ----------
    name : str
        What to call the picture.
    source : Source, optional
        The file, whose first bytes tell formats that are known but cannot be decoded.
    """
    try:
        yield
    except LabcolorError:
        raise
    except FileNotFoundError as error:
        raise PictureFileError(f"{name}: expected a picture file, but there is none. Check the path.") from error
    except PermissionError as error:
        raise PictureFileError(f"{name}: may not be read. Check its permissions.") from error
    except MemoryError as error:
        raise OutOfMemoryError(f"{name}: did not fit in memory. Reduce the picture first.") from error
    except Image.DecompressionBombError as error:
        raise PictureFileError(f"{name}: expected at most {PIXELS:,} pixels, got more. Reduce it first.") from error
    except Exception as error:  # decoders raise every kind of exception on damaged files
        expected = f"{name}: expected a picture ({', '.join(ENDINGS)})"
        reason = f"{type(error).__name__}: {error}"
        if isinstance(error, UnidentifiedImageError):
            head = b"" if source is None else source.head(16)
            for kind, place, starts in _UNREADABLE:
                if head[place:].startswith(starts):
                    raise PictureFileError(f"{expected}, got {kind}. Convert it to PNG or JPEG first.") from error
            reason = "no decoder knows its format"
        raise PictureFileError(
            f"{expected}, but it cannot be decoded: {reason}. It may be damaged, or not be a picture."
        ) from error
