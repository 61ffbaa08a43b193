"""Hints win where they are, whatever others there are; in bars they do nothing."""

import numpy as np
import pytest
from skimage import data

from labcolor import rgb_to_lab
from labcolor.errors import InputError


def chroma(picture):
    """Its ab, (H, W, 2)."""
    return rgb_to_lab(picture)[..., 1:]


def test_a_hint_wins_beside_another(classifier):
    """Two unlike hints near each other, on one smooth grey, are both honored where they are."""
    picture = np.full((400, 400), 128, np.uint8)
    for shift in range(0, 16, 5):
        hints = np.full((400, 400, 2), np.nan)
        places = {(200 + shift, 150 + shift): (50, 30), (200 + shift, 240 + shift): (-30, 34)}
        for (row, column), ab in places.items():
            hints[row - 2 : row + 3, column - 2 : column + 3] = ab
        result = chroma(classifier.predict(picture, hints=hints))
        for place, ab in places.items():
            assert np.linalg.norm(result[place] - ab) < 4


def test_many_hints_are_as_near_as_the_grid_allows(classifier, photographs):
    """With the truth at each pixel, the error is about that of true chroma at the grid's size."""
    photo = photographs[1]
    true = chroma(photo)
    result = chroma(classifier.predict(photo, hints=true))
    assert np.linalg.norm(result - true, axis=2).mean() < 2.8


def lawn():
    """Return a photograph of a man in a coat on a lawn, and one green stroke of 40 x 20 pixels on the lawn."""
    return data.camera(), [(390, 430, 410, 430, "#428a3c", 10)]


def test_a_hint_on_a_lawn_does_not_color_a_coat(classifier):
    """A strong green hint turns the lawn around it green, and neither the coat nor the sky."""
    photo, hints = lawn()
    moved = chroma(classifier.predict(photo, hints=hints)) - chroma(classifier.predict(photo))
    moved = np.linalg.norm(moved, axis=2)
    assert moved[400:470, 330:470].mean() > 8
    assert moved[220:330, 170:240].mean() < 4
    assert moved[:150, 300:].mean() < 2


def test_light_and_dark_things_do_not_share_a_hint(classifier, photographs):
    """One red hint on the flag colors less than three tenths of the picture; it colored four."""
    hints = np.full((512, 512, 2), np.nan)
    hints[96:105, 56:65] = 50, 30
    photo = photographs[0]
    moved = chroma(classifier.predict(photo, hints=hints)) - chroma(classifier.predict(photo))
    assert (np.linalg.norm(moved, axis=2) > 8).mean() < 0.3


def test_no_hint_reaches_what_is_fenced_off(classifier):
    """In a fence nothing changes; beside it, a hint spreads as it would without."""
    photo, hints = lawn()
    plain, free = classifier.predict(photo), classifier.predict(photo, hints=hints)
    fence = [(150, 0, 150, 511, "fence", 150)]
    fenced = classifier.predict(photo, hints=hints + fence)
    assert np.abs(fenced[:, :270].astype(int) - plain[:, :270]).max() <= 4
    assert np.abs(free[:, :270].astype(int) - plain[:, :270]).max() > 20
    assert np.abs(fenced[:, 330:].astype(int) - free[:, 330:]).max() <= 2
    np.testing.assert_array_equal(classifier.predict(photo, hints=fence), plain)


def test_a_fence_is_a_wall(classifier):
    """A thin fence between a hint and the rest of a smooth wall keeps the color on its side."""
    wall = np.full((300, 400), 140, np.uint8)
    hint, fence = (100, 150, "#3060c0", 20), (200, 0, 200, 299, "fence", 8)
    free, fenced = (chroma(classifier.predict(wall, hints=hints)) for hints in ([hint], [hint, fence]))
    plain = chroma(classifier.predict(wall))
    left, right = np.s_[100:200, 60:140], np.s_[100:200, 260:340]
    reached = [np.linalg.norm(result - plain, axis=2) for result in (free, fenced)]
    assert reached[0][right].mean() > 10
    assert reached[1][right].mean() < 3
    assert reached[1][left].mean() > 0.9 * reached[0][left].mean()


def test_half_a_hint_is_refused(classifier):
    """A hint of which one number is nan is an error, which says so."""
    hints = np.full((60, 60, 2), np.nan)
    hints[20, 20] = 30, 30
    hints[3, 4, 0] = 20
    with pytest.raises(InputError, match="nan for both, at each pixel, got nan for one of them at 1 pixels"):
        classifier.predict(np.zeros((60, 60), np.uint8), hints=hints)


def test_a_hint_in_a_bar_does_nothing(classifier, photographs):
    """Bars stay grey: a hint there is left out, alone and beside one in the picture."""
    picture = np.pad(photographs[0], ((60, 60), (0, 0), (0, 0)))
    hints = np.full((*picture.shape[:2], 2), np.nan)
    hints[20:30, 200:210] = 60, 60
    np.testing.assert_array_equal(classifier.predict(picture, hints=hints), classifier.predict(picture))
    hints[300:309, 300:309] = -20, 40
    both = classifier.predict(picture, hints=hints)
    hints[:60] = np.nan
    np.testing.assert_array_equal(classifier.predict(picture, hints=hints), both)


def test_a_single_hint_holds_wherever_it_lies(classifier, photographs):
    """One pixel of hint shows at its place, wherever in the grid of chroma it lies."""
    photo = photographs[4]
    for place in ((250, 250), (255, 257), (261, 248), (0, 0), (511, 300)):
        hints = np.full((*photo.shape[:2], 2), np.nan, np.float32)
        hints[place] = 10, 12
        result = classifier.predict(photo, hints=hints)
        assert np.linalg.norm(chroma(result)[place] - (10, 12)) < 3
