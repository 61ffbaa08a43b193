"""Old names: they warn, name the new one, and still work."""

import numpy as np
import pytest

from labcolor import LabCodec, metrics, triptych


def test_metrics_colourfulness(batch):
    """The old spelling of the metric gives the same number."""
    with pytest.warns(FutureWarning, match=r"Use metrics\.colorfulness"):
        old = metrics.colourfulness(batch[0])
    assert old == metrics.colorfulness(batch[0])


def test_l_centre():
    """The codec takes its center by the old name, and shows it by it."""
    with pytest.warns(FutureWarning, match="Use l_center"):
        codec = LabCodec(l_centre=40.0)
    assert codec == LabCodec(l_center=40.0)
    with pytest.warns(FutureWarning, match="Use l_center"):
        assert codec.l_centre == 40.0


def test_coloured(batch):
    """The three panels take the colored picture by the old name."""
    with pytest.warns(FutureWarning, match="Use colored") as caught:
        panels = triptych(batch[0], coloured=batch[1])
    np.testing.assert_array_equal(panels, triptych(batch[0], batch[1]))
    assert caught[0].filename == __file__, "the warning points at the caller"
