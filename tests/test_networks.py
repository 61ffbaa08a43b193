"""The networks: their layers, sizes, losses, and that they learn."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from labcolor import build_autoencoder, rgb_to_lab
from labcolor.networks import ab_bins, bin_loss, bin_targets, build_classifier, rebalancing

REFERENCE = [(64, 2), (128, 2), (256, 2), (512, 1), (256, 1), "up", (128, 1), "up", (64, 1), "up", (2, 1)]


def test_reference_network_is_the_one_of_the_mission():
    """The default network has exactly the layers of the reference project and 3,099,714 parameters."""
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
    output = build_autoencoder().predict_on_batch(np.zeros((2, *shape, 1), np.float32))
    assert output.shape == (2, *shape, 2)


def test_a_seed_fixes_the_weights():
    """The same seed gives the same initial weights, another seed others, and no global state is used."""
    first, same, other = (build_autoencoder(seed=seed).get_weights() for seed in (7, 7, 8))
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("build", [build_autoencoder, build_classifier])
def test_each_build_has_the_same_names(build):
    """The variables are called the same in each network, since TensorFlow keeps memory for each name."""
    first, second = ([weight.path for weight in build().weights] for _ in range(2))
    assert first == second


@pytest.mark.parametrize("build", [build_autoencoder, build_classifier])
def test_impossible_filters_are_refused(build):
    """Filters that give no network are refused with what was expected."""
    with pytest.raises(ValueError, match="expected"):
        build(encoder=(8, 8))


def test_classifier_keeps_within_its_budget():
    """The stronger network holds at most 8 million parameters (16 MB in float16) and gives scores at a quarter."""
    network = build_classifier()
    assert network.count_params() < 8_000_000
    output = network.predict_on_batch(np.zeros((1, 64, 96, 1), np.float32))
    assert output.shape == (1, 16, 24, len(ab_bins()))


def test_bins_cover_the_gamut_and_keep_the_color():
    """Each color of sRGB is spread over bins whose weights add up to one and whose mean is the color itself."""
    levels = np.arange(0, 256, 5, dtype=np.uint8)
    colors = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3)
    ab = rgb_to_lab(colors)[:, 1:]
    targets = np.asarray(bin_targets(ab))
    np.testing.assert_allclose(targets.sum(axis=-1), 1, atol=1e-4)
    np.testing.assert_allclose(targets @ ab_bins(), ab, atol=2e-3)


def test_rebalancing_raises_what_is_rare():
    """Rare bins weigh more than common ones, and the mean weight over the prior is one."""
    prior = np.array([0.9, 0.1, 0.0])
    weights = rebalancing(prior)
    assert weights[0] < weights[1] < weights[2]
    assert (weights * prior).sum() == pytest.approx(1)


def test_bin_loss_is_cross_entropy():
    """For a constant color and even scores the loss is the logarithm of the number of bins."""
    count = len(ab_bins())
    loss = bin_loss(128, np.ones(count))(np.zeros((1, 8, 8, 2), np.float32), np.zeros((1, 2, 2, count), np.float32))
    assert float(loss) == pytest.approx(np.log(count), rel=1e-5)


def test_networks_do_not_import_tensorflow_themselves():
    """The module is pure Keras: on another backend it does not load TensorFlow."""
    code = (
        "import ast, pathlib, labcolor; folder = pathlib.Path(labcolor.__file__).parent\n"
        "for name in ('networks', 'training'):\n"
        "    tree = ast.parse((folder / f'{name}.py').read_text())\n"
        "    names = [getattr(node, 'module', None) or node.names[0].name for node in ast.walk(tree)\n"
        "             if isinstance(node, (ast.Import, ast.ImportFrom))]\n"
        "    assert not any(n.startswith('tensorflow') for n in names), names"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
