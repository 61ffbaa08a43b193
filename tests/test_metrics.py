"""Metrics against values that are known."""

import numpy as np
import pytest

from labcolor import lab_to_rgb, metrics
from labcolor.errors import InputError

RANDOM = np.random.default_rng(0)
PHOTO = RANDOM.integers(0, 256, (32, 32, 3), dtype=np.uint8)


def test_equal_pictures():
    """Equal pictures have the best value of each metric."""
    assert metrics.psnr(PHOTO, PHOTO) == float("inf")
    assert metrics.ssim(PHOTO, PHOTO) == pytest.approx(1)
    assert metrics.ciede2000(PHOTO, PHOTO) == 0
    assert metrics.auc(PHOTO, PHOTO) == pytest.approx(100)
    assert metrics.auc(PHOTO, PHOTO, prior=metrics.ab_prior([PHOTO])) == pytest.approx(100)


def test_psnr_of_a_known_error():
    """An error of one tenth everywhere is 20 dB, in floats and in 8 bits."""
    assert metrics.psnr(np.zeros((4, 4, 3)), np.full((4, 4, 3), 0.1)) == pytest.approx(20)
    assert metrics.psnr(np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)) == pytest.approx(0)


def test_ciede2000_of_published_pair():
    """Two greys whose CIEDE2000 follows from the formula by hand: S_L of a mean L of 50 is 1."""
    first = lab_to_rgb(np.full((4, 4, 3), [49.0, 0, 0]))
    second = lab_to_rgb(np.full((4, 4, 3), [51.0, 0, 0]))
    assert metrics.ciede2000(first, second) == pytest.approx(2, abs=0.01)


def test_colorfulness_by_hand():
    """Of a plain red: no spread, and 0.3 times the length of (255, 127.5)."""
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 255
    assert metrics.colorfulness(red) == pytest.approx(0.3 * np.hypot(255, 127.5))


def test_auc_of_a_known_error():
    """An ab error of 30 everywhere leaves 121 of the 151 thresholds at one."""
    first = lab_to_rgb(np.full((4, 4, 3), [60.0, 0, 0]))
    second = lab_to_rgb(np.full((4, 4, 3), [60.0, 29.5, 0]))
    assert metrics.auc(first, second) == pytest.approx(100 * 121 / 151, abs=0.7)


def test_rebalancing_weighs_rare_colors():
    """Where the rare color is wrong, the rebalanced area is lower than the plain one."""
    true = np.zeros((10, 10, 3), np.uint8) + np.uint8(120)
    true[0, 0] = [220, 40, 40]
    guess = np.zeros_like(true) + np.uint8(120)
    prior = metrics.ab_prior([true])
    assert sum(prior.values()) == pytest.approx(1)
    assert metrics.auc(guess, true, prior=prior) < metrics.auc(guess, true) - 10


@pytest.mark.parametrize("metric", [metrics.psnr, metrics.ssim, metrics.ciede2000, metrics.auc, metrics.ab_errors])
@pytest.mark.parametrize("other", [PHOTO[:16], PHOTO[..., 0], np.stack([PHOTO, PHOTO]), PHOTO / 2.0])
def test_pictures_that_do_not_go_together(metric, other):
    """Other sizes, grey, batches and floats out of range are refused."""
    with pytest.raises(InputError, match="expected"):
        metric(PHOTO, other)


def test_ssim_needs_room():
    """SSIM's window does not fit in a tiny picture."""
    with pytest.raises(InputError, match="at least 7 x 7"):
        metrics.ssim(PHOTO[:5], PHOTO[:5])


def test_areas_of_several_pictures_add_up():
    """Two pictures side by side are measured as the sum of their histograms."""
    other = RANDOM.integers(0, 256, PHOTO.shape, dtype=np.uint8)
    prior = metrics.ab_prior([PHOTO, other])
    parts = metrics.ab_errors(other, PHOTO, prior=prior) + metrics.ab_errors(PHOTO, other, prior=prior)
    whole = metrics.auc(np.hstack([other, PHOTO]), np.hstack([PHOTO, other]), prior=prior)
    assert metrics.area_under_curve(parts) == pytest.approx(whole)
