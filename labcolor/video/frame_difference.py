"""Changes from frame to frame, apart from exposure and the weave of the film."""

from __future__ import annotations

from typing import Any

import numpy as np

from labcolor.base.compiled import inline, jit
from labcolor.base.typing import Array

Outline = Array  # (3, h, w): L without grain, and how it changes for each small pixel downwards and across

_SIDE = 40  # number of positions along the short side at which frames are compared
_ROUNDS = 3
_WEAVE = 2.5  # largest movement of the film between two frames, in small pixels
_MOVED = 3.0  # difference of L from which a position has less weight
_PRIOR = 1e-3, 1.0, 0.1, 0.1  # of offset, gain and shift: without contrast only the offset can be fitted


def outline(lightness: Array, shape: tuple[int, ...]) -> Outline:
    """Return the outline of a frame at the size of its chroma.

    Parameters
    ----------
    lightness : ndarray, shape (H, W), float32
        Small L.
    shape : (h, w, ...)
        Size of its chroma.

    Returns
    -------
    ndarray, shape (3, h, w), float32
    """
    out = np.empty((3, *shape[:2]), np.float32)
    _outline(np.ascontiguousarray(lightness), -(-lightness.shape[0] // shape[0]), out)
    return out


@inline
def _inside(place: int, side: int) -> Any:
    """Clip a position to a side."""
    return min(max(place, 0), side - 1)


@jit
def _outline(lightness: Array, stride: int, out: Array) -> None:
    """Write means of L over 5 x 5 pixels, and their slopes, at each ``stride``-th pixel to ``out``."""
    F = out.dtype.type
    height, width = lightness.shape
    rows, columns = -(-(height - stride // 2) // stride), -(-(width - stride // 2) // stride)
    sums = np.empty((3, width + 4), np.float32)  # of five rows around the pixel above, the pixel and the pixel below
    for i in range(out.shape[1]):
        y = stride // 2 + min(i, rows - 1) * stride
        for row in range(3):
            center = _inside(y + 2 * row - 2, height)
            total = sums[row]
            total[:] = 0
            for v in range(center - 2, center + 3):
                line = lightness[_inside(v, height)]
                for x in range(width):
                    total[x + 2] += line[x]
            total[:2], total[width + 2 :] = total[2], total[width + 1]
        for j in range(out.shape[2]):
            x = stride // 2 + min(j, columns - 1) * stride
            left, right = _inside(x - 2, width), _inside(x + 2, width)
            above, here, below, before, after = F(0), F(0), F(0), F(0), F(0)
            for u in range(5):
                above += sums[0, x + u]
                here += sums[1, x + u]
                below += sums[2, x + u]
                before += sums[1, left + u]
                after += sums[1, right + u]
            out[0, i, j] = here / F(25)
            out[1, i, j] = (below - above) / F(100)
            out[2, i, j] = (after - before) / F(100)


def changes(frame: Outline, other: Outline, play: float = 0) -> Array:
    """Return the absolute changes of L between two frames, apart from exposure and weave.

    Gain, offset and a small shift are fitted to all positions together. Positions with motion have less weight.

    Parameters
    ----------
    frame, other : ndarray, shape (3, h, w), float32
        Outlines.
    play : float
        Number of small pixels by which an edge may be displaced.

    Returns
    -------
    ndarray, shape (h, w), float32
        Differences of L, 0 or more.
    """
    out = np.empty(frame.shape[1:], np.float32)
    _changes(frame, other, float(play), max(1, min(frame.shape[1:]) // _SIDE), np.array(_PRIOR), out)
    return out


@jit
def _changes(frame: Array, other: Array, play: float, step: int, prior: Array, out: Array) -> None:
    """Fit offset, gain and shift to each ``step``-th pixel by weighted least squares, and write the residuals."""
    height, width = out.shape
    change, part, sums = np.zeros(4), np.ones(4), np.empty((4, 5))
    for _ in range(_ROUNDS):
        sums[:] = 0
        count = 0
        for y in range(0, height, step):
            for x in range(0, width, step):
                for k in range(3):
                    part[k + 1] = other[k, y, x]
                wanted = np.float64(frame[0, y, x]) - part[1]
                rest = (wanted - change[0] - change[1] * part[1] - change[2] * part[2] - change[3] * part[3]) / _MOVED
                weight = 1 / (1 + rest * rest)
                count += 1
                for k in range(4):
                    weighted = weight * part[k]
                    for n in range(k, 4):
                        sums[k, n] += weighted * part[n]
                    sums[k, 4] += weighted * wanted
        for k in range(4):
            sums[k, k] += prior[k] * count
        _solve(sums, change)
        for k in range(2, 4):
            change[k] = min(max(change[k], -_WEAVE), _WEAVE)
    for y in range(height):
        for x in range(width):
            rest = frame[0, y, x] - other[0, y, x] - change[0]
            for k in range(3):
                rest -= change[k + 1] * other[k, y, x]
            edge = np.sqrt(frame[1, y, x] * frame[1, y, x] + frame[2, y, x] * frame[2, y, x])
            out[y, x] = max(abs(rest) - play * edge, 0.0)


@inline
def _solve(sums: Array, change: Array) -> None:
    """Solve four equations by elimination. ``sums`` holds the symmetric matrix (upper triangle) and the right side."""
    for k in range(4):
        for n in range(k + 1, 4):
            factor = sums[k, n] / sums[k, k]
            for m in range(n, 5):
                sums[n, m] -= factor * sums[k, m]
    for k in range(3, -1, -1):
        change[k] = sums[k, 4]
        for n in range(k + 1, 4):
            change[k] -= sums[k, n] * change[n]
        change[k] /= sums[k, k]
