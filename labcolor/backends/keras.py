"""Keras, imported without messages of its backend and used independently of the user's global settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from labcolor.backends.tensorflow import limit_threads, quietly
from labcolor.errors import LabcolorError

try:
    with quietly():
        import keras
        from keras import layers, ops
except ImportError as error:
    raise LabcolorError(
        f"expected Keras with TensorFlow, which training and this model need, but it cannot be imported: {error}. "
        f"Install both, in a version of Python that TensorFlow supports: python -m pip install keras tensorflow. Or "
        f"use a packaged model, or a model that labcolor export has written on a computer with TensorFlow."
    ) from error

__all__ = ["float32_by_default", "keras", "layers", "looking_for_devices", "ops"]


@contextmanager
def float32_by_default() -> Iterator[None]:
    """Make float32 Keras's default dtype, and restore the user's default afterwards."""
    theirs = keras.config.floatx()
    keras.config.set_floatx("float32")
    try:
        yield
    finally:
        keras.config.set_floatx(theirs)


@contextmanager
def looking_for_devices() -> Iterator[None]:
    """Apply labcolor's settings while the backend searches for devices, which the first network starts."""
    with quietly(devices=True):
        if keras.backend.backend() == "tensorflow":
            limit_threads()
        yield
