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


@pytest.fixture(scope="session")
def small():
    """A colorizer that sees little, for tests that do not look at its colors."""
    colorizer = Colorizer(working_size=32)
    colorizer.model_ = replace(Colorizer.from_pretrained("reference").model_, working_size=32, hints=())
    return colorizer
