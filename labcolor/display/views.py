"""Views for notebooks and files: ``show``, ``compare`` and ``triptych`` of pictures, and ``plot_history``."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import imageio.v3 as iio
import numpy as np
import numpy.typing as npt
from PIL import Image

from labcolor.base.extras import importing
from labcolor.base.paths import as_path, check_destination, write_file
from labcolor.base.typing import Array, PathLike, PictureInput
from labcolor.errors import FileError, InputError, InputTypeError
from labcolor.io.inputs import as_pictures, one_picture
from labcolor.io.pictures import write_picture
from labcolor.pictures.picture import Picture, as_bytes, over_white

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_GAP = 8  # pixels of white between panels
_SHOWN = 1600  # longest side, in pixels, of an image from ``show``
_COMPARED = 1000  # longest side, in pixels, of each picture in a notebook, which stores both
# The slider needs no script or style sheet: it changes a length of its own frame. An untrusted notebook runs no code,
# and shows half of each picture.
_HTML = """\
<div style="--split: 50%; max-width: {width}px">
  <div style="position: relative; overflow: hidden; line-height: 0">
    <img alt="The first picture" src="{left}" style="width: 100%; height: auto; margin: 0">
    <img alt="The second picture" src="{right}" style="position: absolute; top: 0; left: 0; width: 100%; height: 100%; \
margin: 0; clip-path: inset(0 0 0 var(--split))">
    <div style="position: absolute; top: 0; bottom: 0; left: var(--split); width: 2px; background: #fff; \
box-shadow: 0 0 3px #000"></div>
  </div>
  <input type="range" min="0" max="100" value="50" aria-label="Compare: percent of the first picture" \
style="display: block; width: 100%; margin: 6px 0 0" \
oninput="this.parentNode.style.setProperty('--split', this.value + '%')">
</div>"""


_PANELS = {  # the title of each panel, and its curves
    "loss": {"loss": "training", "val_loss": "held out"},
    "PSNR, dB": {"val_psnr": "held out"},
    "CIEDE2000": {"val_ciede2000": "held out"},
    "colorfulness": {"val_colorfulness": "held out"},
    "learning rate": {"learning_rate": "training"},
}


@dataclass(repr=False)
class Comparison:
    """Two RGB pictures of one size, which a notebook shows with a slider, or side by side if it shows no HTML."""

    left: Image.Image
    right: Image.Image

    def __repr__(self) -> str:
        """Return a text for terminals."""
        return f"<Comparison of two pictures, {self.left.width} x {self.left.height}; a notebook shows them>"

    def _repr_html_(self) -> str:
        """Return a frame with both pictures and a slider."""
        return _HTML.format(width=self.left.width, left=_embedded(self.left), right=_embedded(self.right))

    def _repr_png_(self) -> bytes:
        """Return both pictures side by side, for programs that show no HTML."""
        return iio.imwrite("<bytes>", np.asarray(show([self.left, self.right])), plugin="pillow", extension=".png")


def _pair(*pictures: tuple[str, PictureInput]) -> tuple[Picture, Picture]:
    """Convert two named pictures of one size, or raise an InputError."""
    first, second = (one_picture(picture, name) for name, picture in pictures)
    if first.shape != second.shape:
        raise InputError(f"expected two pictures of one size, got {first.shape} and {second.shape}.")
    return first, second


def _embedded(image: Image.Image) -> str:
    """Return a data URL of an image."""
    content = iio.imwrite("<bytes>", np.asarray(image), plugin="pillow", extension=".jpg", quality=90)
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"


def compare(grey: PictureInput, colored: PictureInput) -> Comparison:
    """Compare two pictures with a slider, as the last line ``compare(...)`` of a notebook cell.

    Parameters
    ----------
    grey : array, path, bytes, open binary file or PIL image
        The picture on the left, such as the picture that was colored, as for :meth:`labcolor.Colorizer.predict`.
    colored : array, path, bytes, open binary file or PIL image
        The picture on the right, such as the result of ``Colorizer.predict``.

    Returns
    -------
    Comparison
        Object that notebooks show: JupyterLab and VS Code with a slider, also by keyboard, and others as one picture
        side by side. Both pictures are reduced to sides of at most 1,000 pixels, and shown over white. :func:`show` and
        :func:`triptych` return pictures to save.

    Raises
    ------
    InputError, InputTypeError
        An argument is not one picture, or the sizes differ.
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
    pair = _pair(("grey", grey), ("colored", colored))
    left, right = (Image.fromarray(over_white(picture)) for picture in pair)
    for image in (left, right):
        image.thumbnail((_COMPARED, _COMPARED))
    return Comparison(left, right)


def _rgb(picture: Picture) -> Array:
    """Return a picture as (H, W, 3) uint8, without its alpha."""
    return np.broadcast_to(as_bytes(picture.values), (*picture.shape, 3))


def _side_by_side(panels: list[Array]) -> Array:
    """Arrange pictures, (H, W, 3) uint8, in a row, with white between and below them."""
    height, width = max(len(panel) for panel in panels), sum(panel.shape[1] + _GAP for panel in panels) - _GAP
    row = np.full((height, width, 3), 255, np.uint8)
    left = 0
    for panel in panels:
        row[: len(panel), left : left + panel.shape[1]] = panel
        left += panel.shape[1] + _GAP
    return row


def show(pictures: PictureInput | list[Any] | tuple[Any, ...]) -> Image.Image:
    """Convert pictures to one image, which a notebook shows as the last line ``show(...)`` of a cell.

    Parameters
    ----------
    pictures : array, path, bytes, open binary file, PIL image, or sequence of these
        One or several pictures, as for :meth:`labcolor.Colorizer.predict`.

    Returns
    -------
    PIL.Image.Image
        The pictures side by side over white, with 8 white pixels between them. Its longest side is at most 1,600
        pixels. Outside notebooks, use its methods ``show`` and ``save``.

    Raises
    ------
    InputError, InputTypeError, PictureFileError
        An item is not a picture, or there are no pictures.

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


def triptych(original: PictureInput, colored: PictureInput, *, path: PathLike | None = None) -> npt.NDArray[np.uint8]:
    """Arrange L, the colored picture and the original side by side.

    Parameters
    ----------
    original : array, path, bytes, open binary file or PIL image
        The picture that was colored, in color or black and white, as for :meth:`labcolor.Colorizer.predict`. Its
        lightness is the first panel.
    colored : array, path, bytes, open binary file or PIL image
        The result of ``Colorizer.predict``.
    path : path, optional
        File to which the panels are written.

    Returns
    -------
    ndarray, shape (H, 3 * W + 16, 3), uint8
        The three panels without alpha, with 8 white pixels between them. :func:`show` shows it in a notebook.

    Raises
    ------
    InputError, InputTypeError
        An argument is not one picture, or the sizes differ.
    PictureFileError
        A file cannot be read or written.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor import triptych
    >>> triptych(np.zeros((4, 6), np.uint8), np.zeros((4, 6, 3), np.uint8)).shape
    (4, 34, 3)
    """
    first, second = _pair(("original", original), ("colored", colored))
    panels = _side_by_side([first.grey(), _rgb(second), _rgb(first)])
    if path is not None:
        write_picture(path, panels)
    return panels


def plot_history(history: Any, path: PathLike | None = None) -> Figure:
    """Draw the figures of each epoch of a training. This requires Matplotlib: ``pip install matplotlib``.

    Parameters
    ----------
    history : Colorizer or mapping of str to sequence of float
        A trained Colorizer, or its ``history_``.
    path : path, optional
        File to which the drawing is written, in the format of its ending, such as .png or .svg.

    Returns
    -------
    matplotlib.figure.Figure
        The drawing, which a notebook shows at the end of a cell.

    Raises
    ------
    NotFittedError, InputError, InputTypeError
        ``history`` contains no figures.
    LabcolorError
        Matplotlib is not installed.
    FileError
        The file cannot be written.

    Examples
    --------
    >>> from labcolor import plot_history
    >>> figure = plot_history({"loss": [3.0, 2.5, 2.4], "val_loss": [3.1, 2.8, 2.9], "val_psnr": [21.0, 22.5, 22.4]})
    >>> [axes.get_title() for axes in figure.axes]
    ['loss', 'PSNR, dB']
    """
    if hasattr(type(history), "history_"):
        history = history.history_
    if not isinstance(history, Mapping):
        raise InputTypeError(f"history: expected a trained Colorizer or its history_, got {type(history).__name__}.")
    panels = {
        title: {name: label for name, label in curves.items() if history.get(name)} for title, curves in _PANELS.items()
    }
    panels = {title: curves for title, curves in panels.items() if curves}
    if not panels:
        raise InputError("history: expected the figures of at least one epoch, got none. Call fit first.")
    with importing("plot"):
        from matplotlib.figure import Figure

    class Curves(Figure):  # a notebook shows a Figure only after pyplot has created one
        def _repr_png_(self) -> bytes:
            file = io.BytesIO()
            self.savefig(file, format="png")
            return file.getvalue()

    figure = Curves(figsize=(4 * len(panels), 3), layout="constrained")
    for axes, (title, curves) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        for name, label in curves.items():
            axes.plot(range(1, len(history[name]) + 1), history[name], marker=".", label=label)
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.locator_params(axis="x", integer=True)
        if len(curves) > 1:
            axes.legend()
    if path is not None:
        path = as_path("path", path)
        check_destination(path, FileError)
        try:
            write_file(path, figure.savefig, FileError)
        except ValueError as error:
            raise InputError(f"{path}: expected the ending of a format that Matplotlib supports: {error}.") from error
    return figure
