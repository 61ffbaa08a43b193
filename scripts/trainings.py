"""What trainings of packaged models share: options, photographs, networks, and a loop that keeps averaged weights."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from labcolor.io.pictures import picture_paths
from labcolor.networks import FittedModel
from labcolor.training.sources import hold_out

SIDE = 128  # of the smallest squares that networks see
SHORT_SIDE = 136  # of the photographs that they are taken from
MEMORY = 8 << 30  # bytes of photographs
HOLD_OUT = 40  # each 40th photograph by name


def add_options(parser: argparse.ArgumentParser, *, learning_rate: float, film_aging: float, minutes: float) -> None:
    """Add the options of a training of steps, with these defaults."""
    parser.add_argument("folders", nargs="+", help="folders of color photographs")
    parser.add_argument("--start", required=True, help="the model file to start from")
    parser.add_argument("-o", "--output", required=True, help="the model file to write")
    parser.add_argument("--steps", type=int, required=True, help="batches to train on")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=learning_rate, help="at its peak")
    parser.add_argument(
        "--film-aging", type=float, default=film_aging, help="share of squares made to look like old film"
    )
    parser.add_argument("--precision", default="mixed_bfloat16")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=minutes, help="between two writings of the output")


def training_paths(folders: Iterable[str]) -> list[Path]:
    """Return the photographs of folders that are not held out."""
    return [path for folder in folders for path in hold_out(picture_paths([folder]), HOLD_OUT)[0]]


def built(model: FittedModel, precision: str) -> keras.Model:
    """Return a model's network in a dtype policy, with its weights."""
    network = model.architecture.network(seed=0, dtype=precision)
    network.set_weights(model.weights)
    return network


def compile_network(network: keras.Model, optimizer: keras.optimizers.Optimizer, loss: Any) -> None:
    """Compile a network for training; XLA only for JAX, since it makes TensorFlow slower on CPUs."""
    network.compile(optimizer, loss=loss, jit_compile="auto" if keras.backend.backend() == "jax" else False)


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
