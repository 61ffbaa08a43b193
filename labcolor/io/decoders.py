"""Decoding of picture files and PIL images to upright arrays in sRGB."""

from __future__ import annotations

import io
from contextlib import suppress

import numpy as np
from PIL import Image, ImageCms, ImageFile

from labcolor.base.stderr import closed_stderr
from labcolor.base.typing import Array
from labcolor.errors import InputError, InputTypeError, PictureFileError
from labcolor.io.limits import FORMATS, ignoring_damage
from labcolor.io.sources import Source, decoding, opened
from labcolor.io.tiff import deep_samples, opened_tiff

# Pillow's modes, and the modes to which they are converted in turn. Converting La directly to RGBA would lose alpha.
_MODES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("L", "RGB", "RGBA", "I", "I;16", "I;16L", "I;16B", "F"), ()),
    **dict.fromkeys(("P", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"), ("RGB",)),
    **dict.fromkeys(("LA", "PA", "RGBa"), ("RGBA",)),
    **{"1": ("L",), "La": ("LA", "RGBA")},
}
_PROFILED = ("L", "LA", "P", "PA", "RGB", "RGBA", "CMYK")  # modes to which a color profile is applied
_STRIP = 1 << 18  # pixels: their copies stay in the caches, and calls for each strip take little
_GREY = 1  # level of 255 by which the chroma of a picture without color may differ from 0
_NEAR = 2  # levels of 255 by which a profile may differ from sRGB and still be ignored


def decode(source: Source, *, neutral: bool = False) -> Array:
    """Decode a picture file as :func:`labcolor.read_picture` returns it.

    Parameters
    ----------
    source : Source
        The file.
    neutral : bool
        Whether to return a JPEG of three channels without color as grey, (H, W), which is faster.

    Returns
    -------
    ndarray

    Raises
    ------
    PictureFileError
        The file is missing, is not a picture, is damaged or too large.
    OutOfMemoryError
        The picture did not fit in memory.
    """
    try:
        with decoding(source.name, source):
            return _decoded(source, neutral)
    except InputError as error:
        raise PictureFileError(str(error)) from error


def _decoded(source: Source, neutral: bool) -> Array:
    """Decode a picture file by the decoder for its format and depth."""
    if source.kind == "PNG" and source.head(26)[24:] in (b"\x10\2", b"\x10\4", b"\x10\6"):
        return _deep_png(source)
    if source.kind != "TIFF":
        with opened(source) as image:
            if neutral and source.kind == "JPEG" and image.mode == "RGB" and _is_neutral(source):
                image.draft("L", image.size)
            return _converted(source.name, image)
    with opened_tiff(source) as (page, index):
        samples = deep_samples(source.name, page)
    if samples is not None:
        return _upright(*samples)
    with closed_stderr(), opened(source) as image:  # libtiff prints its messages there
        image.seek(index)
        return _converted(source.name, image)


def _is_neutral(source: Source) -> bool:
    """Return whether a JPEG of three channels has no color, by its chroma at an eighth of its size."""
    neutral = False
    with suppress(ImageCms.PyCMSError), ignoring_damage(), opened(source) as image:
        profile = image.info.get("icc_profile")
        if not profile or _is_srgb(ImageCms.ImageCmsProfile(io.BytesIO(profile)), "RGB"):
            image.draft("YCbCr", (image.width // 8, image.height // 8))
            chroma = np.asarray(image)[..., 1:].astype(int)
            neutral = image.mode == "YCbCr" and bool(np.abs(chroma - 128).max() <= _GREY)
    return neutral


def from_image(name: str, image: Image.Image) -> Array:
    """Convert a PIL image to an array as :func:`decode` does. ``name`` is its name in errors.

    Raises
    ------
    InputTypeError, InputError
        The image has a mode that is not supported, values out of range, or no pixels.
    PictureFileError
        Its file is damaged.
    OutOfMemoryError
        It did not fit in memory.
    """
    if 0 in image.size:
        raise InputError(f"{name}: expected at least one pixel, got an image of {image.width} x {image.height}.")
    name = f"{name} (PIL image)"
    if isinstance(image, ImageFile.ImageFile) and image.format not in (*FORMATS, "MPO", "HEIF"):
        raise InputError(f"{name}: expected a format of {', '.join(FORMATS)}, got {image.format}. Copy it: .copy().")
    with decoding(name):
        return _converted(name, image)


def _converted(name: str, image: Image.Image) -> Array:
    """Convert a PIL image to an upright array in sRGB."""
    mode = image.mode
    if mode not in _MODES:
        known = ", ".join(_MODES)
        raise InputTypeError(f'{name}: expected one of the modes {known}, got {mode}. Convert it: .convert("RGB").')
    image.load()
    steps = _MODES[mode]
    # at 16 bits a transparent grey value is ignored, because its conversion would reduce the picture to 8 bits
    if image.has_transparency_data and mode in ("1", "L", "P", "RGB"):
        steps = ("RGBA",)
    profile = image.info.get("icc_profile")
    picture = _by_profile(image, profile, steps) if profile and mode in _PROFILED else None
    if picture is None:
        plain = image
        for step in steps:
            plain = plain.convert(step)
        picture = _samples(plain)
    if mode in ("I", "F"):  # 32 bits: integers become 16 bits, and floats stay
        low, high = picture.min(), picture.max()
        if not (low >= 0 and high <= (65535 if mode == "I" else 1)):
            raise InputError(
                f"{name}: expected 8 or 16 bits a channel or floats in [0, 1], got values from {low:.6g} to "
                f"{high:.6g}. Save it as 16 bits first."
            )
        picture = picture.astype(np.uint16 if mode == "I" else np.float32)
    return _upright(picture.astype(picture.dtype.newbyteorder("="), copy=False), _orientation(image))


def _samples(image: Image.Image) -> Array:
    """Return the samples of an image, strip by strip, since numpy takes them from Pillow through two more copies."""
    rows = max(1, _STRIP // image.width)
    strips = (image.crop((0, row, image.width, min(image.height, row + rows))) for row in range(0, image.height, rows))
    first = np.asarray(next(strips))
    samples = np.empty((image.height, *first.shape[1:]), first.dtype)
    samples[:rows] = first
    for number, strip in enumerate(strips, 1):
        samples[number * rows : (number + 1) * rows] = np.asarray(strip)
    return samples


def _by_profile(image: Image.Image, profile: bytes, steps: tuple[str, ...]) -> Array | None:
    """Convert an 8-bit image to sRGB by its color profile. Return None if the profile is sRGB or unusable."""
    try:
        embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    except (OSError, ImageCms.PyCMSError):
        return None
    alpha = None
    if image.mode in ("L", "LA"):  # a grey profile does not support alpha
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
    """Apply a color profile to an image."""
    output = "RGBA" if image.mode == "RGBA" else "RGB"
    return np.asarray(ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode=output))


def _is_srgb(profile: ImageCms.ImageCmsProfile, mode: str) -> bool:
    """Return whether a profile changes neither greys nor strong colors. Its name is not trusted."""
    colors = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    if mode == "RGB":
        strong = np.stack(np.meshgrid(*[[0, 96, 255]] * 3), -1).reshape(-1, 3).astype(np.uint8)
        colors = np.concatenate([colors, strong])
    image = Image.fromarray(colors[None] if mode == "RGB" else colors[None, :, 0])
    return bool(np.abs(_to_srgb(profile, image)[0].astype(int) - colors).max() <= _NEAR)


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation of an image, from 1 to 8, or 1 if its EXIF is damaged."""
    value = 1
    with ignoring_damage():
        value = image.getexif().get(0x0112, 1)
    return value if value in range(1, 9) else 1


def _upright(picture: Array, orientation: int) -> Array:
    """Rotate and mirror a picture by its EXIF or TIFF orientation."""
    if orientation in (5, 6, 7, 8):
        picture = np.swapaxes(picture, 0, 1)
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    return np.ascontiguousarray(picture)


def _deep_png(source: Source) -> Array:
    """Decode a PNG with 16 bits and several channels in two passes, because Pillow returns 8 of its bits."""
    halves = []
    for order in "BL":
        with opened(source) as image:
            pairs = image.mode == "RGBA" and image.tile[0].args in ("LA;16B", ("LA;16B",))
            image.tile = [type(tile)(*tile[:3], "RGBA" if pairs else f"{image.mode};16{order}") for tile in image.tile]
            image.load()
            picture, orientation = np.asarray(image), _orientation(image)
        if pairs:  # Pillow takes the two bytes of grey and of alpha for four channels
            wide = picture.view(">u2").astype(np.uint16)
            return _upright(wide[..., [0, 0, 0, 1]], orientation)
        halves.append(picture)
    return _upright(halves[0].astype(np.uint16) << 8 | halves[1], orientation)
