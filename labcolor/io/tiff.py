"""Pages of TIFF files, and samples of more than 8 bits, which Pillow would reduce to 8."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from labcolor.base.typing import Array
from labcolor.color.lab import check_unit_range
from labcolor.errors import PictureFileError
from labcolor.io.limits import check_inflated, check_tiff
from labcolor.io.sources import Source

__all__ = ["deep_samples", "opened_tiff"]

_log = logging.getLogger(__name__)

_PAGES = 100  # among which the picture is looked for
_ROWS = 64  # that are unpacked at once


@contextmanager
def opened_tiff(source: Source) -> Iterator[tuple[Any, int]]:
    """Yield the first page of a TIFF that is not a thumbnail, and its index; the very first if all are thumbnails.

    Parameters
    ----------
    source : Source
        The file.

    Yields
    ------
    page : tifffile.TiffPage
    index : int

    Raises
    ------
    PictureFileError
        It is damaged, or beyond a limit of :mod:`labcolor.io.limits`.
    """
    import tifffile

    logging.getLogger("tifffile").addHandler(_SILENT)  # or its complaints go to standard error
    try:
        with source.open() as stream, tifffile.TiffFile(stream) as file:
            index = 0
            for number in range(_PAGES):
                try:
                    page: Any = file.pages[number]
                except IndexError:
                    break
                if not page.subfiletype & 1:
                    index = number
                    break
            page = file.pages[index]
            check_tiff(source.name, page)
            yield page, index
    except tifffile.TiffFileError as error:
        raise PictureFileError(
            f"{source.name}: expected a TIFF, but its directory cannot be decoded. It is damaged or incomplete."
        ) from error


_SILENT = logging.NullHandler()


def deep_samples(name: str, page: Any) -> tuple[Array, int] | None:
    """Decode a page of 9 to 16 bits, of signed integers or of floats.

    Parameters
    ----------
    name : str
        Name of the file in errors.
    page : tifffile.TiffPage
        The page.

    Returns
    -------
    picture : ndarray
        Grey, RGB or RGBA of uint8, uint16 or float32.
    orientation : int
        From 1 to 8.
        None for a page of other samples, which Pillow decodes.

    Raises
    ------
    PictureFileError
        It is neither grey nor RGB, or needs another decoder.
    """
    if page.imagedepth > 1:
        raise PictureFileError(
            f"{name}: expected a picture, got a volume of {page.imagedepth} layers. Write each layer to its own file."
        )
    bits, kind = page.bitspersample, "" if page.dtype is None else page.dtype.kind
    if not (kind == "f" or (kind in "iu" and page.dtype.itemsize == 2) or page.dtype == np.int8):
        return None
    picture = _stored(name, page)
    if picture is None:
        return None
    if page.axes not in ("YX", "YXS", "SYX") or page.photometric not in (0, 1, 2):
        raise PictureFileError(
            f"{name}: expected a grey or an RGB TIFF, got {page.photometric!r} with the axes {page.axes}. Convert it."
        )
    if page.axes == "SYX":
        picture = np.moveaxis(picture, 0, -1)
    picture = np.atleast_3d(_stretched(name, picture, bits))
    colors = 3 if page.photometric == 2 else 1
    if page.photometric == 0:
        top = 1 if picture.dtype.kind == "f" else np.iinfo(picture.dtype).max
        picture = np.concatenate([top - picture[..., :1], picture[..., 1:]], 2)
    extras = tuple(map(int, page.extrasamples))
    if not extras and picture.shape[2] > colors:
        extras = (2,)  # as Pillow has it at 8 bits
    return _with_alpha(picture, colors, extras), int(page.tags.valueof(274, 1))


def _stored(name: str, page: Any) -> Array | None:
    """Return the samples as they are stored; None if Pillow may know their compression."""
    packed = page.bitspersample % 8 != 0
    if packed and (page.compression, page.predictor, page.fillorder, page.is_tiled) == (1, 1, 1, False):
        return _unpacked(page)
    try:
        if check_inflated(name, page):
            return np.asarray(page.asarray())
    except (ValueError, NotImplementedError) as error:  # as tifffile refuses what needs imagecodecs
        if "imagecodecs" not in str(error) and not packed:
            raise
    if packed or page.dtype.kind != "u":
        raise PictureFileError(
            f"{name}: expected 8, 16 or 32 bits a sample in a compression of TIFF's standard, got "
            f"{page.bitspersample} bits and {page.compression!r}. Install imagecodecs, or save it as 16 bits."
        )
    if page.samplesperpixel > 1:
        _log.warning("%s: its compression can be read with 8 of its 16 bits only; imagecodecs would help.", name)
    return None


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
    """Return samples as float32, or as unsigned integers whose white is their type's largest."""
    if picture.dtype.kind == "f":
        check_unit_range(name, picture)
        return picture.astype(np.float32)
    if picture.dtype.kind == "i":
        if picture.min() < 0:
            raise PictureFileError(
                f"{name}: expected samples of at least 0, got {picture.min()}. Save it with unsigned integers."
            )
        bits -= 1
    kind = np.dtype(f"u{picture.dtype.itemsize}")
    most, top = (1 << bits) - 1, np.iinfo(kind).max
    return picture if most == top else (picture.astype(np.uint32) * top // most).astype(kind)


def _with_alpha(picture: Array, colors: int, extras: tuple[int, ...]) -> Array:
    """Return grey, RGB or RGBA of samples; extra samples of kind 1 are premultiplied alpha, of kind 2 plain alpha."""
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
