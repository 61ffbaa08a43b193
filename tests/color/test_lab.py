"""Lab conversions against scikit-image, published values, and themselves."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage import color

from labcolor import lab_to_rgb, rgb_to_lab, rgb_to_lightness
from labcolor.errors import InputError, InputTypeError

RANDOM = np.random.default_rng(0)
# sRGB primaries under D65, from Bruce Lindbloom's CIE Color Calculator (brucelindbloom.com; adaptation none).
LINDBLOOM = {
    (255, 0, 0): (53.2408, 80.0925, 67.2032),
    (0, 255, 0): (87.7347, -86.1827, 83.1793),
    (0, 0, 255): (32.2970, 79.1875, -107.8602),
    (255, 255, 255): (100.0, 0.0, 0.0),
    (0, 0, 0): (0.0, 0.0, 0.0),
}


@pytest.mark.parametrize(("rgb", "lab"), LINDBLOOM.items())
def test_agrees_with_published_values(rgb, lab):
    """The corners of sRGB have the Lab values that Lindbloom publishes, within the rounding of the constants."""
    np.testing.assert_allclose(rgb_to_lab(np.array(rgb, np.uint8)), lab, atol=0.02)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(np.uint8, 2e-3), (np.uint16, 2e-3), (np.float32, 2e-3), (np.float64, 1e-6)]
)
def test_rgb_to_lab_agrees_with_scikit_image(dtype, tolerance):
    """Random and grey colors of every dtype come out as scikit-image's do, in the promised dtype."""
    unit = RANDOM.random((60, 70, 3))
    unit[:10] = unit[:10, :, :1]
    rgb = (unit * np.iinfo(dtype).max).astype(dtype) if np.dtype(dtype).kind == "u" else unit.astype(dtype)
    exact = rgb / np.iinfo(dtype).max if rgb.dtype.kind == "u" else rgb.astype(float)
    lab = rgb_to_lab(rgb)
    assert lab.dtype == (np.float64 if dtype == np.float64 else np.float32)
    np.testing.assert_allclose(lab, color.rgb2lab(exact), atol=tolerance)
    np.testing.assert_allclose(rgb_to_lightness(rgb), color.rgb2lab(exact)[..., 0], atol=tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 2e-5), (np.float64, 1e-6)])
def test_lab_to_rgb_agrees_with_scikit_image(dtype, tolerance):
    """Colors in, at the edge of and far outside the gamut come out as scikit-image's do, clipped without a word."""
    lab = RANDOM.uniform([0, -128, -128], [100, 128, 128], (80, 90, 3)).astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-image warns of negative Z
        expected = color.lab2rgb(lab)
    result = lab_to_rgb(lab)
    assert result.dtype == dtype
    assert result.min() >= 0
    assert result.max() <= 1
    np.testing.assert_allclose(result, expected, atol=tolerance)


@pytest.mark.slow
def test_every_uint8_color_survives_the_round_trip():
    """All 16,777,216 colors of 8 bits come back exactly."""
    low = np.arange(65536)
    colors = np.empty((65536, 3), np.uint8)
    colors[:, 1], colors[:, 2] = low >> 8, low & 255
    for red in range(256):
        colors[:, 0] = red
        np.testing.assert_array_equal(lab_to_rgb(rgb_to_lab(colors), dtype=np.uint8), colors)


@settings(max_examples=50, deadline=None)
@given(
    hnp.arrays(st.sampled_from([np.uint8, np.uint16]), st.lists(st.integers(0, 5), max_size=3).map(lambda s: (*s, 3)))
)
def test_round_trip_keeps_shape_and_values(rgb):
    """Integers of any leading shape, empty ones too, come back within one level of 65,535."""
    back = lab_to_rgb(rgb_to_lab(rgb), dtype=rgb.dtype)
    assert back.shape == rgb.shape
    assert np.abs(back.astype(int) - rgb).max(initial=0) <= (0 if rgb.dtype == np.uint8 else 1)


def test_input_is_left_alone_and_layout_does_not_matter():
    """Views that are read-only, reversed, strided or big-endian give what their copies give."""
    rgb = RANDOM.integers(0, 65536, (40, 50, 3)).astype(np.uint16)
    rgb.flags.writeable = False
    before = rgb.copy()
    expected = rgb_to_lab(rgb)
    np.testing.assert_array_equal(rgb_to_lab(rgb[::-1, ::2]), expected[::-1, ::2])
    np.testing.assert_array_equal(rgb_to_lab(rgb.astype(">u2")), expected)
    np.testing.assert_array_equal(rgb_to_lab(np.asfortranarray(rgb)), expected)
    np.testing.assert_array_equal(rgb, before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lab_is_left_alone(dtype):
    """Colors far outside the gamut, which have no Z of their own, are not changed in place."""
    lab = np.array([[50, 0, 300], [0, 0, 128], [-20, 5, 0]], dtype)
    before = lab.copy()
    lab_to_rgb(lab)
    np.testing.assert_array_equal(lab, before)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (np.zeros((4, 2)), InputError),
        (np.float64(0.5), InputError),
        (np.full((2, 3), 128.0), InputError),
        (np.full((2, 3), -0.5), InputError),
        (np.full((2, 3), np.nan), InputError),
        (np.full((2, 3), np.inf), InputError),
        (np.full((2, 3), 128), InputTypeError),
        (np.zeros((2, 3), bool), InputTypeError),
        (np.zeros((2, 3), complex), InputTypeError),
        (np.array([["a", "b", "c"]]), InputTypeError),
        (np.array([[None, 1, 2]], object), InputTypeError),
    ],
)
@pytest.mark.parametrize("function", [rgb_to_lab, rgb_to_lightness])
def test_refuses_what_is_not_rgb(function, value, error):
    """Wrong shapes, ranges and dtypes get the library's error, which says what came."""
    with pytest.raises(error, match=r"expected.*got"):
        function(value)


@pytest.mark.parametrize("value", [np.full((2, 3), np.nan), np.full((2, 3), np.inf, np.float32), np.zeros((2, 4))])
def test_lab_to_rgb_refuses_bad_values(value):
    """Lab that is not finite or not three channels is refused."""
    with pytest.raises(InputError, match=r"expected.*got"):
        lab_to_rgb(value)


@pytest.mark.parametrize("dtype", [np.int32, bool, "nonsense", np.float16])
def test_lab_to_rgb_refuses_other_dtypes(dtype):
    """Only the four dtypes that are promised can be asked for."""
    with pytest.raises(InputTypeError, match="dtype: expected"):
        lab_to_rgb(np.zeros(3), dtype=dtype)
