"""The two views of a picture, at the working size and as an overview: mixing, and reduction of unsure colors."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from labcolor.base.typing import Array
from labcolor.pictures.picture import working_shape

OVERVIEW = 64  # short side, in pixels, of an overview
COARSE = 12  # cells on the short side of the grid of an overview, which has no details
DETAIL = 1.25  # factor of finer colors, because the mean of scores is paler than each color
QUIETEST = 0.2  # smallest factor of colors
SLOPE = 11.0  # slope of the factor at the variance at which it is halfway

_Part = tuple[float, float, float, float]


def resize_part(
    values: Array, shape: tuple[int, int], part: _Part | None = None, kind: Image.Resampling = Image.Resampling.BILINEAR
) -> Array:
    """Resize a part of a map, from left, top to right, bottom, to a shape.

    Parameters
    ----------
    values : ndarray, shape (h, w) or (h, w, C), float32
        The map.
    shape : (int, int)
        Height and width of the result.
    part : (float, float, float, float), optional
        Left, top, right and bottom of the part, in pixels of the map; by default the whole map.
    kind : PIL.Image.Resampling
        The filter.

    Returns
    -------
    ndarray, shape (H, W) or (H, W, C), float32
    """
    if values.ndim == 2:
        return np.asarray(Image.fromarray(np.ascontiguousarray(values)).resize(shape[::-1], kind, part))
    return np.stack([resize_part(channel, shape, part, kind) for channel in np.moveaxis(values, -1, 0)], axis=-1)


def coarse(values: Array, shape: tuple[int, int], part: _Part | None = None) -> Array:
    """Reduce a part of a map to the coarse grid of a map of another shape.

    Parameters
    ----------
    values : ndarray, shape (h, w, C), float32
        The map.
    shape : (int, int)
        Shape of the map whose grid it is: that of the picture itself.
    part : (float, float, float, float), optional
        As for :func:`resize_part`.

    Returns
    -------
    ndarray, (y, x, C), float32
        y or x is :data:`COARSE`.
    """
    # a box filter would move ramps by half a pixel where sizes do not divide
    return resize_part(values, working_shape(shape, COARSE), part, Image.Resampling.HAMMING)


def mix_overview(ab: Array, overview: Array, part: _Part, share: float) -> Array:
    """Mix the coarse colors of an overview into those of a picture, and strengthen the details.

    An overview has uncorrelated errors, so the mean of both has smaller errors. Details remain those of the picture.

    Parameters
    ----------
    ab : ndarray, shape (h, w, 2), float32
        Of the picture at the working size.
    overview : ndarray, (y, x, 2), float32
        ab of its overview.
    part : (float, float, float, float)
        Part of the overview that corresponds to ``ab``.
    share : float
        Share of the overview, from 0 to 1.

    Returns
    -------
    ndarray, shape (h, w, 2), float32
    """
    shape = ab.shape[:2]
    low = coarse(ab, shape)
    details = ab - resize_part(low, shape)
    mixed = low + np.float32(share) * (coarse(overview, shape, part) - low)
    return np.asarray(resize_part(mixed, shape) + np.float32(DETAIL) * details)


def quiet_factor(variance: float, limit: float) -> float:
    """Return the factor of a picture's colors at a variance of ab: 1 if small, :data:`QUIETEST` beyond a limit.

    Examples
    --------
    >>> [round(quiet_factor(variance, 900), 2) for variance in (300, 900, 1200)]
    [1.0, 0.6, 0.22]
    """
    confidence = 1 / (1 + math.exp(min(SLOPE * (variance / limit - 1), 100.0)))
    return QUIETEST + (1 - QUIETEST) * confidence
