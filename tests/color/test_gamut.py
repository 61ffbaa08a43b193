"""Colors outside the gamut keep lightness and hue, and as much chroma as fits."""

import numpy as np
import pytest

from labcolor import lab_to_rgb, rgb_to_lab
from labcolor.color.chroma import Chroma
from labcolor.io.inputs import one_picture


def joined(lightness, a, b):
    """Lab of one color after a picture's L is joined with its ab."""
    grey = np.clip(lab_to_rgb(np.array([lightness, 0.0, 0.0]))[1], 0, 1)
    picture = one_picture(np.full((2, 2), grey, np.float32), "picture")
    colored = picture.colored(Chroma(np.full((1, 1, 2), (a, b), np.float32), (0.5, 0.5), (slice(0, 2), slice(0, 2))))
    return rgb_to_lab(colored)[0, 0]


def attainable(lightness, hue):
    """The largest chroma, in steps of 0.1, that lies in the gamut: its color comes back from clipped sRGB."""
    chroma = np.arange(0, 140, 0.1)
    colors = np.stack([np.full(chroma.shape, lightness), chroma * np.cos(hue), chroma * np.sin(hue)], axis=-1)
    return chroma[np.linalg.norm(rgb_to_lab(lab_to_rgb(colors)) - colors, axis=-1) < 0.05].max()


@pytest.mark.parametrize(
    ("lightness", "degrees"), [(32, 306), (50, 306), (40, 0), (60, 100), (70, 150), (85, 250), (8, 280)]
)
def test_asking_more_never_gives_less(lightness, degrees):
    """From the chroma that fits on, chroma stays within 0.5 of it, and hue within a degree."""
    hue = np.deg2rad(degrees)
    most = attainable(lightness, hue)
    for asked in (0.5 * most, 0.9 * most, 1.02 * most, 1.2 * most, 1.5 * most, 2 * most, 4 * most):
        color = joined(lightness, asked * np.cos(hue), asked * np.sin(hue))
        chroma = np.hypot(*color[1:])
        assert abs(chroma - min(asked, most)) < 0.5
        assert abs(np.angle(complex(*color[1:]) * np.exp(-1j * hue), deg=True)) < 1
        assert abs(color[0] - lightness) < 0.2


def test_pure_yellow_stays_reachable():
    """Next to yellow the gamut is a horn: what is asked beyond its tip gives the tip."""
    lightness, a, b = rgb_to_lab(np.uint8([[[255, 255, 0]]]))[0, 0]
    chromas = [np.hypot(*joined(lightness, a * k, b * k)[1:]) for k in (0.2, 0.3, 0.5, 0.8, 1.0, 1.1, 2.0)]
    assert np.diff(chromas).min() > -0.5
    assert chromas[-1] > 96


def test_what_fits_is_left_alone():
    """Colors in the gamut come out as asked, whatever else is in the row."""
    random = np.random.default_rng(0)
    rgb = random.uniform(0, 1, (1, 50, 3)).astype(np.float32)
    lab = rgb_to_lab(rgb)
    for color in lab[0, ::5]:
        assert np.linalg.norm(joined(*color) - color) < 0.1
