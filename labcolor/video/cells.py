"""Cells of a frame: means of L over a coarse grid, in which frames are compared."""

from __future__ import annotations

import numpy as np

from labcolor.base.typing import Array

_ROWS = 24  # rows of cells, at least; grain vanishes in the mean over a cell
_BLACK = 4.0  # L of a row or column of a letterbox, at most
_BLANK = 0.4  # mean deviation of L of a frame that shows nothing
_CHANGED = 0.28  # median change of a frame of which most is new, as a share of contrast, at least


def cells_of(lightness: Array) -> Array:
    """Return the means of L over a grid of cells."""
    size = max(1, min(lightness.shape) // _ROWS)
    height, width = (side // size * size for side in lightness.shape)
    blocks = lightness[:height, :width].reshape(height // size, size, width // size, size)
    return np.asarray(blocks.mean(axis=1).mean(axis=-1), np.float32)  # a third of the time of both at once


def contrast(cells: Array) -> float:
    """Return the mean deviation of L."""
    return float(np.abs(cells - cells.mean()).mean())


def is_blank(cells: Array) -> bool:
    """Return whether a frame shows nothing."""
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
    """Return whether most of a frame is new, apart from its brightness. Nothing is new in a frame without contrast."""
    least, most = sorted((contrast(first), contrast(second)))
    if least < _BLANK:
        return False
    change = first - second
    return bool(np.median(np.abs(change - np.median(change))) >= _CHANGED * most)
