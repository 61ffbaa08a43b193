"""Color hints: sparse ab that a person or another program gives; checked, and brought to the grid of chroma."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from labcolor.base.compiled import jit
from labcolor.base.typing import Array
from labcolor.base.validation import as_array
from labcolor.color.chroma import ContentBox
from labcolor.errors import InputError, InputTypeError

__all__ = ["as_hints", "colors_near_hints", "hints_on_grid", "places_of"]

_NEAR = 0.1  # a cell whose share in the color of a hint's place is as large as this takes the hint's color


def as_hints(hints: Any, shapes: Sequence[tuple[int, int]]) -> list[Array | None]:
    """Check hints and bring them into a list, one entry a picture.

    Parameters
    ----------
    hints : None, array (H, W, 2), array (N, H, W, 2), or list of array or None
        ab where there is a hint, inf where the prediction is the hint, -inf where no hint reaches, nan elsewhere.
    shapes : sequence of (H, W)
        The pictures' sizes.

    Returns
    -------
    list of ndarray (H, W, 2), float32, or None
        None where a picture has no hint.

    Raises
    ------
    InputError, InputTypeError
        Hints do not go with the pictures, or are no ab.
    """
    if hints is None:
        return [None] * len(shapes)
    if not isinstance(hints, list | tuple | np.ndarray):
        raise InputTypeError(
            f"hints: expected None, an array (H, W, 2) of ab with nan where there is no hint, or a list of them, got "
            f"{type(hints).__name__}."
        )
    given = [hints] if isinstance(hints, np.ndarray) and hints.ndim in (0, 3) else list(hints)
    if len(given) != len(shapes):
        raise InputError(f"hints: expected one entry for each of {len(shapes)} pictures, got {len(given)}.")
    return [_as_hint(f"hints[{index}]", *pair) for index, pair in enumerate(zip(given, shapes, strict=True))]


def _as_hint(name: str, hint: Any, shape: tuple[int, int]) -> Array | None:
    if hint is None:
        return None
    expected = f"an array of float, shape {(*shape, 2)}, as large as the picture, ab in [-128, 128], nan, inf or -inf"
    if isinstance(hint, np.ndarray):
        hint = as_array(name, hint)
    if not isinstance(hint, np.ndarray) or hint.dtype.kind != "f":
        kind = f"an array of {hint.dtype}" if isinstance(hint, np.ndarray) else type(hint).__name__
        raise InputTypeError(f"{name}: expected {expected}, got {kind}.")
    if hint.shape != (*shape, 2):
        raise InputError(f"{name}: expected {expected}, got shape {hint.shape}.")
    given = hint
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused below
        hint = np.ascontiguousarray(given, np.float32)
    if hint.dtype != given.dtype and (np.isinf(hint) & np.isfinite(given)).any():
        raise InputError(f"{name}: expected {expected}, got values that are too large.")
    whole, halves, low, high = _survey(hint.reshape(-1, 2))
    if halves:
        raise InputError(
            f"{name}: expected a and b, or nan for both, at each place, got nan for one of them at {halves} places. "
            "Set both to nan where there is no hint."
        )
    if max(-low, high) > 128:
        raise InputError(f"{name}: expected {expected}, got {low:g} to {high:g}.")
    return hint if whole else None


def hints_on_grid(
    hint: Array, rows: int, columns: int, chroma_scale: tuple[float, float], content_box: ContentBox
) -> tuple[Array, Array, Array]:
    """Bring one picture's hints to the grid of its small chroma: the mean of those in each cell.

    Parameters
    ----------
    hint : ndarray, shape (H, W, 2), float32
        ab, or nan.
    rows, columns : int
        Size of the small chroma.
    chroma_scale : (float, float)
        A pixel's height and width in cells.
    content_box : (rows, columns)
        What lies inside the bars, in pixels; hints in bars are left out.

    Returns
    -------
    index : ndarray, shape (K,), int32
        The cells with hints, counted row by row.
    ab : ndarray, shape (K, 2), float32
        Their colors; inf where the prediction is the hint. Others that are not finite: no hint reaches the cell.
    places : ndarray, shape (K, 2), float32
        Where their hints are on the mean, y and x in cells.
    """
    grid = np.zeros((rows, columns, 5))
    _gather(hint, tuple(edge for part in content_box for edge in (part.start, part.stop)), *chroma_scale, grid)
    sums = grid.reshape(-1, 5)
    cells = np.flatnonzero(sums[:, 0])
    means = (sums[cells, 1:] / sums[cells, :1]).astype(np.float32)
    return cells.astype(np.int32), means[:, 2:], means[:, :2]


def colors_near_hints(hints: Array, places: Array, rows: int, columns: int) -> tuple[Array, Array]:
    """Return the colors that hints give to the cells right around them, so that they win where they are.

    Enlarged bilinearly, small chroma gives a place the color of the four cells around it, and so all four are held.

    Parameters
    ----------
    hints, places : ndarray, shape (K, 2), float32
        As :func:`hints_on_grid` gives them.
    rows, columns : int
        Size of the small chroma.

    Returns
    -------
    ab : ndarray, shape (rows * columns, 2), float32
        The mean of the hints around each cell, weighted as cells are in the enlargement.
    share : ndarray, shape (rows * columns, 1), float32
        How far a cell is held: 0 where no hint is near, 1 where one is.
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
    """Coordinates of a grid's cells in short sides, (rows * columns, 2) float32, row by row."""
    grid = np.indices((rows, columns), np.float32).reshape(2, -1).T
    return np.asarray(grid / np.float32(min(rows, columns)))


@jit
def _gather(
    hints: Array, inside: tuple[int, int, int, int], row_scale: float, column_scale: float, sums: Array
) -> None:
    """Add up the hints in each cell of a grid: ``sums`` (h, w, 5) gets their number, and the sums of y, x, a and b.

    Parameters: ``hints`` (H, W, 2), nan where there is no hint; ``inside``, the rows and columns between bars, as (top,
    bottom, left, right); ``row_scale`` and ``column_scale``, the size of a pixel in cells.
    """
    top, bottom, left, right = inside
    for y in range(top, bottom):
        v = (y + 0.5) * row_scale
        row = min(int(v), sums.shape[0] - 1)
        for x in range(left, right):
            a, b = hints[y, x, 0], hints[y, x, 1]
            if a == a and b == b:
                u = (x + 0.5) * column_scale
                cell = sums[row, min(int(u), sums.shape[1] - 1)]
                cell[0] += 1.0
                cell[1] += v
                cell[2] += u
                cell[3] += a
                cell[4] += b


@jit
def _survey(hints: Array) -> tuple[int, int, float, float]:
    """Return the number of complete and of half nan (N, 2) hints, and the extreme values of those that are not inf."""
    whole, halves, low, high = 0, 0, np.inf, -np.inf
    for i in range(hints.shape[0]):
        a, b = hints[i, 0], hints[i, 1]
        if a == b and abs(a) == np.inf:
            whole += 1
        elif a == a and b == b:
            whole += 1
            low, high = min(low, a, b), max(high, a, b)
        elif a == a or b == b:
            halves += 1
    return whole, halves, low, high
