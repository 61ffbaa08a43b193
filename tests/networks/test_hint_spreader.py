"""How hints spread."""

import numpy as np
from scipy.sparse.csgraph import dijkstra

from labcolor.networks.hint_spreader import (
    crowding,
    limit_reach,
    locate,
    path_lengths,
    shared_shift,
    spread_hints,
)
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


def plain(rows, columns):
    """Positions of a grid on which the network sees nothing, and its L."""
    own = np.zeros((rows * columns, 18), np.float32)
    own[:, 16:] = places_of(rows, columns)
    return own, np.full((rows * columns, 1), 50, np.float32)


def test_paths_go_around_what_differs():
    """A path is 0 long within a thing, longer across an edge, and shorter around a wall than through it."""
    own, lightness = plain(9, 11)
    light = lightness.reshape(9, 11)
    light[1:, 5] = 95
    lengths = path_lengths(own, lightness, (9, 11), np.array([44, 54])).reshape(9, 11, 2)
    np.testing.assert_allclose(lengths[:, :5, 0], 0, atol=1e-6)
    assert (lengths[1:, 5] > 0.5).all()
    light[0, 5] = 70
    through = path_lengths(own, lightness, (9, 11), np.array([44, 54])).reshape(9, 11, 2)
    assert 0.1 < through[4, 10, 0] < lengths[4, 5, 0]
    np.testing.assert_allclose(through[4, 10, 0], through[4, 0, 1], rtol=1e-5)


def test_paths_are_the_shortest():
    """They are those that Dijkstra's algorithm finds, in a picture of noise."""
    own = locate(RANDOM.normal(0, 1, (54, 8)).astype(np.float32), places_of(6, 9), WEIGHTS)
    lightness = RANDOM.uniform(0, 100, (54, 1)).astype(np.float32)
    ones = path_lengths(own, lightness, (6, 9), np.arange(54))
    y, x = np.divmod(np.arange(54), 9)
    near = np.maximum(abs(y[:, None] - y), abs(x[:, None] - x)) == 1
    graph = np.where(near, ones, 0)  # the path between neighbors is at most one step
    np.testing.assert_allclose(ones, dijkstra(graph), rtol=1e-4, atol=1e-5)
    assert np.count_nonzero(ones[near] > 0) == near.sum()


def test_no_path_crosses_a_fence():
    """What is behind a fence is out of reach, and so is a fenced cell."""
    own, lightness = plain(5, 7)
    fence = np.arange(3, 35, 7)
    lengths = path_lengths(own, lightness, (5, 7), np.array([14]), fence).reshape(5, 7)
    assert (lengths[:, :3] == 0).all()
    assert (lengths[:, 3:] > 1e6).all()


def test_what_hints_share_moves_the_picture_a_little():
    """One large shift moves what is unlike it by little; several that agree move it more, and never beyond them."""
    own, lightness = plain(6, 6)
    ab = np.zeros((36, 2), np.float32)
    own, _ = limit_reach(own, lightness, ab, WEIGHTS)
    moved = [
        np.linalg.norm(shared_shift(own, own[cells], np.float32([[60, 0]] * len(cells)), np.ones(len(cells))), axis=1)
        for cells in ([0], [0, 5, 30, 35])
    ]
    assert 0 < moved[0].max() < 4
    assert moved[1].min() > moved[0].max()
    assert moved[1].max() < 12
