"""Seeds and names of layers, and the last convolution of a network."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from labcolor.errors import InputError

if TYPE_CHECKING:
    import keras


def seeds(seed: int | None) -> Iterator[int | None]:
    """Yield one seed for each layer, or None without a seed."""
    return itertools.repeat(None) if seed is None else itertools.count(seed)


def names(kind: str) -> Iterator[str]:
    """Yield the same names for each network, because TensorFlow keeps 40 kB for each distinct name."""
    return (f"{kind}_{number}" for number in itertools.count(1))


def every_layer(network: keras.Model) -> Iterator[keras.layers.Layer]:
    """Yield the layers of a network, and the layers of networks within it."""
    for layer in network.layers:
        yield layer
        if hasattr(layer, "layers"):
            yield from every_layer(layer)


def last_convolution(network: keras.Model) -> keras.layers.Conv2D:
    """Return the last convolution of a network, or raise an InputError. Hints spread by its input features."""
    from labcolor.backends.keras import layers

    for layer in reversed(network.layers):
        if isinstance(layer, layers.Conv2D):
            return layer
    raise InputError(f"hints: expected a network with a Conv2D at its end, got none in {network.name!r}.")
