"""Limits on the resources that a picture file may take. Every decoder applies them; SECURITY.md lists their tests."""

from __future__ import annotations

import logging
import lzma
import math
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from PIL import Image

from labcolor.errors import PictureFileError

_log = logging.getLogger(__name__)

# The formats that are opened. Some other formats of Pillow start programs, as EPS does.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "PPM", "TIFF", "WEBP", "AVIF", "JPEG2000")
PIXELS = 178_956_970  # Pillow's own limit
FILE_BYTES = 1 << 32  # limit for a file that the caller has opened
EXIF_BYTES = 1 << 16  # the largest EXIF that a JPEG can hold
XMP_BYTES = 1 << 20

# Exceptions of decoders on damaged files, and the packages that define them. Other exceptions pass through.
DAMAGE = (
    *(ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, OSError, RuntimeError, SyntaxError),
    *(TypeError, ValueError, lzma.LZMAError, struct.error, zlib.error),
)
_DEFINED_IN = {"builtins", "struct", "zlib", "_lzma", "PIL", "tifffile", "numpy"}

_PIXEL_BYTES = 32  # RGBA of float64
_SLACK = 1 << 16  # bytes; small pictures may be stored inefficiently
_TIFF_SIZES = ("imagelength", "imagewidth", "imagedepth", "tilelength", "tilewidth", "tiledepth", "rowsperstrip")
_TILE_PIXELS = 1 << 22  # tiles may be larger than a small picture
_CHUNKS = 1 << 18  # chunks of a PNG
_SCANS = 100  # scans of a JPEG
_DICTIONARY = 1 << 28  # bytes that LZMA may use
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_JPEG_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # excludes stuffed bytes, restarts and padding
DECOMPRESSORS: dict[int, Callable[[], Any]] = {
    8: zlib.decompressobj,
    32946: zlib.decompressobj,
    34925: lambda: lzma.LZMADecompressor(memlimit=_DICTIONARY),
}


@contextmanager
def ignoring_damage(warning: str = "") -> Iterator[None]:
    """Suppress a decoder's exceptions on damaged data, but not a caller's time limit. Log a warning for damage."""
    try:
        yield
    except DAMAGE as error:
        if not is_damage(error):
            raise
        if warning:
            _log.warning("%s", warning)


def is_damage(error: BaseException) -> bool:
    """Return whether a decoder raised an exception. A caller's time limit may raise an OSError, too."""
    defined_in = type(error).__module__.partition(".")[0]
    return isinstance(error, DAMAGE) and not isinstance(error, TimeoutError) and defined_in in _DEFINED_IN


def check_size(name: str, height: int, width: int) -> None:
    """Raise a PictureFileError, caused by Pillow's error, if a picture has too many pixels to be decoded."""
    if height * width > PIXELS:
        raise PictureFileError(
            f"{name}: expected at most {PIXELS:,} pixels, got {width} x {height}. Reduce the picture first."
        ) from Image.DecompressionBombError()


def _too_much(name: str, what: str) -> PictureFileError:
    """Return the error for a file with more of something than its size in pixels needs."""
    return PictureFileError(f"{name}: expected {what} that fits its size, got more. Save the picture again.")


def check_png(name: str, file: BinaryIO) -> None:
    """Raise a PictureFileError if a PNG has too many pixels, too many chunks, or more data than its size needs."""
    width, height, depth, color = struct.unpack(">2I2B", file.read(26)[16:])
    check_size(name, height, width)
    bits = depth * _PNG_CHANNELS.get(color, 4)
    passes = [(-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in (*_ADAM7, (0, 0, 1, 1))]
    needed = sum(max(rows, 0) * (1 + max(columns, 0) * bits // 8 + 1) for columns, rows in passes)
    place, data = 8, 0
    for _ in range(_CHUNKS):
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            break
        length = int.from_bytes(head[:4], "big")
        data += length if head[4:] == b"IDAT" else 0
        place += 12 + length
    else:
        raise _too_much(name, f"at most {_CHUNKS:,} chunks, a number")
    if data > needed + _SLACK:
        raise _too_much(name, "an amount of data")


def check_jpeg(name: str, content: bytes) -> None:
    """Raise a PictureFileError if a JPEG has too many pixels or scans, or less than one bit for each 8 x 8 samples."""
    place, blocks, data, scans, progressive = 2, 0, 0, 0, True
    while found := _JPEG_MARKER.search(content, place):
        start, marker = found.end(), found[0][1]
        if marker == 0xD9:  # the end of the picture
            break
        if marker in (0x01, 0xD8):  # these markers have no length
            place = start
            continue
        place = start + int.from_bytes(content[start : start + 2], "big")
        if marker in (0xC0, 0xC1, 0xC2) and place - start >= 8:  # the size, in frames with Huffman codes
            height, width, parts = struct.unpack_from(">2HB", content[start:place].ljust(8, b"\0"), 3)
            check_size(name, height, width)
            factors = [divmod(content[at], 16) for at in range(start + 9, min(place, start + 8 + 3 * parts), 3)]
            widest, highest = (max((pair[axis] for pair in factors), default=1) or 1 for axis in (0, 1))
            blocks = sum((width * x // widest // 8) * (height * y // highest // 8) for x, y in factors)
            progressive = marker == 0xC2
        elif marker == 0xDA:
            needed = place + blocks // 8 + 1
            if not progressive and needed < len(content) and not _JPEG_MARKER.search(content, place, needed):
                return  # a large picture is not read to its end
            end = _JPEG_MARKER.search(content, place)
            data += (end.start() if end else len(content)) - place
            scans += 1
            if scans > _SCANS:
                raise _too_much(name, f"at most {_SCANS} scans, a number")
    if data * 8 < blocks:
        raise PictureFileError(
            f"{name}: expected data for {blocks:,} blocks of 8 x 8 samples, got {data:,} bytes. "
            f"It is damaged or incomplete."
        )


def check_tiff(name: str, page: Any) -> None:
    """Raise a PictureFileError if a TIFF page has sizes that are lists, or too many pixels, samples, tiles or bytes."""
    height, width = page.imagelength, page.imagewidth
    if not all(isinstance(getattr(page, size), int) for size in _TIFF_SIZES):  # a product would be a list of billions
        raise PictureFileError(f"{name}: expected one number for each size of the picture, got several. It is damaged.")
    check_size(name, height, width)
    pixels = max(1, height * width)
    if page.nbytes > _PIXEL_BYTES * pixels:
        raise _too_much(name, "a number of samples")
    tiled = pixels
    if page.is_tiled:
        across, down = -(-width // max(1, page.tilewidth)), -(-height // max(1, page.tilelength))
        tiled = across * down * page.tilewidth * page.tilelength * max(1, page.tiledepth)
        if tiled > max(_TILE_PIXELS, 4 * pixels):
            raise _too_much(name, "a size of tiles")
    counts = page.databytecounts
    if page.compression != 1 and sum(counts) > 2 * page.nbytes * tiled // pixels + 1024 * len(counts) + _SLACK:
        raise _too_much(name, "an amount of data")


def inflate(name: str, page: Any, decompressor: Any, packed: bytes) -> bytes:
    """Expand a strip or tile of a TIFF page by a new decompressor of :data:`DECOMPRESSORS`.

    Raises
    ------
    PictureFileError
        The result is larger than a strip or tile of the page.
    EOFError
        The strip or tile is incomplete.
    """
    samples = page.samplesperpixel if page.planarconfig == 1 else 1
    columns, rows = page.imagewidth, min(page.rowsperstrip, page.imagelength)
    if page.is_tiled:
        columns, rows = page.tilewidth, page.tilelength
    most = rows * math.ceil(columns * samples * page.bitspersample / 8) + _SLACK
    content: bytes = decompressor.decompress(packed, most + 1)
    if len(content) > most:
        raise _too_much(name, "an amount of data")
    if not decompressor.eof:
        raise EOFError
    return content
