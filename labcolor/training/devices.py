"""Several devices, of one machine or of several: each takes its part of a batch, and all learn the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from labcolor.backends.keras import keras, layers
from labcolor.backends.replicas import count_replicas, shared_out
from labcolor.base.typing import Array
from labcolor.errors import InputError, LabcolorError
from labcolor.networks.layers import every_layer

__all__ = ["any_process", "broadcast", "check_batch", "check_same", "is_main_process", "synchronize", "train_on_batch"]


def _distribution() -> Any:
    """Return what ``keras.distribution.set_distribution`` has set, or None."""
    return keras.distribution.distribution() if keras.backend.backend() == "jax" else None


def _processes() -> tuple[int, int]:
    """Return the number of this process, and how many, on one machine or on several, train together."""
    if _distribution() is None:
        return 0, 1
    import jax

    return jax.process_index(), jax.process_count()


def is_main_process() -> bool:
    """Return whether this process writes and prints for all."""
    return _processes()[0] == 0


def _alone() -> bool:
    return _processes()[1] == 1


def check_batch(batch_size: int) -> None:
    """Raise an InputError unless the devices can share a batch."""
    distribution = _distribution()
    devices = count_replicas() if distribution is None else distribution.device_mesh.devices.size
    if batch_size % devices:
        raise InputError(
            f"batch_size: expected a multiple of {devices}, the number of devices, got {batch_size}. Choose one that "
            f"is, and is not larger than the number of pictures."
        )


def check_same(about: Mapping[str, Any]) -> None:
    """Wait for the other processes. Raise a LabcolorError, in all of them, if their trainings are not the same.

    Parameters
    ----------
    about : mapping
        Numbers and texts that tell a training from others.
    """
    if _alone():
        return
    from jax.experimental import multihost_utils

    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).digest()
    if len(np.unique(multihost_utils.process_allgather(np.frombuffer(digest, np.uint8)), axis=0)) > 1:
        raise LabcolorError(
            "expected the same training in all processes, got different ones. Give all of them the same pictures, "
            "parameters and checkpoint, and random_state=0 or another number."
        )


def broadcast(figures: Mapping[str, float]) -> dict[str, float]:
    """Return the figures of the main process, so that all processes take the same decisions."""
    if _alone():
        return dict(figures)
    from jax.experimental import multihost_utils

    values = multihost_utils.broadcast_one_to_all(np.array(list(figures.values()), np.float32))
    return {name: float(value) for name, value in zip(figures, values, strict=True)}


def any_process(so: bool) -> bool:
    """Return whether something is so in one of the processes at least."""
    if _alone():
        return so
    from jax.experimental import multihost_utils

    return bool(np.any(multihost_utils.process_allgather(np.array(so))))


def synchronize(network: keras.Model) -> None:
    """Let layers that normalize see the whole batch, as one device does, rather than the part of their device."""
    if count_replicas() > 1:  # with JAX they do
        for layer in every_layer(network):
            if isinstance(layer, layers.BatchNormalization):
                layer.synchronized = True


def train_on_batch(network: keras.Model, inputs: Any, target: Array) -> float:
    """Do one step of a training. Return its loss.

    Parameters
    ----------
    network : keras.Model
        The network, compiled.
    inputs : ndarray or tuple of ndarray
        The input of the whole batch, which is the same in all processes.
    target : ndarray
        Its target.
    """
    batch = inputs, target
    if count_replicas() > 1:
        if network.train_function is None:
            network.test_on_batch(*batch)  # for the shapes, which Keras cannot tell from parts
        batch = shared_out(batch)
    elif not _alone():
        own, count = _processes()
        batch = keras.tree.map_structure(lambda array: np.split(array, count)[own], batch)
    return float(network.train_on_batch(*batch))
