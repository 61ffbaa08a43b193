"""Color pictures reduced to a short side, and their center squares."""

from __future__ import annotations

import numpy as np
from PIL import Image

from labcolor.base.typing import Array
from labcolor.errors import InputError
from labcolor.pictures.picture import Picture, as_bytes

_LONGEST = 8  # largest ratio of the long side to the short side, as in predictions


def reduce_picture(picture: Picture, short_side: int, name: str) -> Array:
    """Resize a color picture to a short side of ``short_side``, and return (H, W, 3) uint8 without alpha.

    If the long side is more than eight times the short side, only the center is used, to limit the size of the result.
    """
    if picture.values.shape[2] != 3:
        raise InputError(f"{name}: expected a color picture, got a grey one. Leave it out.")
    longest = _LONGEST * min(picture.shape)
    rows, columns = (slice(max(0, side - longest) // 2, (side + longest + 1) // 2) for side in picture.shape)
    image = Image.fromarray(as_bytes(picture.values[rows, columns]))
    factor = short_side / min(image.size)
    if factor != 1:
        size = max(short_side, round(image.width * factor)), max(short_side, round(image.height * factor))
        image = image.resize(size, Image.Resampling.BICUBIC if factor > 1 else Image.Resampling.BOX)
    return np.asarray(image)


def center_crop(picture: Array, size: int) -> Array:
    """Return the ``size`` x ``size`` square in the center of a picture."""
    top, left = ((side - size) // 2 for side in picture.shape[:2])
    return picture[top : top + size, left : left + size]
