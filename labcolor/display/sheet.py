"""Contact sheets: small pictures in rows, each with its caption."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from labcolor.base.typing import Array
from labcolor.pictures.picture import as_bytes

_WIDTH = 240  # pixels of a small picture
_COLUMNS = 6
_MARGIN, _LINE = 8, 16  # pixels around a picture, and height of a line of text
_GROUND, _INK = 24, 230  # grey values


def contact_sheet(pictures: Iterable[tuple[Array, str]]) -> Array:
    """Return a sheet of pictures with captions.

    Parameters
    ----------
    pictures : iterable of (ndarray, str)
        At least one picture, (H, W) or (H, W, 3), uint8 or uint16, and its caption. All get the aspect ratio of the
        first picture.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8
    """
    small: list[Image.Image] = []
    captions = []
    for values, caption in pictures:
        size = small[0].size if small else (_WIDTH, max(1, round(_WIDTH * values.shape[0] / values.shape[1])))
        small.append(Image.fromarray(as_bytes(values)).convert("RGB").resize(size, Image.Resampling.LANCZOS))
        captions.append(caption)
    columns = min(_COLUMNS, len(small))
    width = _WIDTH + _MARGIN
    height = small[0].height + _MARGIN + _LINE * max(caption.count("\n") + 1 for caption in captions)
    rows = -(-len(small) // columns)
    sheet = Image.new("RGB", (columns * width + _MARGIN, rows * height + _MARGIN), (_GROUND,) * 3)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=12)
    for number, (picture, caption) in enumerate(zip(small, captions, strict=True)):
        x, y = number % columns * width + _MARGIN, number // columns * height + _MARGIN
        sheet.paste(picture, (x, y))
        draw.multiline_text((x, y + picture.height + 1), caption, (_INK,) * 3, font, spacing=2)
    return np.asarray(sheet)
