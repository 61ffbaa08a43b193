"""Keras, loaded without messages of its backend, and independent of the user's global settings."""

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
        f"expected Keras with TensorFlow, which training and this model need, and which cannot be imported: {error}. "
        f"Install them, in a Python for which there is a TensorFlow: python -m pip install keras tensorflow. "
        f"Or color with a packaged model, or with one that labcolor export has written where they are installed."
    ) from error

__all__ = ["float32_by_default", "keras", "layers", "looking_for_devices", "ops"]


@contextmanager
def float32_by_default() -> Iterator[None]:
    """Make float32 Keras's default dtype, and restore the user's default afterwards."""
    theirs = keras.config.floatx()
    if theirs == "float32":
        yield
        return
    keras.config.set_floatx("float32")
    try:
        yield
    finally:
        keras.config.set_floatx(theirs)


@contextmanager
def looking_for_devices() -> Iterator[None]:
    """Apply labcolor's settings while the backend looks for devices, as it does for the first network."""
    with quietly(devices=True):
        if keras.backend.backend() == "tensorflow":
            limit_threads()
        yield
