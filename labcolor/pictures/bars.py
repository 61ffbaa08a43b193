"""Detection and filling of black and white bars, such as letterboxes and the margins of scans."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from labcolor.base.typing import Array
from labcolor.color.chroma import ContentBox
from labcolor.pictures.picture import Picture

# Bars are rows or columns at the edges of small L with at most this range of L, which are at most as bright as _BLACK
# or at least as bright as _WHITE. The content between them takes more than this share of a side, and of so many pixels.
_EVEN, _BLACK, _WHITE, _WITHIN, _LEAST = 6.0, 8.0, 90.0, 0.2, 6
# A sky may be as even and white as a margin. But the rows of a white bar differ by at most _DRIFT, and half of the row
# after it is darker by _EDGE beyond the change over two more rows, which excludes gradients.
_DRIFT, _EDGE = 2.0, 2.5
# After a black bar, some pixel is brighter by this, unlike in the gradient of a night sky.
_GLEAM = 4.0


def find_content_box(lightness: Array) -> ContentBox:
    """Return the rows and columns of small L, (h, w) float32, between bars, or all if bars take almost everything."""
    lightness = np.clip(lightness, 0, 100)  # next to edges, small L exceeds the range
    rows, columns = slice(0, lightness.shape[0]), slice(0, lightness.shape[1])
    for _ in range(2):  # bars of one direction may end in bars of the other
        rows, columns = _within(lightness[:, columns]), _within(lightness[rows].T)
    return rows, columns


def _within(lightness: Array) -> slice:
    """Return the rows between bars."""
    side = len(lightness)
    before, after = _bar(lightness), _bar(lightness[::-1])
    if before + after == 0 or side - before - after <= max(_LEAST, _WITHIN * side):
        return slice(0, side)
    return slice(before, side - after)


def _bar(lightness: Array) -> int:
    """Return the number of first rows that form a bar."""
    if np.ptp(lightness[0]) > _EVEN:  # most pictures have none
        return 0
    low, high, means = lightness.min(axis=1), lightness.max(axis=1), lightness.mean(axis=1)
    even = high - low <= _EVEN
    black = _leading(even & (high <= _BLACK))
    white = _leading(even & (low >= _WHITE) & (means >= means[0] - _DRIFT))
    count = max(black, white)
    if count == 0 or count == len(lightness):
        return 0
    if white > black and means[: max(1, count - 2)].max() > means[0] + _DRIFT:  # small L overshoots at its end
        return 0
    # the row next to a bar may be a mixture
    first, third = lightness[min(count + 1, len(means) - 1)], lightness[min(count + 3, len(means) - 1)]
    step = first - means[count - 1]
    ends = step.max() >= _GLEAM if black else -np.median(step) >= _EDGE + abs(np.median(third - first))
    return count if ends else 0


def _leading(wanted: Array) -> int:
    """Return the number of true entries before the first false one."""
    return len(wanted) if wanted.all() else int(wanted.argmin())


def refine_content_box(content_box: ContentBox, small: tuple[int, int], picture: Picture) -> ContentBox:
    """Return a content box in pixels of the picture, with the exact ends of the bars.

    Parameters
    ----------
    content_box : (rows, columns)
        Result of :func:`find_content_box`, in pixels of small L.
    small : (h, w)
        Size of small L.
    picture : Picture
        The picture.
    """
    return _refined(picture, 0, content_box[0], small[0]), _refined(picture, 1, content_box[1], small[1])


def _refined(picture: Picture, axis: int, content: slice, small: int) -> slice:
    """Return the rows (axis 0) or columns between bars, from those of ``small`` in small L."""
    start = _end(picture, axis, content.start, small)
    return slice(start, picture.shape[axis] - _end(picture, axis, small - content.stop, small, backwards=True))


def _end(picture: Picture, axis: int, count: int, small: int, backwards: bool = False) -> int:
    """Return the number of rows (axis 0) or columns of a bar that has ``count`` of ``small`` in small L."""
    if count == 0:
        return 0
    side = picture.shape[axis]
    # limits of the bar, of the part that contains its end, and of the content
    first, second, third, last = (
        int(np.clip(round((count + shift) * side / small), 0, side)) for shift in (-2, -1, 1, 2.5)
    )
    if first == last:  # the picture was enlarged, so the end is exact already
        return first
    strip = slice(side - last, side - first) if backwards else slice(first, last)
    values = picture.values[strip] if axis == 0 else picture.values[:, strip]
    lightness = replace(picture, values=values, alpha=None).lightness()
    lines = lightness if axis == 0 else lightness.T
    lines = lines[::-1] if backwards else lines
    level = np.median(lines[: max(1, second - first)])
    away = np.abs(lines - level).mean(axis=1)
    bar, beyond = np.median(away[: max(1, second - first)]), np.median(away[min(third, last - 1) - first :])
    # a quarter of the difference, because the first rows of the content may be darker than the others
    reached = np.flatnonzero(away > bar + (beyond - bar) / 4)
    return first + int(reached[0]) if len(reached) else count * side // small


def fill_bars(lightness: Array, rows: slice, columns: slice, shape: tuple[int, int]) -> Array:
    """Fill the bars around the content of small L, and extend it to a larger shape, by reflection."""
    beyond = [(part.start, side - part.stop) for part, side in zip((rows, columns), shape, strict=True)]
    return np.pad(lightness[rows, columns], beyond, "symmetric")
