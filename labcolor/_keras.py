"""Keras, loaded without the greetings of its backend."""

from labcolor.inference.engine import quietly

with quietly():
    import keras
    from keras import layers, ops

__all__ = ["keras", "layers", "ops"]
