"""``compare``: two pictures with a slider between them, in a notebook."""

from __future__ import annotations

import base64
import io

from PIL import Image

from labcolor.base.typing import PictureInput
from labcolor.display.triptych import show
from labcolor.errors import InputError
from labcolor.io.inputs import one_picture
from labcolor.pictures.picture import over_white

__all__ = ["Comparison", "compare"]

_SIDE = 1000  # pixels of a shown picture's longest side: a notebook keeps what it shows
# No script and no style sheet: a slider that moves one length of its own frame. Where a notebook is not trusted, and so
# may run nothing, the picture is still half and half.
_HTML = """\
<div style="--split: 50%; max-width: {width}px">
  <div style="position: relative; overflow: hidden; line-height: 0">
    <img alt="{left_text}" src="{left}" style="width: 100%; height: auto; margin: 0">
    <img alt="{right_text}" src="{right}" style="position: absolute; top: 0; left: 0; width: 100%; height: 100%; \
margin: 0; clip-path: inset(0 0 0 var(--split))">
    <div style="position: absolute; top: 0; bottom: 0; left: var(--split); width: 2px; background: #fff; \
box-shadow: 0 0 3px #000"></div>
  </div>
  <input type="range" min="0" max="100" value="50" aria-label="Compare: percent of the first picture" \
style="display: block; width: 100%; margin: 6px 0 0" \
oninput="this.parentNode.style.setProperty('--split', this.value + '%')">
</div>"""


class Comparison:
    """Two pictures of one size, which a notebook shows with a slider, or side by side where it shows no HTML.

    Parameters
    ----------
    left, right : PIL.Image.Image
        The pictures, RGB, reduced.
    """

    def __init__(self, left: Image.Image, right: Image.Image) -> None:
        self.left = left
        self.right = right

    def __repr__(self) -> str:
        """Return what a terminal shows."""
        return f"<Comparison of two pictures, {self.left.width} x {self.left.height}; a notebook shows them>"

    def _repr_html_(self) -> str:
        """Return a frame with a slider, which holds both pictures."""
        return _HTML.format(
            width=self.left.width,
            left=_embedded(self.left),
            right=_embedded(self.right),
            left_text="The first picture",
            right_text="The second picture",
        )

    def _repr_png_(self) -> bytes:
        """Return both pictures side by side, for what shows no HTML."""
        file = io.BytesIO()
        show([self.left, self.right]).save(file, "PNG")
        return file.getvalue()


def _embedded(image: Image.Image) -> str:
    """Return an image as an address that contains it."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def compare(grey: PictureInput, colored: PictureInput) -> Comparison:
    """Compare two pictures in a notebook: the last line of a cell, ``compare(...)``, is shown with a slider.

    Parameters
    ----------
    grey : array, path, bytes, open binary file or PIL image
        The picture that was colored, or any other; as one picture for :meth:`labcolor.Colorizer.predict`. It is shown
        on the left of the slider as it is.
    colored : array, path, bytes, open binary file or PIL image
        What ``Colorizer.predict`` made of it; it is shown on the right.

    Returns
    -------
    Comparison
        What notebooks show: JupyterLab and VS Code with a slider, which the keyboard moves, too; others as a picture,
        side by side. Both are reduced to at most 1,000 pixels a side, and alpha is laid over white. :func:`show` and
        :func:`triptych` give pictures to save.

    Raises
    ------
    InputError, InputTypeError
        Something is not one picture, or the sizes differ.
    PictureFileError
        A file cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor import Colorizer, compare
    >>> grey = np.full((48, 64), 128, np.uint8)
    >>> compare(grey, Colorizer.from_pretrained().predict(grey))
    <Comparison of two pictures, 64 x 48; a notebook shows them>
    """
    pictures = one_picture(grey, "grey"), one_picture(colored, "colored")
    if pictures[0].shape != pictures[1].shape:
        raise InputError(f"expected two pictures of one size, got {pictures[0].shape} and {pictures[1].shape}.")
    left, right = (Image.fromarray(over_white(picture)) for picture in pictures)
    for image in (left, right):
        image.thumbnail((_SIDE, _SIDE))
    return Comparison(left, right)
