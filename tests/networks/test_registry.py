"""Architectures of one's own: trained, saved and loaded as the package's are."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone

from labcolor import Colorizer
from labcolor.errors import InputError, InputTypeError, ModelFileError
from labcolor.networks import (
    Architecture,
    RegressionHead,
    get_architecture,
    list_architectures,
    register_architecture,
)

MINE = """
import keras
from labcolor.networks import Architecture, RegressionHead, register_architecture

def build(*, width=4, seed=None, dtype="float32"):
    inputs = keras.Input((None, None, 1))
    first, second = (keras.initializers.GlorotUniform(None if seed is None else seed + n) for n in range(2))
    x = keras.layers.Conv2D(width, 3, 1, "same", activation="relu", kernel_initializer=first, dtype=dtype)(inputs)
    x = keras.layers.Conv2D(2, 1, activation="tanh", kernel_initializer=second, dtype="float32")(x)
    return keras.Model(inputs, x)

register_architecture(Architecture("mine", build, RegressionHead(chroma=1.5), multiple=2, options={"width": 6}))
"""
LOAD = """
import sys, numpy as np
sys.path.insert(0, sys.argv[1])
if sys.argv[2] == "registered":
    import mine
from labcolor import Colorizer
from labcolor.errors import ModelFileError
try:
    colorizer = Colorizer.load(sys.argv[1] + "/m.labcolor")
    np.save(sys.argv[1] + "/out.npy", colorizer.predict(np.load(sys.argv[1] + "/in.npy")))
    print(dict(colorizer.model_.architecture.options))
except ModelFileError as error:
    print(error)
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """An architecture that a user has registered."""
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    __import__("mine")
    return get_architecture("mine")


@pytest.mark.slow
def test_an_architecture_of_ones_own_is_a_model_like_others(mine, batch, tmp_path):
    """It trains with its options, is saved, and colors the same in a new process that registers it."""
    colorizer = Colorizer(mine.with_options(width=9), epochs=1, crop_size=32, working_size=32, random_state=0)
    colorizer.fit(batch)
    assert colorizer.network_.layers[1].filters == 9
    assert colorizer.model_.head.chroma == 1.5
    colorizer.save(tmp_path / "m.labcolor")
    np.save(tmp_path / "in.npy", batch[0])

    def load(how):
        command = [sys.executable, "-c", LOAD, str(tmp_path), how]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    assert load("registered") == "{'width': 9}\n"
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), colorizer.predict(batch[0]))
    assert "m.labcolor: not a model that this version can use: network: expected one of" in load("unknown")
    assert "got 'mine'" in load("unknown")


def test_a_name_and_an_architecture_mean_the_same(mine, batch):
    """Colorizer takes the registered name or the architecture itself, and scikit-learn clones both."""
    quick = {"epochs": 1, "crop_size": 32, "working_size": 32, "random_state": 0}
    results = [clone(Colorizer(network, **quick)).fit(batch).predict(batch[0]) for network in ("mine", mine)]
    np.testing.assert_array_equal(*results)


def test_a_file_that_needs_an_unknown_architecture_says_which(small, tmp_path, monkeypatch):
    """The error names the file and the architecture."""
    stranger = dataclasses.replace(get_architecture("reference"), name="stranger")
    content = dataclasses.replace(small.model_, architecture=stranger).to_bytes()
    (tmp_path / "m.labcolor").write_bytes(content)
    with pytest.raises(ModelFileError, match=r"m\.labcolor: .*got 'stranger'"):
        Colorizer.load(tmp_path / "m.labcolor")


@pytest.mark.parametrize(
    ("architecture", "error", "words"),
    [
        ("reference", InputTypeError, "expected an Architecture"),
        (Architecture("a/b", print, RegressionHead()), InputError, "expected a name of letters"),
        (Architecture("efficientnet", print, RegressionHead()), InputError, "comes with the package"),
        (Architecture("good", print, RegressionHead(), multiple=0), InputError, "multiple: expected"),
    ],
)
def test_what_cannot_be_registered(architecture, error, words):
    """It is refused, and the registry stays as it is."""
    before = list_architectures()
    with pytest.raises(error, match=words):
        register_architecture(architecture)
    assert list_architectures() == before


def test_options_that_the_builder_refuses():
    """Unknown options are an error of the library, when the network is built."""
    with pytest.raises(InputError, match=r"reference: its builder refuses the options \{'colour': 3\}"):
        get_architecture("reference").with_options(colour=3).network()
