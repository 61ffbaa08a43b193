"""Cells of a frame: means of L over a coarse grid, in which frames are compared."""

from __future__ import annotations

import numpy as np

from labcolor.base.typing import Array

_ROWS = 24  # smallest number of rows of cells; the mean over a cell removes grain
_BLACK = 4.0  # largest L of a row or column of a letterbox
_BLANK = 0.4  # largest mean deviation of L of a blank frame
_CHANGED = 0.28  # smallest median change, as a share of contrast, of a frame of which most is new


def cells_of(lightness: Array) -> Array:
    """Return the means of L over a grid of cells."""
    size = max(1, min(lightness.shape) // _ROWS)
    height, width = (side // size * size for side in lightness.shape)
    # Two means in turn take a third of the time of one mean over both axes.
    blocks = lightness[:height, :width].reshape(height // size, size, width // size, size)
    return np.asarray(blocks.mean(axis=1).mean(axis=-1), np.float32)


def contrast(cells: Array) -> float:
    """Return the mean deviation of L."""
    return float(np.abs(cells - cells.mean()).mean())


def is_blank(cells: Array) -> bool:
    """Return whether a frame is blank."""
    return contrast(cropped(cells, cells)[0]) < _BLANK


def cropped(first: Array, second: Array) -> tuple[Array, Array]:
    """Return two grids without the rows and columns at their edges that are black in both."""
    brightest = np.maximum(first, second)
    parts = []
    for axis in (1, 0):
        lit = np.flatnonzero(brightest.max(axis=axis) > _BLACK)
        parts.append(slice(lit[0], lit[-1] + 1) if len(lit) else slice(None))
    return first[parts[0], parts[1]], second[parts[0], parts[1]]


def changed(first: Array, second: Array) -> bool:
    """Return whether most of a frame is new, apart from brightness; False without contrast."""
    least, most = sorted((contrast(first), contrast(second)))
    if least < _BLANK:
        return False
    change = first - second
    return bool(np.median(np.abs(change - np.median(change))) >= _CHANGED * most)
