"""How hints spread."""

import numpy as np
from scipy.sparse.csgraph import dijkstra

from labcolor.networks.hint_spreader import (
    UNREACHABLE,
    UNSURE,
    Cells,
    distances,
    kriging,
    locate,
    path_lengths,
    spread_hints,
    unit_features,
)
from labcolor.pictures.hint_grid import places_of

RANDOM = np.random.default_rng(0)
FEATURES = unit_features(RANDOM.normal(0, 1, (12, 8)).astype(np.float32))
PLACES = places_of(3, 4)
CONSTANTS = np.array([-1, -4, -5, -3, 1, 0.6, 0.6, -6], np.float32)
WEIGHTS = RANDOM.normal(0, 0.2, (8, 16)).astype(np.float32), CONSTANTS
COLORS = np.float32([[50, 50], [-20, 3]])
FREE = np.zeros((12, 2), np.float32)  # paths of no length


def grid(ab=None, lightness=50, deviation=UNSURE):
    """Return cells with random features."""
    every = np.ones((12, 1), np.float32)
    ab = np.zeros((12, 2), np.float32) if ab is None else ab
    return Cells(ab, locate(FEATURES, PLACES, WEIGHTS), lightness * every, deviation * every)


def test_a_hint_rules_in_its_place_and_fades():
    """In place the hint rules; elsewhere it moves the prediction less, the less the network sees it as alike."""
    result = spread_hints(grid(), np.array([5]), COLORS[:1], FREE[:, :1], WEIGHTS)
    assert result.dtype == np.float32
    assert result[5].min() > 48
    likeness = -np.linalg.norm(grid().positions - grid().positions[5], axis=1)
    np.testing.assert_array_equal(np.argsort(likeness), np.argsort(result[:, 0]))
    assert result[:, 0].min() < 25


def test_the_layer_that_is_trained_computes_the_same():
    """What is trained by Keras is what predictions use, and unused hints of a batch change nothing."""
    from labcolor.training.hints import HintSpreader

    cells = grid(RANDOM.normal(0, 20, (12, 2)).astype(np.float32), RANDOM.uniform(0, 100, (12, 1)))
    cells = Cells(*cells[:3], RANDOM.uniform(3, 30, (12, 1)).astype(np.float32))
    chosen, paths = np.array([5, 1]), RANDOM.uniform(0, 3, (12, 2)).astype(np.float32)
    paths[chosen] = [[0, 1], [1, 0]]
    layer = HintSpreader()
    layer.build([(None, None, 2), (None, None, 8)])
    layer.set_weights(WEIGHTS)
    given = cells.ab, FEATURES, PLACES, cells.lightness, cells.deviation
    unused = np.full((12, 1), UNREACHABLE)
    hints = np.append(chosen, 7), np.vstack([COLORS, [[90, 90]]]), np.hstack([paths, unused])
    (trained,) = layer(tuple(np.float32(values)[None] for values in (*given, *hints)))
    known = cells.chosen(chosen)
    apart = (distances(part, known, way, CONSTANTS) for part, way in ((known, paths[chosen]), (cells, paths)))
    plain = kriging(cells, known, COLORS - known.ab, *apart, CONSTANTS)
    np.testing.assert_allclose(plain, trained, atol=1e-3)


def test_hints_in_one_place_count_as_one():
    """A hint that is given three times does what it does alone."""
    once = spread_hints(grid(), np.array([5]), COLORS[:1], FREE[:, :1], WEIGHTS)
    thrice = spread_hints(grid(), np.array([5, 5, 5]), COLORS[[0, 0, 0]], FREE[:, [0, 0, 0]], WEIGHTS)
    np.testing.assert_allclose(thrice, once, atol=0.2)


def test_many_cells_are_taken_in_parts(monkeypatch):
    """Parts of the cells give what all together give."""
    whole = spread_hints(grid(), np.array([5, 1]), COLORS, FREE, WEIGHTS)
    monkeypatch.setattr("labcolor.networks.hint_spreader._PAIRS", 10)
    np.testing.assert_allclose(spread_hints(grid(), np.array([5, 1]), COLORS, FREE, WEIGHTS), whole, atol=1e-4)


def test_a_hint_moves_what_is_unsure():
    """A color of which the network is sure moves less than one that it guesses."""
    deviation = np.full((12, 1), UNSURE)
    deviation[0] = 3
    sure = spread_hints(grid(deviation=deviation), np.array([5]), COLORS[:1], FREE[:, :1], WEIGHTS)
    unsure = spread_hints(grid(), np.array([5]), COLORS[:1], FREE[:, :1], WEIGHTS)
    assert sure[0, 0] < 0.6 * unsure[0, 0]
    np.testing.assert_allclose(sure[1:], unsure[1:], rtol=1e-5)


def test_a_long_path_weakens_a_hint():
    """Of two cells alike, the one that is connected with the hint takes more of its color; out of reach, none."""
    paths = FREE[:, :1].copy()
    paths[0], paths[1] = 10, UNREACHABLE
    near, far = (spread_hints(grid(), np.array([5]), COLORS[:1], way, WEIGHTS) for way in (FREE[:, :1], paths))
    assert 0 < far[0, 0] < 0.8 * near[0, 0]
    assert far[1, 0] == 0 < near[1, 0]


def test_pull_replaces_colors_instead_of_shifting_them():
    """With a pull of 1, a cell alike takes the color of the hint; with 0, it keeps its difference from that cell."""
    ab = np.zeros((12, 2), np.float32)
    ab[4] = 0, 30
    same = grid(ab)
    same = Cells(same.ab, same.positions[[4] * 12], *same[2:])
    for pull, expected in ((1, 20), (0, 50)):
        constants = CONSTANTS.copy()
        constants[[2, 5]] = -20, pull  # colors do not count as a distance
        paths = FREE[:, :1]
        hint = same.chosen([5])
        apart = (distances(part, hint, way, constants) for part, way in ((hint, paths[[5]]), (same, paths)))
        result = kriging(same, hint, np.float32([[0, 20]]), *apart, constants)
        np.testing.assert_allclose(result[4], [0, expected], atol=1)


def plain(rows, columns):
    """Features of a grid on which the network sees nothing, and its L."""
    return np.zeros((rows * columns, 18), np.float32), np.full((rows * columns, 1), 50, np.float32)


def test_paths_go_around_what_differs():
    """A path is 0 long within a thing, longer across an edge, and shorter around a wall than through it."""
    features, lightness = plain(9, 11)
    light = lightness.reshape(9, 11)
    light[1:, 5] = 95
    lengths = path_lengths(features, lightness, (9, 11), np.array([44, 54])).reshape(9, 11, 2)
    np.testing.assert_allclose(lengths[:, :5, 0], 0, atol=1e-6)
    assert (lengths[1:, 5] > 0.5).all()
    light[0, 5] = 70
    through = path_lengths(features, lightness, (9, 11), np.array([44, 54])).reshape(9, 11, 2)
    assert 0.1 < through[4, 10, 0] < lengths[4, 5, 0]
    np.testing.assert_allclose(through[4, 10, 0], through[4, 0, 1], rtol=1e-5)


def test_paths_are_the_shortest():
    """They are those that Dijkstra's algorithm finds, in a picture of noise."""
    features = unit_features(RANDOM.normal(0, 1, (54, 8)).astype(np.float32))
    lightness = RANDOM.uniform(0, 100, (54, 1)).astype(np.float32)
    ones = path_lengths(features, lightness, (6, 9), np.arange(54))
    y, x = np.divmod(np.arange(54), 9)
    near = np.maximum(abs(y[:, None] - y), abs(x[:, None] - x)) == 1
    graph = np.where(near, ones, 0)  # the path between neighbors is at most one step
    np.testing.assert_allclose(ones, dijkstra(graph), rtol=1e-4, atol=1e-5)
    assert np.count_nonzero(ones[near] > 0) == near.sum()


def test_no_path_crosses_a_fence():
    """What is behind a fence is out of reach, and so is a fenced cell."""
    features, lightness = plain(5, 7)
    fence = np.arange(3, 35, 7)
    lengths = path_lengths(features, lightness, (5, 7), np.array([14]), fence).reshape(5, 7)
    assert (lengths[:, :3] == 0).all()
    assert (lengths[:, 3:] == UNREACHABLE).all()
