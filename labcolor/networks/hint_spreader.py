"""How color hints spread to the places that look alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labcolor._typing import Array

__all__ = ["limited", "locate", "spread_hints", "spreader_shapes"]

_DIMENSIONS = 16  # of the space in which likeness is measured
# What limits the reach of hints: less harm by a wrong one, for 0.3 dB less by a true one (measured on BSDS500).
_LIGHT = np.float32(15)  # difference of L that counts as much as one unit of the space
_RESERVE = np.float32(1.25)  # by which the prediction weighs more than the training says


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


def limited(own: Array, lightness: Array, weights: Sequence[Array]) -> tuple[Array, list[Array]]:
    """Return places and weights with which hints reach less far: not to another L, nor to what is hardly alike.

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
    return np.concatenate([own, lightness / _LIGHT], axis=-1), [*weights[:2], weights[2] + _RESERVE]


def spread_hints(ab: Array, own: Array, hints: Array, theirs: Array, weights: Sequence[Array]) -> Array:
    """Mix hints into predicted chroma, by likeness of the network's features and by nearness.

    At each place the result is a weighted mean of the prediction and of the hints. A hint's weight falls with the
    squared distance of the two places' features, projected, and of the places themselves; the prediction's is
    constant. So the result is the prediction where there is no hint, and stays between the colors that were given.
    The projection and the two constants are trained with simulated hints.

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
    logits = own @ (2 * theirs.T)
    logits -= np.square(own).sum(axis=-1, keepdims=True)
    logits -= np.square(theirs).sum(axis=-1)
    highest = np.maximum(logits.max(axis=-1, keepdims=True), prediction)
    logits -= highest
    shares = np.exp(logits, out=logits)
    rest = np.exp(prediction - highest)
    return np.asarray((rest * ab + shares @ hints) / (rest + shares.sum(axis=-1, keepdims=True)), np.float32)
