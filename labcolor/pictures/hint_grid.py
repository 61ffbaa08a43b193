"""Hints on the grid of small chroma."""

from __future__ import annotations

import numpy as np

from labcolor.base.compiled import jit
from labcolor.base.typing import Array
from labcolor.color.chroma import ContentBox
from labcolor.pictures.hints import HintMap

_NEAR = 0.1  # smallest share of a cell in the enlarged color at a hint for which the cell takes the hint's color


def hints_on_grid(
    hints: HintMap, rows: int, columns: int, chroma_scale: tuple[float, float], content_box: ContentBox
) -> tuple[Array, Array, Array, Array]:
    """Compute the mean of a picture's hints in each cell of its small chroma.

    Parameters
    ----------
    hints : HintMap
        Hints of the picture.
    rows, columns : int
        Size of the small chroma.
    chroma_scale : (float, float)
        A pixel's height and width in cells.
    content_box : (rows, columns)
        The part of the picture between bars, in pixels. Hints in bars are ignored.

    Returns
    -------
    index : ndarray, shape (K,), int32
        The cells with hints, counted row by row.
    kinds : ndarray, shape (K,), uint8
        ``HintMap.FENCE`` if a cell contains a fence, ``HintMap.KEEP`` if it contains a pixel that keeps its color, and
        otherwise ``HintMap.FIRST`` for a color.
    ab : ndarray, shape (K, 2), float32
        Their colors, or 0 for other kinds.
    places : ndarray, shape (K, 2), float32
        Mean position of the hints of a cell, y and x in cells.
    """
    grid, kinds = np.zeros((rows, columns, 5)), np.zeros(rows * columns, np.uint8)
    edges = tuple(edge for part in content_box for edge in (part.start, part.stop))
    _gather(hints.index, hints.ab, edges, *chroma_scale, grid, kinds.reshape(rows, columns))
    cells, sums = np.flatnonzero(kinds), grid.reshape(-1, 5)
    means = (sums[cells, 1:] / sums[cells, :1]).astype(np.float32)
    means[kinds[cells] != HintMap.FIRST, 2:] = 0
    return cells.astype(np.int32), kinds[cells], means[:, 2:], means[:, :2]


def colors_near_hints(hints: Array, places: Array, rows: int, columns: int) -> tuple[Array, Array]:
    """Return the colors that hints fix in the four cells around them.

    Bilinear enlargement computes the color of a pixel from these cells, so all of them must have the color of the hint.

    Parameters
    ----------
    hints, places : ndarray, shape (K, 2), float32
        As :func:`hints_on_grid` gives them.
    rows, columns : int
        Size of the small chroma.

    Returns
    -------
    ab : ndarray, shape (rows * columns, 2), float32
        Mean of the hints around each cell, with the weights of the enlargement.
    share : ndarray, shape (rows * columns, 1), float32
        Share of this color in the cell: 0 without a hint nearby, and 1 next to a hint.
    """
    first = np.floor(places - 0.5).astype(int)
    sums = np.zeros((rows * columns, 3), np.float32)
    for corner in np.ndindex(2, 2):
        cell = first + corner
        weight = np.prod(1 - np.abs(places - 0.5 - cell), axis=1, keepdims=True)
        index = np.clip(cell[:, 0], 0, rows - 1) * columns + np.clip(cell[:, 1], 0, columns - 1)
        np.add.at(sums, index, weight * np.hstack([hints, np.ones_like(weight)]))
    weights = sums[:, 2:]
    return sums[:, :2] / np.maximum(weights, 1e-9), np.minimum(weights / _NEAR, 1)


def places_of(rows: int, columns: int) -> Array:
    """Return the coordinates of a grid's cells in short sides, (rows * columns, 2) float32, row by row."""
    grid = np.indices((rows, columns), np.float32).reshape(2, -1).T
    return np.asarray(grid / np.float32(min(rows, columns)))


@jit
def _gather(
    index: Array,
    colors: Array,
    inside: tuple[int, int, int, int],
    row_scale: float,
    column_scale: float,
    sums: Array,
    kinds: Array,
) -> None:
    """Add up the hints in each cell of a grid: ``sums`` (h, w, 5) gets their number, and the sums of y, x, a and b.

    Parameters: ``index`` (H, W) and ``colors`` (K, 2), as in HintMap; ``inside``, the rows and columns between bars,
    as (top, bottom, left, right); ``row_scale`` and ``column_scale``, the size of a pixel in cells; ``kinds`` (h, w).
    """
    top, bottom, left, right = inside
    for y in range(top, bottom):
        v = (y + 0.5) * row_scale
        row = min(int(v), sums.shape[0] - 1)
        for x in range(left, right):
            hint = int(index[y, x])
            if hint == 0:
                continue
            u = (x + 0.5) * column_scale
            column = min(int(u), sums.shape[1] - 1)
            cell = sums[row, column]
            cell[0] += 1.0
            cell[1] += v
            cell[2] += u
            if hint >= 3:
                cell[3] += colors[hint - 3, 0]
                cell[4] += colors[hint - 3, 1]
            known = kinds[row, column]
            kind = min(hint, 3)  # fences take precedence over kept colors, and these over given colors
            if known == 0 or kind == 2 or (kind == 1 and known == 3):
                kinds[row, column] = kind
