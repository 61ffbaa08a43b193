"""From the bytes of a picture file to those of a colored one."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from labcolor.colorizer import Colorizer
from labcolor.display.triptych import show
from labcolor.io.decoders import decode
from labcolor.io.encoders import OPAQUE, WRITABLE
from labcolor.io.inputs import one_picture
from labcolor.io.metadata import read_metadata
from labcolor.io.pictures import write_picture
from labcolor.io.sources import Source, decoding, opened
from labcolor.io.tiff import opened_tiff
from labcolor.pictures.hint_text import Hint, hint_map
from labcolor.pictures.picture import over_white

__all__ = ["MEDIA_TYPES", "Preview", "color_file", "look_at", "preview_file"]

MEDIA_TYPES = {ending: f"image/{ {'jpg': 'jpeg', 'tif': 'tiff'}.get(ending[1:], ending[1:]) }" for ending in WRITABLE}
_ENDINGS = {
    "PNG": ".png",
    "JPEG": ".jpg",
    "MPO": ".jpg",
    "TIFF": ".tif",
    "WEBP": ".webp",
    "BMP": ".bmp",
    "AVIF": ".avif",
}


def _source(content: bytes) -> Source:
    return Source("the picture", content)


def look_at(content: bytes) -> tuple[str, tuple[int, int]]:
    """Return what a picture file is, without decoding its pixels.

    Parameters
    ----------
    content : bytes
        The file.

    Returns
    -------
    ending : str
        That of the format in which its colored picture is written, unless another one is asked for.
    shape : (H, W)
        Its size, before EXIF turns it.

    Raises
    ------
    PictureFileError
        It is no picture.
    """
    source = _source(content)
    with decoding(source.name, source):
        if source.kind == "TIFF":
            with opened_tiff(source) as (page, _):
                return ".tif", (int(page.imagelength), int(page.imagewidth))
        with opened(source) as image:
            return _ENDINGS.get(image.format or "", ".png"), (image.height, image.width)


def color_file(
    colorizer: Colorizer, content: bytes, *, ending: str, saturation: float = 1.0, hints: Sequence[Hint] = ()
) -> bytes:
    """Color a picture file at its full resolution. EXIF, XMP and resolution are kept.

    Parameters
    ----------
    colorizer : Colorizer
        What colors it.
    content : bytes
        The file.
    ending : str
        Of the format to write.
    saturation : float
        As for :meth:`labcolor.Colorizer.predict`.
    hints : sequence of Hint
        Known colors.

    Returns
    -------
    bytes
        A file of the format of ``ending``. In one that holds no alpha, transparent parts are white.

    Raises
    ------
    PictureFileError, OutOfMemoryError
        The file is damaged or too large.
    InputError
        The saturation or a hint cannot be used.
    """
    picture = decode(_source(content))
    known = hint_map(hints, picture.shape[:2]) if hints else None
    colored = colorizer.predict(picture, saturation=saturation, hints=known)
    if ending in OPAQUE:
        colored = over_white(one_picture(colored, "colored"))
    with tempfile.TemporaryDirectory(prefix="labcolor-") as folder:
        path = Path(folder, "colored").with_suffix(ending)
        write_picture(path, colored, metadata=read_metadata(content))
        return path.read_bytes()


@dataclass(frozen=True)
class Preview:
    """A picture as a browser can show it.

    Parameters
    ----------
    content : bytes
        A JPEG, upright and in sRGB, of at most 1,600 pixels a side; alpha is laid over white.
    shape : (H, W)
        Size of the upright picture itself.
    """

    content: bytes
    shape: tuple[int, int]


def preview_file(content: bytes) -> Preview:
    """Reduce a picture file for a page.

    Parameters
    ----------
    content : bytes
        The file.

    Returns
    -------
    Preview

    Raises
    ------
    PictureFileError, OutOfMemoryError
        The file is damaged or too large.
    """
    picture = decode(_source(content))
    file = io.BytesIO()
    show(picture).save(file, "JPEG", quality=92)
    return Preview(file.getvalue(), (picture.shape[0], picture.shape[1]))
