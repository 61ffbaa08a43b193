"""Reading and writing picture files, through imageio."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageOps

from labcolor._paths import as_path, check_destination, files_in, replacing
from labcolor._typing import Array
from labcolor._validation import as_array
from labcolor.errors import InputError, LabcolorError, OutOfMemoryError, PictureFileError
from labcolor.io import ffmpeg
from labcolor.pictures.picture import as_bytes, as_picture

__all__ = ["ENDINGS", "WRITABLE", "picture_paths", "read_picture", "write_picture"]

_log = logging.getLogger(__name__)
ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif")
WRITABLE = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
_PIXELS = 178_956_970  # a picture of more pixels is refused before it is decoded: Pillow's own limit, for all readers

# Pillow's modes and what to turn them into; modes that are not here stay as they are.
_MODES = {
    "1": "L",
    "P": "RGB",
    "PA": "RGBA",
    "LA": "RGBA",
    "La": "RGBA",
    "RGBa": "RGBA",
    "CMYK": "RGB",
    "YCbCr": "RGB",
    "LAB": "RGB",
    "HSV": "RGB",
}
_PROFILED = ("L", "LA", "P", "PA", "RGB", "RGBA", "CMYK")  # modes to which a color profile is applied


def _is_deep_png(path: Path) -> bool:
    """Whether a file is a PNG of 16 bits with more than one channel, which Pillow would cut down to 8 bits."""
    with path.open("rb") as file:
        head = file.read(26)
    return head[:8] == b"\x89PNG\r\n\x1a\n" and len(head) == 26 and head[24] == 16 and head[25] in (2, 4, 6)


def _upright(picture: Array, path: Path) -> Array:
    """Turn a picture as its EXIF or TIFF orientation says; Pillow does so itself, the deep readers do not."""
    with Image.open(path) as image:
        orientation = image.getexif().get(0x0112, 1)
    if orientation in (5, 6, 7, 8):
        picture = np.swapaxes(picture, 0, 1)
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    return np.ascontiguousarray(picture)


def _check_size(path: Path, height: int, width: int) -> None:
    if height * width > _PIXELS:
        raise PictureFileError(
            f"{path}: expected at most {_PIXELS:,} pixels, got {width} x {height}. Reduce the picture first."
        )


def _read_deep_tiff(path: Path) -> Array | None:
    """Read the first page of a TIFF of 9 to 16 bits, through tifffile; None for any other file.

    Pillow would cut RGB down to 8 bits, and knows neither planes apart nor white as zero at 16 bits.
    """
    with path.open("rb") as file:
        if file.read(4) not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
            return None
    import tifffile

    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        if not isinstance(page, tifffile.TiffPage) or page.dtype != np.uint16:
            return None
        _check_size(path, page.imagelength, page.imagewidth)
        try:
            picture = np.asarray(page.asarray())
        except ValueError as error:
            if "imagecodecs" not in str(error):
                raise
            if page.samplesperpixel > 1:
                _log.warning(
                    "%s: its compression can be read with 8 of its 16 bits only; imagecodecs would help.", path
                )
            return None
        if page.axes == "SYX":
            picture = np.moveaxis(picture, 0, -1)
        if picture.ndim not in (2, 3) or page.photometric not in (0, 1, 2):
            raise PictureFileError(
                f"{path}: expected a grey or an RGB TIFF, got {page.photometric!r}. Convert it first."
            )
        levels = (1 << page.bitspersample) - 1
        if levels < 65535:
            picture = (picture.astype(np.uint32) * 65535 // levels).astype(np.uint16)
        if page.photometric == 0:
            picture = 65535 - picture
    if picture.ndim == 3 and picture.shape[2] == 2:  # grey with alpha
        picture = picture[..., [0, 0, 0, 1]]
    return _upright(picture if picture.ndim == 2 else picture[..., :4], path)


def _read_deep_png(path: Path) -> Array:
    # ffmpeg warns of a damaged file and goes on; Pillow's decoder, whose 8-bit picture is dropped, refuses it
    height, width = iio.imread(path, plugin="pillow", index=0).shape[:2]
    content = path.read_bytes()
    channels = 4 if content[25] in (4, 6) else 3
    layout = {3: "rgb48le", 4: "rgba64le"}[channels]
    # through a pipe, since ffmpeg takes a % in a picture's name for a pattern
    source = ["-noautorotate", "-f", "png_pipe", "-i", "-"]
    pixels = ffmpeg.run([*source, "-frames:v", "1", "-pix_fmt", layout, "-f", "rawvideo", "-"], content)
    picture = np.frombuffer(pixels, "<u2").reshape(height, width, channels).astype(np.uint16)
    return _upright(picture, path)


def _read_by_profile(path: Path, profile: bytes, target: str | None) -> Array | None:
    """Read a picture of 8 bits into sRGB by its embedded color profile; None if it is sRGB, or cannot be used."""
    try:
        embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(embedded):
            return None
    except (OSError, ImageCms.PyCMSError):
        return None
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image)
    alpha = None
    if upright.mode in ("L", "LA"):  # a grey profile takes no alpha
        if target:
            upright, alpha = upright.convert("LA").split()
    elif target and upright.mode != "CMYK":
        upright = upright.convert(target)
    output = "RGBA" if upright.mode == "RGBA" else "RGB"
    try:
        result = ImageCms.profileToProfile(upright, embedded, ImageCms.createProfile("sRGB"), outputMode=output)
    except ImageCms.PyCMSError:
        return None
    picture = np.asarray(result)
    if alpha is not None:
        return np.dstack([picture, np.asarray(alpha)])
    return picture[..., 1] if upright.mode == "L" else picture


def _read_with_pillow(path: Path) -> Array:
    file: Any  # imageio's types know only what all plugins have in common
    with iio.imopen(path, "r", plugin="pillow") as file:
        about = file.metadata(index=0, exclude_applied=False)
        height, width = file.properties(index=0).shape[:2]
        _check_size(path, height, width)
        mode = about["mode"]
        # a transparent grey value of 16 bits is not worth the other 8 bits, which its conversion would cost
        target = "RGBA" if "transparency" in about and not mode.startswith("I") else _MODES.get(mode)
        if about.get("icc_profile") and mode in _PROFILED:
            by_profile = _read_by_profile(path, about["icc_profile"], target)
            if by_profile is not None:
                return by_profile
        picture = np.asarray(file.read(index=0, rotate=True, mode=target))
    if mode in ("I", "F"):  # 32 bits: take whole numbers for 16 bits, and floats as they are
        if mode == "I" and picture.min() >= 0 and picture.max() <= 65535:
            return picture.astype(np.uint16)
        if mode == "I" or not (picture.min() >= 0 and picture.max() <= 1):
            raise PictureFileError(
                f"{path}: expected 8 or 16 bits a channel or floats in [0, 1], got values from {picture.min():.6g} "
                f"to {picture.max():.6g}. Save it as 16 bits first."
            )
    return picture


def read_picture(path: str | os.PathLike[str]) -> Array:
    """Read one picture: EXIF rotation applied, palettes and CMYK turned into RGB, 16 bits kept.

    Parameters
    ----------
    path : path
        PNG, JPEG, TIFF, WebP, BMP, GIF or anything else that Pillow reads; of several pages or frames the first.

    Returns
    -------
    ndarray
        (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA; uint8 or uint16, or float32 for grey TIFF files of float32 in
        [0, 1]. 9 to 15 bits are stretched to 16.
        sRGB: an embedded color profile is applied to 8 bits, and ignored at 16.

    Raises
    ------
    PictureFileError
        The file is missing, is not a picture, is damaged, or has more than 178,956,970 pixels.
    OutOfMemoryError
        The picture did not fit in memory.
    InputTypeError, InputError
        ``path`` is not a path.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> from labcolor import read_picture, write_picture
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_picture(f"{folder}/grey.png", np.zeros((4, 6), np.uint8))
    ...     read_picture(f"{folder}/grey.png").shape
    (4, 6)
    """
    path = as_path("path", path)
    try:
        if path.is_dir():
            raise PictureFileError(f"{path}: expected a picture file, got a folder. Name the files in it.")
        if _is_deep_png(path):
            return _read_deep_png(path)
        deep = _read_deep_tiff(path)
        return _read_with_pillow(path) if deep is None else deep
    except LabcolorError:
        raise
    except FileNotFoundError as error:
        raise PictureFileError(f"{path}: expected a picture file, but there is none. Check the path.") from error
    except PermissionError as error:
        raise PictureFileError(f"{path}: may not be read. Check its permissions.") from error
    except MemoryError as error:
        raise OutOfMemoryError(f"{path}: did not fit in memory. Reduce the picture first.") from error
    except Exception as error:  # decoders raise every kind of exception on damaged files
        if isinstance(error.__cause__ or error, Image.DecompressionBombError):
            raise PictureFileError(
                f"{path}: expected at most {_PIXELS:,} pixels, got more. Reduce the picture first."
            ) from error
        raise PictureFileError(
            f"{path}: expected a picture ({', '.join(ENDINGS)}), but it cannot be decoded: "
            f"{type(error).__name__}: {error}. It may be damaged, or not be a picture."
        ) from error


def write_picture(path: str | os.PathLike[str], picture: npt.ArrayLike) -> None:
    """Write one picture, in the format of the path's ending; the file appears whole or not at all.

    Parameters
    ----------
    path : path
        Ends in .png, .tif, .tiff (8 or 16 bits), .jpg, .jpeg, .webp or .bmp (8 bits).
    picture : array_like
        (H, W), (H, W, 1), (H, W, 3) or (H, W, 4); uint8, uint16, float in [0, 1] (written as 8 bits) or bool.

    Raises
    ------
    InputError, InputTypeError
        The array is not a picture, or the format cannot hold it.
    PictureFileError
        The file cannot be written.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> from labcolor import write_picture
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_picture(f"{folder}/red.png", np.array([[[255, 0, 0]]], np.uint8))
    """
    path = as_path("path", path)
    ending = path.suffix.lower()
    if ending not in WRITABLE:
        raise InputError(f"{path}: expected a name that ends in {', '.join(WRITABLE)}. Rename it.")
    array = as_array("picture", picture)
    as_picture(array, "picture")  # or say what is wrong with it
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim == 3 and array.shape[2] == 4 and ending in (".jpg", ".jpeg", ".bmp"):
        raise InputError(f"{path}: {ending} holds no alpha. Write a .png, or drop it with picture[..., :3].")
    if array.dtype != np.uint16 or ending not in (".png", ".tif", ".tiff"):
        array = as_bytes(array)
    check_destination(path, PictureFileError)
    try:
        with replacing(path, PictureFileError) as temporary:
            if array.dtype == np.uint16 and ending != ".png":
                iio.imwrite(temporary, array, plugin="tifffile")
            elif array.dtype == np.uint16 and array.ndim == 3:
                _write_deep_png(temporary, array)
            else:
                options: dict[str, Any] = {"quality": 95} if ending in (".jpg", ".jpeg", ".webp") else {}
                iio.imwrite(temporary, array, plugin="pillow", **options)
    except LabcolorError:
        raise
    except (OSError, ValueError, ffmpeg.FfmpegError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PictureFileError(f"{path}: cannot be written: {reason}.") from error


def _write_deep_png(path: Path, picture: Array) -> None:
    """Write RGB or RGBA of 16 bits as PNG, which Pillow cannot, through ffmpeg."""
    height, width, channels = picture.shape
    layout = {3: "rgb48", 4: "rgba64"}[channels]
    source = ["-f", "rawvideo", "-pix_fmt", f"{layout}le", "-s", f"{width}x{height}", "-i", "-"]
    target = ["-c:v", "png", "-pix_fmt", f"{layout}be", "-frames:v", "1", "-f", "image2pipe", "-"]
    path.write_bytes(ffmpeg.run([*source, *target], picture.astype("<u2").tobytes()))


def picture_paths(
    sources: Iterable[str | os.PathLike[str]], problems: list[PictureFileError] | None = None
) -> list[Path]:
    """Return the picture files among ``sources``, by name; folders are searched with their subfolders.

    Parameters
    ----------
    sources : iterable of path
        Files, which are taken whatever their ending, and folders, of whose files those with one of :data:`ENDINGS` are
        taken, but for hidden ones. Links to folders in folders are not followed.
    problems : list, optional
        Where to put the errors rather than to raise them; the rest is returned then.

    Returns
    -------
    list of Path
        Each folder's files sorted by their path in it.

    Raises
    ------
    PictureFileError
        A source does not exist, or a folder holds no picture, or cannot be read.
    InputError, InputTypeError
        A source is not a path.
    """
    paths: list[Path] = []
    wrong: list[PictureFileError] = []
    for source in (as_path("source", source) for source in sources):
        if os.path.isdir(source):
            inside, unreadable = files_in(source, ENDINGS)
            wrong += [PictureFileError(f"{e.filename}: this folder cannot be read: {e.strerror}.") for e in unreadable]
            if not inside and not unreadable:
                wrong.append(
                    PictureFileError(f"{source}: expected pictures in this folder ({', '.join(ENDINGS)}), found none.")
                )
            paths += inside
        elif os.path.exists(source):
            paths.append(source)
        else:
            wrong.append(
                PictureFileError(f"{source}: expected a picture or a folder, but there is none. Check the path.")
            )
    if problems is None and wrong:
        raise wrong[0]
    if problems is not None:
        problems += wrong
    return paths
