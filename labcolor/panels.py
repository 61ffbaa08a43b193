"""Results to look at: L, coloured and original side by side."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from labcolor.errors import InputError
from labcolor.picturefiles import write_picture
from labcolor.pictures import Picture, as_bytes, one_picture

__all__ = ["triptych"]

Array = npt.NDArray[Any]
_GAP = 8  # pixels of white between panels


def _rgb(picture: Picture) -> Array:
    """One picture as (H, W, 3) uint8, without its alpha."""
    values = as_bytes(picture.values)
    return np.broadcast_to(values, (*picture.shape, 3))


def triptych(
    original: npt.ArrayLike, coloured: npt.ArrayLike, *, path: str | os.PathLike[str] | None = None
) -> npt.NDArray[np.uint8]:
    """Put L, the coloured picture and the original side by side.

    Parameters
    ----------
    original : array_like, shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)
        The picture that was coloured, in colour or not; uint8, uint16, float in [0, 1] or bool. Its lightness is the
        first panel.
    coloured : array_like, shape (H, W, 3) or (H, W, 4)
        What ``Colorizer.predict`` made of it.
    path : path, optional
        Where to write the panels as well.

    Returns
    -------
    ndarray, shape (H, 3 * W + 16, 3), uint8
        The three panels with 8 white pixels between them; alpha is dropped.

    Raises
    ------
    InputError, InputTypeError
        An array is not one picture, or the sizes differ.
    PictureFileError
        The file cannot be written.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor import triptych
    >>> triptych(np.zeros((4, 6), np.uint8), np.zeros((4, 6, 3), np.uint8)).shape
    (4, 34, 3)
    """
    first, second = one_picture(original, "original"), one_picture(coloured, "coloured")
    if first.shape != second.shape:
        raise InputError(f"expected two pictures of one size, got {first.shape} and {second.shape}.")
    white = np.full((first.shape[0], _GAP, 3), 255, np.uint8)
    panels = np.hstack([first.grey(), white, _rgb(second), white, _rgb(first)])
    if path is not None:
        write_picture(path, panels)
    return panels
