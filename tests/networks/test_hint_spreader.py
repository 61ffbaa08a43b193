"""The layer that spreads hints."""

import numpy as np

from labcolor.networks.hint_spreader import HintSpreader
from labcolor.pictures.hints import places_of


def test_the_mean_is_weighted():
    """Between a hint and no hint: in place the hint rules, elsewhere, where nothing is alike, the prediction."""
    random = np.random.default_rng(0)
    spreader = HintSpreader()
    features = random.normal(0, 1, (1, 12, 8)).astype(np.float32)
    places = places_of(3, 4)[None]
    ab = np.zeros((1, 12, 2), np.float32)
    hints, there = np.full((1, 1, 2), 50, np.float32), np.ones((1, 1), np.float32)
    result = spreader((ab, features * 9, places, hints, features[:, 5:6] * 9, places[:, 5:6], there))
    assert result[0, 5, 0] > 45
    assert result[0, 11, 0] < 25
    empty = spreader((ab, features, places, hints, features[:, 5:6], places[:, 5:6], there * 0))
    np.testing.assert_allclose(empty, ab, atol=1e-6)
