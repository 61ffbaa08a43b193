"""Hints as text, drawn as disks."""

import numpy as np
import pytest

from labcolor.errors import InputError
from labcolor.pictures.hint_text import Hint, hint_map, parse_hint


def test_disks_hold_the_places_within_their_radius():
    """A disk is what lies within its radius; its part outside the picture is left out, and the later one counts."""
    hints = [parse_hint("3,2,#e07020,4"), parse_hint("20,30,keep,7"), parse_hint("22,30,fence,0")]
    known = hint_map(hints, (40, 25))
    y, x = np.ogrid[:40, :25]
    first, second = ((x - h.x) ** 2 + (y - h.y) ** 2 <= h.radius**2 for h in hints[:2])
    assert np.unique(known[first], axis=0).shape == (1, 2)
    assert np.isneginf(known[30, 22]).all()
    second[30, 22] = False
    assert np.isposinf(known[second]).all()
    second[30, 22] = True
    assert np.isnan(known[~(first | second)]).all()


def test_a_radius_beyond_the_picture_fills_it():
    """The largest radius that text can say costs no more than the picture."""
    known = hint_map([parse_hint("2,3,keep,999999999")], (30, 50))
    assert np.isposinf(known).all()


def test_disks_that_cover_a_large_picture_many_times_are_refused():
    """Radius times count is bounded by the picture's size; 200 small disks, or 200 in a small picture, are not."""
    wide = [Hint(5, 5, "keep", 999_999_999)] * 40
    with pytest.raises(InputError, match="cover the picture at most 16 times, got 40"):
        hint_map(wide, (1200, 1000))
    hint_map([Hint(5, 5, "keep", 50)] * 200, (1200, 1000))
    hint_map(wide * 5, (100, 100))
