"""Sources of a picture: a path, bytes or an open file; conversion of decoders' exceptions."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image, ImageFile, UnidentifiedImageError

from labcolor.base.extras import importing
from labcolor.base.paths import as_path, open_regular
from labcolor.errors import InputTypeError, LabcolorError, OutOfMemoryError, PictureFileError
from labcolor.io import limits

_log = logging.getLogger(__name__)

ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".avif", ".heic", ".heif")
_DAMAGED = ". It is damaged or incomplete"
_PART = 1 << 24  # bytes of an open file that are read at once
_STARTS = {"PNG": (b"\x89PNG\r\n\x1a\n",), "JPEG": (b"\xff\xd8\xff",), "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")}

# Formats that are recognized but not decoded: name, offset, and the bytes at this offset.
_HEIC = (b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypheim", b"ftypheis", b"ftypmif1", b"ftypmsf1")
_UNREADABLE = [
    ("JPEG XL", 0, (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")),
    ("AVIF, which this Pillow cannot decode", 4, (b"ftypavif", b"ftypavis")),
]


@dataclass(frozen=True)
class Source:
    """A picture file on disk or in memory.

    Parameters
    ----------
    name : str
        Name of the file in errors.
    content : bytes or Path
        Its bytes, or its path.
    """

    name: str
    content: bytes | Path

    def open(self) -> BinaryIO:
        """Open the file for reading."""
        if isinstance(self.content, bytes):
            return io.BytesIO(self.content)
        return open_regular(self.content, PictureFileError)

    def head(self, count: int) -> bytes:
        """Return the first ``count`` bytes."""
        with self.open() as file:
            return file.read(count)

    @property
    def kind(self) -> str:
        """PNG, JPEG or TIFF, by the first bytes, or empty for other formats."""
        head = self.head(8)
        return next((kind for kind, starts in _STARTS.items() if head.startswith(starts)), "")


def is_source(value: Any) -> bool:
    """Return whether a value is a path, the bytes of a file, or an open file, rather than an array."""
    if isinstance(value, memoryview):
        return value.ndim == 1 and value.itemsize == 1
    return isinstance(value, Source | str | os.PathLike | bytes | bytearray) or hasattr(value, "read")


def as_source(name: str, value: Any) -> Source:
    """Convert a path, bytes or an open binary file to a Source. ``name`` is its name in errors.

    An open file is read from its position, and afterwards set back to it if that is possible.

    Raises
    ------
    InputTypeError, InputError
        The value has another type, the file is opened as text, or the path is empty.
    PictureFileError
        The path is a folder, or the open file cannot be read.
    OutOfMemoryError
        The file did not fit in memory.
    """
    if isinstance(value, Source):
        return value
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
    try:
        rewindable = getattr(value, "seekable", bool)()
        start = value.tell() if rewindable else 0
        content = _content(name, value)
        if rewindable:
            value.seek(start)
    except MemoryError as error:
        raise OutOfMemoryError(f"{name}: did not fit in memory. Reduce the picture first.") from error
    except (OSError, ValueError) as error:
        if isinstance(error, LabcolorError | TimeoutError):
            raise
        raise PictureFileError(f"{name}: cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    if not content:
        raise PictureFileError(f"{name}: expected a picture, got a file at its end. Rewind it: .seek(0).")
    return Source(name, content)


def _content(name: str, file: Any) -> bytes:
    """Return the remaining bytes of an open file."""
    parts: list[bytes] = []
    size = 0
    while part := file.read(_PART) if not isinstance(file, io.TextIOBase) else "text":
        if not isinstance(part, bytes):
            came = type(file).__name__
            raise InputTypeError(f'{name}: expected an open binary file, got {came}. Open it with "rb".')
        parts.append(part)
        size += len(part)
        if size > limits.FILE_BYTES:
            raise PictureFileError(f"{name}: expected at most {limits.FILE_BYTES:,} bytes, got more. Reduce it.")
    return b"".join(parts)


@contextmanager
def opened(source: Source) -> Iterator[ImageFile.ImageFile]:
    """Yield a picture that Pillow has opened but not decoded.

    Raises
    ------
    PictureFileError
        The file exceeds a limit of :mod:`labcolor.io.limits`.
    """
    kind = source.kind
    with source.open() as file:
        if kind == "PNG":
            limits.check_png(source.name, file)
        elif kind == "JPEG":
            limits.check_jpeg(source.name, file.read())
        file.seek(0)
        with Image.open(file, formats=_formats(source)) as image:
            limits.check_size(source.name, image.height, image.width)
            for key in ("exif", "Raw profile type exif"):
                if len(image.info.get(key) or b"") > 2 * limits.EXIF_BYTES:  # Pillow may return hexadecimal digits
                    _log.warning("%s: more than %s bytes of EXIF are left out.", source.name, f"{limits.EXIF_BYTES:,}")
                    del image.info[key]
            yield image


def _formats(source: Source) -> tuple[str, ...]:
    """Return the formats that Pillow may open. An optional package adds HEIC, for a HEIC file only."""
    if not source.head(12)[4:].startswith(_HEIC):
        return limits.FORMATS
    try:
        with importing("heic"):
            from pillow_heif import register_heif_opener
    except LabcolorError as error:
        raise PictureFileError(f"{source.name}: got HEIC: {error}") from error
    register_heif_opener(thumbnails=False)
    return ("HEIF",)


@contextmanager
def decoding(name: str, source: Source | None = None) -> Iterator[None]:
    """Convert the exceptions of decoders to errors that name the picture. Other exceptions pass through.

    The first bytes of ``source`` show whether its format is known and has no decoder.
    """
    expected = f"{name}: expected a picture ({', '.join(ENDINGS)})"
    try:
        yield
    except (LabcolorError, TimeoutError):
        raise
    except FileNotFoundError as error:
        raise PictureFileError(f"{name}: expected a picture file, but it does not exist. Check the path.") from error
    except PermissionError as error:
        raise PictureFileError(f"{name}: permission to read it is denied. Change its permissions.") from error
    except MemoryError as error:
        raise OutOfMemoryError(f"{name}: did not fit in memory. Reduce the picture first.") from error
    except Image.DecompressionBombError as error:
        raise PictureFileError(f"{name}: expected at most {limits.PIXELS:,} pixels, got more. Reduce it.") from error
    except UnidentifiedImageError as error:
        head = b"" if source is None else source.head(16)
        for kind, place, starts in _UNREADABLE:
            if head[place:].startswith(starts):
                raise PictureFileError(f"{expected}, got {kind}. Convert it to PNG or JPEG first.") from error
        known = source is not None and source.kind
        reason = _DAMAGED if known else ": no decoder knows its format. It may be damaged, or not be a picture"
        raise PictureFileError(f"{expected}, but it cannot be decoded{reason}.") from error
    except limits.DAMAGE as error:
        if not limits.is_damage(error):
            raise
        if isinstance(error, OSError) and error.strerror:  # the system raised it, not a decoder
            raise PictureFileError(f"{name}: cannot be read: {error.strerror}.") from error
        raise PictureFileError(f"{expected}, but it cannot be decoded{_DAMAGED}.") from error
