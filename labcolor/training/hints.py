"""How hints learn to spread: true colors of some places, given as hints."""

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

_MOST_SIMULATED = 32  # hints for a picture, in training


def simulate_hints(true: Array, features: Array, random: np.random.Generator) -> tuple[Array, ...]:
    """Choose some places of a batch and give their true colors as hints, few more often than many.

    Parameters
    ----------
    true : ndarray, shape (N, P, 2)
        ab.
    features : ndarray, shape (N, P, F)
        The network's features.
    random : numpy.random.Generator
        Chooses.

    Returns
    -------
    chosen : ndarray, shape (N, K), int
        The places.
    hints, hint_features : ndarray, shapes (N, K, 2) and (N, K, F)
        What is there.
    there : ndarray, shape (N, K), float32
        One for a hint.
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
    """Train how hints spread, on a network that stays as it is: mean absolute error of ab, hints simulated.

    Parameters
    ----------
    predict : callable
        From scaled L, (N, H, W, 1), to ab, (N, h, w, 2), unscaled, and the network's features, (N, h, w, F).
    batches : iterator of (l, ab)
        At least ``steps`` of them.
    ab_scale : float
        What ab was divided by.
    steps : int
        Batches to train on.
    seed : int
        Fixes the places of the hints.
    **options
        As for :func:`train_network`.

    Returns
    -------
    history : dict
    weights : list of ndarray
        Of :class:`labcolor.networks.hint_spreader.HintSpreader`.
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
    first = next(examples)  # tells the shapes

    def all_of_them() -> Iterator[tuple[tuple[Array, ...], Array]]:
        yield first
        yield from examples

    inputs = [keras.Input((None, *values.shape[2:]), dtype="float32") for values in first[0]]
    spreader = HintSpreader()
    model = keras.Model(inputs, spreader(inputs))
    history = train_network(model, all_of_them(), "mean_absolute_error", steps_per_epoch=steps, epochs=1, **options)
    return history, spreader.get_weights()
