"""Training on several devices of one or more machines: each processes its part of a batch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from labcolor.backends.keras import keras, layers
from labcolor.backends.tensorflow import count_replicas, shared_out
from labcolor.base.typing import Array
from labcolor.errors import InputError, LabcolorError
from labcolor.networks.layers import every_layer


def _distribution() -> Any:
    """Return the distribution that ``keras.distribution.set_distribution`` has set, or None."""
    return keras.distribution.distribution() if keras.backend.backend() == "jax" else None


def _processes() -> tuple[int, int]:
    """Return the number of this process, and the number of processes that train together."""
    if _distribution() is None:
        return 0, 1
    import jax

    return jax.process_index(), jax.process_count()


def is_main_process() -> bool:
    """Return whether this process writes files and prints."""
    return _processes()[0] == 0


def _gathered(values: Array) -> Array:
    """Return the values of all processes, along a new first axis."""
    if _processes()[1] == 1:
        return values[None]
    from jax.experimental import multihost_utils

    return np.asarray(multihost_utils.process_allgather(values))


def check_batch(batch_size: int) -> None:
    """Raise an InputError unless the devices can share a batch."""
    distribution = _distribution()
    devices = count_replicas() if distribution is None else distribution.device_mesh.devices.size
    if batch_size % devices:
        raise InputError(
            f"batch_size: expected a multiple of {devices}, the number of devices, got {batch_size}. Choose a "
            f"multiple that does not exceed the number of pictures."
        )


def check_same(about: Mapping[str, Any]) -> None:
    """Wait for the other processes. Raise a LabcolorError in all of them if their trainings differ.

    Parameters
    ----------
    about : mapping
        Numbers and texts that identify a training.
    """
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).digest()
    if len(np.unique(_gathered(np.frombuffer(digest, np.uint8)), axis=0)) > 1:
        raise LabcolorError(
            "expected the same training in all processes, got different ones. Pass the same pictures, parameters, "
            "checkpoint and random_state, such as 0, in each of them."
        )


def broadcast(figures: Mapping[str, float]) -> dict[str, float]:
    """Return the figures of the main process, so that all processes make the same decisions."""
    values = _gathered(np.array(list(figures.values())))[0]
    return dict(zip(figures, values.tolist(), strict=True))


def any_process(so: bool) -> bool:
    """Return whether a condition holds in at least one process."""
    return bool(_gathered(np.array(so)).any())


def synchronize(network: keras.Model) -> None:
    """Normalize by the statistics of the whole batch, rather than of the part of each device."""
    if count_replicas() > 1:  # JAX does so anyway
        for layer in every_layer(network):
            if isinstance(layer, layers.BatchNormalization):
                layer.synchronized = True


def train_on_batch(network: keras.Model, inputs: Any, target: Array) -> float:
    """Perform one step of a training, and return its loss.

    Parameters
    ----------
    network : keras.Model
        The network, compiled.
    inputs : ndarray or tuple of ndarray
        The input of the whole batch, the same in all processes.
    target : ndarray
        Its target.
    """
    batch = inputs, target
    if count_replicas() > 1:
        if network.train_function is None:
            network.test_on_batch(*batch)  # sets the shapes, which Keras cannot infer from parts of a batch
        batch = shared_out(batch)
    elif _processes()[1] > 1:
        own, count = _processes()
        batch = keras.tree.map_structure(lambda array: np.split(array, count)[own], batch)
    return float(network.train_on_batch(*batch))
