"""Work on one upload: check it, color it, or reduce it to a preview."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import imageio.v3 as iio
import numpy as np
from PIL import Image
from starlette.datastructures import Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from labcolor.base.typing import Array
from labcolor.colorizer import Colorizer, exemplars_of
from labcolor.display.views import show
from labcolor.errors import InputError, PictureFileError
from labcolor.io.decoders import decode
from labcolor.io.encoders import WRITABLE
from labcolor.io.folders import color_file_to_bytes
from labcolor.io.sources import Source, decoding, opened
from labcolor.io.tiff import opened_tiff
from labcolor.pictures.hints import Hint

MEDIA_TYPES = {ending: f"image/{ {'jpg': 'jpeg', 'tif': 'tiff'}.get(ending[1:], ending[1:]) }" for ending in WRITABLE}
_ENDINGS = {"PNG": ".png", "JPEG": ".jpg", "MPO": ".jpg", "WEBP": ".webp", "BMP": ".bmp", "AVIF": ".avif"}
_LIKE = "like"


class _Parser(MultiPartParser):
    """Parser that writes no upload to disk and notices whether a form is complete."""

    spool_max_size = 1 << 62
    is_complete = False

    def on_end(self) -> None:
        """Note the boundary that ends a form."""
        self.is_complete = True


def _files_in(body: bytes, content_type: str) -> tuple[bytes, bytes | None]:
    """Return the picture of a request, and the exemplar or None. The body is the picture, or a form with both."""
    if not content_type.lower().startswith("multipart/"):
        return body, None
    return asyncio.run(_parse(body, content_type))


async def _parse(body: bytes, content_type: str) -> tuple[bytes, bytes | None]:
    """Parse a form."""

    async def stream() -> AsyncGenerator[bytes]:
        yield body

    parser = _Parser(Headers({"Content-Type": content_type}), stream(), max_files=2, max_fields=8)
    try:
        form = await parser.parse()
    except (MultiPartException, ValueError) as error:
        raise InputError(
            "expected a form with one or two files and at most 8 fields, but this form is damaged or contains more."
        ) from error
    if not parser.is_complete:
        raise InputError("expected a form with a picture, but this form is truncated. Send it again.")
    files = [(name, value) for name, value in form.multi_items() if isinstance(value, UploadFile)]
    pictures = [await file.read() for name, file in files if name != _LIKE]
    likes = [await file.read() for name, file in files if name == _LIKE]
    if len(pictures) != 1 or len(likes) > 1:
        raise InputError(
            f'expected a form with one picture, and at most one exemplar named "{_LIKE}", got {len(pictures)} pictures '
            f"and {len(likes)} exemplars."
        )
    if b"" in (*pictures, *likes):
        raise InputError("expected a picture, got an empty file.")
    return pictures[0], likes[0] if likes else None


def color_upload(
    colorizer: Colorizer,
    content: bytes,
    pixels: int,
    *,
    content_type: str,
    ending: str | None = None,
    saturation: float = 1.0,
    hints: Sequence[Hint] = (),
) -> tuple[bytes, dict[str, str]]:
    """Color a picture file at its full resolution. EXIF, XMP and resolution are kept, and a label is added.

    Parameters
    ----------
    colorizer : Colorizer
        Colorizer to use.
    content : bytes
        The file, or a form with it and a file "like", whose colors it takes.
    pixels : int
        Largest number of pixels of each file.
    content_type : str
        Content-Type header of the request.
    ending : str, optional
        Ending of the format to write. By default that of the file, or ".png" if labcolor cannot write it.
    saturation : float
        As for :meth:`labcolor.Colorizer.predict`.
    hints : sequence of Hint
        Known colors.

    Returns
    -------
    content : bytes
        A file of that format. If the format has no alpha, transparent parts are white.
    headers : dict
        Of HTTP.

    Raises
    ------
    HTTPException, PictureFileError, OutOfMemoryError
        A file is not a picture, is damaged or is too large.
    InputError
        The form, the saturation or a hint cannot be used.
    """
    uploaded, exemplar = _files_in(content, content_type)
    picture = Source("the picture", uploaded)
    own = _check(picture, pixels)
    ending = ending or own
    like = None if exemplar is None else Source("like", exemplar)
    if like is not None:
        _check(like, pixels)
        exemplars_of(colorizer, like)  # analyzed before the picture needs memory, and remembered for predict

    def color(values: Array, in_cells: bool) -> Array:
        return colorizer.predict(values, saturation=saturation, hints=list(hints) or None, like=like)

    return color_file_to_bytes(picture, ending, color, {"label": True}), {"Content-Type": MEDIA_TYPES[ending]}


def preview_upload(
    colorizer: Colorizer, content: bytes, pixels: int, *, content_type: str
) -> tuple[bytes, dict[str, str]]:
    """Reduce a picture file for a page.

    Parameters
    ----------
    colorizer : Colorizer
        Not used.
    content : bytes
        The file, or a form with it.
    pixels : int
        Largest number of pixels.
    content_type : str
        Content-Type header of the request.

    Returns
    -------
    content : bytes
        A JPEG, upright and in sRGB, of at most 1,600 pixels a side; alpha is laid over white.
    headers : dict
        Of HTTP, among them the size of the upright picture itself.

    Raises
    ------
    HTTPException, PictureFileError, OutOfMemoryError
        The file is not a picture, is damaged or is too large.
    InputError
        The form cannot be used.
    """
    uploaded, exemplar = _files_in(content, content_type)
    if exemplar is not None:
        raise InputError("like: only /color uses it. Leave it out.")
    source = Source("the picture", uploaded)
    _check(source, pixels)
    picture = decode(source)
    content = iio.imwrite("<bytes>", np.asarray(show(picture)), plugin="pillow", extension=".jpg", quality=92)
    height, width = picture.shape[:2]
    return content, {"Content-Type": MEDIA_TYPES[".jpg"], "X-Picture-Size": f"{width}x{height}"}


def _check(source: Source, pixels: int) -> str:
    """Return the ending for the format of a picture file; refuse a file with too many pixels."""
    try:
        ending, height, width = _read_header(source)
    except PictureFileError as error:
        too_large = isinstance(error.__cause__, Image.DecompressionBombError)
        raise HTTPException(413 if too_large else 415, str(error)) from error
    if height * width > pixels:
        expected = f"{source.name}: expected at most {pixels:,} pixels, got {width} x {height}."
        raise HTTPException(413, f"{expected} Reduce it, or use the command line.")
    return ending


def _read_header(source: Source) -> tuple[str, int, int]:
    """Return the ending for the format of a file, and the picture's height and width before EXIF turns it."""
    with decoding(source.name, source):
        if source.kind == "TIFF":
            with opened_tiff(source) as (page, _):
                return ".tif", int(page.imagelength), int(page.imagewidth)
        with opened(source) as image:
            return _ENDINGS.get(image.format or "", ".png"), image.height, image.width
