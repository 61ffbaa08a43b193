"""The reference network, and what all builders promise."""

import numpy as np
import pytest

from labcolor import build_autoencoder
from labcolor.errors import InputError
from labcolor.networks import build_efficientnet

REFERENCE = [(64, 2), (128, 2), (256, 2), (512, 1), (256, 1), "up", (128, 1), "up", (64, 1), "up", (2, 1)]


def test_reference_network_is_the_one_of_the_mission():
    """The default network has exactly the layers of the reference project and 3,099,714 parameters."""
    import keras

    network = build_autoencoder()
    assert network.count_params() == 3_099_714
    layers = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D | keras.layers.UpSampling2D)]
    for layer, expected in zip(layers, REFERENCE, strict=True):
        if expected == "up":
            assert layer.size == (2, 2)
            continue
        assert (layer.filters, layer.strides[0]) == expected
        assert layer.kernel_size == (3, 3)
        assert layer.padding == "same"
        assert layer.activation is (keras.activations.linear if layer is layers[-1] else keras.activations.relu)
    assert network.layers[-1].activation is keras.activations.tanh
    assert network.input_shape == (None, None, None, 1)
    assert network.output_shape == (None, None, None, 2)


@pytest.mark.parametrize("shape", [(8, 8), (16, 40), (128, 96)])
def test_output_is_as_large_as_the_input(shape):
    """For multiples of 8 the reference network keeps the size."""
    output = build_autoencoder()(np.zeros((2, *shape, 1), np.float32))
    assert output.shape == (2, *shape, 2)


def test_a_seed_fixes_the_weights():
    """The same seed gives the same initial weights, another seed others, and no global state is used."""
    first, same, other = (build_autoencoder(seed=seed).get_weights() for seed in (7, 7, 8))
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("build", [build_autoencoder, build_efficientnet])
def test_each_build_has_the_same_names(build):
    """The variables are called the same in each network, since TensorFlow keeps memory for each name."""
    first, second = ([weight.path for weight in build().weights] for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("build", "filters"),
    [(build_autoencoder, {"encoder": (8, 8)}), (build_efficientnet, {"decoder": (8, 8)})],
    ids=["autoencoder", "efficientnet"],
)
def test_impossible_filters_are_refused(build, filters):
    """Filters that give no network are refused with what was expected."""
    with pytest.raises(InputError, match="expected"):
        build(**filters)
