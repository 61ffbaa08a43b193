"""Read, write and find picture files."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy.typing as npt
from PIL import Image

from labcolor.base.paths import as_path, check_destination, files_in, write_file
from labcolor.base.typing import Array, PathLike, PictureSource
from labcolor.base.validation import as_array, instance_of, optional, require
from labcolor.errors import InputError, LabcolorError, PictureFileError
from labcolor.io.decoders import decode, from_image
from labcolor.io.encoders import OPAQUE, check_ending, check_options, encode
from labcolor.io.label import labeled
from labcolor.io.metadata import PictureMetadata
from labcolor.io.sources import ENDINGS, as_source
from labcolor.pictures.picture import as_bytes, as_picture


def read_picture(source: PictureSource) -> Array:
    """Read one picture. Apply EXIF rotation, convert palettes and CMYK to RGB, and keep 16 bits.

    Parameters
    ----------
    source : path, bytes, open binary file or PIL image
        PNG, JPEG, TIFF, WebP, BMP, GIF, AVIF, JPEG 2000, PPM or, with the package pillow-heif, HEIC. Of several frames
        the first is read, and of several pages the first that is not a thumbnail. A path must name a regular file. An
        open file is read from its position, and set back to it if that is possible.

    Returns
    -------
    ndarray
        (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA; uint8, uint16, or float32 for TIFF files of floats in [0, 1].
        9 to 15 bits are stretched to 16, and signed integers to their unsigned range. Alpha is not premultiplied.
        Unspecified extra samples of a TIFF, such as a scanner's infrared, are left out. The colors are sRGB: an
        embedded color profile is applied to 8 bits, and ignored for 16 bits and floats.

    Raises
    ------
    PictureFileError
        The file is missing, is not a picture, is damaged, or has more than 178,956,970 pixels.
    OutOfMemoryError
        The picture did not fit in memory.
    InputTypeError, InputError
        ``source`` has another type, or is a PIL image of another mode than 1, L, LA, La, P, PA, RGB, RGBA, RGBa, RGBX,
        CMYK, YCbCr, LAB, HSV, I, I;16 and F.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> from labcolor import read_picture, write_picture
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_picture(f"{folder}/grey.png", np.zeros((4, 6), np.uint8))
    ...     read_picture(f"{folder}/grey.png").shape
    (4, 6)
    """
    if isinstance(source, Image.Image):
        return from_image("source", source)
    return decode(as_source("source", source))


def write_picture(
    path: PathLike,
    picture: npt.ArrayLike,
    *,
    quality: int | None = None,
    compression: int | Literal["deflate"] | None = None,
    metadata: PictureMetadata | None = None,
    label: bool = False,
) -> None:
    """Write one picture, completely or not at all, in the format of the path's ending.

    Parameters
    ----------
    path : path
        A new file, or a regular file that is replaced. A symbolic link is replaced, and its target stays. The ending is
        .png (8 or 16 bits), .tif, .tiff (8 or 16 bits, or float32), .jpg, .jpeg, .webp, .bmp, or, if Pillow supports
        it, .avif (8 bits).
    picture : array_like
        (H, W), (H, W, 1), (H, W, 3) or (H, W, 4); uint8, uint16, float in [0, 1] or bool. A TIFF stores float32. Other
        dtypes that the format does not support become uint8.
    quality : int, optional
        Quality of JPEG, WebP and AVIF, from 1 to 100, by default 95.
    compression : int or "deflate", optional
        Lossless compression. For PNG from 0 (large) to 9 (small and slow), by default 6. For TIFF "deflate"; by default
        a TIFF is not compressed.
    metadata : PictureMetadata, optional
        Metadata from :func:`labcolor.read_metadata`. EXIF and XMP in BMP, and those over 64 KB in JPEG, are dropped
        with a warning in the log, because the format does not support them.
    label : bool, default False
        Whether XMP states that an algorithm chose the colors, as in the files of ``labcolor colorize``: by IPTC's
        digital source type "algorithmicallyEnhanced", and by a description if XMP has none. BMP does not support it.

    Raises
    ------
    InputError, InputTypeError
        The array is not a picture, or the format does not support it, the quality or the compression.
    PictureFileError
        The file cannot be written.
    OutOfMemoryError
        There was not enough memory to write it.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> from labcolor import write_picture
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_picture(f"{folder}/red.png", np.array([[[255, 0, 0]]], np.uint8), label=True)
    """
    path = as_path("path", path)
    ending = path.suffix.lower()
    check_ending(path)
    array = as_array("picture", picture)
    as_picture(array, "picture")  # raises an error for other arrays
    check_options(ending, quality, compression)
    require("metadata", metadata, optional(instance_of(PictureMetadata)))
    require("label", label, instance_of(bool))
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim == 3 and array.shape[2] == 4 and ending in OPAQUE:
        raise InputError(f"{path}: {ending} does not support alpha. Write a .png, or drop it with picture[..., :3].")
    depths = {".png": ("u2",), ".tif": ("u2", "f4"), ".tiff": ("u2", "f4")}.get(ending, ())
    if array.dtype.str[1:] not in depths:
        array = as_bytes(array)
    check_destination(path, PictureFileError)
    kept = PictureMetadata() if metadata is None else metadata
    if label and ending != ".bmp":  # which holds no metadata
        kept = labeled(kept, str(path))

    def write(temporary: Path) -> None:
        encode(temporary, array, quality=quality, compression=compression, metadata=kept, name=str(path))

    try:
        write_file(path, write, PictureFileError)
    except LabcolorError:
        raise
    except (ValueError, KeyError, struct.error) as error:  # encoders raise them
        raise PictureFileError(f"{path}: cannot be written: {error}.") from error


def picture_paths(sources: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Return the picture files among files and folders, and in subfolders.

    Parameters
    ----------
    sources : iterable of path
        Files with any ending, and folders, of which the files with one of :data:`ENDINGS` are returned.

    Returns
    -------
    list of Path
        The files of each folder are sorted by their path in it.

    Raises
    ------
    PictureFileError
        A source does not exist, or a folder contains no picture or cannot be read.
    InputError, InputTypeError
        A source is not a path.
    """
    paths: list[Path] = []
    for source in (as_path("source", source) for source in sources):
        if os.path.isdir(source):
            inside, problems = pictures_in(source)
            if problems:
                raise problems[0]
            paths += inside
        elif os.path.exists(source):
            paths.append(source)
        else:
            raise PictureFileError(f"{source}: expected a picture or a folder, but it does not exist. Check the path.")
    return paths


def pictures_in(folder: Path) -> tuple[list[Path], list[PictureFileError]]:
    """Return the pictures of a folder and its subfolders, and an error if there are none or for unreadable folders."""
    paths, problems = files_in(folder, ENDINGS, PictureFileError)
    if not paths and not problems:
        found = f"{folder}: expected pictures in this folder ({', '.join(ENDINGS)}), found none."
        problems.append(PictureFileError(found))
    return paths, problems
