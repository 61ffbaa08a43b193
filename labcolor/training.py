"""The training of a network on batches of (L, ab): optimizer, schedule and weight averaging, in pure Keras 3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from labcolor.hints import HintSpreader, places_of, simulate_hints
from labcolor.networks import ab_bins, bin_loss, bin_targets, rebalancing

__all__ = ["fit_bins", "fit_hints", "fit_regression", "train_network"]

Array = npt.NDArray[Any]
Batches = Callable[[int], Iterator[tuple[Array, Array]]]
History = dict[str, list[float]]
_PRIOR_BATCHES = 64  # batches from which the frequency of the bins is taken


class Adam(keras.optimizers.Adam):  # type: ignore[misc]
    """Adam that leaves no memory behind.

    With TensorFlow, Keras (3.15) sends the gradients through ``ReplicaContext.all_reduce`` even where there is one
    replica. That registers a custom gradient, which keeps the training graph and all its variables for as long as the
    process lives: 65 MiB a fit of the reference network.
    """

    def _backend_update_step(self, grads: Any, trainable_variables: Any, learning_rate: Any) -> None:
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            self.update_step(gradient, variable, learning_rate)


def train_network(
    network: keras.Model,
    batches: Iterator[tuple[Any, Array]],
    loss: Any,
    *,
    steps_per_epoch: int,
    epochs: int,
    learning_rate: float,
    **options: Any,
) -> History:
    """Train ``network`` in place by Adam on a cosine schedule and leave the average of its last weights in it.

    Parameters
    ----------
    network : keras.Model
        Takes the inputs.
    batches : iterator of (input, target)
        At least ``steps_per_epoch * epochs`` of them; scaled L and ab, for a network that colours.
    loss : Keras loss
        Of the target and the network's output.
    steps_per_epoch, epochs : int
        Length of the training.
    learning_rate : float
        Peak, reached after the first 2 % of the steps and then lowered to a tenth of it along a cosine.
    **options
        Passed to ``keras.Model.fit``: ``callbacks``, ``verbose``.

    Returns
    -------
    dict
        Keras's history: for each quantity its values, one an epoch.
    """
    steps = steps_per_epoch * epochs
    warm_up = max(1, steps // 50)
    schedule = keras.optimizers.schedules.CosineDecay(
        learning_rate / 10, max(1, steps - warm_up), alpha=0.1, warmup_target=learning_rate, warmup_steps=warm_up
    )
    # The average covers the last few per cent of the steps, and is short enough for a training of a few steps.
    momentum = 1 - 1 / min(1000, max(2, steps // 20))
    optimizer = Adam(schedule, use_ema=True, ema_momentum=momentum, name="adam")
    network.compile(optimizer, loss=loss, jit_compile=False)
    history = network.fit(
        batches,
        steps_per_epoch=steps_per_epoch,
        epochs=epochs,
        shuffle=False,  # the batches come shuffled
        **options,
    )
    return {name: [float(value) for value in values] for name, values in history.history.items()}


def fit_regression(
    network: keras.Model, batches: Batches, ab_scale: float, *, epochs: int, **options: Any
) -> tuple[History, Array]:
    """Train a network that gives scaled ab, by mean squared error.

    Parameters
    ----------
    network : keras.Model
        As :func:`labcolor.build_autoencoder` gives it.
    batches : callable
        From a number of epochs to their batches.
    ab_scale : float
        What ab was divided by.
    epochs : int
        Passes.
    **options
        As for :func:`train_network`.

    Returns
    -------
    history : dict
    log_weights : ndarray
        Empty: there are no bins.
    """
    history = train_network(network, batches(epochs), "mean_squared_error", epochs=epochs, **options)
    return history, np.empty(0, np.float32)


def fit_bins(
    network: keras.Model, batches: Batches, ab_scale: float, *, epochs: int, **options: Any
) -> tuple[History, Array]:
    """Train a network that gives scores of bins, by cross-entropy rebalanced half-way.

    Each pixel weighs the square root of the full rebalancing weight of its colour. The other half of the way, or the
    way back, can be gone when scores are decoded: weighting a true colour by w multiplies its probability by w.

    Parameters, Returns
    -------------------
    As for :func:`fit_regression`, but ``log_weights``, shape (Q,) float32, is the logarithm of the bins' full
    rebalancing weights.
    """
    counts = np.zeros(len(ab_bins()))
    for _, ab in islice(batches(1), _PRIOR_BATCHES):
        targets = bin_targets(ops.average_pool(ab, 4) * ab_scale)
        counts += ops.convert_to_numpy(ops.sum(targets, axis=(0, 1, 2)))
    prior = counts / counts.sum()
    weights = rebalancing(prior)
    halfway = np.sqrt(weights) / (prior * np.sqrt(weights)).sum()
    history = train_network(network, batches(epochs), bin_loss(ab_scale, halfway), epochs=epochs, **options)
    return history, np.log(weights)


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
        Of :class:`labcolor.hints.HintSpreader`.
    """
    random = np.random.default_rng(seed)

    def simulated() -> Iterator[tuple[tuple[Array, ...], Array]]:
        for lightness, ab in batches:
            predicted, features = predict(lightness)
            n, rows, columns, channels = features.shape
            true = ops.convert_to_numpy(ops.average_pool(ab, lightness.shape[1] // rows)).reshape(n, -1, 2) * ab_scale
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

    inputs = [keras.Input((None, *values.shape[2:])) for values in first[0]]
    spreader = HintSpreader(name="hints")
    model = keras.Model(inputs, spreader(inputs))
    history = train_network(model, all_of_them(), "mean_absolute_error", steps_per_epoch=steps, epochs=1, **options)
    return history, spreader.get_weights()
