"""Results to look at: pictures in a notebook, and L, colored and original side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from labcolor.base.typing import Array, PathLike, PictureInput
from labcolor.errors import InputError
from labcolor.io.inputs import as_pictures, one_picture
from labcolor.io.pictures import write_picture
from labcolor.pictures.picture import Picture, as_bytes, over_white

__all__ = ["show", "triptych"]

_GAP = 8  # pixels of white between panels
_SHOWN = 1600  # the longest side, in pixels, that is shown


def _rgb(picture: Picture) -> Array:
    """Return one picture as (H, W, 3) uint8, without its alpha."""
    return np.broadcast_to(as_bytes(picture.values), (*picture.shape, 3))


def _side_by_side(panels: list[Array]) -> Array:
    """Put pictures (H, W, 3), uint8, in a row, with white between and below them."""
    height, width = max(len(panel) for panel in panels), sum(panel.shape[1] + _GAP for panel in panels) - _GAP
    row = np.full((height, width, 3), 255, np.uint8)
    left = 0
    for panel in panels:
        row[: len(panel), left : left + panel.shape[1]] = panel
        left += panel.shape[1] + _GAP
    return row


def show(pictures: PictureInput | list[Any] | tuple[Any, ...]) -> Image.Image:
    """Show pictures in a notebook: the last line of a cell, ``show(...)``, is shown as a picture.

    ``Colorizer.predict`` and :func:`triptych` give arrays, to go on with; this is to look at them.

    Parameters
    ----------
    pictures : array, path, bytes, open binary file, PIL image, or sequence of these
        One picture or several, as for :meth:`labcolor.Colorizer.predict`.

    Returns
    -------
    PIL.Image.Image
        One picture, or all side by side with 8 white pixels between them; alpha is laid over white. It is reduced where
        a side is longer than 1,600 pixels. Outside notebooks its methods ``show`` and ``save`` serve.

    Raises
    ------
    InputError, InputTypeError, PictureFileError
        Something is not a picture, or there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor import Colorizer, show
    >>> grey = np.full((48, 64), 128, np.uint8)
    >>> show([grey, Colorizer.from_pretrained().predict(grey)]).size
    (136, 48)
    """
    checked, _ = as_pictures(pictures, "pictures")
    if not checked:
        raise InputError("pictures: expected at least one picture, got none.")
    image = Image.fromarray(_side_by_side([over_white(picture) for picture in checked]))
    image.thumbnail((_SHOWN, _SHOWN))
    return image


def triptych(
    original: PictureInput,
    colored: PictureInput,
    *,
    path: PathLike | None = None,
) -> npt.NDArray[np.uint8]:
    """Put L, the colored picture and the original side by side.

    Parameters
    ----------
    original : array, path, bytes, open binary file or PIL image
        The picture that was colored, in color or not, as one picture for :meth:`labcolor.Colorizer.predict`. Its
        lightness is the first panel.
    colored : array, path, bytes, open binary file or PIL image
        What ``Colorizer.predict`` made of it.
    path : path, optional
        Where to write the panels as well.

    Returns
    -------
    ndarray, shape (H, 3 * W + 16, 3), uint8
        The three panels with 8 white pixels between them; alpha is dropped. :func:`show` shows it in a notebook.

    Raises
    ------
    InputError, InputTypeError
        Something is not one picture, or the sizes differ.
    PictureFileError
        A file cannot be read or written.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor import triptych
    >>> triptych(np.zeros((4, 6), np.uint8), np.zeros((4, 6, 3), np.uint8)).shape
    (4, 34, 3)
    """
    first, second = one_picture(original, "original"), one_picture(colored, "colored")
    if first.shape != second.shape:
        raise InputError(f"expected two pictures of one size, got {first.shape} and {second.shape}.")
    panels = _side_by_side([first.grey(), _rgb(second), _rgb(first)])
    if path is not None:
        write_picture(path, panels)
    return panels
