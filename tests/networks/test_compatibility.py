"""What version 0.1 wrote still loads: its model files and its pickles, with the same colors."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from labcolor import Colorizer

OLD = Path(__file__).parents[1] / "data" / "0.1"
PICTURE = (np.linspace(0, 1, 40 * 56).reshape(40, 56) * 255).astype(np.uint8)
NETWORKS = ("reference", "classifier")


@pytest.mark.parametrize("network", NETWORKS)
def test_files_of_0_1(network, tmp_path):
    """A model file of 0.1 gives its colors, its network and its working size, and saved anew it stays that."""
    expected = np.load(OLD / f"{network}.npy")
    loaded = Colorizer.load(OLD / f"{network}.labcolor")
    loaded.save(tmp_path / "again.labcolor")
    for colorizer in (loaded, Colorizer.load(tmp_path / "again.labcolor")):
        np.testing.assert_array_equal(colorizer.predict(PICTURE), expected)
        assert repr(colorizer) == repr(Colorizer(network, working_size=96))


@pytest.mark.parametrize("network", NETWORKS)
def test_pickles_of_0_1(network):
    """A pickle of 0.1 gives its colors and all its parameters, those of the training too."""
    colorizer = pickle.loads((OLD / f"{network}.pickle").read_bytes())
    np.testing.assert_array_equal(colorizer.predict(PICTURE), np.load(OLD / f"{network}.npy"))
    changed = {"epochs": 7, "warm_start": True, "random_state": 3, "verbose": 2, "working_size": 96}
    assert repr(colorizer) == repr(Colorizer(network, **changed))
