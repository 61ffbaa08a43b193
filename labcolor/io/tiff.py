"""Pages of TIFF files, and samples of more than 8 bits, which Pillow would reduce to 8."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import numpy as np

from labcolor.base.typing import Array
from labcolor.color.lab import check_unit_range
from labcolor.errors import PictureFileError
from labcolor.io.limits import DECOMPRESSORS, check_tiff, inflate
from labcolor.io.sources import Source

_log = logging.getLogger(__name__)

_PAGES = 100  # pages that are searched for the picture
_ROWS = 64  # rows that are unpacked at once

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # otherwise its messages go to standard error


@contextmanager
def opened_tiff(source: Source) -> Iterator[tuple[Any, int]]:
    """Yield the ``tifffile.TiffPage`` of the first picture that is not a thumbnail, or the first page, and its index.

    Raises
    ------
    PictureFileError
        The directory is damaged, or the page exceeds a limit of :mod:`labcolor.io.limits`.
    """
    import tifffile

    try:
        with source.open() as stream, tifffile.TiffFile(stream) as file:
            pages: Any = enumerate(islice(file.pages, _PAGES))
            index, page = next((pair for pair in pages if not pair[1].subfiletype & 1), (0, file.pages[0]))
            check_tiff(source.name, page)
            yield page, index
    except tifffile.TiffFileError as error:
        raise PictureFileError(
            f"{source.name}: expected a TIFF, but its directory cannot be decoded. It is damaged or incomplete."
        ) from error


def deep_samples(name: str, page: Any) -> tuple[Array, int] | None:
    """Decode a page with 9 to 16 bits, signed integers or floats.

    Parameters
    ----------
    name : str
        Name of the file in errors.
    page : tifffile.TiffPage
        The page.

    Returns
    -------
    (picture, orientation) or None
        Grey, RGB or RGBA of uint8, uint16 or float32, and an orientation from 1 to 8. None for other samples, which
        Pillow decodes.

    Raises
    ------
    PictureFileError
        The page is neither grey nor RGB, or needs another decoder.
    """
    if page.imagedepth > 1:
        raise PictureFileError(
            f"{name}: expected a picture, got a volume of {page.imagedepth} layers. Save each layer."
        )
    bits, kind = page.bitspersample, "" if page.dtype is None else page.dtype.kind
    if not (kind == "f" or (kind in "iu" and page.dtype.itemsize == 2) or page.dtype == np.int8):
        return None
    picture = _stored(name, page)
    if picture is None:
        return None
    if page.axes not in ("YX", "YXS", "SYX") or page.photometric not in (0, 1, 2):
        raise PictureFileError(f"{name}: expected grey or RGB, got {page.photometric!r}, axes {page.axes}. Convert it.")
    if page.axes == "SYX":
        picture = np.moveaxis(picture, 0, -1)
    picture = np.atleast_3d(_stretched(name, picture, bits))
    colors = 3 if page.photometric == 2 else 1
    if page.photometric == 0:
        top = 1 if picture.dtype.kind == "f" else np.iinfo(picture.dtype).max
        picture = np.concatenate([top - picture[..., :1], picture[..., 1:]], 2)
    extras = tuple(map(int, page.extrasamples))
    if not extras and picture.shape[2] > colors:
        extras = (2,)  # Pillow does the same at 8 bits
    return _with_alpha(picture, colors, extras), int(page.tags.valueof(274, 1))


def _stored(name: str, page: Any) -> Array | None:
    """Return the samples as they are stored, or None if Pillow may know their compression."""
    packed, compression = page.bitspersample % 8 != 0, page.compression
    if packed and (compression, page.predictor, page.fillorder, page.is_tiled) == (1, 1, 1, False):
        return _unpacked(page)
    try:
        if compression in DECOMPRESSORS and page.fillorder == 1:
            return _inflated(name, page)
        if compression in (1, 5, 32773):  # none, LZW and PackBits, whose decoders know the size of the result
            return np.asarray(page.asarray())
    except (ValueError, NotImplementedError) as error:  # tifffile needs imagecodecs
        if "imagecodecs" not in str(error) and not packed:
            raise
    if packed or page.dtype.kind != "u":
        raise PictureFileError(
            f"{name}: expected 8, 16 or 32 bits a sample in a compression of TIFF's standard, got "
            f"{page.bitspersample} bits and {compression!r}. Install imagecodecs, or save it as 16 bits."
        )
    if page.samplesperpixel > 1:
        _log.warning("%s: its compression can be read with 8 of its 16 bits only; imagecodecs would help.", name)
    return None


def _inflated(name: str, page: Any) -> Array:
    """Return the samples of strips or tiles, each expanded to at most its size."""
    decompressor, page.compression = DECOMPRESSORS[page.compression], 1  # tifffile gets expanded data
    picture = np.zeros(page.shaped, page.dtype)
    places = page.dataoffsets, page.databytecounts
    for packed, index in page.parent.filehandle.read_segments(*places, length=math.prod(page.chunked)):
        content = inflate(name, page, decompressor(), packed) if packed else None
        segment, (plane, _, top, left, _), (_, height, width, _) = page.decode(content, index)
        if segment is not None:
            part = picture[plane, :, top : top + height, left : left + width]
            part[:] = segment[:, : part.shape[1], : part.shape[2]]
    return picture.reshape(page.shape)


def _unpacked(page: Any) -> Array:
    """Return samples of 9 to 15 bits that are stored without gaps in a row."""
    bits, height, width = page.bitspersample, page.imagelength, page.imagewidth
    planes, samples = (1, page.samplesperpixel) if page.planarconfig == 1 else (page.samplesperpixel, 1)
    stride = -(-width * samples * bits // 8)
    content = b""
    handle = page.parent.filehandle
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        handle.seek(offset)
        content += handle.read(count)
    rows = np.frombuffer(content, np.uint8, planes * height * stride).reshape(-1, stride)
    values = np.empty((len(rows), width * samples), np.uint16)
    weights = (1 << np.arange(bits)[::-1]).astype(np.uint16)
    for top in range(0, len(rows), _ROWS):
        parts = np.unpackbits(rows[top : top + _ROWS], axis=1)[:, : width * samples * bits]
        values[top : top + _ROWS] = parts.reshape(len(parts), -1, bits) @ weights
    return values.reshape(page.shape)


def _stretched(name: str, picture: Array, bits: int) -> Array:
    """Convert samples to float32, or to unsigned integers that use the whole range."""
    if picture.dtype.kind == "f":
        check_unit_range(name, picture)
        return picture.astype(np.float32)
    if picture.dtype.kind == "i":
        if picture.min() < 0:
            raise PictureFileError(f"{name}: expected samples from 0, got {picture.min()}. Save unsigned integers.")
        bits -= 1
    kind = np.dtype(f"u{picture.dtype.itemsize}")
    most, top = (1 << bits) - 1, np.iinfo(kind).max
    return picture if most == top else (picture.astype(np.uint32) * top // most).astype(kind)


def _with_alpha(picture: Array, colors: int, extras: tuple[int, ...]) -> Array:
    """Return samples as grey, RGB or RGBA. Extra samples of kind 1 are premultiplied alpha, of kind 2 plain alpha."""
    base = picture[..., :colors]
    place, kind = next(((colors + index, kind) for index, kind in enumerate(extras) if kind in (1, 2)), (0, 0))
    if kind == 0:
        return base[..., 0] if colors == 1 else base
    alpha = picture[..., place : place + 1]
    if kind == 1:
        parts = np.divide(base, alpha, out=np.zeros(base.shape, np.float32), where=alpha > 0, dtype=np.float32)
        parts = np.minimum(parts, 1)
        whole = base.dtype.kind == "u"
        base = np.rint(parts * np.iinfo(base.dtype).max).astype(base.dtype) if whole else parts
    return np.concatenate([np.broadcast_to(base, (*base.shape[:2], 3)), alpha], axis=2)
