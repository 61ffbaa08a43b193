"""Three panels: L, colored, original."""

import numpy as np
import pytest

from labcolor import read_picture, rgb_to_lightness, triptych
from labcolor.errors import InputError

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_panels(tmp_path, dtype):
    """The panels are L as grey, the colored picture and the original, apart by white; the file holds the same."""
    scale = np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else 1
    original, colored = (RANDOM.random((2, 9, 11, 3)) * scale).astype(dtype)
    panels = triptych(original, colored, path=tmp_path / "t.png")
    assert panels.shape == (9, 3 * 11 + 16, 3)
    assert panels.dtype == np.uint8
    assert (panels[:, 11:19] == 255).all()
    first, second, third = panels[:, :11], panels[:, 19:30], panels[:, 38:]
    assert (first == first[..., :1]).all()
    np.testing.assert_allclose(rgb_to_lightness(first), rgb_to_lightness(original), atol=0.3)
    for panel, picture in ((second, colored), (third, original)):
        assert np.abs(panel / 255 - picture / scale).max() < 0.004
    np.testing.assert_array_equal(read_picture(tmp_path / "t.png"), panels)


def test_grey_original_and_alpha():
    """A grey original is shown grey; alpha is dropped."""
    panels = triptych(np.full((4, 5), 77, np.uint8), np.full((4, 5, 4), 99, np.uint8))
    assert (panels[:, -5:] == 77).all()
    assert (panels[:, 13:18] == 99).all()


def test_pictures_that_do_not_go_together():
    """Other sizes and batches are refused."""
    for other in (np.zeros((5, 5, 3)), np.zeros((2, 4, 5, 3))):
        with pytest.raises(InputError, match="expected"):
            triptych(np.zeros((4, 5)), other)
