"""Hints as a user gives them: as tuples, text and arrays; drawn on the picture, and brought to the grid of chroma."""

import numpy as np
import pytest

from labcolor import rgb_to_lab
from labcolor.errors import InputError, InputTypeError
from labcolor.pictures.hint_grid import hints_on_grid
from labcolor.pictures.hints import HintMap, as_hints, parse_hint


def disk(shape, x, y, radius):
    """Where a picture lies within a radius of a place."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return (columns - x) ** 2 + (rows - y) ** 2 <= radius**2


def drawn(hints, shape):
    """The one map of one picture's hints."""
    (result,) = as_hints(hints, [shape])
    return result


def test_disks_are_what_lies_within_their_radius():
    """A disk ends at the picture's edge, the later of two counts, and each has its color."""
    shape = (40, 25)
    result = drawn([(3, 2, "#e07020"), (20, 30, "keep", 7), (22, 30, "fence", 0), (3, 38, "2030C0", 1)], shape)
    expected = np.full(shape, HintMap.NONE)
    expected[disk(shape, 3, 2, 4)] = HintMap.FIRST + 1
    expected[disk(shape, 20, 30, 7)] = HintMap.KEEP
    expected[30, 22] = HintMap.FENCE
    expected[disk(shape, 3, 38, 1)] = HintMap.FIRST
    np.testing.assert_array_equal(result.index, expected)
    colors = rgb_to_lab(np.array([(0x20, 0x30, 0xC0), (0xE0, 0x70, 0x20)], np.uint8))[:, 1:]
    np.testing.assert_allclose(result.ab, colors, atol=1e-4)


@pytest.mark.parametrize("ends", [((5, 9), (40, 9)), ((5, 9), (5, 25)), ((40, 30), (5, 9)), ((0, 0), (49, 3))])
def test_a_line_is_what_lies_within_its_radius_of_some_point_on_it(ends):
    """A line in any direction is the union of disks along it."""
    shape = (35, 50)
    result = drawn([(*ends[0], *ends[1], "keep", 5)], shape).index > 0
    places = np.linspace(*ends, 4000)
    assert result[np.any([disk(shape, x, y, 5) for x, y in places], axis=0)].all()
    assert not result[~np.any([disk(shape, x, y, 5.01) for x, y in places], axis=0)].any()


def test_a_line_of_several_points_and_of_one_color_given_twice():
    """A line passes all its points; colors that are equal share one entry."""
    bent = drawn([(2, 2, 30, 2, 30, 20, "#e07020", 1), (2, 20, "#E07020", 0)], (24, 40))
    assert len(bent.ab) == 1
    assert (bent.index[2, 2:31] > 0).all()
    assert (bent.index[2:21, 30] > 0).all()
    assert bent.index[20, 2] == HintMap.FIRST
    assert bent.index[12, 16] == HintMap.NONE


def test_text_is_the_same_as_tuples():
    """Each form of text is a tuple; a number of six digits in the place of a color is one."""
    assert parse_hint("120,80,#e07020") == (120, 80, "#e07020", 4)
    assert parse_hint("120,80,102030") == (120, 80, "102030", 4)
    assert parse_hint("120,80,102030,5") == (120, 80, "102030", 5)
    assert parse_hint("1,2,102030,405060,keep,0") == (1, 2, 102030, 405060, "keep", 0)
    drawn([parse_hint("3,4,102030,5")], (20, 30))


def test_one_picture_or_several():
    """A list of hints is one picture's; a list of lists has an entry for each; no hints are None."""
    hints = [(3, 2, "#e07020"), [5, 5, "keep"]]
    for one in (hints, tuple(hints), [hints]):
        np.testing.assert_array_equal(drawn(one, (9, 9)).index, drawn(hints, (9, 9)).index)
    first, second, third = as_hints([hints, None, []], [(9, 9), (3, 3), (4, 5)])
    assert first.index.shape == (9, 9)
    assert second is third is drawn([], (9, 9)) is drawn(None, (9, 9)) is None
    assert drawn(np.full((9, 9, 2), np.nan), (9, 9)) is None


def test_hundreds_of_colors():
    """More colors than eight bits count are kept apart."""
    hints = [(n % 25, n // 25, f"#{n:06x}", 0) for n in range(600)]
    result = drawn(hints, (24, 25))
    colors = rgb_to_lab(np.array([list(bytes.fromhex(f"{n:06x}")) for n in range(600)], np.uint8))[:, 1:]
    np.testing.assert_allclose(result.ab[result.index.reshape(-1) - HintMap.FIRST], colors, atol=1e-4)


def test_hints_that_cover_a_large_picture_many_times_are_refused():
    """Area is bounded by the picture's size; 200 small disks, or 200 in a small picture, are not refused."""
    wide = [(5, 5, "keep", 999_999_999)]
    assert (drawn(wide, (30, 50)).index == HintMap.KEEP).all()
    with pytest.raises(InputError, match="cover the picture at most 16 times, got 40"):
        drawn(wide * 40, (1200, 1000))
    with pytest.raises(InputError, match="cover the picture at most 16 times, got 1"):
        drawn([(*[5, 5] * 40, "keep", 999_999_999)], (1200, 1000))
    drawn([(5, 5, "keep", 50)] * 200, (1200, 1000))
    drawn(wide * 200, (100, 100))


def test_cells_take_the_mean_of_their_hints():
    """Colors in one cell become their mean; a fence goes before what is kept, and that before a color."""
    ab = np.full((10, 20, 2), np.nan, np.float32)
    ab[0, 0], ab[1, 1], ab[9, 19] = (10, 0), (20, 4), (-5, 5)
    content_box = slice(0, 10), slice(0, 20)
    cells, kinds, colors, _ = hints_on_grid(HintMap.of_ab(ab), 2, 4, (0.2, 0.2), content_box)
    np.testing.assert_array_equal(cells, [0, 7])
    np.testing.assert_array_equal(kinds, HintMap.FIRST)
    np.testing.assert_allclose(colors, [[15, 2], [-5, 5]])
    words = drawn([(0, 0, "fence", 0), (1, 1, "keep", 0), (6, 1, "keep", 0), (7, 1, "#ff0000", 0)], (10, 20))
    cells, kinds, colors, places = hints_on_grid(words, 2, 4, (0.2, 0.2), content_box)
    np.testing.assert_array_equal(cells, [0, 1])
    np.testing.assert_array_equal(kinds, [HintMap.FENCE, HintMap.KEEP])
    np.testing.assert_array_equal(colors, 0)
    np.testing.assert_allclose(places, [[0.2, 0.2], [0.3, 1.4]], atol=1e-6)


@pytest.mark.parametrize(
    ("hints", "error", "words"),
    [
        ("red", InputTypeError, "hints: expected None, a list of"),
        (["red"], InputError, "in brackets"),
        ((3, 2, "#e07020"), InputError, r"got a single one. Put it in brackets: \[\(3, 2, '#e07020'\)\]"),
        ([(3, 2, "#e07020"), None], InputError, "expected one entry for each of 1 pictures, got 2"),
        ([[(3, 2, "#e07020"), None]], InputError, r"hints\[0\]: expected \(x, y.* got None"),
        ([{"x": 3}], InputTypeError, r"hints\[0\]: expected a list of .* got dict"),
        ([(3, 2, "red")], InputError, r"hints: expected \(x, y, \"#RRGGBB\"\).* got \(3, 2, 'red'\)"),
        ([(3, 2, 5, "#e07020")], InputError, "hints: expected"),
        ([(3, 2)], InputError, "hints: expected"),
        ([(3.5, 2, "#e07020")], InputError, "in whole pixels"),
        ([(3, np.arange(2), "#e07020")], InputError, "in whole pixels"),
        ([(True, 2, "#e07020")], InputError, "in whole pixels"),
        ([(3, 2, "#e07020", -1)], InputError, "in whole pixels"),
        ([(3, 2, "#e07020", 10**9)], InputError, "in whole pixels"),
        ([(3, -2, "#e07020")], InputError, "in whole pixels"),
        ([(3, 4, "#e07020")], InputError, "expected positions in the picture, from 0,0 to 5,3, got 3,4"),
        ([(3, 3, 6, 3, "#e07020")], InputError, "got 6,3"),
        ([(10, 10, 3, 4)], InputError, "hints: expected"),
        (np.zeros((4, 6)), InputError, "expected one entry for each of 1"),
        (np.zeros((4, 6, 3)), InputError, r"hints: expected .* got shape \(4, 6, 3\)"),
        (np.zeros((5, 6, 2)), InputError, "as large as the picture"),
        (np.zeros((4, 6, 2), int), InputTypeError, "got an array of int64"),
        (np.full((4, 6, 2), 129.0), InputError, "got 129 to 129"),
        (np.full((4, 6, 2), np.inf), InputError, 'got inf. Write .*"keep"'),
        (np.full((4, 6, 2), 1e300), InputError, "got 1e"),
        ([None, None], InputError, "got 2"),
        (np.zeros((2, 4, 6, 2)), InputError, "got 2"),
    ],
)
def test_bad_hints(hints, error, words):
    """What is not a hint is refused in the library's words."""
    with pytest.raises(error, match=words):
        as_hints(hints, [(4, 6)])


@pytest.mark.parametrize("text", ["", "5,5", "5,5,red", "5,5,#12345", "-1,5,#123456", "5,5,#123456,", "1,2,3,keep"])
def test_bad_text(text):
    """Text of another form is refused, and the message shows the form."""
    with pytest.raises(InputError, match="expected X,Y,#RRGGBB or X,Y,#RRGGBB,RADIUS"):
        parse_hint(text)
