"""What version 0.1 wrote still loads: its model files and its pickles, which predict the same chroma.

In data/0.1 lie, of each network, a file, a pickle, and the chroma that 0.1 made of LIGHTNESS at saturation 1.5.
"""

import pickle
from pathlib import Path

import numpy as np
import pytest

from labcolor import Colorizer

OLD = Path(__file__).parents[1] / "data" / "0.1"
LIGHTNESS = np.linspace(20, 80, 32 * 64, dtype=np.float32).reshape(1, 32, 64, 1)
NETWORKS = ("reference", "classifier")


def check_chroma(colorizer, network):
    """Hold what the network and its head make of L against what they made of it in 0.1."""
    pipeline = colorizer.pipeline()
    codec, head = pipeline.model.codec, pipeline.model.head
    outputs = pipeline.engine.run((LIGHTNESS - np.float32(codec.l_center)) / np.float32(codec.l_scale))
    expected = np.load(OLD / f"{network}.npy")
    assert np.ptp(expected) > 5
    np.testing.assert_allclose(head.decode(outputs, codec, 1.5)[0], expected, atol=1e-3)
    assert len(pipeline.model.hints) == (3 if network == "classifier" else 0)


@pytest.mark.parametrize("network", NETWORKS)
def test_files_of_0_1(network, tmp_path):
    """A model file of 0.1 gives its chroma, its network and its working size, and saved anew it stays that."""
    loaded = Colorizer.load(OLD / f"{network}.labcolor")
    loaded.save(tmp_path / "again.labcolor")
    for colorizer in (loaded, Colorizer.load(tmp_path / "again.labcolor")):
        check_chroma(colorizer, network)
        assert repr(colorizer) == repr(Colorizer(network, working_size=96, start=colorizer.start))


@pytest.mark.parametrize("network", NETWORKS)
def test_pickles_of_0_1(network):
    """A pickle of 0.1 gives its chroma and all its parameters, those of the training too."""
    colorizer = pickle.loads((OLD / f"{network}.pickle").read_bytes())
    check_chroma(colorizer, network)
    changed = {"epochs": 7, "learning_rate": 1e-3, "warm_start": True, "random_state": 3, "verbose": 2}
    changed["working_size"] = 96
    assert repr(colorizer) == repr(Colorizer(network, **changed))
