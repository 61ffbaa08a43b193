"""Hints as a user gives them: what is one, and where it lies on the grid of chroma."""

import numpy as np
import pytest

from labcolor.errors import InputError, InputTypeError
from labcolor.pictures.hints import as_hints, hints_on_grid


def test_cells_take_the_mean_of_their_hints():
    """Two hints in one cell become their mean; those at the last row and column stay inside."""
    hint = np.full((10, 20, 2), np.nan, np.float32)
    hint[0, 0], hint[1, 1], hint[9, 19] = (10, 0), (20, 4), (-5, 5)
    cells, ab, _ = hints_on_grid(hint, 2, 4, (0.2, 0.2), (slice(0, 10), slice(0, 20)))
    np.testing.assert_array_equal(cells, [0, 7])
    np.testing.assert_allclose(ab, [[15, 2], [-5, 5]])


@pytest.mark.parametrize(
    ("hints", "error", "words"),
    [
        ("red", InputTypeError, "hints: expected None, an array"),
        (np.zeros((4, 6)), InputError, "expected one entry for each of 1"),
        (np.zeros((4, 6, 3)), InputError, r"hints\[0\]: expected .* got shape \(4, 6, 3\)"),
        (np.zeros((5, 6, 2)), InputError, "as large as the picture"),
        (np.zeros((4, 6, 2), int), InputTypeError, "got an array of int64"),
        (np.full((4, 6, 2), 129.0), InputError, "got 129 to 129"),
        (np.full((4, 6, 2), [-np.inf, np.inf]), InputError, "got -inf to inf"),
        (np.full((4, 6, 2), 1e300), InputError, "too large"),
        ([None, None], InputError, "got 2"),
        ([(10, 10, 3, 4)], InputTypeError, "got tuple"),
        (np.zeros((2, 4, 6, 2)), InputError, "got 2"),
    ],
)
def test_bad_hints(hints, error, words):
    """What is no hint is refused in the library's words."""
    with pytest.raises(error, match=words):
        as_hints(hints, [(4, 6)])
