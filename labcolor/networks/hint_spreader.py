"""Spreading of color hints to similar positions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from labcolor.base.typing import Array

__all__ = ["crowding", "limit_reach", "locate", "spread_hints", "spreader_shapes"]

_DIMENSIONS = 16  # of the space in which similarity is measured
# Limits of the reach of hints, chosen on BSDS500: a wrong hint harms less, and a true one gains less. Limits by
# similarity and by the prediction gain more at the same harm than a limit by distance.
_LIGHT = np.float32(15)  # difference of L that counts as much as one unit of the space
_RESERVE = np.float32(1)  # added to the trained logit of the prediction
_DISTANCE = np.float32(0.5)  # share of the squared distance in the picture that counts
_PAIRS = 1 << 24  # pairs of a position and a hint in one comparison


def spreader_shapes(features: int) -> list[tuple[int, ...]]:
    """Return the shapes of a spreader's weights, for a number of features: projection, distance and prediction."""
    return [(features, _DIMENSIONS), (), ()]


def locate(features: Array, places: Array, weights: Sequence[Array]) -> Array:
    """Return positions in a space of features and place, in which squared distances are logits.

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
    size = np.sqrt(np.einsum("pf,pf->p", features, features) / np.float32(features.shape[1])) + np.float32(1e-6)
    near = places * np.float32(2 * np.sqrt(np.abs(distance)))
    return np.concatenate([features @ projection / size[:, None], near], axis=-1)


def limit_reach(own: Array, lightness: Array, weights: Sequence[Array]) -> tuple[Array, list[Array]]:
    """Return positions and weights with which hints spread less to another L and to dissimilar positions.

    Distance in the picture counts less than in training.

    Parameters
    ----------
    own : ndarray, shape (P, D), float32
        Positions, from :func:`locate`.
    lightness : ndarray, shape (P, 1), float32
        Their L, in [0, 100].
    weights : sequence of ndarray
        Of the spreader, in the order of :func:`spreader_shapes`.

    Returns
    -------
    own : ndarray, shape (P, D + 1), float32
    weights : list of ndarray
        Arguments of :func:`spread_hints`.
    """
    alike, near = np.split(own, [_DIMENSIONS], axis=-1)
    own = np.concatenate([alike, near * np.sqrt(_DISTANCE), lightness / _LIGHT], axis=-1)
    return own, [*weights[:2], weights[2] + _RESERVE]


def crowding(theirs: Array) -> Array:
    """Return the number of hints at each hint: itself, and the others by their similarity to it.

    A large brush gives many hints to one thing. Together they have the weight of one, so that neither the size of a
    brush nor that of the grid changes the reach of a color.

    Parameters
    ----------
    theirs : ndarray, shape (K, D), float32
        Positions of the hints, from :func:`locate` or :func:`limit_reach`.

    Returns
    -------
    ndarray, shape (K,), float32
        From 1 for a single hint to K.
    """
    return np.concatenate([np.exp(_logits(theirs[part], theirs)).sum(axis=-1) for part in _parts(theirs, theirs)])


def spread_hints(ab: Array, own: Array, hints: Array, theirs: Array, counts: Array, weights: Sequence[Array]) -> Array:
    """Mix hints into predicted chroma, by similarity of the network's features and by distance.

    At each position the result is a weighted mean of the prediction and the hints. The weight of a hint falls with the
    squared distance of the projected features and of the places; that of the prediction is constant. Hints at one
    position share one weight. Without hints the result is the prediction, and it stays between the given colors.
    The projection and the two constants are trained with simulated hints.

    Parameters
    ----------
    ab : ndarray, shape (P, 2), float32
        The prediction at P positions.
    own : ndarray, shape (P, D), float32
        These positions, from :func:`locate`.
    hints : ndarray, shape (K, 2), float32
        ab of the hints.
    theirs : ndarray, shape (K, D), float32
        Positions of the hints.
    counts : ndarray, shape (K,), float32
        Number of hints at each hint, from :func:`crowding`.
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
    """Yield slices of positions, sized to fit one comparison with all hints."""
    step = max(1, _PAIRS // len(theirs))
    for start in range(0, len(own), step):
        yield slice(start, start + step)


def _logits(own: Array, theirs: Array) -> Array:
    """Return the negative squared distances of positions and hints, (P, K) float32."""
    logits = own @ (2 * theirs.T)
    logits -= np.square(own).sum(axis=-1, keepdims=True)
    logits -= np.square(theirs).sum(axis=-1)
    return np.asarray(logits)
