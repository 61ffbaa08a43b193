"""The page: its size, its margin, and that its pictures are in color."""

import numpy as np

from family_album import page


def test_page() -> None:
    """Two grey pictures come to lie in a row, in color."""
    sky = np.linspace(250, 90, 64).astype(np.uint8)[:, np.newaxis].repeat(96, axis=1)
    row = page([sky, sky[::2, ::2]])
    assert row.shape == (64 + 20, 96 + 48 + 30, 3)
    assert (row[:10] == 255).all()
    assert np.ptp(row, axis=-1).max() > 0
