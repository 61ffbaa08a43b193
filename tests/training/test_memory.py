"""Memory: a training takes no more for long pictures, and calls that repeat leave nothing behind."""

import subprocess
import sys

import numpy as np
import pytest

from labcolor.pictures.crops import reduce_picture
from labcolor.pictures.picture import as_picture

psutil = pytest.importorskip("psutil")


@pytest.mark.parametrize("shape", [(1, 20_000), (20_000, 1), (3, 5_000)])
def test_long_pictures_are_not_enlarged_as_a_whole(shape):
    """Of a picture of any length the middle is taken, at most eight times as long as wide."""
    picture = np.zeros((*shape, 3), np.uint8)
    picture[shape[0] // 2, shape[1] // 2] = 255
    reduced = reduce_picture(as_picture(picture, "X"), 136, "X")
    assert sorted(reduced.shape[:2]) == [136, 8 * 136]
    assert reduced.max() > 128  # its middle is there


def test_other_pictures_keep_their_edges():
    """Up to eight to one nothing is cut off."""
    picture = np.zeros((10, 80, 3), np.uint8)
    picture[:, [0, -1]] = 255
    reduced = reduce_picture(as_picture(picture, "X"), 20, "X")
    assert reduced.shape == (20, 160, 3)
    assert reduced[:, 0].min() > 128
    assert reduced[:, -1].min() > 128


CALLS = """
import numpy as np, psutil
from labcolor import Colorizer
random = np.random.default_rng(0)
colorizer = Colorizer.from_pretrained().set_params(working_size=64)
pictures = [random.integers(0, 256, (64, width), np.uint8) for width in range(64, 400, 48)]
hints = [np.full((*picture.shape, 2), np.nan) for picture in pictures]
for hint in hints:
    hint[10:14, 20:24] = 30, 10

def call(times):
    for _ in range(times):
        for picture, hint in zip(pictures, hints):
            colorizer.predict(picture)
            colorizer.predict(picture, hints=hint)
            colorizer.uncertainty(picture)
    return psutil.Process().memory_info().rss

before = call(6)
print((call(18) - before) / 2**20)
"""


@pytest.mark.slow
def test_calls_that_repeat_leave_nothing_behind():
    """TensorFlow keeps kernels for each size of input, up to a bound; the same sizes again take no more memory."""
    result = subprocess.run([sys.executable, "-c", CALLS], capture_output=True, text=True, check=True)
    assert float(result.stdout) < 24
