"""What looks alike is found, with how alike it is."""

import numpy as np

from labcolor.known.matching import match

RANDOM = np.random.default_rng(0)
PLACES = RANDOM.normal(0, 5, (4, 8)).astype(np.float32)
COLORS = np.array([(40, 0), (-30, 20), (0, -40), (10, 30)], np.float32)
THINGS = RANDOM.integers(0, 3, 50)  # the last is not seen
KEYS = (PLACES[THINGS] + RANDOM.normal(0, 0.05, (50, 8))).astype(np.float32)


def test_what_is_similar_is_found():
    """Each place gets the color of the thing that it shows, and the distance and index of this thing."""
    found = match(KEYS, PLACES, COLORS, 60.0)
    np.testing.assert_allclose(found.ab, COLORS[THINGS], atol=0.1)
    np.testing.assert_array_equal(found.nearest, THINGS)
    exact = np.square(KEYS - PLACES[THINGS]).sum(axis=1)
    np.testing.assert_allclose(found.distance, exact, atol=1e-3)
    assert match(KEYS + 100, PLACES, COLORS, 60.0).distance.min() > 1000


def test_a_known_place_tells_how_far_it_is_from_the_picture():
    """Things that are seen are near, and one that is not seen is far."""
    back = match(KEYS, PLACES, COLORS, 60.0).back
    assert back[:3].max() < 1
    assert back[3] > 10


def test_distances_of_any_number_of_places_are_exact():
    """Each number of known places, also one that no vector of the processor divides, gives the exact distances."""
    random = np.random.default_rng(0)
    for count in (1, 15, 16, 37):
        keys, known = (random.normal(size=(number, 18)).astype(np.float32) for number in (9, count))
        exact = np.square(keys[:, None].astype(np.float64) - known).sum(axis=2)
        found = match(keys, known, random.normal(size=(count, 2)), 60.0)
        np.testing.assert_allclose(found.distance, exact.min(axis=1), rtol=1e-5)
        np.testing.assert_array_equal(found.nearest, exact.argmin(axis=1))
        np.testing.assert_allclose(found.back, exact.min(axis=0), rtol=1e-5)


def test_a_soft_match_takes_the_mean_of_what_is_alike():
    """Between two known places, both colors count by their distance."""
    middle = PLACES[:2].mean(axis=0, keepdims=True)
    np.testing.assert_allclose(match(middle, PLACES[:2], COLORS[:2], 0.01).ab, COLORS[:2].mean(axis=0)[None], atol=0.1)
