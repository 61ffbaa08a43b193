"""What counts as a bar."""

import numpy as np

from labcolor.pictures.bars import find_content_box

RANDOM = np.random.default_rng(0)


def test_what_bars_are():
    """Even black or white at the edges, in any noise of an encoder; no picture is all bars."""
    picture = RANDOM.uniform(20, 80, (40, 60)).astype(np.float32)
    assert find_content_box(picture) == (slice(0, 40), slice(0, 60))
    picture[:6], picture[35:] = RANDOM.uniform(0, 3, (6, 60)), 97
    assert find_content_box(picture) == (slice(6, 35), slice(0, 60))
    picture[35:], picture[:, :9] = 2, 0
    assert find_content_box(picture) == (slice(6, 35), slice(9, 60))
    grey = np.full((40, 60), 50, np.float32)
    assert find_content_box(grey) == (slice(0, 40), slice(0, 60))
    black = np.zeros((40, 60), np.float32)
    assert find_content_box(black) == (slice(0, 40), slice(0, 60))
    black[20, 30] = 90
    assert find_content_box(black) == (slice(0, 40), slice(0, 60))
