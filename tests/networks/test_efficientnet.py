"""The network with a pretrained encoder."""

import numpy as np
import pytest

from labcolor.networks import ab_bins, build_efficientnet

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def network():
    """The default network, with new weights."""
    return build_efficientnet(seed=0)


def operations(network, side):
    """Multiplications and additions of all convolutions for a square."""
    import keras

    total = 0
    outline = keras.Model(network.inputs[0], [layer.output for layer in network.layers])
    shapes = outline.compute_output_shape((1, side, side, 1))
    for layer, shape in zip(network.layers, shapes, strict=True):
        if isinstance(layer, keras.layers.DepthwiseConv2D):
            total += 2 * np.prod(shape) * np.prod(layer.kernel_size)
        elif isinstance(layer, keras.layers.Conv2D):
            total += 2 * np.prod(shape) * np.prod(layer.kernel.shape[:-1])
    return total


def test_efficientnet_keeps_within_its_budget(network):
    """At most 8 million parameters (16 MB in float16), 8 GFLOP for 256x256 with an overview, scores at a quarter."""
    assert network.count_params() <= 8_000_000
    assert operations(network, 256) + operations(network, 64) <= 8e9
    output = network(np.zeros((1, 64, 96, 1), np.float32))
    assert output.shape == (1, 16, 24, len(ab_bins()))
