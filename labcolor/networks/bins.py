"""Bins of ab, the classes of a classifying network."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from labcolor.color.lab import rgb_to_lab

__all__ = ["BIN_COUNT", "BIN_SIZE", "ab_bins"]

BIN_SIZE = 10.0  # side of a bin in a and b, as in Zhang, Isola, Efros 2016
BIN_COUNT = 310  # length of ab_bins(), a constant so that a head needs no kernels
_SQUARE = np.array([0, 1, 1j, 1 + 1j])


@lru_cache(maxsize=1)
def ab_bins() -> npt.NDArray[np.float32]:
    """Return the bins of ab: a grid of step 10 in a and b that covers the sRGB gamut.

    Returns
    -------
    ndarray, shape (Q, 2), float32
        Corners of all grid cells that contain a color of sRGB, so that each color has a bin on four sides.

    References
    ----------
    R. Zhang, P. Isola, A. A. Efros, "Colorful Image Colorization", ECCV 2016, section 2.1 (which uses the centers
    of the cells instead).

    Examples
    --------
    >>> from labcolor.networks import ab_bins
    >>> ab_bins().shape[1]
    2
    """
    # the faces of the RGB cube suffice, because each color inside lies between two of them along L
    steps = np.linspace(0, 1, 65)
    first, second = (side.ravel() for side in np.meshgrid(steps, steps))
    faces = [np.insert(np.stack([first, second], -1), axis, end, axis=1) for axis in range(3) for end in (0, 1)]
    a, b = rgb_to_lab(np.concatenate(faces))[:, 1:].T
    # Pairs are complex numbers, which np.unique sorts fast. A margin of one unit covers colors between the samples.
    shifted = [(a + 2 * shift.real - 1, b + 2 * shift.imag - 1) for shift in _SQUARE]
    cells = np.unique([np.floor(a / BIN_SIZE) + 1j * np.floor(b / BIN_SIZE) for a, b in shifted])
    corners = np.unique(cells[:, None] + _SQUARE)
    return np.stack([corners.real, corners.imag], -1).astype(np.float32) * np.float32(BIN_SIZE)
