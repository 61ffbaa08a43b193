"""Metadata that a colored picture keeps: EXIF, XMP and resolution."""

from __future__ import annotations

import logging
import re
import threading
import warnings
from dataclasses import dataclass
from typing import Any

from PIL import Image

from labcolor.base.typing import PictureSource
from labcolor.base.validation import Check, optional, require
from labcolor.errors import InputError
from labcolor.io.limits import DAMAGE, XMP_BYTES, ignoring_damage
from labcolor.io.sources import Source, as_source, decoding, opened
from labcolor.io.tiff import opened_tiff

_log = logging.getLogger(__name__)
_lock = threading.Lock()  # since filters of warnings belong to all threads

# Tags of the directories of camera and GPS, and of the horizontal and vertical resolution and their unit.
EXIF_IFD, GPS_IFD = 0x8769, 0x8825
RESOLUTION = 0x011A, 0x011B, 0x0128
ORIENTATION = 0x0112
_XMP = 0x02BC
_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation\s*(?:=\s*[\"']|>)\s*)[0-9]")
_EXIF_DAMAGED = "its EXIF is damaged, and left out."
_THUMBNAILS = b"<xmp:Thumbnails>", b"</xmp:Thumbnails>"
# Tags that describe a picture, rather than its layout: document, title, maker, model, page, software, date, artist,
# computer, ratings, copyright, and Windows' title, comment, author, keywords and subject.
_DESCRIPTIVE = {269, 270, 271, 272, 285, 305, 306, 315, 316, 18246, 18249, 33432, *range(40091, 40096)}
# Color space and size of the old file, and the maker's notes, which contain offsets into it.
_OUTDATED = {0xA001, 0xA002, 0xA003, 0xA005, 0x927C}
_DPI = 1, 65535  # the range of JPEG


def _are_dots(value: Any) -> bool:
    """Return whether a value is a resolution."""
    return len(value) == 2 and all(isinstance(one, int | float) and _DPI[0] <= one <= _DPI[1] for one in value)


_BYTES = optional(Check("bytes", (bytes,), lambda value: True))
_DOTS = optional(Check(f"two numbers from {_DPI[0]} to {_DPI[1]}", (tuple,), _are_dots))


@dataclass(frozen=True)
class PictureMetadata:
    r"""Metadata of a picture file; immutable.

    Parameters
    ----------
    exif : bytes or None
        EXIF as a TIFF, with or without the prefix ``b"Exif\0\0"``. Damaged parts are logged and left out.
    xmp : bytes or None
        XMP, a packet of XML in UTF-8.
    dpi : tuple of float or None
        Horizontal and vertical resolution in dots per inch, from 1 to 65,535.

    Raises
    ------
    InputError, InputTypeError
        A value has another type or range, or ``exif`` cannot be parsed.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> from labcolor import PictureMetadata, read_metadata, write_picture
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_picture(f"{folder}/p.png", np.zeros((4, 6), np.uint8), metadata=PictureMetadata(dpi=(300, 300)))
    ...     round(read_metadata(f"{folder}/p.png").dpi[0])
    300
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        require("exif", self.exif, _BYTES)
        require("xmp", self.xmp, _BYTES)
        require("dpi", self.dpi, _DOTS)
        if self.exif is not None:
            with _lock, warnings.catch_warnings(record=True) as damage:  # Pillow warns of damaged parts that it skips
                warnings.simplefilter("always")
                try:
                    packed = _loaded(self.exif).tobytes()
                except DAMAGE as error:
                    expected = "exif: expected EXIF in the form of a TIFF, got other bytes. Leave it out."
                    raise InputError(expected) from error
            if damage:
                _log.warning("exif: its damaged parts are left out: %s", damage[0].message)
                object.__setattr__(self, "exif", packed)


def full_exif(metadata: PictureMetadata) -> Image.Exif:
    """Return the EXIF of metadata, with the resolution."""
    exif = Image.Exif() if metadata.exif is None else _loaded(metadata.exif)
    if metadata.dpi is not None:
        for tag, value in zip(RESOLUTION, (*metadata.dpi, 2), strict=True):  # 2: an inch
            exif[tag] = value
    return exif


def _loaded(packed: bytes) -> Image.Exif:
    """Return EXIF from its bytes."""
    exif = Image.Exif()
    exif.load(packed)
    _keep_codes(exif)
    return exif


def _keep_codes(exif: Image.Exif) -> None:
    """Encode texts as Latin-1. Pillow decodes them so, but would encode them as ASCII."""
    for tag, value in list(exif.items()):
        if isinstance(value, str):
            exif[tag] = value.encode("latin-1")


def read_metadata(source: PictureSource | Source) -> PictureMetadata:
    """Read the metadata of a picture file, for :func:`labcolor.write_picture`.

    The metadata describes the result of :func:`labcolor.read_picture`: EXIF and XMP state an upright orientation. It
    excludes thumbnails, which show the old picture, color spaces and profiles, which are applied to the pixels, and the
    camera maker's own notes, which contain offsets into the old file.

    Parameters
    ----------
    source : path, bytes, open binary file or PIL image
        As for :func:`labcolor.read_picture`.

    Returns
    -------
    PictureMetadata
        EXIF (date, copyright, camera, place and others), XMP and resolution in dots per inch. A missing part is None.
        Damaged EXIF is logged and left out.

    Raises
    ------
    PictureFileError
        The file is missing, or is not a picture.
    InputTypeError, InputError
        ``source`` has another type.

    Examples
    --------
    Color a scan and keep its date and resolution:

    >>> import numpy as np, tempfile
    >>> from labcolor import Colorizer, read_metadata, read_picture, write_picture
    >>> colorizer = Colorizer.from_pretrained("reference")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_picture(f"{folder}/scan.tif", np.full((48, 64), 128, np.uint8))
    ...     colored = colorizer.predict(read_picture(f"{folder}/scan.tif"))
    ...     write_picture(f"{folder}/colored.tif", colored, metadata=read_metadata(f"{folder}/scan.tif"))
    """
    if isinstance(source, Image.Image):
        return _of_image("source (PIL image)", source)
    file = as_source("source", source)
    with decoding(file.name, file):
        if file.kind != "TIFF":
            with opened(file) as image:
                return _of_image(file.name, image)
        with opened_tiff(file) as (page, _), file.open() as stream:
            exif = Image.Exif()
            exif.endian, exif.bigtiff = page.parent.byteorder, page.parent.is_bigtiff
            exif.load_from_fp(stream, page.offset)
            return _of_exif(file.name, exif, exif.get(_XMP), None)


def _of_image(name: str, image: Image.Image) -> PictureMetadata:
    """Return the metadata of a PIL image."""
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    exif = Image.Exif()
    with ignoring_damage(f"{name}: {_EXIF_DAMAGED}"):
        exif = image.getexif()
    return _of_exif(name, exif, exif.get(_XMP) if xmp is None else xmp, image.info.get("dpi"))


def _of_exif(name: str, exif: Image.Exif, xmp: Any, dpi: Any) -> PictureMetadata:
    """Return the metadata of the upright picture."""
    lies, dots, packed = False, None, None
    with ignoring_damage():
        dots = _dots(exif, dpi)
    with ignoring_damage(f"{name}: {_EXIF_DAMAGED}"):
        lies = exif.get(ORIENTATION, 1) in (5, 6, 7, 8)
        packed = _descriptive(exif)
    return PictureMetadata(
        exif=packed,
        xmp=_upright_xmp(name, xmp.encode() if isinstance(xmp, str) else xmp),
        dpi=(dots[1], dots[0]) if dots is not None and lies else dots,
    )


def _upright_xmp(name: str, xmp: Any) -> bytes | None:
    """Return XMP of the upright picture without thumbnails, or None if it is missing or too long."""
    if not isinstance(xmp, bytes) or not xmp:
        return None
    if len(xmp) > XMP_BYTES:
        _log.warning("%s: more than %s bytes of XMP are left out.", name, f"{XMP_BYTES:,}")
        return None
    kept, position = [], 0
    while (start := xmp.find(_THUMBNAILS[0], position)) >= 0 and (end := xmp.find(_THUMBNAILS[1], start)) >= 0:
        kept.append(xmp[position:start])
        position = end + len(_THUMBNAILS[1])
    return _XMP_ORIENTATION.sub(rb"\g<1>1", b"".join([*kept, xmp[position:]])) or None


def _dots(exif: Image.Exif, dpi: Any) -> tuple[float, float] | None:
    """Return the stored picture's dots per inch, from its format or else from EXIF."""
    if dpi is None:
        x, y = (exif.get(tag) for tag in RESOLUTION[:2])
        factor = {2: 1, 3: 2.54}.get(exif.get(RESOLUTION[2], 2))
        if x is None or y is None or factor is None:
            return None
        dpi = float(x) * factor, float(y) * factor
    dots = float(dpi[0]), float(dpi[1])
    return dots if _are_dots(dots) else None


def _descriptive(exif: Image.Exif) -> bytes | None:
    """Return the EXIF tags that are valid for the upright picture, as a TIFF, or None if there are none."""
    kept = Image.Exif()
    for tag in _DESCRIPTIVE & set(exif):
        kept[tag] = exif[tag]
    _keep_codes(kept)
    for place in (EXIF_IFD, GPS_IFD):
        inside = {tag: value for tag, value in exif.get_ifd(place).items() if tag not in _OUTDATED}
        if inside:
            kept[place] = inside
    if not kept:
        return None
    if ORIENTATION in exif:
        kept[ORIENTATION] = 1
    return kept.tobytes()
