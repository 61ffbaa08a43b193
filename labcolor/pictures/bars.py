"""Bars of black or white around a picture: a film's letterbox, the margins of a scan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from labcolor.base.typing import Array
from labcolor.color.chroma import ContentBox
from labcolor.pictures.picture import Picture

__all__ = ["fill_bars", "find_content_box", "refine_content_box"]

# Bars are rows or columns at the edges of small L that are as even as this, and as black or as white, all in L. Within
# them is more than this share of a side, and than so many pixels.
_EVEN, _BLACK, _WHITE, _WITHIN, _LEAST = 6.0, 8.0, 90.0, 0.2, 6
# A sky may be as even and white as a margin. But the rows of a white bar differ by no more than this, and half of the
# picture's first row is darker than the bar by this, and by more than two rows further on: so no ramp is a bar.
_DRIFT, _EDGE = 2.0, 2.5
# A black bar ends where anything is brighter than it by this; a slope in a night sky does not.
_GLEAM = 4.0


def find_content_box(lightness: Array) -> ContentBox:
    """Return where the picture is.

    Parameters
    ----------
    lightness : ndarray, shape (h, w), float32
        Small L.

    Returns
    -------
    rows, columns : slice
        All of them where there are no bars, or hardly anything else.
    """
    lightness = np.clip(lightness, 0, 100)  # next to edges, small L leaves the range
    rows, columns = slice(0, lightness.shape[0]), slice(0, lightness.shape[1])
    for _ in range(2):  # bars of one direction can end in those of the other; both are found alike, whatever is up
        rows, columns = _within(lightness[:, columns]), _within(lightness[rows].T)
    return rows, columns


def _within(lightness: Array) -> slice:
    side = len(lightness)
    before, after = _bar(lightness), _bar(lightness[::-1])
    if before + after == 0 or side - before - after <= max(_LEAST, _WITHIN * side):
        return slice(0, side)
    return slice(before, side - after)


def _bar(lightness: Array) -> int:
    """Return how many rows, from the first on, are a bar."""
    low, high, means = lightness.min(axis=1), lightness.max(axis=1), lightness.mean(axis=1)
    even = high - low <= _EVEN
    black = _leading(even & (high <= _BLACK))
    white = _leading(even & (low >= _WHITE) & (means >= means[0] - _DRIFT))
    count = max(black, white)
    if count == 0 or count == len(lightness):
        return 0
    if white > black and means[: max(1, count - 2)].max() > means[0] + _DRIFT:  # next to its end, small L overshoots
        return 0
    # the row next to a bar may be made of both
    first, third = lightness[min(count + 1, len(means) - 1)], lightness[min(count + 3, len(means) - 1)]
    step = first - means[count - 1]
    ends = step.max() >= _GLEAM if black else -np.median(step) >= _EDGE + abs(np.median(third - first))
    return count if ends else 0


def _leading(wanted: Array) -> int:
    """Return how many of the first entries are true without a gap."""
    return len(wanted) if wanted.all() else int(wanted.argmin())


def refine_content_box(content_box: ContentBox, small: tuple[int, int], picture: Picture) -> ContentBox:
    """Find the ends of bars, known from small L, to the pixel.

    Parameters
    ----------
    content_box : (rows, columns)
        As :func:`find_content_box` gives it.
    small : (h, w)
        Size of small L.
    picture : Picture
        What small L was made from.

    Returns
    -------
    rows, columns : slice
        In pixels of the picture.
    """
    height, width = picture.shape
    rows = slice(
        _end(picture, 0, content_box[0].start, small[0]),
        height - _end(picture, 0, small[0] - content_box[0].stop, small[0], backwards=True),
    )
    columns = slice(
        _end(picture, 1, content_box[1].start, small[1]),
        width - _end(picture, 1, small[1] - content_box[1].stop, small[1], backwards=True),
    )
    return rows, columns


def _end(picture: Picture, axis: int, count: int, small: int, backwards: bool = False) -> int:
    """Return how many rows (axis 0) or columns of a picture are a bar that takes ``count`` of ``small`` ones."""
    if count == 0:
        return 0
    side = picture.shape[axis]
    # of the bar, of what holds its end, and of the picture
    first, second, third, last = (
        int(np.clip(round((count + shift) * side / small), 0, side)) for shift in (-2, -1, 1, 2.5)
    )
    if first == last:  # of an enlarged picture: the end is known to the pixel already
        return first
    strip = slice(side - last, side - first) if backwards else slice(first, last)
    values = picture.values[strip] if axis == 0 else picture.values[:, strip]
    lightness = replace(picture, values=values, alpha=None).lightness()
    lines = lightness if axis == 0 else lightness.T
    lines = lines[::-1] if backwards else lines
    level = np.median(lines[: max(1, second - first)])
    away = np.abs(lines - level).mean(axis=1)
    bar, beyond = np.median(away[: max(1, second - first)]), np.median(away[min(third, last - 1) - first :])
    # less than half of the way: the picture's first rows may be darker than those behind them
    reached = np.flatnonzero(away > bar + (beyond - bar) / 4)
    return first + int(reached[0]) if len(reached) else count * side // small


def fill_bars(lightness: Array, rows: slice, columns: slice, shape: tuple[int, int]) -> Array:
    """Return small L of a larger shape, whose bars, and what lies beyond its edges, are filled with its reflection.

    Parameters
    ----------
    lightness : ndarray, shape (h, w), float32
        Small L.
    rows, columns : slice
        What is kept.
    shape : (H, W)
        The result's; at least as large.

    Returns
    -------
    ndarray, shape (H, W), float32
    """
    beyond = [(part.start, side - part.stop) for part, side in zip((rows, columns), shape, strict=True)]
    return np.pad(lightness[rows, columns], beyond, "symmetric")
