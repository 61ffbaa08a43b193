"""Decoding: picture files and PIL images, as arrays that look as a viewer shows them."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from labcolor.base.typing import Array
from labcolor.color.lab import check_unit_range
from labcolor.errors import InputError, InputTypeError, PictureFileError
from labcolor.io import ffmpeg
from labcolor.io.sources import Source, check_size, decoding

__all__ = ["decode", "from_image"]

_log = logging.getLogger(__name__)

# Pillow's modes, and what they are turned into, step by step: with a direct way from La, alpha would be lost.
_MODES = {
    "1": ("L",),
    "L": (),
    "LA": ("RGBA",),
    "La": ("LA", "RGBA"),
    "P": ("RGB",),
    "PA": ("RGBA",),
    "RGB": (),
    "RGBA": (),
    "RGBa": ("RGBA",),
    "RGBX": ("RGB",),
    "CMYK": ("RGB",),
    "YCbCr": ("RGB",),
    "LAB": ("RGB",),
    "HSV": ("RGB",),
    "I": (),
    "I;16": (),
    "I;16L": (),
    "I;16B": (),
    "F": (),
}
_PROFILED = ("L", "LA", "P", "PA", "RGB", "RGBA", "CMYK")  # modes to which a color profile is applied
_NEAR = 2  # levels of 255 by which a profile may differ from sRGB and still be left out


def decode(source: Source) -> Array:
    """Decode a picture file.

    Parameters
    ----------
    source : Source
        The file.

    Returns
    -------
    ndarray
        As for :func:`labcolor.read_picture`.

    Raises
    ------
    PictureFileError
        The file is missing, is not a picture, is damaged or too large.
    OutOfMemoryError
        The picture did not fit in memory.
    """
    with decoding(source.name, source), _as_file_errors():
        head = source.head(26)
        if head[:8] == b"\x89PNG\r\n\x1a\n" and len(head) == 26 and head[24] == 16 and head[25] in (2, 4, 6):
            return _deep_png(source)
        if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
            deep = _deep_tiff(source)
            if deep is not None:
                return deep
        with source.open() as file, Image.open(file) as image:
            check_size(source.name, image.height, image.width)
            return _converted(source.name, image)


@contextmanager
def _as_file_errors() -> Iterator[None]:
    """Raise what is wrong with values as what is wrong with their file."""
    try:
        yield
    except InputError as error:
        raise PictureFileError(str(error)) from error


def from_image(name: str, image: Image.Image) -> Array:
    """Return a PIL image as an array, converted as the same picture in a file is.

    Parameters
    ----------
    name : str
        What to call it in errors.
    image : PIL.Image.Image
        Of mode 1, L, LA, La, P, PA, RGB, RGBA, RGBa, RGBX, CMYK, YCbCr, LAB, HSV, I, I;16 or F. Its EXIF orientation
        and its color profile are applied.

    Raises
    ------
    InputTypeError, InputError
        It has another mode, values that are out of range, or no pixels.
    PictureFileError
        Its file is damaged.
    OutOfMemoryError
        It did not fit in memory.
    """
    if 0 in image.size:
        raise InputError(f"{name}: expected at least one pixel, got an image of {image.width} x {image.height}.")
    name = f"{name} (PIL image)"
    with decoding(name):
        return _converted(name, image)


def _converted(name: str, image: Image.Image) -> Array:
    mode = image.mode
    if mode not in _MODES:
        known = ", ".join(_MODES)
        raise InputTypeError(f'{name}: expected one of the modes {known}, got {mode}. Convert it: .convert("RGB").')
    image.load()
    steps = _MODES[mode]
    # a transparent grey value of 16 bits is not worth the other 8 bits, which its conversion would cost
    if image.has_transparency_data and mode in ("1", "L", "P", "RGB"):
        steps = ("RGBA",)
    profile = image.info.get("icc_profile")
    picture = _by_profile(image, profile, steps) if profile and mode in _PROFILED else None
    if picture is None:
        plain = image
        for step in steps:
            plain = plain.convert(step)
        picture = np.asarray(plain)
    if mode in ("I", "F"):  # 32 bits: take whole numbers for 16 bits, and floats as they are
        low, high = picture.min(), picture.max()
        if not (low >= 0 and high <= (65535 if mode == "I" else 1)):
            raise InputError(
                f"{name}: expected 8 or 16 bits a channel or floats in [0, 1], got values from {low:.6g} to "
                f"{high:.6g}. Save it as 16 bits first."
            )
        picture = picture.astype(np.uint16 if mode == "I" else np.float32)
    return _upright(picture.astype(picture.dtype.newbyteorder("="), copy=False), _orientation(image))


def _by_profile(image: Image.Image, profile: bytes, steps: tuple[str, ...]) -> Array | None:
    """Return an image of 8 bits in sRGB by its color profile; None if it is sRGB, or cannot be used."""
    try:
        embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    except (OSError, ImageCms.PyCMSError):
        return None
    alpha = None
    if image.mode in ("L", "LA"):  # a grey profile takes no alpha
        if steps:
            image, alpha = image.convert("LA").split()
    elif image.mode != "CMYK":
        for step in steps:
            image = image.convert(step)
    try:
        if image.mode != "CMYK" and _is_srgb(embedded, image.mode[:3]):
            return None
        result = _to_srgb(embedded, image)
    except ImageCms.PyCMSError:
        return None
    if alpha is not None:
        return np.dstack([result, np.asarray(alpha)])
    return result[..., 1] if image.mode == "L" else result


def _to_srgb(profile: ImageCms.ImageCmsProfile, image: Image.Image) -> Array:
    output = "RGBA" if image.mode == "RGBA" else "RGB"
    return np.asarray(ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode=output))


def _is_srgb(profile: ImageCms.ImageCmsProfile, mode: str) -> bool:
    """Return whether a profile leaves greys and strong colors as they are; its name proves nothing."""
    colors = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    if mode == "RGB":
        strong = np.stack(np.meshgrid(*[[0, 96, 255]] * 3), -1).reshape(-1, 3).astype(np.uint8)
        colors = np.concatenate([colors, strong])
    image = Image.fromarray(colors[None] if mode == "RGB" else colors[None, :, 0])
    return bool(np.abs(_to_srgb(profile, image)[0].astype(int) - colors).max() <= _NEAR)


def _orientation(image: Image.Image) -> int:
    """Return how an image lies, from 1 to 8; damaged EXIF does not tell."""
    try:
        value = image.getexif().get(0x0112, 1)
    except Exception:  # its parser raises every kind of exception
        return 1
    return value if value in range(1, 9) else 1


def _upright(picture: Array, orientation: int) -> Array:
    """Turn a picture as its EXIF or TIFF orientation says."""
    if orientation in (5, 6, 7, 8):
        picture = np.swapaxes(picture, 0, 1)
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    return np.ascontiguousarray(picture)


def _deep_png(source: Source) -> Array:
    """Decode a PNG of 16 bits with more than one channel, which Pillow would cut down to 8 bits."""
    # ffmpeg warns of a damaged file and goes on; Pillow's decoder, whose 8-bit picture is dropped, refuses it
    with source.open() as file, Image.open(file) as image:
        check_size(source.name, image.height, image.width)
        image.load()
        height, width, orientation = image.height, image.width, _orientation(image)
    with source.open() as file:
        content = file.read()
    channels = 4 if content[25] in (4, 6) else 3
    layout = {3: "rgb48le", 4: "rgba64le"}[channels]
    # through a pipe, since ffmpeg takes a % in a picture's name for a pattern
    options = ["-f", "png_pipe", "-i", "-", "-frames:v", "1", "-pix_fmt", layout, "-f", "rawvideo", "-"]
    pixels = ffmpeg.run(options, _bare_png(content))
    return _upright(np.frombuffer(pixels, "<u2").reshape(height, width, channels).astype(np.uint16), orientation)


def _bare_png(content: bytes) -> bytes:
    """Return a PNG without all that is not pixels: ffmpeg turns a picture by its EXIF, and refuses damaged EXIF."""
    place, kept = 8, [content[:8]]
    while place < len(content):
        end = place + 12 + int.from_bytes(content[place : place + 4], "big")
        if content[place + 4 : place + 8] in (b"IHDR", b"IDAT", b"IEND"):
            kept.append(content[place:end])
        place = end
    return b"".join(kept)


def _deep_tiff(source: Source) -> Array | None:
    """Decode the first page of a TIFF of 9 to 16 bits or of floats, through tifffile; None for any other file.

    Pillow would cut RGB down to 8 bits, and knows neither planes apart, white as zero at 16 bits, nor RGB of floats.
    """
    import tifffile

    with source.open() as stream, tifffile.TiffFile(stream) as file:
        page: Any = file.pages[0]
        depth = page.imagedepth
        if depth > 1:
            raise PictureFileError(
                f"{source.name}: expected a picture, got a volume of {depth} layers. Write each layer to its own file."
            )
        if page.dtype is None or not (page.dtype == np.uint16 or page.dtype.kind == "f"):
            return None
        check_size(source.name, page.imagelength, page.imagewidth)
        try:
            picture = np.asarray(page.asarray())
        except ValueError as error:
            if "imagecodecs" not in str(error):
                raise
            if page.samplesperpixel > 1:
                _log.warning(
                    "%s: its compression can be read with 8 of its 16 bits only; imagecodecs would help.", source.name
                )
            return None
        if page.axes not in ("YX", "YXS", "SYX") or page.photometric not in (0, 1, 2):
            raise PictureFileError(
                f"{source.name}: expected a grey or an RGB TIFF, got {page.photometric!r} with the axes {page.axes}. "
                f"Convert it first."
            )
        if page.axes == "SYX":
            picture = np.moveaxis(picture, 0, -1)
        bits, photometric, extras = page.bitspersample, int(page.photometric), tuple(map(int, page.extrasamples))
        orientation = int(page.tags.valueof(274, 1))
    if picture.dtype.kind == "f":
        check_unit_range(source.name, picture)
        picture = picture.astype(np.float32)
    elif bits < 16:
        picture = (picture.astype(np.uint32) * 65535 // ((1 << bits) - 1)).astype(np.uint16)
    picture = np.atleast_3d(picture)
    colors = 3 if photometric == 2 else 1
    if photometric == 0:
        picture = np.concatenate([(1 if picture.dtype.kind == "f" else 65535) - picture[..., :1], picture[..., 1:]], 2)
    if not extras and picture.shape[2] > colors:
        extras = (2,)  # as Pillow has it at 8 bits
    return _upright(_with_alpha(picture, colors, extras), orientation)


def _with_alpha(picture: Array, colors: int, extras: tuple[int, ...]) -> Array:
    """Return grey, RGB or RGBA of the samples of a TIFF, of which those after the first ``colors`` are ``extras``.

    An extra sample of kind 1 is alpha by which the colors are multiplied, one of kind 2 is alpha by which they are
    not, and one of kind 0 may be anything, for example a scanner's infrared.
    """
    base = picture[..., :colors]
    place, kind = next(((colors + index, kind) for index, kind in enumerate(extras) if kind in (1, 2)), (0, 0))
    if kind == 0:
        return base[..., 0] if colors == 1 else base
    alpha = picture[..., place : place + 1]
    if kind == 1:
        parts = np.divide(base, alpha, out=np.zeros(base.shape, np.float32), where=alpha > 0, dtype=np.float32)
        parts = np.minimum(parts, 1)
        base = np.rint(parts * 65535).astype(np.uint16) if base.dtype == np.uint16 else parts
    return np.concatenate([np.broadcast_to(base, (*base.shape[:2], 3)), alpha], axis=2)
