"""Keras, loaded without the greetings of its backend, and kept from the user's global settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from labcolor._tensorflow import quietly
from labcolor.errors import LabcolorError

try:
    with quietly():
        import keras
        from keras import layers, ops
except ImportError as error:
    raise LabcolorError(
        f"expected Keras with TensorFlow, which training and this model need, and which cannot be imported: {error}. "
        f"Install them, in a version of Python for which there is a TensorFlow: python -m pip install keras tensorflow."
    ) from error

__all__ = ["float32_by_default", "keras", "layers", "ops"]


@contextmanager
def float32_by_default() -> Iterator[None]:
    """Make float32 the dtype of what Keras creates within and gives no dtype to; then the user's default is back."""
    theirs = keras.config.floatx()
    if theirs == "float32":
        yield
        return
    keras.config.set_floatx("float32")
    try:
        yield
    finally:
        keras.config.set_floatx(theirs)
