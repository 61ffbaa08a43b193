"""Matching of similar positions in two pictures, by the network's features."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from labcolor.base.compiled import jit, smaller
from labcolor.base.typing import Array
from labcolor.inference.pipeline import Pipeline
from labcolor.pictures.small import SmallPicture

_LIGHT = np.float32(27.7)  # difference of L that equals one unit of similarity
_UNIT = np.float32(0.4)  # distance of features that equals one unit of similarity
_PLACE = 2  # last coordinates of a key: the place in the picture
_LANES = 16  # known positions whose smallest distance is found together


class Matches(NamedTuple):
    """Results of matching P positions with K known positions.

    Parameters
    ----------
    ab : ndarray, shape (P, 2), float32
        Mean of the known colors, weighted by similarity.
    distance : ndarray, shape (P,), float32
        Squared distance to the most similar known position: 0 if both are the same; at 1, a hint and the prediction
        have equal weight.
    nearest : ndarray, shape (P,), int64
        Index of this known position.
    back : ndarray, shape (K,), float32
        Squared distance of each known position to the position that is most similar to it.
    """

    ab: Array
    distance: Array
    nearest: Array
    back: Array


def keys_of(pipeline: Pipeline, keys: Array) -> Array:
    """Return positions of :meth:`Pipeline.located_chroma` in units of similarity and, last, in short sides."""
    places = keys[:, -_PLACE:] / np.exp(pipeline.model.hints[1][0])
    return np.hstack([keys[:, :-_PLACE] / _UNIT, places])


def features_of(pipeline: Pipeline, keys: Array, small: SmallPicture) -> Array:
    """Return features that do not depend on the position: those of the network, and L, (P, D) float32.

    Parameters
    ----------
    pipeline : Pipeline
        The pipeline that computed the keys.
    keys : ndarray, shape (P, D), float32
        Positions, from :meth:`Pipeline.located_chroma`.
    small : SmallPicture
        The picture.
    """
    lightness = small.coarse_lightness(pipeline.stride).reshape(-1, 1) / _LIGHT
    return np.hstack([keys_of(pipeline, keys)[:, :-_PLACE], lightness])


def match(keys: Array, known: Array, colors: Array, sharpness: float) -> Matches:
    """Return the colors of the most similar positions.

    Parameters
    ----------
    keys : ndarray, shape (P, D), float32
        Positions.
    known : ndarray, shape (K, D), float32
        Positions whose color is known.
    colors : ndarray, shape (K, 2), float32
        Their colors.
    sharpness : float
        How much the most similar positions outweigh others.
    """
    count, wide = len(keys), np.pad(known, ((0, -len(known) % _LANES), (0, 0)), constant_values=np.inf)
    ab, distance = np.empty((count, 2), np.float32), np.empty(count, np.float32)
    nearest, back = np.empty(count, np.int64), np.full(len(wide), np.inf, np.float32)
    places, shades = np.ascontiguousarray(wide.T, np.float32), np.ascontiguousarray(colors, np.float32)
    _match(np.ascontiguousarray(keys), places, shades, np.float32(sharpness), ab, distance, nearest, back)
    return Matches(ab, distance, nearest, back[: len(known)])


# A kernel rather than a matrix product: BLAS's threads spin for 20 ms after each product.
@jit
def _match(
    keys: Array,
    known: Array,
    colors: Array,
    sharpness: float,
    ab: Array,
    distance: Array,
    nearest: Array,
    back: Array,
) -> None:
    """Fill in the fields of :class:`Matches`. ``known`` is (D, K), where K is a multiple of ``_LANES``."""
    F = keys.dtype.type
    limit = F(8) / sharpness  # distance beyond the nearest position at which the weight is 0
    count = known.shape[1]
    row, lows = np.empty(count, F), np.empty(_LANES, F)
    for i in range(len(keys)):
        row[:] = 0
        for d in range(len(known)):
            for k in range(count):
                apart = known[d, k] - keys[i, d]
                row[k] += apart * apart
        for k in range(count):
            back[k] = smaller(back[k], row[k])
        lows[:] = row[:_LANES]  # several minima, because each comparison waits for the one before
        for k in range(_LANES, count, _LANES):
            for n in range(_LANES):
                lows[n] = smaller(lows[n], row[k + n])
        low = lows.min()
        total, a, b = F(0), F(0), F(0)
        for k in range(count):
            if row[k] < low + limit:
                weight = np.exp((low - row[k]) * sharpness)
                total += weight
                a += weight * colors[k, 0]
                b += weight * colors[k, 1]
                if row[k] == low:
                    nearest[i] = k
        ab[i, 0], ab[i, 1], distance[i] = a / total, b / total, low
