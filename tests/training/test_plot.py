"""Curves of a training."""

import numpy as np
import pytest

from labcolor import Colorizer, plot_history
from labcolor.errors import FileError, InputError, InputTypeError, NotFittedError


def test_draws_a_history(small, tmp_path):
    """A trained Colorizer or its history is drawn, held-out figures beside those of the training, and written."""
    assert [axes.get_title() for axes in plot_history(small).axes] == ["loss"]
    figure = plot_history({"loss": [2, 1], "val_loss": [3, 2], "val_psnr": [20, 21]}, tmp_path / "curves.png")
    loss, psnr = figure.axes
    assert [line.get_label() for line in loss.lines] == ["training", "held out"]
    np.testing.assert_array_equal(psnr.lines[0].get_ydata(), [20, 21])
    np.testing.assert_array_equal(psnr.lines[0].get_xdata(), [1, 2])
    assert (tmp_path / "curves.png").read_bytes()[:4] == b"\x89PNG"
    assert figure._repr_png_()[:4] == b"\x89PNG"  # for a notebook


def test_refuses_what_is_no_history(tmp_path):
    """No fit, an empty history, another type, and an ending or folder that cannot be written have their errors."""
    with pytest.raises(NotFittedError):
        plot_history(Colorizer())
    with pytest.raises(InputError, match="at least one epoch"):
        plot_history({})
    with pytest.raises(InputTypeError, match="expected a trained Colorizer or its history_, got list"):
        plot_history([1, 2])
    with pytest.raises(InputError, match=r"curves\.doc: expected the ending of a format"):
        plot_history({"loss": [1]}, tmp_path / "curves.doc")
    with pytest.raises(FileError, match="there is no folder"):
        plot_history({"loss": [1]}, tmp_path / "none" / "curves.png")
    assert list(tmp_path.iterdir()) == []
