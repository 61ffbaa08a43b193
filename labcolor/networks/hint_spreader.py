"""How color hints spread to the places that look alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from labcolor.base.typing import Array

__all__ = ["crowding", "limit_reach", "locate", "spread_hints", "spreader_shapes"]

_DIMENSIONS = 16  # of the space in which likeness is measured
# What limits the reach of hints, chosen on BSDS500: less harm by a wrong one, for less gain by a true one. Likeness and
# the prediction limit it better than nearness: a true hint gains more for the same harm.
_LIGHT = np.float32(15)  # difference of L that counts as much as one unit of the space
_RESERVE = np.float32(1)  # by which the prediction weighs more than the training says
_DISTANCE = np.float32(0.5)  # share of the squared distance in the picture that counts
_PAIRS = 1 << 24  # pairs of a place and a hint that are compared together


def spreader_shapes(features: int) -> list[tuple[int, ...]]:
    """Return the shapes of a spreader's weights, for a number of features: projection, distance and prediction."""
    return [(features, _DIMENSIONS), (), ()]


def locate(features: Array, places: Array, weights: Sequence[Array]) -> Array:
    """Return features and place as coordinates of one space, in which squared distances are logits.

    Parameters
    ----------
    features : ndarray, shape (P, F), float32
        Of the network.
    places : ndarray, shape (P, 2), float32
        Coordinates in short sides.
    weights : sequence of ndarray
        Of the spreader, in the order of :func:`spreader_shapes`.

    Returns
    -------
    ndarray, shape (P, 18), float32
    """
    projection, distance, _ = weights
    features = features / (np.sqrt(np.mean(np.square(features), axis=-1, keepdims=True)) + np.float32(1e-6))
    near = places * np.float32(2 * np.sqrt(np.abs(distance)))
    return np.concatenate([features @ projection, near], axis=-1)


def limit_reach(own: Array, lightness: Array, weights: Sequence[Array]) -> tuple[Array, list[Array]]:
    """Return places and weights with which hints reach less far: not to another L, nor to what is hardly alike.

    Distance in the picture counts less than the training says.

    Parameters
    ----------
    own : ndarray, shape (P, D), float32
        Places, as :func:`locate` says them.
    lightness : ndarray, shape (P, 1), float32
        Their L, in [0, 100].
    weights : sequence of ndarray
        Of the spreader, in the order of :func:`spreader_shapes`.

    Returns
    -------
    own : ndarray, shape (P, D + 1), float32
    weights : list of ndarray
        What :func:`spread_hints` takes.
    """
    alike, near = np.split(own, [_DIMENSIONS], axis=-1)
    own = np.concatenate([alike, near * np.sqrt(_DISTANCE), lightness / _LIGHT], axis=-1)
    return own, [*weights[:2], weights[2] + _RESERVE]


def crowding(theirs: Array) -> Array:
    """Return how many hints are together at each: itself, and the others by their likeness to it.

    A large brush gives many hints to one thing. Together they weigh as one, so that neither the size of a brush nor
    that of the grid changes how far a color reaches.

    Parameters
    ----------
    theirs : ndarray, shape (K, D), float32
        Where the hints are, as :func:`locate` or :func:`limit_reach` says it.

    Returns
    -------
    ndarray, shape (K,), float32
        From 1, which is alone, to K.
    """
    return np.concatenate([np.exp(_logits(theirs[part], theirs)).sum(axis=-1) for part in _parts(theirs, theirs)])


def spread_hints(ab: Array, own: Array, hints: Array, theirs: Array, counts: Array, weights: Sequence[Array]) -> Array:
    """Mix hints into predicted chroma, by likeness of the network's features and by nearness.

    At each place the result is a weighted mean of the prediction and of the hints. A hint's weight falls with the
    squared distance of the two places' features, projected, and of the places themselves; the prediction's is
    constant. Hints that are together share one weight. So the result is the prediction where there is no hint, and
    stays between the colors that were given. The projection and the two constants are trained with simulated hints.

    Parameters
    ----------
    ab : ndarray, shape (P, 2), float32
        The prediction at P places.
    own : ndarray, shape (P, D), float32
        Where they are, as :func:`locate` says it.
    hints : ndarray, shape (K, 2), float32
        ab of the hints.
    theirs : ndarray, shape (K, D), float32
        Where these are.
    counts : ndarray, shape (K,), float32
        How many hints are together at each, as :func:`crowding` says it.
    weights : sequence of ndarray
        Of the spreader, in the order of :func:`spreader_shapes`.

    Returns
    -------
    ndarray, shape (P, 2), float32

    References
    ----------
    R. Zhang et al., "Real-Time User-Guided Image Colorization with Learned Deep Priors", SIGGRAPH 2017 (the simulated
    hints). A. Vaswani et al., "Attention Is All You Need", 2017 (the mean weighted by a softmax of likeness).
    """
    prediction = np.float32(weights[2])
    spread = np.empty_like(ab, np.float32)
    for part in _parts(own, theirs):
        logits = _logits(own[part], theirs)
        logits -= np.log(counts)
        highest = np.maximum(logits.max(axis=-1, keepdims=True), prediction)
        logits -= highest
        shares = np.exp(logits, out=logits)
        rest = np.exp(prediction - highest)
        spread[part] = (rest * ab[part] + shares @ hints) / (rest + shares.sum(axis=-1, keepdims=True))
    return spread


def _parts(own: Array, theirs: Array) -> Iterator[slice]:
    """Yield slices of places, so many as are compared with all hints together."""
    step = max(1, _PAIRS // len(theirs))
    for start in range(0, len(own), step):
        yield slice(start, start + step)


def _logits(own: Array, theirs: Array) -> Array:
    """Return minus the squared distances of places and hints, (P, K) float32."""
    logits = own @ (2 * theirs.T)
    logits -= np.square(own).sum(axis=-1, keepdims=True)
    logits -= np.square(theirs).sum(axis=-1)
    return np.asarray(logits)
