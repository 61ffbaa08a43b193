"""What looks alike is found, with how alike it is."""

import numpy as np

from labcolor.known import matching
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


def test_many_places_are_compared_in_parts(monkeypatch):
    """Memory is bounded: parts give what all places together give."""
    whole = match(KEYS, PLACES, COLORS, 60.0)
    monkeypatch.setattr(matching, "_PAIRS", 30)
    for one, other in zip(match(KEYS, PLACES, COLORS, 60.0), whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-4)


def test_a_soft_match_takes_the_mean_of_what_is_alike():
    """Between two known places, both colors count by their distance."""
    middle = PLACES[:2].mean(axis=0, keepdims=True)
    np.testing.assert_allclose(match(middle, PLACES[:2], COLORS[:2], 0.01).ab, COLORS[:2].mean(axis=0)[None], atol=0.1)
