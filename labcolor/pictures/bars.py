"""Bars of black or white around a picture: a film's letterbox, the margins of a scan."""

from __future__ import annotations

import numpy as np

from labcolor._typing import Array

__all__ = ["Inside", "inside_bars", "over_bars"]

Inside = tuple[slice, slice]
# Bars are rows or columns at the edges of small L that are as even as this, and as black or as white, all in L. Within
# them is at least this share of a side.
_EVEN, _BLACK, _WHITE, _WITHIN = 6.0, 8.0, 90.0, 0.2


def inside_bars(lightness: Array) -> Inside:
    """Where the picture is.

    Parameters
    ----------
    lightness : ndarray, shape (h, w), float32
        Small L.

    Returns
    -------
    rows, columns : slice
        All of them where there are no bars, or hardly anything else.
    """
    parts = []
    for axis, side in enumerate(lightness.shape):
        low, high = lightness.min(axis=1 - axis), lightness.max(axis=1 - axis)
        bars = (high - low <= _EVEN) & ((high <= _BLACK) | (low >= _WHITE))
        inner = np.flatnonzero(~bars)
        part = slice(int(inner[0]), int(inner[-1]) + 1) if len(inner) else slice(0, side)
        parts.append(part if part.stop - part.start > max(2, _WITHIN * side) else slice(0, side))
    return parts[0], parts[1]


def over_bars(lightness: Array, inside: Inside, shape: tuple[int, int]) -> Array:
    """Small L of a larger shape: what is no picture, bars and what lies beyond the edges, filled with its reflection.

    Parameters
    ----------
    lightness : ndarray, shape (h, w), float32
        Small L.
    inside : (rows, columns)
        As :func:`inside_bars` gives it.
    shape : (H, W)
        The result's; at least as large.

    Returns
    -------
    ndarray, shape (H, W), float32
    """
    # next to a bar, one pixel may be made of both
    rows, columns = (
        slice(part.start + (part.start > 0), part.stop - (part.stop < side))
        for part, side in zip(inside, lightness.shape, strict=True)
    )
    beyond = [(part.start, side - part.stop) for part, side in zip((rows, columns), shape, strict=True)]
    return np.pad(lightness[rows, columns], beyond, "symmetric")
