"""``plot_history``: how a training went, as curves."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labcolor.base.extras import missing_package
from labcolor.base.paths import as_path, check_destination, replacing
from labcolor.base.typing import PathLike
from labcolor.errors import FileError, InputError, InputTypeError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_history"]

_PANELS = {  # the title of each panel, and its curves
    "loss": {"loss": "training", "val_loss": "held out"},
    "PSNR, dB": {"val_psnr": "held out"},
    "CIEDE2000": {"val_ciede2000": "held out"},
    "colorfulness": {"val_colorfulness": "held out"},
    "learning rate": {"learning_rate": "training"},
}


def plot_history(history: Any, path: PathLike | None = None) -> Figure:
    """Draw the figures of each epoch of a training. It needs Matplotlib: ``pip install matplotlib``.

    Parameters
    ----------
    history : Colorizer or mapping of str to sequence of float
        A trained Colorizer, or its ``history_``.
    path : path, optional
        Where to write the drawing, in the format of its ending, such as .png or .svg.

    Returns
    -------
    matplotlib.figure.Figure
        It shows itself at the end of a notebook cell.

    Raises
    ------
    NotFittedError, InputError, InputTypeError
        There is no history.
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
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing_package("plot", error) from error

    class Curves(Figure):  # a notebook knows how to show a Figure only once pyplot has made one
        def _repr_png_(self) -> bytes:
            file = io.BytesIO()
            self.savefig(file, format="png")
            return file.getvalue()

    figure = Curves(figsize=(4 * len(panels), 3), layout="constrained")
    for axes, (title, curves) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        for name, label in curves.items():
            values: Sequence[float] = history[name]
            axes.plot(range(1, len(values) + 1), values, marker=".", label=label)
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.locator_params(axis="x", integer=True)
        if len(curves) > 1:
            axes.legend()
    if path is not None:
        path = as_path("path", path)
        check_destination(path, FileError)
        try:
            with replacing(path, FileError) as temporary:
                figure.savefig(temporary)
        except ValueError as error:
            raise InputError(f"{path}: expected the ending of a format that Matplotlib writes: {error}.") from error
    return figure
