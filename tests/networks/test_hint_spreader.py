"""How hints spread."""

import numpy as np

from labcolor.networks.hint_spreader import locate, spread_hints
from labcolor.pictures.hints import places_of
from labcolor.training.hints import HintSpreader

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.normal(0, 1, (12, 8)).astype(np.float32)
PLACES = places_of(3, 4)
WEIGHTS = RANDOM.normal(0, 0.3, (8, 16)).astype(np.float32), np.float32(2), np.float32(-3)


def test_the_mean_is_weighted():
    """In place the hint rules; elsewhere, where nothing is alike, the prediction."""
    own = locate(FEATURES, PLACES, (WEIGHTS[0] * 9, *WEIGHTS[1:]))
    result = spread_hints(np.zeros((12, 2), np.float32), own, np.float32([[50, 50]]), own[5:6], WEIGHTS)
    assert result[5, 0] > 45
    assert result[11, 0] < 25
    assert result.dtype == np.float32


def test_the_layer_that_is_trained_computes_the_same():
    """What is trained by Keras is what predictions use."""
    ab = RANDOM.normal(0, 20, (12, 2)).astype(np.float32)
    hints = np.float32([[50, 50], [-20, 3]])
    own = locate(FEATURES, PLACES, WEIGHTS)
    layer = HintSpreader()
    layer.build([(None, None, 2), (None, None, 8)])
    layer.set_weights(WEIGHTS)
    chosen, there = [5, 1], np.ones((1, 2), np.float32)
    trained = layer(
        (ab[None], FEATURES[None], PLACES[None], hints[None], FEATURES[None, chosen], PLACES[None, chosen], there)
    )
    np.testing.assert_allclose(spread_hints(ab, own, hints, own[chosen], WEIGHTS), trained[0], atol=1e-4)
