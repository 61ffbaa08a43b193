"""Training of a network: optimizer, schedule and weight averaging, in pure Keras 3."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from labcolor._keras import float32_by_default, keras
from labcolor._typing import Array
from labcolor.color.codec import LabCodec
from labcolor.errors import InputError
from labcolor.inference.engine import count_replicas
from labcolor.networks.fitted import FittedModel
from labcolor.networks.registry import Architecture
from labcolor.training.data import crop_batches

__all__ = ["History", "fit_network", "train_network"]

History = dict[str, list[float]]


class Adam(keras.optimizers.Adam):  # type: ignore[misc]
    """Adam without a memory leak.

    With TensorFlow, Keras (3.15) sends the gradients through ``ReplicaContext.all_reduce`` even for one replica. This
    registers a custom gradient, which keeps the training graph and its variables until the process ends: 65 MiB for
    each fit of the reference network. With several replicas the call is necessary, since it sums their gradients.
    """

    def _backend_update_step(self, grads: Any, trainable_variables: Any, learning_rate: Any) -> None:
        if count_replicas() > 1:
            super()._backend_update_step(grads, trainable_variables, learning_rate)
            return
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            self.update_step(gradient, variable, learning_rate)


class _Loss(keras.losses.Loss):  # type: ignore[misc]
    """Loss in float32, independent of the default of Keras."""

    def __init__(self, function: Any) -> None:
        super().__init__(name="loss", dtype="float32")
        self._function = keras.losses.get(function)

    def call(self, true: Any, output: Any) -> Any:
        return self._function(true, output)


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
    """Train ``network`` in place, by Adam on a cosine schedule. Its final weights are an average of the last ones.

    Parameters
    ----------
    network : keras.Model
        The network to train.
    batches : iterator of (input, target)
        At least ``steps_per_epoch * epochs`` batches: scaled L and ab for a network that colors.
    loss : Keras loss
        Loss of the target and the output of the network.
    steps_per_epoch, epochs : int
        Length of the training.
    learning_rate : float
        Peak of the learning rate. It is reached after the first 2 % of the steps, and then lowered to a tenth along a
        cosine.
    **options
        Passed to ``keras.Model.fit``: ``callbacks``, ``verbose``.

    Returns
    -------
    dict
        History of Keras: for each quantity its values, one per epoch.
    """
    steps = steps_per_epoch * epochs
    warm_up = max(1, steps // 50)
    schedule = keras.optimizers.schedules.CosineDecay(
        np.float32(learning_rate / 10),  # fixes the dtype, independent of the default of Keras
        max(1, steps - warm_up),
        alpha=0.1,
        warmup_target=learning_rate,
        warmup_steps=warm_up,
    )
    # The average covers the last few per cent of the steps, and is short in a training of few steps.
    momentum = 1 - 1 / min(1000, max(2, steps // 20))
    optimizer = Adam(schedule, use_ema=True, ema_momentum=momentum, name="adam")
    with float32_by_default():  # for the mean values that Keras prints
        network.compile(optimizer, loss=_Loss(loss), jit_compile=False, auto_scale_loss=False)
    history = network.fit(
        batches,
        steps_per_epoch=steps_per_epoch,
        epochs=epochs,
        shuffle=False,  # the batches are shuffled already
        **options,
    )
    return {name: [float(value) for value in values] for name, values in history.history.items()}


def fit_network(
    architecture: Architecture,
    pictures: Sequence[Array],
    codec: LabCodec,
    *,
    working_size: int,
    crop_size: int,
    batch_size: int,
    epochs: int,
    learning_rate: float,
    aged: float,
    precision: str,
    seed: int,
    start: FittedModel | None = None,
    **options: Any,
) -> FittedModel:
    """Train a network on pictures, and return the trained model.

    Parameters
    ----------
    architecture : Architecture
        The architecture to train.
    pictures : sequence of ndarray
        Pictures from :func:`labcolor.training.data.training_pictures`.
    codec : LabCodec
        Scales L and ab.
    working_size, crop_size, batch_size, epochs, learning_rate, aged, precision
        As for :class:`labcolor.Colorizer`.
    seed : int
        Seed of initial weights, order, crops and mirroring.
    start : FittedModel, optional
        A model of the same architecture. Training continues from its weights and keeps its hints.
    **options
        Passed to ``keras.Model.fit``: ``callbacks``, ``verbose``.

    Returns
    -------
    FittedModel
        The trained model.

    Raises
    ------
    InputError
        ``start`` has another architecture.
    """
    network = architecture.network(seed=seed, dtype=precision)
    if start is not None:
        if (start.architecture.name, start.architecture.options) != (architecture.name, architecture.options):
            raise InputError(
                f"network: the trained network is {_described(start.architecture)}, got {_described(architecture)}. "
                f"Set it back, or fit with warm_start=False."
            )
        network.set_weights(start.weights)

    def batches(passes: int) -> Iterator[tuple[Array, Array]]:
        return crop_batches(pictures, codec, size=crop_size, batch_size=batch_size, epochs=passes, seed=seed, aged=aged)

    head, loss = architecture.head.prepared(batches(1), codec)
    history = train_network(
        network,
        batches(epochs),
        loss,
        steps_per_epoch=math.ceil(len(pictures) / batch_size),
        epochs=epochs,
        learning_rate=learning_rate,
        **options,
    )
    training: Mapping[str, Any] = {
        "pictures": len(pictures),
        "crop_size": crop_size,
        "batch_size": batch_size,
        "epochs": epochs,
        "learning_rate": float(learning_rate),
        "aged": float(aged),
        "precision": precision,
        "seed": seed,
    }
    return FittedModel(
        architecture=architecture,
        weights=tuple(network.get_weights()),
        codec=codec,
        head=head,
        working_size=working_size,
        hints=start.hints if start is not None else (),
        history=history,
        training=training,
    )


def _described(architecture: Architecture) -> str:
    """Return the name of an architecture, with its options if it has any."""
    return repr(architecture.name) + (f" with {dict(architecture.options)}" if architecture.options else "")
