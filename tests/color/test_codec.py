"""The codec: both ways, a value, and what it refuses."""

import numpy as np
import pytest

from labcolor import LabCodec, rgb_to_lab
from labcolor.errors import InputError

RANDOM = np.random.default_rng(0)


def test_codec_goes_both_ways():
    """What the codec encodes, scaled to [-1, 1], it decodes to the same picture."""
    codec = LabCodec()
    rgb = RANDOM.integers(0, 256, (2, 8, 9, 3), dtype=np.uint8)
    lightness, ab = codec.encode(rgb)
    assert lightness.shape == (2, 8, 9, 1)
    assert ab.shape == (2, 8, 9, 2)
    assert max(np.abs(lightness).max(), np.abs(ab).max()) <= 1
    np.testing.assert_allclose(ab * 128, rgb_to_lab(rgb)[..., 1:], rtol=1e-6)
    np.testing.assert_array_equal(codec.decode(lightness, ab, dtype=np.uint8), rgb)


def test_codec_is_a_value():
    """Codecs compare by value, hash, cannot be changed, and come back from their config."""
    codec = LabCodec(ab_scale=110)
    assert codec != LabCodec()
    assert LabCodec(**codec.get_config()) == codec
    assert hash(LabCodec(**codec.get_config())) == hash(codec)
    with pytest.raises(AttributeError):
        codec.ab_scale = 1


@pytest.mark.parametrize("scale", [0, -1, np.nan, np.inf, "128", None, True])
def test_codec_refuses_bad_scales(scale):
    """A scale must be a positive finite number."""
    with pytest.raises(InputError, match="ab_scale: expected"):
        LabCodec(ab_scale=scale)


def test_codec_refuses_shapes_that_do_not_go_together():
    """L and ab must be of one picture."""
    with pytest.raises(InputError, match="same leading shape"):
        LabCodec().decode(np.zeros((2, 2, 1)), np.zeros((2, 3, 2)))
