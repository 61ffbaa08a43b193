"""What several test files share: real photographs and colorizers."""

import os
import signal
import threading
from dataclasses import replace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest
import skimage.data

from labcolor import Colorizer
from labcolor.networks import Architecture, BinsHead, RegressionHead, register_architecture
from labcolor.networks.bins import BIN_COUNT


def pytest_collection_modifyitems(items):
    """Of two processes the first gets all tests that need TensorFlow: the other need not import it."""
    rooms = {"networks", "training"}
    items.sort(key=lambda item: item.path.parent.name not in rooms and not item.get_closest_marker("tensorflow"))


@pytest.fixture(scope="session", autouse=True)
def heed_interrupts():
    """A shell's background job ignores SIGINT, which some tests raise."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def photographs():
    """Five color photographs that scikit-image carries."""
    names = ("astronaut", "chelsea", "coffee", "rocket", "immunohistochemistry")
    return [getattr(skimage.data, name)() for name in names]


@pytest.fixture(scope="session")
def batch(photographs):
    """The same as one batch of 64 x 64 crops."""
    return np.stack([photo[100:164, 150:214] for photo in photographs])


@pytest.fixture(scope="session")
def reference():
    """The packaged reference model."""
    return Colorizer.from_pretrained("reference")


@pytest.fixture(scope="session")
def classifier():
    """The packaged default model."""
    return Colorizer.from_pretrained()


def build_tiny(*, size=3, seed=None, dtype="float32"):
    """One convolution. Its training is traced in a seventh of the time that the reference network takes."""
    import keras

    inputs = keras.Input((None, None, 1))
    initial = keras.initializers.HeNormal(seed)
    outputs = keras.layers.Conv2D(2, size, padding="same", kernel_initializer=initial, dtype=dtype)(inputs)
    return keras.Model(inputs, keras.layers.Activation("linear", dtype="float32")(outputs))


# For tests that train and do not look at the network. They name it "tiny".
register_architecture(Architecture("tiny", build_tiny, RegressionHead()))


def build_tiny_classifier(*, seed=None, dtype="float32"):
    """Three convolutions with batch normalization, and scores of bins of ab at a quarter of the size."""
    import keras

    inputs = x = keras.Input((None, None, 1))
    for layer, stride in enumerate((2, 2, 1)):
        initial = keras.initializers.HeNormal(None if seed is None else seed + layer)
        x = keras.layers.Conv2D(8, 3, stride, "same", use_bias=False, kernel_initializer=initial, dtype=dtype)(x)
        x = keras.layers.ReLU(dtype=dtype)(keras.layers.BatchNormalization(momentum=0.98, dtype=dtype)(x))
    initial = keras.initializers.HeNormal(None if seed is None else seed + 3)
    return keras.Model(inputs, keras.layers.Conv2D(BIN_COUNT, 1, kernel_initializer=initial, dtype="float32")(x))


@pytest.fixture(scope="session")
def tiny_classifier():
    """A registered architecture that chooses among bins and trains at once."""
    return register_architecture(Architecture("tiny-classifier", build_tiny_classifier, BinsHead(), multiple=8))


@pytest.fixture(scope="session")
def small():
    """A colorizer that sees little, for tests that do not look at its colors."""
    colorizer = Colorizer(working_size=32)
    colorizer.model_ = replace(Colorizer.from_pretrained("reference").model_, working_size=32, hints=())
    return colorizer
