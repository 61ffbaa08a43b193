"""Training of the hint spreader, with the true colors of some places as hints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from labcolor._keras import keras, ops
from labcolor._typing import Array
from labcolor.networks.hint_spreader import HintSpreader
from labcolor.pictures.hints import places_of
from labcolor.training.loop import History, train_network

__all__ = ["fit_hints", "simulate_hints"]

_MOST_SIMULATED = 32  # largest number of hints for a picture in training


def simulate_hints(true: Array, features: Array, random: np.random.Generator) -> tuple[Array, ...]:
    """Choose some places of a batch and return their true colors as hints.

    Few hints are more frequent than many.

    Parameters
    ----------
    true : ndarray, shape (N, P, 2)
        True ab.
    features : ndarray, shape (N, P, F)
        Features of the network.
    random : numpy.random.Generator
        Source of the choice.

    Returns
    -------
    chosen : ndarray, shape (N, K), int
        Indices of the places.
    hints, hint_features : ndarray, shapes (N, K, 2) and (N, K, F)
        True ab and features at these places.
    there : ndarray, shape (N, K), float32
        1 for a hint, 0 for an unused entry.
    """
    chosen = random.integers(0, true.shape[1], (len(true), _MOST_SIMULATED))
    count = np.minimum(random.geometric(1 / 8, (len(true), 1)) - 1, _MOST_SIMULATED)
    there = (np.arange(_MOST_SIMULATED) < count).astype(np.float32)
    hints, hint_features = (np.take_along_axis(values, chosen[..., None], axis=1) for values in (true, features))
    return chosen, hints, hint_features, there


def fit_hints(
    predict: Callable[[Array], tuple[Array, Array]],
    batches: Iterator[tuple[Array, Array]],
    ab_scale: float,
    *,
    steps: int,
    seed: int,
    **options: Any,
) -> tuple[History, list[Array]]:
    """Train the hint spreader on simulated hints, by the mean absolute error of ab. The network does not change.

    Parameters
    ----------
    predict : callable
        Function from scaled L (N, H, W, 1) to unscaled ab (N, h, w, 2) and the features of the network (N, h, w, F).
    batches : iterator of (l, ab)
        At least ``steps`` batches.
    ab_scale : float
        The divisor of the scaled ab.
    steps : int
        Number of batches to train on.
    seed : int
        Seed of the places of the hints.
    **options
        As for :func:`train_network`.

    Returns
    -------
    history : dict
        As from :func:`train_network`.
    weights : list of ndarray
        Weights of :class:`labcolor.networks.hint_spreader.HintSpreader`.
    """
    random = np.random.default_rng(seed)

    def simulated() -> Iterator[tuple[tuple[Array, ...], Array]]:
        for lightness, ab in batches:
            predicted, features = predict(lightness)
            n, rows, columns, channels = features.shape
            true = ops.average_pool(ab, lightness.shape[1] // rows, data_format="channels_last")
            true = ops.convert_to_numpy(true).reshape(n, -1, 2) * ab_scale
            features = features.reshape(n, -1, channels)
            places = np.repeat(places_of(rows, columns)[None], n, axis=0)
            chosen, hints, hint_features, there = simulate_hints(true, features, random)
            hint_places = np.take_along_axis(places, chosen[..., None], axis=1)
            yield (predicted.reshape(n, -1, 2), features, places, hints, hint_features, hint_places, there), true

    examples = simulated()
    first = next(examples)  # for the shapes

    def all_examples() -> Iterator[tuple[tuple[Array, ...], Array]]:
        yield first
        yield from examples

    inputs = [keras.Input((None, *values.shape[2:]), dtype="float32") for values in first[0]]
    spreader = HintSpreader()
    model = keras.Model(inputs, spreader(inputs))
    history = train_network(model, all_examples(), "mean_absolute_error", steps_per_epoch=steps, epochs=1, **options)
    return history, spreader.get_weights()
