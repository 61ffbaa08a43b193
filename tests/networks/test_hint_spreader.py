"""How hints spread."""

import numpy as np

from labcolor.networks.hint_spreader import crowding, locate, spread_hints
from labcolor.pictures.hint_grid import places_of
from labcolor.training.hints import HintSpreader

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.normal(0, 1, (12, 8)).astype(np.float32)
PLACES = places_of(3, 4)
ALONE = np.ones(1, np.float32)
WEIGHTS = RANDOM.normal(0, 0.3, (8, 16)).astype(np.float32), np.float32(2), np.float32(-3)


def test_the_mean_is_weighted():
    """In place the hint rules; elsewhere, where nothing is alike, the prediction."""
    own = locate(FEATURES, PLACES, (WEIGHTS[0] * 9, *WEIGHTS[1:]))
    result = spread_hints(np.zeros((12, 2), np.float32), own, np.float32([[50, 50]]), own[5:6], ALONE, WEIGHTS)
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
    np.testing.assert_allclose(
        spread_hints(ab, own, hints, own[chosen], np.repeat(ALONE, 2), WEIGHTS), trained[0], atol=1e-4
    )


def test_hints_in_one_place_weigh_as_one():
    """What a hint does is the same if it is given three times; hints that lie apart count alone."""
    own = locate(FEATURES, PLACES, WEIGHTS)
    ab, hint = np.zeros((12, 2), np.float32), np.float32([[50, 50]])
    once = spread_hints(ab, own, hint, own[5:6], crowding(own[5:6]), WEIGHTS)
    thrice = own[[5, 5, 5]]
    np.testing.assert_allclose(crowding(thrice), 3, rtol=1e-4)
    np.testing.assert_allclose(
        spread_hints(ab, own, np.repeat(hint, 3, 0), thrice, crowding(thrice), WEIGHTS), once, atol=1e-3
    )
    np.testing.assert_allclose(crowding(20 * own[:2]), 1, rtol=1e-2)
