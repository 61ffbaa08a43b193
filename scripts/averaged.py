"""A training whose averaged weights are kept: the loop of the scripts that train the packaged model."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
from keras import ops


def train_averaged(
    network: keras.Model,
    batches: Iterable[tuple[Any, Any]],
    rate_at: Callable[[int], float],
    save: Callable[[list[Any], list[float], int], None],
    *,
    every: int,
    lag: int,
    most: float,
    minutes: float,
) -> None:
    """Train on all batches, and save every few minutes and at the end.

    ``rate_at`` gives the learning rate of a step. Every ``every`` steps the average moves towards the weights: it keeps
    ``(step + 1) / (step + lag)`` of itself, at most ``most``. ``save`` gets the average, the losses, and the number of
    steps so far.
    """
    average = [ops.convert_to_numpy(weight).astype(np.float32) for weight in network.weights]
    losses: list[float] = []
    began = saved = time.monotonic()
    for step, (inputs, targets) in enumerate(batches):
        network.optimizer.learning_rate = rate_at(step)
        network.reset_metrics()  # else Keras gives the mean of all steps so far
        losses.append(float(network.train_on_batch(inputs, targets)))
        if not math.isfinite(losses[-1]):
            raise SystemExit(f"the loss of step {step} is not finite. The last weights written are good.")
        if step % every == 0:
            keep = min(most, (step + 1) / (step + lag))
            for mean, weight in zip(average, network.get_weights(), strict=True):
                mean += (1 - keep) * (weight - mean)
        if step % 50 == 49:
            speed = (step + 1) * len(inputs) / (time.monotonic() - began)
            print(f"step {step + 1}: loss {np.mean(losses[-50:]):.4f}, {speed:.1f} photographs a second", flush=True)
        if time.monotonic() - saved > 60 * minutes:
            saved = time.monotonic()
            save(average, losses, step + 1)
    save(average, losses, len(losses))
