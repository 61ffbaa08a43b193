"""Matching: which places of two pictures look alike, by the network's features."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from labcolor.base.compiled import jit
from labcolor.base.typing import Array
from labcolor.inference.pipeline import Pipeline
from labcolor.pictures.small import SmallPicture

__all__ = ["Matches", "features_of", "keys_of", "match"]

_LIGHT = np.float32(27.7)  # difference of L that counts as much as one unit
_PLACE = 2  # the last coordinates of a key
_PAIRS = 1 << 24  # pairs of places in one comparison


class Matches(NamedTuple):
    """What places take over from known places.

    Parameters
    ----------
    ab : ndarray, shape (P, 2), float32
        Mean of the known colors, weighted by similarity.
    distance : ndarray, shape (P,), float32
        Squared distance to the most similar known place: 0 for a place that is the same; at 1, a hint and the
        prediction weigh the same.
    nearest : ndarray, shape (P,), int64
        Index of this known place.
    back : ndarray, shape (K,), float32
        Squared distance of each known place to the place most similar to it.
    """

    ab: Array
    distance: Array
    nearest: Array
    back: Array


def keys_of(pipeline: Pipeline, keys: Array) -> Array:
    """Return positions of :meth:`Pipeline.located_chroma` in units in which a hint reaches as far as 1."""
    return np.asarray(keys / np.sqrt(max(1.0, -float(pipeline.model.hints[2]))), np.float32)


def features_of(pipeline: Pipeline, keys: Array, small: SmallPicture) -> Array:
    """Return what places look like wherever they are in their picture: features and L, (P, D) float32.

    Parameters
    ----------
    pipeline : Pipeline
        What the keys are from.
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
        Places.
    known : ndarray, shape (K, D), float32
        Places whose color is known.
    colors : ndarray, shape (K, 2), float32
        Their colors.
    sharpness : float
        How much the most similar places outweigh others.
    """
    count, step = len(keys), max(1, _PAIRS // len(known))
    ab, distance = np.empty((count, 2), np.float32), np.empty(count, np.float32)
    nearest, back = np.empty(count, np.int64), np.full(len(known), np.inf, np.float32)
    colors = np.ascontiguousarray(colors, np.float32)
    for start in range(0, count, step):
        part = slice(start, start + step)
        distances = keys[part] @ (-2 * known.T)
        distances += np.square(keys[part]).sum(axis=1, keepdims=True)
        distances += np.square(known).sum(axis=1)
        _mix(distances, colors, np.float32(sharpness), ab[part], distance[part], nearest[part], back)
    return Matches(ab, distance, nearest, back)


@jit
def _mix(
    distances: Array, colors: Array, sharpness: float, ab: Array, distance: Array, nearest: Array, back: Array
) -> None:
    """Fill in the fields of :class:`Matches` from squared distances, (P, K); ``back`` may be known in part."""
    limit = np.float32(8) / sharpness  # distance beyond the nearest position at which the weight is 0
    for i in range(distances.shape[0]):
        row = distances[i]
        low = row[0]
        for k in range(len(row)):
            low = min(low, row[k])
            back[k] = min(back[k], max(row[k], np.float32(0)))  # differences of large numbers may leave 0
        total, a, b = np.float32(0), np.float32(0), np.float32(0)
        for k in range(len(row)):
            if row[k] < low + limit:
                weight = np.exp((low - row[k]) * sharpness)
                total += weight
                a += weight * colors[k, 0]
                b += weight * colors[k, 1]
                if row[k] == low:
                    nearest[i] = k
        ab[i, 0], ab[i, 1], distance[i] = a / total, b / total, max(low, np.float32(0))
