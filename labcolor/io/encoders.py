"""Encoding of arrays as picture files, with quality, compression and metadata."""

from __future__ import annotations

import logging
import struct
import zlib
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
from PIL import Image, TiffTags
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2
from PIL.TiffTags import lookup

from labcolor.base.typing import Array
from labcolor.base.validation import integer, one_of, require
from labcolor.errors import InputError
from labcolor.io.metadata import EXIF_IFD, GPS_IFD, ORIENTATION, RESOLUTION, PictureMetadata, full_exif

__all__ = ["LOSSY", "OPAQUE", "WRITABLE", "check_options", "encode"]

_log = logging.getLogger(__name__)

WRITABLE = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".avif")
LOSSY = (".jpg", ".jpeg", ".webp", ".avif")  # formats that have a quality
OPAQUE = (".jpg", ".jpeg", ".bmp")  # formats that hold no alpha
_TIFF = (".tif", ".tiff")
_QUALITY = 95  # the default
_SEGMENT = 65533  # bytes that JPEG holds in one piece
_XMP_HEAD = 29  # of them taken up by XMP's name


def check_options(ending: str, quality: int | None, compression: int | str | None) -> None:
    """Check that a format supports a quality and a compression.

    Parameters
    ----------
    ending : str
        One of :data:`WRITABLE`.
    quality : int or None
        As for :func:`labcolor.write_picture`.
    compression : int, str or None
        As for :func:`labcolor.write_picture`.

    Raises
    ------
    InputError, InputTypeError
        The format does not support the value.
    """
    if quality is not None:
        require("quality", quality, integer(1, most=100))
        if ending not in LOSSY:
            raise InputError(f"quality: {ending} has none. Leave it out, or write one of {', '.join(LOSSY)}.")
    if compression is not None:
        if ending == ".png":
            require("compression", compression, integer(0, most=9))
        elif ending in _TIFF:
            require("compression", compression, one_of("deflate"))
        else:
            raise InputError(f"compression: {ending} has none to choose. Leave it out, or write a .png or .tif.")


def encode(
    path: Path,
    picture: Array,
    *,
    quality: int | None,
    compression: int | str | None,
    metadata: PictureMetadata,
    name: str,
) -> None:
    """Write a picture file of the format of the path's ending.

    Parameters
    ----------
    path : Path
        Where to write.
    picture : ndarray, (H, W), (H, W, 3) or (H, W, 4)
        uint8; for PNG and TIFF also uint16, and for TIFF float32.
    quality, compression, metadata
        As for :func:`labcolor.write_picture`, checked.
    name : str
        Name of the file in the log.
    """
    ending = path.suffix.lower()
    metadata = _held(metadata, ending, name)
    exif = full_exif(metadata)
    if ending in _TIFF:
        _write_tiff(path, picture, "zlib" if compression == "deflate" else None, metadata, exif)
        return
    if ending == ".png" and picture.dtype == np.uint16 and picture.ndim == 3:
        _write_deep_png(path, picture, -1 if compression is None else int(compression), metadata, exif)
        return
    options: dict[str, Any] = {}
    if ending in LOSSY:
        options["quality"] = _QUALITY if quality is None else int(quality)
    if metadata.dpi is not None:
        options["dpi"] = metadata.dpi
    if ending == ".avif":
        exif.pop(ORIENTATION, None)  # with it, Pillow would write all texts again, as ASCII
    if exif and ending != ".bmp":
        options["exif"] = exif.tobytes()
    if metadata.xmp is not None and ending == ".png":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", metadata.xmp.decode(errors="replace"))
    elif metadata.xmp is not None:
        options["xmp"] = metadata.xmp
    if compression is not None:
        options["compress_level"] = int(compression)
    iio.imwrite(path, picture, plugin="pillow", **options)


def _held(metadata: PictureMetadata, ending: str, name: str) -> PictureMetadata:
    """Return the metadata that a format can hold, and log the rest in one line."""
    exif, xmp = metadata.exif, metadata.xmp
    dropped = []
    # the resolution, which is added, takes less than 100 bytes
    if exif is not None and (ending == ".bmp" or (ending in (".jpg", ".jpeg") and len(exif) > _SEGMENT - 100)):
        exif = None
        dropped.append("EXIF")
    if xmp is not None and (ending == ".bmp" or (ending in (".jpg", ".jpeg") and len(xmp) > _SEGMENT - _XMP_HEAD)):
        xmp = None
        dropped.append("XMP")
    if dropped:
        _log.warning("%s: %s dropped, since %s does not hold it.", name, " and ".join(dropped), ending)
    return PictureMetadata(exif, xmp, metadata.dpi)


def _write_tiff(
    path: Path, picture: Array, compression: str | None, metadata: PictureMetadata, exif: Image.Exif
) -> None:
    """Write a TIFF of 8 or 16 bits or of floats, through tifffile; Pillow writes no RGB of 16 bits or of floats."""
    import tifffile

    large = picture.nbytes > 4_000_000_000  # beyond offsets of 32 bits: written without the directories of EXIF
    parts = {place: inside for place in (EXIF_IFD, GPS_IFD) if (inside := exif.get_ifd(place)) and not large}
    # tifffile does not write these directories: neighboring tags reserve their entries until they are appended
    tags: list[tuple[int, str, int, Any, bool]] = [(place - 1, "I", 1, 0, True) for place in parts]
    for tag in sorted(set(exif) - {EXIF_IFD, GPS_IFD, *RESOLUTION}):
        value = exif[tag]
        if isinstance(value, bytes):
            text = lookup(tag).type == TiffTags.ASCII
            tags.append((tag, "s" if text else "B", 0 if text else len(value), value, True))
        elif isinstance(value, int):
            tags.append((tag, "H", 1, value, True))
    if metadata.xmp is not None:
        tags.append((0x02BC, "B", len(metadata.xmp), metadata.xmp, True))
    tifffile.imwrite(
        path,
        picture,
        photometric="rgb" if picture.ndim == 3 else "minisblack",
        extrasamples=["unassalpha"] if picture.ndim == 3 and picture.shape[2] == 4 else None,
        compression=compression,
        resolution=metadata.dpi,
        resolutionunit=None if metadata.dpi is None else "inch",
        metadata=None,
        software=False,
        bigtiff=large,
        byteorder="<",
        extratags=tags,
    )
    with path.open("r+b") as file:
        for place, inside in parts.items():
            directory = ImageFileDirectory_v2(b"II*\0\0\0\0\0", group=place)
            for tag, value in inside.items():
                directory[tag] = value
            start = file.seek(0, 2)
            start += file.write(bytes(start % 2))
            file.write(directory.tobytes(start))
            file.seek(4)
            (first,) = struct.unpack("<I", file.read(4))
            file.seek(first)
            (count,) = struct.unpack("<H", file.read(2))
            codes = [code for code, _ in struct.iter_unpack("<H10s", file.read(12 * count))]
            file.seek(first + 2 + 12 * codes.index(place - 1))
            file.write(struct.pack("<2H2I", place, 4, 1, start))


def _write_deep_png(path: Path, picture: Array, level: int, metadata: PictureMetadata, exif: Image.Exif) -> None:
    """Write RGB or RGBA of 16 bits as PNG, which Pillow cannot."""
    height, width, channels = picture.shape
    rows = picture.astype(">u2").view(np.uint8).reshape(height, -1)
    lines = np.full((height, 1 + rows.shape[1]), 2, np.uint8)  # 2: each line as the difference from the one above
    lines[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=lines[1:, 1:])
    chunks = [(b"IHDR", struct.pack(">2I5B", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0))]
    if metadata.dpi is not None:
        chunks.append((b"pHYs", struct.pack(">2IB", *(round(dots / 0.0254) for dots in metadata.dpi), 1)))
    if exif:
        chunks.append((b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")))
    if metadata.xmp is not None:
        chunks.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata.xmp))
    chunks += [(b"IDAT", zlib.compress(lines.data, level)), (b"IEND", b"")]
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for kind, content in chunks:
            file.write(struct.pack(">I", len(content)) + kind + content)
            file.write(struct.pack(">I", zlib.crc32(content, zlib.crc32(kind))))
