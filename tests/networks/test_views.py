"""Views of one picture, mixed."""

import numpy as np
import pytest

from labcolor.networks.views import DETAIL, QUIETEST, coarse, mix_overview, quiet_factor


def test_details_stay_and_grow():
    """What is finer than the coarse grid is the picture's own, a quarter stronger; what is coarser is mixed."""
    fine = np.indices((48, 64)).sum(axis=0) % 2 * 8 - 4
    ab = np.repeat(np.float32(20 + fine)[..., None], 2, axis=-1)
    mixed = mix_overview(ab, np.full((16, 22, 2), 40, np.float32), (0, 0, 21.3, 16), 0.25)
    np.testing.assert_allclose(mixed[4:-4, 4:-4], (25 + DETAIL * fine)[4:-4, 4:-4, None].repeat(2, -1), atol=0.2)


@pytest.mark.parametrize("shape", [(48, 64), (50, 48), (13, 90), (3, 200)])
def test_ramps_keep_their_place(shape):
    """A ramp is the same after the coarse grid, even if sizes do not divide."""
    ramp = np.float32(np.indices(shape).sum(axis=0))[..., None]
    np.testing.assert_allclose(
        mix_overview(ramp, ramp, (0, 0, *shape[::-1]), 0.5)[4:-4, 4:-4], ramp[4:-4, 4:-4], atol=0.3
    )
    assert coarse(ramp, shape).shape[2] == 1


def test_the_factor_falls_with_the_variance():
    """It falls from 1 to its least, and stays finite."""
    factors = [quiet_factor(variance, 875) for variance in (0, 400, 800, 875, 950, 2000, 1e9)]
    assert factors == sorted(factors, reverse=True)
    assert factors[0] == pytest.approx(1, abs=1e-4)
    assert factors[3] == pytest.approx((1 + QUIETEST) / 2)
    assert factors[-1] == pytest.approx(QUIETEST)
