"""Results to look at: L, colored and original side by side."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from labcolor._deprecation import warn_renamed
from labcolor._typing import Array, PathLike
from labcolor.errors import InputError
from labcolor.io.pictures import write_picture
from labcolor.pictures.picture import Picture, as_bytes, one_picture

__all__ = ["triptych"]

_GAP = 8  # pixels of white between panels


def _rgb(picture: Picture) -> Array:
    """One picture as (H, W, 3) uint8, without its alpha."""
    values = as_bytes(picture.values)
    return np.broadcast_to(values, (*picture.shape, 3))


def triptych(
    original: npt.ArrayLike,
    colored: npt.ArrayLike | None = None,
    *,
    path: PathLike | None = None,
    coloured: npt.ArrayLike | None = None,
) -> npt.NDArray[np.uint8]:
    """Put L, the colored picture and the original side by side.

    Parameters
    ----------
    original : array_like, shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)
        The picture that was colored, in color or not; uint8, uint16, float in [0, 1] or bool. Its lightness is the
        first panel.
    colored : array_like, shape (H, W, 3) or (H, W, 4)
        What ``Colorizer.predict`` made of it.
    path : path, optional
        Where to write the panels as well.
    coloured : array_like, optional
        The old name of ``colored``; it will be removed in 0.3.

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
    if coloured is not None:
        warn_renamed("coloured", "colored")
        colored = coloured
    first, second = one_picture(original, "original"), one_picture(colored, "colored")
    if first.shape != second.shape:
        raise InputError(f"expected two pictures of one size, got {first.shape} and {second.shape}.")
    white = np.full((first.shape[0], _GAP, 3), 255, np.uint8)
    panels = np.hstack([first.grey(), white, _rgb(second), white, _rgb(first)])
    if path is not None:
        write_picture(path, panels)
    return panels
