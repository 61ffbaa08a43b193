"""The training of a network on batches of (L, ab): optimizer, schedule and weight averaging, in pure Keras 3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from labcolor.networks import ab_bins, bin_loss, bin_targets, rebalancing

__all__ = ["fit_bins", "fit_regression", "train_network"]

Array = npt.NDArray[Any]
Batches = Callable[[int], Iterator[tuple[Array, Array]]]
History = dict[str, list[float]]
_PRIOR_BATCHES = 64  # batches from which the frequency of the bins is taken


def train_network(
    network: keras.Model,
    batches: Iterator[tuple[Array, Array]],
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
        Takes scaled L.
    batches : iterator of (l, ab)
        At least ``steps_per_epoch * epochs`` of them.
    loss : Keras loss
        Of scaled ab and the network's output.
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
    optimizer = keras.optimizers.Adam(schedule, use_ema=True, ema_momentum=momentum)
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
