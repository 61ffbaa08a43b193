"""Bins of ab, the classes of a network that classifies."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from labcolor.base.typing import Array
from labcolor.color.lab import rgb_to_lab

__all__ = ["BIN_COUNT", "BIN_SIZE", "ab_bins"]

BIN_SIZE = 10.0  # side of a bin in a and b, as in Zhang, Isola, Efros 2016
BIN_COUNT = 310  # length of ab_bins(), a constant so that a head needs no kernels
_SQUARE = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


def _distinct(pairs: Array) -> set[tuple[int, int]]:
    """Return the distinct pairs among small whole numbers; np.unique over rows takes twenty times as long."""
    code = np.unique((pairs[:, 0] + 64) * 128 + pairs[:, 1] + 64).astype(int)
    return set(zip((code // 128 - 64).tolist(), (code % 128 - 64).tolist(), strict=True))


@lru_cache(maxsize=1)
def ab_bins() -> npt.NDArray[np.float32]:
    """Return the bins of ab: a grid of step 10 in a and b that covers the sRGB gamut.

    Returns
    -------
    ndarray, shape (Q, 2), float32
        Corners of all grid cells in which a color of sRGB lies, so that each such color lies between four bins.

    References
    ----------
    R. Zhang, P. Isola, A. A. Efros, "Colorful Image Colorization", ECCV 2016, section 2.1 (which takes the cells'
    centers instead).

    Examples
    --------
    >>> from labcolor.networks import ab_bins
    >>> ab_bins().shape[1]
    2
    """
    # the faces of the RGB cube suffice: each color within lies between two of them along L
    steps = np.linspace(0, 1, 65)
    first, second = (side.ravel() for side in np.meshgrid(steps, steps))
    faces = [np.insert(np.stack([first, second], -1), axis, end, axis=1) for axis in range(3) for end in (0, 1)]
    ab = rgb_to_lab(np.concatenate(faces))[:, 1:]
    # a margin of one unit covers the colors between the samples
    cells = {cell for shift in _SQUARE for cell in _distinct(np.floor((ab + 2 * shift - 1) / BIN_SIZE))}
    corners = {corner for shift in _SQUARE for corner in _distinct(np.array(sorted(cells)) + shift)}
    return np.array(sorted(corners), np.float32) * np.float32(BIN_SIZE)
