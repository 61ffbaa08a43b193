"""Color hints: sparse ab that a person or another program gives; checked, and brought to the grid of chroma."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from labcolor._typing import Array
from labcolor.errors import InputError, InputTypeError

__all__ = ["as_hints", "hints_on_grid", "places_of"]


def as_hints(hints: Any, shapes: Sequence[tuple[int, int]]) -> list[Array | None]:
    """Check hints and bring them into a list, one entry a picture.

    Parameters
    ----------
    hints : None, array (H, W, 2), array (N, H, W, 2), or list of array or None
        ab where there is a hint, nan elsewhere.
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
    given = [hints] if isinstance(hints, np.ndarray) and hints.ndim == 3 else list(hints)
    if len(given) != len(shapes):
        raise InputError(f"hints: expected one entry for each of {len(shapes)} pictures, got {len(given)}.")
    return [_as_hint(f"hints[{index}]", *pair) for index, pair in enumerate(zip(given, shapes, strict=True))]


def _as_hint(name: str, hint: Any, shape: tuple[int, int]) -> Array | None:
    if hint is None:
        return None
    expected = f"an array of float, shape {(*shape, 2)}, as large as the picture, ab in [-128, 128] or nan"
    if not isinstance(hint, np.ndarray) or hint.dtype.kind != "f":
        kind = f"an array of {hint.dtype}" if isinstance(hint, np.ndarray) else type(hint).__name__
        raise InputTypeError(f"{name}: expected {expected}, got {kind}.")
    if hint.shape != (*shape, 2):
        raise InputError(f"{name}: expected {expected}, got shape {hint.shape}.")
    there = ~np.isnan(hint).any(axis=2)
    if np.abs(hint[there]).max(initial=0) > 128:
        raise InputError(f"{name}: expected {expected}, got {hint[there].min():g} to {hint[there].max():g}.")
    return hint.astype(np.float32) if there.any() else None


def hints_on_grid(hint: Array, rows: int, columns: int, pixel: tuple[float, float]) -> tuple[Array, Array]:
    """Bring one picture's hints to the grid of its small chroma: the mean of those in each cell.

    Parameters
    ----------
    hint : ndarray, shape (H, W, 2), float32
        ab, or nan.
    rows, columns : int
        Size of the small chroma.
    pixel : (float, float)
        A pixel's height and width in cells.

    Returns
    -------
    index : ndarray, shape (K,), int32
        The cells with hints, counted row by row.
    ab : ndarray, shape (K, 2), float32
        Their colors.
    """
    y, x = np.nonzero(~np.isnan(hint).any(axis=2))
    row = np.minimum(((y + 0.5) * pixel[0]).astype(int), rows - 1)
    column = np.minimum(((x + 0.5) * pixel[1]).astype(int), columns - 1)
    cells, where, counts = np.unique(row * columns + column, return_inverse=True, return_counts=True)
    sums = [np.bincount(where, hint[y, x, channel], len(cells)) for channel in range(2)]
    return cells.astype(np.int32), (np.stack(sums, axis=1) / counts[:, None]).astype(np.float32)


def places_of(rows: int, columns: int) -> Array:
    """Coordinates of a grid's cells in short sides, (rows * columns, 2) float32, row by row."""
    grid = np.indices((rows, columns), np.float32).reshape(2, -1).T
    return np.asarray(grid / np.float32(min(rows, columns)))
