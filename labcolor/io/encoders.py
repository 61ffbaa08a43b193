"""Encoding of arrays as picture files, with quality, compression and metadata."""

from __future__ import annotations

import logging
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
from PIL import TiffTags
from PIL.PngImagePlugin import PngInfo, putchunk
from PIL.TiffImagePlugin import ImageFileDirectory_v2
from PIL.TiffTags import lookup

from labcolor.base.typing import Array
from labcolor.base.validation import integer, one_of, require
from labcolor.errors import InputError
from labcolor.io.metadata import EXIF_IFD, GPS_IFD, ORIENTATION, RESOLUTION, PictureMetadata, full_exif

_log = logging.getLogger(__name__)

WRITABLE = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".avif")
LOSSY = (".jpg", ".jpeg", ".webp", ".avif")  # formats with a quality
JPEG = (".jpg", ".jpeg")
OPAQUE = (".jpg", ".jpeg", ".bmp")  # formats without alpha
_TIFF = (".tif", ".tiff")
_QUALITY = 95  # the default
# Largest EXIF and XMP in a segment of JPEG: a resolution of up to 100 bytes and the name of XMP are subtracted.
_EXIF_BYTES, _XMP_BYTES = 65533 - 100, 65533 - 29


def check_ending(path: Path, remedy: str = "Rename it.") -> None:
    """Raise an InputError if no picture can be written in the format of a path's ending."""
    if path.suffix.lower() not in WRITABLE:
        raise InputError(f"{path}: expected a name that ends in {', '.join(WRITABLE)}. {remedy}")


def check_options(ending: str, quality: int | None, compression: int | str | None) -> None:
    """Raise an InputError if the format of an ending does not support a quality or a compression."""
    if quality is not None:
        require("quality", quality, integer(1, most=100))
        if ending not in LOSSY:
            raise InputError(f"quality: {ending} has no quality. Leave it out, or write one of {', '.join(LOSSY)}.")
    if compression is not None:
        if ending == ".png":
            require("compression", compression, integer(0, most=9))
        elif ending in _TIFF:
            require("compression", compression, one_of("deflate"))
        else:
            raise InputError(f"compression: {ending} has a fixed compression. Leave it out, or write a .png or .tif.")


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
        The destination.
    picture : ndarray, (H, W), (H, W, 3) or (H, W, 4)
        uint8; for PNG and TIFF also uint16, and for TIFF float32.
    quality, compression, metadata
        As for :func:`labcolor.write_picture`, checked.
    name : str
        Name of the file in the log.
    """
    ending = path.suffix.lower()
    metadata = _supported(metadata, ending, name)
    if ending in _TIFF:
        _write_tiff(path, picture, "zlib" if compression == "deflate" else None, metadata)
        return
    if ending == ".png" and picture.dtype == np.uint16 and picture.ndim == 3:
        _write_deep_png(path, picture, -1 if compression is None else int(compression), metadata)
        return
    exif = full_exif(metadata)
    options: dict[str, Any] = {}
    if ending in LOSSY:
        options["quality"] = _QUALITY if quality is None else int(quality)
    if metadata.dpi is not None:
        options["dpi"] = metadata.dpi
    if ending == ".avif":
        exif.pop(ORIENTATION, None)  # otherwise Pillow would rewrite all texts as ASCII
    if exif and ending != ".bmp":
        options["exif"] = exif.tobytes()
    if metadata.xmp is not None and ending == ".png":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", metadata.xmp.decode(errors="replace"))
    elif metadata.xmp is not None:
        options["xmp"] = metadata.xmp
    if compression is not None:
        options["compress_level"] = int(compression)
    if ending in JPEG and (four := _four_bytes(picture)) is not None:
        picture, options["mode"] = four, "RGBX"  # Pillow makes no copy of four bytes a pixel
    iio.imwrite(path, picture, plugin="pillow", **options)


def _four_bytes(picture: Array) -> Array | None:
    """Return an array with four bytes a pixel if a picture is a view of the first three, or None."""
    four = picture.base
    if not isinstance(four, np.ndarray) or picture.shape[2:] != (3,) or four.shape != (*picture.shape[:2], 4):
        return None
    same = four.dtype == picture.dtype and four.strides == picture.strides and four.ctypes.data == picture.ctypes.data
    return four if same else None


def _supported(metadata: PictureMetadata, ending: str, name: str) -> PictureMetadata:
    """Return the metadata that a format supports, and log the rest in one line."""
    if ending not in (*JPEG, ".bmp"):
        return metadata
    limits = {"exif": _EXIF_BYTES, "xmp": _XMP_BYTES} if ending in JPEG else {"exif": 0, "xmp": 0}
    dropped = [kind for kind, most in limits.items() if len(getattr(metadata, kind) or b"") > most]
    if dropped:
        _log.warning(
            "%s: %s dropped, because %s does not support it.", name, " and ".join(map(str.upper, dropped)), ending
        )
    return replace(metadata, **dict.fromkeys(dropped))


def _write_tiff(path: Path, picture: Array, compression: str | None, metadata: PictureMetadata) -> None:
    """Write a TIFF by tifffile, because Pillow does not write RGB with 16 bits or floats."""
    import tifffile

    exif = full_exif(metadata)
    large = picture.nbytes > 4_000_000_000  # beyond 32-bit offsets; the directories of EXIF are dropped
    parts = {place: inside for place in (EXIF_IFD, GPS_IFD) if (inside := exif.get_ifd(place)) and not large}
    # tifffile does not write these directories, so their entries get the codes of neighboring tags until then
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
    with tifffile.TiffFile(path) as written:
        entries = {tag.code: tag.offset for tag in written.pages.first.tags}
    with path.open("r+b") as file:
        for place, inside in parts.items():
            directory = ImageFileDirectory_v2(b"II*\0\0\0\0\0", group=place)
            for tag, value in inside.items():
                directory[tag] = value
            start = file.seek(0, 2)
            start += file.write(bytes(start % 2))
            file.write(directory.tobytes(start))
            file.seek(entries[place - 1])
            file.write(struct.pack("<2H2I", place, 4, 1, start))


def _write_deep_png(path: Path, picture: Array, level: int, metadata: PictureMetadata) -> None:
    """Write RGB or RGBA with 16 bits as PNG, which Pillow does not support."""
    height, width, channels = picture.shape
    rows = picture.astype(">u2").view(np.uint8).reshape(height, -1)
    lines = np.full((height, 1 + rows.shape[1]), 2, np.uint8)  # 2: differences from the line above
    lines[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=lines[1:, 1:])
    chunks = [(b"IHDR", struct.pack(">2I5B", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0))]
    if metadata.dpi is not None:
        chunks.append((b"pHYs", struct.pack(">2IB", *(round(dots / 0.0254) for dots in metadata.dpi), 1)))
    if exif := full_exif(metadata):
        chunks.append((b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")))
    if metadata.xmp is not None:
        chunks.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata.xmp))
    chunks += [(b"IDAT", zlib.compress(lines.data, level)), (b"IEND", b"")]
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for kind, content in chunks:
            putchunk(file, kind, content)
