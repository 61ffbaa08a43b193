"""The network with a pretrained encoder and a branch."""

import keras
import numpy as np
import pytest

from labcolor.errors import InputError
from labcolor.networks import ab_bins, build_efficientnet

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def network():
    """The default network, with new weights."""
    return build_efficientnet(seed=0)


def operations(network, side):
    """Multiplications and additions of all convolutions for a square."""
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
    output = network.predict_on_batch(np.zeros((1, 64, 96, 1), np.float32))
    assert output.shape == (1, 16, 24, len(ab_bins()))


def test_the_branch_keeps_to_its_places(network):
    """What changes in one corner changes the branch's features there, and not those in the opposite corner."""
    branch = keras.Model(network.inputs[0], network.get_layer("branch_7").output)
    pictures = np.zeros((2, 256, 256, 1), np.float32)
    pictures[1, :32, :32] = 0.9
    plain, changed = np.asarray(branch(pictures))
    difference = np.abs(changed - plain).max(axis=-1)
    assert difference.shape == (64, 64)
    assert difference[:8, :8].min() > 0
    assert difference[-8:, -8:].max() == 0


def test_a_network_without_a_branch_has_none():
    """Only encoder and decoder, as before."""
    names = {layer.name.split("_")[0] for layer in build_efficientnet(branch=()).layers if layer.weights}
    assert names == {"encoder", "decoder", "normalization"}


@pytest.mark.parametrize("branch", [(8, 8, 8), (8, 8, 8, 8, 0)])
def test_a_branch_that_does_not_fit_is_an_error(branch):
    """It names what was expected and what came."""
    with pytest.raises(InputError, match=r"expected a branch of at least 5 positive filters, or of none, got \(8, 8"):
        build_efficientnet(branch=branch)
