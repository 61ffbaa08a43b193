"""Mixtures of frames: what is measured depends on the frames alone."""

import numpy as np
import pytest

from labcolor.video.mixture import MEASURES, measures


@pytest.mark.parametrize("shape", [(1, 1), (3, 24), (7, 24), (12, 24), (24, 3), (24, 14), (24, 32)])
def test_nothing_outside_of_a_frame_is_read(shape):
    """Frames of few rows or columns have the same measures whatever lies beside them in memory."""
    generator = np.random.default_rng(0)
    for _ in range(3):
        frames = generator.uniform(0, 50, (3, *shape)).astype(np.float32)
        found = np.zeros((2, MEASURES), np.float32)
        for row, around in zip(found, (0, 1000), strict=True):
            memory = np.full((3, 3, *shape), around, np.float32)
            memory[:, 1] = frames
            measures(*memory[:, 1], row)
        np.testing.assert_array_equal(*found)
        assert np.isfinite(found).all()
